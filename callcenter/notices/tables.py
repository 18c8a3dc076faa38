"""Who is told that messages wait, what was sent to them, how far an unread urgent message has come; and reminders.

An address of a practitioner is sealed like a patient's: it is somebody's private telephone. ``escalation`` is in house
scope, so that one look finds every practice's unread urgent messages: it holds opaque identifiers only. A STOP is no
practice's until each has looked for its number: until then the number is kept sealed, in row scope.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

import callcenter.staff.incident_tables  # noqa: F401 - what a practice is told of an incident is referred to
from callcenter.store.schema import HOUSE_SCOPE, PRACTICE_SCOPE, ROW_SCOPE, metadata, practice_column

#: How far something that is sent has come. ``sending`` is committed before it leaves: a crash is seen by it.
_OUTCOMES = "'due', 'sending', 'sent', 'refused', 'unconfirmed', 'failed'"

notice_address = Table(
    "notice_address",
    metadata,
    Column("id", Uuid, primary_key=True),
    practice_column(),
    Column("practitioner_id", Uuid),  # none: the whole practice
    Column("rank", SmallInteger, nullable=False),
    Column("channel", Text, nullable=False),
    Column("which", Text, nullable=False),
    Column("address", LargeBinary, nullable=False),
    Column("address_index", LargeBinary, nullable=False),
    Column("added_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("practice_id", "id"),
    UniqueConstraint(
        "practice_id",
        "practitioner_id",
        "channel",
        "address_index",
        name="uq_notice_address_once",
        postgresql_nulls_not_distinct=True,
    ),
    ForeignKeyConstraint(["practice_id", "practitioner_id"], ["practitioner.practice_id", "practitioner.id"]),
    CheckConstraint("rank IN (1, 2)", name="rank"),
    CheckConstraint("channel IN ('sms', 'email', 'call')", name="channel"),
    CheckConstraint("which IN ('all', 'urgent', 'digest')", name="which"),
    CheckConstraint("channel <> 'call' OR which = 'urgent'", name="calls_are_urgent"),
    CheckConstraint("octet_length(address_index) = 32", name="address_index_is_a_digest"),
    info=PRACTICE_SCOPE,
)

message_notice = Table(
    "message_notice",
    metadata,
    Column("id", Uuid, primary_key=True),
    practice_column(),
    Column("address_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("message_id", Uuid),
    Column("incident_notice_id", Uuid),
    Column("slot", DateTime(timezone=True)),
    Column("outcome", Text, nullable=False, server_default=text("'due'")),
    Column("tries", SmallInteger, nullable=False, server_default=text("0")),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("claimed_at", DateTime(timezone=True)),
    Column("sent_at", DateTime(timezone=True)),
    UniqueConstraint("practice_id", "id"),
    # A job that runs twice makes one notice.
    UniqueConstraint(
        "practice_id",
        "address_id",
        "kind",
        "message_id",
        "incident_notice_id",
        "slot",
        name="uq_message_notice_once",
        postgresql_nulls_not_distinct=True,
    ),
    ForeignKeyConstraint(
        ["practice_id", "address_id"], ["notice_address.practice_id", "notice_address.id"], ondelete="CASCADE"
    ),
    ForeignKeyConstraint(["practice_id", "message_id"], ["message.practice_id", "message.id"], ondelete="CASCADE"),
    ForeignKeyConstraint(["practice_id", "incident_notice_id"], ["incident_notice.practice_id", "incident_notice.id"]),
    CheckConstraint("kind IN ('urgent', 'call', 'digest', 'incident')", name="kind"),
    CheckConstraint("(kind = 'digest') = (slot IS NOT NULL)", name="digests_have_a_slot"),
    CheckConstraint("(kind IN ('urgent', 'call')) = (message_id IS NOT NULL)", name="others_have_a_message"),
    CheckConstraint("(kind = 'incident') = (incident_notice_id IS NOT NULL)", name="incidents_have_a_notice"),
    CheckConstraint(f"outcome IN ({_OUTCOMES}, 'needless')", name="outcome"),
    CheckConstraint("tries >= 0", name="tries"),
    CheckConstraint("(outcome = 'sent') = (sent_at IS NOT NULL)", name="sent_when_it_was"),
    Index(
        "ix_message_notice_unfinished", "practice_id", "made_at", postgresql_where=text("outcome IN ('due', 'sending')")
    ),
    info=PRACTICE_SCOPE,
)

escalation = Table(
    "escalation",
    metadata,
    Column("message_id", Uuid, primary_key=True),
    practice_column(),
    Column("stage", SmallInteger, nullable=False, server_default=text("0")),
    Column("next_at", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True)),
    Column("ending", Text),
    ForeignKeyConstraint(["practice_id", "message_id"], ["message.practice_id", "message.id"], ondelete="CASCADE"),
    CheckConstraint("stage BETWEEN 0 AND 3", name="stage"),
    CheckConstraint("ending IN ('handled', 'acknowledged', 'alerted')", name="ending"),
    CheckConstraint("(ended_at IS NULL) = (ending IS NULL)", name="ends_in_some_way"),
    Index("ix_escalation_open", "next_at", postgresql_where=text("ended_at IS NULL")),
    info=HOUSE_SCOPE,
)

reminder = Table(
    "reminder",
    metadata,
    Column("id", Uuid, primary_key=True),
    practice_column(),
    Column("appointment_id", Uuid, nullable=False),
    Column("outcome", Text, nullable=False, server_default=text("'due'")),
    Column("tries", SmallInteger, nullable=False, server_default=text("0")),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("claimed_at", DateTime(timezone=True)),
    Column("phone_index", LargeBinary),  # where it went: STOP finds it, should the number have left the file
    UniqueConstraint("practice_id", "id"),
    UniqueConstraint("practice_id", "appointment_id"),  # at most one an appointment
    ForeignKeyConstraint(
        ["practice_id", "appointment_id"], ["appointment.practice_id", "appointment.id"], ondelete="CASCADE"
    ),
    CheckConstraint(f"outcome IN ({_OUTCOMES}, 'withheld', 'late')", name="outcome"),
    CheckConstraint("tries >= 0", name="tries"),
    CheckConstraint("octet_length(phone_index) = 32", name="phone_index_is_a_digest"),
    Index(None, "practice_id", "phone_index"),
    Index("ix_reminder_unfinished", "practice_id", "made_at", postgresql_where=text("outcome IN ('due', 'sending')")),
    info=PRACTICE_SCOPE,
)

reminder_choice = Table(
    "reminder_choice",
    metadata,
    Column("id", Uuid, primary_key=True),
    practice_column(),
    Column("patient_id", Uuid),
    Column("phone_index", LargeBinary),
    Column("choice", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("wording", Text, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("practice_id", "id"),
    ForeignKeyConstraint(["practice_id", "patient_id"], ["patient.practice_id", "patient.id"]),
    CheckConstraint("(patient_id IS NULL) <> (phone_index IS NULL)", name="of_a_patient_or_a_number"),
    CheckConstraint("choice IN ('consented', 'opposed', 'withdrawn')", name="choice"),
    CheckConstraint("channel IN ('sms', 'carrier', 'staff')", name="channel"),
    CheckConstraint("octet_length(phone_index) = 32", name="phone_index_is_a_digest"),
    Index(None, "practice_id", "patient_id"),
    Index(None, "practice_id", "phone_index"),
    info=PRACTICE_SCOPE,
)

text_word = Table(
    "text_word",
    metadata,
    Column(
        "id", Uuid, primary_key=True
    ),  # the carrier's identifier of the text: the same webhook again is no other one
    Column("word", Text, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("kept_at", DateTime(timezone=True)),  # every practice has kept it that has the number
    CheckConstraint("word IN ('stop', 'start')", name="word"),
    Index("ix_text_word_not_kept", "received_at", postgresql_where=text("kept_at IS NULL")),
    info=HOUSE_SCOPE,
)

text_word_number = Table(
    "text_word_number",
    metadata,
    Column("word_id", Uuid, ForeignKey("text_word.id", ondelete="CASCADE"), primary_key=True),
    Column("number", LargeBinary, nullable=False),
    info=ROW_SCOPE,
)
