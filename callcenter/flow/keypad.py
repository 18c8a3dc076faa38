"""What a caller's keys mean at a question, and how often a question is asked.

Digits are asked in one way everywhere: ``0`` is a digit; silence asks again; ``#`` alone escapes; ``*`` starts again,
and what follows the last one counts. The carrier ends a question at its number of keys, a ``*`` and what stood before
it among them; what was begun behind the ``*`` is then kept, and the question waits for the rest without a word.
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
class Begun:
    """Digits behind a ``*``, cut short by the carrier while they were typed; at least one."""

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

    def read(self, keyed: Keyed, state: State) -> Digits | Begun | Cause:
        """What ``keyed`` means here, after what was begun before it."""
        if not keyed.keys:
            if state.begun and keyed.hash_key:
                return Digits(state.begun)
            return Cause.ESCAPE if keyed.hash_key else Cause.SILENCE
        digits = since_star(state.begun + keyed.keys)
        if "*" not in keyed.keys or len(digits) >= self.digits:
            return Digits(digits)
        cut_short = not keyed.hash_key and len(keyed.keys) >= self.digits - len(state.begun)
        if digits and cut_short and state.restarts < FREE_RESTARTS:
            return Begun(digits)
        return Cause.RESTART

    def go_on(self, begun: Begun, state: State, scene: Scene) -> Waiting:
        """Wait for the rest of what was begun: a free restart, in silence, for the caller is typing."""
        rest = self.digits - len(begun.keys)
        kept = replace(state, begun=begun.keys, restarts=state.restarts + 1)
        return Waiting(scene.question(max_keys=rest, seconds=self.seconds), kept)

    def _asked(self, state: State, scene: Scene, *prompts: str) -> Waiting:
        afresh = replace(state, begun="")
        return Waiting(scene.question(*prompts, max_keys=self.digits, seconds=self.seconds), afresh)


def menu_cause(keyed: Keyed) -> Cause:
    """Why ``keyed``, which is no key of a menu, does not answer it. ``#`` alone is silence, ``*`` repeats."""
    if not keyed.keys:
        return Cause.SILENCE
    return Cause.RESTART if keyed.keys == "*" else Cause.NONSENSE


def since_star(keys: str) -> str:
    """What counts of ``keys``: all after the last ``*``."""
    return keys.rpartition("*")[2]


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
