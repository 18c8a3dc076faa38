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
from callcenter.flow.subflow_language import Leave, Run
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
    for _ in range(1 + STEPS_A_TURN):  # the step that was answered, and those that follow
        said += outcome.said
        if not isinstance(outcome, Left):
            return Walked(outcome, said, visited)
        state, passed = _onward(flow, outcome.state, outcome.outlet)
        visited += passed
        scene = replace(scene, manner=state.manner)
        outcome = await begin(flow, state, scene, enter)
    raise FlowStuck(f"more than {STEPS_A_TURN} steps without a question")


async def begin(
    flow: Flow,
    state: State,
    scene: _Scene,
    enter: Callable[[Step, State, _Scene], Awaitable[Left | _Waits | Ended]],
) -> Left | _Waits | Ended:
    """Enter the step in which ``state`` stands; what leads into sub-flows, and out of them, is the same everywhere."""
    step = step_of(flow, state)
    if isinstance(step, Run | Leave):
        return Left("", state)
    return await enter(step, state, scene)


def _onward(flow: Flow, state: State, outlet: str) -> tuple[State, tuple[tuple[str, str], ...]]:
    """Where ``outlet`` of the step leads in which ``state`` stands, and the outlets that were taken."""
    left = step_of(flow, state)
    match left:
        case Run():
            return state.running(left.name, flow.subflows[left.subflow].start), ()
        case Leave() if not state.returns:
            raise FlowStuck(f"step {left.name} goes back, and nothing led there")
        case Leave(by=by):
            back = state.returned()
            return _onward_from(flow, back, step_of(flow, back), by)
        case _:
            return _onward_from(flow, state, left, outlet)


def _onward_from(flow: Flow, state: State, left: Step, outlet: str) -> tuple[State, tuple[tuple[str, str], ...]]:
    target = left.outlets()[outlet]
    out = state.returns and flow.within(target) != flow.within(left.name)
    return (state.led_to(target) if out else state.at(target)), ((left.name, outlet),)


def step_of(flow: Flow, state: State) -> Step:
    """The step in which ``state`` stands."""
    try:
        return flow.steps[state.step]
    except KeyError:
        raise FlowStuck(f"flow {flow.name} has no step {state.step}") from None
