"""How time passes for the telephones of a transcript.

On a clock that is shared with the application it is driven, and the application is let look at it every few seconds, as
it would by itself if they had really passed. Where the application keeps its own time and rings telephones by it, they
really pass, on every telephone at once. A call alone need not wait for either: its own time is driven.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from math import ceil

from callcenter.emulator.client import CallState, ControlClient
from callcenter.emulator.errors import EmulatorError, Refusal

#: Lets the application do what it does again and again, now that time has passed.
Upkeep = Callable[[], Awaitable[None]]

LONGEST_WAIT = 600.0  # real seconds
#: Seconds between two looks of the application, and how many it has at most in one wait: a long one has them further
#: apart.
BETWEEN_LOOKS, MOST_LOOKS = 2.0, 20


class Passing:
    """Time, for one transcript.

    Arguments:
        first: the call that it begins with.
        upkeep: where a clock is shared; None where the application is not to be let look, or keeps its own time.
        really: the application keeps its own time, and what it does by it is part of the transcript.
    """

    def __init__(
        self, client: ControlClient, first: str, upkeep: Upkeep | None = None, *, really: bool = False
    ) -> None:
        self._client = client
        self._upkeep = upkeep
        self._really = really and upkeep is None
        self._telephones = [first]

    async def joins(self, line: str, telephone: str) -> None:
        """Time passes on this telephone too from now on."""
        await self._client.meet(line, telephone)
        if telephone not in self._telephones:
            self._telephones.append(telephone)

    async def on(self, line: str, seconds: float) -> None:
        """Let time pass on a telephone, and on all that have joined it.

        Raises:
            EmulatorError: it would really have to pass, and is too long for that.
        """
        if self._upkeep is not None:
            for part in _parts(seconds):
                await self._meet_what_rings(line)
                await self._drive(line, part)
                await self._upkeep()
        elif self._really:
            _bearable(seconds)
            for part in _parts(seconds, ceil(seconds / BETWEEN_LOOKS)):
                for one in await self._going_on(line):
                    await self._advanced(one, part)
                await asyncio.sleep(part)
        else:
            await self._drive(line, seconds)

    async def heard_of_the_end(self, telephone: str) -> None:
        """Wait until the application knows that a telephone has hung up, or was not picked up, where what it does then
        is looked for."""
        if self._upkeep is not None or self._really:
            await self._client.closed(telephone)

    async def _meet_what_rings(self, line: str) -> None:
        """The time of telephones that the application has rung passes as well, though nobody has picked them up."""
        for leg in await self._client.ringing(None, 0):
            if leg.sid not in self._telephones:
                await self.joins(line, leg.sid)

    async def _drive(self, line: str, seconds: float) -> None:
        """Drive the time of one telephone that still is on the line: it is that of all."""
        for one in await self._going_on(line):
            if one.pace == "live":
                break
            if await self._advanced(one, seconds):
                await self._client.settled(one.sid)
                return
        if not await self._client.pass_time(seconds):
            _bearable(seconds)
            await asyncio.sleep(seconds)

    async def _advanced(self, one: CallState, seconds: float) -> bool:
        """Drive a telephone's time, unless it keeps the time of day, or its call has just ended."""
        try:
            if one.pace == "scripted":
                await self._client.advance(one.sid, seconds)
        except Refusal:
            return False
        return one.pace == "scripted"

    async def _going_on(self, line: str) -> list[CallState]:
        """Every telephone that is on the line, that of ``line`` first if it is."""
        telephones = [line, *(one for one in self._telephones if one != line)]
        states = [await self._client.state(one) for one in telephones]
        return [state for state in states if state.activity != "ended"]


def _parts(seconds: float, most: int = MOST_LOOKS) -> Iterator[float]:
    count = max(1, min(most, ceil(seconds / BETWEEN_LOOKS)))
    yield from [seconds / count] * count


def _bearable(seconds: float) -> None:
    if seconds > LONGEST_WAIT:
        raise EmulatorError(
            f"rien ne fait passer {seconds:g} s : l'émulateur n'a pas d'horloge partagée et n'attend pas réellement "
            f"plus de {LONGEST_WAIT:g} s."
        )
