"""What reached its hearer: fetches of sound that broke off."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("audio", sa.Column("broken_off", sa.SmallInteger(), server_default=sa.text("0"), nullable=False))
    op.create_check_constraint(
        op.f("ck_audio_every_end_has_a_beginning"), "audio", "broken_off >= 0 AND completed + broken_off <= fetches"
    )
