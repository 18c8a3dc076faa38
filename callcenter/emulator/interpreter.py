"""Executing TwiML on one leg, verb by verb, document by document."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from callcenter.emulator.audio import Sound, Sounds
from callcenter.emulator.calls import Afterwards, Call, Fetch, Source
from callcenter.emulator.documents import Documents
from callcenter.emulator.keypad import Input, Keypad, Nothing, parameters
from callcenter.emulator.prompts import LONGEST_CALL, Prompter
from callcenter.emulator.recorder import Recorder
from callcenter.emulator.recordings import Recording, Recordings
from callcenter.emulator.results import (
    STANDSTILL,
    DialResult,
    Ended,
    Exhausted,
    Left,
    Outcome,
    Place,
    QueueLeft,
    Standstill,
)
from callcenter.emulator.timeline import Bell
from callcenter.emulator.twiml import DocumentFailed
from callcenter.emulator.verbs import (
    Alert,
    Dial,
    Document,
    Enqueue,
    Gather,
    Hangup,
    Leave,
    Pause,
    Play,
    Record,
    Redirect,
    Reject,
    Say,
    Unsupported,
    Verb,
)
from callcenter.emulator.webhooks import Webhooks

APOLOGY = "We are sorry, an application error has occurred. Goodbye."
APOLOGY_SECONDS = 5.0
BEEP, BEEP_SECONDS = "[bip]", 1.0


class Dialler(Protocol):
    """Rings other numbers."""

    async def dial(self, call: Call, dial: Dial) -> DialResult: ...


class Queuer(Protocol):
    """Lets calls wait in queues."""

    async def enqueue(self, call: Call, enqueue: Enqueue) -> QueueLeft | Ended: ...


@dataclass(frozen=True, slots=True)
class Carrier:
    """What an interpreter needs of the carrier around it."""

    webhooks: Webhooks
    sounds: Sounds
    dialler: Dialler
    queuer: Queuer
    recordings: Recordings


class Interpreter:
    """Runs documents on one leg.

    Arguments:
        call: the leg.
        carrier: webhooks, sounds and other telephones.
        place: where it runs, if not on an ordinary call.
    """

    def __init__(self, call: Call, carrier: Carrier, place: Place | None = None) -> None:
        self._call = call
        self._place = place
        self._dialler = carrier.dialler
        self._queuer = carrier.queuer
        self._documents = Documents(call, carrier.webhooks)
        self._sounds = carrier.sounds
        self._recordings = carrier.recordings
        self._prompter = Prompter(call, carrier.sounds, lasting=place is not None)

    async def run(self, source: Source) -> Exhausted | Ended | Left:
        """Execute a document and whatever it leads to.

        Raises:
            DocumentFailed: in a place; on an ordinary call, that is heard and ends it.
        """
        standstill = Standstill(self._call)
        while True:
            outcome = await self._one(source)
            if not isinstance(outcome, Fetch):
                return outcome
            source = outcome
            stands = standstill.another()
            if stands and self._place is not None:
                message = f"{STANDSTILL} documents without input within a second"
                raise DocumentFailed(11215, source.url, message)
            if stands or self._call.timeline.elapsed > LONGEST_CALL:
                message = f"Ended by the emulator: four hours, or {STANDSTILL} documents without input within a second"
                self._call.alert(Alert(11215, "error", message, source.url))
                return Ended()

    async def _one(self, source: Source) -> Outcome:
        """One document; if it fails, the fallback; if that fails, an apology and the end."""
        if self._place is not None:
            return await self._execute(await self._obtain(source))
        try:
            return await self._execute(await self._obtain(source))
        except DocumentFailed as failed:
            self._call.alert(Alert(failed.code, "error", str(failed), failed.url))
            fallback = self._call.fallback
            if fallback is None:
                return await self._apologise()
            extras = (("ErrorCode", str(failed.code)), ("ErrorUrl", failed.url))
        try:
            asked = Fetch(fallback.url, fallback.method, extras)
            return await self._execute(await self._documents.obtain(asked, "fallback"))
        except DocumentFailed as failed:
            self._call.alert(Alert(failed.code, "error", str(failed), failed.url))
            return await self._apologise()

    async def _obtain(self, source: Source) -> Document:
        """The next document; while it is asked for, what was recorded before it cannot be fetched yet."""
        try:
            return await self._documents.obtain(source)
        finally:
            self._recordings.ready(self._call)

    async def _apologise(self) -> Ended:
        self._answer()
        self._call.hear("error", APOLOGY)
        await self._call.timeline.spend(APOLOGY_SECONDS, Bell())
        return Ended()

    async def _execute(self, document: Document) -> Outcome:
        if document.audio is not None:
            self._answer()
            await self._prompter.sound(await self._sounds.describe(document.url or "", document.audio))
            return Ended() if self._place is None else Exhausted()
        for index, verb in enumerate(document.verbs):
            if self._call.timeline.elapsed > LONGEST_CALL:
                return Ended()
            if self._place is None:
                self._call.verb = type(verb).__name__
            elif not isinstance(verb, self._place.legal):
                name = verb.name if isinstance(verb, Unsupported) else type(verb).__name__
                message = f"<{name}> is not allowed in {self._place.name}"
                raise DocumentFailed(self._place.code, document.url or "", message)
            outcome = await self._perform(verb, document, first=index == 0)
            if outcome is not None:
                return outcome
        self._answer()
        return Exhausted()

    async def _perform(self, verb: Verb, document: Document, *, first: bool) -> Outcome | None:
        """One verb; None means that the next one follows."""
        match verb:
            case Pause():  # as the first verb it delays the answer
                await self._prompter.play(verb, {})
                return None
            case Say() | Play():
                self._answer()
                await self._prompter.play(verb, await self._prompter.fetch((verb,)))
                return None
            case Gather():
                self._answer()
                return await self._gather(verb, document)
            case Record():
                self._answer()
                return await self._record(verb, document)
            case Dial():
                return await self._dial(verb)
            case Enqueue():
                return await self._enqueue(verb)
            case Leave():
                return self._leave()
            case Redirect(url, method):
                return Fetch(_address(url, document), method)
            case Reject(reason):
                return self._reject(reason, first=first)
            case Hangup():
                self._answer()
                return Ended()
            case Unsupported(name):
                raise DocumentFailed(12200, document.url or "", f"<{name}> is not played by this emulator")

    def _reject(self, reason: str, *, first: bool) -> Ended:
        if first and self._call.answered is None:
            return Ended("busy" if reason == "busy" else "no-answer")
        self._call.alert(Alert(12200, "warning", "<Reject> must be the first verb of the call; it hangs up"))
        return Ended()

    async def _dial(self, dial: Dial) -> Outcome | None:
        if not dial.answer_on_bridge:
            self._answer()
        result = await self._dialler.dial(self._call, dial)
        return Fetch(dial.action, dial.method, result.parameters()) if dial.action and not result.skipped else None

    async def _enqueue(self, enqueue: Enqueue) -> Outcome | None:
        self._answer()
        left = await self._queuer.enqueue(self._call, enqueue)
        if isinstance(left, Ended):
            return left
        return Fetch(enqueue.action, enqueue.method, left.parameters) if enqueue.action else None

    def _leave(self) -> Outcome | None:
        if self._place is not None:
            return Left()
        self._call.alert(Alert(12200, "warning", "<Leave> outside a queue leaves nothing"))
        return None

    async def _gather(self, gather: Gather, document: Document) -> Outcome | None:
        action = _address(gather.action, document)
        result = await self._collect(gather, await self._prompter.fetch(gather.prompts))
        if isinstance(result, Nothing) and not gather.empty_too:
            return None
        return Fetch(action, gather.method, parameters(result))

    async def _collect(self, gather: Gather, sounds: dict[str, Sound]) -> Input:
        call, keypad = self._call, Keypad(gather)
        call.bell.clear()
        call.listen(keypad)
        try:
            for prompt in gather.prompts:
                if not keypad.begun:
                    await self._prompter.play(prompt, sounds, keypad)
            woken = True
            while keypad.complete is None and woken:
                pressed = keypad.pressed
                woken = await call.timeline.wait(call.bell, call.timeline.elapsed + gather.timeout)
                woken = woken or keypad.pressed > pressed  # a key that came with the last moment counts
            return keypad.time_out()
        finally:
            call.listen(None)

    async def _record(self, record: Record, document: Document) -> Outcome | None:
        """Keep what the caller says; silence falls through to the next verb.

        Source: https://www.twilio.com/docs/voice/twiml/record
        """
        call, action = self._call, _address(record.action, document)
        if record.beep:
            call.hear("tone", BEEP)
            await call.timeline.spend(BEEP_SECONDS, Bell())
        recording, recorder = self._recordings.begin(call, record), Recorder(call, record)
        try:
            await recorder.run()
        except asyncio.CancelledError:  # hung up, or led elsewhere over REST
            self._recordings.finish(recording, recorder.text, recorder.seconds)
            self._after_hanging_up(recording, Fetch(action, record.method, recording.parameters()))
            raise
        self._recordings.finish(recording, recorder.text, recorder.seconds)
        if not recorder.text:
            return None
        ended_by = (("Digits", recorder.key),) if recorder.key is not None else ()
        return Fetch(action, record.method, recording.parameters() + ended_by)

    def _after_hanging_up(self, recording: Recording, asked: Fetch) -> None:
        call = self._call
        if not call.left:
            self._recordings.ready(call)
        elif recording.text:
            extras = (*asked.extras, ("Digits", "hangup"))
            call.afterwards = Afterwards(Fetch(asked.url, asked.method, extras), lambda: self._recordings.ready(call))

    def _answer(self) -> None:
        if self._call.answered is None:
            self._call.become("in-progress")


def _address(url: str | None, document: Document) -> str:
    if url is None:
        raise DocumentFailed(15004, document.url or "", "Inline TwiML has no address: URLs in it must be absolute")
    return url
