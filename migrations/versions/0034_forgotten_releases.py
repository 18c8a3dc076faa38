"""Requests to lift locks are forgotten once they are too old, with why they were made; the ledger tells of them."""

from __future__ import annotations

from alembic import op

from callcenter.store.schema import APP

revision = "0034"
down_revision = "0033"

#: Not sooner than a month by the database's own clock, whatever is asked: until then, why it was wanted stands.
FORGET_LOCK_RELEASES = """
CREATE FUNCTION forget_lock_releases(before timestamptz) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    own uuid := current_setting('app.practice')::uuid;
    old uuid[];
    gone bigint;
BEGIN
    SELECT array_agg(id) INTO old FROM (
        SELECT r.id FROM lock_release r
        WHERE r.practice_id = own AND r.asked_at < least(before, now() - interval '31 days')
          AND NOT EXISTS (SELECT FROM lock_lifted l WHERE l.practice_id = own AND l.release_id = r.id)
          AND NOT EXISTS (SELECT FROM call_hold h WHERE h.call_id = r.call_id AND h.lifted_at IS NULL)
        ORDER BY r.asked_at LIMIT 500
    ) AS past;
    DELETE FROM lock_release_reason WHERE practice_id = own AND release_id = ANY (old);
    DELETE FROM lock_release WHERE practice_id = own AND id = ANY (old);
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$
"""


def upgrade() -> None:
    op.execute(FORGET_LOCK_RELEASES)
    op.execute("REVOKE ALL ON FUNCTION forget_lock_releases FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION forget_lock_releases TO {APP}")
