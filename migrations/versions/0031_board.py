"""What supervisors see of queues: calls that entered are found by organisation, and a practice's counts at once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP

revision = "0031"
down_revision = "0025"

#: Counts of many practices in one round trip. It runs as who asks (no SECURITY DEFINER): each practice is named before
#: its rows are read, and row-level security shows those of that one alone. Afterwards none is named.
COUNT_PRACTICES = """
CREATE FUNCTION count_practices(practices uuid[], since timestamptz, until timestamptz)
RETURNS TABLE (practice uuid, attempted bigint, verified bigint, urgent bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    FOREACH practice IN ARRAY practices LOOP
        PERFORM set_config('app.practice', practice::text, true);
        SELECT count(DISTINCT c.call_id), count(DISTINCT c.call_id) FILTER (WHERE c.consumed_at IS NOT NULL)
        INTO attempted, verified
        FROM challenge c WHERE c.practice_id = practice AND c.created_at >= since AND c.created_at <= until;
        SELECT count(*) INTO urgent FROM message m
        WHERE m.practice_id = practice AND m.handled_at IS NULL AND m.urgency = 'urgent';
        IF attempted + urgent > 0 THEN
            RETURN NEXT;
        END IF;
    END LOOP;
    PERFORM set_config('app.practice', '', true);
END $$
"""


def upgrade() -> None:
    op.create_index(
        "ix_routing_event_entered",
        "routing_event",
        ["organisation_id", "at"],
        unique=False,
        postgresql_where=sa.text("kind = 'entered'"),
    )
    op.execute(COUNT_PRACTICES)
    op.execute("REVOKE ALL ON FUNCTION count_practices FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION count_practices TO {APP}")
