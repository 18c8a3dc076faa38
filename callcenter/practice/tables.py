"""The tables of the practice room: what is public about a practice (house scope), and its patients (practice scope).

A reference between two rows of practice scope is composite with the practice, since foreign keys ignore row-level
security. Names, dates, sex, places of birth and telephone numbers of patients are sealed (``bytea``); they are found
by blind indexes of 32 bytes.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from callcenter.store.schema import HOUSE_SCOPE, PRACTICE_SCOPE, metadata, practice_column

_E164 = r"^\+[1-9][0-9]{6,14}$"
#: UX-05: never a number that costs the patient extra. (36xx and 118 are short, so never E.164.)
_SURTAXED = r"^\+338[129]"


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=false())


def _not_empty(column: str) -> CheckConstraint:
    return CheckConstraint(f"btrim({column}) <> ''", name=f"{column}_not_empty")


def _blind_index(column: str) -> CheckConstraint:
    return CheckConstraint(f"octet_length({column}) = 32", name=f"{column}_is_a_digest")


#: A practitioner, as a range of one number: GiST compares those without an extension (btree_gist), which not every
#: PostgreSQL brings along.
_WHOSE = (
    "numrange(uuid_hash_extended(practitioner_id, 0)::numeric, uuid_hash_extended(practitioner_id, 0)::numeric, '[]')"
)
#: A slot, in UTC, where its end does not depend on the session.
_WHEN = "tsrange(timezone('UTC', starts_at), timezone('UTC', starts_at) + duration_minutes * interval '1 minute')"


def _no_overlap(name: str, where: str | None = None) -> ExcludeConstraint:
    """No two slots of one practitioner overlap, among those of a table for which ``where`` is true."""
    of_one_practitioner, at_one_time = (text(f"({_WHOSE})"), "="), (text(f"({_WHEN})"), "&&")
    condition = None if where is None else text(where)
    return ExcludeConstraint(of_one_practitioner, at_one_time, name=name, using="gist", where=condition)


def _telephone(column: str) -> CheckConstraint:
    return CheckConstraint(f"{column} ~ '{_E164}' AND {column} !~ '{_SURTAXED}'", name=f"{column}_may_be_dialled")


# --- house scope

organisation = Table(
    "organisation",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    _not_empty("name"),
    info=HOUSE_SCOPE,
)

practice = Table(
    "practice",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, ForeignKey("organisation.id"), nullable=False, index=True),
    Column("slug", Text, nullable=False, unique=True),
    Column("rescue_number", Text, nullable=False),
    Column("revision", BigInteger, nullable=False, server_default=text("0")),
    UniqueConstraint("organisation_id", "id"),
    CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name="slug_is_a_slug"),
    CheckConstraint("revision >= 0", name="revision"),
    _telephone("rescue_number"),
    info=HOUSE_SCOPE,
)

#: What a practice has set, in time (``practice.setting_versions``). Public all of it.
setting_version = Table(
    "setting_version",
    metadata,
    Column("practice_id", Uuid, ForeignKey("practice.id"), nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("setting", Text, nullable=False),
    Column("value", JSON(none_as_null=False), nullable=False),
    Column("effective_from", DateTime(timezone=True), nullable=False),
    Column("effective_to", DateTime(timezone=True)),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("made_by", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=text("''")),
    Column("withdrawn_revision", BigInteger),
    PrimaryKeyConstraint("practice_id", "setting", "revision"),
    CheckConstraint("setting ~ '^[a-z_]+$'", name="setting_is_a_key"),
    CheckConstraint("revision > 0", name="revision"),
    CheckConstraint("effective_to > effective_from", name="ends_after_it_begins"),
    CheckConstraint("withdrawn_revision > revision", name="withdrawn_later"),
    CheckConstraint("octet_length(value::text) <= 65536", name="value_is_short"),
    CheckConstraint("char_length(note) <= 500", name="note_is_short"),
    _not_empty("made_by"),
    info=HOUSE_SCOPE,
)

directory_number = Table(
    "directory_number",
    metadata,
    Column("number", Text, primary_key=True),
    Column("practice_id", Uuid, ForeignKey("practice.id"), nullable=False, index=True),
    _telephone("number"),
    info=HOUSE_SCOPE,
)

own_line = Table(
    "own_line",
    metadata,
    Column("practice_id", Uuid, ForeignKey("practice.id"), nullable=False),
    Column("number", Text, nullable=False),
    PrimaryKeyConstraint("practice_id", "number"),
    CheckConstraint(f"number ~ '{_E164}'", name="number_is_e164"),
    info=HOUSE_SCOPE,
)

# --- practice scope

practitioner = Table(
    "practitioner",
    metadata,
    Column("id", Uuid, primary_key=True),
    practice_column(),
    Column("name", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("speciality", Text, nullable=False),
    _flag("sensitive"),
    # Where operators ask for them: told to no caller, shown on no page.
    Column("line", Text, nullable=True),
    UniqueConstraint("practice_id", "id"),
    UniqueConstraint("practice_id", "name"),
    _telephone("line"),
    *(_not_empty(column) for column in ("name", "speciality")),
    info=PRACTICE_SCOPE,
)

patient = Table(
    "patient",
    metadata,
    Column("id", Uuid, primary_key=True),
    practice_column(),
    Column("external_id", Text, nullable=False),
    # traits of the RNIV (ID-01), each sealed for its own column; used names are never filled from birth names
    Column("birth_name", LargeBinary, nullable=False),
    Column("first_names", LargeBinary, nullable=False),
    Column("first_name", LargeBinary, nullable=False),
    Column("used_name", LargeBinary),
    Column("used_first_name", LargeBinary),
    Column("birth_date", LargeBinary, nullable=False),
    Column("sex", LargeBinary, nullable=False),
    Column("birth_place_code", LargeBinary),
    Column("identity_status", Text, nullable=False, server_default=text("'PROV'")),
    _flag("birth_date_fictive"),
    _flag("deceased"),
    _flag("homonym"),
    _flag("doubtful"),
    _flag("fictitious"),
    _flag("contact_restricted"),
    Column("birth_name_index", LargeBinary, nullable=False),
    UniqueConstraint("practice_id", "id"),
    UniqueConstraint("practice_id", "external_id"),
    _not_empty("external_id"),
    CheckConstraint("identity_status IN ('PROV', 'RECUP', 'VALI', 'QUAL')", name="identity_status"),
    # ID-03: doubtful and fictitious identities are provisional; only doubtful and homonym may be together
    CheckConstraint("identity_status = 'PROV' OR NOT doubtful", name="doubtful_is_provisional"),
    CheckConstraint("identity_status = 'PROV' OR NOT fictitious", name="fictitious_is_provisional"),
    CheckConstraint("NOT (fictitious AND (doubtful OR homonym))", name="fictitious_stands_alone"),
    _blind_index("birth_name_index"),
    Index(None, "practice_id", "birth_name_index"),
    info=PRACTICE_SCOPE,
)

contact = Table(
    "contact",
    metadata,
    Column("id", Uuid, primary_key=True),
    practice_column(),
    Column("patient_id", Uuid, nullable=False),
    Column("phone", LargeBinary, nullable=False),
    Column("phone_index", LargeBinary, nullable=False),
    Column("birth_phone_index", LargeBinary, nullable=False),
    Column("entered_at", DateTime(timezone=True), nullable=False),
    Column("confirmed_at", DateTime(timezone=True), nullable=False),
    _flag("shared"),
    UniqueConstraint("practice_id", "id"),
    UniqueConstraint("practice_id", "patient_id", "id"),  # what refers to it names its patient too
    UniqueConstraint("practice_id", "patient_id", "phone_index"),
    ForeignKeyConstraint(["practice_id", "patient_id"], ["patient.practice_id", "patient.id"]),
    CheckConstraint("confirmed_at >= entered_at", name="confirmed_once_entered"),
    _blind_index("phone_index"),
    _blind_index("birth_phone_index"),
    Index(None, "practice_id", "birth_phone_index"),
    Index(None, "practice_id", "phone_index"),
    info=PRACTICE_SCOPE,
)

appointment = Table(
    "appointment",
    metadata,
    Column("id", Uuid, primary_key=True),
    practice_column(),
    Column("external_id", Text, nullable=False),
    Column("patient_id", Uuid, nullable=False),
    Column("practitioner_id", Uuid, nullable=False),
    Column("starts_at", DateTime(timezone=True), nullable=False),
    Column("duration_minutes", SmallInteger, nullable=False),
    Column("place", Text),
    Column("status", Text, nullable=False, server_default=text("'planned'")),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Column("reference_index", LargeBinary),  # of the eight digits on a printed card, which are kept nowhere
    UniqueConstraint("practice_id", "id"),
    UniqueConstraint("practice_id", "external_id"),
    ForeignKeyConstraint(["practice_id", "patient_id"], ["patient.practice_id", "patient.id"]),
    ForeignKeyConstraint(["practice_id", "practitioner_id"], ["practitioner.practice_id", "practitioner.id"]),
    _not_empty("external_id"),
    CheckConstraint("place IS NULL OR btrim(place) <> ''", name="place_not_empty"),
    CheckConstraint("duration_minutes BETWEEN 1 AND 1440", name="duration_within_a_day"),
    CheckConstraint("status IN ('planned', 'confirmed', 'cancelled')", name="status"),
    _blind_index("reference_index"),
    Index(None, "practice_id", "patient_id", "starts_at", "id"),
    # Partial, so that writing it locks no row against what refers to it.
    Index(
        "uq_appointment_reference",
        "practice_id",
        "reference_index",
        unique=True,
        postgresql_where=text("reference_index IS NOT NULL"),
    ),
    Index(None, "practice_id", "practitioner_id", "starts_at"),
    info=PRACTICE_SCOPE,
)

message = Table(
    "message",
    metadata,
    Column("id", Uuid, primary_key=True),
    practice_column(),
    Column("kind", Text, nullable=False, server_default=text("'callback'")),
    Column("reason", Text, nullable=False),
    Column("number", LargeBinary),
    Column("text", LargeBinary),  # what an operator has written down; sealed
    Column("call_reference", Uuid),
    Column("practitioner_id", Uuid),
    Column("urgency", Text, nullable=False, server_default=text("'normal'")),
    Column("language", Text, nullable=False, server_default=text("'fr'")),
    Column("relayed", Boolean, nullable=False, server_default=false()),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("handled_at", DateTime(timezone=True)),
    Column("handled_by", Text),
    Column("handling_noted_at", DateTime(timezone=True)),  # by a trigger: the database's own clock, not the server's
    Column("written_by", Uuid),  # the account that wrote the text; rooms below staff know accounts by identifier alone
    Column("read_at", DateTime(timezone=True)),  # by whom it is for: the receipt
    Column("read_by", Uuid),
    Column("answer", Text),  # of whoever handled it, for operators
    Column("answer_text", LargeBinary),  # sealed
    UniqueConstraint("practice_id", "id"),
    ForeignKeyConstraint(["practice_id", "practitioner_id"], ["practitioner.practice_id", "practitioner.id"]),
    ForeignKeyConstraint(
        ["practice_id", "call_reference"], ["call.practice_id", "call.id"], ondelete="SET NULL (call_reference)"
    ),
    CheckConstraint("kind IN ('callback', 'voice', 'renewal', 'certificate')", name="kind"),
    CheckConstraint("kind = 'voice' OR number IS NOT NULL OR text IS NOT NULL", name="can_be_called_back"),
    CheckConstraint("urgency IN ('normal', 'urgent')", name="urgency"),
    CheckConstraint("language ~ '^[a-z]{2}$'", name="language"),
    CheckConstraint("reason ~ '^[a-z_]+$'", name="reason_is_a_key"),  # a key of the flow, never words of a caller
    CheckConstraint("(handled_at IS NULL) = (handled_by IS NULL)", name="handled_by_somebody"),
    CheckConstraint("(handled_at IS NULL) = (handling_noted_at IS NULL)", name="handling_is_noted"),
    CheckConstraint("(read_at IS NULL) = (read_by IS NULL)", name="read_by_somebody"),
    CheckConstraint(
        "answer IN ('call_back', 'appointment_given', 'ready', 'refused', 'other', 'nothing')", name="answer"
    ),
    CheckConstraint("answer IS NULL OR handled_at IS NOT NULL", name="answered_is_handled"),
    CheckConstraint("answer_text IS NULL OR answer IS NOT NULL", name="answer_text_of_an_answer"),
    CheckConstraint(
        "answer NOT IN ('ready', 'refused') OR kind IN ('renewal', 'certificate')", name="answer_fits_its_kind"
    ),
    _not_empty("handled_by"),
    Index("ix_message_handled", "practice_id", "handled_at", postgresql_where=text("handled_at IS NOT NULL")),
    Index("ix_message_waiting", "practice_id", "created_at", "id", postgresql_where=text("handled_at IS NULL")),
    info=PRACTICE_SCOPE,
)

#: What operators have to do about a message: one that is for the whole practice, or that was answered. In house scope,
#: like what waits in a queue, so that whoever answers for a thousand practices sees in one look what is due.
follow_up = Table(
    "follow_up",
    metadata,
    Column("message_id", Uuid, primary_key=True),
    practice_column(),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("taken_at", DateTime(timezone=True)),
    Column("taken_by", Uuid),
    Column("done_at", DateTime(timezone=True)),
    ForeignKeyConstraint(["practice_id", "message_id"], ["message.practice_id", "message.id"], ondelete="CASCADE"),
    CheckConstraint("(taken_at IS NULL) = (taken_by IS NULL)", name="taken_by_somebody"),
    Index("ix_follow_up_open", "practice_id", "due_at", postgresql_where=text("done_at IS NULL")),
    info=HOUSE_SCOPE,
)

#: What was spoken with a message: at most one sound each. The carrier's identifiers are opaque.
voice_message = Table(
    "voice_message",
    metadata,
    Column("id", Uuid, primary_key=True),
    practice_column(),
    Column("message_id", Uuid, nullable=False),
    Column("call_sid", Text, nullable=False),
    Column("recording_sid", Text, nullable=False),
    Column("seconds", SmallInteger, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'waiting'")),
    Column("sound", LargeBinary),
    Column("media_type", Text),
    Column("left_at", DateTime(timezone=True), nullable=False),
    Column("settled_at", DateTime(timezone=True)),
    Column("deleted_at", DateTime(timezone=True)),
    Column("tries", SmallInteger, nullable=False, server_default=text("0")),
    Column("tried_at", DateTime(timezone=True)),
    Column("alerted_at", DateTime(timezone=True)),
    UniqueConstraint("practice_id", "id"),
    UniqueConstraint("practice_id", "message_id"),
    UniqueConstraint("practice_id", "recording_sid"),
    ForeignKeyConstraint(["practice_id", "message_id"], ["message.practice_id", "message.id"]),
    CheckConstraint("call_sid ~ '^CA[0-9a-f]{32}$'", name="call_sid"),
    CheckConstraint("recording_sid ~ '^RE[0-9a-f]{32}$'", name="recording_sid"),
    CheckConstraint("seconds >= 0", name="seconds"),
    CheckConstraint("tries >= 0", name="tries"),
    CheckConstraint("state IN ('waiting', 'kept', 'lost', 'erased')", name="state"),
    CheckConstraint("(state = 'kept') = (sound IS NOT NULL)", name="kept_with_its_sound"),
    CheckConstraint("(sound IS NULL) = (media_type IS NULL)", name="sound_of_a_type"),
    CheckConstraint("(state = 'waiting') = (settled_at IS NULL)", name="settled_once"),
    # The carrier's copy is the only one until we have one, or know that there is none to have.
    CheckConstraint("deleted_at IS NULL OR state <> 'waiting'", name="deleted_once_settled"),
    Index(
        "ix_voice_message_at_carrier",
        "practice_id",
        "left_at",
        postgresql_where=text("state = 'waiting' OR deleted_at IS NULL"),
    ),
    info=PRACTICE_SCOPE,
)

#: A slot that a caller is making up their mind about: nobody else is offered it for some minutes.
slot_hold = Table(
    "slot_hold",
    metadata,
    Column("call_id", Uuid, primary_key=True),
    practice_column(),
    Column("practitioner_id", Uuid, nullable=False),
    Column("starts_at", DateTime(timezone=True), nullable=False),
    Column("duration_minutes", SmallInteger, nullable=False),
    Column("caller_index", LargeBinary),  # of the calling number; none if withheld
    Column("offered", SmallInteger, nullable=False),
    Column("held_until", DateTime(timezone=True), nullable=False),
    UniqueConstraint("practice_id", "practitioner_id", "starts_at"),
    ForeignKeyConstraint(["practice_id", "call_id"], ["call.practice_id", "call.id"], ondelete="CASCADE"),
    ForeignKeyConstraint(["practice_id", "practitioner_id"], ["practitioner.practice_id", "practitioner.id"]),
    CheckConstraint("duration_minutes BETWEEN 1 AND 1440", name="duration_within_a_day"),
    CheckConstraint("offered BETWEEN 1 AND 10", name="offered_a_few"),
    _blind_index("caller_index"),
    Index(None, "practice_id", "held_until"),
    _no_overlap("ex_slot_hold_overlap"),
    info=PRACTICE_SCOPE,
)

#: A booking by telephone. It is nobody's file (ID-04): a person of the practice finds out whose it is, or makes one.
booking_request = Table(
    "booking_request",
    metadata,
    Column("id", Uuid, primary_key=True),
    practice_column(),
    Column("practitioner_id", Uuid, nullable=False),
    Column("starts_at", DateTime(timezone=True), nullable=False),
    Column("duration_minutes", SmallInteger, nullable=False),
    Column("birth_date", LargeBinary, nullable=False),
    Column("number", LargeBinary, nullable=False),
    Column("spoken_name", Uuid),  # the voice message in which the caller said a name, once there are such messages
    Column("reference_index", LargeBinary, nullable=False),
    Column("caller_index", LargeBinary),
    Column("number_index", LargeBinary, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'open'")),
    Column("call_reference", Uuid),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Column("handled_at", DateTime(timezone=True)),
    Column("handled_by", Text),
    UniqueConstraint("practice_id", "id"),
    UniqueConstraint("practice_id", "reference_index"),
    ForeignKeyConstraint(["practice_id", "practitioner_id"], ["practitioner.practice_id", "practitioner.id"]),
    ForeignKeyConstraint(
        ["practice_id", "call_reference"], ["call.practice_id", "call.id"], ondelete="SET NULL (call_reference)"
    ),
    CheckConstraint("duration_minutes BETWEEN 1 AND 1440", name="duration_within_a_day"),
    CheckConstraint("state IN ('open', 'cancelled')", name="state"),
    CheckConstraint("(handled_at IS NULL) = (handled_by IS NULL)", name="handled_by_somebody"),
    CheckConstraint("changed_at >= created_at", name="changed_once_made"),
    _not_empty("handled_by"),
    _blind_index("reference_index"),
    _blind_index("caller_index"),
    _blind_index("number_index"),
    # One slot, one booking; none overlaps another.
    _no_overlap("ex_booking_request_overlap", where="state = 'open'"),
    Index(
        "uq_booking_request_slot",
        "practice_id",
        "practitioner_id",
        "starts_at",
        unique=True,
        postgresql_where=text("state = 'open'"),
    ),
    Index("ix_booking_request_waiting", "practice_id", "created_at", "id", postgresql_where=text("handled_at IS NULL")),
    Index(None, "practice_id", "number_index"),
    Index(None, "practice_id", "caller_index"),
    info=PRACTICE_SCOPE,
)
