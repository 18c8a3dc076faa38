"""What the store itself keeps in the database."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, DateTime, Table, Text, func

from callcenter.store.schema import HOUSE_SCOPE, metadata

key_mark = Table(
    "key_mark",
    metadata,
    Column("key", Text, primary_key=True),
    Column("mark", Text, nullable=False),
    Column("made_at", DateTime(timezone=True), server_default=func.now()),  # of those known before it was kept: none
    CheckConstraint("mark ~ '^[0-9a-f]{64}$'", name="mark_is_a_digest"),
    info=HOUSE_SCOPE,
    comment="by which a key is known again that is not in the database",
)
