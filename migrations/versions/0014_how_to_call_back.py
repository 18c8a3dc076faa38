"""A message says in which language, and whether through a relay service, its caller has spoken."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("message", sa.Column("language", sa.Text(), server_default=sa.text("'fr'"), nullable=False))
    op.add_column("message", sa.Column("relayed", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_check_constraint(op.f("ck_message_language"), "message", "language ~ '^[a-z]{2}$'")
