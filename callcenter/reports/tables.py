"""Why somebody has looked a patient up: in practice scope, since their own words may name whom it is about."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

import callcenter.routing.tables
import callcenter.staff.tables  # noqa: F401 - what these tables and their queries refer to
from callcenter.store.schema import PRACTICE_SCOPE, metadata, practice_column

#: Of each search one; the ledger's record names the row.
review_reason = Table(
    "review_reason",
    metadata,
    Column("id", Uuid, primary_key=True),
    practice_column(),
    Column("staff_id", Uuid, ForeignKey("staff_account.id"), nullable=False),
    Column("given_at", DateTime(timezone=True), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("words", LargeBinary, nullable=False),
    UniqueConstraint("practice_id", "id"),
    CheckConstraint("purpose IN ('request', 'complaint', 'incident', 'control')", name="purpose"),
    Index(None, "practice_id", "given_at"),
    info=PRACTICE_SCOPE,
)
