"""What an operator's script is handed: ports whose every answer has its record before it is returned.

Whoever runs a script builds them around one transaction an answer, as ``calls`` does for a caller's own steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from callcenter.flow.language import Act, Level, Lookup
from callcenter.flow.ports import (
    Addressee,
    BookablePractitioner,
    BookingMade,
    CallbackRequest,
    Caller,
    Done,
    Failed,
    Found,
    NoMoreCodes,
    NoSlot,
    Nothing,
    Offered,
    VerificationDown,
    Withheld,
)
from callcenter.flow.script_language import Disposition, Shown
from callcenter.kernel.labels import Category

# --- verification


@dataclass(frozen=True, slots=True)
class CodeAsked:
    """The caller is led to their own keys, where their flow asks for the code. Says nothing about whether there is one:
    it is asked for in the same way whoever was claimed (P6)."""


@dataclass(frozen=True, slots=True)
class NotNow:
    """The caller cannot be led to their keys at the moment: they are on hold, at their keys already, or a third person
    is in the talk. Follows from the talk alone, and never from what was claimed."""


class ScriptVerifier(Protocol):
    """Has the caller prove who it is about, for the operator who talks with them."""

    async def standing(self) -> Level:
        """The level that live evidence gives this operator now."""

    async def by_keypad(self, birth_date: date, telephone: str) -> CodeAsked | NoMoreCodes | VerificationDown | NotNow:
        """Have the caller's own flow open a challenge for this claim, and ask them for the code.

        Arguments:
            birth_date: as the caller said it, and the operator typed it.
            telephone: E.164, likewise.

        Whatever stood before ends where ``CodeAsked`` is the answer.
        """

    async def forget(self) -> None:
        """End all that was proved in this call: somebody else is spoken of (P2)."""


# --- the patient's record


@dataclass(frozen=True, slots=True)
class Revealed:
    """It is shown to the operator, for a while, by whoever runs the script: a flow never holds it."""


@dataclass(frozen=True, slots=True)
class Declared:
    """That the operator has told it stands on record."""


class ScriptRecord(Protocol):
    """The verified patient's record, behind the gate."""

    async def find(self, what: Lookup, after: UUID | None) -> Found | Nothing | Withheld:
        """Look for ``what``; ``after`` is the reference of the appointment after which to look."""

    async def show(self, path: str, bound: Mapping[str, UUID]) -> Revealed | Withheld:
        """Have the field ``path`` (``appointment.starts_at``) of what is bound shown, if the gate grants it."""

    async def declare(self, category: Category) -> Declared | Withheld:
        """Put on record that the operator has told ``category``, read in the practice's own agenda."""

    async def perform(self, act: Act, reference: UUID) -> Done | Failed:
        """Act on what was bound."""

    async def slots_for(self, appointment: UUID, after: datetime | None) -> Sequence[datetime]:
        """Free slots to which the appointment may be moved, in order, at most eight: the practice's local time, aware.

        Arguments:
            after: only later ones.
        """

    async def move(self, appointment: UUID, starts_at: datetime) -> Done | Failed:
        """Move the appointment to a slot that :meth:`slots_for` gave."""


# --- booking, messages, and what the operator says of the call


class ScriptBooking(Protocol):
    """The free slots of the practice. Looks into no patient's file."""

    async def practitioners(self) -> Sequence[BookablePractitioner]:
        """Who can be booked at the number that was called, at most nine."""

    async def slots(self, practitioner: UUID, after: datetime | None) -> Sequence[datetime]:
        """Free slots, in order, at most eight: the practice's local time, aware.

        Arguments:
            after: only later ones.
        """

    async def hold(self, practitioner: UUID, starts_at: datetime) -> Offered | NoSlot:
        """Hold a slot that :meth:`slots` gave, in place of the one that the call holds."""

    async def book(self, birth_date: date, number: str) -> BookingMade | NoSlot:
        """Book the slot that the call holds. ``number`` is E.164."""

    async def release(self) -> None:
        """Let go of the slot that the call holds, if it holds one."""


class ScriptMessages(Protocol):
    """The practice's inbox."""

    async def leave(self, request: CallbackRequest) -> UUID:
        """Keep the request, with its text and its urgency; returns its identifier."""

    async def addressees(self) -> Sequence[Addressee]:
        """For whom a message may be left, always in the same order; only one if the number called is theirs."""


class Notes(Protocol):
    """What the operator says about the call."""

    async def acknowledge(self, what: Shown) -> None:
        """They have read ``what``, as it stands now."""

    async def dispose(self, disposition: Disposition, note: str) -> None:
        """What became of the call. ``note`` is theirs, at most 1000 characters, perhaps empty."""


@dataclass(frozen=True, slots=True)
class ScriptWorld:
    """All that one answer of an operator may use.

    Arguments:
        now: the practice's local time, aware.
        caller: who rings.
        public: public fields by their dotted path, ready to be shown; booleans for ``branch``.
        translated: the same, ready to be shown in other languages.
    """

    now: datetime
    caller: Caller
    public: Mapping[str, str | bool]
    verifier: ScriptVerifier
    record: ScriptRecord
    messages: ScriptMessages
    booking: ScriptBooking
    notes: Notes
    translated: Mapping[str, Mapping[str, str | bool]] = field(default_factory=dict)

    def public_in(self, language: str) -> Mapping[str, str | bool]:
        """The public fields, ready to be shown in ``language``."""
        return self.translated.get(language, self.public)
