"""Messages that are read and answered on pages: whose an account is, receipts, answers, and what operators do next."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP

revision = "0029"
down_revision = "0028"

#: As before, and none about which operators have something left to do. What was done goes with its message.
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
          AND NOT EXISTS (SELECT FROM follow_up f WHERE f.message_id = m.id AND f.done_at IS NULL)
        ORDER BY m.handled_at LIMIT most
    ) AS past;
    DELETE FROM voice_message WHERE practice_id = own AND message_id = ANY (old);
    RETURN QUERY DELETE FROM message WHERE practice_id = own AND id = ANY (old) RETURNING id;
END $$
"""

#: What is set once, of an owner's statement too: who has read a message and when, what was answered, that it is done.
SET_ONCE = {"message": ("read_at", "read_by", "answer", "answer_text"), "follow_up": ("done_at",)}

#: Whatever waits for a whole practice waits for its operators.
WAITING = """
INSERT INTO follow_up (message_id, practice_id, made_at, due_at)
SELECT id, practice_id, created_at, created_at + CASE urgency WHEN 'urgent' THEN interval '1 hour' ELSE interval '4 hours' END
FROM message WHERE handled_at IS NULL AND practitioner_id IS NULL
"""  # noqa: E501 - one statement


def upgrade() -> None:
    _message()
    _follow_up()
    _staff_practitioner()
    for table, columns in SET_ONCE.items():
        for column in columns:
            op.execute(
                f"CREATE TRIGGER {table}_{column}_once BEFORE UPDATE OF {column} ON {table} FOR EACH ROW "
                f"WHEN (OLD.{column} IS NOT NULL AND NEW.{column} IS DISTINCT FROM OLD.{column}) "
                f"EXECUTE FUNCTION refuse_return('{column}')"
            )
    op.execute(FORGET_MESSAGES)
    op.execute(WAITING)


def _message() -> None:
    for column in (
        sa.Column("written_by", sa.Uuid(), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_by", sa.Uuid(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answer_text", sa.LargeBinary(), nullable=True),
    ):
        op.add_column("message", column)
    answers = "answer IN ('call_back', 'appointment_given', 'ready', 'refused', 'other', 'nothing')"
    for name, what in (
        ("read_by_somebody", "(read_at IS NULL) = (read_by IS NULL)"),
        ("answer", answers),
        ("answered_is_handled", "answer IS NULL OR handled_at IS NOT NULL"),
        ("answer_text_of_an_answer", "answer_text IS NULL OR answer IS NOT NULL"),
        ("answer_fits_its_kind", "answer NOT IN ('ready', 'refused') OR kind IN ('renewal', 'certificate')"),
    ):
        op.create_check_constraint(op.f(f"ck_message_{name}"), "message", what)
    op.execute(f"GRANT UPDATE (read_at, read_by, answer, answer_text) ON message TO {APP}")


def _follow_up() -> None:
    op.create_table(
        "follow_up",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_by", sa.Uuid(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(taken_at IS NULL) = (taken_by IS NULL)", name=op.f("ck_follow_up_taken_by_somebody")),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_follow_up_practice_id_practice")),
        sa.ForeignKeyConstraint(
            ["practice_id", "message_id"],
            ["message.practice_id", "message.id"],
            name=op.f("fk_follow_up_practice_id_message_id_message"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_follow_up")),
    )
    op.create_index(
        "ix_follow_up_open",
        "follow_up",
        ["practice_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE (due_at, taken_at, taken_by, done_at) ON follow_up TO {APP}")


def _staff_practitioner() -> None:
    op.create_table(
        "staff_practitioner",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("of_practice", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_account.id"], name=op.f("fk_staff_practitioner_staff_id_staff_account")
        ),
        sa.ForeignKeyConstraint(
            ["practice_id", "practitioner_id"],
            ["practitioner.practice_id", "practitioner.id"],
            name=op.f("fk_staff_practitioner_practice_id_practitioner_id_practitioner"),
        ),
        sa.PrimaryKeyConstraint("staff_id", "practice_id", name=op.f("pk_staff_practitioner")),
    )
    op.create_index(
        op.f("ix_staff_practitioner_practice_id_practitioner_id"),
        "staff_practitioner",
        ["practice_id", "practitioner_id"],
        unique=False,
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE (practitioner_id, of_practice), DELETE ON staff_practitioner TO {APP}")
