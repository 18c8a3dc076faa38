"""Texts to our numbers, and the calls that we make: signed, bounded, and answered alike."""

from __future__ import annotations

from uuid import UUID

import pytest

from callcenter.kernel.errors import Unavailable
from tests.unit.telephony.doubles import CALL_SID, CALLED, CALLER, document, running_edge

MESSAGE = {"MessageSid": "SM" + "0" * 32, "From": CALLER, "To": CALLED}
PRACTICE, NOTICE = UUID(int=1), UUID(int=2)
NOBODY = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'


@pytest.mark.parametrize(
    ("body", "kept"),
    [("STOP", "stopped"), (" arrêt ! ", "stopped"), ("Stop sms", "stopped"), ("Start", "started"), ("Stoppez", "")],
)
async def test_p6_every_text_is_answered_with_nothing(body: str, kept: str) -> None:
    async with running_edge() as edge:
        answer = await edge.post("/messages/incoming", {**MESSAGE, "Body": body})
        assert (answer.status, answer.body) == (200, NOBODY)
        assert (edge.texts.stopped, edge.texts.started) == (
            [CALLER] if kept == "stopped" else [],
            [CALLER] if kept == "started" else [],
        )


async def test_a_text_that_is_not_signed_stops_nothing() -> None:
    async with running_edge() as edge:
        answer = await edge.post("/messages/incoming", {**MESSAGE, "Body": "STOP"}, signature="x")
        assert (answer.status, edge.texts.stopped) == (403, [])


async def test_a_stop_that_cannot_be_kept_is_an_alert_and_no_answer() -> None:
    async with running_edge() as edge:
        edge.texts.fails = Unavailable("database")
        assert (await edge.post("/messages/incoming", {**MESSAGE, "Body": "STOP"})).status == 503
        assert edge.count("callcenter_alerts_total", kind="text_failed") == 1


async def test_p7_the_call_that_we_make_asks_a_bounded_number_of_times() -> None:
    async with running_edge() as edge:
        url, keys = f"/voice/notices/{PRACTICE}/{NOTICE}/1", {"CallSid": CALL_SID, "To": CALLER, "From": CALLED}
        page = document((await edge.post(url, keys)).body)
        asked = 0
        while (gather := page.find("Gather")) is not None:
            asked += len(page.findall("Gather"))
            url = gather.attrib["action"].removeprefix(edge.base)
            page = document((await edge.post(url, {**keys, "Digits": "7"})).body)
        assert asked == 6
        assert edge.texts.confirmed == []
        assert [element.tag for element in page] == ["Say", "Hangup"]


async def test_one_confirms_and_again_changes_nothing() -> None:
    async with running_edge() as edge:
        url, keys = f"/voice/notices/{PRACTICE}/{NOTICE}/2", {"CallSid": CALL_SID, "Digits": "1"}
        first, second = await edge.post(url, keys), await edge.post(url, keys)
        assert first.body == second.body
        assert "noté" in first.body.decode()
        assert set(edge.texts.confirmed) == {(PRACTICE, NOTICE)}
        edge.texts.fails = Unavailable("database")
        assert "pas pu" in (await edge.post(url, keys)).body.decode()
