"""P9, P7: what the proof says of calls that have grown too long is what the engine does with them.

Calls and scripts are walked on the real engine and found to have grown too long at one event or another. Wherever they
arrive, what the proof guarantees there is known; and wherever the engine leads to the person step from, the proof knows
of it. A script is led to the step by which it closes, which is its person step too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest

from callcenter.flow import engine, proof, script_engine
from callcenter.flow.conversation import Event
from callcenter.flow.effects import LIMIT
from callcenter.flow.facts import CARD_FACT, EMERGENCY, POSSESSION, PROVABLE, bound_fact, level_fact
from callcenter.flow.graph import Facts
from callcenter.flow.language import Channel, Choose, End, Flow, Level, Say, Step, Verify
from callcenter.flow.load import CHANNELS, load_flow
from callcenter.flow.prompts import PromptBook
from callcenter.flow.proof import LED_FROM, Proven, graph_of, guaranteed, prove
from callcenter.flow.screens import ScriptEvent
from callcenter.flow.state import SLOT, State
from tests.unit.flow.gated import GatedReferences, Verifier
from tests.unit.flow.gated_practice import POLICY, ROOT, book_with_speciality
from tests.unit.flow.random_flows import HEAD, Files, authored, to_a_person
from tests.unit.flow.random_operators import Operator
from tests.unit.flow.random_scripts import HEAD as SCRIPT_HEAD
from tests.unit.flow.random_scripts import authored_script
from tests.unit.flow.test_random_flows import SEED
from tests.unit.flow.wanderers import Wanderer

#: Events at which a call may be found to have grown too long, and those that are walked on behind it.
EVENTS, MORE = range(1, 13), 3


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> PromptBook:
    return book_with_speciality(tmp_path_factory.mktemp("prompts"))


# --- which steps


NAMES = {
    Channel.VOICE: {"Choose", "Ask", "Verify", "ReachOut", "Prove", "Book", "Reference", "Card", "Move"},
    Channel.CONSOLE: {"Show", "Pick", "Verify", "Reveal", "Declare", "TakeMessage", "Book", "Move"},
}


def test_p9_the_steps_from_which_a_long_call_is_led_away() -> None:
    assert {channel: {kind.__name__ for kind in kinds} for channel, kinds in LED_FROM.items()} == NAMES
    assert NAMES.keys() == set(CHANNELS)


# --- calls and scripts that grow too long


class EnoughError(Exception):
    """What comes now is as in any other call."""


@dataclass
class LongCall(Wanderer):
    """A call around which nothing happens, and which is found to have grown too long."""

    at_event: int = 1

    def _something_happens(self) -> None:
        pass

    async def _send(self, event: Event) -> None:
        if len(self.happened) > self.at_event + MORE:
            raise EnoughError
        if len(self.happened) == self.at_event:
            self.state = replace(self.state, turns=engine.LEAD_TO_A_PERSON - 1)
        await super()._send(event)


@dataclass
class LongScript(Operator):
    """A script about which nothing happens, and which is found to have grown too long."""

    at_event: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        self._me = self.practice.people[0]  # who has appointments

    async def _send(self, event: ScriptEvent) -> None:
        if len(self.answered) > self.at_event + MORE:
            raise EnoughError
        if len(self.answered) == self.at_event:
            self.state = replace(self.state, turns=script_engine.LEAD_EVENT - 1)
        await super()._send(event)


@dataclass
class Watch:
    """What is known wherever one call arrives, and from which steps it is led away."""

    flow: Flow
    verifier: Verifier
    references: GatedReferences | None = None
    heard: bool = False
    arrivals: list[tuple[str, Facts]] = field(default_factory=list)
    led: list[Step] = field(default_factory=list)

    def known(self, state: State) -> Facts:
        """What is really known of whoever is on the line."""
        level = self.verifier.level if self.verifier.verified is not None else Level.UNKNOWN
        facts = {level_fact(lower) for lower in PROVABLE if lower <= level}
        facts |= {bound_fact(root) for root in state.bound}
        facts |= {POSSESSION} if level >= Level.VERIFIED else set()
        slot = state.bound.get(SLOT)
        shown = slot is not None and self.references is not None and self.references.proved == slot
        return frozenset(facts | ({CARD_FACT} if shown else set()) | ({EMERGENCY} if self.heard else set()))

    def faults(self, holds: Mapping[str, Facts]) -> Iterator[str]:
        """Where the proof says more than was known, and from where it does not know that calls are led."""
        for step, facts in self.arrivals:
            if missing := sorted(holds[step] - facts):
                yield f"{step}: {', '.join(missing)} is not known"
        nodes = graph_of(self.flow).nodes
        for step in self.led:
            if all(leading.outlet != LIMIT for leading in nodes[step.name].exits):
                yield f"{step.name}: led away from"


Watching = Callable[[Watch], None]


@pytest.fixture
def watching(monkeypatch: pytest.MonkeyPatch) -> Watching:
    """Lets both engines tell whoever watches now."""
    watches: list[Watch] = []

    def listen(module: ModuleType) -> None:
        enters: Callable[..., Awaitable[Any]] = module._enter
        bounds: Callable[..., Awaitable[Any]] = module._within_bounds

        async def enter(step: Step, state: State, scene: object) -> Any:
            watches[-1].arrivals.append((step.name, watches[-1].known(state)))
            watches[-1].heard |= isinstance(step, Say) and step.prompt == watches[-1].flow.emergency
            return await enters(step, state, scene)

        async def within_bounds(flow: Flow, walked: Any, scene: object) -> Any:
            after = await bounds(flow, walked, scene)
            if after.stop.state.limited and not walked.stop.state.limited:
                watches[-1].led.append(flow.steps[walked.stop.state.step])
            return after

        monkeypatch.setattr(module, "_enter", enter)
        monkeypatch.setattr(module, "_within_bounds", within_bounds)

    listen(engine)
    listen(script_engine)
    return watches.append


async def walked(flow: Flow, book: PromptBook, goal: str, event: int, watching: Watching) -> Watch:
    """Somebody who is after ``goal``, until the ``event``-th event and a little longer."""
    chance = Random(f"{flow.digest} {goal} {event}")
    going: LongCall | LongScript
    if flow.channel is Channel.VOICE:
        going = LongCall(flow, book, chance, goal, honest=chance.random() < 0.8, at_event=event)
        watch = Watch(flow, going.verifier, going.references)
    else:
        going = LongScript(flow, book, chance, goal, undisturbed=True, at_event=event)
        watch = Watch(flow, going.keys)
    watching(watch)
    with suppress(EnoughError):
        await going.walks()
    return watch


async def watched(flow: Flow, book: PromptBook, watching: Watching, *, every: int = 1) -> tuple[set[str], list[str]]:
    """The kinds of steps from which calls of ``flow`` are led away, and all that the proof has wrong of it."""
    holds, kinds, wrong = guaranteed(flow), set[str](), list[str]()
    asks = [step.name for step in flow.steps.values() if step.name in holds and asking(step, flow)]
    for number, goal in enumerate(asks):
        for event in EVENTS[number % every :: every]:
            watch = await walked(flow, book, goal, event, watching)
            kinds |= {type(step).__name__ for step in watch.led}
            wrong += watch.faults(holds)
    return kinds, wrong


def asking(step: Step, flow: Flow) -> bool:
    return type(step).__name__ in NAMES[flow.channel]


_REFUSED = {"refused": "person", "unavailable": "person"}
#: Beside what is shipped: every kind of step that asks, most of them behind a proof.
EVERY_KIND = {
    "welcome": {"say": "welcome", "then": "menu"},
    "menu": {
        "choose": "main_menu",
        "keys": {1: "identify", 2: "ask", 3: "reference", 4: "book", 5: "reach_out", 0: "person"},
        "silence": "person",
    },
    "identify": {"verify": {"level": 2}, "verified": "find", **_REFUSED},
    "find": {"find": "next_appointment", "found": "higher", "none": "person", "withheld": "person"},
    "higher": {"verify": {"level": 3}, "verified": "ask", **_REFUSED},
    "ask": {"ask": "main_menu", "kind": "telephone", "into": "telephone", "then": "reach_out", "silence": "person"},
    "reference": {"reference": "slot", "known": "card", "refused": "person"},
    "card": {"card": "slot", "proved": "move", "refused": "person"},
    "move": {"move": "slot", **dict.fromkeys(("moved", "none", "abandoned"), "person")},
    "book": {"book": "slot", **dict.fromkeys(("booked", "none", "refused", "abandoned"), "person")},
    "reach_out": {"reach_out": "reminder", "then": "person", "refused": "person"},
    **to_a_person(),
}


_CLOSE = {"0": {"label": "operator.close", "to": "close"}}
EVERY_SCREEN = {
    "begin": {"show": "instructions", "then": "identify"},
    "identify": {"verify": {"level": 2}, "verified": "find", "refused": "instead", "unavailable": "instead"},
    "find": {"find": "next_appointment", "found": "found", "none": "instead", "withheld": "instead"},
    "found": {
        "choose": "operator.acts",
        "options": {
            "1": {"label": "operator.message", "to": "file"},
            "2": {"label": "operator.message", "to": "move"},
            "3": {"label": "operator.message", "to": "agenda"},
            **_CLOSE,
        },
    },
    "file": {"reveal": ["appointment.starts_at"], "then": "identify_again", "withheld": "instead"},
    "identify_again": {"verify": {"level": 3}, "verified": "instead", "refused": "instead", "unavailable": "instead"},
    "move": {"move": "appointment", **dict.fromkeys(("moved", "none", "abandoned"), "instead")},
    "agenda": {"declare": ["D02"], "then": "instead", "withheld": "instead"},
    "instead": {
        "choose": "operator.instead",
        "options": {
            "1": {"label": "operator.message", "to": "message"},
            "2": {"label": "operator.message", "to": "book"},
            "3": {"label": "operator.message", "to": "instructions_again"},
            **_CLOSE,
        },
    },
    "book": {"book": "slot", **dict.fromkeys(("booked", "none", "refused", "abandoned"), "instead")},
    "instructions_again": {"show": "instructions", "then": "instead"},
    "message": {"take_message": "callback", "taken": "instead", "abandoned": "instead"},
    "close": {"dispose": "call", "then": "closed"},
    "closed": {"end": "operator.closed"},
}


def proven(files: Iterable[Files], book: PromptBook, folder: Path) -> Sequence[Flow]:
    """Those of ``files`` that are: only these are run."""
    flows = []
    for number, one in enumerate(files):
        (folder / str(number)).mkdir()
        flows.append(load_flow(one.write(folder / str(number)), book))
    return [flow for flow in flows if isinstance(prove(flow, book, POLICY), Proven)]


async def kinds_led_from(flows: Sequence[Flow], book: PromptBook, watching: Watching) -> set[str]:
    """The kinds of steps from which calls are led away, if the proof is right of all; first and last flow whole."""
    kinds = set[str]()
    for flow in flows:
        led, wrong = await watched(flow, book, watching, every=1 if flow in (flows[0], flows[-1]) else 5)
        assert not wrong, flow.file
        kinds |= led
    return kinds


async def test_p9_of_calls_that_grow_too_long_the_proof_says_what_is_so(
    book: PromptBook, watching: Watching, tmp_path: Path
) -> None:
    files = [Files(dict(HEAD), EVERY_KIND), *(authored(SEED + number) for number in (4, 10, 24, 29))]
    flows = proven(files, book, tmp_path)
    return_call = load_flow(ROOT / "flows/rappel.yaml", book)
    assert await kinds_led_from([*flows, return_call], book, watching) == NAMES[Channel.VOICE]
    assert flows[0].steps.keys() == EVERY_KIND.keys()
    assert any(flow.subflows for flow in flows)


async def test_p9_of_scripts_that_grow_too_long_the_proof_says_what_is_so(
    book: PromptBook, watching: Watching, tmp_path: Path
) -> None:
    files = [
        Files({**SCRIPT_HEAD, "withheld": "instead"}, EVERY_SCREEN),
        *(authored_script(SEED + number) for number in (12,)),
    ]
    flows = proven(files, book, tmp_path)
    assert await kinds_led_from(flows, book, watching) == NAMES[Channel.CONSOLE]
    assert flows[0].steps.keys() == EVERY_SCREEN.keys()
    assert any(flow.subflows for flow in flows)


# --- the watch sees


async def test_p9_a_proof_that_knows_of_no_limit_is_found_out(
    book: PromptBook, watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is led away while being verified is nobody yet, though every other way there proves who they are."""
    steps = (
        Verify("identify", 1, Level.VERIFIED, "person", "goodbye", "goodbye"),
        Choose("person", 2, "main_menu", {"0": "goodbye"}, "goodbye", "goodbye"),
        End("goodbye", 3, "goodbye"),
    )
    flow = Flow("f", Channel.VOICE, "f.yaml", "identify", "person", {step.name: step for step in steps}, "digest")
    assert (await watched(flow, book, watching))[1] == []
    monkeypatch.setattr(proof, "LED_FROM", {Channel.VOICE: ()})
    wrong = (await watched(flow, book, watching))[1]
    assert "person: level>=1, level>=2, possession is not known" in wrong
    assert "identify: led away from" in wrong
