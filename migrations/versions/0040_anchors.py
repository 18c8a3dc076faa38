"""Who holds signed heads of the ledger besides us: a folder, a time stamp authority, somebody who signs them too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP, guard_log_statements

revision = "0040"
down_revision = "0039"


#: Since when the oldest signed head is there that nobody else holds, nor a later one. Stepping from log to log.
UNHELD = """
CREATE FUNCTION ledger_unheld_since() RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT min(first.signed_at) FROM audit_log l
    CROSS JOIN LATERAL (SELECT coalesce(max(size), 0) AS size FROM audit_anchor a WHERE a.log_id = l.log_id) AS held
    CROSS JOIN LATERAL (
        SELECT c.signed_at FROM audit_checkpoint c
        WHERE c.log_id = l.log_id AND c.size > held.size ORDER BY c.size LIMIT 1
    ) AS first
$$
"""


def upgrade() -> None:
    op.create_table(
        "audit_anchor",
        sa.Column("log_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("receipt", sa.LargeBinary(), nullable=True),
        sa.Column("anchored_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('cosignature', 'file', 'timestamp')", name=op.f("ck_audit_anchor_kind")),
        sa.CheckConstraint("size > 0", name=op.f("ck_audit_anchor_size")),
        sa.CheckConstraint(
            "(kind = 'timestamp') = (receipt IS NOT NULL)", name=op.f("ck_audit_anchor_receipt_is_of_a_timestamp")
        ),
        sa.PrimaryKeyConstraint("log_id", "kind", "place", "size", name=op.f("pk_audit_anchor")),
        comment="signed heads of logs that somebody else holds: where, since when, and what they have given for it",
    )
    op.create_index(op.f("ix_audit_anchor_log_id_size"), "audit_anchor", ["log_id", "size"])
    op.create_index(op.f("ix_audit_anchor_log_id_anchored_at"), "audit_anchor", ["log_id", "anchored_at"])
    for statement in guard_log_statements("audit_anchor"):
        op.execute(statement)
    # The server deposits heads, and says so: what it says is checked where they are.
    op.execute(
        f"CREATE POLICY audit_anchor_deposited ON audit_anchor FOR INSERT TO {APP} "
        "WITH CHECK (log_id = current_setting('app.practice')::uuid)"
    )
    op.execute(f"GRANT SELECT, INSERT ON audit_anchor TO {APP}")
    for name, when, each in (
        ("append_only", "UPDATE OR DELETE", "ROW"),
        ("not_emptied", "TRUNCATE", "STATEMENT"),
    ):
        op.execute(
            f"CREATE TRIGGER audit_anchor_{name} BEFORE {when} ON audit_anchor "
            f"FOR EACH {each} EXECUTE FUNCTION refuse_change()"
        )
        op.execute(f"ALTER TABLE audit_anchor ENABLE ALWAYS TRIGGER audit_anchor_{name}")
    op.execute(UNHELD)
    op.execute("REVOKE ALL ON FUNCTION ledger_unheld_since() FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION ledger_unheld_since() TO {APP}")
