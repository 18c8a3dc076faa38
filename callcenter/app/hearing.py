"""What callers of a practice would hear first: the flow itself is asked, with the practice's facts of that moment.

Nothing is repeated here: words, order and conditions are the flow's and the prompts'. The world that it is handed has
no caller, no patient and no line that rings; where the way leads to one, the words before it are all that is shown.
"""

from __future__ import annotations

import io
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from callcenter.calls.flows import Flows
from callcenter.flow.conversation import HangUp, Line, PutThrough, Question, Queueing, Recording, Started
from callcenter.flow.engine import advance
from callcenter.flow.ports import Admitted, Caller, MayRing, World
from callcenter.flow.state import initial
from callcenter.kernel.errors import CallcenterError
from callcenter.practice.facts import PracticeFacts
from callcenter.speech.voices import LONGEST_TEXT, SAMPLE_RATE, SAMPLE_WIDTH, Voice, wav

#: Silence between two sentences: seconds.
_PAUSE = 0.5

_THEN = {
    Question: "question",
    Queueing: "waiting",
    PutThrough: "ringing",
    Recording: "recording",
    HangUp: "end",
}


class NobodyThere(CallcenterError):
    """A preview has come to where somebody must be on the line."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """The beginning of a call.

    Arguments:
        lines: what is said, in order.
        then: what follows: ``question``, ``waiting``, ``ringing``, ``recording`` or ``end``.
    """

    lines: tuple[Line, ...]
    then: str


async def beginning(flows: Flows, facts: PracticeFacts, number: str, at: datetime) -> Beginning:
    """How a call to ``number`` (E.164) at ``at`` (aware) begins, up to the first thing that a caller can do.

    Arguments:
        facts: of the practice at that moment.
    """
    of_the_call: dict[str, str | bool] = {
        "caller.number_withheld": False,
        "call.arrival": facts.arrival(number, at).value,
    }
    nobody = cast("Any", _Nobody())
    world = World(
        now=at.astimezone(facts.timezone),
        caller=Caller(None),
        public={**facts.public(at), **of_the_call},
        verifier=nobody,
        record=nobody,
        messages=nobody,
        outreach=nobody,
        booking=nobody,
        references=nobody,
        switchboard=cast("Any", _RingsNobody(facts.rescue_number, number)),
        lobby=cast("Any", _SomebodyIsThere()),
    )
    turn = await advance(flows.entry, flows.book, initial(flows.entry), Started(), world)
    said = (*turn.reply.before, *getattr(turn.reply.then, "lines", ()))
    return Beginning(tuple(line for line in said if isinstance(line, Line) and line.text), _THEN[type(turn.reply.then)])


async def spoken(voice: Voice, lines: Sequence[tuple[str, str]]) -> bytes:
    """A WAV file of ``lines`` (text, language), one after the other.

    Raises:
        VoiceUnavailable: there is no sound now.
    """
    pause = bytes(SAMPLE_WIDTH * int(_PAUSE * SAMPLE_RATE))
    parts = [
        _frames(await voice.synthesise(piece, language)) + pause
        for text, language in lines
        for piece in _pieces(text)
        if any(letter.isalnum() for letter in piece)
    ]
    return wav(b"".join(parts))


def _pieces(text: str) -> list[str]:
    """``text`` in as many pieces as a voice takes, broken between words."""
    pieces = [""]
    for word in text.split():
        if len(pieces[-1]) + len(word) + 1 > LONGEST_TEXT:
            pieces.append("")
        pieces[-1] = f"{pieces[-1]} {word[:LONGEST_TEXT]}".strip()
    return pieces


def _frames(sound: bytes) -> bytes:
    with wave.open(io.BytesIO(sound)) as reader:
        return bytes(reader.readframes(reader.getnframes()))


class _Nobody:
    """Every port that needs somebody on the line."""

    def __getattr__(self, name: str) -> Any:
        raise NobodyThere(name)


@dataclass(frozen=True, slots=True)
class _RingsNobody:
    line: str
    shown: str

    async def put_through(self) -> MayRing:
        return MayRing(self.line, self.shown)


class _SomebodyIsThere:
    async def enter(self, language: str, *, relayed: bool) -> Admitted:
        del language, relayed
        return Admitted("apercu")
