"""At which pace the words of a sound are said."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("audio", sa.Column("pace", sa.Text(), server_default=sa.text("'normal'"), nullable=False))
    op.create_check_constraint(op.f("ck_audio_pace"), "audio", "pace IN ('slow', 'normal', 'fast')")
