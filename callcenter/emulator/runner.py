"""Running a transcript against an emulator: make the call, follow the steps, compare."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from callcenter.emulator.client import CallState, ControlClient, Spoken
from callcenter.emulator.errors import EmulatorError, Refusal
from callcenter.emulator.ledger_rows import compare
from callcenter.emulator.lines import Forwarding
from callcenter.emulator.narration import heard_line, keys_line, message_line, sent_line
from callcenter.emulator.nodes import plain
from callcenter.emulator.outcomes import CouldNotRun, Differed, Outcome, Passed
from callcenter.emulator.steps import (
    Answers,
    Ends,
    HangsUp,
    Hears,
    HearsNot,
    NoTexts,
    Presses,
    Says,
    SendsText,
    Step,
    Texts,
    Transcript,
    Waits,
)

LedgerReader = Callable[[str], Awaitable[list[dict[str, Any]]]]
Narrator = Callable[[str], object]

REFERENCE = re.compile(r"\{(\w+)(!?)\}")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for what happens beside the call, in real seconds.

    Arguments:
        text: for a text message to arrive.
        no_text: in which one that should not arrive would.
        ring: for another telephone to ring.
        ledger: for the records to be as expected.
    """

    text: float = 10.0
    no_text: float = 1.0
    ring: float = 10.0
    ledger: float = 5.0


PATIENT = Patience()


class SettableClock(Protocol):
    """The clock that the application and the emulator share."""

    def set(self, at: datetime) -> None: ...


def _silently(line: str) -> None:
    """Nobody looks on."""


async def run(
    transcript: Transcript,
    *,
    base_url: str,
    ledger: LedgerReader | None = None,
    clock: SettableClock | None = None,
    patience: Patience = PATIENT,
    narrate: Narrator = _silently,
) -> Outcome:
    """Make the call that a transcript describes.

    Arguments:
        transcript: from :func:`~callcenter.emulator.transcript.load_transcript`.
        base_url: a running emulator.
        ledger: given a call's sid, the records that it left, in order.
        clock: set to the transcript's ``at``, if both are there.
        patience: how long to wait for what should happen beside the call.
        narrate: gets a line for whatever is heard, pressed or received, as it happens.
    """
    if transcript.ledger is not None and ledger is None:
        return CouldNotRun("le scénario vérifie le registre, mais rien ici ne permet de le lire.")
    if clock is not None and transcript.at is not None:
        clock.set(transcript.at)
    try:
        async with ControlClient(base_url) as client:
            return await _run(client, transcript, ledger, patience, narrate)
    except EmulatorError as error:
        return CouldNotRun(str(error))


async def _run(
    client: ControlClient,
    transcript: Transcript,
    ledger: LedgerReader | None,
    patience: Patience,
    narrate: Narrator,
) -> Outcome:
    follower = await Follower.calling(client, transcript, patience, narrate)
    try:
        difference = await follower.follow(transcript.steps)
    finally:
        state = await follower.hang_up()
    if difference is not None:
        return difference
    if state.activity != "ended" or state.callbacks_pending:
        return CouldNotRun("l'appel ne s'est pas terminé, ou l'application n'a pas pris note de sa fin.")
    if transcript.ledger is None or ledger is None:
        return Passed()
    return await _ledger(transcript, ledger, follower.sid, patience.ledger)


async def _ledger(transcript: Transcript, ledger: LedgerReader, sid: str, seconds: float) -> Outcome:
    """Compare the records, for some seconds: what the end of a call leaves may be written a little later."""
    until = asyncio.get_running_loop().time() + seconds
    while True:
        difference = compare(transcript, await ledger(sid))
        if difference is None:
            return Passed()
        if asyncio.get_running_loop().time() >= until:
            return difference
        await asyncio.sleep(0.1)


class Follower:
    """One call, followed step after step.

    Arguments:
        sid: the call.
        seen: how many messages there were before it began.
        patience: how long to wait for what happens beside it.
        narrate: gets what happens.
        caller: sends text messages, where no other telephone is named.
    """

    def __init__(
        self,
        client: ControlClient,
        sid: str,
        seen: int,
        patience: Patience = PATIENT,
        narrate: Narrator = _silently,
        caller: str = "",
    ) -> None:
        self.sid = sid
        self._caller = caller
        self._client = client
        self._seen = seen
        self._patience = patience
        self._narrate = narrate
        self._told: dict[str, int] = {}
        self._window = 0
        self._kept: dict[str, str] = {}
        self._used: set[int] = set()
        self._telephones: dict[str, str] = {}
        self._answered: list[str] = []
        self._step = Step(0, 0, Ends())
        self._forwardings: tuple[Sequence[Forwarding], Sequence[Forwarding]] = ((), ())

    @classmethod
    async def calling(
        cls,
        client: ControlClient,
        transcript: Transcript,
        patience: Patience = PATIENT,
        narrate: Narrator = _silently,
    ) -> Follower:
        """Make the call that a transcript describes; no step of it is taken yet."""
        seen = await client.last_message()
        before = await client.forwardings()
        try:
            for forwarding in transcript.forwarding:
                await client.forward(forwarding)
            sid = await client.start(transcript.caller, transcript.called, "scripted", transcript.forwarded_from)
        except EmulatorError:
            await _put_back(client, transcript.forwarding, before)
            raise
        follower = cls(client, sid, seen, patience, narrate, caller=transcript.caller)
        follower._forwardings = (transcript.forwarding, before)
        return follower

    async def hang_up(self) -> CallState:
        """Hang up every telephone; the call when its end was reported, or as it is when that takes too long.

        Lines forward again what they forwarded before the call.
        """
        await _put_back(self._client, *self._forwardings)
        for leg in (self.sid, *self._answered):
            await self._client.hang_up(leg)
        state = await self._client.closed(self.sid)
        self.tell(state)
        return state

    async def follow(self, steps: Sequence[Step]) -> Differed | None:
        """The first difference, or None."""
        for step in steps:
            self._step = step
            state = await self._settled(self.sid)
            difference = await self._take(state)
            if difference is not None:
                return difference
        return None

    def tell(self, state: CallState, telephone: str = "") -> None:
        """Narrate what a telephone has heard since the last time."""
        for spoken in state.heard[self._told.get(state.sid, 0) :]:
            self._narrate(telephone + heard_line(spoken))
        self._told[state.sid] = len(state.heard)

    async def _take(self, state: CallState) -> Differed | None:
        heard = state.heard[self._window :]
        match self._step.action:
            case Hears(pattern):
                return self._hears(pattern, heard)
            case HearsNot(pattern):
                if pattern.search(_text(heard)):
                    return self._differs(f"ne pas entendre « {pattern.pattern} »", _quote(heard))
            case Presses(keys):
                self._window = len(state.heard)
                return await self._press(state, self.sid, keys, heard)
            case Waits(seconds):
                self._window = len(state.heard)
                return await self._wait(state, seconds)
            case Says(text):
                self._window = len(state.heard)
                return await self._say(state, text)
            case Texts():
                return await self._texts(self._step.action)
            case NoTexts(to):
                return await self._no_texts(to)
            case SendsText():
                return await self._send_text(self._step.action)
            case Answers():
                self._window = len(state.heard)
                return await self._answer(self._step.action)
            case HangsUp(name):
                await self._client.hang_up(self._telephones[name] if name is not None else self.sid)
            case Ends():
                return self._ended(state)
        return None

    def _hears(self, pattern: re.Pattern[str], heard: Sequence[Spoken]) -> Differed | None:
        if pattern.search(_text(heard)):
            return None
        return self._differs(f"entendre « {pattern.pattern} »", _quote(heard))

    async def _press(self, state: CallState, sid: str, keys: str, heard: Sequence[Spoken]) -> Differed | None:
        digits = REFERENCE.sub(self._kept_digits, keys).replace(",", "")
        self._narrate(keys_line(digits))
        if state.activity == "ended":
            return self._differs(f"pouvoir taper {keys}", f"l'appel était terminé ; {_quote(heard)}")
        if digits and not await self._client.press(sid, digits):
            return self._differs(f"pouvoir taper {keys}", f"rien n'écoutait les touches ; {_quote(heard)}")
        return None

    def _kept_digits(self, reference: re.Match[str]) -> str:
        """What a name stands for; with ``!``, digits that are all different from it."""
        kept = self._kept[reference[1]]
        return "".join(str((int(key) + 1) % 10) if key.isdigit() else key for key in kept) if reference[2] else kept

    async def _wait(self, state: CallState, seconds: float) -> Differed | None:
        if state.activity == "ended":
            return self._differs(f"attendre {seconds:g} s au téléphone", "l'appel était terminé")
        await self._client.advance(self.sid, seconds)
        return None

    async def _say(self, state: CallState, text: str) -> Differed | None:
        try:
            await self._client.speak(self.sid, text)
        except Refusal:
            ended = state.activity == "ended"
            return self._differs(
                f"pouvoir dire « {text} »", "l'appel était terminé" if ended else "rien n'écoutait la voix"
            )
        return None

    async def _texts(self, texts: Texts) -> Differed | None:
        loop = asyncio.get_running_loop()
        until, after = loop.time() + self._patience.text, self._seen
        arrived = []
        while (left := until - loop.time()) > 0:
            for message in await self._client.inbox(texts.to, after=after, wait=left):
                after = message.number
                found = texts.pattern.search(plain(message.body)) if message.number not in self._used else None
                if found is not None:
                    self._used.add(message.number)
                    self._narrate(message_line(message))
                    if texts.name is not None:
                        kept = found[1] if found.re.groups else found[0]
                        self._kept[texts.name] = re.sub(r"\s", "", kept or "")
                    return None
                arrived.append(f"« {message.body} »")
        expected = f"un SMS au {texts.to} contenant « {texts.pattern.pattern} »"
        return self._differs(expected, ", ".join(arrived) or "aucun SMS")

    async def _no_texts(self, to: str) -> Differed | None:
        arrived = await self._client.inbox(to, after=self._seen, wait=self._patience.no_text)
        if not arrived:
            return None
        return self._differs(f"aucun SMS au {to}", ", ".join(f"« {message.body} »" for message in arrived))

    async def _send_text(self, text: SendsText) -> Differed | None:
        self._narrate(sent_line(text.to, text.body))
        status = await self._client.send_text(text.sender or self._caller, text.to, text.body)
        if status is not None and 200 <= status < 300:
            return None
        heard = "personne ne prend les SMS à ce numéro" if status is None else f"l'application a répondu {status}"
        return self._differs(f"pouvoir envoyer « {text.body} » au {text.to}", heard)

    async def _answer(self, answers: Answers) -> Differed | None:
        ringing = await self._client.ringing(answers.on, self._patience.ring)
        leg = next((leg for leg in ringing if leg.parent == self.sid), ringing[-1] if ringing else None)
        if leg is None:
            return self._differs(f"entendre sonner le {answers.on}", "ce téléphone ne sonne pas")
        await self._client.answer(leg.sid)
        self._answered.append(leg.sid)
        if answers.name is not None:
            self._telephones[answers.name] = leg.sid
        state = await self._settled(leg.sid, f"{answers.on} ")
        if answers.pattern is not None and (differs := self._hears(answers.pattern, state.heard)) is not None:
            return differs
        return None if answers.keys is None else await self._press(state, leg.sid, answers.keys, state.heard)

    def _ended(self, state: CallState) -> Differed | None:
        if state.activity != "ended":
            return self._differs("la fin de l'appel", f"l'appel continue ; {_quote(state.heard[self._window :])}")
        if state.hung_up_by == "telephone":
            return self._differs("que l'autre côté raccroche", "l'appelant a raccroché lui-même")
        return None

    async def _settled(self, sid: str, telephone: str = "") -> CallState:
        state = await self._client.settled(sid)
        self.tell(state, telephone)
        if state.activity == "busy":
            raise EmulatorError("l'appel n'attend rien et ne se termine pas non plus, après 30 secondes.")
        return state

    def _differs(self, expected: str, heard: str) -> Differed:
        return Differed(self._step.number, self._step.line, expected, heard)


async def _put_back(client: ControlClient, made: Sequence[Forwarding], before: Sequence[Forwarding]) -> None:
    """Take off what a transcript set up, and let lines forward as they did."""
    places = {(forwarding.line, forwarding.when) for forwarding in made}
    for forwarding in made:
        await client.unforward(forwarding)
    for forwarding in before:
        if (forwarding.line, forwarding.when) in places:
            await client.forward(forwarding)


def _text(heard: Sequence[Spoken]) -> str:
    return plain(" ".join(spoken.text for spoken in heard if spoken.kind != "pause"))


def _quote(heard: Sequence[Spoken]) -> str:
    words = " ".join(spoken.text for spoken in heard if spoken.kind != "pause")
    return f"on a entendu « {words} »" if words else "on n'a rien entendu"
