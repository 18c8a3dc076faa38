"""What an operator sees of their own work: calls that are not closed, and their day, on the database."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from callcenter.app.own_work import today, unfinished
from callcenter.app.workplaces import StaffWorkplaces
from callcenter.console.workplace_ports import Doing, Today
from callcenter.routing.rules import Rule, choose_rule
from callcenter.routing.values import PresenceState, Reservation
from callcenter.store.keys import Keyring
from callcenter.store.sealed import Sealer
from tests.integration.routing.floor import Floor
from tests.integration.routing.test_workplaces import PASSES, Rooms

BEGIN = """
    INSERT INTO script (id, practice_id, call_id, staff_id, document, begun_at)
    SELECT r.id, e.practice_id, r.call_id, r.staff_id, 1, r.connected_at
    FROM reservation r JOIN queue_entry e ON e.call_id = r.call_id WHERE r.id = :id
"""
CLOSE = "UPDATE script SET disposition = 'information', ended_at = :now WHERE id = :id"


class Work:
    """An operator at work at one practice."""

    def __init__(self, floor: Floor, practice: UUID, staff: UUID) -> None:
        self.floor, self.practice, self.staff = floor, practice, staff

    async def of_the_practice(self, statement: str, **values: Any) -> None:
        async with self.floor.database.practice(self.practice) as tx:
            await tx.connection.execute(text(statement), values)

    async def talks(self, seconds: int, *, script: bool = True, wraps_up: int = 5) -> Reservation:
        """A talk of so long, from its script's beginning to the end of wrapping up."""
        await self.floor.waits(self.practice)
        talk = await self.floor.talk()
        if script:
            await self.of_the_practice(BEGIN, id=talk.id)
        self.floor.clock.advance(seconds)
        assert await self.floor.do(self.floor.reservations.over, talk.id, self.staff)
        self.floor.clock.advance(wraps_up)
        assert await self.floor.moves(self.staff, PresenceState.AVAILABLE)
        return talk

    async def closes(self, talk: Reservation) -> None:
        await self.of_the_practice(CLOSE, id=talk.id, now=self.floor.clock.now())

    async def open(self) -> list[UUID]:
        async with self.floor.database.house() as connection:
            return [one.id for one in await unfinished(connection, self.staff, self.floor.clock.now())]

    async def day(self) -> Today:
        async with self.floor.database.house() as connection:
            return await today(connection, self.staff, self.floor.clock.now())


@pytest.fixture
async def work(floor: Floor, practice: UUID) -> Work:
    async with floor.database.house() as connection:
        await choose_rule(connection, floor.organisation, Rule(wrap_up_seconds=120))
    return Work(floor, practice, await floor.operator(practice))


async def test_a_call_is_open_from_its_end_until_it_is_closed_the_last_first(work: Work) -> None:
    await work.floor.waits(work.practice)
    assert await work.open() == []
    first = await work.talks(60)
    second = await work.talks(60)
    assert await work.open() == [second.id, first.id]
    await work.closes(second)
    assert await work.open() == [first.id]
    work.floor.clock.advance(timedelta(minutes=31).total_seconds())
    assert await work.open() == []


async def test_what_nobody_has_begun_a_script_for_keeps_nobody(work: Work) -> None:
    """At a telephone, without the page."""
    await work.talks(60, script=False)
    assert await work.open() == []


async def test_p5_whoever_answers_for_the_practice_no_more_has_nothing_to_close_there(work: Work) -> None:
    talk = await work.talks(60)
    assert await work.open() == [talk.id]
    await work.floor.run("DELETE FROM staff_role WHERE staff_id = :staff", staff=work.staff)
    assert await work.open() == []


async def test_a_colleagues_calls_are_a_colleagues(work: Work) -> None:
    await work.talks(60)
    colleague = Work(work.floor, work.practice, await work.floor.operator(work.practice))
    assert await colleague.open() == []
    assert await colleague.day() == Today(0, None)


async def test_the_day_counts_calls_and_the_time_of_talking_and_wrapping_up(work: Work) -> None:
    assert await work.day() == Today(0, None)
    await work.talks(60, wraps_up=10)
    await work.talks(120, wraps_up=30)
    assert await work.day() == Today(2, timedelta(seconds=110))
    work.floor.clock.advance(timedelta(days=1).total_seconds())
    assert await work.day() == Today(0, None)


async def test_nobody_is_available_by_their_own_will_before_their_calls_are_closed(work: Work) -> None:
    floor = work.floor
    sealer = Sealer(Keyring("k1", {"k1": b"s" * 32}, b"i" * 32), floor.chance)
    nothing = SimpleNamespace()
    places = StaffWorkplaces(
        Rooms(floor),  # type: ignore[arg-type]
        floor.database,
        sealer,
        floor.clock,
        floor.reservations,
        nothing,  # type: ignore[arg-type]
        nothing,  # type: ignore[arg-type]
        PASSES,
    )
    talk = await work.talks(60)
    await floor.moves(work.staff, PresenceState.BREAK)
    assert not await places.move(str(work.staff), Doing.AVAILABLE)
    assert await places.move(str(work.staff), Doing.LUNCH)  # a pause waits for nothing
    place = await places.look(str(work.staff))
    assert [one.id for one in place.unfinished] == [talk.id]
    assert place.scripted == talk.id
    await work.closes(talk)
    assert await places.move(str(work.staff), Doing.AVAILABLE)
    assert await places.move(str(work.staff), Doing.AVAILABLE)  # a click that came twice
