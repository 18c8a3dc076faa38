"""An operator may send a caller on to the practice's line without speaking to it first: which requests are such."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    sent = sa.Column("sent", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    op.add_column("talk_party", sent)
    op.create_check_constraint(
        op.f("ck_talk_party_sent_to_a_line"), "talk_party", "NOT sent OR (staff_id IS NULL AND NOT private)"
    )
