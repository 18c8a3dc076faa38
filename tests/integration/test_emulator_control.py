"""The control interface, the shared clock, and the emulator's life."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from callcenter.emulator import Emulator, EmulatorSettings, NumberSettings
from callcenter.emulator.client import ControlClient
from callcenter.emulator.errors import EmulatorError, Unreachable
from callcenter.kernel.clock import DrivenClock
from tests.unit.emulator.bench import ACCOUNT, CALLER, PRACTICE, Form, bench, twiml

WAITING = twiml('<Gather action="/next" timeout="5" numDigits="1"><Say>tapez</Say></Gather><Redirect>/again</Redirect>')
LINE = "+33465710090"
NOON = datetime(2026, 11, 26, 11, 0, tzinfo=UTC)


async def test_a_scripted_call_moves_the_shared_clock_and_dates_by_it() -> None:
    clock, seen = DrivenClock(NOON), list[datetime]()

    def again(form: Form) -> str:
        seen.append(clock.now())
        return twiml("<Say>Encore une fois</Say>")

    async with bench({"/voice": WAITING, "/again": again}, clock=clock) as desk:
        sid = await desk.call()
        assert (clock.now() - NOON).total_seconds() == pytest.approx(5 / 14)
        await desk.client.advance(sid, 12)
        state = await desk.closed(sid)
        assert (seen[0] - NOON).total_seconds() == pytest.approx(5 + 5 / 14)
        assert datetime.fromisoformat(state["heard"][-1]["at"]) == seen[0]
        # 12 seconds: 5 of silence, 15 characters spoken; the rest of the advance has nowhere to pass but the clock
        assert (clock.now() - NOON).total_seconds() == pytest.approx(12 + 5 / 14)
        assert {exchange.at.date() for exchange in desk.emulator.tape} == {NOON.date()}


async def test_a_live_call_leaves_the_clock_alone_and_cannot_be_advanced() -> None:
    clock = DrivenClock(NOON)
    async with bench({"/voice": WAITING}, clock=clock) as desk:
        sid = await desk.call(pace="live")
        await desk.client.settled(sid)
        assert clock.now() == NOON
        answer = await desk.post(f"/calls/{sid}/advance", {"seconds": 5})
        assert (answer["http"], "pace" in answer["error"]) == (409, True)


async def test_long_poll_answers_when_something_changes() -> None:
    async with bench({"/voice": WAITING, "/next": twiml("<Say>merci</Say>")}) as desk:
        sid = await desk.call()
        before = await desk.get(f"/calls/{sid}")
        poll = asyncio.ensure_future(desk.get(f"/calls/{sid}?after={before['revision']}&wait=30"))
        await asyncio.sleep(0.05)
        assert not poll.done()
        await desk.client.press(sid, "1")
        assert (await poll)["revision"] > before["revision"]


async def test_long_poll_answers_after_its_time() -> None:
    async with bench({"/voice": WAITING}) as desk:
        sid = await desk.call()
        before = await desk.get(f"/calls/{sid}")
        assert await desk.get(f"/calls/{sid}?after={before['revision']}&wait=0.05") == before


async def test_state() -> None:
    async with bench({"/voice": WAITING}) as desk:
        sid = await desk.call()
        state = await desk.get(f"/calls/{sid}")
        assert (state["status"], state["activity"], state["verb"]) == ("in-progress", "waiting", "Gather")
        assert (state["from"], state["to"], state["pace"]) == (CALLER, PRACTICE, "scripted")
        assert (state["listens"], state["listens_to_speech"], state["alerts"]) == (True, False, [])
        assert {name: state["heard"][0][name] for name in ("second", "kind", "text", "url")} == {
            "second": 0.0, "kind": "say", "text": "tapez", "url": None,
        }  # fmt: skip
        assert [call["sid"] for call in (await desk.get("/calls"))["calls"]] == [sid]


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("/calls", {"to": PRACTICE}, 400, '"from" is missing'),
        ("/calls", {"from": 33, "to": PRACTICE}, 400, '"from" is missing or no text'),
        ("/calls", {"from": "a", "to": "b", "pace": "fast"}, 400, "live, scripted"),
        ("/calls", {"from": "a", "to": "b", "colour": 1}, 400, "unknown: colour; this takes from, to, pace"),
        ("/calls", [1], 400, "not a JSON object"),
        ("/calls/SID/keys", {"digits": "1a"}, 400, "0-9 * # only"),
        ("/calls/SID/keys", {}, 400, '"digits" is missing'),
        ("/calls/SID/advance", {"seconds": -1}, 400, "seconds above 0"),
        ("/calls/SID/advance", {"seconds": True}, 400, "seconds above 0"),
        ("/calls/SID/speech", {"text": ""}, 400, '"text" is missing'),
        ("/calls/SID/hangup", {"now": 1}, 400, "takes nothing"),
        ("/calls/CAnone/keys", {"digits": "1"}, 404, "no such call"),
        ("/telephones/CAnone/answer", {}, 404, "does not ring"),
        ("/messages/failures", {"count": 0}, 400, "from 1 to"),
        ("/nothing", {}, 404, "/emulator/nothing"),
    ],
)
async def test_bad_input_is_answered_with_what_to_send(path: str, body: object, status: int, words: str) -> None:
    async with bench({"/voice": WAITING}) as desk:
        sid = await desk.call()
        answer = await desk.post(path.replace("SID", sid), body)
        assert answer["http"] == status
        assert words in answer["error"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/calls/SID?until=later", "settled, ended, closed"),
        ("/calls/SID?after=x", "whole number"),
        ("/calls/SID?wait=61", "from 0 to 60"),
        ("/calls/SID?colour=1", "unknown: colour"),
        ("/messages?from=1", "unknown: from"),
    ],
)
async def test_bad_queries(path: str, words: str) -> None:
    async with bench({"/voice": WAITING}) as desk:
        sid = await desk.call()
        answer = await desk.get(path.replace("SID", sid))
        assert answer["http"] == 400
        assert words in answer["error"]


async def test_a_body_that_is_not_json() -> None:
    async with bench({}) as desk:
        answer = await desk.ask("POST", "/calls", data=b"from=1")
        assert (answer["http"], "not JSON" in answer["error"]) == (400, True)


async def test_nothing_can_be_done_on_a_call_that_is_over() -> None:
    async with bench({"/voice": twiml("")}) as desk:
        sid = await desk.call()
        await desk.closed(sid)
        for path, body in (("keys", {"digits": "1"}), ("advance", {"seconds": 1}), ("speech", {"text": "a"})):
            answer = await desk.post(f"/calls/{sid}/{path}", body)
            assert (answer["http"], "over" in answer["error"]) == (409, True)
        assert (await desk.post(f"/calls/{sid}/hangup", {}))["http"] == 200


async def test_every_number_has_its_own_settings_or_the_default() -> None:
    pages = {"/voice": twiml("<Say>défaut</Say>"), "/voice-33465710002": twiml("<Say>propre</Say>")}
    async with bench(pages, served=("+33465710002",)) as desk:
        assert await desk.words(await desk.call(PRACTICE)) == ["défaut"]
        assert await desk.words(await desk.call("+33465710002")) == ["propre"]


def settings(port: int = 0, account: str = ACCOUNT) -> EmulatorSettings:
    return EmulatorSettings(account, "token", NumberSettings("http://127.0.0.1:9/voice"), port=port)


async def test_it_starts_once_and_stops_with_calls_in_progress() -> None:
    emulator = Emulator(settings())
    with pytest.raises(EmulatorError, match="start"):
        _ = emulator.base_url
    await emulator.start()
    with pytest.raises(EmulatorError, match="already"):
        await emulator.start()
    async with ControlClient(emulator.base_url) as client:
        await client.start(CALLER, PRACTICE, "live")
        await emulator.stop()
        await emulator.stop()
        with pytest.raises(Unreachable):
            await client.last_message()


async def test_a_port_that_is_taken_is_named() -> None:
    first = Emulator(settings())
    await first.start()
    port = int(first.base_url.rpartition(":")[2])
    with pytest.raises(EmulatorError, match=f"127.0.0.1:{port}"):
        await Emulator(settings(port)).start()
    await first.stop()


def test_an_account_that_no_carrier_would_have() -> None:
    with pytest.raises(EmulatorError, match="account_sid"):
        Emulator(settings(account="AC1"))


async def test_a_call_that_was_forwarded_says_so_in_every_request() -> None:
    async with bench({"/voice": WAITING, "/next": twiml("<Say>merci</Say>")}) as desk:
        started = await desk.post(
            "/calls", {"from": CALLER, "to": PRACTICE, "pace": "scripted", "forwarded_from": LINE}
        )
        await desk.client.settled(started["sid"])
        await desk.client.press(started["sid"], "1")
        assert (await desk.closed(started["sid"]))["forwarded_from"] == LINE
        direct = await desk.call()
        assert (await desk.get(f"/calls/{direct}"))["forwarded_from"] is None
        asked = [*desk.application.asked("/voice"), *desk.application.asked("/next")]
    told = [(fields["CallSid"], fields.get("ForwardedFrom"), fields.get("CalledVia")) for fields in asked]
    assert told == [(started["sid"], LINE, LINE), (direct, None, None), (started["sid"], LINE, LINE)]
    assert desk.application.unsigned == []


async def test_the_first_request_about_a_call_carries_a_call_token_and_no_other() -> None:
    async with bench({"/voice": WAITING, "/next": WAITING}) as desk:
        first, second = await desk.call(), await desk.call()
        await desk.client.press(first, "1")
        await desk.client.settled(first)
        tokens = [fields["CallToken"] for fields in desk.application.asked("/voice")]
        assert len(tokens) == len(set(tokens)) == len({first, second})
        assert all("CallToken" not in fields for fields in desk.application.asked("/next"))


@pytest.mark.parametrize("line", ["", 33465710090, None])
async def test_a_line_that_is_none_is_refused(line: object) -> None:
    async with bench({"/voice": WAITING}) as desk:
        answer = await desk.post("/calls", {"from": CALLER, "to": PRACTICE, "forwarded_from": line})
    assert (answer["http"], "forwarded_from" in answer["error"]) == (400, True)
