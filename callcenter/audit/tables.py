"""The ledger's tables. The app role may insert and read them, nothing else; triggers refuse any change besides."""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    event,
    func,
    text,
)

from callcenter.store.schema import LOG_SCOPE, PRACTICE_SCOPE, metadata, practice_column

#: Something that a record says, out of its own bytes. UTF-8 does not change, which PostgreSQL cannot know of encodings.
LEDGER_TEXT = """
CREATE FUNCTION ledger_text(body bytea, path text[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog AS $$
BEGIN
    IF substring(body FROM 1 FOR 1) <> '{'::bytea THEN
        RETURN NULL;
    END IF;
    RETURN convert_from(body, 'UTF8')::jsonb #>> path;
END $$
"""
#: By what records are searched, and where it stands in them. Of its references the first.
SEARCHED = {"at": "{ts}", "event": "{event}", "actor": "{actor,id}", "subject": "{subject}", "ref": "{refs,0}"}


def _searched(name: str) -> Column[object]:
    return Column(name, Text, Computed(f"ledger_text(body, '{SEARCHED[name]}')", persisted=True))


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
    *map(_searched, SEARCHED),
    UniqueConstraint("stream", "seq"),  # two webhooks of one call that race end in a retry, not in a fork
    UniqueConstraint("practice_id", "id"),
    ForeignKeyConstraint(["practice_id", "call_id"], ["call.practice_id", "call.id"]),
    CheckConstraint("seq >= 0", name="seq"),
    CheckConstraint("octet_length(leaf) = 32", name="leaf_is_a_digest"),
    CheckConstraint("octet_length(body) > 0", name="body_not_empty"),
    CheckConstraint(r"leaf = sha256('\x00'::bytea || body)", name="leaf_is_of_its_body"),  # RFC 6962 §2.1
    Index(None, "practice_id", "call_id"),
    Index("ix_audit_record_at", "practice_id", "at", "id"),
    Index("ix_audit_record_event", "practice_id", "event", "at"),
    Index("ix_audit_record_actor", "practice_id", "actor", "at", postgresql_where=text("actor <> 'callcenter'")),
    Index("ix_audit_record_subject", "practice_id", "subject", "at", postgresql_where=text("subject IS NOT NULL")),
    # What was done afterwards with something that a call has left.
    Index(
        "ix_audit_record_ref",
        "practice_id",
        "ref",
        postgresql_where=text("call_id IS NULL AND ref IS NOT NULL"),
    ),
    info=PRACTICE_SCOPE,
)
event.listen(metadata, "before_create", DDL(LEDGER_TEXT))  # type: ignore[no-untyped-call]  # of SQLAlchemy

audit_outbox = Table(
    "audit_outbox",
    metadata,
    Column("n", BigInteger, Identity(always=True), primary_key=True),
    practice_column(),
    Column("record_id", Uuid, nullable=False, unique=True),
    # By the database's clock, which is the one that its age is read by.
    Column("written_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    ForeignKeyConstraint(["practice_id", "record_id"], ["audit_record.practice_id", "audit_record.id"]),
    Index(None, "practice_id", "n"),  # a log's next records, and which logs have any, without reading those that wait
    info=PRACTICE_SCOPE,
    comment="records that wait for the sealer, in the order of each stream",
)

# --- what is sealed: written by the sealer alone

audit_leaf = Table(
    "audit_leaf",
    metadata,
    Column("log_id", Uuid, primary_key=True),
    Column("idx", BigInteger, primary_key=True),
    Column("record_id", Uuid, nullable=False),
    Column("stream", Uuid, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    # Within its log alone: whoever writes in one must not keep what another would hold from being sealed.
    UniqueConstraint("log_id", "record_id"),
    UniqueConstraint("log_id", "stream", "seq"),
    CheckConstraint("idx >= 0", name="idx"),
    CheckConstraint("seq >= 0", name="seq"),
    CheckConstraint("octet_length(leaf) = 32", name="leaf_is_a_digest"),
    info=LOG_SCOPE,
    comment="the leaves of each log's Merkle tree; they stay when a record's bytes are erased",
)

audit_checkpoint = Table(
    "audit_checkpoint",
    metadata,
    Column("log_id", Uuid, primary_key=True),
    Column("size", BigInteger, primary_key=True),
    Column("note", Text, nullable=False),
    Column("signed_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("size > 0", name="size"),
    Index(None, "log_id", "signed_at"),
    info=LOG_SCOPE,
    comment="signed heads of logs (C2SP tlog-checkpoint): all of the last hours, before that the last of each hour",
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("log_id", Uuid, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("sealed_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("size > 0", name="size"),
    # RFC 6962 §2.1: one perfect tree for each bit of the size
    CheckConstraint("octet_length(frontier) = 32 * bit_count(int8send(size))", name="frontier_is_of_its_size"),
    info=LOG_SCOPE,
    comment="how far each log is sealed: its size, and the roots of the perfect trees that it consists of",
)

audit_anchor = Table(
    "audit_anchor",
    metadata,
    Column("log_id", Uuid, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("place", Text, primary_key=True),
    Column("size", BigInteger, primary_key=True),
    # With all its signatures: of the heads of an hour only the last is kept elsewhere.
    Column("note", Text, nullable=False),
    Column("receipt", LargeBinary),
    Column("anchored_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("kind IN ('cosignature', 'file', 'timestamp')", name="kind"),
    CheckConstraint("size > 0", name="size"),
    CheckConstraint("(kind = 'timestamp') = (receipt IS NOT NULL)", name="receipt_is_of_a_timestamp"),
    Index(None, "log_id", "size"),
    Index(None, "log_id", "anchored_at"),
    info=LOG_SCOPE,
    comment="signed heads of logs that somebody else holds: where, since when, and what they have given for it",
)

audit_refused = Table(
    "audit_refused",
    metadata,
    Column("log_id", Uuid, primary_key=True),
    # Of both: the refused record's own row stays where it was written.
    Column("record_id", Uuid, primary_key=True),
    Column("idx", BigInteger, nullable=False),
    Column("refused", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    # In words, for whoever keeps the server. The record says a cause.
    Column("why", Text, nullable=False),
    Column("refused_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("idx >= 0", name="idx"),
    CheckConstraint("octet_length(refused) = 32", name="refused_is_a_digest"),
    CheckConstraint("octet_length(body) > 0", name="body_not_empty"),
    Index(None, "log_id", "refused_at"),
    info=LOG_SCOPE,
    comment="records that the sealer has refused, by their leaf, and the records that are sealed in their places",
)

audit_erasure = Table(
    "audit_erasure",
    metadata,
    Column("log_id", Uuid, primary_key=True),
    Column("first", BigInteger, primary_key=True),
    Column("last", BigInteger, nullable=False),
    # Of the record that names them.
    Column("idx", BigInteger, nullable=False),
    # By the database's clock. A day later it may be deleted.
    Column("let_go_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("erased_at", DateTime(timezone=True)),
    CheckConstraint("first >= 0 AND first <= last", name="range"),
    CheckConstraint("last < idx", name="before_it_was_recorded"),
    Index("ix_audit_erasure_unfinished", "log_id", "first", postgresql_where=text("erased_at IS NULL")),
    Index(None, "log_id", "idx"),
    info=LOG_SCOPE,
    comment="which records of each log the sealer has let go, by a sealed record that names them; disjoint",
)
