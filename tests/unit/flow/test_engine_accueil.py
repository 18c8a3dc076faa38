"""The flow that is shipped, walked whole: a verified call, silence, garbage, and callers at random (P6, P7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.flow.language import Act, End, Flow, TakeMessage
from callcenter.flow.load import load_flow
from callcenter.flow.ports import CallbackRequest
from callcenter.flow.prompts import PromptBook
from tests.unit.flow.doubles import Appointment, Call, Patient, Words

FLOWS = Path(__file__).parents[3] / "flows"
BOOK = PromptBook.load(FLOWS / "prompts" / "fr.yaml")
ACCUEIL = load_flow(FLOWS / "accueil.yaml", BOOK)

PUBLIC: dict[str, str | bool] = {
    "practice.name": "Cabinet des Tilleuls",
    "practice.spoken_name": "Cabinet des Tilleuls",
    "practice.address": "12, rue des Tilleuls, Lyon",
    "practice.access": "Métro ligne B",
    "practice.opening_hours": "du lundi au vendredi, de 8 heures 30 à 18 heures",
    "practice.is_open": True,
    "practice.next_opening": "mardi, 8 heures 30",
    "practice.closing_conduct": "Pour un renouvellement, rappelez aux heures d'ouverture.",
    "practice.out_of_hours_number": "116 117",
    "practice.message_of_the_day": "",
    "caller.number_withheld": False,
    "call.arrival": "menu",
}
FIRST = Appointment(UUID(int=1), datetime(2026, 12, 1, 14, 30, tzinfo=UTC))
SECOND = Appointment(UUID(int=2), datetime(2026, 12, 8, 9, 0, tzinfo=UTC))
JEANNE = Patient(date(1962, 3, 14), frozenset({"+33639980001"}), "+33639980001", (FIRST, SECOND))
RIGHT_CODE = "the code"  # replaced by the one that was sent, if one was
KEYS = ("", "#", "*", "0", "1", "2", "3", "4", "9", "7", "12*", "14031962", "31021962", "0639980001", "123456")


def calling(
    patients: list[Patient] | None = None, *, is_open: bool = True, number: str | None = "+33639980001"
) -> Call:
    arrival = "menu" if is_open else "closed"
    public = {**PUBLIC, "practice.is_open": is_open, "call.arrival": arrival, "caller.number_withheld": number is None}
    return Call(ACCUEIL, [JEANNE] if patients is None else patients, number=number, public=public, book=BOOK)


async def walk(call: Call, answers: list[str], afterwards: str = "") -> Call:
    """Ring, give ``answers``, then ``afterwards`` for ever; 60 webhooks are all that a call may take."""
    await call.ring()
    for turn in range(60):
        if call.ended:
            return call
        answer = answers[turn] if turn < len(answers) else afterwards
        if answer == RIGHT_CODE:
            answer = call.verifier.sent[-1][1] if call.verifier.sent else "123456"
        await call.press(answer)
    raise AssertionError(f"not ended after {call.state.turns} turns")


def farewells(flow: Flow) -> set[str]:
    last = {step.prompt for step in flow.steps.values() if isinstance(step, End)}
    assert any(isinstance(step, TakeMessage) for step in flow.steps.values())
    return last | {"callback.taken", "callback.abandoned", "engine.farewell"}


def check_ended_well(call: Call) -> None:
    assert call.ended
    assert call.state.turns <= 60
    assert call.heard()[-1] in farewells(ACCUEIL)
    assert set(call.visited) <= {(step, outlet) for step, outlet, _ in ACCUEIL.edges()}


async def verified() -> Call:
    call = calling()
    await call.ring()
    await call.press("1", "1", "14031962")
    await call.press(call.verifier.sent[0][1])
    return call


async def test_jeanne_hears_her_next_appointment_and_confirms_it() -> None:
    call = calling()
    await call.ring()
    assert call.question.lines[0].text.startswith("Cabinet des Tilleuls")
    await call.press("1", "1")
    assert call.heard() == ["verify.birth_date"]
    await call.press("14031962")
    assert call.heard() == ["verify.code"]
    await call.press(call.verifier.sent[0][1])
    assert not call.record.ledger.count(("tell", "appointment_summary"))
    reply = await call.press("1")
    assert reply.before[-1] == Words("appointment_summary", "01/12/2026 14:30")
    assert call.record.ledger == [("find", "next_appointment"), ("tell", "appointment_summary")]
    await call.press("1")
    assert call.record.acts == [(Act.CONFIRM_APPOINTMENT, FIRST.reference)]


async def test_a_cancellation_is_asked_twice() -> None:
    call = await verified()
    await call.press("1", "2")
    assert call.record.acts == []
    await call.press("1")
    assert call.record.acts == [(Act.CANCEL_APPOINTMENT, FIRST.reference)]


async def test_the_following_appointment_is_read_and_star_reads_again() -> None:
    call = await verified()
    assert (await call.press("1", "3")).before == (Words("appointment_following", "08/12/2026 09:00"),)
    assert (await call.press("*")).before == (Words("appointment_again", "08/12/2026 09:00"),)
    told = [prompt for kind, prompt in call.record.ledger if kind == "tell"]
    assert told == ["appointment_summary", "appointment_following", "appointment_again"]


@pytest.mark.parametrize("is_open", [True, False])
async def test_p7_zero_leaves_a_message(is_open: bool) -> None:
    call = calling(is_open=is_open)
    await walk(call, ["0", "2", "1#"])
    assert call.messages.inbox == [CallbackRequest("prescription", "+33639980001")]
    check_ended_well(call)


@pytest.mark.parametrize("is_open", [True, False])
@pytest.mark.parametrize("number", ["+33639980001", None])
@pytest.mark.parametrize("keys", ["", "#", "*", "7", "12*", "99", "999999"])
@pytest.mark.parametrize("prefix", [[], ["1", "1"], ["1", "1", "14031962"], ["1", "1", "14031962", RIGHT_CODE]])
async def test_p7_the_same_for_ever_ends_well(is_open: bool, number: str | None, keys: str, prefix: list[str]) -> None:
    call = await walk(calling(is_open=is_open, number=number), prefix, keys)
    check_ended_well(call)


@pytest.mark.parametrize("prefix", [[], ["1", "1"], ["1", "1", "14031962"]])
async def test_p7_silence_from_any_question_on_leaves_a_message(prefix: list[str]) -> None:
    call = await walk(calling(), prefix)
    assert call.messages.inbox == [CallbackRequest("unspecified", "+33639980001")]
    assert call.heard() == ["callback.taken", "goodbye"]
    assert call.state.turns <= 12


@given(
    answers=st.lists(st.sampled_from((*KEYS, RIGHT_CODE)), max_size=60),
    afterwards=st.sampled_from(KEYS),
    number=st.sampled_from(["+33639980001", None]),
    is_open=st.booleans(),
)
@settings(max_examples=120, deadline=None)
async def test_p7_callers_at_random_end_within_60_turns(
    answers: list[str], afterwards: str, number: str | None, is_open: bool
) -> None:
    check_ended_well(await walk(calling(is_open=is_open, number=number), answers, afterwards))


@given(
    tail=st.lists(st.sampled_from((*KEYS, RIGHT_CODE)), max_size=50),
    afterwards=st.sampled_from(KEYS),
)
@settings(max_examples=120, deadline=None)
async def test_p7_verified_callers_at_random_end_within_60_turns(tail: list[str], afterwards: str) -> None:
    check_ended_well(await walk(calling(), ["1", "1", "14031962", RIGHT_CODE, *tail], afterwards))


RECORDS = [
    [],
    [JEANNE],
    [replace(JEANNE, mobile=None)],
    [replace(JEANNE, withheld=True)],
    [JEANNE, replace(JEANNE, mobile="+33639980009")],
]


@given(
    answers=st.lists(st.sampled_from(KEYS), max_size=30),
    afterwards=st.sampled_from(KEYS),
    number=st.sampled_from(["+33639980001", None]),
)
@settings(max_examples=60, deadline=None)
async def test_p6_whoever_proves_nothing_hears_the_same_whatever_the_record(
    answers: list[str], afterwards: str, number: str | None
) -> None:
    calls = [await walk(calling(patients, number=number), ["1", *answers], afterwards) for patients in RECORDS]
    assert all(call.verifier.verified is None for call in calls)
    assert all(call.words() == calls[0].words() for call in calls)
