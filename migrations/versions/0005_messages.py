"""Messages of more kinds than a request to be called back, for one practitioner, urgent or not; and spoken ones."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP, guard_statements

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.alter_column("message", "number", nullable=True)
    op.add_column("message", sa.Column("practitioner_id", sa.Uuid(), nullable=True))
    op.add_column("message", sa.Column("urgency", sa.Text(), server_default=sa.text("'normal'"), nullable=False))
    op.create_foreign_key(
        op.f("fk_message_practice_id_practitioner_id_practitioner"),
        "message",
        "practitioner",
        ["practice_id", "practitioner_id"],
        ["practice_id", "id"],
    )
    op.drop_constraint(op.f("ck_message_kind"), "message")
    kinds = "kind IN ('callback', 'voice', 'renewal', 'certificate')"
    op.create_check_constraint(op.f("ck_message_kind"), "message", kinds)
    op.create_check_constraint(op.f("ck_message_can_be_called_back"), "message", "kind = 'voice' OR number IS NOT NULL")
    op.create_check_constraint(op.f("ck_message_urgency"), "message", "urgency IN ('normal', 'urgent')")
    _create_voice_message()


def _create_voice_message() -> None:
    op.create_table(
        "voice_message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("call_sid", sa.Text(), nullable=False),
        sa.Column("recording_sid", sa.Text(), nullable=False),
        sa.Column("seconds", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'waiting'"), nullable=False),
        sa.Column("sound", sa.LargeBinary(), nullable=True),
        sa.Column("media_type", sa.Text(), nullable=True),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("alerted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("call_sid ~ '^CA[0-9a-f]{32}$'", name=op.f("ck_voice_message_call_sid")),
        sa.CheckConstraint("recording_sid ~ '^RE[0-9a-f]{32}$'", name=op.f("ck_voice_message_recording_sid")),
        sa.CheckConstraint("seconds >= 0", name=op.f("ck_voice_message_seconds")),
        sa.CheckConstraint("tries >= 0", name=op.f("ck_voice_message_tries")),
        sa.CheckConstraint("state IN ('waiting', 'kept', 'lost', 'erased')", name=op.f("ck_voice_message_state")),
        sa.CheckConstraint("(state = 'kept') = (sound IS NOT NULL)", name=op.f("ck_voice_message_kept_with_its_sound")),
        sa.CheckConstraint("(sound IS NULL) = (media_type IS NULL)", name=op.f("ck_voice_message_sound_of_a_type")),
        sa.CheckConstraint("(state = 'waiting') = (settled_at IS NULL)", name=op.f("ck_voice_message_settled_once")),
        sa.CheckConstraint(
            "deleted_at IS NULL OR state <> 'waiting'", name=op.f("ck_voice_message_deleted_once_settled")
        ),
        sa.ForeignKeyConstraint(
            ["practice_id", "message_id"],
            ["message.practice_id", "message.id"],
            name=op.f("fk_voice_message_practice_id_message_id_message"),
        ),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_voice_message_practice_id_practice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voice_message")),
        sa.UniqueConstraint("practice_id", "id", name=op.f("uq_voice_message_practice_id_id")),
        sa.UniqueConstraint("practice_id", "message_id", name=op.f("uq_voice_message_practice_id_message_id")),
        sa.UniqueConstraint("practice_id", "recording_sid", name=op.f("uq_voice_message_practice_id_recording_sid")),
    )
    op.create_index(
        "ix_voice_message_at_carrier",
        "voice_message",
        ["practice_id", "left_at"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting' OR deleted_at IS NULL"),
    )
    for statement in guard_statements("voice_message"):
        op.execute(statement)
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON voice_message TO {APP}")
