"""Whose caller is at their keys is found without reading all reservations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.create_index(
        "ix_reservation_keypad",
        "reservation",
        ["call_id"],
        unique=False,
        postgresql_where=sa.text("keypad_at IS NOT NULL"),
    )
