"""A call that we place: nothing before the code, and nothing but an end for whoever does not type it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from callcenter.flow.language import Direction, Flow
from callcenter.flow.load import load_flow
from callcenter.flow.prompts import PromptBook
from callcenter.kernel.errors import DataProblems
from tests.unit.flow.doubles import Appointment, Call, MemoryOutreach, Patient

ROOT = Path(__file__).resolve().parents[3]
BOOK = PromptBook.load(ROOT / "flows/prompts/fr.yaml")
JEANNE = Patient(date(1962, 3, 14), frozenset({"+33639980001"}), "+33639980001")
HEAD = "flow: rappel\nchannel: voice\ndirection: outgoing\nstart: code\nperson: person\n"
STEPS = """\
steps:
  code: {prove: return_call, proved: goodbye, refused: goodbye}
  goodbye: {end: goodbye}
  person: {end: goodbye}
"""
MORE = "  more: {say: goodbye, then: goodbye}\n"
WHO = "  who: {verify: {level: 2}, verified: goodbye, refused: goodbye, unavailable: goodbye}\n"


def load(tmp_path: Path, text: str, name: str = "rappel") -> Flow:
    file = tmp_path / f"{name}.yaml"
    file.write_text(text, encoding="utf-8")
    return load_flow(file, BOOK)


@pytest.fixture
def accueil() -> Flow:
    return load_flow(ROOT / "flows/accueil.yaml", BOOK)


@pytest.fixture
def rappel() -> Flow:
    return load_flow(ROOT / "flows/rappel.yaml", BOOK)


# --- what such a flow must be


def test_a_flow_of_outgoing_calls_begins_with_a_question_that_proves(tmp_path: Path) -> None:
    assert load(tmp_path, HEAD + STEPS).direction is Direction.OUTGOING


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (HEAD.replace("start: code", "start: goodbye") + STEPS, "does not ask for proof"),
        (HEAD + "emergency: welcome\n" + STEPS, "names an emergency line"),
        (HEAD + STEPS.replace("refused: goodbye", "refused: more") + MORE, "says more than an end"),
        (HEAD + STEPS + WHO, "asks who it is about"),
        (HEAD.replace("direction: outgoing\n", "emergency: welcome\n") + STEPS, "in a call that we have not placed"),
    ],
    ids=["first a word", "emergency line", "words for whoever has not proved", "asks who it is", "incoming"],
)  # fmt: skip
def test_what_an_outgoing_call_may_not_say_is_refused(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(DataProblems) as refused:
        load(tmp_path, text)
    assert what in str(refused.value)


def test_of_a_part_that_is_lent_only_what_is_walked_is_taken(accueil: Flow, rappel: Flow) -> None:
    assert {"read", "privacy", "appointment_menu"} <= rappel.steps.keys()
    assert not {"booked", "appointments", "welcome"} & rappel.steps.keys()
    assert rappel.steps["read"] == accueil.steps["read"]


# --- what is heard


async def test_nothing_is_heard_but_the_question_and_two_silences_end_the_call(rappel: Flow) -> None:
    call = Call(rappel)
    await call.ring()
    assert call.heard() == ["prove.return_call"]
    await call.press("")
    assert call.heard() == ["prove.return_call"]
    await call.press("")
    assert call.heard() == ["not_proved"]
    assert call.ended


async def test_a_wrong_code_is_said_to_be_none_and_hash_ends_the_call(rappel: Flow) -> None:
    call = Call(rappel)
    await call.ring()
    await call.verifier.open_challenge(JEANNE.birth_date, "+33639980042")
    await call.press("1234")
    assert call.heard() == ["prove.return_call_again"]
    await call.press("#")
    assert call.heard() == ["not_proved"]
    assert call.ended


async def test_the_right_code_leads_to_the_appointment_and_whether_it_can_be_heard(rappel: Flow) -> None:
    visit = Appointment(uuid4(), datetime(2026, 12, 1, 14, 30, tzinfo=UTC))
    call = Call(rappel, [Patient(JEANNE.birth_date, JEANNE.telephones, JEANNE.mobile, (visit,))])
    await call.ring()
    await call.verifier.open_challenge(JEANNE.birth_date, "+33639980001")
    await call.press(call.verifier.sent[0][1])
    assert call.heard() == ["privacy"]


# --- what asks for it


@pytest.mark.parametrize(
    ("key", "said"), [("4", ["reach_out.reminder", "main_menu"]), ("5", ["reach_out.return_call", "goodbye"])]
)
async def test_p6_asking_is_answered_alike_whoever_is_on_file(accueil: Flow, key: str, said: list[str]) -> None:
    words = []
    for patients in ([JEANNE], []):
        call = Call(accueil, patients, public={"call.arrival": "menu", "practice.is_open": True})
        await call.ring()
        await call.press("1", key, "14031962")
        assert call.heard() == said
        assert not call.verifier.claims
        words.append(call.words())
    assert words[0] == words[1]


async def test_whose_number_is_withheld_is_asked_for_it(accueil: Flow) -> None:
    call = Call(accueil, number=None, public={"call.arrival": "menu", "practice.is_open": True})
    await call.ring()
    await call.press("1", "4", "14031962")
    assert call.heard() == ["verify.telephone"]
    await call.press("0639980001")
    assert call.outreach.reminders == [(date(1962, 3, 14), "+33639980001")]


async def test_the_call_back_code_is_said_digit_by_digit_and_twice(accueil: Flow) -> None:
    call = Call(accueil, book=BOOK, public={"call.arrival": "menu", "practice.is_open": True, **_PUBLIC})
    await call.ring()
    await call.press("1", "5", "14031962")
    assert " ".join(call.words()).count(" ".join(MemoryOutreach.CODE)) == 2


@pytest.mark.parametrize("answers", [("", "", ""), ("#",), ("99999999", "99999999", "99999999")])
async def test_p7_whoever_does_not_answer_is_led_to_a_person(accueil: Flow, answers: tuple[str, ...]) -> None:
    call = Call(accueil, public={"call.arrival": "menu", "practice.is_open": True})
    await call.ring()
    await call.press("1", "4", *answers)
    assert call.heard() == ["person_open", "callback.reason"]
    assert not call.outreach.reminders


_PUBLIC = dict.fromkeys(("practice.spoken_name", "practice.message_of_the_day"), "Cabinet des Tilleuls")
