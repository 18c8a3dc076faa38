"""P9: scripts of operators at random on the real engine, before the real gate; see ``test_random_flows``."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

import pytest

from callcenter.flow.language import Do, Find, Flow, Level, Move
from callcenter.flow.load import load_flow
from callcenter.flow.prompts import PromptBook
from callcenter.flow.proof import Proven, Refuted, prove
from callcenter.flow.script_language import Declare, Reveal
from callcenter.flow.walking import FlowStuck
from tests.unit.flow.gated_practice import NEVER_IN_A_PROVEN_FLOW, POLICY, ROOT
from tests.unit.flow.random_operators import Answered, Operator
from tests.unit.flow.random_scripts import authored_script
from tests.unit.flow.test_random_flows import SEED, Judged

SCRIPTS = int(os.environ.get("RANDOM_FLOWS", "60"))
OPERATORS = 5
_FORBIDDEN = {reason.value for reason in NEVER_IN_A_PROVEN_FLOW}


@pytest.fixture(scope="module")
def book() -> PromptBook:
    return PromptBook.load(ROOT / "flows/prompts/fr.yaml")


@pytest.fixture(scope="module")
def judged(book: PromptBook, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """Random scripts, each with its verdict: all can be loaded."""
    found: Judged = []
    for number in range(SCRIPTS):
        flow = load_flow(authored_script(SEED + number).write(tmp_path_factory.mktemp("script")), book)
        found.append((flow, prove(flow, book, POLICY)))
    return found


def operators(
    flow: Flow, book: PromptBook, goals: Iterable[str], count: int, *, honest: bool = True, undisturbed: bool = False
) -> Iterator[Operator]:
    """Operators who are after one of ``goals``, with a caller who can prove who they are, or cannot."""
    for number in range(count):
        chance = Random(f"{SEED} {flow.digest} {number} {honest}")
        grants = chance.choice((Level.VERIFIED, Level.VERIFIED, Level.STRONG))
        goal = chance.choice(list(goals))
        yield Operator(flow, book, chance, goal, honest=honest, undisturbed=undisturbed, grants=grants)


def faults(turn: Answered) -> Iterator[str]:
    """What must not be, of one answer in a script that is proven."""
    if not turn.aged:
        yield from (f"the gate refused for {reason}" for reason in turn.refusals if reason in _FORBIDDEN)
    yield from (f"values of patient {one.int} were seen" for one in set(turn.shown) - turn.proved)


async def test_p9_what_is_proven_is_never_refused_for_a_missing_proof_and_shows_nobody_else(
    judged: Judged, book: PromptBook
) -> None:
    seen: Counter[str] = Counter()
    for flow, verdict in judged:
        if isinstance(verdict, Refuted):
            continue
        seen["scripts"] += 1
        seen["scripts with sub-flows"] += bool(flow.subflows)
        tells = [step.name for step in flow.steps.values() if isinstance(step, Reveal | Declare | Do | Move | Find)]
        for honest in (True, False):
            for operator in operators(flow, book, tells or flow.steps, OPERATORS, honest=honest):
                for turn in await operator.walks():
                    wrong = list(faults(turn))
                    assert not wrong, f"{wrong}\n{Path(flow.file)}: {[one.visited for one in operator.answered]}"
                    seen["shown"] += len(turn.shown)
                    seen["refusals"] += len(turn.refusals)
    # A walk that comes by nothing that is shown would prove nothing.
    assert seen["scripts"] > len(judged) / 3
    assert seen["scripts with sub-flows"] > 5
    assert seen["shown"] > 100
    assert seen["refusals"] > 50


async def test_p9_what_is_refuted_for_a_level_the_gate_refuses(judged: Judged, book: PromptBook) -> None:
    """Nothing of a patient is seen in a script that is refuted either, were it run."""
    seen: Counter[str] = Counter()
    for flow, verdict in judged:
        if isinstance(verdict, Proven):
            continue
        goals = [example.path[-1].step for example in verdict.counterexamples if "needs level" in example.what]
        for operator in operators(flow, book, goals or flow.steps, 3 * OPERATORS, undisturbed=True):
            try:
                for turn in await operator.walks():
                    assert set(turn.shown) <= turn.proved
                    seen["refused"] += any(reason in _FORBIDDEN for reason in turn.refusals)
            except (FlowStuck, KeyError):
                seen["stuck"] += 1
    assert seen["refused"] > 50
    assert seen["stuck"] > 10
