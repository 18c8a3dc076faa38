"""What each step may rely on, what it tells and what that needs: the proof, as a picture and a table show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from callcenter.disclosure.policy import Never, Policy
from callcenter.flow.facts import CARD_FACT, EMERGENCY, level_in
from callcenter.flow.graph import Fact, Facts
from callcenter.flow.language import Flow, Level
from callcenter.flow.needs import needs, told_by
from callcenter.flow.prompts import PromptBook
from callcenter.flow.proof import guaranteed
from callcenter.kernel.labels import Category, with_implied
from callcenter.kernel.levels import Channel


@dataclass(frozen=True, slots=True, order=True)
class Region:
    """Steps on arrival at which as much is guaranteed of the caller.

    Arguments:
        level: that they are verified to at least.
        card: a reference and the birth date that goes with it were given.
    """

    level: Level
    card: bool = False


@dataclass(frozen=True, slots=True)
class Guard:
    """A step that needs something of the caller on arrival.

    Arguments:
        step: its name.
        told: categories that it tells, with what those imply.
        needs: facts that must hold; ``None`` among them where nothing can ever meet the need.
        holds: facts that are guaranteed.
    """

    step: str
    told: frozenset[Category]
    needs: tuple[Fact | None, ...]
    holds: Facts

    @property
    def met(self) -> bool:
        """Whether all that it needs is guaranteed."""
        return all(fact is not None and fact in self.holds for fact in self.needs)


@dataclass(frozen=True, slots=True)
class Guards:
    """All of a flow.

    Arguments:
        regions: of every step that can be reached.
        guarded: the steps that need something of the caller, by name, in the flow's order.
    """

    regions: Mapping[str, Region]
    guarded: Mapping[str, Guard]


def guards_of(flow: Flow, book: PromptBook, policy: Policy) -> Guards:
    """What ``flow``'s steps may rely on, as the proof finds it."""
    holds = guaranteed(flow)
    guarded: dict[str, Guard] = {}
    for step in flow.steps.values():
        # What is about the call, and not about the caller, is a rule of order: no region opens anything by it.
        wanted = tuple(need.fact for need in needs(step, flow, book, policy) if need.fact != EMERGENCY)
        if wanted and step.name in holds:
            guarded[step.name] = Guard(step.name, with_implied(told_by(step, book)), wanted, holds[step.name])
    return Guards({name: region_of(facts) for name, facts in holds.items()}, guarded)


def region_of(facts: Facts) -> Region:
    """The region of a step at which ``facts`` are guaranteed."""
    return Region(level_in(facts), CARD_FACT in facts)


def opened(policy: Policy, channel: Channel) -> Mapping[Level, tuple[Category, ...]]:
    """The categories that each level opens, besides those that lower ones open."""
    found: dict[Level, list[Category]] = {}
    for category in sorted(policy.rules):
        match policy.required(category, channel):
            case Level() as level:
                found.setdefault(level, []).append(category)
    return {level: tuple(found[level]) for level in sorted(found)}


def closed(policy: Policy, channel: Channel) -> tuple[Category, ...]:
    """The categories that no level opens."""
    return tuple(one for one in sorted(policy.rules) if isinstance(policy.required(one, channel), Never))
