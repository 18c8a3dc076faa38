"""Each kind of step and each of its outlets; what is said where; how the engine refuses to be misled."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from callcenter.flow.conversation import HangUp, Keyed, Line, Started
from callcenter.flow.engine import FlowStuck, advance, initial
from callcenter.flow.language import (
    Act,
    Ask,
    AskKind,
    Branch,
    Channel,
    Choose,
    Disclose,
    Do,
    End,
    Find,
    Flow,
    Go,
    Level,
    Lookup,
    Say,
    Step,
    Verify,
)
from callcenter.flow.walking import STEPS_A_TURN
from tests.unit.flow.doubles import Appointment, Call, Patient, Words

FIRST = Appointment(UUID(int=1), datetime(2026, 12, 1, 14, 30, tzinfo=UTC))
SECOND = Appointment(UUID(int=2), datetime(2026, 12, 8, 9, 0, tzinfo=UTC))
JEANNE = Patient(date(1962, 3, 14), frozenset({"+33639980001"}), "+33639980001", (FIRST, SECOND))


def flow(*steps: Step, start: str = "", person: str = "bye") -> Flow:
    named = {step.name: step for step in (*steps, End("bye", 0, "goodbye"))}
    return Flow("essai", Channel.VOICE, "essai.yaml", start or steps[0].name, person, named, "00")


def end(name: str) -> End:
    return End(name, 0, name)


def menu(
    name: str = "menu", keys: Mapping[str, str] | None = None, silence: str = "bye", nonsense: str = "bye"
) -> Choose:
    return Choose(name, 0, name, keys or {"1": "one", "0": "bye"}, silence, nonsense)


# --- say, go, branch, end


async def test_say_go_and_end_are_one_turn_and_public_words_before_a_hang_up_are_spoken_whole() -> None:
    call = Call(flow(Say("hello", 0, "welcome", "on"), Go("on", 0, "bye")), public={"practice.name": "Cabinet"})
    reply = await call.ring()
    assert reply.before == (Line("welcome", "[welcome] Cabinet"), Line("goodbye", "[goodbye] Cabinet"))
    assert reply.then == HangUp()
    assert call.visited == [("hello", "then"), ("on", "go")]


@pytest.mark.parametrize(("is_open", "heard"), [(True, "open"), (False, "closed")])
async def test_branch_goes_by_a_public_yes_or_no(is_open: bool, heard: str) -> None:
    steps = (Branch("open?", 0, "practice.is_open", "open", "closed"), end("open"), end("closed"))
    call = Call(flow(*steps), public={"practice.is_open": is_open})
    await call.ring()
    assert call.heard() == [heard]


@pytest.mark.parametrize("public", [{}, {"practice.is_open": "oui"}])
async def test_branch_refuses_to_guess(public: dict[str, str | bool]) -> None:
    call = Call(flow(Branch("open?", 0, "practice.is_open", "bye", "bye")), public=public)
    with pytest.raises(FlowStuck, match=r"practice\.is_open"):
        await call.ring()


# --- choose


async def test_choose_takes_one_key_and_words_before_it_can_be_interrupted() -> None:
    call = Call(flow(Say("hello", 0, "welcome", "menu"), menu(), end("one")))
    reply = await call.ring()
    assert reply.before == ()
    assert call.heard() == ["welcome", "menu"]
    assert call.question.max_keys == 1
    await call.press("1")
    assert call.heard() == ["one"]
    assert call.visited == [("hello", "then"), ("menu", "key 1")]


@pytest.mark.parametrize("answer", ["", "#"])
async def test_choose_is_asked_three_times_in_silence(answer: str) -> None:
    call = Call(flow(menu(silence="quiet"), end("one"), end("quiet")))
    await call.ring()
    for _ in range(2):
        await call.press(answer)
        assert call.heard() == ["menu"]
    await call.press(answer)
    assert call.heard() == ["quiet"]
    assert call.visited[-1] == ("menu", "silence")


@pytest.mark.parametrize(
    ("answers", "outlet"),
    [(("7", "7", "7"), "nonsense"), (("7", "", "8"), "nonsense"), (("7", "8", ""), "silence")],
)
async def test_silence_and_nonsense_share_the_bound_and_the_last_kind_decides(
    answers: tuple[str, ...], outlet: str
) -> None:
    call = Call(flow(menu(silence="quiet", nonsense="noise"), end("one"), end("quiet"), end("noise")))
    await call.ring()
    await call.press(answers[0])
    assert call.heard() == ["engine.nonsense", "menu"]
    await call.press(*answers[1:])
    assert call.visited[-1] == ("menu", outlet)


async def test_star_repeats_a_menu_three_times_and_is_nonsense_after_that() -> None:
    call = Call(flow(menu(nonsense="noise"), end("one"), end("noise")))
    await call.ring()
    for _ in range(3):
        await call.press("*")
        assert call.heard() == ["menu"]
    await call.press("*")
    assert call.heard() == ["engine.nonsense", "menu"]
    await call.press("*", "*")
    assert call.visited[-1] == ("menu", "nonsense")


async def test_star_goes_where_the_flow_sends_it() -> None:
    call = Call(flow(menu(keys={"*": "again", "0": "bye"}), end("again")))
    await call.ring()
    await call.press("*")
    assert call.visited == [("menu", "key *")]


async def test_bounds_start_anew_at_the_next_question() -> None:
    call = Call(flow(menu(keys={"1": "other", "0": "bye"}), menu("other")))
    await call.ring()
    await call.press("", "7", "1", "", "7")
    assert call.heard() == ["engine.nonsense", "other"]


# --- ask


ASK = Ask("ask", 0, "which_number", AskKind.TELEPHONE, "telephone", "check", "quiet", "noise")


async def test_ask_keeps_a_telephone_which_verify_then_does_not_ask() -> None:
    verify = Verify("check", 0, Level.VERIFIED, "yes", "no", "down")
    call = Call(flow(ASK, verify, *map(end, ("yes", "no", "down", "quiet", "noise"))), [JEANNE], number=None)
    await call.ring()
    assert call.question.max_keys == 10
    await call.press("0639980001", "14031962")
    assert call.verifier.claims == [(JEANNE.birth_date, "+33639980001")]
    assert call.state.typed == {}


@pytest.mark.parametrize(
    ("answers", "outlet"),
    [(("", "", ""), "silence"), (("#",), "silence"), (("12", "3999", "06"), "nonsense"), (("", "12", "#"), "silence")],
)
async def test_ask_gives_up(answers: tuple[str, ...], outlet: str) -> None:
    call = Call(flow(ASK, *map(end, ("check", "quiet", "noise"))))
    await call.ring()
    await call.press(*answers)
    assert call.visited == [("ask", outlet)]


async def test_ask_says_what_went_wrong_before_it_asks_again() -> None:
    call = Call(flow(ASK, *map(end, ("check", "quiet", "noise"))))
    await call.ring()
    await call.press("12")
    assert call.heard() == ["engine.nonsense", "which_number"]
    await call.press("06*0639")
    assert call.heard() == ["engine.restart", "which_number"]
    await call.press("*", "*")
    assert call.heard() == ["engine.restart", "which_number"]
    await call.press("*")
    assert call.heard() == ["engine.nonsense", "which_number"]
    await call.press("9*0639980001")
    assert call.visited == [("ask", "then")]


# --- find, disclose, do


def reading() -> Flow:
    return flow(
        Verify("verify", 0, Level.VERIFIED, "next", "refused", "down"),
        Find("next", 0, Lookup.NEXT_APPOINTMENT, "read", "none", "withheld"),
        Disclose("read", 0, "appointment_summary", "menu", "withheld"),
        menu(keys={"1": "confirm", "2": "cancel", "3": "following", "*": "read", "4": "next", "0": "bye"}),
        Find("following", 0, Lookup.FOLLOWING_APPOINTMENT, "read", "no_more", "withheld"),
        Say("no_more", 0, "no_more", "menu"),
        Do("confirm", 0, Act.CONFIRM_APPOINTMENT, "confirmed", "failed"),
        Do("cancel", 0, Act.CANCEL_APPOINTMENT, "cancelled", "failed"),
        Say("confirmed", 0, "confirmed", "menu"),
        Say("cancelled", 0, "cancelled", "menu"),
        Say("failed", 0, "failed", "menu"),
        *map(end, ("none", "withheld", "refused", "down")),
    )


async def verified(patient: Patient) -> Call:
    call = Call(reading(), [patient])
    await call.ring()
    await call.press("14031962")
    await call.press(call.verifier.sent[-1][1])
    return call


async def test_patient_words_stand_before_the_question_and_public_words_after_them_inside() -> None:
    call = await verified(JEANNE)
    reply = call.replies[-1]
    assert reply.before == (Words("appointment_summary", "01/12/2026 14:30"),)
    assert [line.prompt for line in call.question.lines] == ["menu"]


async def test_public_words_before_patient_words_are_spoken_whole_too() -> None:
    steps = dict(reading().steps)
    steps["read"] = Say("read", 0, "listen", "tell")
    steps["tell"] = Disclose("tell", 0, "appointment_summary", "thanks", "withheld")
    steps["thanks"] = Say("thanks", 0, "thanks", "menu")
    call = Call(flow(*steps.values(), start="verify"), [JEANNE])
    await call.ring()
    await call.press("14031962")
    reply = await call.press(call.verifier.sent[-1][1])
    assert [words.prompt for words in reply.before] == ["listen", "appointment_summary"]
    assert [line.prompt for line in call.question.lines] == ["thanks", "menu"]


async def test_appointments_are_read_one_by_one_and_star_reads_again() -> None:
    call = await verified(JEANNE)
    await call.press("*")
    assert call.replies[-1].before == (Words("appointment_summary", "01/12/2026 14:30"),)
    await call.press("3")
    assert call.replies[-1].before == (Words("appointment_summary", "08/12/2026 09:00"),)
    await call.press("3")
    assert call.heard() == ["no_more", "menu"]
    assert call.record.ledger.count(("tell", "appointment_summary")) == 3
    assert call.state.bound == {"appointment": SECOND.reference}


async def test_confirm_keeps_and_cancel_unbinds_what_was_found() -> None:
    call = await verified(JEANNE)
    await call.press("1")
    assert call.heard() == ["confirmed", "menu"]
    await call.press("2")
    assert call.heard() == ["cancelled", "menu"]
    assert call.record.acts == [
        (Act.CONFIRM_APPOINTMENT, FIRST.reference),
        (Act.CANCEL_APPOINTMENT, FIRST.reference),
    ]
    assert call.state.bound == {}
    with pytest.raises(FlowStuck):  # the proof refuses this flow: an act on nothing would leave no record
        await call.press("2")
    assert len(call.record.acts) == 2


async def test_an_act_fails_on_an_appointment_that_has_gone_meanwhile() -> None:
    call = await verified(JEANNE)
    call.record.cancel_elsewhere(FIRST.reference)
    await call.press("1")
    assert call.visited[-2:] == [("confirm", "failed"), ("failed", "then")]
    assert call.record.acts == []


@pytest.mark.parametrize(
    ("patient", "heard"),
    [
        (Patient(JEANNE.birth_date, JEANNE.telephones, JEANNE.mobile), ["none"]),
        (Patient(JEANNE.birth_date, JEANNE.telephones, JEANNE.mobile, (FIRST,), withheld=True), ["withheld"]),
    ],
)
async def test_find_says_nothing_of_the_patient_when_there_is_nothing_or_it_is_withheld(
    patient: Patient, heard: list[str]
) -> None:
    call = await verified(patient)
    assert call.heard() == heard
    assert not [words for reply in call.replies for words in reply.before if isinstance(words, Words)]


async def test_a_withheld_disclosure_is_silent() -> None:
    call = Call(flow(Disclose("read", 0, "appointment_summary", "bye", "withheld"), end("withheld")), [JEANNE])
    await call.ring()
    assert call.heard() == ["withheld"]
    assert call.visited == [("read", "withheld")]


# --- what cannot be


async def test_keys_where_nothing_was_asked_are_refused() -> None:
    call = Call(flow(menu(), end("one")))
    with pytest.raises(FlowStuck):
        await call.send(Keyed("1"))
    await call.ring()
    await call.press("1")
    with pytest.raises(FlowStuck):
        await call.send(Keyed("1"))


async def test_a_call_starts_once() -> None:
    call = Call(flow(menu(), end("one")))
    await call.ring()
    with pytest.raises(FlowStuck):
        await call.send(Started())


async def test_a_state_of_another_flow_is_refused() -> None:
    call = Call(flow(menu(), end("one")))
    await call.ring()
    with pytest.raises(FlowStuck, match="menu"):
        await advance(flow(Say("other", 0, "other", "bye")), call.book, call.state, Keyed("1"), call.world)


async def test_a_flow_that_goes_round_without_a_question_is_stopped() -> None:
    circle = flow(Go("a", 0, "b"), Go("b", 0, "a"))
    call = Call(circle)
    with pytest.raises(FlowStuck, match=str(STEPS_A_TURN)):
        await advance(circle, call.book, initial(circle), Started(), call.world)


async def test_as_many_steps_as_are_allowed_are_taken() -> None:
    line = [Go(f"s{n}", 0, f"s{n + 1}") for n in range(STEPS_A_TURN - 1)]
    call = Call(flow(*line, end(f"s{STEPS_A_TURN - 1}")))
    await call.ring()
    assert call.ended
