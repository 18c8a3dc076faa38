"""The leg that an operator's browser places, on a real socket: whose it is, which call is meant, and what it hears."""

from __future__ import annotations

from uuid import UUID

import pytest

from callcenter.calls.own_legs import InRoom, identity_of
from callcenter.store.database import DatabaseDown
from callcenter.telephony.own_legs import NOT_YOURS
from tests.unit.telephony.doubles import CALL_SID, OLD_TOKEN, Edge, Received, document, running_edge

STAFF, OFFER = UUID(int=5), UUID(int=9)
FIELDS = {
    "CallSid": CALL_SID,
    "CallStatus": "ringing",
    "From": f"client:{identity_of(STAFF)}",
    "To": "",
    "offer": OFFER.hex,
}


async def places(edge: Edge, **fields: str) -> Received:
    return await edge.post("/voice/operators", {**FIELDS, **fields})


def words(answer: Received) -> str:
    return " ".join(verb.text or "" for verb in document(answer.body).iter("Say"))


async def test_it_comes_into_the_room_of_the_call() -> None:
    async with running_edge() as edge:
        answer = await places(edge)
        (room,) = document(answer.body).iter("Conference")
        assert (room.text, room.get("endConferenceOnExit"), room.get("participantLabel")) == ("r-1", "true", "operator")
        (dial,) = document(answer.body).iter("Dial")
        assert dial.get("action") == edge.base + "/voice/operators/over"
        assert edge.own_legs.asked == [(STAFF, OFFER, CALL_SID)]


async def test_whoever_is_asked_into_a_talk_does_not_end_it_by_leaving() -> None:
    async with running_edge() as edge:
        edge.own_legs.room = InRoom("r-2", "0" * 32, ends_all=False)
        (room,) = document((await places(edge)).body).iter("Conference")
        assert (room.text, room.get("endConferenceOnExit"), room.get("participantLabel")) == ("r-2", "false", "0" * 32)


@pytest.mark.parametrize("failure", [None, DatabaseDown(), RuntimeError("Jeanne")])
async def test_a_call_of_somebody_else_and_one_that_is_not_known_sound_alike(failure: Exception | None) -> None:
    async with running_edge() as edge:
        edge.own_legs.room, edge.own_legs.fails = None, failure
        answer = await places(edge)
        assert (answer.status, words(answer)) == (200, NOT_YOURS)
        assert [verb.tag for verb in document(answer.body)] == ["Say", "Hangup"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"From": "client:op_" + "0" * 31},
        {"From": "client:superviseur"},
        {"From": identity_of(STAFF)},
        {"From": "+33639980001"},
        {"From": "sip:" + identity_of(STAFF)},
        {"From": f"client:client:{identity_of(STAFF)}"},
        {"offer": str(OFFER)},
        {"offer": ""},
        {"CallSid": "CA1"},
    ],
    ids=str,
)
async def test_who_is_nobody_of_ours_hears_a_goodbye(wrong: dict[str, str]) -> None:
    async with running_edge() as edge:
        assert words(await places(edge, **wrong)) == NOT_YOURS
        assert edge.own_legs.asked == []


async def test_a_field_that_stands_twice_is_none() -> None:
    async with running_edge() as edge:
        twice = [*FIELDS.items(), ("From", f"client:{identity_of(UUID(int=6))}")]
        assert words(await edge.post("/voice/operators", twice)) == NOT_YOURS
        assert edge.own_legs.asked == []


@pytest.mark.parametrize("what", ["", "/status", "/over"])
async def test_nothing_happens_for_whom_the_carrier_has_not_sent(what: str) -> None:
    async with running_edge() as edge:
        fields = {**FIELDS, "CallStatus": "completed"}
        assert (await edge.post(f"/voice/operators{what}", fields, signature="forged")).status == 403
        assert (await edge.post(f"/voice/operators{what}", fields, token=OLD_TOKEN + "!")).status == 403
        assert edge.own_legs.asked == []


@pytest.mark.parametrize("status", ["completed", "busy", "no-answer", "failed", "canceled"])
async def test_the_end_of_the_leg_is_told_and_a_failure_may_be_told_again(status: str) -> None:
    async with running_edge() as edge:
        told = {**FIELDS, "CallStatus": status}
        assert (await edge.post("/voice/operators/status", told)).status == 204
        edge.own_legs.fails = DatabaseDown()
        assert (await edge.post("/voice/operators/status", told)).status == 503
        assert edge.own_legs.asked == [(CALL_SID,)] * 2


@pytest.mark.parametrize("status", ["ringing", "in-progress", "a-word-that-is-new", ""])
async def test_what_is_no_end_of_the_leg_is_not_told(status: str) -> None:
    async with running_edge() as edge:
        assert (await edge.post("/voice/operators/status", {**FIELDS, "CallStatus": status})).status == 204
        assert edge.own_legs.asked == []


async def test_after_the_talk_there_is_nothing_more() -> None:
    async with running_edge() as edge:
        answer = await edge.post("/voice/operators/over", FIELDS)
        assert [verb.tag for verb in document(answer.body)] == ["Hangup"]


def test_an_identity_holds_letters_digits_and_the_underscore_alone() -> None:
    assert identity_of(STAFF) == "op_00000000000000000000000000000005"
