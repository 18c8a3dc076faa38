"""What reached its hearer: fetches of sound that broke off, and how far each text message has come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("audio", sa.Column("broken_off", sa.SmallInteger(), server_default=sa.text("0"), nullable=False))
    op.create_check_constraint(
        op.f("ck_audio_within_its_fetches"), "audio", "broken_off >= 0 AND completed + broken_off <= fetches"
    )
    op.create_table(
        "text_message",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("reference", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("error_code", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("rank >= 0", name=op.f("ck_text_message_rank")),
        sa.PrimaryKeyConstraint("sid", name=op.f("pk_text_message")),
    )
    op.create_index(op.f("ix_text_message_changed_at"), "text_message", ["changed_at"], unique=False)
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON text_message TO {APP}")
