"""Who is linked with whom, who may be heard, and what pages send each other; the sound itself is in tests/browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from callcenter.emulator.client import ControlClient
from tests.unit.emulator.bench import CALLER, PRACTICE, SECOND, Bench, bench, sdk, twiml
from tests.unit.emulator.softphone import DESK, KEY, SDP, SECRET, Softphone, connected, softphone

# The SDK still signs in by the object and the parameter that aiohttp has deprecated.
pytestmark = [
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
]

ROOM = '<Dial action="/dialled"><Conference waitUrl="">salle</Conference></Dial>'
PAGES = {
    "/desk": twiml(ROOM),
    "/voice": twiml(ROOM),
    "/dialled": twiml("<Pause length='60'/>"),
    "/voice-33465710002": twiml(f"<Dial><Number>{SECOND}</Number></Dial>"),
    "/voice-33465710003": twiml("<Enqueue waitUrl='/silence'>file</Enqueue>"),
    "/fetch": twiml("<Dial><Queue>file</Queue></Dial>"),
    "/silence": twiml("<Pause length='60'/>"),
}
HOUSE = {
    "api_keys": {KEY: SECRET},
    "applications": {DESK: "/desk"},
    "served": (PRACTICE, "+33465710002", "+33465710003"),
}
PAGES["/voice-33465710001"] = PAGES["/voice"]


@asynccontextmanager
async def telephones(desk: Bench) -> AsyncIterator[Softphone]:
    """The telephones' page, as far as its sound goes."""
    async with connected(desk, "/emulator/sound", origin=None) as page:
        yield page


async def calls(desk: Bench, page: Softphone, called: str = PRACTICE, caller: str = CALLER) -> str:
    """Somebody calls on the page."""
    sid = await desk.client.start(caller, called, "live")
    await page.say("carry", call=sid, first=True)
    return sid


async def test_two_pages_in_a_conference_are_linked_and_one_of_them_begins() -> None:
    async with bench(PAGES, **HOUSE) as desk, telephones(desk) as page, softphone(desk) as phone:
        caller, leg = await calls(desk, page), await phone.call()
        (at_page,), (at_phone,) = await page.linked(caller, hears=True), await phone.linked(leg, hears=True)
        assert (at_page["with"], at_phone["with"]) == (leg, caller)
        assert at_page["link"] == at_phone["link"]
        assert at_page["offers"] is not at_phone["offers"]
        assert at_page["sends"] is at_phone["sends"] is True
        first, second = ((page, caller), (phone, leg)) if at_page["offers"] else ((phone, leg), (page, caller))
        link = at_page["link"]
        offer = {"description": {"type": "offer", "sdp": SDP}}
        await first[0].say("signal", call=first[1], link=link, signal=None, **offer)
        assert (await first[0].told("error"))["code"] == 31100
        await first[0].say("signal", call=first[1], link=link, **offer)
        told = await second[0].told("signal")
        assert (told["call"], told["link"], told["signal"]) == (second[1], link, offer)
        candidate = {"candidate": "candidate:1 1 udp 1 127.0.0.1 9 typ host", "sdpMid": "0", "sdpMLineIndex": 0}
        await second[0].say("signal", call=second[1], link=link, candidate=candidate)
        assert (await first[0].told("signal"))["signal"] == {"candidate": candidate}
        await second[0].say("signal", call=second[1], link=link, **offer)
        assert "one of the two offers" in (await second[0].told("error"))["message"]
        await phone.say("hang_up", call=leg)
        await page.linked(caller)
        await phone.linked(leg)


async def test_who_is_on_hold_is_neither_heard_nor_hears_and_the_link_stays() -> None:
    async with bench(PAGES, **HOUSE) as desk, telephones(desk) as page, softphone(desk) as phone, sdk(desk) as client:
        caller, leg = await calls(desk, page), await phone.call()
        (before,) = await page.linked(caller, hears=True)
        (room,) = await client.conferences.list_async()
        participant = client.conferences(room.sid).participants(caller)
        await participant.update_async(hold=True)
        (link,) = await page.linked(caller, sends=False, hears=False)
        assert link["link"] == before["link"]
        await phone.linked(leg, sends=False, hears=False)
        await participant.update_async(hold=False)
        assert await page.linked(caller, sends=True, hears=True) == [before]
        await participant.update_async(muted=True)
        await page.linked(caller, sends=False, hears=True)
        await phone.linked(leg, sends=True, hears=False)


async def test_who_mutes_themselves_hears_on() -> None:
    async with bench(PAGES, **HOUSE) as desk, telephones(desk) as page, softphone(desk) as phone:
        caller, leg = await calls(desk, page), await phone.call()
        await page.linked(caller, hears=True)
        await phone.say("mute", call=leg, muted=True)
        await page.linked(caller, sends=True, hears=False)
        await phone.linked(leg, sends=False, hears=True)
        await phone.say("mute", call=leg, muted=False)
        await page.linked(caller, sends=True, hears=True)


async def test_a_third_one_is_linked_with_both_and_one_page_not_with_itself() -> None:
    async with (
        bench(PAGES, **HOUSE) as desk,
        telephones(desk) as page,
        softphone(desk) as first,
        softphone(desk, identity="op_8") as second,
    ):
        caller, leg, third = await calls(desk, page), await first.call(), await second.call()
        other = await calls(desk, page, caller=SECOND)
        for sid, phone, count in ((caller, page, 2), (other, page, 2), (leg, first, 3), (third, second, 3)):
            await until_linked(phone, sid, count)
        await second.say("hang_up", call=third)
        await until_linked(page, caller, 1)
        await until_linked(first, leg, 2)


async def until_linked(phone: Softphone, sid: str, count: int) -> None:
    while len(await phone.linked(sid, hears=True)) != count:
        await phone.told("sound", call=sid)


async def test_a_dialled_telephone_and_a_queue_join_pages_too() -> None:
    async with bench(PAGES, **HOUSE) as desk, telephones(desk) as page, telephones(desk) as other:
        caller = await calls(desk, page, "+33465710002")
        (leg,) = await desk.client.ringing(SECOND, 5)
        await desk.client.answer(leg.sid)
        await other.say("carry", call=leg.sid, first=True)
        assert (await page.linked(caller, hears=True))[0]["with"] == leg.sid
        await desk.client.hang_up(leg.sid)
        await page.linked(caller)
        waiting = await calls(desk, page, "+33465710003")
        async with sdk(desk) as client:
            url = desk.application.base_url + "/fetch"
            order = await client.calls.create_async(to="+33472000009", from_=PRACTICE, url=url)
        await desk.client.ringing("+33472000009", 5)
        await desk.client.answer(order.sid)
        await other.say("carry", call=order.sid)
        assert (await page.linked(waiting, sends=True, hears=True))[0]["with"] == order.sid


async def test_of_two_pages_with_one_telephone_one_has_the_sound_and_the_other_takes_over() -> None:
    async with bench(PAGES, **HOUSE) as desk, softphone(desk) as phone, telephones(desk) as shown:
        leg = await phone.call()
        async with telephones(desk) as page:
            caller = await desk.client.start(CALLER, PRACTICE, "live")
            await shown.say("carry", call=caller)
            await shown.linked(caller, hears=True)
            await page.say("carry", call=caller, first=True)  # it was dialled here
            (here,) = await page.linked(caller, hears=True)
            await shown.linked(caller)
            assert (await phone.linked(leg, hears=True))[0]["with"] == caller
        (there,) = await shown.linked(caller, hears=True)
        assert there["link"] != here["link"]
        await shown.say("drop", call=caller)
        await shown.linked(caller)
        await shown.say("carry", call=leg)
        assert (await shown.told("error"))["message"] == "no telephone has such a call"
        await shown.say("look", call=caller)
        assert (await shown.told("error"))["message"] == "a message is one of carry, drop, signal"


async def test_another_sites_page_has_no_microphone_here() -> None:
    async with bench(PAGES, **HOUSE) as desk, ControlClient(desk.emulator.base_url):
        answer = await desk.ask("GET", "/sound", headers={"Origin": "http://localhost:8081"})
        assert answer["http"] == 403
