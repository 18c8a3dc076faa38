"""P9: flows at random in the whole house: the gate never refuses for a proof that is missing, and nobody else is told.

Each flow is what an author could have written (``random_flows``), is proven, and is run by the house in place of its
own; callers with canaries around them walk it as they walk ours.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.calls.flows import Playable
from callcenter.calls.shelf import Shelf
from callcenter.disclosure.gate import Reason
from callcenter.emulator.client import ControlClient
from callcenter.flow.language import Disclose, Do, Find, Flow
from callcenter.flow.load import load_flow
from callcenter.flow.prompts import PromptBook
from callcenter.flow.proof import Proven, Refuted, prove
from callcenter.kernel.errors import DataProblems
from tests.attack.leak_oracle.callers import Caller, HangsUp, Rings
from tests.attack.leak_oracle.coverage import Coverage
from tests.attack.leak_oracle.people import Population
from tests.attack.leak_oracle.premises import Premises
from tests.attack.leak_oracle.telephone import Telephone
from tests.attack.leak_oracle.walk import Walk
from tests.unit.flow.gated_practice import NEVER_IN_A_PROVEN_FLOW, POLICY, ROOT
from tests.unit.flow.random_flows import HEAD, Files, authored, to_a_person

SEED = int(os.environ.get("RANDOM_FLOWS_SEED", "20261130"))
FLOWS = int(os.environ.get("ORACLE_FLOWS", "7"))
CALLERS = 2
BOOK = PromptBook.load(ROOT / "flows/prompts/fr.yaml")


def proven_flows(folder: Path, count: int) -> Iterator[Flow]:
    """Random flows that are proven, and tell something."""
    number = SEED
    while count:
        number += 1
        (folder / str(number)).mkdir()
        try:
            flow = load_flow(authored(number).write(folder / str(number)), BOOK)
        except DataProblems:  # a prompt that is in no shipped book
            continue
        if isinstance(prove(flow, BOOK, POLICY), Proven) and _tells(flow, Disclose):
            count -= 1
            yield flow


def _tells(flow: Flow, *kinds: type) -> list[tuple[str, str]]:
    """The outlets of the steps of these kinds."""
    return [(name, outlet) for name, outlet, _ in flow.edges() if isinstance(flow.steps[name], kinds)]


@contextmanager
def run_by(house: Premises, flow: Flow) -> Iterator[None]:
    """Have the house run ``flow`` in place of its own."""
    of, observer, before = Shelf.of, house.observer, (house.observer.flow, house.observer.coverage)

    async def this_one(shelf: Shelf, connection: AsyncConnection, digest: str) -> Playable:
        if digest == flow.digest:
            return Playable(flow, shelf.book, None)
        return await of(shelf, connection, digest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Shelf, "entry", property(lambda _: flow))
        patch.setattr(Shelf, "of", this_one)
        observer.flow, observer.coverage = flow, Coverage(flow)
        try:
            yield
        finally:
            observer.flow, observer.coverage = before


def caller_for(flow: Flow, population: Population, chance: Random, *, withheld: bool) -> Caller:
    """Somebody who is after what the flow tells or does, or after its being withheld; one of four is unknown there."""
    who = chance.choice(("several", "several", "carded", population.strangers[0].key))
    goals = [goal for goal in _tells(flow, Disclose, Find, Do) if goal[1] not in ("withheld", "failed", "none")]
    if withheld:
        who, goals = "several", [goal for goal in _tells(flow, Disclose, Find) if goal[1] == "withheld"]
    called = population.people[who].practice.slug if who in population.people else "port"
    rings = chance.choice((Rings.OWN_NUMBER, Rings.OWN_NUMBER, Rings.WITHHELD))
    return Caller(
        who, called, rings, chance.choice(goals), HangsUp.AT_THE_END, 0.0, chance.randrange(2**32), closed=False
    )


async def reasons(house: Premises, read: set[str]) -> list[Reason]:
    """Why the gate has refused, by the records that are not ``read`` yet."""
    found = []
    for facts in house.population.practices.values():
        for body in map(json.loads, await house.ledger.bodies(facts.id)):
            if body["id"] not in read and body.get("decision") == "refused":
                found.append(Reason(body["reason"]))
            read.add(body["id"])
    return found


async def test_p9_p1_proven_flows_at_random_are_never_refused_for_a_missing_proof_and_tell_nobody_else(
    house: Premises, client: ControlClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aged = _noted(monkeypatch)
    read: set[str] = set()
    await reasons(house, read)
    house.judge.heard.clear()
    house.judge.findings.clear()
    refused: Counter[Reason] = Counter()
    for flow in proven_flows(tmp_path, FLOWS):
        chance = Random(f"{SEED} {flow.digest}")
        with run_by(house, flow):
            for number in range(CALLERS):
                caller = caller_for(flow, house.population, chance, withheld=number % 2 == 1)
                aged.clear()
                await Walk(house, client, caller).go()
                found = await reasons(house, read)
                refused.update(found)
                told = "\n".join(map(str, house.judge.findings))
                assert not told, f"{told}\n{flow.file} {caller}"
                missing = [] if aged else sorted(NEVER_IN_A_PROVEN_FLOW.intersection(found))
                assert not missing, f"{missing}\n{flow.file} {caller} {house.observer.visited}"
    # A walk that comes by nothing that is told, and by nothing that is withheld, would prove nothing.
    assert house.judge.heard["appointment.starts_at"]
    assert refused


def _noted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls in which what was proved has grown too old."""
    aged: list[str] = []
    too_long_ago = Telephone.has_proved_too_long_ago

    async def noted(telephone: Telephone) -> None:
        aged.append(telephone.sid)
        await too_long_ago(telephone)

    monkeypatch.setattr(Telephone, "has_proved_too_long_ago", noted)
    return aged


async def test_p9_a_flow_that_the_proof_refutes_is_refused_by_the_gate_were_it_run(
    house: Premises, client: ControlClient, tmp_path: Path
) -> None:
    tells = {
        "welcome": {"say": "welcome", "then": "find"},
        "find": {"find": "next_appointment", "found": "tell", "none": "person", "withheld": "person"},
        "tell": {"disclose": "appointment_summary", "then": "person", "withheld": "person"},
        **to_a_person(),
    }
    flow = load_flow(Files(dict(HEAD), tells).write(tmp_path), BOOK)
    assert isinstance(prove(flow, BOOK, POLICY), Refuted)
    read: set[str] = set()
    await reasons(house, read)
    house.judge.findings.clear()  # another test's
    with run_by(house, flow):
        caller = Caller(
            "several", "port", Rings.OWN_NUMBER, ("find", "found"), HangsUp.AT_THE_END, 0.0, 1, closed=False
        )
        await Walk(house, client, caller).go()
    assert await reasons(house, read) == [Reason.UNVERIFIED]
    assert not house.judge.findings
