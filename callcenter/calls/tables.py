"""Calls. The house knows that a call exists and whose it is; everything said or typed in it is in practice scope."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from callcenter.store.schema import HOUSE_SCOPE, PRACTICE_SCOPE, metadata, practice_column

call = Table(
    "call",
    metadata,
    Column("id", Uuid, primary_key=True),
    practice_column(),
    Column("carrier_sid", Text, nullable=False, unique=True),
    Column("status", SmallInteger, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True)),
    UniqueConstraint("practice_id", "id"),
    Index(None, "practice_id", "started_at"),
    Index("ix_call_open", "started_at", postgresql_where=text("ended_at IS NULL")),
    info=HOUSE_SCOPE,
)

call_session = Table(
    "call_session",
    metadata,
    Column("id", Uuid, primary_key=True),
    practice_column(),
    Column("document", Integer, nullable=False),
    Column("state", LargeBinary, nullable=False),
    UniqueConstraint("practice_id", "id"),
    ForeignKeyConstraint(["practice_id", "id"], ["call.practice_id", "call.id"]),
    CheckConstraint("document >= 0", name="document"),
    info=PRACTICE_SCOPE,
)

step_answer = Table(
    "step_answer",
    metadata,
    practice_column(),
    Column("call_id", Uuid, nullable=False),
    Column("document", Integer, nullable=False),
    Column("slot", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("answered_at", DateTime(timezone=True), nullable=False, index=True),
    PrimaryKeyConstraint("call_id", "document", "slot"),
    ForeignKeyConstraint(
        ["practice_id", "call_id"], ["call_session.practice_id", "call_session.id"], ondelete="CASCADE"
    ),
    CheckConstraint("slot IN ('next', 'enqueued', 'dialled', 'recorded', 'whisper')", name="slot"),
    info=PRACTICE_SCOPE,
)

audio = Table(
    "audio",
    metadata,
    Column("id", Uuid, primary_key=True),
    practice_column(),
    Column("call_id", Uuid, nullable=False),
    Column("token_hash", LargeBinary, nullable=False),
    Column("record_id", Uuid, nullable=False),
    Column("words", LargeBinary, nullable=False),
    Column("language", Text, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False, index=True),
    Column("fetches", SmallInteger, nullable=False, server_default=text("0")),
    Column("completed", SmallInteger, nullable=False, server_default=text("0")),
    UniqueConstraint("token_hash"),
    ForeignKeyConstraint(["practice_id", "call_id"], ["call.practice_id", "call.id"]),
    ForeignKeyConstraint(["practice_id", "record_id"], ["audit_record.practice_id", "audit_record.id"]),
    info=PRACTICE_SCOPE,
)
