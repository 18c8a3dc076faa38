"""The tables of routing: all in house scope, opaque identifiers only.

That a call is offered to one operator at a time, and an operator one call, is kept by two partial unique indexes of
``reservation``, whatever a worker believes.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from callcenter.routing.values import (
    EntryKind,
    EntryState,
    EventKind,
    LeftReason,
    PartyState,
    PresenceState,
    ReservationState,
    Strategy,
    Way,
)
from callcenter.store.schema import HOUSE_SCOPE, metadata, one_of, practice_column


def _moment(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _count(name: str) -> Column[object]:
    return Column(name, SmallInteger, nullable=False, server_default=text("0"))


#: What an organisation has chosen; without a row, what ``routing.rules`` says.
routing_rule = Table(
    "routing_rule",
    metadata,
    Column("organisation_id", Uuid, ForeignKey("organisation.id"), primary_key=True),
    Column("strategy", Text, nullable=False),
    Column("wrap_up_seconds", SmallInteger, nullable=False),
    one_of("strategy", Strategy),
    CheckConstraint("wrap_up_seconds BETWEEN 0 AND 1800", name="wrap_up_seconds"),
    info=HOUSE_SCOPE,
)

presence = Table(
    "presence",
    metadata,
    Column("staff_id", Uuid, ForeignKey("staff_account.id"), primary_key=True),
    Column("state", Text, nullable=False),
    Column("way", Text, nullable=False),
    _moment("since"),
    # Since when nothing was to be done: what « longest idle » goes by.
    _moment("idle_since"),
    _moment("seen_at"),
    # When wrapping up ends by itself.
    _moment("wrap_up_until", nullable=True),
    # The number of the last reservation: what « in turn » goes by.
    Column("turn", BigInteger, nullable=False, server_default=text("0")),
    _count("calls"),
    # The day, in Paris, that they were counted on.
    Column("calls_on", Date, nullable=True),
    _count("missed_in_a_row"),
    one_of("state", PresenceState),
    one_of("way", Way),
    CheckConstraint("(wrap_up_until IS NOT NULL) = (state = 'wrap_up')", name="wrap_up_ends"),
    CheckConstraint("calls >= 0 AND (calls = 0 OR calls_on IS NOT NULL)", name="calls_of_a_day"),
    CheckConstraint("missed_in_a_row >= 0", name="missed_in_a_row"),
    Index("ix_presence_available", "idle_since", postgresql_where=text("state = 'available'")),
    info=HOUSE_SCOPE,
)

queue_entry = Table(
    "queue_entry",
    metadata,
    Column("call_id", Uuid, primary_key=True),
    practice_column(),
    Column("language", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    # Who came first: the moment, and among equals the number.
    _moment("place"),
    Column("number", BigInteger, Identity(always=True), nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    _moment("entered_at"),
    # When the database itself has first known of it: a trigger says so, and by it goes what may be erased.
    _moment("noted_at"),
    # From when on to be led elsewhere; for callbacks, not to be offered before.
    _moment("overflow_at", nullable=True),
    _moment("not_before", nullable=True),
    _count("offers"),
    # How often the caller was rung back.
    _count("attempts"),
    _moment("answered_at", nullable=True),
    _moment("left_at", nullable=True),
    Column("left_reason", Text, nullable=True),
    # Keyed hash of the calling number: by which a caller whose line was cut finds the place again, for minutes.
    Column("caller_mark", Text, nullable=True),
    # Who has refused or missed it last, and when: somebody else comes first.
    Column("passed_by", Uuid, ForeignKey("staff_account.id"), nullable=True),
    _moment("passed_at", nullable=True),
    ForeignKeyConstraint(["practice_id", "call_id"], ["call.practice_id", "call.id"]),
    UniqueConstraint("number"),
    CheckConstraint("language ~ '^[a-z]{2}$'", name="language"),
    CheckConstraint("priority BETWEEN 0 AND 3", name="priority"),
    one_of("kind", EntryKind),
    one_of("state", EntryState),
    one_of("left_reason", LeftReason),
    CheckConstraint("(left_at IS NOT NULL) = (state = 'left')", name="left_when_gone"),
    CheckConstraint("(left_reason IS NOT NULL) = (state = 'left')", name="left_for_a_reason"),
    CheckConstraint("state <> 'connected' OR answered_at IS NOT NULL", name="connected_is_answered"),
    CheckConstraint("offers >= 0 AND attempts >= 0", name="counts"),
    CheckConstraint("place <= entered_at", name="place_is_no_later"),
    CheckConstraint("caller_mark ~ '^[0-9a-f]{64}$'", name="caller_mark_is_a_digest"),
    CheckConstraint("(passed_by IS NULL) = (passed_at IS NULL)", name="passed_at_a_time"),
    Index("ix_queue_entry_order", "priority", "place", "number", postgresql_where=text("state = 'waiting'")),
    Index("ix_queue_entry_present", "practice_id", postgresql_where=text("state <> 'left'")),
    Index("ix_queue_entry_left", "left_at", postgresql_where=text("state = 'left'")),
    Index("ix_queue_entry_mark", "caller_mark", postgresql_where=text("caller_mark IS NOT NULL")),
    info=HOUSE_SCOPE,
)

_LIVE = text("state IN ('offered', 'accepted', 'connected')")

reservation = Table(
    "reservation",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("number", BigInteger, Identity(always=True), nullable=False),
    Column("call_id", Uuid, ForeignKey("queue_entry.call_id"), nullable=False),
    Column("staff_id", Uuid, ForeignKey("presence.staff_id"), nullable=False),
    Column("state", Text, nullable=False),
    _moment("made_at"),
    _moment("ends_at"),
    _moment("accepted_at", nullable=True),
    _moment("connected_at", nullable=True),
    _moment("ended_at", nullable=True),
    # The carrier's leg that the operator's browser has placed last.
    Column("leg", Text, nullable=True),
    _moment("leg_ended_at", nullable=True),
    # When the carrier was asked last whether the caller is still there.
    _moment("looked_at", nullable=True),
    UniqueConstraint("number"),
    one_of("state", ReservationState),
    _moment("keypad_at", nullable=True),  # since when the caller is out of the talk, to type something
    _count("keypad_asks"),
    CheckConstraint("keypad_asks >= 0", name="keypad_asks"),
    CheckConstraint("leg ~ '^CA[0-9a-f]{32}$'", name="leg"),
    CheckConstraint("leg IS NULL OR accepted_at IS NOT NULL", name="leg_of_a_call_that_was_taken"),
    CheckConstraint("leg_ended_at IS NULL OR leg IS NOT NULL", name="leg_that_ended_was_placed"),
    Index("ix_reservation_leg", "leg", postgresql_where=text("leg IS NOT NULL")),
    Index("ix_reservation_keypad", "call_id", postgresql_where=text("keypad_at IS NOT NULL")),
    Index(
        "ix_reservation_left_alone",
        "leg_ended_at",
        postgresql_where=text("state = 'connected' AND leg_ended_at IS NOT NULL"),
    ),
    CheckConstraint("ends_at > made_at", name="ends_after_it_was_made"),
    CheckConstraint("state NOT IN ('accepted', 'connected', 'over') OR accepted_at IS NOT NULL", name="accepted"),
    CheckConstraint("state NOT IN ('connected', 'over') OR connected_at IS NOT NULL", name="connected"),
    CheckConstraint("(ended_at IS NULL) = (state IN ('offered', 'accepted', 'connected'))", name="ended"),
    Index("uq_reservation_live_call", "call_id", unique=True, postgresql_where=_LIVE),
    Index("uq_reservation_live_staff", "staff_id", unique=True, postgresql_where=_LIVE),
    Index(None, "call_id"),
    Index(None, "staff_id", "made_at"),
    info=HOUSE_SCOPE,
)

#: How a talk differs from one that has just begun; without a row it does not.
talk = Table(
    "talk",
    metadata,
    Column("reservation_id", Uuid, ForeignKey("reservation.id"), primary_key=True),
    # The reservation with which the talk began: by its identifier the room is named, whoever has the call now.
    Column("room", Uuid, nullable=False),
    # By which name the operator sits in it.
    Column("seat", Text, nullable=False),
    Column("on_hold", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint("seat ~ '^(operator|[0-9a-f]{32})$'", name="seat"),
    info=HOUSE_SCOPE,
)

_PRESENT = text("state IN ('ringing', 'there')")

#: Who was asked into a talk: somebody of staff, a practitioner, or, without either, the practice's own line.
talk_party = Table(
    "talk_party",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("reservation_id", Uuid, ForeignKey("reservation.id"), nullable=False),
    Column("staff_id", Uuid, ForeignKey("presence.staff_id"), nullable=True),
    # Says nothing outside of the practice, where the name stands; so nothing here refers to it.
    Column("practitioner_id", Uuid, nullable=True),
    Column("state", Text, nullable=False),
    # The caller hears music meanwhile.
    Column("private", Boolean, nullable=False),
    # The line rings for the caller alone: the operator has sent them on, and is done with the call.
    Column("sent", Boolean, nullable=False, server_default=text("false")),
    _moment("made_at"),
    _moment("ends_at"),
    _moment("joined_at", nullable=True),
    _moment("ended_at", nullable=True),
    Column("carrier_sid", Text, nullable=True),
    one_of("state", PartyState),
    CheckConstraint("ends_at > made_at", name="ends_after_it_was_made"),
    CheckConstraint("state NOT IN ('there', 'left', 'took') OR joined_at IS NOT NULL", name="joined"),
    CheckConstraint("(ended_at IS NULL) = (state IN ('ringing', 'there'))", name="ended"),
    CheckConstraint("carrier_sid ~ '^CA[0-9a-f]{32}$'", name="carrier_sid"),
    CheckConstraint("NOT sent OR (staff_id IS NULL AND NOT private)", name="sent_to_a_line"),
    CheckConstraint("staff_id IS NULL OR practitioner_id IS NULL", name="one_is_asked"),
    Index("uq_talk_party_live_reservation", "reservation_id", unique=True, postgresql_where=_PRESENT),
    Index("uq_talk_party_live_staff", "staff_id", unique=True, postgresql_where=_PRESENT),
    Index(None, "reservation_id"),
    info=HOUSE_SCOPE,
)

#: What has happened, only ever added to until it is erased whole (``routing.old_calls``): waits, and later statements,
#: come from here alone.
routing_event = Table(
    "routing_event",
    metadata,
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    _moment("at"),
    Column("kind", Text, nullable=False),
    Column("organisation_id", Uuid, ForeignKey("organisation.id"), nullable=False),
    Column("practice_id", Uuid, ForeignKey("practice.id"), nullable=True),
    # Of the entry, whose lock is held already: that of the call itself may be a step's, which waits for the entry.
    Column("call_id", Uuid, ForeignKey("queue_entry.call_id"), nullable=True),
    Column("staff_id", Uuid, ForeignKey("staff_account.id"), nullable=True),
    Column("reservation_id", Uuid, nullable=True),
    Column("priority", SmallInteger, nullable=True),
    # A reason, or a state of presence.
    Column("detail", Text, nullable=True),
    # Milliseconds in the queue of a caller who was on the line: with the first connection, and with leaving without.
    Column("waited", BigInteger, nullable=True),
    one_of("kind", EventKind),
    CheckConstraint("(call_id IS NULL) = (practice_id IS NULL)", name="call_of_a_practice"),
    CheckConstraint("(kind = 'presence') = (call_id IS NULL)", name="presence_is_no_call"),
    CheckConstraint("call_id IS NOT NULL OR staff_id IS NOT NULL", name="of_somebody"),
    CheckConstraint("detail ~ '^[a-z_]{1,40}$'", name="detail_is_a_word"),
    CheckConstraint("waited >= 0", name="waited"),
    Index(None, "call_id", "number"),
    Index(None, "practice_id", "at"),
    Index(None, "staff_id", "at"),
    Index("ix_routing_event_presence", "at", postgresql_where=text("kind = 'presence'")),
    Index("ix_routing_event_entered", "organisation_id", "at", postgresql_where=text("kind = 'entered'")),
    Index(
        "ix_routing_event_waits", "organisation_id", "at", postgresql_where=text("kind = 'connected' AND waited >= 0")
    ),
    Index(
        "ix_routing_event_waits_of_practice",
        "practice_id",
        "at",
        postgresql_where=text("kind = 'connected' AND waited >= 0"),
    ),
    info=HOUSE_SCOPE,
)
