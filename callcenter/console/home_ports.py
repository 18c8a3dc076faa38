"""What the first page needs of the house besides who one is: how much waits, in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Waits:
    """How much waits for somebody, over all practices at which they are something. Nothing of whom or what.

    Arguments:
        calls: on the line, at practices that they answer for.
        messages: that are for them, a practitioner, and that nobody has read.
        follow_ups: what is to be done about messages of practices that they answer for.
        locks: that a colleague wants lifted, and they may.
    """

    calls: int = 0
    messages: int = 0
    follow_ups: int = 0
    locks: int = 0


class Waiting(Protocol):
    """What waits.

    Raises: Forbidden where the session is over.
    """

    async def waits(self, token: str) -> Waits:
        """For whoever the session is, as their roles stand at this moment."""
