"""Since when the database has known each key; of those that it knew before, that was not kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    op.add_column("key_mark", sa.Column("made_at", sa.DateTime(timezone=True), nullable=True))
    op.alter_column("key_mark", "made_at", server_default=sa.text("now()"))
