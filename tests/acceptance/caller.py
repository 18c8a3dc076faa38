"""Somebody at a telephone on stage, for tests that need more than one call, or to look behind one."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from callcenter.emulator.client import CallState, ControlClient, Spoken
from callcenter.emulator.tape import Exchange
from tests.acceptance.stage import Stage

LYON, BREST = "+33465710001", "+33261910001"
JEANNE = "+33639980001"

#: Doing nothing, in place of keys.
SILENCE = ""
#: Longer than any question waits, shorter than two.
_SECONDS_OF_SILENCE = 16.0

_CODE = re.compile(r"Code (\d{3}) (\d{3})")
#: What differs between any two calls: our identifier, in the addresses of their steps.
_CALL_ID = re.compile(rb"/calls/[0-9a-f-]{36}/")


@dataclass(slots=True)
class Caller:
    """One call, while it lasts.

    Arguments:
        sid: the carrier's identifier of the call.
        messages: how many messages there were before it began.
    """

    stage: Stage
    client: ControlClient
    sid: str
    messages: int
    state: CallState

    @property
    def heard(self) -> tuple[Spoken, ...]:
        """Everything so far."""
        return self.state.heard

    @property
    def words(self) -> str:
        """Everything so far, as one text."""
        return " ".join(spoken.text for spoken in self.heard)

    @property
    def ended(self) -> bool:
        return self.state.activity == "ended"

    async def does(self, *answers: str) -> str:
        """Answer so many questions: keys, or SILENCE; what was heard since the last of them. An answer to a call that
        has ended is not given."""
        before = len(self.heard)
        for answer in answers:
            before = len(self.heard)
            if self.ended:
                break
            if answer == SILENCE:
                await self.waits(_SECONDS_OF_SILENCE)
            else:
                await self.client.press(self.sid, answer)
                await self._settles()
        return " ".join(spoken.text for spoken in self.heard[before:])

    async def waits(self, seconds: float) -> None:
        """Do nothing for so long, unless the call has ended."""
        if not self.ended:
            await self.client.advance(self.sid, seconds)
            await self._settles()

    async def _settles(self) -> None:
        self.state = await self.client.settled(self.sid)
        assert self.state.activity != "busy"

    async def codes(self, number: str) -> list[str]:
        """The codes that were sent to a number since the call began; none that is still on its way is missed."""
        await self.stage.messages_sent()
        bodies = [message.body for message in await self.client.inbox(number, after=self.messages)]
        return ["".join(found.groups()) for body in bodies if (found := _CODE.search(body))]

    def exchanges(self) -> list[Exchange]:
        """What the carrier asked of us in this call: every signed request."""
        kinds = ("webhook", "fallback", "status")
        return [asked for asked in self.stage.emulator.tape if asked.call_sid == self.sid and asked.kind in kinds]


@asynccontextmanager
async def calling(stage: Stage, number: str, to: str = LYON) -> AsyncIterator[Caller]:
    """Call; hang up on the way out, and wait until that was taken note of."""
    async with ControlClient(stage.emulator.base_url) as client:
        messages = await client.last_message()
        sid = await client.start(number, to, "scripted")
        caller = Caller(stage, client, sid, messages, await client.settled(sid))
        try:
            yield caller
        finally:
            await client.hang_up(sid)
            caller.state = await client.closed(sid)


@dataclass(frozen=True, slots=True)
class Trace:
    """All that a caller, or the carrier, can tell of a call: words, questions, requests, lengths, times.

    Arguments:
        heard: what, and how.
        answers: of each request the status, the headers, the document without the call's identifier, and the second of
            the call in which it was asked for.
    """

    heard: tuple[tuple[str, str], ...]
    answers: tuple[tuple[int | None, tuple[tuple[str, str], ...], bytes, float], ...]


def trace(caller: Caller, began: datetime) -> Trace:
    """What can be told of a call that began then."""
    answers = []
    for asked in caller.exchanges():
        headers = tuple((name, value) for name, value in asked.response_headers.items() if name != "Date")
        document = _CALL_ID.sub(b"/calls/ours/", asked.response_body)
        second = round((asked.at - began).total_seconds(), 6)
        answers.append((asked.status, headers, document, second))
    return Trace(tuple((spoken.kind, spoken.text) for spoken in caller.heard), tuple(answers))
