"""Lines of practitioners, and whose line was asked into a talk."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.add_column("practitioner", sa.Column("line", sa.Text(), nullable=True))
    op.create_check_constraint(
        op.f("ck_practitioner_line_may_be_dialled"),
        "practitioner",
        "line ~ '^\\+[1-9][0-9]{6,14}$' AND line !~ '^\\+338[129]'",
    )
    # Written once, with the request: the rights of the tables hold for it as they are.
    op.add_column("talk_party", sa.Column("practitioner_id", sa.Uuid(), nullable=True))
    op.create_check_constraint(
        op.f("ck_talk_party_one_is_asked"), "talk_party", "staff_id IS NULL OR practitioner_id IS NULL"
    )
