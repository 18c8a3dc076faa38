"""What a caller's keys mean at a question, and how often a question is asked.

Digits are asked in one way everywhere: ``0`` is a digit; silence asks again; ``#`` alone escapes; ``*`` starts again,
and what follows the last one counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from callcenter.flow.conversation import SECONDS_FOR_DIGITS, Keyed
from callcenter.flow.outcomes import Scene, Waiting
from callcenter.flow.state import State

# UX-02: a prompt is repeated at most twice, then a person.
PROMPTS = 3
#: ``*`` costs nothing this many times at one question, so that somebody who mistypes is not hurried.
FREE_RESTARTS = 3

# What the engine says of its own accord.
NONSENSE_PROMPT = "engine.nonsense"
RESTART_PROMPT = "engine.restart"


class Cause(StrEnum):
    """Why a question has no answer."""

    SILENCE = "silence"
    NONSENSE = "nonsense"
    RESTART = "restart"
    ESCAPE = "escape"


@dataclass(frozen=True, slots=True)
class Digits:
    """Digits to make sense of; at least one."""

    keys: str


@dataclass(frozen=True, slots=True)
class AskAgain:
    """The question may be asked once more."""

    cause: Cause
    state: State


@dataclass(frozen=True, slots=True)
class GaveUp:
    """The question is not asked any more.

    Arguments:
        cause: of the last try; ``RESTART`` has become ``NONSENSE`` by then.
    """

    cause: Cause


@dataclass(frozen=True, slots=True)
class DigitQuestion:
    """A question that digits answer.

    Arguments:
        prompt: asks it, and asks it again on silence.
        again: prompts that ask it again after nonsense.
        digits: how many complete it; it then ends by itself.
        seconds: of silence that end it.
        prompts: how often it may go without an answer.
    """

    prompt: str
    again: tuple[str, ...]
    digits: int
    seconds: int = SECONDS_FOR_DIGITS
    prompts: int = PROMPTS

    def ask(self, state: State, scene: Scene) -> Waiting:
        """Ask it for the first time in ``state``."""
        return self._asked(state, scene, self.prompt)

    def ask_again(self, cause: Cause, state: State, scene: Scene) -> Waiting | GaveUp:
        """Ask it once more because of ``cause``, unless its bound is reached."""
        match count(state, cause, self.prompts):
            case GaveUp() as gave_up:
                return gave_up
            case AskAgain(Cause.NONSENSE, counted):
                return self._asked(counted, scene, *self.again)
            case AskAgain(Cause.RESTART, counted):
                return self._asked(counted, scene, RESTART_PROMPT, self.prompt)
            case AskAgain(_, counted):
                return self._asked(counted, scene, self.prompt)

    def _asked(self, state: State, scene: Scene, *prompts: str) -> Waiting:
        return Waiting(scene.question(*prompts, max_keys=self.digits, seconds=self.seconds), state)


def menu_cause(keyed: Keyed) -> Cause:
    """Why ``keyed``, which is no key of a menu, does not answer it. ``#`` alone is silence, ``*`` repeats."""
    if not keyed.keys:
        return Cause.SILENCE
    return Cause.RESTART if keyed.keys == "*" else Cause.NONSENSE


def since_star(keys: str) -> str:
    """What counts of ``keys``: all after the last ``*``."""
    return keys.rpartition("*")[2]


def read_digits(keyed: Keyed, wanted: int) -> Digits | Cause:
    """What ``keyed`` means at a question for ``wanted`` digits."""
    if not keyed.keys:
        return Cause.ESCAPE if keyed.hash_key else Cause.SILENCE
    digits = since_star(keyed.keys)
    if "*" in keyed.keys and len(digits) < wanted:
        return Cause.RESTART
    return Digits(digits)


def count(state: State, cause: Cause, prompts: int = PROMPTS) -> AskAgain | GaveUp:
    """Count one more try without an answer. Silences and nonsense share the bound ``prompts``; an escape has none."""
    match cause:
        case Cause.ESCAPE:
            return GaveUp(cause)
        case Cause.RESTART if state.restarts < FREE_RESTARTS:
            return AskAgain(cause, replace(state, restarts=state.restarts + 1))
        case Cause.SILENCE:
            counted = replace(state, silences=state.silences + 1)
        case _:
            cause, counted = Cause.NONSENSE, replace(state, nonsense=state.nonsense + 1)
    if counted.silences + counted.nonsense >= prompts:
        return GaveUp(cause)
    return AskAgain(cause, counted)
