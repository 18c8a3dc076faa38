"""A caller waits, an operator's telephone rings, a key takes the call, the two talk; and every way in which it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from callcenter.app.by_carrier import CarrierLines
from callcenter.app.call_service import CallService
from callcenter.emulator.client import ControlClient
from callcenter.kernel.randomness import SeededRandom
from callcenter.practice.demo import FOLDER
from callcenter.practice.demo_file import read_demonstration
from callcenter.routing.presence import move
from callcenter.routing.values import PresenceState, Way
from callcenter.staff.administration import NewAccount
from callcenter.staff.invitations import Purpose
from callcenter.staff.passkeys import RelyingParty
from callcenter.staff.records import Actor, HouseLog
from callcenter.staff.room import StaffRoom
from callcenter.staff.telephones import Telephones
from callcenter.staff.values import Role, day_of
from tests.acceptance.stage import PARIS, Stage

OPEN = datetime(2026, 11, 26, 10, 0, tzinfo=PARIS)
CALLER, PRACTICE = "+33639980001", "+33465710001"
DESK, OTHER_DESK = "+33465710071", "+33465710072"
BY = Actor.command("tests")


@dataclass
class Office:
    stage: Stage
    client: ControlClient

    async def on_duty(self, login: str, number: str) -> UUID:
        """An operator who answers by a telephone."""
        running = self.stage.running
        database, sealer, clock = running.database, running.sealer, self.stage.clock
        party = RelyingParty.at("http://localhost:8081")
        room = StaffRoom.on(database, database, sealer, clock, SeededRandom(login), party)
        try:
            organisation = read_demonstration(FOLDER).organisation_id
            account = await room.administration.create(NewAccount(organisation, login, "Télésecrétaire"), BY)
            portfolio = await room.portfolios.create(organisation, f"Tous {login}", BY, whole=True)
            await room.administration.grant(account, Role.OPERATOR, portfolio, BY)
            await room.administration.sign(account.id, day_of(clock.now()), BY)
            invitation = await room.invitations.invite(account.id, Purpose.FIRST, BY)
            await room.invitations.accept(invitation, "quatre mots sans rapport")
        finally:
            room.close()
        async with database.house() as connection:
            log = HouseLog(clock, SeededRandom(login))
            assert await Telephones(sealer, log).keep(connection, account.id, number, BY)
            await move(connection, account.id, PresenceState.AVAILABLE, clock.now(), way=Way.TELEPHONE)
        return account.id

    async def waits(self, caller: str = CALLER) -> str:
        """Somebody rings, presses 0, and waits; the leg."""
        sid = await self.client.start(caller, PRACTICE, "scripted")
        await self.client.settled(sid)
        await self.client.press(sid, "0")
        await self.client.settled(sid)
        return sid

    async def rings(self, number: str = DESK) -> str:
        """The leg that rings at an operator's telephone."""
        (ringing,) = await self.client.ringing(number, 10)
        return ringing.sid

    async def takes(self, leg: str) -> None:
        await self.client.answer(leg)
        await self.client.settled(leg)
        await self.client.press(leg, "1")

    async def words(self, sid: str) -> str:
        return " ".join(said.text for said in (await self.client.settled(sid)).heard)

    async def hears(self, sid: str) -> frozenset[str]:
        return (await self.client.state(sid)).hears

    async def becomes(self, state: Callable[[], Awaitable[object]], wanted: object) -> None:
        """Wait until something is so; at most ten seconds."""
        seen: object = None
        for _ in range(200):
            seen = await state()
            if seen == wanted:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{seen!r} is not {wanted!r}")

    async def talk(self) -> tuple[str, str]:
        """Both legs of a talk."""
        await self.on_duty("operatrice1", DESK)
        caller = await self.waits()
        desk = await self.rings()
        await self.takes(desk)
        await self.becomes(lambda: self.hears(caller), frozenset({desk}))
        await self.becomes(lambda: self.hears(desk), frozenset({caller}))
        return caller, desk

    async def one(self, query: str) -> object:
        async with self.stage.running.database.house() as connection:
            return (await connection.execute(text(query))).scalar_one()

    async def presence(self) -> object:
        return await self.one("SELECT state FROM presence")

    async def left_for(self) -> object:
        return await self.one("SELECT left_reason FROM queue_entry")


@pytest.fixture
async def office(stage: Stage) -> AsyncIterator[Office]:
    await stage.furnish(OPEN)
    async with ControlClient(stage.emulator.base_url) as client:
        yield Office(stage, client)


async def test_a_caller_waits_is_taken_and_the_two_hear_each_other(office: Office) -> None:
    caller, desk = await office.talk()
    assert "Un appel pour" in await office.words(desk)
    assert "Vous êtes en relation" in await office.words(caller)
    await office.client.speak(caller, "Bonjour, c'est pour un rendez-vous.")
    assert "Bonjour, c'est pour un rendez-vous." in await office.words(desk)
    assert await office.presence() == "on_call"


async def test_the_operator_hangs_up_and_the_call_is_over(office: Office) -> None:
    caller, desk = await office.talk()
    await office.client.hang_up(desk)
    state = await office.client.closed(caller)
    assert state.activity == "ended"
    await office.becomes(office.left_for, "answered")
    await office.becomes(office.presence, "wrap_up")


async def test_the_caller_hangs_up_and_the_operator_is_free(office: Office) -> None:
    caller, desk = await office.talk()
    await office.client.hang_up(caller)
    assert (await office.client.closed(desk)).activity == "ended"
    await office.becomes(office.left_for, "answered")
    await office.becomes(office.presence, "wrap_up")


async def test_p7_a_caller_whose_end_nobody_reports_is_missed_within_a_minute(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The status callback is lost: the operator is not left alone for long."""
    caller, desk = await office.talk()

    async def lost(*_: object) -> None:
        return

    with monkeypatch.context() as losing:
        losing.setattr(CallService, "status", lost)
        await office.client.hang_up(caller)
        await office.client.closed(caller)
        await office.client.settled(desk)
    assert (await office.client.state(desk)).activity != "ended"
    office.stage.clock.advance(60)
    assert (await office.client.closed(desk)).activity == "ended"
    await office.becomes(office.left_for, "answered")
    await office.becomes(office.presence, "wrap_up")


async def test_a_voicemail_never_takes_a_call(office: Office) -> None:
    await office.on_duty("operatrice1", DESK)
    await office.waits()
    desk = await office.rings()
    await office.client.answer(desk)
    await office.client.settled(desk)
    await office.client.advance(desk, 60)
    state = await office.client.closed(desk)
    assert (state.activity, state.hung_up_by) == ("ended", "carrier")
    assert await office.one("SELECT state FROM reservation") in ("offered", "expired")
    assert await office.one("SELECT state FROM queue_entry") in ("waiting", "reserved")


async def test_the_next_caller_rings_another_operator_and_no_talk_hears_the_other(office: Office) -> None:
    first, desk = await office.talk()
    await office.on_duty("operatrice2", OTHER_DESK)
    second = await office.waits("+33639980002")
    other = await office.rings(OTHER_DESK)
    await office.takes(other)
    await office.becomes(lambda: office.hears(second), frozenset({other}))
    assert (await office.hears(first), await office.hears(desk)) == (frozenset({desk}), frozenset({first}))


async def test_a_caller_who_has_hung_up_is_not_offered_any_more(office: Office) -> None:
    await office.on_duty("operatrice1", DESK)
    caller = await office.waits()
    desk = await office.rings()
    await office.client.hang_up(caller)
    await office.client.closed(caller)
    await office.client.answer(desk)
    state = await office.client.closed(desk)
    assert state.activity == "ended"
    assert "n'attend plus" in " ".join(said.text for said in state.heard)
    await office.becomes(office.presence, "available")


async def test_a_caller_who_hangs_up_in_the_moment_in_which_they_are_led_is_met_by_nobody(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await office.on_duty("operatrice1", DESK)
    caller = await office.waits()
    desk = await office.rings()
    lead = CarrierLines.lead

    async def too_late(lines: CarrierLines, *given: Any) -> bool:
        await office.client.hang_up(caller)
        await office.client.closed(caller)
        return await lead(lines, *given)

    monkeypatch.setattr(CarrierLines, "lead", too_late)
    await office.takes(desk)
    state = await office.client.closed(desk)
    assert state.activity == "ended"
    assert "n'attend plus" in " ".join(said.text for said in state.heard)
    await office.becomes(office.left_for, "hung_up")
    await office.becomes(office.presence, "available")
