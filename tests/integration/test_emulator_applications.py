"""Softphones that call TwiML applications over the control interface, as tests do that have no browser."""

from __future__ import annotations

import pytest

from callcenter.emulator.errors import Refusal
from tests.unit.emulator.bench import bench, hears, twiml

DESK = "AP" + "d" * 32
ROOM = twiml('<Dial action="/dialled"><Conference endConferenceOnExit="true">salle</Conference></Dial>')
PAGES = {"/desk": ROOM, "/voice": ROOM, "/dialled": twiml("<Say>suite</Say>")}


async def test_a_softphone_calls_an_application_which_leads_it_into_a_conference() -> None:
    async with bench(PAGES, applications={DESK: "/desk"}) as desk:
        caller = await desk.call()
        sid = await desk.client.dial_application("op_7", DESK, {"offer": "ab12"}, "scripted")
        assert await hears(desk, sid) == [caller]
        assert await hears(desk, caller) == [sid]
        (asked,) = desk.application.asked("/desk")
        assert (asked["From"], asked["Caller"], asked["To"], asked["Called"]) == ("client:op_7", "client:op_7", "", "")
        assert (asked["Direction"], asked["CallStatus"]) == ("inbound", "ringing")
        assert (asked["ApplicationSid"], asked["CallSid"], asked["offer"]) == (DESK, sid, "ab12")
        await desk.client.hang_up(sid)
        await desk.closed(sid)
        await desk.closed(caller)
        told = {fields["CallSid"]: fields for fields in desk.application.asked("/status")}
        assert (told[sid]["CallStatus"], told[sid]["ApplicationSid"]) == ("completed", DESK)
        assert "offer" not in told[sid]
        assert "ApplicationSid" not in told[caller]


async def test_its_fallback_is_asked_when_the_application_fails() -> None:
    pages = {**PAGES, "/desk": "no document", "/fallback": twiml("<Say>pardon</Say>")}
    async with bench(pages, applications={DESK: "/desk"}, fallback="/fallback") as desk:
        sid = await desk.client.dial_application("op_7", DESK, pace="scripted")
        assert (await desk.words(sid))[-1] == "pardon"


async def test_what_it_cannot_call_is_refused_in_words() -> None:
    async with bench(PAGES, applications={DESK: "/desk"}) as desk:
        for application, parameters, words in (
            ("AP" + "0" * 32, {}, "no such application"),
            (DESK, {"From": "client:somebody_else"}, "'From' is no name for a parameter"),
            (DESK, {"CallSid": "CA" + "0" * 32}, "'CallSid' is no name"),
            (DESK, {"a b": "x"}, "'a b' is no name"),
            (DESK, {"offer": "x" * 800}, "more than 800 characters"),
        ):
            with pytest.raises(Refusal, match=words):
                await desk.client.dial_application("op_7", application, parameters)
        refused = await desk.post("/clients/op_7/calls", {"application": DESK, "parameters": {"offer": 7}})
        assert (refused["http"], refused["error"][:32]) == (400, '"parameters" is an object of tex')
        assert (await desk.post("/clients/a:b/calls", {"application": DESK}))["http"] == 400
        assert desk.application.requests == []
