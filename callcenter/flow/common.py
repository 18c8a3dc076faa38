"""The steps that ask nobody anything: the same on every channel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol
from uuid import UUID

from callcenter.flow.language import Act, Branch, Do, Find, Lookup, Switch
from callcenter.flow.outcomes import Left
from callcenter.flow.ports import Done, Failed, Found, Nothing, Withheld
from callcenter.flow.state import State
from callcenter.flow.walking import FlowStuck

#: The name under which ``find`` binds what it found.
APPOINTMENT = "appointment"


class Finder(Protocol):
    """Looks into the verified patient's record."""

    async def find(self, what: Lookup, after: UUID | None) -> Found | Nothing | Withheld: ...


class Actor(Protocol):
    """Acts on what was found there."""

    async def perform(self, act: Act, reference: UUID) -> Done | Failed: ...


async def find(step: Find, state: State, record: Finder) -> Left:
    """Look for what the step names, and bind it."""
    after = state.bound.get(APPOINTMENT) if step.what is Lookup.FOLLOWING_APPOINTMENT else None
    match await record.find(step.what, after):
        case Found(reference):
            return Left("found", state.binding(APPOINTMENT, reference))
        case Nothing():
            return Left("none", state)
        case Withheld():
            return Left("withheld", state)


async def do(step: Do, state: State, record: Actor) -> Left:
    """Act on the appointment that was found."""
    match await record.perform(step.act, found(step.name, state)):
        case Done():
            return Left("done", state.unbinding(APPOINTMENT) if step.act is Act.CANCEL_APPOINTMENT else state)
        case Failed():
            return Left("failed", state)


def found(step: str, state: State) -> UUID:
    """The appointment that was found.

    Raises:
        FlowStuck: none was. The proof refuses a flow that could come here: an act that leaves no record is none that a
            caller hears of.
    """
    reference = state.bound.get(APPOINTMENT)
    if reference is None:
        raise FlowStuck(f"step {step} acts on an appointment, and none was found")
    return reference


def case(step: Switch, public: Mapping[str, str | bool]) -> str:
    """The outlet of the case that stands."""
    value = public.get(step.on)
    if not isinstance(value, str) or value not in step.cases:
        raise FlowStuck(f"step {step.name}: {step.on} is none of its cases")
    return f"case {value}"


def branch(step: Branch, public: Mapping[str, str | bool]) -> str:
    """The outlet of yes, or of no."""
    answer = public.get(step.on)
    if not isinstance(answer, bool):
        raise FlowStuck(f"step {step.name}: {step.on} is not a yes or a no")
    return "yes" if answer else "no"
