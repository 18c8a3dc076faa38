"""What the emulator makes of the application's answers: content types, errors, retries, redirects, fallback."""

from __future__ import annotations

import asyncio
import base64
import socket

import pytest

from callcenter.emulator.interpreter import APOLOGY
from tests.unit.emulator.bench import Bench, Form, Reply, bench, twiml, wav

HELLO = twiml("<Say>bonjour</Say>")


async def outcome(desk: Bench) -> tuple[list[str], list[int]]:
    """What a call hears from its start to its end, and the codes of its alerts."""
    state = await desk.closed(await desk.call())
    return [heard["text"] for heard in state["heard"]], [alert["code"] for alert in state["alerts"]]


async def test_first_request_carries_what_the_carrier_sends() -> None:
    async with bench({"/voice": HELLO}) as desk:
        sid = await desk.call(caller="Anonymous")
        await desk.closed(sid)
        exchange = desk.tape("webhook")[0]
        fields = exchange.form
        assert fields["CallSid"] == sid
        assert fields["CallStatus"] == "ringing"
        assert (fields["From"], fields["Caller"]) == ("Anonymous", "Anonymous")
        assert (fields["To"], fields["Called"], fields["Direction"]) == ("+33465710001", "+33465710001", "inbound")
        assert [fields[f"{who}{what}"] for who in ("From", "To") for what in ("City", "State", "Zip")] == [""] * 6
        assert (fields["FromCountry"], fields["ToCountry"], fields["ApiVersion"]) == ("", "FR", "2010-04-01")
        assert "ParentCallSid" not in fields
        assert b"%2B33465710001" in exchange.request_body
        assert exchange.header("User-Agent") == "TwilioProxy/1.1"
        assert exchange.header("I-Twilio-Idempotency-Token")


async def test_status_callback_comes_once_at_the_end() -> None:
    async with bench({"/voice": twiml(f"<Say>{'a' * 14 * 61}</Say>")}) as desk:
        sid = await desk.call()
        await desk.closed(sid)
        (fields,) = desk.application.asked("/status")
        assert (fields["CallSid"], fields["CallStatus"]) == (sid, "completed")
        assert (fields["CallDuration"], fields["Duration"]) == ("61", "2")
        assert (fields["SequenceNumber"], fields["CallbackSource"]) == ("0", "call-progress-events")
        assert fields["Timestamp"].endswith("+0000")


@pytest.mark.parametrize(
    ("page", "heard", "codes"),
    [
        (Reply(HELLO, content_type="application/xml; charset=utf-8"), ["bonjour"], []),
        (Reply(HELLO, content_type="text/html"), ["bonjour"], []),
        (Reply(HELLO, content_type="text/plain"), ["bonjour"], []),
        (Reply("Il est midi.", content_type="text/plain"), ["Il est midi."], []),
        (Reply(wav(1.5), content_type="audio/wav"), ["[audio 1.5 s]"], []),
        (Reply(HELLO, content_type="application/json"), [APOLOGY], [12300]),
        (Reply(HELLO, content_type="application/octet-stream"), [APOLOGY], [12300]),
        (Reply(""), [APOLOGY], [11770]),
        (Reply("", status=204), [APOLOGY], [11770]),
        (Reply("<Response>" + " " * 65536 + "</Response>"), [APOLOGY], [11750]),
        (Reply("<Response>"), [APOLOGY], [12100]),
        (Reply(HELLO, status=500), [APOLOGY], [11200]),
        (Reply(HELLO, status=404), [APOLOGY], [11200]),
        (Reply(twiml("<Sing/><Say>bonjour</Say>")), ["bonjour"], [12200]),
        (Reply(twiml("<Say>un</Say><Echo/>")), ["un", APOLOGY], [12200]),
        (Reply(twiml("")), [], []),
        (Reply(twiml("<Hangup/><Say>jamais</Say>")), [], []),
        (Reply(twiml("<Redirect>/other</Redirect><Say>jamais</Say>")), ["autre"], []),
        (Reply(twiml("<Play>/audio/none.wav</Play>")), [APOLOGY], [11200]),
        (Reply(twiml("<Play>/audio/page</Play>")), [APOLOGY], [13420]),
    ],
)
async def test_answers(page: Reply, heard: list[str], codes: list[int]) -> None:
    async with bench({"/voice": page, "/other": twiml("<Say>autre</Say>"), "/audio/page": HELLO}) as desk:
        assert await outcome(desk) == (heard, codes)
        assert [f["CallStatus"] for f in desk.application.asked("/status")] == ["completed"]


@pytest.mark.parametrize(("reason", "status"), [("busy", "busy"), ("rejected", "no-answer")])
async def test_reject_does_not_answer(reason: str, status: str) -> None:
    async with bench({"/voice": twiml(f'<Reject reason="{reason}"/>')}) as desk:
        state = await desk.closed(await desk.call())
        assert (state["status"], state["duration"], state["heard"]) == (status, 0, [])
        assert desk.application.asked("/status")[0]["CallStatus"] == status


async def test_reject_comes_too_late_once_answered() -> None:
    async with bench({"/voice": twiml("<Say>un</Say><Reject/>")}) as desk:
        state = await desk.closed(await desk.call())
        assert (state["status"], [alert["code"] for alert in state["alerts"]]) == ("completed", [12200])


async def test_a_first_pause_delays_the_answer() -> None:
    seen: list[str] = []
    pages = {
        "/voice": twiml('<Pause length="10"/><Redirect>/next</Redirect>'),
        "/next": lambda form: (seen.append(form["CallStatus"]), HELLO)[1],
    }
    async with bench(pages) as desk:
        state = await desk.closed(await desk.call())
        assert seen == ["ringing"]
        assert (state["duration"], state["elapsed"]) == (1, 10.5)


@pytest.mark.parametrize(
    ("page", "code"),
    [(Reply(status=500), "11200"), (Reply("<"), "12100"), (twiml("<Play>/audio/none</Play>"), "11200")],
)
async def test_fallback_is_told_what_failed(page: Reply | str, code: str) -> None:
    async with bench({"/voice": page, "/fallback": HELLO}, fallback="/fallback") as desk:
        assert await outcome(desk) == (["bonjour"], [int(code)])
        (fields,) = desk.application.asked("/fallback")
        assert fields["ErrorCode"] == code
        assert fields["ErrorUrl"] == desk.application.base_url + ("/audio/none" if "Play" in str(page) else "/voice")
        assert [exchange.kind for exchange in desk.emulator.tape if exchange.url.endswith("/fallback")] == ["fallback"]


async def test_a_fallback_that_fails_ends_the_call() -> None:
    async with bench({"/voice": Reply(status=500), "/fallback": Reply(status=502)}, fallback="/fallback") as desk:
        assert await outcome(desk) == ([APOLOGY], [11200, 11200])
        assert len(desk.application.asked("/fallback")) == 1


async def test_fallback_is_asked_in_the_middle_of_a_call() -> None:
    pages = {"/voice": twiml('<Gather action="/boom" numDigits="1"/>'), "/boom": Reply(status=503), "/fallback": HELLO}
    async with bench(pages, fallback="/fallback") as desk:
        sid = await desk.call()
        await desk.client.press(sid, "1")
        assert await desk.words(sid) == ["bonjour"]
        assert "Digits" not in desk.application.asked("/fallback")[0]


async def test_by_default_an_error_is_not_tried_again() -> None:
    async with bench({"/voice": [Reply(status=500), HELLO]}) as desk:
        assert (await outcome(desk))[1] == [11200]
        assert len(desk.application.asked("/voice")) == 1


@pytest.mark.parametrize(
    ("fragment", "status", "tries"),
    [("#rc=2&rp=5xx", 500, 3), ("#rc=2&rp=4xx", 500, 1), ("#rc=3&rp=all", 404, 4), ("#rc=0&rp=all", 500, 1)],
)
async def test_retries_by_override_are_the_same_request(fragment: str, status: int, tries: int) -> None:
    async with bench({"/voice": Reply(status=status)}, voice="/voice" + fragment) as desk:
        await outcome(desk)
        exchanges = desk.tape("webhook")
        assert len(exchanges) == tries
        assert len({exchange.header("I-Twilio-Idempotency-Token") for exchange in exchanges}) == 1
        assert len({exchange.request_body for exchange in exchanges}) == 1


async def test_a_retry_that_succeeds_is_heard() -> None:
    async with bench({"/voice": [Reply(status=500), HELLO]}, voice="/voice#rc=1&rp=5xx") as desk:
        assert await outcome(desk) == (["bonjour"], [])


async def test_overrides_work_in_documents_too() -> None:
    pages = {"/voice": twiml("<Redirect>/next#rc=1&amp;rp=5xx</Redirect>"), "/next": [Reply(status=500), HELLO]}
    async with bench(pages) as desk:
        assert await outcome(desk) == (["bonjour"], [])


async def test_a_read_timeout_is_given_up() -> None:
    held = asyncio.Event()

    async def slow(form: Form) -> str:
        await held.wait()
        return HELLO

    async with bench({"/voice": slow}, voice="/voice#tt=200") as desk:
        heard, codes = await outcome(desk)
        held.set()
        assert (heard, codes) == ([APOLOGY], [11200])
        assert desk.tape("webhook")[0].error is not None


async def test_a_failed_connection_is_tried_twice() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        pages = {"/voice": twiml(f"<Redirect>http://127.0.0.1:{port}/gone</Redirect>")}
        async with bench(pages) as desk:
            assert await outcome(desk) == ([APOLOGY], [11205])
            assert [exchange.status for exchange in desk.tape("webhook")] == [200, None, None]


@pytest.mark.parametrize(("status", "method"), [(307, "POST"), (302, "GET")])
async def test_a_redirect_loses_the_digits(status: int, method: str) -> None:
    pages = {
        "/voice": twiml('<Gather action="/next" numDigits="1"/>'),
        "/next": Reply(status=status, headers={"Location": "/next/"}),
        "/next/": HELLO,
    }
    async with bench(pages) as desk:
        sid = await desk.call()
        await desk.client.press(sid, "4")
        assert await desk.words(sid) == ["bonjour"]
        assert desk.application.asked("/next")[0]["Digits"] == "4"
        used, _, fields = next(request for request in desk.application.requests if request[1] == "/next/")
        assert (used, fields.get("Digits"), fields["CallSid"]) == (method, None, sid)


async def test_redirects_are_followed_ten_times() -> None:
    for count, codes in ((10, []), (11, [11215])):
        pages: dict[str, Reply | str] = {
            f"/{n}": Reply(status=307, headers={"Location": f"/{n + 1}"}) for n in range(count)
        }
        async with bench({**pages, f"/{count}": HELLO}, voice="/0") as desk:
            assert (await outcome(desk))[1] == codes


async def test_a_document_that_redirects_to_itself_ends() -> None:
    async with bench({"/voice": twiml("<Redirect/>")}) as desk:
        assert (await outcome(desk))[1] == [11215]
        assert len(desk.application.asked("/voice")) == 100


async def test_relative_addresses_resolve_against_the_document_that_holds_them() -> None:
    pages = {
        "/voice": twiml("<Redirect>/deep/one?x=1#rc=0</Redirect>"),
        "/deep/one": twiml("<Redirect>two</Redirect>"),
        "/deep/two": HELLO,
    }
    async with bench(pages) as desk:
        assert await outcome(desk) == (["bonjour"], [])


async def test_cookies_are_kept_for_the_call() -> None:
    pages = {
        "/voice": Reply(twiml("<Redirect>/next</Redirect>"), headers={"Set-Cookie": "step=1; Path=/"}),
        "/next": HELLO,
    }
    async with bench(pages) as desk:
        await outcome(desk)
        await outcome(desk)
        assert [e.header("Cookie") for e in desk.tape("webhook")] == [None, "step=1", None, "step=1"]


async def test_captions_say_what_a_sound_says() -> None:
    sound = Reply(wav(3.2), content_type="audio/x-wav")
    pages = {
        "/voice": twiml("<Play>/audio/tok-1.wav</Play><Play>/audio/tok-2.wav</Play>"),
        "/audio/tok-1.wav": sound,
        "/audio/tok-2.wav": sound,
        "/captions/tok-1.wav": Reply("Mardi 1er décembre.", content_type="text/plain; charset=utf-8"),
    }
    async with bench(pages, captions="/captions") as desk:
        state = await desk.closed(await desk.call())
        assert [heard["text"] for heard in state["heard"]] == ["Mardi 1er décembre.", "[audio 3.2 s]"]
        assert state["heard"][0]["url"] == desk.application.base_url + "/audio/tok-1.wav"
        assert state["elapsed"] == 6.4
        assert [exchange.url.rpartition("/")[2] for exchange in desk.tape("audio")] == ["tok-1.wav", "tok-2.wav"]


async def test_a_request_under_way_is_finished_though_the_caller_hung_up() -> None:
    arrived, held, answered = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(form: Form) -> str:
        arrived.set()
        await held.wait()
        answered.set()
        return twiml("<Redirect>/never</Redirect>")

    async with bench({"/voice": slow}) as desk:
        sid = await desk.call(pace="live")
        await arrived.wait()
        await desk.client.hang_up(sid)
        state = await desk.closed(sid)
        assert (state["status"], state["hung_up_by"]) == ("canceled", "telephone")
        held.set()
        await answered.wait()
        async with asyncio.timeout(10):
            while desk.tape("webhook") == []:
                await asyncio.sleep(0.01)
        assert desk.tape("webhook")[0].status == 200
        assert desk.application.asked("/never") == []


async def test_a_status_callback_that_fails_is_only_an_alert() -> None:
    async with bench({"/voice": HELLO, "/status": Reply(status=500)}) as desk:
        assert await outcome(desk) == (["bonjour"], [15003])
        assert len(desk.application.asked("/status")) == 1


async def test_credentials_in_an_address_are_sent_and_not_signed() -> None:
    async with bench({"/voice": HELLO}) as desk:
        host = desk.application.base_url.removeprefix("http://")
        desk.application.pages["/voice"] = twiml(f"<Redirect>http://us%C3%A9r:p%40ss@{host}/next</Redirect>")
        desk.application.pages["/next"] = HELLO
        assert await outcome(desk) == (["bonjour"], [])
        exchange = desk.tape("webhook")[-1]
        assert exchange.url == desk.application.base_url + "/next"
        given = (exchange.header("Authorization") or "").removeprefix("Basic ")
        assert base64.b64decode(given).decode() == "usér:p@ss"
