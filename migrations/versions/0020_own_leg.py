"""Which leg of the carrier is the operator's own: the caller is led to it once, whatever the carrier repeats."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.add_column("reservation", sa.Column("leg", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("ck_reservation_leg"), "reservation", "leg ~ '^CA[0-9a-f]{32}$'")
    op.create_check_constraint(
        op.f("ck_reservation_leg_of_a_call_that_was_taken"), "reservation", "leg IS NULL OR accepted_at IS NOT NULL"
    )
    op.create_index(
        "ix_reservation_leg", "reservation", ["leg"], unique=False, postgresql_where=sa.text("leg IS NOT NULL")
    )
    op.add_column("reservation", sa.Column("leg_ended_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("ck_reservation_leg_that_ended_was_placed"), "reservation", "leg_ended_at IS NULL OR leg IS NOT NULL"
    )
    op.create_index(
        "ix_reservation_left_alone",
        "reservation",
        ["leg_ended_at"],
        unique=False,
        postgresql_where=sa.text("state = 'connected' AND leg_ended_at IS NOT NULL"),
    )
    op.execute(f"GRANT UPDATE (leg, leg_ended_at) ON reservation TO {APP}")
