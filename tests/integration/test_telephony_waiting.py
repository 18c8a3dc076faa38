"""What the carrier asks while somebody waits, on a real socket: words, music, a way out, and a way to an operator."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from callcenter.calls.values import AtAWait, RingsLine, SayText, Slot, StepAnswered
from callcenter.flow.conversation import Dequeued
from callcenter.kernel.errors import Forbidden, NotFound
from callcenter.speech.music import waiting_music
from callcenter.store.database import DatabaseDown
from callcenter.telephony.switch import RescueSwitch, Switched
from tests.unit.telephony.doubles import CALL, CALL_SID, CALLED, RESCUE, Edge, Received, document, running_edge

AT = f"/voice/calls/{CALL}/4"
FIELDS = {"CallSid": CALL_SID, "To": CALLED, "QueueTime": "20"}


async def ask(edge: Edge, what: str, **fields: str) -> Received:
    return await edge.post(f"{AT}/{what}", {**FIELDS, **fields})


def texts(answer: Received) -> list[str]:
    return [verb.text or "" for verb in document(answer.body).iter("Say")]


def tags(answer: Received) -> list[str]:
    return [verb.tag for verb in document(answer.body)]


async def test_whoever_waits_hears_words_and_music_and_may_type_at_any_moment() -> None:
    async with running_edge() as edge:
        answer = await ask(edge, "wait")
        (gather,) = document(answer.body)
        assert [verb.tag for verb in gather] == ["Say", "Say", "Play"]
        assert texts(answer) == ["Vous attendez.", "Tapez 2."]
        assert gather.get("action") == f"{edge.base}{AT}/wait/keys"
        assert (gather.get("numDigits"), gather.get("finishOnKey")) == ("1", "")
        assert gather.findtext("Play") == f"{edge.base}/audio/wait.wav"
        assert edge.lobby.asked == [AtAWait(CALL, CALL_SID, 4)]


async def test_the_music_is_there_for_anybody() -> None:
    async with running_edge() as edge:
        answer = await edge.ask("GET", "/audio/wait.wav")
        assert (answer.status, answer.headers["content-type"]) == (200, "audio/wav")
        assert answer.body == waiting_music()


async def test_a_key_is_kept_and_one_that_asks_for_something_else_leads_out() -> None:
    async with running_edge() as edge:
        assert tags(await ask(edge, "wait/keys", Digits="5")) == ["Gather"]
        assert tags(await ask(edge, "wait/keys", Digits="2")) == ["Leave"]
        assert edge.lobby.typed == ["5", "2"]


@pytest.mark.parametrize("failure", [DatabaseDown(), NotFound(), Forbidden(), RuntimeError("Jeanne"), TimeoutError()])
async def test_p7_a_failure_is_borne_once_and_then_leads_out(failure: Exception) -> None:
    async with running_edge() as edge:
        edge.lobby.fails = failure
        answer = await ask(edge, "wait")
        assert tags(answer) == ["Play", "Redirect"]
        assert document(answer.body).findtext("Redirect") == f"{edge.base}{AT}/wait/again"
        again = await ask(edge, "wait/again")
        assert tags(again) == ["Leave"]
        assert b"Jeanne" not in answer.body + again.body
        edge.lobby.fails = None
        assert tags(await ask(edge, "wait/again")) == ["Gather"]


async def test_whose_call_was_taken_is_led_to_the_room_and_the_end_of_it_is_a_step() -> None:
    async with running_edge() as edge:
        edge.lobby.taken = "r-1"
        answer = await ask(edge, "meeting")
        assert texts(answer) == ["Vous êtes en relation."]
        (dial,) = document(answer.body).iter("Dial")
        (room,) = dial
        assert dial.get("action") == f"{edge.base}{AT}/dialled"
        assert (room.tag, room.text, room.get("endConferenceOnExit"), room.get("beep")) == (
            "Conference",
            "r-1",
            "false",  # they may be sent out to their keys, and come back
            "false",
        )


@pytest.mark.parametrize("failure", [None, DatabaseDown()])
async def test_p7_whose_operator_is_gone_meanwhile_is_led_on(failure: Exception | None) -> None:
    async with running_edge() as edge:
        edge.lobby.fails = failure
        answer = await ask(edge, "meeting")
        assert tags(answer) == ["Redirect"]
        assert document(answer.body).findtext("Redirect") == f"{edge.base}{AT}/next"


async def test_a_line_rings_for_whom_an_operator_sends_on_and_whoever_answers_is_asked_first() -> None:
    async with running_edge() as edge:
        edge.lobby.rings = RingsLine(RESCUE, CALLED, UUID(int=9), (SayText("Je vous passe le cabinet."),))
        answer = await ask(edge, "line")
        assert texts(answer) == ["Je vous passe le cabinet."]
        (dial,) = document(answer.body).iter("Dial")
        assert (dial.get("action"), dial.get("callerId")) == (f"{edge.base}{AT}/line/over", CALLED)
        (number,) = dial
        assert (number.tag, number.text) == ("Number", RESCUE)
        assert number.get("url") == f"{edge.base}/voice/parties/{UUID(int=9)}"


@pytest.mark.parametrize("status", ["completed", "busy", "no-answer", "failed", ""])
@pytest.mark.parametrize("silent", [(), (SayText("Le cabinet ne répond pas."),)])
async def test_behind_a_line_our_own_word_counts_and_the_carriers_does_not(
    status: str, silent: tuple[SayText, ...]
) -> None:
    async with running_edge() as edge:
        edge.lobby.silent = silent
        answer = await ask(edge, "line/over", DialCallStatus=status)
        assert texts(answer) == [line.text for line in silent]
        assert document(answer.body).findtext("Redirect") == f"{edge.base}{AT}/next"


@pytest.mark.parametrize("what", ["line", "line/over"])
@pytest.mark.parametrize("failure", [None, DatabaseDown(), Forbidden()])
async def test_p7_who_is_not_sent_to_a_line_any_more_and_who_cannot_be_told_of_it_is_led_on(
    what: str, failure: Exception | None
) -> None:
    async with running_edge() as edge:
        edge.lobby.fails = failure
        answer = await ask(edge, what)
        assert tags(answer) == ["Redirect"]
        assert document(answer.body).findtext("Redirect") == f"{edge.base}{AT}/next"


@pytest.mark.parametrize("result", ["leave", "queue-full", "error", "system-error", "a-word-that-is-new"])
async def test_an_end_of_a_wait_is_a_step(result: str) -> None:
    async with running_edge() as edge:
        await edge.step({"QueueResult": result}, "4", "enqueued")
        (event,) = edge.calls.steps
        assert isinstance(event, StepAnswered)
        assert (event.slot, event.dequeued) == (Slot.ENQUEUED, Dequeued(met=False))


@pytest.mark.parametrize(
    "result", ["bridged", "bridging-in-process", "redirected", "redirected-from-bridged", "hangup"]
)
async def test_what_another_webhook_or_nothing_follows_from_is_no_step(result: str) -> None:
    async with running_edge() as edge:
        answer = await edge.step({"QueueResult": result}, "4", "enqueued")
        assert (answer.status, tags(answer)) == (200, [])
        assert edge.calls.steps == []


@pytest.mark.parametrize("what", ["wait", "wait/again", "wait/keys", "meeting", "line", "line/over"])
@pytest.mark.parametrize("sid", ["", "CA1", "nonsense"])
async def test_what_no_carrier_sends_leads_out(what: str, sid: str) -> None:
    async with running_edge() as edge:
        answer = await edge.post(f"{AT}/{what}", {"CallSid": sid})
        assert tags(answer) == ["Leave"]
        assert edge.lobby.asked == []


@pytest.mark.parametrize("what", ["wait", "wait/again", "wait/keys", "meeting", "line", "line/over"])
async def test_nothing_of_it_is_told_to_whom_the_carrier_has_not_sent(what: str) -> None:
    async with running_edge() as edge:
        answer = await edge.post(f"{AT}/{what}", FIELDS, signature="forged")
        assert answer.status == 403
        assert edge.lobby.asked == []


@pytest.mark.parametrize("what", ["wait", "wait/again", "wait/keys"])
@pytest.mark.parametrize("failure", [None, DatabaseDown()])
async def test_p7_the_kill_switch_lets_out_whoever_waits(tmp_path: Path, what: str, failure: Exception | None) -> None:
    switch = RescueSwitch(tmp_path / "switch.json")
    async with running_edge(switch=switch) as edge:
        edge.lobby.fails = failure
        switch.turn(Switched(everybody=True))
        assert tags(await ask(edge, what, Digits="5")) == ["Leave"]
        assert edge.lobby.typed == []
        assert edge.count("callcenter_alerts_total", kind="rescue_switched") == 1
        step = await edge.step({"QueueResult": "leave"}, "4", "enqueued")
        assert document(step.body).findtext("Dial/Number") == RESCUE
        switch.turn(Switched())
        edge.lobby.fails = None
        assert tags(await ask(edge, "wait")) == ["Gather"]


async def test_the_kill_switch_takes_nobody_away_who_is_about_to_be_led_to_somebody(tmp_path: Path) -> None:
    switch = RescueSwitch(tmp_path / "switch.json")
    switch.turn(Switched(everybody=True))
    async with running_edge(switch=switch) as edge:
        edge.lobby.taken = "r-1"
        assert tags(await ask(edge, "wait")) == ["Gather"]


async def test_the_kill_switch_of_another_practice_lets_nobody_out(tmp_path: Path) -> None:
    switch = RescueSwitch(tmp_path / "switch.json")
    switch.turn(Switched(practices=frozenset({"another"})))
    async with running_edge(switch=switch) as edge:
        assert tags(await ask(edge, "wait")) == ["Gather"]
