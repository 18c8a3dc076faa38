"""An operator may have their caller type something: since when the caller is out of the talk, and how often."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.add_column("reservation", sa.Column("keypad_at", sa.DateTime(timezone=True), nullable=True))
    asks = sa.Column("keypad_asks", sa.SmallInteger(), server_default=sa.text("0"), nullable=False)
    op.add_column("reservation", asks)
    op.create_check_constraint(op.f("ck_reservation_keypad_asks"), "reservation", "keypad_asks >= 0")
    op.execute(f"GRANT UPDATE (keypad_at, keypad_asks) ON reservation TO {APP}")
