"""The flows that run, as the pages of supervisors and administrators ask for them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from callcenter.calls.flows import Flows
from callcenter.calls.shelf import Shelf
from callcenter.console.flows_ports import GuardedStep, NoSuchScenario, Scenario
from callcenter.flow.draw import draw
from callcenter.flow.facts import LEVELS, PROVED, level_fact, level_in
from callcenter.flow.language import Direction, Flow
from callcenter.flow.must import Fact, Facts
from callcenter.flow.picture.guards import Guard, guards_of
from callcenter.flow.picture.words import deed
from callcenter.flow.proof import prove
from callcenter.staff.room import StaffRoom
from callcenter.staff.values import Role

_ROLES = frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR})
#: Pictures that are kept; more flows than that do not run at once.
_KEPT = 16


@dataclass(frozen=True, slots=True)
class StaffFlows:
    """Implements ``console.flows_ports.Scenarios``."""

    room: StaffRoom
    shelf: Shelf
    _pictures: dict[str, str] = field(default_factory=dict)

    @property
    def flows(self) -> Flows:
        """The release that calls begin in."""
        return self.shelf.current

    async def running(self, token: str) -> Sequence[Scenario]:
        await self._entitled(token)
        flows = sorted(self.flows.by_digest.values(), key=lambda flow: (flow.name, flow.digest))
        return [self._scenario(flow) for flow in flows]

    async def one(self, token: str, digest: str) -> tuple[Scenario, Sequence[GuardedStep]]:
        flow = await self._flow(token, digest)
        return self._scenario(flow), [self._step(flow, guard) for guard in self._guarded(flow)]

    async def picture(self, token: str, digest: str) -> str:
        flow = await self._flow(token, digest)
        if flow.digest not in self._pictures:
            drawn = await asyncio.to_thread(self._drawn, flow)
            while len(self._pictures) >= _KEPT:
                self._pictures.pop(next(iter(self._pictures)))
            self._pictures[flow.digest] = drawn
        return self._pictures[flow.digest]

    def _drawn(self, flow: Flow) -> str:
        book, policy = self.flows.book, self.flows.policy
        return draw(flow, book, policy, prove(flow, book, policy))

    def _guarded(self, flow: Flow) -> Sequence[Guard]:
        return tuple(guards_of(flow, self.flows.book, self.flows.policy).guarded.values())

    def _scenario(self, flow: Flow) -> Scenario:
        return Scenario(
            digest=flow.digest,
            name=flow.name,
            channel=flow.channel,
            incoming=flow.direction is Direction.INCOMING,
            policy=self.flows.policy.version,
            steps=len(flow.steps),
            guarded=len(self._guarded(flow)),
        )

    def _step(self, flow: Flow, guard: Guard) -> GuardedStep:
        policy = self.flows.policy
        return GuardedStep(
            name=guard.step,
            does=deed(flow.steps[guard.step], flow, self.flows.book, policy),
            tells=tuple((one.value, policy.rules[one].name) for one in sorted(guard.told)),
            needs=tuple(fact for fact in guard.needs if fact is not None),
            holds=_strongest(guard.holds & PROVED),
        )

    async def _flow(self, token: str, digest: str) -> Flow:
        await self._entitled(token)
        flow = self.flows.by_digest.get(digest)
        if flow is None:
            raise NoSuchScenario
        return flow

    async def _entitled(self, token: str) -> None:
        """Whether the owner of a session may see the flows now.

        Raises:
            Forbidden: the session is over.
            NoSuchScenario: they supervise and administer nothing.
        """
        session = await self.room.standing(token)
        if not any(grant.role in _ROLES for grant in session.roles):
            raise NoSuchScenario


def _strongest(facts: Facts) -> tuple[Fact, ...]:
    """The level, without those that it stands above, then the others."""
    level = level_in(facts)
    return (*((level_fact(level),) if level else ()), *sorted(facts - LEVELS))
