"""What the page of locks needs of the house. It tells nobody whether a call concerned a patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


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
    reason: str
    until: datetime


class Locks(Protocol):
    """Locks of practices that one supervises.

    Raises, all of them: Forbidden where the session is over; NotFound for whoever supervises no practice.
    """

    async def waiting(self, token: str) -> tuple[datetime, Sequence[LockRequest]]:
        """The time, and what waits to be confirmed, with why."""

    async def ask(self, token: str, reference: str, reason: str) -> bool:
        """Ask for the lock of a call to be lifted. False where no call of theirs has that reference."""

    async def confirm(self, token: str, release: UUID) -> bool:
        """Confirm what somebody else has asked for. False where it is one's own, too late, or nobody's."""
