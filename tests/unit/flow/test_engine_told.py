"""A caller has told an operator who they are: at their keys they are asked for the code alone, whoever they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from callcenter.flow import claiming
from callcenter.flow.conversation import Dequeued, Queueing
from callcenter.flow.language import Channel, End, Flow, Level, Queue, QueueFor, Step, Verify
from callcenter.flow.ports import Parted
from tests.unit.flow.doubles import Call, Patient

BORN, MOBILE = date(1962, 3, 14), "+33639980001"
JEANNE = Patient(BORN, frozenset({MOBILE}), MOBILE)


def flow() -> Flow:
    steps: tuple[Step, ...] = (
        Queue("wait", 1, QueueFor.OPERATORS, "over", "over", "over", "over", keypad="identify"),
        Verify("identify", 2, Level.VERIFIED, "wait", "wait", "wait"),
        End("over", 3, "goodbye"),
    )
    return Flow("essai", Channel.VOICE, "essai.yaml", "wait", "over", {step.name: step for step in steps}, "00")


async def talking(*patients: Patient, number: str | None = MOBILE) -> Call:
    call = Call(flow(), list(patients), number=number)
    call.lobby.admits = True
    await call.ring()
    return call


async def sent_to_the_keys(call: Call, born: date = BORN, telephone: str = MOBILE) -> None:
    call.state = claiming.told(call.state, born, telephone)
    call.lobby.parts = Parted.KEYPAD
    await call.send(Dequeued(met=True))


@pytest.mark.parametrize("patients", [(JEANNE,), ()], ids=["known", "unknown"])
@pytest.mark.parametrize("number", [MOBILE, None])
async def test_p6_the_code_is_asked_for_at_once_whoever_they_are(
    patients: tuple[Patient, ...], number: str | None
) -> None:
    call = await talking(*patients, number=number)
    await sent_to_the_keys(call)
    assert (call.heard(), call.question.max_keys) == (["verify.code"], 6)
    assert call.verifier.claims == [(BORN, MOBILE)]
    assert call.state.typed == {}


async def test_whoever_types_the_code_is_back_with_the_operator_verified() -> None:
    call = await talking(JEANNE)
    await sent_to_the_keys(call)
    call.lobby.parts = Parted.CONNECTED
    reply = await call.press(call.verifier.sent[0][1])
    assert isinstance(reply.then, Queueing)
    assert call.visited[-1] == ("identify", "verified")


async def test_p2_what_was_found_before_is_let_go_with_the_claim() -> None:
    call = await talking(JEANNE)
    call.state = replace(call.state, bound={"appointment": UUID(int=7)}, typed={"telephone": "+33639989999"})
    assert claiming.told(call.state, BORN, MOBILE).bound == {}
    await sent_to_the_keys(call)
    assert (call.state.bound, call.state.typed) == ({}, {})


@pytest.mark.parametrize("parted", [one for one in Parted if one is not Parted.KEYPAD])
async def test_p2_a_claim_does_not_outlast_the_talk(parted: Parted) -> None:
    call = await talking(JEANNE)
    call.state = claiming.told(call.state, BORN, MOBILE)
    call.lobby.parts = parted
    await call.send(Dequeued(met=True))
    assert call.state.typed == {}
    assert call.verifier.claims == []


async def test_a_claim_serves_once() -> None:
    """The second time they are asked for both."""
    call = await talking(JEANNE)
    await sent_to_the_keys(call)
    await call.press("")
    await call.press("#")
    call.lobby.parts = Parted.KEYPAD
    await call.send(Dequeued(met=True))
    assert call.heard() == ["verify.birth_date"]


async def test_without_a_claim_both_are_asked_for() -> None:
    call = await talking(JEANNE)
    call.lobby.parts = Parted.KEYPAD
    await call.send(Dequeued(met=True))
    assert call.heard() == ["verify.birth_date"]
