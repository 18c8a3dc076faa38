"""The REST interface, asked by the carrier's own SDK."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from twilio.base.exceptions import TwilioRestException

from callcenter.kernel.clock import DrivenClock
from tests.unit.emulator.bench import ACCOUNT, CALLER, PRACTICE, SECOND, TOKEN, bench, sdk, twiml, until

# The SDK still signs in by the object and the parameter that aiohttp has deprecated.
pytestmark = [
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
]

THIRD = "+33472000003"
PAGES = {"/answered": twiml("<Say>allo</Say>"), "/sms": "", "/progress": ""}


def account_session() -> aiohttp.ClientSession:
    """Plain HTTP with the account's credentials."""
    credentials = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
    return aiohttp.ClientSession(headers={"Authorization": f"Basic {credentials}"})


async def test_a_message_is_queued_sent_delivered_and_in_the_inbox() -> None:
    async with bench(PAGES) as desk, sdk(desk) as client:
        callback = desk.application.base_url + "/sms"
        message = await client.messages.create_async(
            to=CALLER, from_=PRACTICE, body="Code 123 456", status_callback=callback
        )
        assert (message.status, message.num_segments, message.to) == ("queued", "1", CALLER)
        assert message.date_created is not None
        await until(lambda: len(desk.application.asked("/sms")) == 2)
        told = desk.application.asked("/sms")
        assert [f["MessageStatus"] for f in told] == ["sent", "delivered"]
        assert {(f["MessageSid"], f["To"], f["AccountSid"]) for f in told} == {(message.sid, CALLER, ACCOUNT)}
        assert (await client.messages(message.sid).fetch_async()).status == "delivered"
        (arrived,) = await desk.client.inbox(CALLER, after=0)
        assert (arrived.body, arrived.sender) == ("Code 123 456", PRACTICE)
        assert await desk.client.inbox(SECOND, after=0) == ()


@pytest.mark.parametrize(
    ("to", "body", "code"),
    [
        ("0639980001", "a", 21211),
        ("+3363998", "a", 21211),
        ("+33 6 39 98 00 01", "a", 21211),
        ("+33472000000", "a", 21614),
        ("+33912345678", "a", 21614),
        (CALLER, "a" * 1601, 21617),
        (CALLER, "", 21602),
    ],
)
async def test_messages_that_are_refused(to: str, body: str, code: int) -> None:
    async with bench(PAGES) as desk, sdk(desk) as client:
        with pytest.raises(TwilioRestException) as refused:
            await client.messages.create_async(to=to, from_=PRACTICE, body=body)
        assert (refused.value.code, refused.value.status) == (code, 400)
        assert await client.messages.list_async() == []


async def test_longest_message_and_other_countries_are_accepted() -> None:
    async with bench(PAGES) as desk, sdk(desk) as client:
        message = await client.messages.create_async(to="+3222222222", from_=PRACTICE, body="a" * 1600)
        assert message.num_segments == "11"


async def test_messages_fail_on_request() -> None:
    async with bench(PAGES) as desk, sdk(desk) as client:
        await desk.post("/messages/failures", {"count": 2, "status": 503, "code": 20503, "message": "down"})
        for _ in range(2):
            with pytest.raises(TwilioRestException) as refused:
                await client.messages.create_async(to=CALLER, from_=PRACTICE, body="a")
            assert (refused.value.code, refused.value.status) == (20503, 503)
        await desk.post("/messages/failures", {"outcome": "undelivered", "code": 30003})
        callback = desk.application.base_url + "/sms"
        await client.messages.create_async(to=CALLER, from_=PRACTICE, body="b", status_callback=callback)
        await until(lambda: len(desk.application.asked("/sms")) == 2)
        last = desk.application.asked("/sms")[-1]
        assert (last["MessageStatus"], last["ErrorCode"]) == ("undelivered", "30003")
        assert await desk.client.inbox(CALLER, after=0) == ()
        assert (await client.messages.create_async(to=CALLER, from_=PRACTICE, body="c")).status == "queued"
        await desk.post("/messages/failures", {"count": 3})
        await desk.ask("DELETE", "/messages/failures")
        assert (await client.messages.create_async(to=CALLER, from_=PRACTICE, body="d")).status == "queued"


async def test_messages_are_listed_newest_first_page_by_page() -> None:
    async with bench(PAGES) as desk, sdk(desk) as client:
        for number in range(7):
            await client.messages.create_async(to=CALLER, from_=PRACTICE, body=str(number))
        await client.messages.create_async(to="+33639980002", from_=PRACTICE, body="x")
        listed = await client.messages.list_async(to=CALLER, page_size=3)
        assert [message.body for message in listed] == ["6", "5", "4", "3", "2", "1", "0"]
        assert len([e for e in desk.tape("rest") if e.method == "GET"]) == 3


@pytest.mark.parametrize(("token", "account"), [("wrong", ACCOUNT), (TOKEN, "AC" + "9" * 32)])
async def test_only_the_account_gets_in(token: str, account: str) -> None:
    async with bench(PAGES) as desk, sdk(desk, token, account) as client:
        with pytest.raises(TwilioRestException) as refused:
            await client.messages.create_async(to=CALLER, from_=PRACTICE, body="a")
        assert (refused.value.code, refused.value.status) == (20003, 401)
        assert [exchange.status for exchange in desk.tape("rest")] == [401]


async def test_errors_and_headers_as_the_carrier_writes_them() -> None:
    async with bench(PAGES) as desk, account_session() as session:
        base = f"{desk.emulator.base_url}/2010-04-01/Accounts/{ACCOUNT}"
        async with session.get(f"{base}/Calls/CAnone.json") as response:
            assert response.status == 404
            body = await response.json()
            assert (body["code"], body["status"]) == (20404, 404)
            assert body["more_info"].endswith("/20404")
            assert response.headers["Twilio-Concurrent-Requests"] == "1"
            assert response.headers["Twilio-Request-Id"].startswith("RQ")
        async with session.get(f"{base}/Nothing.json") as response:
            assert (await response.json())["code"] == 20404
        async with session.get(f"{base}/Messages.json?PageSize=0") as response:
            assert (await response.json())["code"] == 20001
        async with session.delete(f"{base}/Messages.json") as response:
            assert response.status == 405


async def test_an_ordered_call_rings_is_answered_and_reported() -> None:
    async with bench(PAGES) as desk, sdk(desk) as client:
        base = desk.application.base_url
        call = await client.calls.create_async(
            to=SECOND, from_=PRACTICE, url=base + "/answered", status_callback=base + "/progress",
            status_callback_event=["initiated", "ringing", "answered", "completed"],
        )  # fmt: skip
        assert (call.status, call.direction) == ("queued", "outbound-api")
        (leg,) = await desk.client.ringing(SECOND, 5)
        assert leg.sid == call.sid
        assert (await client.calls(call.sid).fetch_async()).status == "ringing"
        await desk.client.answer(leg.sid)
        state = await desk.closed(leg.sid)
        assert [heard["text"] for heard in state["heard"]] == ["allo"]
        told = desk.application.asked("/progress")
        assert [f["CallStatus"] for f in told] == ["initiated", "ringing", "in-progress", "completed"]
        fetched = await client.calls(call.sid).fetch_async()
        assert (fetched.status, fetched.duration, fetched.to) == ("completed", "1", SECOND)
        assert fetched.start_time is not None
        assert fetched.end_time is not None


async def test_an_ordered_call_that_is_busy() -> None:
    async with bench(PAGES) as desk, sdk(desk) as client:
        call = await client.calls.create_async(
            to=SECOND,
            from_=PRACTICE,
            twiml=twiml("<Say>a</Say>"),
            status_callback=desk.application.base_url + "/progress",
        )
        (leg,) = await desk.client.ringing(SECOND, 5)
        await desk.post(f"/telephones/{leg.sid}/reject", {"reason": "busy"})
        await desk.closed(leg.sid)
        assert [f["CallStatus"] for f in desk.application.asked("/progress")] == ["busy"]
        assert (await client.calls(call.sid).fetch_async()).status == "busy"


async def test_a_call_in_progress_is_given_another_document() -> None:
    pages = {**PAGES, "/voice": twiml('<Gather timeout="3600" action="/none"/>')}
    async with bench(pages) as desk, sdk(desk) as client:
        sid = await desk.call()
        await client.calls(sid).update_async(url=desk.application.base_url + "/answered")
        assert await desk.words(sid) == ["allo"]
        sid = await desk.call()
        await client.calls(sid).update_async(twiml=twiml("<Say>ici</Say>"))
        assert await desk.words(sid) == ["ici"]
        sid = await desk.call()
        await client.calls(sid).update_async(twiml=twiml("<Say>ici</Say><Gather/>"))
        await desk.client.settled(sid)
        assert [alert["code"] for alert in (await desk.closed(sid))["alerts"]] == [15004]


async def test_a_joined_leg_is_given_another_document_and_the_other_goes_on() -> None:
    pages = {
        **PAGES,
        "/voice": twiml(f'<Dial action="/after">{SECOND}</Dial>'),
        "/after": twiml("<Say>reprise</Say>"),
    }
    async with bench(pages) as desk, sdk(desk) as client:
        sid = await desk.call()
        (leg,) = await desk.client.ringing(SECOND, 5)
        await desk.client.answer(leg.sid)
        await desk.client.settled(sid)
        await client.calls(leg.sid).update_async(url=desk.application.base_url + "/answered")
        assert (await desk.words(leg.sid))[-1] == "allo"
        assert (await desk.words(sid))[-1] == "reprise"


async def test_a_call_is_ended_and_cannot_be_ended_again() -> None:
    async with (
        bench({**PAGES, "/voice": twiml('<Gather timeout="3600" action="/none"/>')}) as desk,
        sdk(desk) as client,
    ):
        sid = await desk.call()
        with pytest.raises(TwilioRestException) as refused:
            await client.calls(sid).update_async(status="canceled")
        assert refused.value.code == 21220
        assert (await client.calls(sid).update_async(status="completed")).status == "completed"
        assert (await desk.closed(sid))["hung_up_by"] == "carrier"
        with pytest.raises(TwilioRestException) as refused:
            await client.calls(sid).update_async(status="completed")
        assert (refused.value.code, refused.value.status) == (21220, 400)


async def test_a_ringing_call_is_canceled() -> None:
    async with bench(PAGES) as desk, sdk(desk) as client:
        call = await client.calls.create_async(to=SECOND, from_=PRACTICE, twiml=twiml(""))
        await desk.client.ringing(SECOND, 5)
        assert (await client.calls(call.sid).update_async(status="canceled")).status == "canceled"
        assert await desk.client.ringing(SECOND, 0) == ()


async def test_calls_are_listed_by_what_is_asked() -> None:
    async with (
        bench({**PAGES, "/voice": twiml('<Gather timeout="3600" action="/none"/>')}) as desk,
        sdk(desk) as client,
    ):
        first = await desk.call()
        second = await desk.call(caller="+33639980002")
        await desk.client.hang_up(first)
        await desk.closed(first)
        assert [call.sid for call in await client.calls.list_async()] == [second, first]
        assert [call.sid for call in await client.calls.list_async(status="completed")] == [first]
        assert [call.sid for call in await client.calls.list_async(from_="+33639980002")] == [second]


async def test_calls_are_listed_by_when_they_began_page_by_page() -> None:
    clock = DrivenClock(datetime(2026, 11, 25, 23, 50, tzinfo=UTC))
    async with bench({**PAGES, "/voice": twiml("<Hangup/>")}, clock=clock) as desk, sdk(desk) as client:
        sids = []
        for _ in range(5):  # two before midnight, three after
            sids.append(await desk.call())
            await desk.closed(sids[-1])
            clock.advance(300)
        midnight = datetime(2026, 11, 26, tzinfo=UTC)
        list_of = client.calls.list_async
        assert [call.sid for call in await list_of(start_time_after=midnight, page_size=2)] == sids[:1:-1]
        assert len([one for one in desk.tape("rest") if one.method == "GET"]) == 2
        assert [call.sid for call in await list_of(start_time_before=midnight)] == sids[1::-1]
        assert [call.sid for call in await list_of(start_time=datetime(2026, 11, 26, tzinfo=UTC))] == sids[:1:-1]
        calls = f"{desk.emulator.base_url}/2010-04-01/Accounts/{ACCOUNT}/Calls.json"
        async with account_session() as session, session.get(calls, params={"StartTime>": "yesterday"}) as response:
            assert (response.status, (await response.json())["code"]) == (400, 20001)


async def test_a_call_that_nobody_answered_began_when_it_was_placed() -> None:
    async with bench(PAGES) as desk, sdk(desk) as client:
        call = await client.calls.create_async(to=SECOND, from_=PRACTICE, twiml=twiml(""))
        await desk.client.ringing(SECOND, 5)
        assert (await client.calls(call.sid).fetch_async()).start_time is None
        ended = await client.calls(call.sid).update_async(status="canceled")
        assert ended.start_time is not None


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"to": "0472000000", "from_": PRACTICE, "twiml": "<Response/>"}, 21211),
        ({"to": SECOND, "from_": "anonymous", "twiml": "<Response/>"}, 21212),
        ({"to": SECOND, "from_": PRACTICE}, 21205),
        ({"to": SECOND, "from_": PRACTICE, "url": "/relative"}, 21205),
        ({"to": SECOND, "from_": PRACTICE, "twiml": "a" * 4001}, 32018),
        ({"to": SECOND, "from_": PRACTICE, "twiml": "<Response/>", "timeout": 601}, 20001),
    ],
)
async def test_calls_that_are_refused(options: dict[str, Any], code: int) -> None:
    async with bench(PAGES) as desk, sdk(desk) as client:
        with pytest.raises(TwilioRestException) as refused:
            await client.calls.create_async(**options)
        assert refused.value.code == code
        assert (await desk.get("/calls"))["calls"] == []


async def test_a_call_that_we_make_dials_on_with_the_number_that_it_called() -> None:
    """Our own side of it is the called one, whose number a third party is to see (Dial, default of callerId)."""
    async with bench({**PAGES, "/answered": twiml(f"<Dial>{THIRD}</Dial>")}) as desk, sdk(desk) as client:
        url = desk.application.base_url + "/answered"
        await client.calls.create_async(to=SECOND, from_=PRACTICE, url=url)
        (leg,) = await desk.client.ringing(SECOND, 5)
        await desk.client.answer(leg.sid)
        (dialled,) = await desk.client.ringing(THIRD, 5)
        assert (await desk.get(f"/calls/{dialled.sid}"))["from"] == SECOND


async def test_a_new_call_takes_the_url_and_one_that_exists_takes_url_or_twiml() -> None:
    both = {"twiml": twiml("<Say>ici</Say>")}
    async with (
        bench({**PAGES, "/voice": twiml('<Gather timeout="3600" action="/none"/>')}) as desk,
        sdk(desk) as client,
    ):
        both["url"] = desk.application.base_url + "/answered"
        call = await client.calls.create_async(to=SECOND, from_=PRACTICE, **both)
        (leg,) = await desk.client.ringing(SECOND, 5)
        await desk.client.answer(leg.sid)
        assert await desk.words(leg.sid) == ["allo"]
        assert [alert["code"] for alert in (await desk.closed(call.sid))["alerts"]] == [32019]
        sid = await desk.call()
        with pytest.raises(TwilioRestException) as refused:
            await client.calls(sid).update_async(**both)
        assert refused.value.code == 20001
        assert await desk.words(sid) == []


@pytest.mark.parametrize("sender", [THIRD, "Somebody"])
async def test_a_message_comes_from_a_number_of_the_account(sender: str) -> None:
    async with bench(PAGES, senders=("+33757900001", "Cabinet")) as desk, sdk(desk) as client:
        for own in ("+33757900001", "Cabinet"):
            await client.messages.create_async(to=CALLER, from_=own, body="a")
        with pytest.raises(TwilioRestException) as refused:
            await client.messages.create_async(to=CALLER, from_=sender, body="a")
        assert refused.value.code == 21606
        await client.messages.create_async(to=CALLER, messaging_service_sid="MG" + "0" * 32, body="a")
        assert len(await desk.client.inbox(CALLER, after=0)) == 3
