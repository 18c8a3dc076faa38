"""Taps on the ways out of a running server: each sees what leaves at the moment when it does, before it has left.

They stand where the product hands bytes over: an aiohttp signal that runs before the first byte of an answer, the
voice's port, the stream of the logs. Nothing of the product is changed by them.
"""

from __future__ import annotations

import io
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web
from aiohttp.typedefs import Handler

from callcenter.calls import steps
from callcenter.calls.steps import Steps
from callcenter.flow.engine import Turn
from callcenter.flow.language import Flow, Lookup
from callcenter.flow.outcomes import Prompts
from callcenter.flow.ports import Found, Nothing, Record, Withheld, World
from callcenter.flow.state import State
from callcenter.speech.voices import Voice
from callcenter.telephony.application import EdgeDependencies, webhook_application
from tests.attack.leak_oracle.coverage import Coverage
from tests.attack.leak_oracle.verdict import Judge, Sink

_STEP_URL = re.compile(r"/voice/calls/([0-9a-f-]{36})/")
#: A log's own time, which is no time of anybody's.
_STAMP = re.compile(r'"timestamp": "[0-9T:.Z-]+"')

_call: ContextVar[UUID | None] = ContextVar("call of the request that is answered", default=None)

Meddling = Callable[[], Awaitable[None]]


_NOBODYS = ("date", "content-length")


def headers_of(headers: Mapping[str, str]) -> str:
    """Headers as text, without the two whose figures are nobody's."""
    return "\n".join(f"{name}: {value}" for name, value in headers.items() if name.lower() not in _NOBODYS)


def _as_id(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None


@dataclass(slots=True)
class Edge:
    """The tap on the webhooks' listener.

    Arguments:
        judge: sees every answer before it leaves.
        before_answer: run once, when words about a patient are about to leave; a caller may hang up there.
        seen: every body that left.
    """

    judge: Judge
    before_answer: Meddling | None = None
    seen: set[bytes] = field(default_factory=set)

    def application(self, deps: EdgeDependencies) -> web.Application:
        """The product's own application, tapped."""
        application = webhook_application(deps)
        application.middlewares.insert(0, self._arrival)
        application.on_response_prepare.append(self._departure)
        return application

    @staticmethod
    @web.middleware
    async def _arrival(request: web.Request, handler: Handler) -> web.StreamResponse:
        _call.set(_as_id(request.match_info.get("call")))
        return await handler(request)

    async def _departure(self, request: web.Request, response: web.StreamResponse) -> None:
        content = getattr(response, "body", None)
        if isinstance(content, bytes):
            self.seen.add(content)
        body = content.decode(errors="replace") if isinstance(content, bytes) else ""
        named = _STEP_URL.search(body)
        call = _call.get() or _as_id(named[1] if named else None)
        if isinstance(content, bytes) and response.content_type == "audio/wav":  # music: seen as sounds are
            beside_the_sound(self.judge, content)
            body = ""
        await self.judge.answers(f"{response.status}\n{headers_of(response.headers)}\n{body}", call)
        if "<Redirect" in body and "<Record" not in body and self.before_answer is not None:
            meddling, self.before_answer = self.before_answer, None
            await meddling()


class TappedVoice:
    """Our voice, with a tap on what it is given to say.

    Arguments:
        voice: that says it.
        judge: sees the words before the voice does.
    """

    def __init__(self, voice: Voice, judge: Judge) -> None:
        self.before_sound: Meddling | None = None
        self._voice = voice
        self._judge = judge

    async def synthesise(self, text: str, language: str = "fr", speed: float = 1.0) -> bytes:
        await self._judge.speaks(text, _call.get())
        if self.before_sound is not None:
            meddling, self.before_sound = self.before_sound, None
            await meddling()
        sound = await self._voice.synthesise(text, language, speed)
        beside_the_sound(self._judge, sound)
        return sound


def beside_the_sound(judge: Judge, sound: bytes) -> None:
    """A WAV file is a header and samples; what else stands in it is beside the sound, and judged."""
    header, samples = sound[:44], sound[44:]
    judge.leaves(Sink.SOUND, header.decode(errors="replace"))
    if int.from_bytes(header[40:44], "little") != len(samples):
        judge.leaves(Sink.SOUND, samples.decode(errors="replace"))


class Logs(io.StringIO):
    """Where the logs go."""

    def taken(self) -> str:
        """What was logged since the last time, without its own times."""
        text = self.getvalue()
        self.seek(0)
        self.truncate()
        return "\n".join(dict.fromkeys(_STAMP.sub("", text).splitlines()))


@dataclass(slots=True)
class Observer:
    """Sees every turn of the flow, and may let something happen in the middle of one.

    Arguments:
        after_find: run once, between a ``find`` and what follows in the same turn: what a practice does meanwhile.
    """

    coverage: Coverage
    flow: Flow
    state: State | None = None
    visited: set[tuple[str, str]] = field(default_factory=set)
    after_find: Meddling | None = None
    _turns: list[Turn] = field(default_factory=list)

    def begin(self) -> None:
        """Another call begins."""
        self.state = None
        self.visited.clear()

    @contextmanager
    def watching(self, patch: pytest.MonkeyPatch) -> Any:
        """Watch until the end; a turn counts once its step has been committed."""
        advance, step = steps.advance, Steps.step

        async def observed(flow: Flow, book: Prompts, state: State, event: Any, world: World) -> Turn:
            turn = await advance(flow, book, state, event, replace(world, record=_Interrupted(world.record, self)))
            self._turns.append(turn)
            return turn

        async def committed(itself: Steps, event: Any, render: Any) -> Any:
            self._turns.clear()
            answer = await step(itself, event, render)
            for turn in self._turns:
                self.coverage.add(turn.visited)
                self.visited.update(turn.visited)
                self.state = turn.state
            return answer

        patch.setattr(steps, "advance", observed)
        patch.setattr(Steps, "step", committed)
        yield


class _Interrupted:
    """The record's port, behind which something may happen between two questions."""

    def __init__(self, record: Record, observer: Observer) -> None:
        self._record = record
        self._observer = observer
        self.tell = record.tell
        self.perform = record.perform

    async def find(self, what: Lookup, after: UUID | None) -> Found | Nothing | Withheld:
        answer = await self._record.find(what, after)
        meddling, self._observer.after_find = self._observer.after_find, None
        if meddling is not None:
            await meddling()
        return answer
