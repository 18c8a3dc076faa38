"""What staff whose training is over are given by every form that a file answers: tables, papers, proofs, extracts.

The trained are given the same elsewhere (``test_the_oracle_reviews``, ``test_the_oracle_is_given_an_extract``).
"""

from __future__ import annotations

import ast
from datetime import timedelta

import pytest
from sqlalchemy import text

from callcenter.console import incident, ledger, paths
from callcenter.console.files import FOLDER
from callcenter.reports.values import Kind
from callcenter.staff.values import Role, Standing
from tests.attack.forms import forms_in
from tests.attack.leak_oracle.people import Person
from tests.attack.leak_oracle.premises import Premises
from tests.attack.leak_oracle.telephone import Telephone
from tests.attack.leak_oracle.test_the_oracle_is_given_an_extract import Somebody, asked_for, choice_of, somebody
from tests.attack.leak_oracle.test_the_oracle_reviews import _CALL
from tests.attack.leak_oracle.verdict import Sink

#: As much as anybody can be, but for their training.
ROLES = (Role.OPERATOR, Role.SUPERVISOR, Role.PRACTITIONER)
#: Of a handler, that it answers with a file.
GIVES = ("_file", "file_of")
WALKED = {
    *(paths.REVIEW_EXPORT, paths.REVIEW_CALL_PAPER, paths.EXTRACT_RELEASE),
    *(paths.INCIDENT_TEXT, paths.INCIDENT_PAPER, paths.INCIDENT_LETTER),
    *(paths.LEDGER_RECORD, paths.LEDGER_DEPOSITS),
}


async def _asks_for_all(house: Premises, telephone: Telephone) -> Somebody:
    """A patient hears their appointments, and asks at the desk who was told about them; somebody whose training is over
    asks for every file there is."""
    person = house.population.people["several"]
    await telephone.prove(person)
    await telephone.press("1")
    await telephone.state()
    await telephone.judged()
    colleague = await somebody(house, person, Role.SUPERVISOR, Role.PRACTITIONER)
    read = await asked_for(house, person, colleague)
    one = await somebody(house, person, *ROLES, training=timedelta(days=-1), shown=False)
    await one.asks("GET", paths.REVIEW)
    await _of_the_review(house, person, one)
    for form in ("pdf", "json"):
        path = read.partition("\n")[0]
        await one.asks("POST", f"{path}/remise", refused=True, forme=form, **choice_of(read))
    await _of_an_incident(house, person, one)
    await _of_the_ledger(house, person, one)
    return one


async def _of_the_review(house: Premises, person: Person, one: Somebody) -> None:
    day = house.clock.now().date().isoformat()
    wanted = {"cabinet": str(person.practice.id), "du": day, "au": day}
    for kind in Kind:
        await one.asks("POST", paths.REVIEW_EXPORT, **wanted, nature=kind.value)
    call = _CALL.findall(await one.asks("POST", paths.REVIEW, **wanted, nature="calls", issue="granted"))[0]
    await one.asks("POST", f"{call}/pdf")


async def _of_an_incident(house: Premises, person: Person, one: Somebody) -> None:
    await one.asks("GET", paths.INCIDENT_NEW)
    declared = await one.asks(
        "POST",
        paths.INCIDENT_NEW,
        **{incident.KIND: "wrong_person", incident.KNOWN: house.clock.now().strftime("%Y-%m-%dT%H:%M")},
        **{"facts": "Une feuille est restée au comptoir.", f"{incident.PRACTICE}{person.practice.id}": "oui"},
    )
    path = declared.partition("\n")[0]
    for file in ("registre.txt", "registre.pdf", f"cabinets/{person.practice.id}/avis"):
        await one.asks("POST", f"{path}/{file}")


async def _of_the_ledger(house: Premises, person: Person, one: Somebody) -> None:
    async with house.running.database.practice(person.practice.id) as tx:
        told = text("SELECT id FROM audit_record WHERE event = 'disclosure' ORDER BY id DESC LIMIT 3")
        records = (await tx.connection.execute(told)).scalars().all()
    assert records, "nothing was told"
    for record in records:
        path = paths.LEDGER_RECORD.format(log=person.practice.id, record=record)
        await one.asks("POST", path, refused=True)
    held = {ledger.KIND: "folder", ledger.PLACE: "nowhere", ledger.SIZE: "1"}
    for what in (ledger.NOTE, ledger.RECEIPT):
        path = paths.LEDGER_DEPOSITS.format(log=person.practice.id)
        await one.asks("POST", path, refused=True, **held, **{ledger.WHAT: what})


async def test_p1_nothing_of_a_patient_is_in_a_file_that_staff_whose_training_is_over_ask_for(
    house: Premises, telephone: Telephone
) -> None:
    one = await _asks_for_all(house, telephone)
    assert one.files >= len(Kind) + 4, "few files came: the walk has lost its way"
    assert not house.judge.findings, "\n".join(map(str, house.judge.findings))


async def test_p1_an_extract_that_asks_for_no_training_is_found(
    house: Premises, telephone: Telephone, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.clock.advance(60)  # behind what the test above may have put on record
    monkeypatch.setattr(Standing, "may_reveal", True)
    await _asks_for_all(house, telephone)
    person = house.population.people["several"]
    found = {str(one.canary.value) for one in house.judge.findings if one.sink is Sink.PAGE and one.canary}
    assert {person.record.birth_name, person.record.first_name} <= found


def _gives(handler: ast.AST) -> bool:
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in GIVES
        for node in ast.walk(handler)
    )


def test_every_form_that_a_file_answers_is_walked() -> None:
    forms = [form for module in FOLDER.parent.glob("*.py") for form in forms_in(module)]
    assert {path for path, handlers in forms if any(map(_gives, handlers))} == WALKED


def test_no_file_is_given_but_by_its_one_function() -> None:
    """What is named otherwise would be walked by nobody."""
    for module in FOLDER.parent.glob("*.py"):
        tree = ast.parse(module.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name not in GIVES:
                assert "CONTENT_DISPOSITION" not in ast.unparse(node), f"{module.name}: {node.name}"
