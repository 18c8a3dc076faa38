"""Following a call among others: what is heard there, and who hears whom, may change at any moment, and is awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from callcenter.emulator.client import CallState, ControlClient

AMONG_OTHERS = frozenset({"Dial", "Enqueue"})  # verbs in which others decide what is heard

Difference = tuple[str, str]  # what was expected, and what was found instead, in words


@dataclass(frozen=True, slots=True)
class Company:
    """The telephones of a transcript, as each hears the others.

    Arguments:
        client: the emulator.
        seconds: how long something is awaited.
    """

    client: ControlClient
    seconds: float

    async def until(self, sid: str, reached: Callable[[CallState], bool]) -> CallState:
        """A call once something has come about on it, or as it is when that takes too long."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.seconds
        state = await self.client.settled(sid)
        while not reached(state) and (left := until - loop.time()) > 0:
            state = await self.client.state(sid, after=state.revision, wait=left)
        return state

    async def hears_whom(self, sid: str, wanted: frozenset[str], names: Mapping[str, str]) -> Difference | None:
        """Whether a call hears exactly those whose names are wanted.

        Arguments:
            names: of every telephone, by its call.
        """
        calls = {one for one, name in names.items() if name in wanted}
        state = await self.until(sid, lambda now: now.hears == calls)
        if state.hears == calls:
            return None
        others = [names.get(one, "un autre téléphone") for one in state.hears]
        return f"entendre {_listed(wanted)}", f"on entend {_listed(others)}"

    async def held(self, sid: str, *, held: bool) -> Difference | None:
        """Whether a call is on hold, or is not."""
        if (await self.until(sid, lambda now: now.held == held)).held == held:
            return None
        waiting, talking = "être en attente", "ne pas être en attente"
        return (waiting, talking) if held else (talking, waiting)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "personne"
