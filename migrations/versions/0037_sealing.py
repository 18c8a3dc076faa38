"""Sealing: the leaves of each log's Merkle tree, signed heads, what waits to be sealed, and since when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import DBAPIError

from callcenter.kernel.errors import CallcenterError
from callcenter.store.database import is_lock_timeout
from callcenter.store.schema import APP, SEALER, guard_log_statements

revision = "0037"
down_revision = "0036"


#: For how long we wait for servers that write, unless the session says otherwise: behind us, all their calls wait.
PATIENCE = "10s"


def upgrade() -> None:
    _alone()
    _outboxes()
    _put_into_the_outboxes_what_is_not_sealed()
    _sealed()
    _may()
    _keep()
    _tell_what_waits()


def _alone() -> None:
    """Nobody writes a record between those that are put into the outbox here and those that the trigger puts there.

    Raises:
        CallcenterError: somebody else is at it.
    """
    own = f"CASE current_setting('lock_timeout') WHEN '0' THEN '{PATIENCE}' ELSE current_setting('lock_timeout') END"
    op.execute(f"SELECT set_config('lock_timeout', {own}, true)")
    try:
        op.execute("LOCK TABLE audit_outbox, house_record IN ACCESS EXCLUSIVE MODE")
    except DBAPIError as error:
        if not is_lock_timeout(error):
            raise
        raise CallcenterError(
            "records are being written while the ledger's tables change: stop every server that uses this database, "
            "and migrate again; nothing was changed"
        ) from error


#: By the database itself: a server of the release before, which knows of no outbox, may still be writing.
INTO_THE_OUTBOX = """
CREATE FUNCTION put_into_house_outbox() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO house_outbox (record_id) VALUES (NEW.id);
    RETURN NULL;
END $$
"""


def _outboxes() -> None:
    # What stands waits from this moment on, which is one for all rows: the table is not written anew under its lock, as
    # it would be for a value that is worked out row by row.
    written_at = sa.Column("written_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)
    op.add_column("audit_outbox", written_at)
    op.alter_column("audit_outbox", "written_at", server_default=sa.func.clock_timestamp())
    op.create_index(op.f("ix_audit_outbox_practice_id_n"), "audit_outbox", ["practice_id", "n"])
    op.create_table(
        "house_outbox",
        sa.Column("n", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), server_default=sa.func.clock_timestamp(), nullable=False),
        sa.ForeignKeyConstraint(
            ["record_id"], ["house_record.id"], name=op.f("fk_house_outbox_record_id_house_record")
        ),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_house_outbox")),
        sa.UniqueConstraint("record_id", name=op.f("uq_house_outbox_record_id")),
        comment="records of the house that wait for the sealer, in the order of each stream",
    )
    op.execute(INTO_THE_OUTBOX)
    op.execute(
        "CREATE TRIGGER house_record_waits AFTER INSERT ON house_record FOR EACH ROW "
        "EXECUTE FUNCTION put_into_house_outbox()"
    )
    for table in ("audit_outbox", "house_outbox"):
        # Rows that live for a second: the dead ones before them would be read again and again.
        op.execute(f"ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)")


def _put_into_the_outboxes_what_is_not_sealed() -> None:
    """Records of practices were put into their outbox when they were written, all of them; the house had none."""
    op.execute(
        "INSERT INTO house_outbox (record_id) SELECT id FROM ("
        "SELECT id, row_number() OVER (ORDER BY at, stream, seq) AS place FROM ("
        "SELECT id, stream, seq, max(body::jsonb ->> 'ts') OVER (PARTITION BY stream ORDER BY seq) AS at "
        "FROM house_record) AS timed) AS ordered ORDER BY place"
    )


def _sealed() -> None:
    op.create_table(
        "audit_leaf",
        sa.Column("log_id", sa.Uuid(), nullable=False),
        sa.Column("idx", sa.BigInteger(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("stream", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("idx >= 0", name=op.f("ck_audit_leaf_idx")),
        sa.CheckConstraint("octet_length(leaf) = 32", name=op.f("ck_audit_leaf_leaf_is_a_digest")),
        sa.CheckConstraint("seq >= 0", name=op.f("ck_audit_leaf_seq")),
        sa.PrimaryKeyConstraint("log_id", "idx", name=op.f("pk_audit_leaf")),
        sa.UniqueConstraint("log_id", "record_id", name=op.f("uq_audit_leaf_log_id_record_id")),
        sa.UniqueConstraint("log_id", "stream", "seq", name=op.f("uq_audit_leaf_log_id_stream_seq")),
        comment="the leaves of each log's Merkle tree; they stay when a record's bytes are erased",
    )
    op.create_table(
        "audit_checkpoint",
        sa.Column("log_id", sa.Uuid(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("size > 0", name=op.f("ck_audit_checkpoint_size")),
        sa.PrimaryKeyConstraint("log_id", "size", name=op.f("pk_audit_checkpoint")),
        comment="signed heads of logs (C2SP tlog-checkpoint): all of the last hours, before that the last of each hour",
    )
    op.create_index(op.f("ix_audit_checkpoint_log_id_signed_at"), "audit_checkpoint", ["log_id", "signed_at"])
    op.create_table(
        "audit_log",
        sa.Column("log_id", sa.Uuid(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "octet_length(frontier) = 32 * bit_count(int8send(size))",
            name=op.f("ck_audit_log_frontier_is_of_its_size"),
        ),
        sa.CheckConstraint("size > 0", name=op.f("ck_audit_log_size")),
        sa.PrimaryKeyConstraint("log_id", name=op.f("pk_audit_log")),
        comment="how far each log is sealed: its size, and the roots of the perfect trees that it consists of",
    )
    for table in ("audit_leaf", "audit_checkpoint", "audit_log"):
        for statement in guard_log_statements(table):
            op.execute(statement)


def _may() -> None:
    op.execute(f"GRANT SELECT ON audit_leaf, audit_checkpoint, audit_log TO {APP}")
    op.execute(f"GRANT SELECT, INSERT ON audit_leaf TO {SEALER}")
    op.execute(f"GRANT SELECT, INSERT, DELETE ON audit_checkpoint TO {SEALER}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE (size, frontier, sealed_at) ON audit_log TO {SEALER}")
    op.execute(f"GRANT SELECT ON house_record TO {SEALER}")
    op.execute(f"GRANT SELECT, DELETE ON house_outbox TO {SEALER}")
    # Since when a record waits is the database's to say.
    op.execute(f"REVOKE INSERT ON audit_outbox FROM {APP}")
    op.execute(f"GRANT INSERT (practice_id, record_id) ON audit_outbox TO {APP}")
    op.execute(f"GRANT SELECT ON house_outbox TO {APP}")


#: Of the heads of an hour the last one stays, and nobody but the sealer takes the others away.
ONLY_SUPERSEDED = """
CREATE FUNCTION refuse_unless_superseded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT pg_has_role(current_user, 'callcenter_sealer', 'USAGE')
        OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
        OR NOT EXISTS (
            SELECT FROM audit_checkpoint c WHERE c.log_id = OLD.log_id AND c.size > OLD.size
            AND date_trunc('hour', c.signed_at, 'UTC') = date_trunc('hour', OLD.signed_at, 'UTC')
        ) THEN
        RAISE EXCEPTION 'of signed heads only the sealer removes any, and the last of each hour stays';
    END IF;
    RETURN OLD;
END $$
"""

#: How far a log is sealed never goes back.
ONLY_FORTH = """
CREATE FUNCTION refuse_unless_sealed_further() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT pg_has_role(current_user, 'callcenter_sealer', 'USAGE')
        OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
        OR NEW.log_id <> OLD.log_id OR NEW.size <= OLD.size THEN
        RAISE EXCEPTION 'only the sealer says how far a log is sealed, and never that it is sealed less far';
    END IF;
    RETURN NEW;
END $$
"""

#: Table, trigger, when, for each what, function.
TRIGGERS = (
    ("house_outbox", "unchanged", "UPDATE", "ROW", "refuse_change"),
    ("house_outbox", "not_emptied", "TRUNCATE", "STATEMENT", "refuse_change"),
    ("house_outbox", "taken_by_the_sealer", "DELETE", "ROW", "refuse_unless_sealer"),
    ("audit_leaf", "append_only", "UPDATE OR DELETE", "ROW", "refuse_change"),
    ("audit_leaf", "not_emptied", "TRUNCATE", "STATEMENT", "refuse_change"),
    ("audit_checkpoint", "unchanged", "UPDATE", "ROW", "refuse_change"),
    ("audit_checkpoint", "not_emptied", "TRUNCATE", "STATEMENT", "refuse_change"),
    ("audit_checkpoint", "thinned_by_the_sealer", "DELETE", "ROW", "refuse_unless_superseded"),
    ("audit_log", "stays", "DELETE", "ROW", "refuse_change"),
    ("audit_log", "not_emptied", "TRUNCATE", "STATEMENT", "refuse_change"),
    ("audit_log", "moved_by_the_sealer", "UPDATE", "ROW", "refuse_unless_sealed_further"),
)


def _keep() -> None:
    """Rights stop the app; these triggers stop an accident of the owner's too, and a replica's process."""
    op.execute(ONLY_SUPERSEDED)
    op.execute(ONLY_FORTH)
    for table, name, when, each, function in TRIGGERS:
        op.execute(
            f"CREATE TRIGGER {table}_{name} BEFORE {when} ON {table} FOR EACH {each} EXECUTE FUNCTION {function}()"
        )
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_{name}")


#: The oldest row of each log, found by stepping from log to log in the index: what waits behind it is not read.
WAITING = """
CREATE FUNCTION ledger_waiting(longer_than interval) RETURNS TABLE (log_id uuid, waits interval)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH RECURSIVE oldest AS (
        (SELECT practice_id, written_at FROM audit_outbox ORDER BY practice_id, n LIMIT 1)
        UNION ALL
        SELECT next.practice_id, next.written_at FROM oldest CROSS JOIN LATERAL (
            SELECT o.practice_id, o.written_at FROM audit_outbox o WHERE o.practice_id > oldest.practice_id
            ORDER BY o.practice_id, o.n LIMIT 1
        ) AS next
    ), logs AS (
        SELECT practice_id AS log_id, clock_timestamp() - written_at AS waits FROM oldest
        UNION ALL
        (SELECT '00000000-0000-0000-0000-000000000000'::uuid, clock_timestamp() - written_at FROM house_outbox
         ORDER BY n LIMIT 1)
    )
    SELECT logs.log_id, logs.waits FROM logs WHERE logs.waits > longer_than
$$
"""

#: When anything was sealed last: of the whole house, to whom practices are closed.
SEALED_AT = """
CREATE FUNCTION ledger_sealed_at() RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT max(sealed_at) FROM audit_log
$$
"""


def _tell_what_waits() -> None:
    """Which logs wait is the house's to know, of every practice at once: identifiers and times, and nothing else."""
    op.execute(WAITING)
    op.execute(SEALED_AT)
    for function in ("ledger_waiting(interval)", "ledger_sealed_at()"):
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {APP}, {SEALER}")
