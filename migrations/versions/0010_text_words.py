"""STOP and START as they came in, until every practice has kept them; their numbers sealed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP, guard_row_statements

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "text_word",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("word IN ('stop', 'start')", name=op.f("ck_text_word_word")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text_word")),
    )
    op.create_index("ix_text_word_not_kept", "text_word", ["received_at"], postgresql_where=sa.text("kept_at IS NULL"))
    op.create_table(
        "text_word_number",
        sa.Column("word_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["word_id"], ["text_word.id"], name=op.f("fk_text_word_number_word_id_text_word"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("word_id", name=op.f("pk_text_word_number")),
    )
    for statement in guard_row_statements("text_word_number", "word_id"):
        op.execute(statement)
    op.execute(f"GRANT SELECT, INSERT, UPDATE (kept_at), DELETE ON text_word TO {APP}")
    op.execute(f"GRANT SELECT, INSERT, DELETE ON text_word_number TO {APP}")
