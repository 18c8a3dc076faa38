"""What arrives beside a call: text messages and mails; each of them is what one step expects."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from callcenter.emulator.nodes import plain


class Numbered(Protocol):
    """Counted from 1 as it arrives."""

    @property
    def number(self) -> int: ...


Arrived = TypeVar("Arrived", bound=Numbered)


@dataclass(frozen=True, slots=True)
class Found(Generic[Arrived]):
    """The one that was expected, and what of it matched."""

    arrived: Arrived
    match: re.Match[str]


@dataclass(slots=True)
class Arrivals(Generic[Arrived]):
    """One kind of thing that arrives.

    Arguments:
        look: what arrived somewhere after a number, after waiting some real seconds for it.
        words: what one says.
        seen: how many there were before the call began.
    """

    look: Callable[[str, int, float], Awaitable[Sequence[Arrived]]]
    words: Callable[[Arrived], str]
    seen: int
    _used: set[int] = field(default_factory=set)

    async def matching(self, to: str, pattern: re.Pattern[str], seconds: float) -> Found[Arrived] | list[str]:
        """The first that matches and that no step had before; what arrived instead if none does in time."""
        loop = asyncio.get_running_loop()
        until, after = loop.time() + seconds, self.seen
        others = []
        while (left := until - loop.time()) > 0:
            for arrived in await self.look(to, after, left):
                after = arrived.number
                match = pattern.search(plain(self.words(arrived))) if after not in self._used else None
                if match is not None:
                    self._used.add(after)
                    return Found(arrived, match)
                others.append(self.words(arrived))
        return others

    async def since(self, to: str, seconds: float) -> list[str]:
        """What has arrived since the call began, or does in some seconds."""
        return [self.words(arrived) for arrived in await self.look(to, self.seen, seconds)]
