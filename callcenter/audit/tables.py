"""The ledger's tables. The app role may insert and read them, nothing else; triggers refuse any change besides."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    UniqueConstraint,
    Uuid,
)

from callcenter.store.schema import PRACTICE_SCOPE, metadata, practice_column

audit_subject = Table(
    "audit_subject",
    metadata,
    practice_column(),
    Column("patient_id", Uuid, nullable=False, primary_key=True),
    Column("token", Uuid, nullable=False, unique=True),
    ForeignKeyConstraint(["practice_id", "patient_id"], ["patient.practice_id", "patient.id"]),
    info=PRACTICE_SCOPE,
    comment="a random token per patient: deleting the row unlinks the ledger from the person",
)

audit_record = Table(
    "audit_record",
    metadata,
    Column("id", Uuid, primary_key=True),
    practice_column(),
    Column("stream", Uuid, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("call_id", Uuid),
    Column("leaf", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("stream", "seq"),  # two webhooks of one call that race end in a retry, not in a fork
    UniqueConstraint("practice_id", "id"),
    ForeignKeyConstraint(["practice_id", "call_id"], ["call.practice_id", "call.id"]),
    CheckConstraint("seq >= 0", name="seq"),
    CheckConstraint("octet_length(leaf) = 32", name="leaf_is_a_digest"),
    CheckConstraint("octet_length(body) > 0", name="body_not_empty"),
    CheckConstraint(r"leaf = sha256('\x00'::bytea || body)", name="leaf_is_of_its_body"),  # RFC 6962 §2.1
    Index(None, "practice_id", "call_id"),
    info=PRACTICE_SCOPE,
)

audit_outbox = Table(
    "audit_outbox",
    metadata,
    Column("n", BigInteger, Identity(always=True), primary_key=True),
    practice_column(),
    Column("record_id", Uuid, nullable=False, unique=True),
    ForeignKeyConstraint(["practice_id", "record_id"], ["audit_record.practice_id", "audit_record.id"]),
    info=PRACTICE_SCOPE,
    comment="records that wait for the sealer, in the order of each stream",
)
