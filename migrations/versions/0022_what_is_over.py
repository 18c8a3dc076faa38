"""When sessions of staff end: not while their owner is on duty at a page of theirs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP

revision = "0022"
down_revision = "0020"


def upgrade() -> None:
    op.add_column("staff_session", sa.Column("on_duty_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("ck_staff_session_on_duty_with_both_factors"), "staff_session", "on_duty_at IS NULL OR stage = 'full'"
    )
    op.execute(f"GRANT UPDATE (on_duty_at) ON staff_session TO {APP}")
