"""The step ``verify``: its questions, its bounds, its three outlets; and that no question depends on a record (P6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.flow.language import Channel, End, Flow, Level, Step, Verify
from callcenter.flow.state import Phase
from tests.unit.flow.doubles import Call, Patient

BIRTH_DATE = "14031962"
JEANNE = Patient(date(1962, 3, 14), frozenset({"+33639980001"}), "+33639980001")
WRONG = "not it"  # replaced by a code that is wrong whatever the right one is


def flow(level: Level = Level.VERIFIED) -> Flow:
    steps: tuple[Step, ...] = (
        Verify("verify", 0, level, "yes", "no", "down"),
        *(End(name, 0, name) for name in ("yes", "no", "down")),
    )
    return Flow("essai", Channel.VOICE, "essai.yaml", "verify", "no", {step.name: step for step in steps}, "00")


async def ringing(*, number: str | None = "+33639980001", level: Level = Level.VERIFIED) -> Call:
    call = Call(flow(level), [JEANNE], number=number)
    await call.ring()
    return call


def wrong(call: Call) -> str:
    right = call.verifier.sent[-1][1] if call.verifier.sent else ""
    return "111111" if right != "111111" else "222222"


async def test_live_evidence_answers_at_once() -> None:
    call = Call(flow(), [JEANNE])
    call.verifier.level = Level.VERIFIED
    await call.ring()
    assert call.heard() == ["yes"]
    assert call.visited == [("verify", "verified")]


async def test_p2_evidence_of_a_lower_level_does_not() -> None:
    call = Call(flow(Level.STRONG), [JEANNE])
    call.verifier.level = Level.VERIFIED
    await call.ring()
    assert call.heard() == ["verify.birth_date"]


async def test_birth_date_then_code_when_the_number_is_shown() -> None:
    call = await ringing()
    assert (call.heard(), call.question.max_keys) == (["verify.birth_date"], 8)
    assert call.question.seconds >= 8
    await call.press(BIRTH_DATE)
    assert (call.heard(), call.question.max_keys, call.question.seconds) == (["verify.code"], 6, 15)
    await call.press(call.verifier.sent[0][1])
    assert call.heard() == ["yes"]
    assert call.verifier.claims == [(JEANNE.birth_date, "+33639980001")]


async def test_the_telephone_is_asked_when_the_number_is_withheld() -> None:
    call = await ringing(number=None)
    await call.press(BIRTH_DATE)
    assert (call.heard(), call.question.max_keys) == (["verify.telephone"], 10)
    assert call.state.typed == {"birth_date": "1962-03-14"}
    await call.press("0639980001")
    assert call.heard() == ["verify.code"]
    assert call.state.typed == {}
    await call.press(call.verifier.sent[0][1])
    assert call.heard() == ["yes"]


async def test_what_was_bound_for_another_patient_is_let_go() -> None:
    call = await ringing()
    call.state = call.state.binding("appointment", UUID(int=7))
    await call.press(BIRTH_DATE)
    await call.press(call.verifier.sent[0][1])
    assert call.state.bound == {}


@pytest.mark.parametrize(
    ("answers", "heard"),
    [
        (("",), ["verify.birth_date"]),
        (("", ""), ["verify.birth_date"]),
        (("", "", ""), ["no"]),
        (("#",), ["no"]),
        (("31021962",), ["verify.birth_date_again"]),
        (("1403",), ["verify.birth_date_again"]),
        (("31021962", "", "99"), ["verify.failed", "no"]),
        (("31021962", "99", ""), ["no"]),
        (("14*",), ["engine.restart", "verify.birth_date"]),
        (("*" + BIRTH_DATE[:6],), ["engine.restart", "verify.birth_date"]),
        (("14*14031962",), ["verify.code"]),
        (("1*", "1*", "1*", "1*"), ["verify.birth_date_again"]),
        (("1*", "1*", "1*", "1*", "*", "*"), ["verify.failed", "no"]),
        (("05031948",), ["verify.code"]),  # a date may begin with 0: it is no escape here
    ],
)
async def test_birth_date(answers: tuple[str, ...], heard: list[str]) -> None:
    call = await ringing()
    await call.press(*answers)
    assert call.heard() == heard


@pytest.mark.parametrize(
    ("answers", "heard"),
    [
        (("", "", ""), ["no"]),
        (("#",), ["no"]),
        (("12",), ["verify.telephone_again"]),
        (("12", "12", "12"), ["verify.failed", "no"]),
        (("06*0639980001",), ["verify.code"]),
        (("06*",), ["engine.restart", "verify.telephone"]),
    ],
)
async def test_telephone(answers: tuple[str, ...], heard: list[str]) -> None:
    call = await ringing(number=None)
    await call.press(BIRTH_DATE, *answers)
    assert call.heard() == heard
    assert call.state.typed == {} or call.state.phase is Phase.TELEPHONE


async def at_the_code() -> Call:
    call = await ringing()
    await call.press(BIRTH_DATE)
    return call


async def test_a_caller_who_waits_for_the_code_hears_the_same_words_four_times() -> None:
    call = await at_the_code()
    for _ in range(3):
        await call.press("")
        assert (call.heard(), call.question.seconds) == (["verify.code"], 15)
    await call.press("")
    assert call.heard() == ["verify.failed", "no"]
    assert call.verifier.checked == []


async def test_hash_alone_at_the_code_escapes_at_once() -> None:
    call = await at_the_code()
    await call.press("#")
    assert call.heard() == ["verify.failed", "no"]


async def test_wrong_codes_are_the_verifiers_to_count() -> None:
    call = await at_the_code()
    for _ in range(2):
        await call.press(wrong(call))
        assert (call.heard(), call.question.max_keys) == (["verify.code_wrong"], 6)
    await call.press(wrong(call))
    assert call.heard() == ["verify.failed", "no"]
    assert len(call.verifier.checked) == 3


async def test_the_right_code_after_a_wrong_one_and_a_silence() -> None:
    call = await at_the_code()
    await call.press(wrong(call), "", call.verifier.sent[0][1])
    assert call.heard() == ["yes"]


@pytest.mark.parametrize("keys", ["1", "12345", "12#"])
async def test_a_short_code_is_a_try(keys: str) -> None:
    call = await at_the_code()
    await call.press(keys)
    assert call.heard() == ["verify.code_wrong"]
    assert call.verifier.checked == [keys.removesuffix("#")]


async def test_star_at_the_code_is_no_try_three_times() -> None:
    call = await at_the_code()
    await call.press("12*3", "*", "9*8")
    assert call.heard() == ["engine.restart", "verify.code"]
    assert call.verifier.checked == []
    await call.press("12*3")
    assert call.verifier.checked == ["3"]


async def test_a_code_after_star_is_checked_as_what_follows() -> None:
    call = await at_the_code()
    await call.press("12*" + call.verifier.sent[0][1])
    assert call.heard() == ["yes"]


async def test_star_alone_for_ever_at_the_code_ends() -> None:
    call = await at_the_code()
    await call.press(*["*"] * 7)
    assert call.heard() == ["verify.failed", "no"]


async def test_too_long_a_code_is_nonsense() -> None:
    call = await at_the_code()
    await call.press("1234567")
    assert call.heard() == ["verify.code_wrong"]
    assert call.verifier.checked == []


async def test_p2_a_code_that_proves_too_little_does_not_open() -> None:
    call = await ringing(level=Level.STRONG)
    await call.press(BIRTH_DATE)
    await call.press(call.verifier.sent[0][1])
    assert call.heard() == ["verify.failed", "no"]


async def test_no_more_codes_is_a_failure_like_any_other() -> None:
    call = await ringing()
    call.verifier.claims.extend([(JEANNE.birth_date, "+33639980001")] * 3)
    await call.press(BIRTH_DATE)
    assert call.heard() == ["verify.failed", "no"]
    assert call.visited == [("verify", "refused")]


@pytest.mark.parametrize("answers", [(BIRTH_DATE,), (BIRTH_DATE, "123456")])
async def test_an_outage_has_an_outlet_of_its_own(answers: tuple[str, ...]) -> None:
    call = await ringing()
    await call.press(*answers[:-1])
    call.verifier.down = True
    await call.press(answers[-1])
    assert call.heard() == ["verify.unavailable", "down"]
    assert call.visited == [("verify", "unavailable")]


# --- P6: no oracle

RECORDS: dict[str, list[Patient]] = {
    "unknown": [],
    "known": [JEANNE],
    "without a mobile": [replace(JEANNE, mobile=None)],
    "other birth date": [replace(JEANNE, birth_date=date(1962, 3, 15))],
    "twice": [JEANNE, replace(JEANNE, mobile="+33639980009")],
    "withheld": [replace(JEANNE, withheld=True)],
}
ANSWERS = st.lists(
    st.sampled_from(["", "#", "*", "14*", BIRTH_DATE, "31021962", "0639980001", "12", WRONG, "9*"]), max_size=14
)


async def _overheard(patients: list[Patient], number: str | None, answers: list[str]) -> list[str]:
    call = Call(flow(), patients, number=number)
    await call.ring()
    for answer in answers:
        if call.ended:
            break
        await call.press(wrong(call) if answer == WRONG else answer)
    return call.words()


@given(answers=ANSWERS, number=st.sampled_from([None, "+33639980001", "+33261910099"]))
@settings(max_examples=150, deadline=None)
async def test_p6_without_the_code_every_record_asks_the_same_questions_in_the_same_words(
    answers: list[str], number: str | None
) -> None:
    overheard = [await _overheard(patients, number, answers) for patients in RECORDS.values()]
    assert all(words == overheard[0] for words in overheard)


# --- starting again while typing: the carrier ends a question at its number of keys, stars among them


@pytest.mark.parametrize(
    "typed", ["140*14031962", "*14031962", "1403196*14031962", "1*1*1*14031962", "14*1403*14031962"]
)
async def test_a_star_starts_again_while_the_digits_go_on(typed: str) -> None:
    call = await ringing()
    await call.type(typed)
    assert call.heard() == ["verify.code"]
    assert call.verifier.claims == [(JEANNE.birth_date, "+33639980001")]


async def test_what_was_begun_is_waited_for_without_a_word() -> None:
    call = await ringing()
    await call.type("140*1403")
    assert (call.heard(), call.question.max_keys, call.question.seconds) == ([], 4, 10)
    assert call.state.begun == "1403"
    assert "1403" not in repr(call.state)
    await call.type("1962")
    assert call.heard() == ["verify.code"]
    assert call.state.begun == ""


@pytest.mark.parametrize("rest", ["", "#", "19", "*"])
async def test_what_was_begun_and_not_ended_is_asked_again(rest: str) -> None:
    call = await ringing()
    await call.type("140*1403")
    await call.press(rest)
    assert call.heard()[-1] in ("verify.birth_date", "verify.birth_date_again")
    assert (call.question.max_keys, call.state.begun) == (8, "")


async def test_a_code_may_be_started_again_and_costs_no_try() -> None:
    call = await ringing()
    await call.press(BIRTH_DATE)
    right = call.verifier.sent[0][1]
    await call.type(f"12*{right}")
    assert call.heard() == ["yes"]
    assert call.verifier.checked == [right]


async def test_a_telephone_may_be_started_again() -> None:
    call = await ringing(number=None)
    await call.press(BIRTH_DATE)
    await call.type("0639*0639980001")
    assert call.verifier.claims == [(JEANNE.birth_date, "+33639980001")]


async def test_restarts_are_bounded() -> None:
    call = await ringing()
    for _ in range(40):
        if call.ended:
            break
        await call.type("1*2345678"[: call.question.max_keys])
    assert call.ended
    assert call.verifier.claims == []
