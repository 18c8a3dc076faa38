"""What routing speaks of: states, reasons, reservations. Times are aware; identifiers are opaque."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from uuid import UUID


class PresenceState(StrEnum):
    """What an operator does. The pauses are reasons for not being offered calls."""

    OFFLINE = "offline"
    AVAILABLE = "available"
    RESERVED = "reserved"
    ON_CALL = "on_call"
    WRAP_UP = "wrap_up"
    BREAK = "break"
    LUNCH = "lunch"
    TRAINING = "training"
    ADMIN = "admin"


class Way(StrEnum):
    """How an operator speaks."""

    BROWSER = "browser"
    TELEPHONE = "telephone"


class Strategy(StrEnum):
    """Which of several operators is offered a call."""

    LONGEST_IDLE = "longest_idle"
    ROUND_ROBIN = "round_robin"
    FEWEST_CALLS = "fewest_calls"


class Priority(IntEnum):
    """Who comes before whom; among equals, who came first."""

    PROFESSIONAL = 0
    #: Through a relay service for deaf callers: waiting costs them most.
    RELAY = 1
    #: Has waited already, at the practice itself.
    OVERFLOW = 2
    ORDINARY = 3


class EntryKind(StrEnum):
    """Whether the caller is on the line, or is to be rung back."""

    LIVE = "live"
    CALLBACK = "callback"


class EntryState(StrEnum):
    WAITING = "waiting"
    RESERVED = "reserved"
    CONNECTED = "connected"
    LEFT = "left"


class LeftReason(StrEnum):
    """Why a call is in the queue no more."""

    HUNG_UP = "hung_up"
    MESSAGE = "message"
    OVERFLOW = "overflow"
    CLOSED = "closed"
    NOBODY = "nobody"
    REDIRECTED = "redirected"
    ANSWERED = "answered"
    #: A callback: rung as often as may be, and not reached; or not wanted any more.
    UNREACHED = "unreached"
    CANCELLED = "cancelled"


class ReservationState(StrEnum):
    OFFERED = "offered"
    ACCEPTED = "accepted"
    CONNECTED = "connected"
    REFUSED = "refused"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    OVER = "over"


class PartyState(StrEnum):
    """Of somebody who is asked into a talk."""

    RINGING = "ringing"
    THERE = "there"
    #: Was there, and is not any more.
    LEFT = "left"
    MISSED = "missed"
    FAILED = "failed"
    #: The talk was handed over to them.
    TOOK = "took"


class EventKind(StrEnum):
    """What is written down. The field's « offered » (appels présentés) is ``entered``; ours is to an operator."""

    ENTERED = "entered"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    MISSED = "missed"
    WITHDRAWN = "withdrawn"
    CONNECTED = "connected"
    RETURNED = "returned"
    CALLBACK = "callback"
    UNREACHED = "unreached"
    OVER = "over"
    LEFT = "left"
    PRESENCE = "presence"


@dataclass(frozen=True, slots=True)
class Limits:
    """How long, and how often.

    Arguments:
        offer: that an operator may let it ring.
        connect: from acceptance to conversation; after it, whoever was to connect them has failed.
        ring_back: the same where the caller has to be rung first, and to say that they are there.
        line: that the practice's line may ring for a caller who was sent on to it, and say that it takes the call; it
            rings for about half a minute, and is asked twice.
        unseen: after which a page that gives no sign is gone.
        missed_before_pause: offers in a row that an operator lets ring until they are paused.
        passed_over: for which a call is not offered again to who has just refused or missed it.
        cut_line: within which a caller whose line was cut has the place again.
        callback_attempts: how often at most a caller is rung back.
        callback_again: after one in vain.
        waits, waits_least, waits_days: answered calls that a wait is told from: at most, at least, and how old.
    """

    offer: timedelta = timedelta(seconds=20)
    connect: timedelta = timedelta(seconds=60)
    ring_back: timedelta = timedelta(seconds=100)
    line: timedelta = timedelta(seconds=90)
    unseen: timedelta = timedelta(seconds=45)
    missed_before_pause: int = 2
    passed_over: timedelta = timedelta(seconds=30)
    cut_line: timedelta = timedelta(minutes=2)
    callback_attempts: int = 3
    callback_again: timedelta = timedelta(minutes=10)
    waits: int = 200
    waits_least: int = 10
    waits_days: int = 28


@dataclass(frozen=True, slots=True)
class Reservation:
    """One call, held for one operator.

    Arguments:
        ends_at: of the offer.
        kind: whether the caller is on the line, or is to be rung by us.
        offers: how often the call was offered, this one included.
        waiting_since: when it entered the queue.
        language: of the caller, two letters.
        priority: in the queue.
    """

    id: UUID
    call: UUID
    practice: UUID
    staff: UUID
    state: ReservationState
    kind: EntryKind
    made_at: datetime
    ends_at: datetime
    offers: int
    waiting_since: datetime
    language: str = "fr"
    priority: Priority = Priority.ORDINARY


@dataclass(frozen=True, slots=True)
class NotPossible:
    """Too late, or not yours: what was asked for has no effect."""
