"""The verified call as the carrier meets it: nine webhooks and one sound, each with what its answer must hold.

Whoever is not verified, withheld or answered by the static document does not get through: the walk stops with an error,
so that nothing but whole verified calls is ever measured.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from secrets import token_hex
from typing import Protocol

from tests.bench.values import Person, Step
from tests.bench.wire import Received, Site

ACCOUNT = "AC" + "0" * 32


_QUESTION = re.compile(rb'<Gather[^>]* action="([^"]+)"')
_ONWARD = re.compile(rb"<Redirect[^>]*>([^<]+)</Redirect>")
_SOUND = re.compile(rb"<Play>([^<]+)</Play>")
_END = re.compile(rb"(<Hangup)")


class WentWrong(Exception):
    """The server did not answer as it answers a verified caller."""

    def __init__(self, step: Step, received: Received) -> None:
        super().__init__(f"{step.value}: status {received.status}, {received.body[:200]!r}")


class Codes(Protocol):
    """Where a caller reads the code that was sent to them."""

    def forget(self, number: str) -> None: ...

    async def code(self, number: str) -> str: ...


class SameCode:
    """The floors send no message: their callers type anything."""

    def forget(self, number: str) -> None:
        return

    async def code(self, number: str) -> str:
        return "123456"


Ask = Callable[[Step, bytes], Awaitable[Received]]
Pause = Callable[[Awaitable[str]], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Walk:
    """One call of one person.

    Arguments:
        site: the server, and how requests to it are signed.
        ask: sends one request; times it, or watches what it does.
        pause: waits for the code without being on the line.
    """

    site: Site
    person: Person
    codes: Codes
    ask: Ask
    pause: Pause

    async def go(self) -> None:
        """Make the whole call.

        Raises:
            WentWrong: at the first answer that is none for a verified caller.
        """
        person, sid = self.person, f"CA{token_hex(16)}"
        self.codes.forget(person.phone)
        form = common_fields(sid, person)
        action = await self._post(Step.RINGS, "/voice/incoming", {**form, "CallStatus": "ringing"}, _QUESTION)
        action = await self._post(Step.APPOINTMENTS, action, {**form, "Digits": "1"}, _QUESTION)
        action = await self._post(Step.BOOKED, action, {**form, "Digits": "1"}, _QUESTION)
        typed = f"{person.birth_date:%d%m%Y}"
        action = await self._post(Step.BIRTH_DATE, action, {**form, "Digits": typed}, _QUESTION)
        code = await self.pause(self.codes.code(person.phone))
        action = await self._post(Step.CODE, action, {**form, "Digits": code}, _QUESTION)
        sound, action = await self._told(action, {**form, "Digits": "1"})
        received = await self.ask(Step.AUDIO, self.site.get(sound))
        if received.status != 200 or not received.body.startswith(b"RIFF"):
            raise WentWrong(Step.AUDIO, received)
        action = await self._post(Step.HEARD, action, form, _QUESTION)
        action = await self._post(Step.CONFIRMS, action, {**form, "Digits": "1"}, _QUESTION)
        await self._post(Step.GOODBYE, action, {**form, "Digits": "2"}, _END)
        ended = await self.ask(Step.ENDED, self.site.post("/voice/status", {**form, **_COMPLETED}))
        if ended.status != 204:
            raise WentWrong(Step.ENDED, ended)

    async def _post(self, step: Step, target: str, form: Mapping[str, str], holds: re.Pattern[bytes]) -> str:
        received = await self.ask(step, self.site.post(target, form))
        return self._found(step, received, holds)

    async def _told(self, target: str, form: Mapping[str, str]) -> tuple[str, str]:
        """The disclosure: where its sound is, and where the call goes on behind it."""
        received = await self.ask(Step.IN_PRIVATE, self.site.post(target, form))
        sound, onward = (self._found(Step.IN_PRIVATE, received, holds) for holds in (_SOUND, _ONWARD))
        return sound, onward

    def _found(self, step: Step, received: Received, holds: re.Pattern[bytes]) -> str:
        match = holds.search(received.body)
        if received.status != 200 or match is None:
            raise WentWrong(step, received)
        return match[1].decode().removeprefix(self.site.base_url)


_COMPLETED = {
    "CallStatus": "completed",
    "CallDuration": "84",
    "Duration": "2",
    "CallbackSource": "call-progress-events",
    "SequenceNumber": "0",
    "Timestamp": "Thu, 26 Nov 2026 09:01:24 +0000",
}


def common_fields(sid: str, person: Person) -> dict[str, str]:
    """What every webhook of a leg carries, as the carrier sends it: about 1 KiB once encoded."""
    places = ("City", "State", "Zip", "Country")
    return {
        "CallSid": sid,
        "AccountSid": ACCOUNT,
        "ApiVersion": "2010-04-01",
        "CallStatus": "in-progress",
        "Direction": "inbound",
        "From": person.phone,
        "To": person.called,
        "Caller": person.phone,
        "Called": person.called,
        **{f"{whose}{what}": "" for whose in ("From", "To", "Caller", "Called") for what in places[:3]},
        **{f"{whose}Country": "FR" for whose in ("From", "To", "Caller", "Called")},
    }
