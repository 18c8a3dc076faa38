"""P9: flows at random on the real engine, before the real gate.

What the proof accepts, the gate never refuses for a proof that is missing, and nobody hears of a patient who has not
proved to be them; what the proof refutes, the gate refuses.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from callcenter.flow import proof
from callcenter.flow.effects import effect
from callcenter.flow.facts import FOUND
from callcenter.flow.graph import Effect
from callcenter.flow.language import Card, Connect, Disclose, Do, Find, Flow, Level, Queue, Reference, Verify
from callcenter.flow.language import Step as FlowStep
from callcenter.flow.load import load_flow
from callcenter.flow.prompts import PromptBook
from callcenter.flow.proof import Counterexample, Proven, Refuted, prove
from callcenter.flow.walking import FlowStuck
from callcenter.kernel.errors import DataProblems
from tests.unit.flow.changed_flows import changed
from tests.unit.flow.gated_practice import (
    NEVER_IN_A_PROVEN_FLOW,
    POLICY,
    ROOT,
    book_with_speciality,
    heard,
    people,
    whose_canaries,
)
from tests.unit.flow.random_flows import HEAD, Files, Mistake, Step, authored, to_a_person
from tests.unit.flow.wanderers import Happened, Wanderer

SEED = int(os.environ.get("RANDOM_FLOWS_SEED", "20261130"))
#: Flows that are written, flows that are shipped and then changed, and callers of each.
AUTHORED = int(os.environ.get("RANDOM_FLOWS", "80"))
CHANGED = AUTHORED // 4
CALLERS = 6
#: Flows of each mistake that authors make.
MISTAKES = AUTHORED * 3 // 8


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> PromptBook:
    return book_with_speciality(tmp_path_factory.mktemp("prompts"))


Judged = list[tuple[Flow, Proven | Refuted]]


@pytest.fixture(scope="module")
def judged(book: PromptBook, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """Random flows that can be loaded, each with its verdict."""
    files = [authored(SEED + number) for number in range(AUTHORED)]
    files += [changed(SEED + number, ROOT / "flows/accueil.yaml") for number in range(CHANGED)]
    files += [changed(SEED + number, ROOT / "flows/rappel.yaml") for number in range(CHANGED)]
    return list(_judged(files, book, tmp_path_factory.mktemp("flows")))


def _judged(files: Iterable[Files], book: PromptBook, folder: Path) -> Iterator[tuple[Flow, Proven | Refuted]]:
    for number, one in enumerate(files):
        (folder / str(number)).mkdir()
        try:
            flow = load_flow(one.write(folder / str(number)), book)
        except DataProblems:
            continue
        yield flow, prove(flow, book, POLICY)


def wanderers(flow: Flow, book: PromptBook, count: int, *, honest: bool) -> Iterator[Wanderer]:
    """Callers who are after what the flow tells and does."""
    tells = [step.name for step in flow.steps.values() if isinstance(step, Disclose | Do | Find)] or list(flow.steps)
    for number in range(count):
        chance = Random(f"{SEED} {flow.digest} {number} {honest}")
        grants = chance.choice((Level.VERIFIED, Level.VERIFIED, Level.STRONG))
        yield Wanderer(flow, book, chance, chance.choice(tells), honest=honest, grants=grants)


def faults(flow: Flow, turn: Happened) -> Iterator[str]:
    """What must not be, of one turn of a flow that is proven."""
    forbidden = {reason.value for reason in NEVER_IN_A_PROVEN_FLOW}
    if not turn.aged:
        yield from (f"the gate refused for {reason}" for reason in turn.refusals if reason in forbidden)
    kinds = {(Find, "withheld"), (Disclose, "withheld"), (Do, "failed")}
    left = [step for step, outlet in turn.visited if (type(flow.steps[step]), outlet) in kinds]
    if len(turn.refusals) > len(left):
        yield f"the gate refused {len(turn.refusals)} times, and only {left} were left for it"
    asked = getattr(turn.reply.then, "lines", ())
    told = whose_canaries(heard((*turn.reply.before, *asked)), people()) - turn.proved
    yield from (f"words about patient {patient.int} were heard by somebody else" for patient in told)


async def walked(judged: Judged, book: PromptBook) -> Counter[str]:
    """Let callers at random through every flow that is proven; what was seen, if all was as it must be."""
    seen: Counter[str] = Counter()
    for flow, verdict in judged:
        if isinstance(verdict, Refuted):
            continue
        seen["flows"] += 1
        seen["flows with sub-flows"] += bool(flow.subflows)
        for honest in (True, False):
            for wanderer in wanderers(flow, book, CALLERS, honest=honest):
                for turn in await wanderer.walks():
                    wrong = list(faults(flow, turn))
                    assert not wrong, f"{wrong}\n{flow.file}: {[one.visited for one in wanderer.happened]}"
                    seen["grants"] += turn.grants
                    seen["refusals"] += len(turn.refusals)
                    seen["words about a patient"] += bool(whose_canaries(heard(turn.reply.before), people()))
    return seen


async def test_p9_what_is_proven_is_never_refused_for_a_missing_proof_and_tells_nobody_else(
    judged: Judged, book: PromptBook
) -> None:
    seen = await walked(judged, book)
    # A walk that comes by no disclosure would prove nothing.
    assert seen["flows"] > len(judged) / 3
    assert seen["flows with sub-flows"] > 10
    assert seen["grants"] > 100
    assert seen["refusals"] > 20
    assert seen["words about a patient"] > 30


async def test_p9_what_is_refuted_for_a_level_the_gate_refuses(judged: Judged, book: PromptBook) -> None:
    """The proof is not what protects: a flow that it refutes tells nothing either, were it run. And what it refutes can
    come about: whoever goes the way that it shows is refused there, or is stuck where nothing was found."""
    seen: Counter[str] = Counter()
    for flow, verdict in judged:
        for example in verdict.counterexamples if isinstance(verdict, Refuted) else ():
            if "needs level" in example.what:
                seen["examples"] += 1
                seen[await _forced(flow, book, [(hop.step, hop.outlet) for hop in example.path])] += 1
    assert seen["examples"] > 40
    assert seen["refused"] > seen["examples"] / 4
    assert seen["refused"] + seen["stuck"] > seen["examples"] * 3 / 4


async def _forced(flow: Flow, book: PromptBook, way: Sequence[tuple[str, str]]) -> str:
    """What becomes of callers who want to go that way, in the engine itself."""
    forbidden = {reason.value for reason in NEVER_IN_A_PROVEN_FLOW}
    for number in range(20):
        wanderer = Wanderer(flow, book, Random(f"{flow.digest} {number}"), way[-1][0], way=way)
        try:
            turns = await wanderer.walks()
        except (FlowStuck, KeyError):
            return "stuck"
        for turn in turns:
            assert whose_canaries(heard(turn.reply.before), people()) <= turn.proved
        if any(reason in forbidden for turn in turns for reason in turn.refusals):
            return "refused"
    return "not met"


# --- the walk sees


def _kept(step: FlowStep, outlet: str, flow: Flow) -> Effect:
    """What another person on the line ends is kept."""
    return Effect() if isinstance(step, Connect | Queue) else effect(step, outlet, flow)


def _found_is_whoevers(step: FlowStep, outlet: str, flow: Flow) -> Effect:
    """What was found for one patient is taken for another's."""
    true = effect(step, outlet, flow)
    return replace(true, ends=true.ends - FOUND) if isinstance(step, Verify) else true


def _verified_by_any(step: FlowStep, outlet: str, flow: Flow) -> Effect:
    """Who is refused is taken for verified."""
    return effect(step, "verified" if isinstance(step, Verify) else outlet, flow)


def _found_by_any(step: FlowStep, outlet: str, flow: Flow) -> Effect:
    """Nothing is taken for something."""
    return effect(step, "found" if isinstance(step, Find) and outlet == "none" else outlet, flow)


def _strongly(step: FlowStep, outlet: str, flow: Flow) -> Effect:
    """Any level is taken for the highest."""
    return effect(replace(step, level=Level.STRONG) if isinstance(step, Verify) else step, outlet, flow)


def _another_card(step: FlowStep, outlet: str, flow: Flow) -> Effect:
    """The card of one slot is taken for another's."""
    true = effect(step, outlet, flow)
    return replace(true, ends=frozenset()) if isinstance(step, Reference) else true


def _card_by_any(step: FlowStep, outlet: str, flow: Flow) -> Effect:
    """A wrong birth date is taken for the right one."""
    return effect(step, "proved" if isinstance(step, Card) else outlet, flow)


def _cancelled_stands(step: FlowStep, outlet: str, flow: Flow) -> Effect:
    """What is cancelled is taken to be there."""
    return Effect() if isinstance(step, Do) else effect(step, outlet, flow)


MISTAKEN: Mapping[Mistake, Callable[[FlowStep, str, Flow], Effect]] = {
    Mistake.RETURNED: _kept,
    Mistake.VERIFIED: _verified_by_any,
    Mistake.NOTHING: _found_by_any,
    Mistake.LEVEL: _strongly,
    Mistake.CARD: _another_card,
    Mistake.BIRTH_DATE: _card_by_any,
    Mistake.CANCELLED: _cancelled_stands,
}


@pytest.mark.parametrize("mistake", MISTAKEN)
async def test_p9_a_proof_that_makes_the_mistakes_of_an_author_is_found_out(
    book: PromptBook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mistake: Mistake
) -> None:
    files = [authored(SEED + number, mistake) for number in range(MISTAKES)]
    judged = [(flow, verdict) for flow, verdict in _judged(files, book, tmp_path) if isinstance(verdict, Refuted)]
    monkeypatch.setattr(proof, "effect", MISTAKEN[mistake])
    missed = [(flow, one) for flow, verdict in judged for one in _missed(verdict, prove(flow, book, POLICY))]
    found_out = [await _found_out(flow, book, example) for flow, example in missed[:10]]
    assert any(found_out)


async def test_p9_a_proof_that_takes_what_was_found_for_another_patients_is_found_out(
    book: PromptBook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By hand: who is verified already is not asked again, but for a higher level."""
    steps = _way(
        ("first", {"verify": {"level": 2}, "verified": "find", **_REFUSED}),
        ("find", {"find": "next_appointment", "found": "higher", "none": "person", "withheld": "person"}),
        ("higher", {"verify": {"level": 3}, "verified": "tell", **_REFUSED}),
        ("tell", {"disclose": "appointment_summary", "then": "person", "withheld": "person"}),
    )
    ((flow, verdict),) = _judged([Files(dict(HEAD), steps)], book, tmp_path)
    assert isinstance(verdict, Refuted)
    monkeypatch.setattr(proof, "effect", _found_is_whoevers)
    assert isinstance(prove(flow, book, POLICY), Proven)
    assert await _found_out(flow, book, verdict.counterexamples[0])


def _missed(true: Refuted, mistaken: Proven | Refuted) -> list[Counterexample]:
    """What the mistaken proof does not refute."""
    still = {one.path[-1].step for one in mistaken.counterexamples} if isinstance(mistaken, Refuted) else set[str]()
    return [one for one in true.counterexamples if one.path[-1].step not in still]


async def _found_out(flow: Flow, book: PromptBook, example: Counterexample) -> bool:
    """Whether somebody who goes that way meets a fault, or is stuck."""
    way = [(hop.step, hop.outlet) for hop in example.path]
    for number in range(10):
        grants = Level.STRONG if number % 2 else Level.VERIFIED
        wanderer = Wanderer(flow, book, Random(f"{flow.digest} {number}"), way[-1][0], way=way, grants=grants)
        try:
            if any(list(faults(flow, turn)) for turn in await wanderer.walks()):
                return True
        except (FlowStuck, KeyError):
            return True
    return False


# --- minimal ways on which the proof and the engine disagreed


def _way(*steps: tuple[str, Step]) -> dict[str, Step]:
    return {"welcome": {"say": "welcome", "then": steps[0][0]}, **dict(steps), **to_a_person()}


_REFUSED = {"refused": "person", "unavailable": "person"}
#: A claim ends what was proved before, whatever becomes of it (``calls.verifier``), and whoever is refused may have
#: claimed to be somebody else. A new reference unbinds the one before it, whatever becomes of it (``flow.referring``).
#: A walk has at most so many steps without a question (``flow.walking.STEPS_A_TURN``), and a flow may have more.
DISAGREEMENTS = {
    "a level is lost where a higher one is refused": _way(
        ("first", {"verify": {"level": 2}, "verified": "higher", **_REFUSED}),
        ("higher", {"verify": {"level": 3}, "verified": "person", "refused": "find", "unavailable": "person"}),
        ("find", {"find": "next_appointment", "found": "person", "none": "person", "withheld": "person"}),
    ),
    "what was found is another's where a higher level is refused": _way(
        ("first", {"verify": {"level": 2}, "verified": "find", **_REFUSED}),
        ("find", {"find": "next_appointment", "found": "higher", "none": "person", "withheld": "person"}),
        ("higher", {"verify": {"level": 3}, "verified": "person", "refused": "tell", "unavailable": "person"}),
        ("tell", {"disclose": "appointment_summary", "then": "person", "withheld": "person"}),
    ),
    "a level is lost where nobody can be verified": _way(
        ("first", {"verify": {"level": 2}, "verified": "higher", **_REFUSED}),
        ("higher", {"verify": {"level": 3}, "verified": "person", "refused": "person", "unavailable": "find"}),
        ("find", {"find": "next_appointment", "found": "person", "none": "person", "withheld": "person"}),
    ),
    "a slot is lost where another reference is refused": _way(
        ("first", {"reference": "slot", "known": "another", "refused": "person"}),
        ("another", {"reference": "slot", "known": "person", "refused": "cancel"}),
        ("cancel", {"do": "cancel_slot", "done": "person", "failed": "person"}),
    ),
    "more is said without a question than a turn may have": _way(
        *((f"say{at}", {"say": "kept", "then": f"say{at + 1}"}) for at in range(60)),
        ("say60", {"say": "kept", "then": "person"}),
    ),
}


#: Where each is refuted; the last one is not even loaded.
REFUTED_AT = dict(zip(DISAGREEMENTS, ["find", "tell", "find", "cancel"], strict=False))


@pytest.mark.parametrize("disagreement", REFUTED_AT)
def test_p9_what_the_engine_cannot_keep_is_refuted(book: PromptBook, tmp_path: Path, disagreement: str) -> None:
    [(_, verdict)] = _judged([Files(dict(HEAD), DISAGREEMENTS[disagreement])], book, tmp_path)
    assert isinstance(verdict, Refuted)
    assert REFUTED_AT[disagreement] in [example.path[-1].step for example in verdict.counterexamples]


def test_p7_what_is_longer_than_a_turn_is_not_loaded(book: PromptBook, tmp_path: Path) -> None:
    [long] = DISAGREEMENTS.keys() - REFUTED_AT.keys()
    file = Files(dict(HEAD), DISAGREEMENTS[long]).write(tmp_path)
    with pytest.raises(DataProblems, match="more than 50 steps may come without a question"):
        load_flow(file, book)


@pytest.fixture(scope="module")
def trusted(book: PromptBook, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    files = [authored(SEED + number, Mistake.REFUSED) for number in range(MISTAKES)]
    return list(_judged(files, book, tmp_path_factory.mktemp("trusted")))


async def test_p9_whoever_was_refused_is_not_who_they_were_before(trusted: Judged, book: PromptBook) -> None:
    assert sum(isinstance(verdict, Refuted) for _, verdict in trusted) > MISTAKES / 4
    assert (await walked(trusted, book))["grants"] > 5
