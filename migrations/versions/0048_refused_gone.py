"""How much of what the sealer has refused is gone. Its bytes are never erased."""

from __future__ import annotations

from alembic import op

from callcenter.store.schema import APP

revision = "0048"
down_revision = "0047"


def upgrade() -> None:
    op.execute(GONE)
    op.execute("REVOKE ALL ON FUNCTION ledger_refused_gone() FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION ledger_refused_gone() TO {APP}")


#: In all logs.
GONE = """
CREATE FUNCTION ledger_refused_gone() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT count(*) FROM audit_refused x
    WHERE NOT EXISTS (SELECT FROM audit_record r WHERE r.id = x.record_id AND r.practice_id = x.log_id)
        AND NOT EXISTS (
            SELECT FROM house_record h
            WHERE h.id = x.record_id AND x.log_id = '00000000-0000-0000-0000-000000000000'::uuid
        )
$$
"""
