"""``verify`` in a script: open questions, one verdict, a code that the caller types; and nothing that tells who is on
file (P6), nor anything left of one patient for the next (P2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from callcenter.calls.script_screens import screen_to_json
from callcenter.flow.language import Channel, End, Flow, Step, Verify
from callcenter.flow.load import load_flow
from callcenter.flow.ports import BookablePractitioner, NoMoreCodes, VerificationDown
from callcenter.flow.screens import LEAVE, Filled, Form, Returned
from callcenter.flow.script_engine import NotOffered
from callcenter.flow.script_ports import CodeAsked, NotNow
from callcenter.flow.walking import FlowStuck
from callcenter.kernel.levels import Level
from tests.unit.flow.doubles import NOW, Appointment, Patient
from tests.unit.flow.script_doubles import BOOK, ROOT, MemoryScriptVerifier, Script

A, B = UUID(int=1), UUID(int=2)
JEANNE = Patient(
    date(1962, 3, 14), frozenset({"+33639980001"}), "+33639980001", (Appointment(A, NOW + timedelta(days=3)),)
)
PAUL = Patient(
    date(1948, 3, 5), frozenset({"+33639980001"}), "+33639980001", (Appointment(B, NOW + timedelta(days=4)),)
)
OPERATEUR = load_flow(ROOT / "flows/operateur.yaml", BOOK)


def flow(level: Level = Level.VERIFIED) -> Flow:
    names = {"yes": "operator.confirmed", "no": "operator.not_done", "down": "operator.closed"}
    steps: tuple[Step, ...] = (
        Verify("verify", 0, level, "yes", "no", "down"),
        *(End(name, 0, prompt) for name, prompt in names.items()),
    )
    return Flow("essai", Channel.CONSOLE, "essai.yaml", "verify", "no", {step.name: step for step in steps}, "00")


async def begun(patients: Sequence[Patient] = (JEANNE,), *, level: Level = Level.VERIFIED, **other: Any) -> Script:
    script = Script(flow(level), patients, **other)
    await script.begin()
    return script


# --- the questions


async def test_live_evidence_answers_at_once_and_a_lower_level_does_not() -> None:
    for level, visited in ((Level.VERIFIED, [("verify", "verified")]), (Level.IDENTIFIED, [])):
        script = Script(flow(), [JEANNE])
        script.keys.level = level
        await script.begin()
        assert script.visited == visited


async def test_the_calling_number_is_there_and_another_may_be_typed() -> None:
    script = await begun()
    assert [one.value for one in script.form.fields] == ["", "0639980001"]
    await script.claim(telephone="+33 6 39 98 00 09")
    assert script.keys.claims == [(date(1962, 3, 14), "+33639980009")]


async def test_without_a_calling_number_it_is_asked_for() -> None:
    script = await begun(number=None)
    await script.claim()
    assert script.faults() == {"telephone": "script.missing"}
    assert script.form.fields[0].value == "14/03/1962"
    await script.claim(telephone="06.39.98.00.01")
    assert script.waits


async def test_a_foreign_calling_number_stands_with_its_country() -> None:
    script = await begun(number="+3225551212")
    assert script.form.fields[1].value == "+3225551212"
    await script.claim()
    assert script.keys.claims == [(date(1962, 3, 14), "+3225551212")]


async def test_what_is_no_date_is_claimed_of_nobody() -> None:
    script = await begun()
    for born in ("14/03/62", "30/02/1962", "", "quatorze mars"):
        await script.claim(born)
        assert script.form.fields[0].fault is not None
    assert script.keys.claims == []
    assert script.keys_pressed == 8  # asked as often as it takes


async def test_what_was_typed_is_kept_nowhere_once_it_is_claimed() -> None:
    script = await begun()
    await script.claim()
    assert "1962" not in script.state.to_json()
    assert "1962" not in str(screen_to_json(script.screen))


# --- the verdict


async def test_the_caller_is_back_and_has_proved_it() -> None:
    script = await begun()
    await script.claim()
    assert script.shown() == ["script.at_keys"]
    await script.caller_types()
    assert script.shown() == ["operator.confirmed"]


async def test_the_caller_is_back_and_has_not() -> None:
    script = await begun()
    await script.claim()
    await script.caller_types("wrong")
    assert script.shown() == ["script.verify_failed", "operator.not_done"]
    assert script.visited == [("verify", "refused")]


async def test_what_was_proved_at_a_lower_level_is_not_enough() -> None:
    script = await begun(level=Level.STRONG, grants=Level.VERIFIED)
    await script.verified()
    assert script.visited == [("verify", "refused")]


async def test_the_operator_goes_on_without_it_and_nobody_speaks_of_a_failure() -> None:
    asked = await begun()
    await asked.fill(LEAVE)
    waited = await begun()
    await waited.claim()
    await waited.pick(LEAVE)
    for script in (asked, waited):
        assert script.shown() == ["operator.not_done"]
        assert script.visited == [("verify", "refused")]


async def test_while_the_caller_cannot_go_to_their_keys_the_form_stands_as_it_was() -> None:
    script = await begun()
    script.verifier.not_now = True
    await script.claim("5/3/1948")
    assert script.shown() == ["script.verify_not_now", "script.verify"]
    assert [one.value for one in script.form.fields] == ["5/3/1948", "0639980001"]
    assert script.faults() == {}
    script.verifier.not_now = False
    await script.fill()
    assert script.waits


async def test_too_many_codes_are_a_failure_like_any_other() -> None:
    for answered, lines, outlet in (
        (NoMoreCodes(), ["script.verify_failed", "operator.not_done"], "refused"),
        (VerificationDown(), ["script.verify_unavailable", "operator.closed"], "unavailable"),
    ):
        script = await begun()

        async def by_keypad(born: date, telephone: str, answered: Any = answered) -> Any:
            return answered

        script.verifier.by_keypad = by_keypad  # type: ignore[method-assign]  # this once
        await script.claim()
        assert script.shown() == lines
        assert script.visited == [("verify", outlet)]


async def test_nobody_comes_back_who_was_not_away() -> None:
    script = await begun()
    with pytest.raises(FlowStuck, match="not at their keys"):
        await script.send(Returned())
    await script.claim()
    with pytest.raises(NotOffered):
        await script.send(Filled("send", {"birth_date": "14031962", "telephone": "0639980001"}))
    await script.pick(LEAVE)
    with pytest.raises(FlowStuck):
        await script.send(Returned())


# --- P6: nothing follows from who is on file

WORLDS: dict[str, tuple[Patient, ...]] = {
    "on file": (JEANNE,),
    "nobody": (),
    "another": (PAUL,),
    "two alike": (JEANNE, replace(JEANNE, appointments=())),
    "no mobile": (replace(JEANNE, mobile=None),),
    "withheld": (replace(JEANNE, withheld=True),),
    "nothing to come": (replace(JEANNE, appointments=()),),
}
TYPED = st.sampled_from(["14031962", "14/03/1962", "05031948", "0639980001", "0639980009", "", "message", "booked"])
ANSWERS = st.lists(st.tuples(st.integers(0, 30), st.lists(TYPED, min_size=4, max_size=4)), max_size=25)


async def noted(patients: Sequence[Patient], answers: list[tuple[int, list[str]]], verifier: Any = None) -> list[str]:
    """All that an operator sees who is told to answer so, while the caller never types the right code."""
    practitioners = [BookablePractitioner(UUID(int=7), "Dr Claire Moreau", new_patients=True)]
    script = Script(OPERATEUR, patients, practitioners=practitioners, free=[NOW + timedelta(days=5)])
    if verifier is not None:
        script.verifier = verifier(script)
    await script.begin()
    for number, typed in answers:
        if script.finished:
            break
        if script.waits and number % 2:
            await script.caller_types("not the code")
            continue
        choice = script.offered[number % len(script.offered)]
        screen = script.screen
        fields = [one.name for one in screen.fields] if isinstance(screen, Form) else []
        await script.send(Filled(choice, dict(zip(fields, typed, strict=False))))
    assert script.record.ledger == []
    return [*(str(screen_to_json(one)) for one in script.screens), script.state.to_json(), *map(str, script.visited)]


CLAIM = ["14031962", "0639980001", "", ""]


@given(ANSWERS)
@example(
    [(5, []), (0, CLAIM), (1, []), (3, []), (0, CLAIM), (1, []), (3, []), (0, CLAIM), (0, []), (3, []), (0, CLAIM)]
)
@settings(max_examples=60, deadline=None)
async def test_p6_an_operator_sees_the_same_whoever_is_on_file(answers: list[tuple[int, list[str]]]) -> None:
    seen = {name: await noted(patients, answers) for name, patients in WORLDS.items()}
    assert all(other == seen["nobody"] for other in seen.values())


class Telling(MemoryScriptVerifier):
    """A verifier that says so where nobody is on file: what the test above must not let pass."""

    def __init__(self, script: Script) -> None:
        super().__init__(script.keys)

    async def by_keypad(self, birth_date: date, telephone: str) -> CodeAsked | NoMoreCodes | VerificationDown | NotNow:
        asked = await super().by_keypad(birth_date, telephone)
        return asked if self.keys.sent else NoMoreCodes()


async def test_p6_a_port_that_told_would_be_seen() -> None:
    claim = [(5, []), (0, ["14031962", "0639980001"])]  # « Vérifier l'identité », then what the caller answers
    assert await noted([JEANNE], claim, Telling) != await noted([], claim, Telling)
    assert await noted([JEANNE], claim) == await noted([], claim)


# --- P2: nothing of one patient is left for the next


async def test_p2_for_another_patient_everything_is_asked_and_found_anew() -> None:
    script = Script(OPERATEUR, [JEANNE, PAUL])
    await script.begin()
    await script.pick("6")
    await script.verified()
    await script.pick("reveal:appointment.starts_at", "then", "9", "2")
    assert script.keys.level is Level.UNKNOWN
    assert script.state.bound == {}
    await script.pick("6")
    assert script.shown() == ["script.verify"]
    assert [one.value for one in script.form.fields] == ["", "0639980001"]
    await script.claim("05/03/1948")
    await script.caller_types()
    await script.pick("reveal:appointment.starts_at")
    assert script.record.ledger[-1] == ("show", f"appointment.starts_at of {B}")


async def test_p2_a_new_claim_lets_go_of_what_was_found() -> None:
    script = Script(OPERATEUR, [JEANNE])
    await script.begin()
    await script.pick("6")
    await script.verified()
    assert script.state.bound == {"appointment": A}
    script.keys.level = Level.UNKNOWN  # too old by now
    await script.pick("then", "9", "1", "6")
    await script.claim()
    assert script.state.bound == {}


async def test_the_same_patient_is_not_asked_twice() -> None:
    script = Script(OPERATEUR, [JEANNE])
    await script.begin()
    await script.pick("6")
    await script.verified()
    await script.pick("then", "9", "1", "6")
    assert script.files.items
    assert len(script.keys.claims) == 1
