"""The language in which somebody of staff reads the pages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.add_column("staff_account", sa.Column("page_language", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("ck_staff_account_page_language"), "staff_account", "page_language IN ('fr', 'en')")
    op.execute(f"GRANT UPDATE (page_language) ON staff_account TO {APP}")
