"""What became of a step in one turn, and what a step may use to get there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from callcenter.flow.conversation import Line, Question, Recording, Utterance
from callcenter.flow.ports import World
from callcenter.flow.state import State


class Renderable(Protocol):
    """One prompt: words with public fields in them."""

    def render(self, values: Mapping[str, object], /) -> str: ...


class Prompts(Protocol):
    """The prompts of a flow by key (``flow.prompts.PromptBook``)."""

    def __getitem__(self, key: str, /) -> Renderable: ...


@dataclass(frozen=True, slots=True)
class Scene:
    """What the steps of one turn share.

    Arguments:
        book: the prompts.
        world: the ports.
    """

    book: Prompts
    world: World

    def line(self, prompt: str, **given: str) -> Line:
        """The public words of ``prompt``.

        Arguments:
            given: values of fields that only the step at hand knows, by their path with ``__`` for the dot.
        """
        own = {name.replace("__", "."): value for name, value in given.items()}
        return Line(prompt, self.book[prompt].render({**self.world.public, **own} if own else self.world.public))

    def question(self, *prompts: str, max_keys: int | None, seconds: int) -> Question:
        """Ask with the words of ``prompts``, one after another."""
        return Question(tuple(self.line(prompt) for prompt in prompts), max_keys, seconds)


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
    """The step asks, and waits for the caller."""

    question: Question | Recording
    state: State
    said: tuple[Utterance, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """The call ends here."""

    state: State
    said: tuple[Utterance, ...] = ()


Outcome = Left | Waiting | Ended
