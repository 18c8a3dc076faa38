"""Softphones in browsers, seen from their WebSocket: tokens, calls to an application, rings, loss, and bounds."""

from __future__ import annotations

import time

import aiohttp
import pytest

from callcenter.emulator import sockets, softphones
from tests.unit.emulator.bench import Bench, bench, twiml, until
from tests.unit.emulator.softphone import DESK, KEY, SECRET, connected, softphone, token
from tests.unit.emulator.test_timeline import Clock

PAGES = {
    "/desk": twiml("<Say>prise de ligne</Say><Dial><Conference>salle</Conference></Dial>"),
    "/voice": twiml('<Dial action="/dialled"><Client><Identity>op_7</Identity></Client></Dial>'),
    "/dialled": twiml("<Say>suite</Say>"),
}
HOUSE = {"api_keys": {KEY: SECRET}, "applications": {DESK: "/desk"}}


def status_of(desk: Bench, sid: str) -> list[str]:
    return [fields["CallStatus"] for fields in desk.application.asked("/status") if fields["CallSid"] == sid]


async def test_a_softphone_calls_hears_what_is_said_types_and_hangs_up() -> None:
    async with bench(PAGES, **HOUSE) as desk, softphone(desk) as phone:
        sid = await phone.call(offer="ab12")
        (asked,) = desk.application.asked("/desk")
        assert (asked["From"], asked["To"], asked["offer"]) == ("client:op_7", "", "ab12")
        assert (asked["ApplicationSid"], asked["Direction"]) == (DESK, "inbound")
        assert (await phone.told("heard", call=sid))["text"] == "prise de ligne"
        caller = await desk.client.start("+33639980001", "+33465710001", "live")
        await desk.client.hang_up(caller)
        await phone.say("keys", call=sid, digits="12#")
        await until(lambda: len(desk.emulator._running._switchboard.calls[sid].entered) == 3)
        await phone.say("hang_up", call=sid)
        assert (await phone.told("call", call=sid, state="over"))["status"] == "completed"
        await desk.closed(sid)
        assert status_of(desk, sid) == ["completed"]
        await phone.say("keys", call=sid, digits="1")
        assert (await phone.told("error"))["message"] == "this page has no such call"


async def test_what_the_token_says_of_a_call_stands_whatever_the_page_says() -> None:
    async with bench(PAGES, **HOUSE) as desk, softphone(desk, parameters={"site": "lyon"}) as phone:
        await phone.call(site="paris", offer="ab12")
        (asked,) = desk.application.asked("/desk")
        assert (asked["site"], asked["offer"]) == ("lyon", "ab12")
        await phone.say("connect", request=7, parameters={"From": "client:other"})
        refused = await phone.told("error", request=7)
        assert (refused["code"], refused["message"][:6]) == (31002, "'From'")
        await phone.say("connect", parameters={"offer": "x"}, application=DESK)
        assert (await phone.told("error"))["code"] == 31100  # the token alone names the application


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("", 31204),
        ("x.y.z", 20101),
        (token(secret="un autre secret de trente-deux octets"), 20107),
        (token(account="AC" + "9" * 32), 20103),
        (token(seconds=-1), 20104),
        (token(nbf=int(time.time()) + 3600, seconds=7200), 20105),
        (token(seconds=86_400 + 600), 20157),
    ],
)
async def test_a_token_that_opens_nothing_is_answered_with_its_code_and_the_page_is_put_off(
    given: str, code: int
) -> None:
    async with bench(PAGES, **HOUSE) as desk, connected(desk) as phone:
        await phone.say("open", token=given)
        assert (await phone.told("error"))["code"] == code
        assert await phone.closed() == 1008
        assert desk.application.requests == []


async def test_nothing_is_done_before_the_token_and_who_shows_none_is_put_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with bench(PAGES, **HOUSE) as desk:
        async with connected(desk) as phone:
            await phone.say("connect", parameters={})
            assert (await phone.told("error"))["code"] == 31204
            assert await phone.closed() == 1008
        monkeypatch.setattr(softphones, "OPENING", 0.05)
        async with connected(desk) as phone:
            assert await phone.closed() == 1008
        assert desk.application.requests == []


async def test_a_token_of_no_outgoing_call_or_of_an_unknown_application_calls_nobody() -> None:
    async with bench(PAGES, **HOUSE) as desk:
        for application in (None, "AP" + "0" * 32):
            async with softphone(desk, application=application) as phone:
                await phone.say("connect")
                assert (await phone.told("error"))["code"] == 21218
        assert desk.application.requests == []


async def test_a_newer_token_is_taken_over_the_open_line_and_one_of_another_identity_is_not() -> None:
    async with bench(PAGES, **HOUSE) as desk, softphone(desk, seconds=60) as phone:
        await phone.say("token", token=token(seconds=600))
        assert 590 <= (await phone.told("opened"))["seconds"] <= 600
        await phone.say("token", token=token("op_8"))
        assert (await phone.told("error"))["code"] == 31204
        await phone.say("token", token=token(secret="un autre secret de trente-deux octets"))
        assert (await phone.told("error"))["code"] == 20107
        await phone.call()
        assert desk.application.asked("/desk")[0]["From"] == "client:op_7"


async def test_when_the_token_ends_what_goes_on_does_and_nothing_begins() -> None:
    clock = Clock()
    begun = clock.now().timestamp()
    async with bench(PAGES, clock=clock, **HOUSE) as desk, softphone(desk, incoming=True, at=begun) as phone:
        sid = await phone.call()
        clock.advance(600)
        await phone.say("connect")
        assert (await phone.told("error"))["code"] == 20104
        (house,) = desk.emulator._running._softphones._open
        house._expired()  # as its timer does
        assert (await phone.told("error"))["code"] == 20104
        assert (await desk.get("/clients"))["clients"] == []
        assert (await desk.get(f"/calls/{sid}"))["status"] == "in-progress"
        await phone.say("token", token=token(incoming=True, at=begun + 600))
        await phone.told("opened")
        assert [one["identity"] for one in (await desk.get("/clients"))["clients"]] == ["op_7"]


async def test_a_softphone_rings_while_its_page_is_open_and_answers() -> None:
    async with bench(PAGES, **HOUSE) as desk:
        async with softphone(desk, incoming=True) as first, softphone(desk, incoming=True) as second:
            caller = await desk.client.start("+33639980001", "+33465710001", "live")
            rung = await first.told("ringing")
            assert (rung["from"], rung["parameters"]) == ("+33639980001", {})
            leg = (await second.told("ringing"))["call"]
            assert leg == rung["call"]
            await first.say("answer", call=leg)
            await first.told("call", call=leg, state="open")
            await second.told("call", call=leg, state="over")
            await second.say("answer", call=leg)
            assert (await second.told("error"))["message"] == "that call does not ring here"
            assert (await desk.get(f"/calls/{caller}"))["hears"] == [leg]
        assert (await desk.closed(leg))["hung_up_by"] == "telephone"
        assert (await desk.get("/clients"))["clients"] == []
        assert desk.application.asked("/dialled")[0]["DialCallStatus"] == "completed"


async def test_a_newer_token_in_the_middle_of_a_ring_lets_it_ring_on() -> None:
    async with bench(PAGES, **HOUSE) as desk, softphone(desk, incoming=True) as phone:
        await desk.client.start("+33639980001", "+33465710001", "live")
        leg = (await phone.told("ringing"))["call"]
        await phone.say("token", token=token(incoming=True))
        await phone.told("opened")
        await phone.say("answer", call=leg)
        await phone.told("call", call=leg, state="open")
        await phone.say("token", token=token())  # which may not be called any more
        await phone.told("opened")
        assert (await desk.get("/clients"))["clients"] == []
        assert (await desk.get(f"/calls/{leg}"))["status"] == "in-progress"


async def test_one_may_refuse_and_who_may_not_be_called_does_not_ring() -> None:
    async with bench(PAGES, **HOUSE) as desk, softphone(desk) as mute:
        sid = await desk.call()
        assert (await desk.closed(sid))["status"] == "completed"  # nobody is registered
        assert desk.application.asked("/dialled")[0]["DialCallStatus"] == "no-answer"
        async with softphone(desk, incoming=True) as phone:
            await desk.client.start("+33639980001", "+33465710001", "live")
            leg = (await phone.told("ringing"))["call"]
            await mute.say("answer", call=leg)
            assert (await mute.told("error"))["message"] == "that call does not ring here"
            await phone.say("reject", call=leg)
            assert (await desk.closed(leg))["status"] == "busy"


async def test_a_page_that_is_closed_hangs_up_at_once_and_one_that_is_lost_a_little_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with bench(PAGES, **HOUSE) as desk:
        async with softphone(desk) as phone:
            sid = await phone.call()
        await desk.closed(sid)
        monkeypatch.setattr(softphones, "LOST", 0.2)
        async with softphone(desk) as phone:
            sid = await phone.call()
            await phone.lose()
            await until(lambda: not desk.emulator._running._softphones._open)
            assert (await desk.get(f"/calls/{sid}"))["status"] == "in-progress"
            await desk.closed(sid)
        assert status_of(desk, sid) == ["completed"]


async def test_more_than_it_may_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench(PAGES, **HOUSE) as desk, softphone(desk) as phone:
        for _ in range(softphones.MOST_LEGS):
            await phone.call()
        await phone.say("connect")
        assert (await phone.told("error"))["code"] == 31206
        for message in ("[]", "{", "[" * 30_000, '"x"', '{"type": 7}', '{"type": "?"}', '{"type": "keys"}'):
            await phone.socket.send_str(message)
            assert (await phone.told("error"))["code"] == 31100
        monkeypatch.setattr(sockets, "MOST", 1)
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with connected(desk):
                pass
        assert refused.value.status == 503


@pytest.mark.parametrize("message", ["x" * 40_000, b"bytes"])
async def test_what_is_no_message_puts_the_page_off(message: str | bytes) -> None:
    async with bench(PAGES, **HOUSE) as desk, softphone(desk) as phone:
        sid = await phone.call()
        await (phone.socket.send_str(message) if isinstance(message, str) else phone.socket.send_bytes(message))
        await phone.closed()
        assert (await desk.closed(sid))["hung_up_by"] == "telephone"


@pytest.mark.parametrize(
    ("origin", "host", "status"),
    [
        ("http://localhost:8081", None, 101),
        ("https://127.0.0.1:1", None, 101),
        (None, None, 101),
        ("https://somewhere.example", None, 403),
        ("null", None, 403),
        ("http://localhost:8081", "somewhere.example", 403),
        ("http://192.0.2.7:8081", None, 403),
    ],
)
async def test_pages_of_this_machine_only(origin: str | None, host: str | None, status: int) -> None:
    async with bench(PAGES, **HOUSE) as desk:
        headers = ({"Origin": origin} if origin else {}) | ({"Host": host} if host else {})
        async with aiohttp.ClientSession() as session:
            try:
                async with session.ws_connect(f"{desk.emulator.base_url}/softphone", headers=headers):
                    answered = 101
            except aiohttp.WSServerHandshakeError as refused:
                answered = refused.status
        assert answered == status
