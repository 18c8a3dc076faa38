"""Calls. The house knows that a call exists and whose it is; everything said or typed in it is in practice scope.

Whatever names a call in practice scope names the practice with it: foreign keys ignore row-level security. A call that
serves several practices will have a row per practice, its segments, and these references will lead there, unchanged in
their columns (``docs/decisions/0013-references-name-the-practice.md``).
"""

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
    CheckConstraint("status IN (0, 1, 2, 3, 10, 11, 12, 13, 14)", name="status"),  # calls.values.CallStatus
    CheckConstraint("(ended_at IS NOT NULL) = (status >= 10)", name="ended_when_terminal"),
    CheckConstraint("ended_at >= started_at", name="ends_after_it_started"),
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
    CheckConstraint("document >= 0", name="document"),
    CheckConstraint("octet_length(fingerprint) = 32", name="fingerprint_is_a_digest"),
    CheckConstraint("slot IN ('next', 'enqueued', 'dialled', 'recorded', 'whisper')", name="slot"),
    info=PRACTICE_SCOPE,
)

text_message = Table(
    "text_message",
    metadata,
    Column("sid", Text, primary_key=True),
    Column("reference", Uuid),
    Column("status", Text, nullable=False),
    Column("rank", SmallInteger, nullable=False),
    Column("error_code", Integer),
    Column("changed_at", DateTime(timezone=True), nullable=False, index=True),
    CheckConstraint("rank >= 0", name="rank"),
    info=HOUSE_SCOPE,
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
    Column("pace", Text, nullable=False, server_default=text("'normal'")),
    Column("made_at", DateTime(timezone=True), nullable=False, index=True),
    Column("fetches", SmallInteger, nullable=False, server_default=text("0")),
    Column("completed", SmallInteger, nullable=False, server_default=text("0")),
    Column("broken_off", SmallInteger, nullable=False, server_default=text("0")),
    UniqueConstraint("token_hash"),
    CheckConstraint("broken_off >= 0 AND completed + broken_off <= fetches", name="within_its_fetches"),
    ForeignKeyConstraint(["practice_id", "call_id"], ["call.practice_id", "call.id"]),
    CheckConstraint("pace IN ('slow', 'normal', 'fast')", name="pace"),
    CheckConstraint("fetches >= 0", name="fetches"),
    CheckConstraint("completed >= 0", name="completed"),
    CheckConstraint("octet_length(token_hash) = 32", name="token_hash_is_a_digest"),
    ForeignKeyConstraint(["practice_id", "record_id"], ["audit_record.practice_id", "audit_record.id"]),
    info=PRACTICE_SCOPE,
)
