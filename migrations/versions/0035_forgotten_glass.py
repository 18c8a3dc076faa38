"""What stands sealed of broken glass is forgotten once it is reviewed and too old; that it was broken stays."""

from __future__ import annotations

from alembic import op

from callcenter.store.schema import APP

revision = "0035"
down_revision = "0034"

#: Not sooner than a month after the review by the database's own clock, whatever is asked; and never before a review.
FORGET_GLASS = """
CREATE FUNCTION forget_glass(before timestamptz) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    own uuid := current_setting('app.practice')::uuid;
    old uuid[];
BEGIN
    SELECT array_agg(id) INTO old FROM (
        SELECT g.id FROM glass_break g
        WHERE g.practice_id = own AND g.reviewed_at < least(before, now() - interval '31 days')
          AND (EXISTS (SELECT FROM glass_words w WHERE w.practice_id = own AND w.glass_id = g.id)
               OR EXISTS (SELECT FROM glass_file f WHERE f.practice_id = own AND f.glass_id = g.id))
          AND NOT EXISTS (SELECT FROM call_hold h WHERE h.call_id = g.call_id AND h.lifted_at IS NULL)
        ORDER BY g.reviewed_at LIMIT 500
    ) AS past;
    DELETE FROM glass_words WHERE practice_id = own AND glass_id = ANY (old);
    DELETE FROM glass_file WHERE practice_id = own AND glass_id = ANY (old);
    RETURN coalesce(cardinality(old), 0);
END $$
"""


def upgrade() -> None:
    op.execute(FORGET_GLASS)
    op.execute("REVOKE ALL ON FUNCTION forget_glass FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION forget_glass TO {APP}")
