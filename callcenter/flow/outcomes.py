"""What became of a step in one turn, and what a step may use to get there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from callcenter.flow.conversation import Line, PutThrough, Question, Queueing, Recording, Utterance
from callcenter.flow.ports import Caller, World
from callcenter.flow.screens import Screen
from callcenter.flow.script_ports import ScriptWorld
from callcenter.flow.state import Manner, State


class Renderable(Protocol):
    """One prompt: words with public fields in them."""

    @property
    def language(self) -> str: ...

    def render(self, values: Mapping[str, object], /) -> str: ...

    @property
    def fields(self) -> frozenset[str]: ...


class Prompts(Protocol):
    """The prompts of a flow by key (``flow.prompts.PromptBook``)."""

    def said(self, key: str, language: str, /) -> Renderable: ...


class Setting(Protocol):
    """What every channel's world knows."""

    @property
    def now(self) -> datetime: ...

    @property
    def caller(self) -> Caller: ...

    @property
    def public(self) -> Mapping[str, str | bool]: ...

    def public_in(self, language: str) -> Mapping[str, str | bool]: ...


_World = TypeVar("_World", bound=Setting)


@dataclass(frozen=True, slots=True)
class Stage(Generic[_World]):
    """What the steps of one turn share.

    Arguments:
        book: the prompts.
        world: the ports.
        manner: how the caller is spoken to.
    """

    book: Prompts
    world: _World
    manner: Manner = field(default_factory=Manner)

    def line(self, prompt: str, **given: str) -> Line:
        """The public words of ``prompt``.

        Arguments:
            given: values of fields that only the step at hand knows, by their path with ``__`` for the dot.
        """
        words = self.book.said(prompt, self.manner.language)
        own = {name.replace("__", "."): value for name, value in given.items()}
        public = self.world.public_in(words.language)
        return Line(prompt, words.render({**public, **own} if own else public), words.language)

    def lines(self, *prompts: str) -> tuple[Line, ...]:
        """The public words of ``prompts``, but for those that have none now."""
        return tuple(line for line in map(self.line, prompts) if line.text)


@dataclass(frozen=True, slots=True)
class Scene(Stage[World]):
    """What the steps of a caller's turn share."""

    def question(self, *prompts: str, max_keys: int | None, seconds: int) -> Question:
        """Ask with the words of ``prompts``, one after another. Whoever needs time has twice ``seconds``."""
        return Question(self.lines(*prompts), max_keys, seconds * 2 if self.manner.needs_time else seconds)


@dataclass(frozen=True, slots=True)
class Left:
    """The step is left.

    Arguments:
        outlet: by which of its outlets.
        state: still names the step that is left.
        said: what was said on the way out.
    """

    outlet: str
    state: State
    said: tuple[Utterance, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """The step asks, and waits for the caller, or for whoever is rung or waited for."""

    question: Question | Recording | PutThrough | Queueing
    state: State
    said: tuple[Utterance, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """The call ends here."""

    state: State
    said: tuple[Utterance, ...] = ()


@dataclass(frozen=True, slots=True)
class Asking:
    """The step shows a screen, and waits for the operator, or for the caller to be back from their keys."""

    screen: Screen
    state: State
    said: tuple[Utterance, ...] = ()


@dataclass(frozen=True, slots=True)
class ScriptScene(Stage[ScriptWorld]):
    """What the steps of an operator's turn share."""


Outcome = Left | Waiting | Ended
ScriptOutcome = Left | Asking | Ended
