"""The walk through a flow, the same on every channel: a step is left by an outlet, or waits, or ends.

The outlet leads to the next step, in the same turn. Which steps there are, and how each is entered, is the channel's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

from callcenter.flow.conversation import Utterance
from callcenter.flow.language import Flow, Step
from callcenter.flow.outcomes import Ended, Left, Stage
from callcenter.flow.state import State
from callcenter.kernel.errors import CallcenterError

#: Steps gone through in one turn; a flow that needs more goes round in circles.
STEPS_A_TURN = 50


class FlowStuck(CallcenterError):
    """A call was led where its flow cannot go."""


_Scene = TypeVar("_Scene", bound=Stage[Any])


class Stop(Protocol):
    """A step that waits, as it does on the channel."""

    @property
    def said(self) -> tuple[Utterance, ...]: ...


_Waits = TypeVar("_Waits", bound=Stop)


@dataclass(frozen=True, slots=True)
class Walked(Generic[_Waits]):
    """A turn's way up to where it stopped.

    Arguments:
        visited: (step, outlet) taken, in order.
    """

    stop: _Waits | Ended
    said: tuple[Utterance, ...]
    visited: tuple[tuple[str, str], ...]


async def walk(
    flow: Flow,
    outcome: Left | _Waits | Ended,
    scene: _Scene,
    enter: Callable[[Step, State, _Scene], Awaitable[Left | _Waits | Ended]],
) -> Walked[_Waits]:
    """Go on from ``outcome`` until something waits or ends.

    Arguments:
        enter: enters a step of the channel.

    Raises:
        FlowStuck: the flow goes round in circles.
    """
    said: tuple[Utterance, ...] = ()
    visited: tuple[tuple[str, str], ...] = ()
    for _ in range(STEPS_A_TURN):
        said += outcome.said
        if not isinstance(outcome, Left):
            return Walked(outcome, said, visited)
        left = step_of(flow, outcome.state)
        visited += ((left.name, outcome.outlet),)
        state = outcome.state.at(left.outlets()[outcome.outlet])
        scene = replace(scene, manner=state.manner)
        outcome = await enter(step_of(flow, state), state, scene)
    raise FlowStuck(f"more than {STEPS_A_TURN} steps without a question")


def step_of(flow: Flow, state: State) -> Step:
    """The step in which ``state`` stands."""
    try:
        return flow.steps[state.step]
    except KeyError:
        raise FlowStuck(f"flow {flow.name} has no step {state.step}") from None
