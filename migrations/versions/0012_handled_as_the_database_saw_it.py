"""A message stays for a week from when the database saw it handled, and what a caller asked for is never changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP

revision = "0012"
down_revision = "0011"

#: By the database's own clock, whatever the server says; and once.
NOTE_HANDLING = """
CREATE FUNCTION note_handling() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.handling_noted_at := now();
    RETURN NEW;
END $$
"""

REFUSE_ANOTHER_HANDLING = """
CREATE FUNCTION refuse_another_handling() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a message that was handled stays so';
END $$
"""

#: Of the current practice: seen to be handled for a week or more, whatever the server asks for, with nothing at the
#: carrier. A week is the least that the setting takes.
FORGET_MESSAGES = """
CREATE OR REPLACE FUNCTION forget_messages(before timestamptz, most integer) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    own uuid := current_setting('app.practice')::uuid;
    old uuid[];
BEGIN
    SELECT array_agg(id) INTO old FROM (
        SELECT m.id FROM message m
        WHERE m.practice_id = own AND m.handled_at < before AND m.handling_noted_at < now() - interval '7 days'
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
    op.add_column("message", sa.Column("handling_noted_at", sa.DateTime(timezone=True), nullable=True))
    # What was handled before is taken at its word, though never from the future.
    op.execute("UPDATE message SET handling_noted_at = least(handled_at, now()) WHERE handled_at IS NOT NULL")
    op.create_check_constraint(
        op.f("ck_message_handling_is_noted"), "message", "(handled_at IS NULL) = (handling_noted_at IS NULL)"
    )
    op.execute(NOTE_HANDLING)
    op.execute(
        "CREATE TRIGGER message_handling_noted BEFORE INSERT OR UPDATE OF handled_at ON message "
        "FOR EACH ROW WHEN (NEW.handled_at IS NOT NULL) EXECUTE FUNCTION note_handling()"
    )
    op.execute(REFUSE_ANOTHER_HANDLING)
    op.execute(
        "CREATE TRIGGER message_handled_once BEFORE UPDATE OF handled_at, handled_by ON message "
        "FOR EACH ROW WHEN (OLD.handled_at IS NOT NULL) EXECUTE FUNCTION refuse_another_handling()"
    )
    op.execute(FORGET_MESSAGES)
    op.execute(f"REVOKE UPDATE ON message FROM {APP}")
    op.execute(f"GRANT UPDATE (handled_at, handled_by) ON message TO {APP}")
