"""A quiet shift stays signed in: whoever is on duty at a page, without a call for a long while; and nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
from argon2.profiles import CHEAPEST

from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SystemRandom, new_id
from callcenter.routing.presence import move
from callcenter.routing.values import Limits, PresenceState, Way
from callcenter.settings import ConsoleSettings
from callcenter.staff.room import StaffLimits
from callcenter.staff.sessions import SessionLimits
from callcenter.staff.values import Role
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer
from tests.integration.consoles import BY, Console, opened_console

#: Of pages that look by themselves.
LOOKS = 60


@pytest.fixture
async def console(database: Database, sealer: Sealer, clock: DrivenClock) -> AsyncIterator[Console]:
    limits = StaffLimits(sessions=StaffLimits.of(ConsoleSettings()).sessions, parameters=CHEAPEST)
    async with opened_console(database, sealer, clock, limits) as console:
        yield console


@pytest.fixture
async def operator(console: Console) -> UUID:
    """Somebody at their workplace, available, who answers for every practice."""
    await console.joined()
    (account,) = await console.room.administration.all()
    portfolio = await console.room.portfolios.create(account.organisation, "Tous les cabinets", BY, whole=True)
    await console.room.administration.grant(account, Role.OPERATOR, portfolio, BY)
    await console.guest.get("/poste")
    assert (await console.guest.post("/poste/presence", etat="available")).location == "/poste"
    return account.id


async def is_in(console: Console, minutes: float) -> bool:
    """Whether the page still shows something after so long in which it looked, and nobody touched it."""
    for _ in range(round(minutes * 60 / LOOKS)):
        console.clock.advance(LOOKS)
        look = await console.guest.get("/poste/etat?present=0")
        if look.status != 200:
            assert look.location == "/connexion?fin=1"
            return False
    return True


def test_a_page_is_gone_for_the_queue_before_its_session_is() -> None:
    assert Limits().unseen < SessionLimits().off_duty


@pytest.mark.parametrize("idle", [1, 15, 60])
def test_on_duty_is_three_times_as_long_as_idle(idle: int) -> None:
    limits = StaffLimits.of(ConsoleSettings(idle_minutes=idle)).sessions
    assert (limits.idle, limits.on_duty) == (timedelta(minutes=idle), timedelta(minutes=3 * idle))


async def test_whoever_is_on_duty_without_a_call_stays_signed_in(console: Console, operator: UUID) -> None:
    assert await is_in(console, 43)
    assert (await console.guest.get("/compte")).status == 200


async def test_before_the_end_they_are_asked_and_stay_if_they_answer(console: Console, operator: UUID) -> None:
    assert await is_in(console, 43)
    assert "Toujours là ?" not in (await console.guest.get("/poste/etat?present=0")).words
    assert await is_in(console, 1)
    asked = await console.guest.get("/poste/etat?present=0")
    assert "Sans un geste de votre part, votre session se termine dans 1:00" in asked.words
    there = await console.guest.post("/poste/toujours-la", partie="1")
    assert (there.status, "Toujours là ?" in there.words) == (200, False)
    assert await is_in(console, 44)
    assert not await is_in(console, 1)


async def test_a_hand_at_the_page_is_an_answer_too(console: Console, operator: UUID) -> None:
    assert await is_in(console, 44)
    assert "Toujours là ?" not in (await console.guest.get("/poste/etat?present=1")).words
    assert await is_in(console, 44)


@pytest.mark.parametrize("state", ["break", "lunch", "training", "admin", "offline"])
async def test_a_pause_is_idle(console: Console, operator: UUID, state: str) -> None:
    await console.guest.post("/poste/presence", etat=state)
    assert await is_in(console, 14)
    assert not await is_in(console, 1)


async def test_who_is_paused_because_calls_rang_in_vain_is_out(console: Console, operator: UUID) -> None:
    assert await is_in(console, 30)
    async with console.database.house() as connection:  # as ``routing.reservations`` does after offers that were missed
        assert await move(connection, operator, PresenceState.BREAK, console.clock.now())
    assert not await is_in(console, 2)


async def test_at_a_telephone_calls_ring_without_the_page(console: Console, operator: UUID) -> None:
    async with console.database.house() as connection:
        await move(connection, operator, PresenceState.BREAK, console.clock.now())
        await move(connection, operator, PresenceState.AVAILABLE, console.clock.now(), way=Way.TELEPHONE)
    assert not await is_in(console, 15)


async def test_a_page_that_is_closed_is_idle(console: Console, operator: UUID) -> None:
    assert await is_in(console, 20)
    console.clock.advance(89)
    assert (await console.guest.get("/poste/etat?present=0")).status == 200
    console.clock.advance(91)
    assert (await console.guest.get("/poste")).status == 303


async def test_twelve_hours_are_the_end_whatever_is_done(console: Console, operator: UUID) -> None:
    for _ in range(17):
        console.clock.advance(40 * 60)
        async with console.database.house() as connection:
            await console.room.sessions.on_duty(connection, console.guest.cookies["__Host-callcenter"])
        last = await console.guest.get("/poste")
        assert last.status == 200
    console.clock.advance(40 * 60)
    assert (await console.guest.get("/poste")).status == 303


async def test_of_two_places_the_one_where_somebody_was_last_is_kept(console: Console, operator: UUID) -> None:
    async with console.another() as elsewhere:
        await console.sign_in(guest=elsewhere)
        await elsewhere.get("/poste")
        assert not await is_in(console, 15)
        assert (await elsewhere.get("/poste/etat?present=0")).status == 303  # it has not looked by itself meanwhile


async def test_a_session_of_nobody_is_not_on_duty(console: Console) -> None:
    async with console.database.house() as connection:
        await console.room.sessions.on_duty(connection, str(new_id(SystemRandom())))
