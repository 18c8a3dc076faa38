"""Talks whose caller has gone: when they were looked at last, and the leg of an operator who has come again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.add_column("reservation", sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(f"GRANT UPDATE (looked_at) ON reservation TO {APP}")
    op.execute(f"GRANT UPDATE (operator_leg) ON callback_ring TO {APP}")
