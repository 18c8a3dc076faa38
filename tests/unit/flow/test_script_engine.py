"""The engine of a script: what fits no screen has no effect, and a script ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.flow import script_engine
from callcenter.flow.conversation import Line, Started
from callcenter.flow.engine import advance
from callcenter.flow.language import Channel, Choose, Disclose, End, Flow, Say, Step
from callcenter.flow.load import load_flow
from callcenter.flow.ports import BookablePractitioner
from callcenter.flow.screens import FieldKind, Filled, Option
from callcenter.flow.script_engine import LAST_EVENT, LEAD_EVENT, NotOffered
from callcenter.flow.script_forms import Asked, Faulty, as_written, read
from callcenter.flow.script_language import Disposition, Pick, Show, Shown, Way
from callcenter.flow.state import initial
from callcenter.flow.walking import STEPS_A_TURN, FlowStuck
from tests.unit.flow.doubles import NOW, Appointment, Call, Patient
from tests.unit.flow.script_doubles import BOOK, EXTERNAL, PUBLIC, ROOT, Script

OPERATEUR = load_flow(ROOT / "flows/operateur.yaml", BOOK)
VISIT = Appointment(UUID(int=1), NOW + timedelta(days=3))
JEANNE = Patient(date(1962, 3, 14), frozenset({"+33639980001"}), "+33639980001", (VISIT,))
MOREAU = BookablePractitioner(UUID(int=7), "Dr Claire Moreau", new_patients=True)
PETIT = BookablePractitioner(UUID(int=8), "Dr Paul Petit", new_patients=False)
TODAY = NOW.date()


def flow_of(*steps: Step) -> Flow:
    named = {step.name: step for step in steps}
    return Flow("essai", Channel.CONSOLE, "essai.yaml", steps[0].name, steps[-1].name, named, "00")


# --- what fits no screen


@pytest.mark.parametrize(
    "way",
    [[], ["1"], ["2"], ["2", "2"], ["2", "2", "2"], ["2", "2", "1", "3"], ["6"], ["6", "verify"],
     ["6", "verify", "then", "2"], ["0"]],
    ids=["choice", "message", "choice", "practitioner", "seen_before", "form", "verify", "files", "slots", "dispose"],
)  # fmt: skip
@pytest.mark.parametrize("choice", ["", "8", "99", "reveal:appointment.speciality", "declare:D10", "key 1", "\x00"])
async def test_an_answer_that_the_screen_does_not_offer_has_no_effect(way: list[str], choice: str) -> None:
    script = Script(OPERATEUR, [JEANNE], practitioners=[MOREAU, PETIT], free=[NOW + timedelta(days=5)] * 3)
    await script.begin()
    for one in way:
        await (script.verified() if one == "verify" else script.pick(one))
    assert choice not in script.offered
    stood, ledger = script.state, list(script.record.ledger)
    with pytest.raises(NotOffered):
        await script.send(Filled(choice, {"text": "x", "birth_date": "14031962"}))
    assert (script.state, script.record.ledger) == (stood, ledger)
    assert (script.messages.inbox, script.booking.booked, script.notes.disposed) == ([], [], [])


async def test_what_is_declared_is_one_of_the_steps_categories() -> None:
    script = Script(OPERATEUR, [JEANNE], public={**PUBLIC, **EXTERNAL})
    await script.begin()
    await script.pick("6")
    await script.verified()
    for forged in ("declare:D10", "declare:D05", "declare:", "reveal:appointment.place"):
        with pytest.raises(NotOffered):
            await script.send(Filled(forged))
    assert script.record.ledger == []


async def test_what_changed_is_acknowledged_by_its_own_option() -> None:
    script = Script(OPERATEUR, public={**PUBLIC, "script.instructions_changed": True})
    await script.begin()
    with pytest.raises(NotOffered):
        await script.send(Filled("1"))
    assert script.notes.acknowledged == []


async def test_events_come_in_their_order() -> None:
    script = Script(OPERATEUR)
    with pytest.raises(FlowStuck, match="none was shown"):
        await script.send(Filled("1"))
    await script.begin()
    with pytest.raises(FlowStuck, match="under way"):
        await script.begin()


async def test_fields_that_the_form_has_not_are_left_aside() -> None:
    script = Script(OPERATEUR)
    await script.begin()
    await script.pick("1")
    await script.send(Filled("send", {"text": "Rappeler", "urgency": "normal", "practitioner": str(UUID(int=9))}))
    [request] = script.messages.inbox
    assert (request.text, request.practitioner, request.number) == ("Rappeler", None, None)


# --- each channel has its steps


async def test_a_step_for_keypads_is_entered_by_no_script_and_a_screen_by_no_call() -> None:
    spoken: list[Step] = [Choose("a", 0, "menu", {"1": "z"}, "z", "z"), Disclose("a", 0, "read", "z", "z")]
    for step in spoken:
        with pytest.raises(FlowStuck, match="for a caller's keypad"):
            await Script(flow_of(step, End("z", 0, "operator.closed"))).begin()
    for shown in (Pick("a", 0, "menu", {"0": Way("label", "z")}), Show("a", 0, Shown.INSTRUCTIONS, "z")):
        call = Call(replace(flow_of(shown, End("z", 0, "bye")), channel=Channel.VOICE))
        with pytest.raises(FlowStuck, match="for an operator's screen"):
            await advance(call.flow, call.book, initial(call.flow), Started(), call.world)


async def test_a_script_that_goes_round_in_circles_is_stopped() -> None:
    with pytest.raises(FlowStuck, match=str(STEPS_A_TURN)):
        await Script(flow_of(Say("a", 0, "operator.closed", "b"), Say("b", 0, "operator.closed", "a"))).begin()


async def test_an_end_without_words_ends() -> None:
    script = Script(flow_of(End("z", 0, None)))
    await script.begin()
    assert script.finished
    assert script.screen.lines == ()


# --- a script ends


async def test_p7_a_script_that_has_grown_long_is_led_to_its_end_once_and_then_ends() -> None:
    script = Script(OPERATEUR)
    await script.begin()
    await script.pick("6")
    while script.state.turns < LEAD_EVENT - 1:
        await script.claim("no date")
    assert script.shown() == ["script.verify"]
    await script.claim("no date")
    assert script.shown() == ["script.limit", "operator.instead"]
    assert script.state.limited
    await script.pick("1")
    while script.state.turns < LAST_EVENT - 1:
        await script.fill(text="")
    assert script.shown() == ["script.message"]
    await script.fill(text="")
    assert script.finished
    assert script.shown() == ["script.over"]
    assert (script.state.typed, script.state.bound) == ({}, {})


async def test_whoever_is_closing_the_call_is_led_nowhere() -> None:
    script = Script(OPERATEUR)
    await script.begin()
    await script.pick("0")
    while script.state.turns < LEAD_EVENT + 2:
        await script.fill(disposition="")
    assert script.shown() == ["script.dispose"]
    await script.fill(disposition=Disposition.HUNG_UP.value)
    assert script.finished


async def test_what_the_script_did_is_suggested_even_when_it_is_led_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script_engine, "LEAD_EVENT", 3)
    script = Script(OPERATEUR)
    await script.begin()
    await script.pick("1")
    await script.fill(text="Rappeler")
    assert script.shown() == ["script.message_taken", "script.limit", "operator.instead"]
    await script.pick("0")
    assert script.form.fields[0].value == Disposition.MESSAGE.value


# --- what is typed

DATE, TELEPHONE = Asked("f", FieldKind.DATE, "label"), Asked("f", FieldKind.TELEPHONE, "label")
TEXT = Asked("f", FieldKind.TEXT, "label")


@pytest.mark.parametrize(
    ("asked", "written", "value"),
    [
        (DATE, "05031948", "1948-03-05"),
        (DATE, " 5/3/1948 ", "1948-03-05"),
        (DATE, "05.03.1948", "1948-03-05"),
        (DATE, "05 03 1948", "1948-03-05"),
        (DATE, "5-3-1948", "1948-03-05"),
        (TELEPHONE, "0639980001", "+33639980001"),
        (TELEPHONE, "06 39.98-00 01", "+33639980001"),
        (TELEPHONE, "+33 6 39 98 00 01", "+33639980001"),
        (TELEPHONE, "+33 (0)6 39 98 00 01", "+33639980001"),
        (TELEPHONE, "0033639980001", "+33639980001"),
        (TELEPHONE, "+32 2 555 12 12", "+3225551212"),
        (TEXT, " a\r\nb ", "a\nb"),
        (DATE, "05/03/48", None),
        (DATE, "1948-03-05", None),
        (DATE, "27112026", None),
        (DATE, "01011800", None),
        (DATE, "٠٥٠٣١٩٤٨", None),
        (TELEPHONE, "639980001", None),
        (TELEPHONE, "0899123456", None),
        (TELEPHONE, "++33639980001", None),
        (TEXT, "a\x00b", None),
        (TEXT, "a\x1bb", None),
        (TEXT, "x" * 1001, None),
    ],
)
def test_what_is_typed_is_a_value_or_a_fault(asked: Asked, written: str, value: str | None) -> None:
    if value is None:
        assert isinstance(read([asked], {"f": written}, TODAY), Faulty)
    else:
        assert read([asked], {"f": written}, TODAY) == {"f": value}


@given(st.text(max_size=30), st.sampled_from(FieldKind))
def test_whatever_is_typed_is_one_or_the_other(written: str, kind: FieldKind) -> None:
    options = tuple(Option(one, Line("label", one)) for one in ("a", "b"))
    match read([Asked("f", kind, "label", options=options)], {"f": written}, TODAY):
        case Faulty(faults):
            assert faults.keys() == {"f"}
        case values:
            assert values["f"].strip() == values["f"] != ""


@pytest.mark.parametrize("number", ["+33639980001", "+3225551212", "+14155550123"])
def test_a_number_is_read_back_as_it_is_written(number: str) -> None:
    assert read([TELEPHONE], {"f": as_written(number)}, TODAY) == {"f": number}
