"""The flows that run, as the pages of supervisors and administrators ask for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from callcenter.calls.flows import Flows
from callcenter.calls.shelf import Shelf
from callcenter.console.flows_ports import GuardedStep, NoSuchScenario, Scenario
from callcenter.disclosure.policy import Policy
from callcenter.flow.draw import draw
from callcenter.flow.facts import LEVELS, PROVED, level_fact, level_in
from callcenter.flow.graph import Fact, Facts
from callcenter.flow.language import Direction, Flow
from callcenter.flow.picture.guards import Guard, guards_of
from callcenter.flow.picture.words import deed
from callcenter.flow.prompts import PromptBook
from callcenter.flow.proof import Proven
from callcenter.staff.room import StaffRoom
from callcenter.staff.values import Role

_ROLES = frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR})
#: Flows whose pictures and steps are kept; more do not run at once.
_KEPT = 16

_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True)
class _Shown:
    """One flow, with all that it is told by: taken at once, since another release may be published while it is read."""

    flow: Flow
    book: PromptBook
    policy: Policy
    proof: Proven


@dataclass(frozen=True, slots=True)
class StaffFlows:
    """Implements ``console.flows_ports.Scenarios``."""

    room: StaffRoom
    shelf: Shelf
    _pictures: dict[str, str] = field(default_factory=dict)
    _steps: dict[str, Sequence[GuardedStep]] = field(default_factory=dict)

    async def running(self, token: str) -> Sequence[Scenario]:
        await self._entitled(token)
        return [_scenario(one) for one in sorted(_all(self.shelf.current), key=lambda one: one.flow.name)]

    async def one(self, token: str, digest: str) -> tuple[Scenario, Sequence[GuardedStep]]:
        shown = await self._shown(token, digest)
        return _scenario(shown), await _kept(self._steps, shown, _guarded)

    async def picture(self, token: str, digest: str) -> str:
        return await _kept(self._pictures, await self._shown(token, digest), _drawn)

    async def _shown(self, token: str, digest: str) -> _Shown:
        await self._entitled(token)
        for one in _all(self.shelf.current):
            if one.flow.digest == digest:
                return one
        raise NoSuchScenario

    async def _entitled(self, token: str) -> None:
        """Whether the owner of a session may see the flows now.

        Raises:
            Forbidden: the session is over.
            NoSuchScenario: they supervise and administer nothing.
        """
        session = await self.room.standing(token)
        if not any(grant.role in _ROLES for grant in session.roles):
            raise NoSuchScenario


def _all(flows: Flows) -> Sequence[_Shown]:
    """The flows of a release; each is proven, or it would not be there."""
    return [
        _Shown(flow, flows.book, flows.policy, flows.proofs[digest])
        for digest, flow in flows.by_digest.items()
        if digest in flows.proofs
    ]


async def _kept(kept: dict[str, _Made], shown: _Shown, make: Callable[[_Shown], _Made]) -> _Made:
    """What is made of a flow, once: in a thread, because callers wait for nobody who looks at pictures."""
    digest = shown.flow.digest
    if digest not in kept:
        made = await asyncio.to_thread(make, shown)
        while len(kept) >= _KEPT:
            kept.pop(next(iter(kept)))
        kept[digest] = made
    return kept[digest]


def _drawn(shown: _Shown) -> str:
    return draw(shown.flow, shown.book, shown.policy, shown.proof)


def _guarded(shown: _Shown) -> Sequence[GuardedStep]:
    guarded = guards_of(shown.flow, shown.book, shown.policy).guarded
    return tuple(_step(shown, guard) for guard in guarded.values())


def _scenario(shown: _Shown) -> Scenario:
    flow = shown.flow
    return Scenario(
        digest=flow.digest,
        name=flow.name,
        channel=flow.channel,
        incoming=flow.direction is Direction.INCOMING,
        policy=shown.policy.version,
        steps=len(flow.steps),
        guarded=len(shown.proof.summary),
    )


def _step(shown: _Shown, guard: Guard) -> GuardedStep:
    return GuardedStep(
        name=guard.step,
        does=deed(shown.flow.steps[guard.step], shown.flow, shown.book, shown.policy),
        tells=tuple((one.value, shown.policy.rules[one].name) for one in sorted(guard.told)),
        needs=tuple(fact for fact in guard.needs if fact is not None),
        holds=_strongest(guard.holds & PROVED),
    )


def _strongest(facts: Facts) -> tuple[Fact, ...]:
    """The level, without those that it stands above, then the others."""
    level = level_in(facts)
    return (*((level_fact(level),) if level else ()), *sorted(facts - LEVELS))
