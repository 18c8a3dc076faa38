"""A call that is put through to the practice's own telephone: what rings, what comes back, what stands on record."""

from __future__ import annotations

import re
from typing import Literal

import aiohttp
import pytest

from callcenter.emulator.client import ControlClient
from callcenter.emulator.lines import Forwarding
from callcenter.emulator.signature import HEADER, sign
from tests.acceptance.on_the_line import JEANNE, OnTheLine, calling
from tests.acceptance.stage import PARIS, Stage
from tests.conftest import TODAY

PORT, PORT_RESCUE = "+33261910001", "+33261910090"
#: Friday morning: the practice answers itself.
FRIDAY = TODAY.astimezone(PARIS).replace(year=2026, month=11, day=27, hour=10, minute=0)


@pytest.fixture(autouse=True)
def friday(stage: Stage) -> None:
    stage.clock.set(FRIDAY)


def documents(stage: Stage, sid: str) -> list[str]:
    """What the call was answered, in order."""
    asked = [e for e in stage.emulator.tape if e.call_sid == sid and e.kind == "webhook"]
    return [exchange.response_body.decode() for exchange in asked]


async def rings(line: OnTheLine) -> bool:
    """Whether the practice's telephone rings for this call."""
    return any(leg.parent == line.sid for leg in await line.client.ringing(PORT_RESCUE, 0))


async def events(line: OnTheLine) -> list[tuple[str, str | None]]:
    """The call's records in order, each with what became of the line."""
    return [(record["event"], record.get("rang")) for record in await line.records()]


async def test_what_was_put_through_is_on_record_without_any_number(stage: Stage) -> None:
    async with calling(stage, called=PORT) as line:
        assert await rings(line)
        (leg,) = await line.client.ringing(PORT_RESCUE, 0)
        assert ("call.put_through", None) in await events(line), "it stands there before anybody answers"
        await line.client.answer(leg.sid)
        await line.client.hang_up(leg.sid)
        await line.client.closed(line.sid)
        assert await events(line) == [
            ("call.started", None),
            ("call.put_through", None),
            ("call.came_back", "talked"),
            ("call.ended", None),
        ]
        assert not re.search("26191|33639", str(await line.records()))
        (dial,) = (body for body in documents(stage, line.sid) if "<Dial" in body)
        assert f'callerId="{PORT}"' in dial
        assert not re.search("record|answerOnBridge", dial)
        assert documents(stage, line.sid)[-1].endswith("<Response><Hangup /></Response>"), "nothing more is said"


async def test_a_caller_who_hangs_up_while_it_rings_leaves_a_call_that_has_ended(stage: Stage) -> None:
    async with calling(stage, called=PORT) as line:
        state = await line.hang_up()
        assert state.activity == "ended"
        assert await events(line) == [("call.started", None), ("call.put_through", None), ("call.ended", None)]
        assert not await line.client.ringing(PORT_RESCUE, 0)
    async with calling(stage, called=PORT) as line:
        assert await rings(line), "who rings again is put through again"


async def test_a_caller_who_hangs_up_while_they_talk_leaves_a_call_that_has_ended(stage: Stage) -> None:
    async with calling(stage, called=PORT) as line:
        (leg,) = await line.client.ringing(PORT_RESCUE, 0)
        await line.client.answer(leg.sid)
        await line.hang_up()
        assert (await events(line))[-1] == ("call.ended", None)


async def sent(stage: Stage, line: OnTheLine, slot: str, document: int, **fields: str) -> str:
    """A webhook of the carrier for one step of the call, and what it is answered."""
    call, _ = await line.identity()
    settings = stage.running.settings
    url = f"{settings.public_base_url}/voice/calls/{call}/{document}/{slot}"
    form = {"CallSid": line.sid, "From": JEANNE, "To": PORT, **fields}
    token = settings.carrier.auth_tokens[0].get_secret_value()
    headers = {HEADER: sign(token, url, form.items())}
    async with aiohttp.ClientSession() as session, session.post(url, data=form, headers=headers) as answer:
        assert answer.status == 200
        return await answer.text()


async def test_p3_the_same_end_of_the_ringing_is_answered_alike_and_another_has_no_effect(stage: Stage) -> None:
    async with calling(stage, called=PORT) as line:
        (standing,) = documents(stage, line.sid)
        assert await sent(stage, line, "next", 1, Digits="1") == standing, "keys lead back to what rings"
        busy = await sent(stage, line, "dialled", 1, DialCallStatus="busy")
        assert "Nous prenons votre appel" in busy
        assert await sent(stage, line, "dialled", 1, DialCallStatus="busy") == busy
        assert await sent(stage, line, "dialled", 1, DialCallStatus="completed") == busy, "late: led back"
        assert await sent(stage, line, "dialled", 2, DialCallStatus="completed") == busy, "nothing rings there"
        rang = [record["rang"] for record in await line.records("call.came_back")]
        assert rang == ["busy"]
        assert len(await line.records("webhook.late")) == 3


async def test_p3_the_end_of_the_ringing_that_comes_behind_the_end_of_the_call_has_no_effect(stage: Stage) -> None:
    async with calling(stage, called=PORT) as line:
        await line.hang_up()
        await sent(stage, line, "dialled", 1, DialCallStatus="canceled", CallStatus="completed")
        assert await line.records("call.came_back") == []
        assert len(await line.records("webhook.late")) == 1


@pytest.mark.parametrize("forwarded_from", [PORT_RESCUE, "0261910090", "0033261910090"])
async def test_p7_a_call_forwarded_from_the_practices_telephone_does_not_ring_it(
    stage: Stage, forwarded_from: str
) -> None:
    async with ControlClient(stage.emulator.base_url) as client:
        line = OnTheLine(stage, client, await client.start(JEANNE, PORT, "scripted", forwarded_from))
        assert "Rendez-vous, tapez 1" in await line.hears()
        assert not await rings(line)
        await line.hang_up()
        assert ("call.not_put_through", None) in await events(line)


async def test_p7_a_call_from_the_practices_telephone_does_not_ring_it(stage: Stage) -> None:
    async with calling(stage, PORT_RESCUE, PORT) as line:
        assert "Rendez-vous, tapez 1" in await line.hears()
        assert not await rings(line)


@pytest.mark.parametrize("caller", ["kept", "replaced"])
@pytest.mark.parametrize("reported", [True, False])
async def test_p7_a_practices_telephone_that_is_forwarded_to_us_does_not_go_round(
    stage: Stage, caller: Literal["kept", "replaced"], reported: bool
) -> None:
    """Somebody has set up the practice's own line to lead back in, and the carrier tells of it or does not."""
    async with ControlClient(stage.emulator.base_url) as client:
        await client.forward(Forwarding(PORT_RESCUE, PORT, "always", caller, reported))
        sid = await client.start(JEANNE, PORT, "scripted")
        if (await client.settled(sid)).activity != "ended":
            await client.advance(sid, 240)
        heard = " ".join(spoken.text for spoken in (await client.settled(sid)).heard)
        await client.hang_up(sid)
        await client.closed(sid)
    assert "composez le 15" in heard
    incoming = [e for e in stage.emulator.tape if e.kind == "webhook" and e.url.endswith("/voice/incoming")]
    assert len(incoming) == 2, "the call that comes back is recognised at once"
