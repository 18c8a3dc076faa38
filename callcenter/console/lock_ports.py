"""What the page of locks needs of the house. It tells nobody whether a call concerned a patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from callcenter.calls.call_references import NoCall
from callcenter.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class LockRequest:
    """A lock that somebody wants lifted.

    Arguments:
        practice: its name.
        by: who asks.
        own: it is oneself: somebody else confirms.
        until: when nobody can confirm it any more.
    """

    id: UUID
    practice: str
    call: UUID
    by: str
    own: bool
    until: datetime


class Untrained(NotFound):
    """Their training has lapsed: why somebody wants a lock lifted may say whom it is about (SM-02)."""


class Locks(Protocol):
    """Locks of practices that one supervises.

    Raises, all of them: Forbidden where the session is over; NotFound for whoever supervises no practice.
    """

    async def waiting(self, token: str) -> tuple[datetime, Sequence[LockRequest]]:
        """The time, and what waits to be confirmed; not why."""

    async def ask(self, token: str, reference: str, reason: str) -> NoCall | None:
        """Ask for the lock of a call to be lifted, or why no call of theirs is named by that reference.

        Raises:
            Forbidden: no second factor was given just now.
        """

    async def read(self, token: str, release: UUID) -> str | None:
        """Why somebody else wants it; that it is read is on record first. ``None`` where it does not wait for them.

        Raises:
            Forbidden: no second factor was given just now.
            Untrained: they may not read it.
        """

    async def confirm(self, token: str, release: UUID) -> bool:
        """Confirm what somebody else has asked for, having read why. False where they have not, or it is one's own, too
        late, or nobody's.

        Raises:
            Forbidden: no second factor was given just now.
        """
