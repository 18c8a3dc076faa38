"""What a message says, and when it was left, is never changed: none is made old in order to be erased."""

from __future__ import annotations

from alembic import op

from callcenter.store.schema import APP

revision = "0012"
down_revision = "0011"

#: As before, but that a message must have been left as long ago: whoever writes down when it was handled writes that.
FORGET_MESSAGES = """
CREATE OR REPLACE FUNCTION forget_messages(before timestamptz, most integer) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    own uuid := current_setting('app.practice')::uuid;
    old uuid[];
BEGIN
    SELECT array_agg(id) INTO old FROM (
        SELECT m.id FROM message m
        WHERE m.practice_id = own AND m.handled_at < least(before, now() - interval '28 days')
          AND m.created_at < now() - interval '28 days'
          AND NOT EXISTS (
            SELECT FROM voice_message v WHERE v.practice_id = own AND v.message_id = m.id
              AND (v.state NOT IN ('lost', 'erased') OR v.deleted_at IS NULL)
          )
        ORDER BY m.handled_at LIMIT most
    ) AS past;
    DELETE FROM voice_message WHERE practice_id = own AND message_id = ANY (old);
    RETURN QUERY DELETE FROM message WHERE practice_id = own AND id = ANY (old) RETURNING id;
END $$
"""


def upgrade() -> None:
    op.execute(FORGET_MESSAGES)
    op.execute(f"REVOKE UPDATE ON message FROM {APP}")
    op.execute(f"GRANT UPDATE (handled_at, handled_by) ON message TO {APP}")
