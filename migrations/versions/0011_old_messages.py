"""Handled messages are erased when their time is over; the server may erase no others."""

from __future__ import annotations

from alembic import op

from callcenter.store.schema import APP

revision = "0011"
down_revision = "0010"

#: Of the current practice: handled for four weeks or more, whatever the server asks for, with nothing at the carrier.
FORGET_MESSAGES = """
CREATE FUNCTION forget_messages(before timestamptz, most integer) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    own uuid := current_setting('app.practice')::uuid;
    old uuid[];
BEGIN
    SELECT array_agg(id) INTO old FROM (
        SELECT m.id FROM message m
        WHERE m.practice_id = own AND m.handled_at < least(before, now() - interval '28 days')
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
    op.create_index(
        "ix_message_handled", "message", ["practice_id", "handled_at"], postgresql_where="handled_at IS NOT NULL"
    )
    op.execute(FORGET_MESSAGES)
    op.execute("REVOKE ALL ON FUNCTION forget_messages FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION forget_messages TO {APP}")
