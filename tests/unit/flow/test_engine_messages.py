"""The step ``take_message``: a reason, a number, and a request in the inbox whenever there is a number to call."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callcenter.flow.language import Ask, AskKind, Channel, Choose, End, Flow, MessageKind, Step, TakeMessage
from callcenter.flow.ports import CallbackRequest
from tests.unit.flow.doubles import Call

THIS = "+33639980001"
TYPED = "+33465710099"


def flow(*before: Ask) -> Flow:
    message = TakeMessage("message", 0, MessageKind.CALLBACK, "taken", "abandoned")
    steps: tuple[Step, ...] = (*before, message, *(End(name, 0, name) for name in ("taken", "abandoned")))
    named = {step.name: step for step in steps}
    return Flow("essai", Channel.VOICE, "essai.yaml", steps[0].name, "message", named, "00")


async def ringing(number: str | None) -> Call:
    call = Call(flow(), number=number)
    await call.ring()
    assert (call.heard(), call.question.max_keys) == (["callback.reason"], 1)
    return call


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (("1",), "appointment"),
        (("2",), "prescription"),
        (("3",), "administrative"),
        (("4",), "other"),
        (("7", "4"), "other"),
        (("", "*", "2"), "prescription"),
        (("", "", ""), "unspecified"),
        (("#", "7", "0"), "unspecified"),
        (("*",) * 6, "unspecified"),
    ],
)
async def test_the_reason_is_a_key_or_unspecified(answers: tuple[str, ...], reason: str) -> None:
    call = await ringing(THIS)
    await call.press(*answers)
    assert call.heard() == ["callback.number_or_this"]
    await call.press("1#")
    assert call.messages.inbox == [CallbackRequest(reason, THIS)]


async def test_a_key_that_is_no_reason_is_nonsense_and_star_only_repeats() -> None:
    call = await ringing(THIS)
    await call.press("9")
    assert call.heard() == ["engine.nonsense", "callback.reason"]
    await call.press("*")
    assert call.heard() == ["callback.reason"]


@pytest.mark.parametrize(
    ("answers", "number"),
    [
        (("1",), THIS),
        (("1#",), THIS),
        (("",), THIS),
        (("#",), THIS),
        (("2*1",), THIS),
        (("0465710099",), TYPED),
        (("0465*", "0465710099"), TYPED),
        (("04*0465710099",), TYPED),
        (("0465", "0465710099#"), TYPED),
        (("12", "12", "12"), THIS),  # it would be worse to lose the message than to ring the number that called
    ],
)
async def test_a_caller_with_a_number_always_leaves_a_message(answers: tuple[str, ...], number: str) -> None:
    call = await ringing(THIS)
    await call.press("1")
    assert (call.heard(), call.question.max_keys) == (["callback.number_or_this"], 10)
    await call.press(*answers)
    assert call.heard() == ["callback.taken", "taken"]
    assert call.messages.inbox == [CallbackRequest("appointment", number)]
    assert call.visited == [("message", "taken")]
    assert call.state.typed == {}


@pytest.mark.parametrize(
    ("answers", "heard"),
    [
        (("1",), ["callback.number_again"]),
        (("",), ["callback.number"]),
        (("#",), ["callback.number"]),
        (("04*",), ["engine.restart", "callback.number"]),
        (("", "#", ""), ["callback.abandoned", "abandoned"]),
        (("12", "", "12"), ["callback.abandoned", "abandoned"]),
    ],
)
async def test_a_caller_whose_number_is_withheld_must_type_one(answers: tuple[str, ...], heard: list[str]) -> None:
    call = await ringing(None)
    await call.press("1")
    assert call.heard() == ["callback.number"]
    await call.press(*answers)
    assert call.heard() == heard
    assert call.messages.inbox == []


async def test_a_withheld_number_is_typed_after_hesitation() -> None:
    call = await ringing(None)
    await call.press("3", "", "0", "0465710099")
    assert call.messages.inbox == [CallbackRequest("administrative", TYPED)]


async def test_nothing_of_a_message_is_kept_when_the_call_goes_on() -> None:
    menu = Choose("taken", 0, "menu", {"1": "abandoned"}, "abandoned", "abandoned")
    call = Call(replace(flow(), steps={**flow().steps, "taken": menu}))
    await call.ring()
    await call.press("1", "0465710099")
    assert call.heard() == ["callback.taken", "menu"]
    assert call.state.typed == {}


async def test_nothing_that_was_typed_outlives_the_call() -> None:
    call = Call(flow(Ask("ask", 0, "which_number", AskKind.TELEPHONE, "telephone", "taken", "taken", "taken")))
    await call.ring()
    await call.press("0465710099")
    assert call.ended
    assert call.state.typed == {}


async def test_a_number_that_the_flow_has_asked_for_before_is_not_asked_again() -> None:
    call = Call(flow(Ask("ask", 0, "which_number", AskKind.TELEPHONE, "number", "message", "message", "message")))
    await call.ring()
    await call.press("0465710099", "2")
    assert call.messages.inbox == [CallbackRequest("prescription", TYPED)]


async def test_a_number_may_be_started_again_while_it_is_typed() -> None:
    call = Call(flow())
    await call.ring()
    await call.press("2")
    await call.type("0639*0465710099")
    assert call.messages.inbox == [CallbackRequest("prescription", TYPED)]


async def test_a_number_that_was_begun_is_not_taken_for_the_calling_one() -> None:
    call = Call(flow())
    await call.ring()
    await call.press("2")
    await call.type("0639980*04")
    await call.press("")
    assert call.messages.inbox == []
    assert call.heard() == ["callback.number_or_this"]
