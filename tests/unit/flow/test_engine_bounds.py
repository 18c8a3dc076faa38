"""P7: a call that goes on for ever is led to a person once, and ends; whoever leaves a message is not disturbed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from callcenter.flow.conversation import HangUp, Line
from callcenter.flow.engine import LAST_AFTER, LAST_TURN, LEAD_AFTER, LEAD_TO_A_PERSON
from callcenter.flow.language import (
    Channel,
    Choose,
    Disclose,
    End,
    Flow,
    Go,
    Level,
    MessageKind,
    Step,
    TakeMessage,
    Verify,
)
from callcenter.flow.ports import CallbackRequest
from tests.unit.flow.doubles import Appointment, Call, Patient, Words

THIS = "+33639980001"


def flow(person: Step) -> Flow:
    steps: tuple[Step, ...] = (
        Choose("menu", 0, "menu", {"1": "menu", "2": "verify", "3": "read", "0": "person"}, "person", "person"),
        Verify("verify", 0, Level.VERIFIED, "menu", "menu", "menu"),
        Disclose("read", 0, "appointment_summary", "menu", "person"),
        person,
        End("bye", 0, "goodbye"),
    )
    return Flow("essai", Channel.VOICE, "essai.yaml", "menu", "person", {step.name: step for step in steps}, "00")


def message() -> Flow:
    return flow(TakeMessage("person", 0, MessageKind.CALLBACK, "bye", "bye"))


async def after(call: Call, turns: int) -> Call:
    """The call when the menu has been asked for the ``turns``-th time."""
    await call.ring()
    await call.press(*["1"] * (turns - 1))
    assert call.state.turns == turns
    return call


async def test_a_long_call_is_led_to_a_person() -> None:
    call = await after(Call(message()), LEAD_TO_A_PERSON - 1)
    assert call.heard() == ["menu"]
    await call.press("1")
    assert call.heard() == ["engine.limit", "callback.reason"]
    assert call.state.limited
    await call.press("2", "1#")
    assert call.heard() == ["callback.taken", "goodbye"]
    assert call.messages.inbox == [CallbackRequest("prescription", THIS)]
    assert call.ended


async def test_it_is_led_there_once_and_ends_at_the_last_turn() -> None:
    call = await after(Call(flow(Go("person", 0, "menu"))), LEAD_TO_A_PERSON)
    assert call.heard() == ["engine.limit", "menu"]
    await call.press(*["1"] * (LAST_TURN - LEAD_TO_A_PERSON - 1))
    assert call.heard() == ["menu"]
    reply = await call.press("1")
    assert call.heard() == ["engine.farewell"]
    assert reply.then == HangUp()
    assert call.state.turns == LAST_TURN


async def test_whoever_is_leaving_a_message_is_left_in_peace() -> None:
    call = await after(Call(message()), LEAD_TO_A_PERSON - 2)
    await call.press("0", "1")
    assert call.state.turns == LEAD_TO_A_PERSON
    assert call.heard() == ["callback.number_or_this"]
    await call.press("0465710099")
    assert call.messages.inbox == [CallbackRequest("appointment", "+33465710099")]


async def test_what_was_typed_for_a_verification_is_forgotten_on_the_way_to_a_person() -> None:
    call = await after(Call(message(), number=None), LEAD_TO_A_PERSON - 2)
    await call.press("2", "14031962")
    assert call.heard() == ["engine.limit", "callback.reason"]
    assert call.state.typed == {}


async def test_an_answer_counts_even_at_the_last_turn() -> None:
    call = await after(Call(message()), LEAD_TO_A_PERSON)
    await call.press("*", "*", "*", "7", "7", "1", "*", "*", "*", "12", "12")
    assert call.state.turns == LAST_TURN - 1
    await call.press("0465710099")
    assert call.heard() == ["callback.taken", "goodbye"]
    assert call.messages.inbox == [CallbackRequest("appointment", "+33465710099")]


async def test_patient_words_that_are_on_record_are_still_said_at_both_bounds() -> None:
    appointment = Appointment(UUID(int=1), datetime(2026, 12, 1, 14, 30, tzinfo=UTC))
    jeanne = Patient(date(1962, 3, 14), frozenset({THIS}), THIS, (appointment,))
    call = Call(flow(Go("person", 0, "menu")), [jeanne])
    call.verifier.verified, call.verifier.level = jeanne, Level.VERIFIED
    call.state = call.state.binding("appointment", appointment.reference)
    await after(call, LEAD_TO_A_PERSON - 1)
    spoken = Words("appointment_summary", "01/12/2026 14:30")
    reply = await call.press("3")
    assert reply.before == (spoken,)
    assert [line.prompt for line in call.question.lines] == ["engine.limit", "menu"]
    await call.press(*["1"] * (LAST_TURN - LEAD_TO_A_PERSON - 1))
    reply = await call.press("3")
    assert reply.before == (spoken, Line("engine.farewell", "[engine.farewell]"))


async def test_a_call_that_lasts_is_led_to_a_person_and_then_ends_however_few_its_turns() -> None:
    call = Call(message())
    began = call.now
    await call.ring()
    call.now = began + LEAD_AFTER - timedelta(seconds=1)
    await call.press("1")
    assert call.heard() == ["menu"]
    call.now = began + LEAD_AFTER
    await call.press("1")
    assert call.heard() == ["engine.limit", "callback.reason"]
    call.now = began + LAST_AFTER
    await call.press("")
    assert (call.heard(), call.ended) == (["engine.farewell"], True)


async def test_an_answer_counts_even_when_the_time_is_over() -> None:
    call = Call(message())
    await call.ring()
    await call.press("0", "1")
    call.now += LAST_AFTER
    await call.press("0465710099")
    assert call.heard() == ["callback.taken", "goodbye"]
    assert call.messages.inbox == [CallbackRequest("appointment", "+33465710099")]
