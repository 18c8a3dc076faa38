"""Erasure of the ledger: what the sealer has let go, the only rows of records that may go, and how a stream goes on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP, SEALER, guard_log_statements

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    _erasures()
    _only_what_is_sealed_as_erased_goes()
    _erase()
    _look_up()


def _erasures() -> None:
    op.create_table(
        "audit_erasure",
        sa.Column("log_id", sa.Uuid(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("idx", sa.BigInteger(), nullable=False),
        # By the database's clock: nothing is deleted before somebody has had a day to notice.
        sa.Column("let_go_at", sa.DateTime(timezone=True), server_default=sa.func.clock_timestamp(), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("first >= 0 AND first <= last", name=op.f("ck_audit_erasure_range")),
        sa.CheckConstraint("last < idx", name=op.f("ck_audit_erasure_before_it_was_recorded")),
        sa.PrimaryKeyConstraint("log_id", "first", name=op.f("pk_audit_erasure")),
        comment="which records of each log the sealer has let go, by a sealed record that names them; disjoint",
    )
    op.create_index(
        "ix_audit_erasure_unfinished",
        "audit_erasure",
        ["log_id", "first"],
        postgresql_where=sa.text("erased_at IS NULL"),
    )
    op.create_index(op.f("ix_audit_erasure_log_id_idx"), "audit_erasure", ["log_id", "idx"])
    for statement in guard_log_statements("audit_erasure"):
        op.execute(statement)
    op.execute(f"GRANT SELECT ON audit_erasure TO {APP}")
    op.execute(f"GRANT SELECT, INSERT ON audit_erasure TO {SEALER}")


#: A record goes only if the sealer has let its index go, whoever deletes it. It changes never.
UNLESS_ERASED = """
CREATE FUNCTION refuse_change_unless_erased() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    log uuid := '00000000-0000-0000-0000-000000000000'::uuid;
BEGIN
    IF TG_TABLE_NAME <> 'house_record' THEN
        log := OLD.practice_id;
    END IF;
    IF TG_OP = 'DELETE' AND EXISTS (
        SELECT FROM audit_leaf l CROSS JOIN LATERAL (
            SELECT e.last FROM audit_erasure e
            WHERE e.log_id = l.log_id AND e.first <= l.idx ORDER BY e.first DESC LIMIT 1
        ) AS let_go
        WHERE l.log_id = log AND l.record_id = OLD.id AND l.idx <= let_go.last
    ) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the ledger is only ever added to';
END $$
"""

#: Of what was let go nothing changes, but that it is gone.
UNLESS_MARKED = """
CREATE FUNCTION refuse_unless_marked_as_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.erased_at IS NOT NULL OR NEW.erased_at IS NULL
        OR (NEW.log_id, NEW.first, NEW.last, NEW.idx, NEW.let_go_at)
            IS DISTINCT FROM (OLD.log_id, OLD.first, OLD.last, OLD.idx, OLD.let_go_at) THEN
        RAISE EXCEPTION 'the ledger is only ever added to';
    END IF;
    RETURN NEW;
END $$
"""

TRIGGERS = (
    ("audit_erasure", "only_marked", "UPDATE", "ROW", "refuse_unless_marked_as_erased"),
    ("audit_erasure", "stays", "DELETE", "ROW", "refuse_change"),
    ("audit_erasure", "not_emptied", "TRUNCATE", "STATEMENT", "refuse_change"),
    ("audit_record", "append_only", "UPDATE OR DELETE", "ROW", "refuse_change_unless_erased"),
    ("house_record", "append_only", "UPDATE OR DELETE", "ROW", "refuse_change_unless_erased"),
)


def _only_what_is_sealed_as_erased_goes() -> None:
    op.execute(UNLESS_ERASED)
    op.execute(UNLESS_MARKED)
    for table, name, when, each, function in TRIGGERS:
        # Replaced, not dropped: so it is done under a lock that lets readers through, and an export takes its time.
        op.execute(
            f"CREATE OR REPLACE TRIGGER {table}_{name} BEFORE {when} ON {table} "
            f"FOR EACH {each} EXECUTE FUNCTION {function}()"
        )
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_{name}")


#: Whether a record stays although its time is over: its words may still be fetched, or an incident holds its call, or
#: what its call has left.
HELD = """
CREATE FUNCTION ledger_holds(record uuid, practice uuid, of_call uuid, reference text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM audio a WHERE a.practice_id = practice AND a.record_id = record)
        OR EXISTS (SELECT FROM call_hold h WHERE h.call_id = of_call AND h.lifted_at IS NULL)
        OR of_call IS NULL AND reference IS NOT NULL AND EXISTS (
            SELECT FROM call_hold h JOIN audit_record r ON r.practice_id = h.practice_id AND r.call_id = h.call_id
            WHERE h.practice_id = practice AND h.lifted_at IS NULL AND r.ref = reference
        )
$$
"""

#: Deletes what was let go in the log of the transaction a day ago or longer, by the database's clock: so many records
#: of so many ranges at most; returns how many went. Two at once take different ranges. Where nothing names a
#: person any more, their token goes too: whoever writes of them at this moment holds its row (ledger_token).
ERASE = """
CREATE FUNCTION erase_sealed(most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    log uuid := current_setting('app.practice')::uuid;
    picked bigint[];
    these uuid[];
    named text[];
    tokens uuid[];
    gone integer;
BEGIN
    most := least(most, 2000);
    IF log = '00000000-0000-0000-0000-000000000000'::uuid THEN
        picked := ARRAY(
            SELECT e.first FROM audit_erasure e WHERE e.log_id = log AND e.erased_at IS NULL
                AND e.let_go_at < clock_timestamp() - interval '24 hours'
            ORDER BY e.first LIMIT most FOR UPDATE SKIP LOCKED
        );
        these := ARRAY(
            SELECT r.id FROM audit_erasure e JOIN audit_leaf l ON l.log_id = log AND l.idx BETWEEN e.first AND e.last
            JOIN house_record r ON r.id = l.record_id
            WHERE e.log_id = log AND e.first = ANY(picked) ORDER BY l.idx LIMIT most
        );
        DELETE FROM house_record WHERE id = ANY(these);
        GET DIAGNOSTICS gone = ROW_COUNT;
        UPDATE audit_erasure e SET erased_at = clock_timestamp() WHERE e.log_id = log AND e.first = ANY(picked)
            AND NOT EXISTS (
                SELECT FROM audit_leaf l JOIN house_record r ON r.id = l.record_id
                WHERE l.log_id = log AND l.idx BETWEEN e.first AND e.last
            );
        RETURN gone;
    END IF;
    picked := ARRAY(
        SELECT e.first FROM audit_erasure e WHERE e.log_id = log AND e.erased_at IS NULL
            AND e.let_go_at < clock_timestamp() - interval '24 hours'
            AND (
                SELECT bool_or(NOT ledger_holds(r.id, log, r.call_id, r.ref)) IS NOT FALSE
                FROM audit_leaf l JOIN audit_record r ON r.id = l.record_id AND r.practice_id = log
                WHERE l.log_id = log AND l.idx BETWEEN e.first AND e.last
            )
        ORDER BY e.first LIMIT most FOR UPDATE SKIP LOCKED
    );
    these := ARRAY(
        SELECT r.id FROM audit_erasure e JOIN audit_leaf l ON l.log_id = log AND l.idx BETWEEN e.first AND e.last
        JOIN audit_record r ON r.id = l.record_id AND r.practice_id = log
        WHERE e.log_id = log AND e.first = ANY(picked) AND NOT ledger_holds(r.id, log, r.call_id, r.ref)
        ORDER BY l.idx LIMIT most
    );
    WITH went AS (DELETE FROM audit_record WHERE practice_id = log AND id = ANY(these) RETURNING subject)
    SELECT count(*), array_agg(DISTINCT subject) FILTER (WHERE subject IS NOT NULL) INTO gone, named FROM went;
    UPDATE audit_erasure e SET erased_at = clock_timestamp() WHERE e.log_id = log AND e.first = ANY(picked)
        AND NOT EXISTS (
            SELECT FROM audit_leaf l JOIN audit_record r ON r.id = l.record_id AND r.practice_id = log
            WHERE l.log_id = log AND l.idx BETWEEN e.first AND e.last
        );
    tokens := ARRAY(
        SELECT s.token FROM audit_subject s WHERE s.practice_id = log AND s.token::text = ANY(named)
        ORDER BY s.token FOR UPDATE
    );
    -- A statement of its own, which sees what was written while the rows were waited for.
    DELETE FROM audit_subject s WHERE s.practice_id = log AND s.token = ANY(tokens)
        AND NOT EXISTS (SELECT FROM audit_record r WHERE r.practice_id = log AND r.subject = s.token::text);
    RETURN gone;
END $$
"""

#: The token of a patient of the practice of the transaction, made at the first mention, never changed. Its row is held
#: until the transaction ends, so that nobody deletes it between its being read and the record that names it. Of two
#: first mentions at once, the second one waits for the first, makes no row, and reads it in the next round.
MENTION = """
CREATE FUNCTION ledger_token(patient uuid, made uuid) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    practice uuid := current_setting('app.practice')::uuid;
    found_one uuid;
BEGIN
    FOR attempt IN 1..3 LOOP
        SELECT s.token INTO found_one FROM audit_subject s
            WHERE s.practice_id = practice AND s.patient_id = patient FOR KEY SHARE;
        IF FOUND THEN
            RETURN found_one;
        END IF;
        INSERT INTO audit_subject (practice_id, patient_id, token) VALUES (practice, patient, made)
            ON CONFLICT (patient_id) DO NOTHING;
    END LOOP;
    SELECT s.token INTO found_one FROM audit_subject s
        WHERE s.practice_id = practice AND s.patient_id = patient FOR KEY SHARE;
    RETURN found_one;
END $$
"""

#: How far a stream of the house has come: of its last record the leaf stays when the record is erased.
HOUSE_STREAM = """
CREATE FUNCTION house_stream_end(of_stream uuid) RETURNS TABLE (seq integer, leaf text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    (SELECT r.seq, r.leaf FROM house_record r WHERE r.stream = of_stream ORDER BY r.seq DESC LIMIT 1)
    UNION ALL
    (SELECT l.seq, encode(l.leaf, 'hex') FROM audit_leaf l
     WHERE l.log_id = '00000000-0000-0000-0000-000000000000'::uuid AND l.stream = of_stream
     ORDER BY l.seq DESC LIMIT 1)
    ORDER BY 1 DESC LIMIT 1
$$
"""

#: Whether a record is the last word of a person on what they want: that it was said is proven for as long as it holds.
IN_FORCE = """
CREATE FUNCTION ledger_in_force(practice uuid, what text, whose text, written text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT what = 'reminders.chosen' AND NOT EXISTS (
        SELECT FROM audit_record r WHERE r.practice_id = practice AND r.event = what AND r.subject = whose
            AND r.at > written
    )
$$
"""

#: How many records of these kinds were written before that moment and stand although nothing holds them, of all logs;
#: ten thousand of each at most.
OVERDUE = """
CREATE FUNCTION ledger_overdue(events text[], before text) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(sum(many), 0)::bigint FROM (
        SELECT due.many FROM practice p CROSS JOIN LATERAL (
            SELECT count(*) AS many FROM (
                SELECT FROM audit_record r
                WHERE r.practice_id = p.id AND r.event = ANY(events) AND r.at < before
                    AND NOT ledger_holds(r.id, r.practice_id, r.call_id, r.ref)
                    AND NOT ledger_in_force(r.practice_id, r.event, r.subject, r.at)
                LIMIT 10000
            ) AS these
        ) AS due
        UNION ALL
        SELECT count(*) FROM (
            SELECT FROM house_record
            WHERE body::jsonb ->> 'event' = ANY(events) AND body::jsonb ->> 'ts' < before LIMIT 10000
        ) AS these
    ) AS counted
$$
"""

#: How many records were let go and are not gone: held ones too.
UNFINISHED = """
CREATE FUNCTION ledger_unerased() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(sum(last - first + 1), 0)::bigint FROM audit_erasure WHERE erased_at IS NULL
$$
"""


#: Whether a head of any log was signed in that time.
HEADS_SIGNED = """
CREATE FUNCTION ledger_heads_signed(since timestamptz, until timestamptz) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM audit_checkpoint WHERE signed_at BETWEEN since AND until)
$$
"""


def _erase() -> None:
    """The server may ask for it, whose login may delete nothing itself: what goes is what the sealer has let go."""
    for function in (HELD, ERASE, MENTION, HOUSE_STREAM, IN_FORCE, OVERDUE, UNFINISHED, HEADS_SIGNED):
        op.execute(function)
    names = (
        "erase_sealed(integer)",
        "ledger_token(uuid, uuid)",
        "house_stream_end(uuid)",
        "ledger_overdue(text[], text)",
        "ledger_unerased()",
        "ledger_heads_signed(timestamptz, timestamptz)",
    )
    for name in names:
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO {APP}")


def _look_up() -> None:
    """Each record that goes is looked for here."""
    op.create_index(op.f("ix_audio_practice_id_record_id"), "audio", ["practice_id", "record_id"])
    op.create_index(
        "ix_house_record_event_at",
        "house_record",
        [sa.text("(body::jsonb ->> 'event')"), sa.text("(body::jsonb ->> 'ts')")],
    )
