"""What comes in and what goes out of a flow: plain values that know nothing of any carrier."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

#: A date, a telephone number or a code is keyed slowly by elderly callers: seconds of silence before a question ends.
SECONDS_FOR_DIGITS = 10
SECONDS_FOR_A_CHOICE = 10
#: A spoken message: seconds.
LONGEST_MESSAGE = 120


@dataclass(frozen=True, slots=True)
class Started:
    """The call has come in."""


@dataclass(frozen=True, slots=True)
class Keyed:
    """A question ended.

    Arguments:
        keys: what was typed, ``0-9`` and ``*``; empty on silence and on ``#`` alone.
        hash_key: the caller ended with ``#``.
    """

    keys: str
    hash_key: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """The caller has spoken a message, and ended it or hung up.

    Arguments:
        reference: the carrier's identifier of the sound; opaque here.
        seconds: how long it lasts.
    """

    reference: str
    seconds: int


class Rang(StrEnum):
    """What became of a line that was rung for the caller."""

    TALKED = "talked"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Dialled:
    """The call was put through, and is back with us.

    Arguments:
        rang: what became of it.
    """

    rang: Rang


@dataclass(frozen=True, slots=True)
class Dequeued:
    """The caller waits no more. Whoever keeps the queue knows how that came.

    Arguments:
        met: they had been led to somebody who had taken the call; otherwise the carrier has let them out of its queue.
    """

    met: bool


Event = Started | Keyed | Recorded | Dialled | Dequeued


@dataclass(frozen=True, slots=True)
class Line:
    """Public words, already rendered.

    Arguments:
        prompt: key of the prompt.
        text: the words, in ``language``.
    """

    prompt: str
    text: str
    language: str = "fr"


class SpokenWords(Protocol):
    """Words about a patient, which only the gate can make (``disclosure.exits.Spoken``). Opaque to a flow."""

    @property
    def prompt(self) -> str: ...


Utterance = Line | SpokenWords


@dataclass(frozen=True, slots=True)
class Question:
    """Ask, and wait for keys. Any key interrupts ``lines``.

    Arguments:
        lines: public words of the question.
        max_keys: the question ends by itself at this many keys; ``None`` means at ``#`` or silence.
        seconds: silence after the words, or between two keys, that ends it.
    """

    lines: tuple[Line, ...]
    max_keys: int | None
    seconds: int


@dataclass(frozen=True, slots=True)
class Recording:
    """Let the caller speak a message after a tone, until ``#``, silence or the end of the call.

    Nothing spoken comes back as :class:`Keyed` without keys.

    Arguments:
        lines: public words, spoken whole before the tone.
        seconds: how long the message may be.
    """

    lines: tuple[Line, ...]
    seconds: int


@dataclass(frozen=True, slots=True)
class PutThrough:
    """Ring another line, and let the two talk; what became of it comes back as :class:`Dialled`.

    Arguments:
        lines: public words, spoken whole before it rings.
        line: that is rung, E.164.
        shown: the number of ours that it is shown, E.164.
    """

    lines: tuple[Line, ...]
    line: str = field(repr=False)
    shown: str


@dataclass(frozen=True, slots=True)
class Queueing:
    """Let the caller wait until somebody takes the call; that they wait no more comes back as :class:`Dequeued`.

    What is heard meanwhile is no part of the flow: it is made anew each time, of public words.

    Arguments:
        lines: public words, spoken whole before the wait.
        queue: opaque name of the carrier's queue.
        expected: somebody waits for them already: they are led there at once.
    """

    lines: tuple[Line, ...]
    queue: str
    expected: bool = False


@dataclass(frozen=True, slots=True)
class HangUp:
    """Nothing more to say: the call ends."""


Then = Question | Recording | PutThrough | Queueing | HangUp


@dataclass(frozen=True, slots=True)
class Reply:
    """What the caller meets next.

    Arguments:
        before: words that are spoken whole, before the question and outside it: what is said about a patient stands
            here, so that reaching the question's answer proves that it was heard.
        then: what follows.
    """

    before: tuple[Utterance, ...]
    then: Then
