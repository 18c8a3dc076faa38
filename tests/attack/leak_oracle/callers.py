"""Callers at random: who rings, where they want to get in the flow, what goes wrong on the way.

A caller is a plain value; all that it does follows from it and from what it is answered, so that the value that a
failing test prints replays the call.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

from callcenter.flow.language import Branch, Connect, Disclose, Do, Find, Flow, Say, Switch
from callcenter.flow.subflow_language import Leave, Run
from tests.attack.leak_oracle.people import Population

Hop = tuple[str, str]

#: Patients who can prove who they are and have something to hear: two of three callers are one of them.
_PROVABLE = (
    *("several", "several", "single", "couple_one", "couple_two", "veiled", "sensitive", "dictated", "dictated"),
    "carded",
)
#: Outlets that need something to happen around the call.
_UNUSUAL = frozenset({"withheld", "none", "failed", "unavailable"})


class Rings(StrEnum):
    """What the line tells about who rings."""

    OWN_NUMBER = "their own number"
    WITHHELD = "withheld"
    KEYPAD_ANONYMOUS = "withheld, spelt on a keypad"
    PRACTICE_LINE = "the practice's own line"
    SIP = "a SIP address"


class HangsUp(StrEnum):
    """When a caller has had enough."""

    AT_THE_END = "at the end"
    BEFORE_WORDS = "before words about a patient are fetched"
    DURING_AUDIO = "while our voice makes the sound"
    AT_A_QUESTION = "at some question"


@dataclass(frozen=True, slots=True)
class Caller:
    """One caller.

    Arguments:
        who: key of a patient or of a stranger: whose birth date and numbers they type.
        called: slug of the practice that they ring.
        goal: the outlet that they are after; from there on they wander.
        unrest: how often they do something else first, from 0 (never) to 1.
        seed: of all that is left to chance.
        door: which of the practice's numbers they ring; 0 is the first.
        closed: whether they ring out of hours; ``None`` leaves it to chance.
        staffed: whether an operator is on duty who answers by a telephone; ``None`` leaves it to chance.
    """

    who: str
    called: str
    rings: Rings
    goal: Hop
    hangs_up: HangsUp
    unrest: float
    seed: int
    door: int = 0
    closed: bool | None = None
    staffed: bool | None = None


#: Whom to ring, at which of their numbers, so that a call is received so.
RECEIVED = {
    "case menu": ("port", 0),
    "case overflow": ("port", 1),
    "case professionals": ("port", 2),
    "case direct": ("direct", 0),
    "case practice": ("itself", 0),
    "case closed": ("port", 0),
}


#: Whom to ring who answers themselves, so that the answering service then receives so.
RECEIVED_THEN = {"case direct": "itself-or-direct", "case overflow": "itself-or-overflow"}


def random_callers(flow: Flow, population: Population, count: int, at: int) -> list[Caller]:
    """About ``count`` callers, all different, from seeds that Hypothesis draws.

    Arguments:
        at: Hypothesis's own seed; the same one draws the same callers.
    """
    seeds: dict[int, None] = {}

    @seed(at)
    @settings(max_examples=count, database=None, phases=[Phase.generate], deadline=None)
    @given(st.integers(0, 2**64 - 1))
    def draw(number: int) -> None:
        seeds[number] = None

    draw()
    return [caller_of(number, flow, population) for number in seeds]


def caller_of(seed: int, flow: Flow, population: Population) -> Caller:
    """The caller that ``seed`` stands for."""
    chance = Random(seed)
    who = chance.choice([*population.people, *_PROVABLE, *(stranger.key for stranger in population.strangers)])
    at_home = who in population.people and chance.random() < 0.9  # else, nobody knows them there
    called = population.people[who].practice.slug if at_home else chance.choice(list(population.practices))
    return Caller(
        who=who,
        called=called,
        rings=Rings.OWN_NUMBER if chance.random() < 0.6 else chance.choice(list(Rings)),
        goal=chance.choice([(step, outlet) for step, outlet, _ in flow.edges()]),
        hangs_up=HangsUp.AT_THE_END if chance.random() < 0.5 else chance.choice(list(HangsUp)),
        unrest=chance.choice((0.0, 0.1, 0.3, 0.6)),
        seed=seed,
        door=chance.randrange(len(population.practices[called].numbers)) if chance.random() < 0.2 else 0,
    )


def determined_caller(flow: Flow, goal: Hop, attempt: int) -> Caller:
    """Somebody who can reach ``goal``, whatever it is."""
    way = dict(way_to(flow, flow.start, goal))
    received = way.get("arrival", "case menu")
    called, door = RECEIVED[received]
    called = RECEIVED_THEN.get(way.get("service", ""), called)
    rings = Rings.WITHHELD if goal[1] == "abandoned" else Rings.OWN_NUMBER
    who = "carded" if goal[0].startswith(("slot_", "by_reference")) else "several"
    unrest = 0.05 if attempt == 0 else 0.0
    return Caller(
        who,
        called,
        rings,
        goal,
        HangsUp.AT_THE_END,
        unrest,
        attempt,
        door=door,
        closed=received == "case closed",
        staffed=way.get("operators") in ("connected", "message", "callback", "keypad"),
    )


def leaving_callers() -> list[Caller]:
    """Somebody for each moment at which one may hang up, by our own voice and by the carrier's."""
    homes = {"several": "port", "dictated": "dicte"}
    return [
        Caller(who, called, Rings.OWN_NUMBER, ("read", "then"), hangs_up, 0.0, seed=1)
        for who, called in homes.items()
        for hangs_up in HangsUp
    ]


def way_to(flow: Flow, step: str, goal: Hop) -> Sequence[Hop]:
    """The shortest way from ``step`` through the outlet ``goal``; none if there is none."""
    before: dict[str, Hop | None] = {step: None}
    led: dict[str, str] = {}
    queue = deque([step])
    while queue:
        here = queue.popleft()
        if here in _last_before(flow, goal):
            hops = [goal]
            while here in led:
                hops = hops if before[here] is None else [before[here], *hops]
                here = led[here]
            return hops
        for hop, target in _onward(flow, here):
            if target not in before:
                before[target] = hop
                led[target] = here
                queue.append(target)
    return ()


def _onward(flow: Flow, here: str) -> Iterator[tuple[Hop | None, str]]:
    """Where a way goes on from ``here``, and the outlet that is taken; none into a sub-flow."""
    step = flow.steps[here]
    if isinstance(step, Run):
        yield None, flow.subflows[step.subflow].start
    elif isinstance(step, Leave):
        for run in flow.steps.values():
            if isinstance(run, Run) and run.subflow == flow.within(here):
                yield (run.name, step.by), run.ways[step.by]
    else:
        yield from (((here, outlet), target) for outlet, target in step.outlets().items())


def _last_before(flow: Flow, goal: Hop) -> frozenset[str]:
    """The steps at which ``goal`` is taken: a sub-flow is left by one of its own."""
    step = flow.steps[goal[0]]
    if not isinstance(step, Run):
        return frozenset({step.name})
    inside = (flow.steps[name] for name in flow.subflows[step.subflow].steps)
    return frozenset(one.name for one in inside if isinstance(one, Leave) and one.by == goal[1])


def wander(flow: Flow, step: str, chance: Random) -> Sequence[Hop]:
    """Some way from a question to the next one."""
    hops: list[Hop] = []
    while True:
        ways = dict(_onward(flow, step))
        if not ways:
            return hops
        usual = [hop for hop in ways if hop is None or hop[1] not in _UNUSUAL]
        usual = [hop for hop in usual if hop is not None and hop[1] == "verified"] or usual
        hop = chance.choice(usual if chance.random() < 0.8 else list(ways))
        hops += [] if hop is None else [hop]
        step = ways[hop]
        if not asks_nothing(flow, step):
            return hops


def asks_nothing(flow: Flow, step: str) -> bool:
    """Whether the flow goes through ``step`` without a question."""
    return isinstance(flow.steps[step], Say | Find | Disclose | Do | Branch | Switch | Connect | Run | Leave)
