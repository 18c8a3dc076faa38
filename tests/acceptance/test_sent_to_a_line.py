"""An operator sends a caller on to the practice's line without a word, over the whole house: taken, and not taken."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from callcenter.app.by_carrier import CarrierLines
from callcenter.calls.talk_values import Acted, PracticeLine
from callcenter.calls.talks import Talks
from callcenter.calls.waiting_room import WaitingRoom
from callcenter.emulator.client import ControlClient
from callcenter.emulator.lines import Unreached
from callcenter.installation import switch_path
from callcenter.routing.presence import move
from callcenter.routing.values import PresenceState
from callcenter.store.database import DatabaseDown
from callcenter.telephony.carrier import CarrierDown
from callcenter.telephony.switch import RescueSwitch, Switched
from tests.acceptance.stage import Stage
from tests.acceptance.test_talks import Conversation, rescue_number
from tests.acceptance.test_two_people_talk import OPEN, OTHER_DESK, Office

SILENT = "Le cabinet ne répond pas"


@pytest.fixture
async def talk(stage: Stage) -> AsyncIterator[Conversation]:
    await stage.furnish(OPEN)
    async with ControlClient(stage.emulator.base_url) as client:
        office = Office(stage, client)
        caller, desk = await office.talk()
        colleague = await office.on_duty("operatrice2", OTHER_DESK)
        async with stage.running.database.house() as connection:
            row = (await connection.execute(text("SELECT id, staff_id FROM reservation"))).one()
        talks: Talks = stage.running.talks
        yield Conversation(office, talks, caller, desk, row.staff_id, colleague, row.id)


async def sent(talk: Conversation) -> str:
    """The caller is sent on, and the line rings; its leg."""
    assert await talk.talks.send(talk.operator, talk.reservation, PracticeLine()) is Acted.DONE
    assert await talk.ended(talk.desk)
    leg = await talk.office.rings(await rescue_number(talk))
    assert "Je vous passe le cabinet" in await talk.office.words(talk.caller)
    return leg


async def is_with_the_colleague(talk: Conversation) -> None:
    """The caller stands at the front again, and whoever is free has them."""
    await talk.hear_each_other(talk.caller, await talk.comes(OTHER_DESK))
    assert await talk.office.one("SELECT count(*) FROM talk_party WHERE state IN ('ringing', 'there')") == 0


async def test_the_line_takes_the_call_by_a_key_and_the_two_talk_alone(talk: Conversation) -> None:
    leg = await sent(talk)
    assert await talk.presence_of(talk.operator) == "wrap_up"
    await talk.office.client.answer(leg)
    assert "vous passe un appel pour" in await talk.office.words(leg)
    assert await talk.office.left_for() is None, "nobody has it before the key"
    assert await talk.office.hears(talk.caller) == frozenset()
    await talk.office.client.press(leg, "1")
    await talk.hear_each_other(talk.caller, leg)
    assert await talk.office.left_for() == "answered"
    assert await talk.office.one("SELECT state FROM talk_party") == "took"
    assert not await talk.office.client.ringing(OTHER_DESK, 0)
    await talk.office.client.hang_up(leg)
    assert await talk.ended(talk.caller)
    assert SILENT not in await talk.office.words(talk.caller)
    assert await talk.office.left_for() == "answered"


@pytest.mark.parametrize("why", ["busy", "no-answer", "failed"])
async def test_a_line_that_is_not_reached_gives_the_caller_their_place_back_at_once(
    talk: Conversation, why: Unreached
) -> None:
    leg = await sent(talk)
    assert not await talk.office.client.ringing(OTHER_DESK, 0), "nobody is offered the call while the line rings"
    await talk.office.client.reject(leg, why)
    await is_with_the_colleague(talk)
    assert SILENT in await talk.office.words(talk.caller)


@pytest.mark.parametrize("key", ["2", ""])
async def test_whoever_answers_and_does_not_take_it_and_a_voicemail_never_have_the_caller(
    talk: Conversation, key: str
) -> None:
    leg = await sent(talk)
    await talk.office.client.answer(leg)
    await talk.office.client.settled(leg)
    if key:
        await talk.office.client.press(leg, key)
    else:  # in small steps: the house's clock goes along, and an offer to the colleague would run out
        while (await talk.office.client.state(leg)).activity != "ended":
            await talk.office.client.advance(leg, 3)
            await talk.office.client.settled(leg)
    assert await talk.ended(leg)
    await is_with_the_colleague(talk)
    assert SILENT in await talk.office.words(talk.caller)


async def test_p7_where_nobody_is_on_duty_any_more_the_flow_finds_the_caller_a_way(talk: Conversation) -> None:
    leg = await sent(talk)
    async with talk.database.house() as connection:
        for staff in (talk.operator, talk.colleague):
            await move(connection, staff, PresenceState.OFFLINE, talk.office.stage.clock.now())
    await talk.office.client.reject(leg, "no-answer")
    await talk.office.client.settled(leg)
    words = await talk.office.words(talk.caller)
    assert SILENT in words
    assert not words.rstrip().endswith(("Je reprends votre appel.", "Au revoir.")), "they are asked something"
    assert (await talk.office.client.state(talk.caller)).activity != "ended"


async def test_a_caller_who_hangs_up_meanwhile_leaves_nobody_on_the_line(talk: Conversation) -> None:
    leg = await sent(talk)
    await talk.office.client.answer(leg)
    await talk.office.client.settled(leg)
    await talk.office.client.hang_up(talk.caller)
    assert await talk.ended(leg)
    await talk.office.becomes(talk.office.left_for, "hung_up")
    assert not await talk.office.client.ringing(OTHER_DESK, 0)
    talk.office.stage.clock.advance(91)
    await talk.office.becomes(lambda: talk.office.one("SELECT state FROM talk_party"), "missed")


@pytest.mark.parametrize("led", [True, False], ids=["led", "not led"])
async def test_p7_where_the_carrier_does_not_say_whether_it_led_the_caller_is_somewhere(
    talk: Conversation, led: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = CarrierLines.lead_to_line

    async def silent(self: CarrierLines, *which: object) -> bool:
        if led:
            await lead(self, *which)  # type: ignore[arg-type]
        raise CarrierDown("no answer")

    monkeypatch.setattr(CarrierLines, "lead_to_line", silent)
    assert await talk.talks.send(talk.operator, talk.reservation, PracticeLine()) is Acted.DONE
    assert await talk.ended(talk.desk)
    if not led:
        await is_with_the_colleague(talk)
        return
    leg = (await talk.office.client.ringing(await rescue_number(talk), 10))[-1].sid
    await talk.office.takes(leg)
    await talk.hear_each_other(talk.caller, leg)


async def test_p7_where_the_carrier_fails_once_the_line_rings_all_the_same(
    talk: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead, asked = CarrierLines.lead_to_line, []

    async def once(self: CarrierLines, *which: object) -> bool:
        asked.append(which)
        if len(asked) == 1:
            raise CarrierDown("no answer")
        return await lead(self, *which)  # type: ignore[arg-type]

    monkeypatch.setattr(CarrierLines, "lead_to_line", once)
    leg = await sent(talk)
    await talk.office.takes(leg)
    await talk.hear_each_other(talk.caller, leg)


async def test_p7_when_the_line_cannot_be_told_the_caller_is_led_on(
    talk: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(*_: object) -> None:
        raise DatabaseDown

    monkeypatch.setattr(WaitingRoom, "at_line", down)
    assert await talk.talks.send(talk.operator, talk.reservation, PracticeLine()) is Acted.DONE
    await is_with_the_colleague(talk)


async def test_p7_the_kill_switch_is_minded_behind_a_line_that_does_not_take_the_call(talk: Conversation) -> None:
    leg, switch = await sent(talk), RescueSwitch(switch_path(talk.office.stage.running.settings))
    switch.turn(Switched(everybody=True))
    try:
        await talk.office.client.reject(leg, "busy")
        assert await talk.office.client.ringing(await rescue_number(talk), 10)
        assert "mettons en relation" in await talk.office.words(talk.caller)
    finally:
        switch.turn(Switched())


async def test_a_talk_of_three_is_not_sent_on(talk: Conversation) -> None:
    await talk.talks.consult(talk.operator, talk.reservation, PracticeLine(), True)
    third = await talk.comes(await rescue_number(talk))
    assert await talk.talks.send(talk.operator, talk.reservation, PracticeLine()) is Acted.NOT_NOW
    await talk.hear_each_other(talk.caller, talk.desk, third)
