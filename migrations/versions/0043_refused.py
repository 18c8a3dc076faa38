"""Records that the sealer refuses: what it seals in their places. And a stream of the house goes on behind them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP, SEALER, guard_log_statements

revision = "0043"
down_revision = "0041"


def upgrade() -> None:
    op.create_table(
        "audit_refused",
        sa.Column("log_id", sa.Uuid(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("idx", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("refused_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("idx >= 0", name=op.f("ck_audit_refused_idx")),
        sa.CheckConstraint("octet_length(refused) = 32", name=op.f("ck_audit_refused_refused_is_a_digest")),
        sa.CheckConstraint("octet_length(body) > 0", name=op.f("ck_audit_refused_body_not_empty")),
        sa.PrimaryKeyConstraint("log_id", "record_id", name=op.f("pk_audit_refused")),
        comment="records that the sealer has refused, by their leaf, and the records that are sealed in their places",
    )
    op.create_index(op.f("ix_audit_refused_log_id_refused_at"), "audit_refused", ["log_id", "refused_at"])
    for statement in guard_log_statements("audit_refused"):
        op.execute(statement)
    op.execute(f"GRANT SELECT ON audit_refused TO {APP}")
    op.execute(f"GRANT SELECT, INSERT ON audit_refused TO {SEALER}")
    for name, when, each in (("append_only", "UPDATE OR DELETE", "ROW"), ("not_emptied", "TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER audit_refused_{name} BEFORE {when} ON audit_refused "
            f"FOR EACH {each} EXECUTE FUNCTION refuse_change()"
        )
        op.execute(f"ALTER TABLE audit_refused ENABLE ALWAYS TRIGGER audit_refused_{name}")
    op.execute(HOUSE_STREAM)
    op.execute(SO_FAR)
    op.execute("REVOKE ALL ON FUNCTION ledger_refused(timestamptz) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION ledger_refused(timestamptz) TO {APP}")


#: As before; where the bytes of a record stand, its own leaf: in the log may be that of the one in its place.
HOUSE_STREAM = """
CREATE OR REPLACE FUNCTION house_stream_end(of_stream uuid) RETURNS TABLE (seq integer, leaf text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT last.seq, last.leaf FROM (
        (SELECT r.seq, r.leaf, 0 AS rank FROM house_record r WHERE r.stream = of_stream ORDER BY r.seq DESC LIMIT 1)
        UNION ALL
        (SELECT l.seq, encode(l.leaf, 'hex'), 1 FROM audit_leaf l
         WHERE l.log_id = '00000000-0000-0000-0000-000000000000'::uuid AND l.stream = of_stream
         ORDER BY l.seq DESC LIMIT 1)
    ) AS last ORDER BY last.seq DESC, last.rank LIMIT 1
$$
"""

#: How many records of all logs were refused since then, and when the last one was.
SO_FAR = """
CREATE FUNCTION ledger_refused(since timestamptz) RETURNS TABLE (many bigint, last timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT count(*), max(refused_at) FROM audit_refused WHERE refused_at >= since
$$
"""
