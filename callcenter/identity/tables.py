"""Challenges and the attempts on them. A decoy challenge has no patient and is otherwise like any other."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    Uuid,
    false,
)

from callcenter.store.schema import PRACTICE_SCOPE, metadata, practice_column

challenge = Table(
    "challenge",
    metadata,
    Column("id", Uuid, primary_key=True),
    practice_column(),
    Column("call_id", Uuid, nullable=False),
    Column("patient_id", Uuid),
    Column("contact_id", Uuid),
    Column("secret", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("consumed_at", DateTime(timezone=True)),
    UniqueConstraint("practice_id", "id"),
    ForeignKeyConstraint(["practice_id", "call_id"], ["call.practice_id", "call.id"]),
    ForeignKeyConstraint(["practice_id", "patient_id"], ["patient.practice_id", "patient.id"]),
    ForeignKeyConstraint(["practice_id", "contact_id"], ["contact.practice_id", "contact.id"]),
    CheckConstraint("(patient_id IS NULL) = (contact_id IS NULL)", name="real_or_decoy"),
    CheckConstraint("expires_at > created_at", name="expires_later"),
    Index(None, "practice_id", "patient_id", "created_at"),
    info=PRACTICE_SCOPE,
)

challenge_attempt = Table(
    "challenge_attempt",
    metadata,
    practice_column(),
    Column("challenge_id", Uuid, nullable=False),
    Column("document", Integer, nullable=False),
    Column("keyed", LargeBinary, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("right", Boolean, nullable=False, server_default=false()),
    # The same webhook repeated after a rollback has counted already; other keys on the same question count again.
    PrimaryKeyConstraint("challenge_id", "document", "keyed"),
    ForeignKeyConstraint(["practice_id", "challenge_id"], ["challenge.practice_id", "challenge.id"]),
    CheckConstraint("octet_length(keyed) = 32", name="keyed_is_a_digest"),
    info=PRACTICE_SCOPE,
)
