"""What a flow is handed: the world as small ports, each with its answers as values.

The engine does no I/O. ``calls`` builds these ports around one transaction; tests build them from plain values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from callcenter.flow.conversation import Rang, Recorded, SpokenWords
from callcenter.flow.language import Act, Level, Lookup, MessageKind
from callcenter.flow.script_language import Urgency


@dataclass(frozen=True, slots=True)
class Caller:
    """Who rings, as far as the line tells: a hint that never raises a level (OB-10).

    Arguments:
        number: E.164, or ``None`` when withheld or one of the practice's own lines.
    """

    number: str | None


# --- verification


@dataclass(frozen=True, slots=True)
class CodeSent:
    """A challenge is open. Says nothing about whether a code really left: there is always one, real or decoy."""


@dataclass(frozen=True, slots=True)
class NoMoreCodes:
    """This call has used its challenges (OB-03)."""


@dataclass(frozen=True, slots=True)
class VerificationDown:
    """Attempts cannot be counted, or codes cannot be sent: nobody is verified."""


@dataclass(frozen=True, slots=True)
class CodeRight:
    """Verified."""

    level: Level


@dataclass(frozen=True, slots=True)
class CodeWrong:
    """Not this one; the challenge is still open."""


@dataclass(frozen=True, slots=True)
class ChallengeOver:
    """No try is left, or the code is too old."""


class Verifier(Protocol):
    """Proves who is calling, for one patient of one practice in one call."""

    async def standing(self) -> Level:
        """The level that live evidence gives now."""

    async def open_challenge(self, birth_date: date, telephone: str) -> CodeSent | NoMoreCodes | VerificationDown:
        """Match the claim and send a code, or a decoy. ``telephone`` is E.164."""

    async def check_code(self, keys: str) -> CodeRight | CodeWrong | ChallengeOver | VerificationDown:
        """Compare what was typed with the open challenge; counts before it compares."""


# --- the patient's record


@dataclass(frozen=True, slots=True)
class Found:
    """Something is bound: a reference, never a value."""

    reference: UUID


@dataclass(frozen=True, slots=True)
class Nothing:
    """The record holds no such thing."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """The gate does not let it out; worded the same whatever the cause."""


@dataclass(frozen=True, slots=True)
class Done:
    """The act is done."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The act could not be done: what it concerned has changed meanwhile, or no evidence allows it."""


@dataclass(frozen=True, slots=True)
class Told:
    """Words that the gate has let out, on record."""

    words: SpokenWords


class Record(Protocol):
    """The verified patient's record, behind the gate: every answer has its ledger entry before it is returned."""

    async def find(self, what: Lookup, after: UUID | None) -> Found | Nothing | Withheld:
        """Look for ``what``; ``after`` is the reference of the appointment after which to look."""

    async def tell(self, prompt: str, bound: Mapping[str, UUID], language: str = "fr") -> Told | Withheld:
        """Render ``prompt`` in ``language`` with the fields of what is bound, if the gate grants all that is in it."""

    async def perform(self, act: Act, reference: UUID) -> Done | Failed:
        """Act on what was bound."""


# --- messages


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """Somebody wants something of the practice's people, who call back.

    Arguments:
        reason: key of the reason (``appointment``, ``prescription``, ``administrative``, ``other``, ``certificate``,
            ``unspecified``).
        number: E.164 as typed, or the calling number; ``None`` if only a spoken message may tell it.
        kind: what was asked for.
        practitioner: whom it is for, or ``None`` for the practice.
        language: in which the caller is spoken to (ISO 639-1).
        relayed: the caller speaks through a relay service.
        text: what an operator has written down; empty where a caller has left it by keys.
        urgency: as the operator says; ``None`` where nobody has said.
    """

    reason: str
    number: str | None
    kind: MessageKind = MessageKind.CALLBACK
    practitioner: UUID | None = None
    language: str = "fr"
    relayed: bool = False
    text: str = field(default="", repr=False)
    urgency: Urgency | None = None


@dataclass(frozen=True, slots=True)
class Addressee:
    """A practitioner for whom a message may be left; public.

    Arguments:
        name: as it is written, with the title.
    """

    reference: UUID
    name: str


class Messages(Protocol):
    """The practice's inbox."""

    async def leave(self, request: CallbackRequest) -> UUID:
        """Keep the request; once it returns, the request is in the same transaction as the answer.

        Returns its identifier.
        """

    async def add_voice(self, message: UUID, recorded: Recorded) -> None:
        """Keep what the caller has spoken with the message that this call left."""

    async def addressees(self) -> Sequence[Addressee]:
        """For whom a message may be left, always in the same order; only one if the number called is theirs."""


# --- the telephone on file


class Outreach(Protocol):
    """Has the telephone on file reached, for somebody who has proved nothing: it keeps what was typed, and looks at no
    file, so that there is nothing that could be told (P6)."""

    async def send_reminder(self, birth_date: date, telephone: str) -> None:
        """Have date and time of the next appointment sent there. ``telephone`` is E.164, as claimed."""

    async def return_call(self, birth_date: date, telephone: str) -> str:
        """Have it rung once this call is over; the digits of the call-back code, for whoever is on the line."""


# --- another telephone


@dataclass(frozen=True, slots=True)
class MayRing:
    """The line may be rung, and that it is stands on record.

    Arguments:
        line: E.164.
        shown: the number of ours that it is shown, E.164.
    """

    line: str = field(repr=False)
    shown: str


@dataclass(frozen=True, slots=True)
class MayNotRing:
    """The call may come from that line, or has come round: it is not sent there."""


class Switchboard(Protocol):
    """Puts the call through. Whatever was proved in it dies with that, whether or not the line may be rung."""

    async def put_through(self) -> MayRing | MayNotRing:
        """Have the practice's own telephone rung."""

    async def came_back(self, rang: Rang) -> None:
        """Note what became of it."""


# --- operators


@dataclass(frozen=True, slots=True)
class Admitted:
    """The caller has a place in the queue.

    Arguments:
        queue: opaque name of the carrier's queue.
        expected: somebody has taken the call already, and waits for them.
    """

    queue: str
    expected: bool = False


@dataclass(frozen=True, slots=True)
class NotAdmitted:
    """There is nobody to wait for, or too many wait."""


class Parted(StrEnum):
    """How a wait has ended."""

    #: An operator has talked with them.
    CONNECTED = "connected"
    #: They would rather leave a message.
    MESSAGE = "message"
    #: They have hung up, or will, to be rung back in the place that they have.
    CALLBACK = "callback"
    #: Nobody came in time, or nobody is there any more.
    UNANSWERED = "unanswered"
    #: The operator has sent them out of the talk to type something, and waits for them.
    KEYPAD = "keypad"
    #: The operator's line was lost in the middle of the talk.
    CUT_OFF = "cut_off"


class Lobby(Protocol):
    """Where callers wait for operators."""

    async def enter(self, language: str, *, relayed: bool) -> Admitted | NotAdmitted:
        """Give the caller a place, or the place that they have.

        Arguments:
            language: in which they are spoken to (ISO 639-1).
            relayed: they speak through a relay service.
        """

    async def left(self, *, met: bool) -> Parted:
        """How the wait has ended; whatever was proved dies with a talk.

        Arguments:
            met: they had been led to somebody who had taken the call.
        """


# --- booking


@dataclass(frozen=True, slots=True)
class BookablePractitioner:
    """Somebody who can be booked by telephone.

    Arguments:
        name: title and name, as they are public.
        new_patients: whether they take patients whom they have never seen.
    """

    id: UUID
    name: str
    new_patients: bool


@dataclass(frozen=True, slots=True)
class Offered:
    """A free slot, held for this call.

    Arguments:
        practitioner: title and name, as they are public.
        starts_at: the practice's local time, aware.
    """

    practitioner: str
    starts_at: datetime


@dataclass(frozen=True, slots=True)
class NoSlot:
    """Nothing can be offered or booked: none is free, or this caller has been offered, or has booked, enough."""


@dataclass(frozen=True, slots=True)
class BookingMade:
    """The slot is booked.

    Arguments:
        reference: eight digits.
    """

    reference: str


class Booking(Protocol):
    """The free slots of the practice. Looks into no patient's file."""

    async def practitioners(self) -> Sequence[BookablePractitioner]:
        """Who can be booked at the number that was called, at most nine."""

    async def offer(self, practitioner: UUID) -> Offered | NoSlot:
        """Hold the next free slot of a practitioner in place of the one that the call holds."""

    async def book(self, birth_date: date, number: str) -> BookingMade | NoSlot:
        """Book the slot that the call holds. ``number`` is E.164."""

    async def release(self) -> None:
        """Let go of the slot that the call holds."""


# --- by reference


@dataclass(frozen=True, slots=True)
class SlotKnown:
    """The reference leads to a slot to come: a reference to it, never a value."""

    slot: UUID


@dataclass(frozen=True, slots=True)
class NotKnown:
    """It leads to none, or to one that is cancelled, or too much was tried: all alike.

    Arguments:
        last: nothing more is compared in this call.
    """

    last: bool


@dataclass(frozen=True, slots=True)
class CardRight:
    """The birth date goes with the reference."""


class References(Protocol):
    """What references lead to. Counts before it compares."""

    async def find(self, reference: str) -> SlotKnown | NotKnown:
        """Look for what eight digits lead to."""

    async def card_stands(self, slot: UUID) -> bool:
        """Whether the card of this slot was shown a moment ago."""

    async def check_birth_date(self, slot: UUID, birth_date: date) -> CardRight | NotKnown:
        """Compare a birth date with the one that goes with the slot."""

    async def tell(self, prompt: str, slot: UUID, language: str) -> Told | Withheld:
        """Render ``prompt`` with the fields of the slot, if its card was shown and the gate grants it."""

    async def cancel(self, slot: UUID) -> Done | Failed:
        """Free the slot."""

    async def offer(self, slot: UUID) -> Offered | NoSlot:
        """Hold the next free slot of the same practitioner in place of the one that the call holds."""

    async def move(self, slot: UUID) -> Done | Failed:
        """Move the slot to the one that the call holds; its reference stays."""


@dataclass(frozen=True, slots=True)
class World:
    """All that one turn of a flow may use.

    Arguments:
        now: the practice's local time, aware.
        caller: who rings.
        public: public fields by their dotted path (``practice.name``), ready to be said; booleans for ``branch``.
        translated: the same, ready to be said in other languages.
    """

    now: datetime
    caller: Caller
    public: Mapping[str, str | bool]
    verifier: Verifier
    record: Record
    messages: Messages
    outreach: Outreach
    booking: Booking
    references: References
    switchboard: Switchboard
    lobby: Lobby
    translated: Mapping[str, Mapping[str, str | bool]] = field(default_factory=dict)

    def public_in(self, language: str) -> Mapping[str, str | bool]:
        """The public fields, ready to be said in ``language``."""
        return self.translated.get(language, self.public)
