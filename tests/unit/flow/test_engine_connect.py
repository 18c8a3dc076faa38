"""A call that is put through to the practice's own telephone: it ends with the talk, or comes back (P2, P7)."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from callcenter.flow.conversation import Dialled, HangUp, Keyed, PutThrough, Question, Rang
from callcenter.flow.engine import LAST_TURN, FlowStuck
from callcenter.flow.state import Phase
from callcenter.kernel.levels import Level
from tests.unit.flow.doubles import Call
from tests.unit.flow.test_engine_accueil import ACCUEIL, BOOK, JEANNE, PUBLIC

UNANSWERED = [rang for rang in Rang if rang is not Rang.TALKED]


def calling(mode: str = "menu") -> Call:
    public = {**PUBLIC, "call.arrival": "practice", "practice.answer_mode": mode}
    return Call(ACCUEIL, [JEANNE], public=public, book=BOOK)


async def test_p7_the_emergency_line_is_said_and_the_practice_rings() -> None:
    call = calling()
    reply = await call.ring()
    assert isinstance(reply.then, PutThrough)
    assert (reply.then.line, reply.then.shown) == ("+33465710090", "+33465710001")
    assert call.heard() == ["welcome", "practice_notice"]


async def test_two_who_have_talked_hear_nothing_more() -> None:
    call = calling()
    await call.ring()
    reply = await call.send(Dialled(Rang.TALKED))
    assert (reply.before, reply.then) == ((), HangUp())
    assert call.switchboard.rang == [Rang.TALKED]
    assert call.visited[-1] == ("ring_practice", "connected")


@pytest.mark.parametrize("rang", UNANSWERED)
@pytest.mark.parametrize("mode", ["menu", "direct", "overflow"])
async def test_p7_whoever_finds_nobody_is_received_as_the_answering_service_receives(mode: str, rang: Rang) -> None:
    call = calling(mode)
    await call.ring()
    await call.send(Dialled(rang))
    received = {"menu": ["english_offer", "notice", "main_menu"]}.get(mode, ["direct_notice", "person_open"])
    assert call.heard()[: len(received) + 1] == ["practice_unanswered", *received]
    assert isinstance(call.replies[-1].then, Question)


async def test_p7_a_line_that_may_not_ring_is_as_one_that_nobody_answers() -> None:
    call = calling()
    call.switchboard.may_ring = False
    await call.ring()
    assert call.heard() == ["welcome", "practice_notice", "practice_unanswered", "english_offer", "notice", "main_menu"]


async def test_p2_nothing_that_was_proved_found_or_typed_comes_back_with_the_call() -> None:
    call = calling()
    call.state = call.state.binding("appointment", UUID(int=1)).binding("slot", UUID(int=2)).keeping("reason", "other")
    call.verifier.level = Level.STRONG
    await call.ring()
    assert (call.state.phase, call.state.bound, call.state.typed) == (Phase.RINGING, {}, {})
    await call.send(Dialled(Rang.BUSY))
    assert (call.verifier.level, call.state.bound) == (Level.UNKNOWN, {})


async def test_keys_are_no_answer_to_a_line_that_rings() -> None:
    call = calling()
    await call.ring()
    with pytest.raises(FlowStuck):
        await call.send(Keyed("1"))


async def test_nobody_is_back_from_a_line_that_does_not_ring() -> None:
    call = calling()
    await call.ring()
    await call.send(Dialled(Rang.BUSY))
    with pytest.raises(FlowStuck):
        await call.send(Dialled(Rang.TALKED))


async def test_p7_a_long_call_that_comes_back_ends() -> None:
    call = calling()
    await call.ring()
    call.state = replace(call.state, turns=LAST_TURN)
    await call.send(Dialled(Rang.BUSY))
    assert call.heard()[-1] == "engine.farewell"
    assert call.ended
