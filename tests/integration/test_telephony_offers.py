"""What an operator hears whom we ring, on a real socket: a question, a key, a room; a voicemail takes nothing."""

from __future__ import annotations

from uuid import UUID

import pytest

from callcenter.calls.operators import NotReached, PutThrough, Taken
from callcenter.store.database import DatabaseDown
from callcenter.telephony.offers import NOT_CONSULTED, NOT_REACHED, NOT_TAKEN, NOT_THERE, RINGS
from tests.unit.telephony.doubles import CALL, CALL_SID, Edge, Received, document, running_edge

OFFER = UUID(int=9)
AT = f"/voice/offers/{OFFER}"
FIELDS = {"CallSid": CALL_SID, "CallStatus": "in-progress"}


async def ask(edge: Edge, what: str = "", **fields: str) -> Received:
    return await edge.post(AT + what, {**FIELDS, **fields})


def words(answer: Received) -> str:
    return " ".join(verb.text or "" for verb in document(answer.body).iter("Say"))


async def test_it_is_asked_twice_and_a_voicemail_hears_the_end_of_it() -> None:
    async with running_edge() as edge:
        answer = await ask(edge)
        assert [verb.tag for verb in document(answer.body)] == ["Gather", "Gather", "Say", "Hangup"]
        assert "Un appel pour le cabinet." in words(answer)
        assert words(answer).endswith(NOT_TAKEN)
        assert edge.operators.asked == [("offer", OFFER)]


async def test_the_key_takes_the_call() -> None:
    async with running_edge() as edge:
        answer = await ask(edge, "/keys", Digits="1")
        (room,) = document(answer.body).iter("Conference")
        assert (room.text, room.get("endConferenceOnExit"), room.get("beep")) == ("r-1", "true", "false")
        assert edge.operators.asked == [("take", OFFER)]


async def test_whoever_is_rung_for_a_caller_on_the_same_line_hears_the_end_of_the_question_and_is_joined() -> None:
    async with running_edge() as edge:
        edge.operators.taken = PutThrough.PUT_THROUGH
        assert list(document((await ask(edge, "/keys", Digits="1")).body)) == []


@pytest.mark.parametrize("digits", ["2", "", "11", "*", "A"])
async def test_another_key_takes_nothing(digits: str) -> None:
    async with running_edge() as edge:
        answer = await ask(edge, "/keys", Digits=digits)
        assert words(answer) == NOT_TAKEN
        assert edge.operators.asked == []


@pytest.mark.parametrize("failure", [None, DatabaseDown(), RuntimeError("Jeanne")])
@pytest.mark.parametrize("what", ["", "/keys"])
async def test_an_offer_that_stands_no_more_and_one_that_is_not_known_sound_alike(
    what: str, failure: Exception | None
) -> None:
    async with running_edge() as edge:
        edge.operators.practice = edge.operators.taken = None
        edge.operators.fails = failure
        assert words(await ask(edge, what, Digits="1")) == NOT_THERE


@pytest.mark.parametrize("status", ["completed", "busy", "no-answer", "failed", "canceled"])
async def test_the_end_of_the_leg_is_told_and_a_failure_may_be_told_again(status: str) -> None:
    async with running_edge() as edge:
        assert (await ask(edge, "/status", CallStatus=status)).status == 204
        edge.operators.fails = DatabaseDown()
        assert (await ask(edge, "/status", CallStatus=status)).status == 503
        assert edge.operators.asked == [("left", OFFER)] * 2


@pytest.mark.parametrize("status", ["ringing", "in-progress", "a-word-that-is-new", ""])
async def test_what_is_no_end_of_the_leg_is_not_told(status: str) -> None:
    async with running_edge() as edge:
        assert (await ask(edge, "/status", CallStatus=status)).status == 204
        assert edge.operators.asked == []


async def test_after_the_talk_there_is_nothing_more() -> None:
    async with running_edge() as edge:
        assert [verb.tag for verb in document((await ask(edge, "/over")).body)] == ["Hangup"]


@pytest.mark.parametrize("what", ["", "/keys", "/status", "/over"])
async def test_nothing_of_it_is_told_to_whom_the_carrier_has_not_sent(what: str) -> None:
    async with running_edge() as edge:
        answer = await edge.post(AT + what, {**FIELDS, "Digits": "1"}, signature="forged")
        assert answer.status == 403
        assert edge.operators.asked == []


@pytest.mark.parametrize("what", ["", "/keys", "/status"])
async def test_what_is_no_offer_is_none(what: str) -> None:
    async with running_edge() as edge:
        answer = await edge.post(f"/voice/offers/nonsense{what}", {**FIELDS, "Digits": "1"})
        assert answer.status in (200, 204)
        assert edge.operators.asked == []


async def test_whoever_takes_a_callback_waits_with_music_while_the_caller_is_rung() -> None:
    async with running_edge() as edge:
        edge.operators.taken = Taken("r-2", rings=True)
        answer = await ask(edge, "/keys", Digits="1")
        (room,) = document(answer.body).iter("Conference")
        assert (room.text, room.get("waitUrl"), words(answer)) == ("r-2", f"{edge.base}/audio/wait.wav", RINGS)
        assert edge.operators.leg == CALL_SID


async def test_whoever_took_a_callback_in_vain_hears_so() -> None:
    async with running_edge() as edge:
        edge.operators.taken = NotReached.NOT_REACHED
        assert words(await ask(edge, "/keys", Digits="1")) == NOT_REACHED
        assert words(await ask(edge, "/nobody")) == NOT_REACHED


@pytest.mark.parametrize("status", ["completed", "busy", "no-answer", "failed", "canceled"])
async def test_the_end_of_a_rung_leg_is_told_to_its_call_and_to_its_operator(status: str) -> None:
    async with running_edge() as edge:
        assert (await ask(edge, "/rung", CallStatus=status)).status == 204
        assert (len(edge.calls.statuses), edge.operators.asked) == (1, [("over", OFFER)])
        edge.operators.fails = DatabaseDown()
        assert (await ask(edge, "/rung", CallStatus=status)).status == 503
        assert (await ask(edge, "/rung", CallStatus="ringing")).status == 204


# --- somebody who is asked into a talk


INTO_A_TALK = f"/voice/parties/{OFFER}"


async def test_whoever_is_asked_into_a_talk_comes_by_the_key_and_does_not_end_it_by_leaving() -> None:
    async with running_edge() as edge:
        asked = await edge.post(INTO_A_TALK, FIELDS)
        assert words(asked).endswith(NOT_CONSULTED)
        assert {verb.get("action") for verb in document(asked.body).iter("Gather")} == {
            f"{edge.base}{INTO_A_TALK}/keys"
        }
        assert words(await edge.post(f"{INTO_A_TALK}/keys", {**FIELDS, "Digits": "2"})) == NOT_CONSULTED
        answer = await edge.post(f"{INTO_A_TALK}/keys", {**FIELDS, "Digits": "1"})
        (room,) = document(answer.body).iter("Conference")
        assert (room.text, room.get("endConferenceOnExit")) == ("r-1", "false")
        assert room.get("participantLabel") == OFFER.hex
        assert edge.operators.asked == [("offer", OFFER), ("take", OFFER)]


async def test_whoever_is_on_hold_hears_music_without_end() -> None:
    async with running_edge() as edge:
        (played,) = document((await edge.post("/voice/hold", FIELDS)).body)
        assert (played.tag, played.get("loop"), played.text) == ("Play", "0", f"{edge.base}/audio/wait.wav")


ROOM = f"/voice/calls/{CALL}/3/room"


@pytest.mark.parametrize(
    ("event", "label", "told"),
    [
        ("participant-leave", OFFER.hex, [("left", OFFER)]),
        ("participant-join", OFFER.hex, []),
        ("participant-leave", "caller", []),
        ("participant-leave", "operator", []),
        ("participant-leave", "", []),
        ("conference-end", OFFER.hex, []),
    ],
)
async def test_that_a_third_has_left_a_room_is_told_and_nothing_else_is(
    event: str, label: str, told: list[tuple[str, UUID]]
) -> None:
    async with running_edge() as edge:
        fields = {**FIELDS, "StatusCallbackEvent": event, "ParticipantLabel": label, "SequenceNumber": "4"}
        assert (await edge.post(ROOM, fields)).status == 204
        assert edge.operators.asked == told
        edge.operators.fails = DatabaseDown()
        assert (await edge.post(ROOM, fields)).status == (503 if told else 204)
