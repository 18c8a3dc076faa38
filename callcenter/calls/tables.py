"""Calls. The house knows that a call exists and whose it is; everything said or typed in it is in practice scope.

Whatever names a call in practice scope names the practice with it: foreign keys ignore row-level security. A call that
serves several practices will have a row per practice, its segments, and these references will lead there, unchanged in
their columns (``docs/decisions/0013-references-name-the-practice.md``).
"""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
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

from callcenter.staff.tables import staff_account
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

#: What was heard, asked and typed at each document, to go through a call again: names of prompts and counts of keys,
#: never a word that was said or a key that was pressed. In the ledger stands only what it is about.
call_trace = Table(
    "call_trace",
    metadata,
    practice_column(),
    Column("call_id", Uuid, nullable=False),
    Column("document", Integer, nullable=False),  # that was answered; 0: the call has come in
    Column("at", DateTime(timezone=True), nullable=False),
    Column("flow", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("asked", Text, nullable=False),  # flow.state.Phase
    Column("typed", SmallInteger),  # how many keys, or seconds of a spoken message
    Column("prompts", ARRAY(Text), nullable=False),
    PrimaryKeyConstraint("call_id", "document"),
    ForeignKeyConstraint(["practice_id", "call_id"], ["call.practice_id", "call.id"]),
    CheckConstraint("document >= 0", name="document"),
    CheckConstraint("flow ~ '^[0-9a-f]{64}$'", name="flow_is_a_digest"),
    CheckConstraint("language ~ '^[a-z]{2}$'", name="language"),
    CheckConstraint("asked ~ '^[a-z_]{0,40}$'", name="asked_is_a_word"),
    CheckConstraint("typed >= 0", name="typed"),
    CheckConstraint(
        "array_position(prompts, NULL) IS NULL AND array_to_string(prompts, ' ') ~ '^[a-z0-9_. ]*$'",
        name="prompts_are_keys",
    ),
    Index(None, "practice_id", "at"),
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
    Index(None, "practice_id", "record_id"),  # a record of the ledger that is erased is looked for here
    info=PRACTICE_SCOPE,
)

#: Who waited and asked to be rung back, at the number that they called from.
callback = Table(
    "callback",
    metadata,
    Column("call_id", Uuid, primary_key=True),
    practice_column(),
    # Sealed; gone once they were reached, or the practice was told that they were not.
    Column("number", LargeBinary),
    # Keyed hash of it, to be counted by.
    Column("line", LargeBinary, nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("practice_id", "call_id"),
    ForeignKeyConstraint(["practice_id", "call_id"], ["call.practice_id", "call.id"]),
    CheckConstraint("octet_length(line) = 32", name="line_is_a_digest"),
    Index(None, "practice_id", "line", "asked_at"),
    info=PRACTICE_SCOPE,
)

#: One attempt at it: written down before anybody is rung, so that nobody is rung twice for it.
callback_ring = Table(
    "callback_ring",
    metadata,
    Column("reservation_id", Uuid, primary_key=True),
    practice_column(),
    Column("call_id", Uuid, nullable=False),
    # Of the operator, who waits meanwhile.
    Column("operator_leg", Text, nullable=False),
    Column("token_hash", LargeBinary, nullable=False),
    Column("rung_at", DateTime(timezone=True), nullable=False),
    # What it became, if somebody answered.
    Column("reached_call_id", Uuid),
    # When the operator was told that nobody is there.
    Column("told_at", DateTime(timezone=True)),
    UniqueConstraint("token_hash"),
    UniqueConstraint("reached_call_id"),
    ForeignKeyConstraint(["practice_id", "call_id"], ["callback.practice_id", "callback.call_id"]),
    ForeignKeyConstraint(["practice_id", "reached_call_id"], ["call.practice_id", "call.id"]),
    CheckConstraint("operator_leg ~ '^CA[0-9a-f]{32}$'", name="operator_leg_is_a_leg"),
    CheckConstraint("octet_length(token_hash) = 32", name="token_hash_is_a_digest"),
    Index(None, "practice_id", "call_id"),
    info=PRACTICE_SCOPE,
)

#: A reminder to be sent again, or a line on file to be rung: asked for by somebody who has proved nothing.
outreach = Table(
    "outreach",
    metadata,
    Column("id", Uuid, primary_key=True),
    practice_column(),
    Column("kind", Text, nullable=False),
    Column("call_id", Uuid, nullable=False),
    # Sealed: the birth date and telephone that were typed, and the secret of a call-back code. Gone once it is used.
    Column("claim", LargeBinary),
    # Keyed hashes of the calling number and of the line that is rung, to be counted while the row is kept.
    Column("caller", LargeBinary),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    # Whom it reached, once the job has found that out.
    Column("patient_id", Uuid),
    Column("contact_id", Uuid),
    Column("line", LargeBinary),
    # What the carrier comes back with when the line answers, and the call that this then is.
    Column("token_hash", LargeBinary),
    Column("reached_call_id", Uuid),
    UniqueConstraint("practice_id", "id"),
    UniqueConstraint("token_hash"),
    ForeignKeyConstraint(["practice_id", "call_id"], ["call.practice_id", "call.id"]),
    ForeignKeyConstraint(
        ["practice_id", "reached_call_id"],
        ["call.practice_id", "call.id"],
    ),
    ForeignKeyConstraint(
        ["practice_id", "patient_id"],
        ["patient.practice_id", "patient.id"],
    ),
    ForeignKeyConstraint(
        ["practice_id", "patient_id", "contact_id"],
        ["contact.practice_id", "contact.patient_id", "contact.id"],
        ondelete="SET NULL (contact_id)",
    ),
    CheckConstraint("kind IN ('reminder', 'return_call')", name="kind"),
    CheckConstraint("octet_length(caller) = 32", name="caller_is_a_digest"),
    CheckConstraint("octet_length(line) = 32", name="line_is_a_digest"),
    CheckConstraint("octet_length(token_hash) = 32", name="token_hash_is_a_digest"),
    CheckConstraint("token_hash IS NULL OR kind = 'return_call'", name="only_a_return_call_rings"),
    CheckConstraint("contact_id IS NULL OR patient_id IS NOT NULL", name="contact_of_a_patient"),
    CheckConstraint("reached_call_id IS NULL OR token_hash IS NOT NULL", name="reached_by_its_token"),
    Index(None, "practice_id", "call_id"),
    Index(None, "practice_id", "caller", "asked_at"),
    Index(None, "practice_id", "patient_id", "asked_at"),
    Index(None, "practice_id", "line", "asked_at"),
    info=PRACTICE_SCOPE,
)

#: Where an operator stands in the script of a call: one for each reservation, whose identifier it has.
script = Table(
    "script",
    metadata,
    Column("id", Uuid, primary_key=True),
    practice_column(),
    Column("call_id", Uuid, nullable=False),
    Column("staff_id", Uuid, ForeignKey(staff_account.c.id), nullable=False),
    # Number of the screen that stands.
    Column("document", Integer, nullable=False),
    # Sealed: flow and state, what stands on the screen, what is typed and not sent. Gone once nothing more is noted.
    Column("state", LargeBinary),
    # Sealed: the values that may be seen, until the last of them is hidden.
    Column("shown", LargeBinary),
    Column("shown_until", DateTime(timezone=True)),
    # What the call was about: a key, and what the operator has noted besides, sealed.
    Column("disposition", Text),
    Column("note", LargeBinary),
    Column("begun_at", DateTime(timezone=True), nullable=False),
    Column("emergency_at", DateTime(timezone=True)),
    Column("ended_at", DateTime(timezone=True)),
    UniqueConstraint("practice_id", "id"),
    ForeignKeyConstraint(["practice_id", "call_id"], ["call.practice_id", "call.id"]),
    CheckConstraint("document >= 1", name="document"),
    CheckConstraint("(shown IS NULL) = (shown_until IS NULL)", name="shown_until_a_time"),
    CheckConstraint("disposition ~ '^[a-z_]{1,40}$'", name="disposition_is_a_key"),
    CheckConstraint("ended_at IS NULL OR disposition IS NOT NULL", name="ended_with_a_disposition"),
    CheckConstraint("ended_at >= begun_at", name="ends_after_it_began"),
    CheckConstraint("ended_at IS NULL OR shown IS NULL", name="nothing_shown_once_ended"),
    Index(None, "practice_id", "call_id"),
    Index("ix_script_shown", "practice_id", "shown_until", postgresql_where=text("shown IS NOT NULL")),
    Index("ix_script_open", "practice_id", "begun_at", postgresql_where=text("state IS NOT NULL")),
    info=PRACTICE_SCOPE,
)

#: Which revision of a practice's instructions somebody has read last.
instruction_ack = Table(
    "instruction_ack",
    metadata,
    Column("staff_id", Uuid, ForeignKey(staff_account.c.id), nullable=False),
    practice_column(),
    Column("revision", BigInteger, nullable=False),
    Column("read_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("practice_id", "staff_id"),
    CheckConstraint("revision >= 0", name="revision"),
    info=PRACTICE_SCOPE,
)
