"""What the queue knows is erased when its time is over: whole calls, nothing that goes on, nothing before its time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from callcenter.calls.upkeep import Upkeep
from callcenter.kernel.clock import SystemClock
from callcenter.routing import old_calls
from callcenter.routing.old_calls import OldCalls
from callcenter.routing.values import LeftReason, PresenceState
from callcenter.store.database import Database
from tests.integration.routing.floor import Floor

KEPT = timedelta(days=92)


async def passes(root: Database, days: int) -> None:
    """As if it had all been so many days before, for the database too; the server can say no such thing."""
    moved = {
        "queue_entry": ("place", "entered_at", "noted_at", "answered_at", "left_at"),
        "routing_event": ("at",),
        "callback": ("asked_at",),
        "callback_ring": ("rung_at",),
    }
    async with root.house() as connection:
        for table, columns in moved.items():
            earlier = ", ".join(f"{column} = {column} - cast(:ago AS interval)" for column in columns)
            await connection.execute(text(f"UPDATE {table} SET {earlier}"), {"ago": timedelta(days=days)})


async def counts(root: Database, *tables: str) -> list[int]:
    async with root.house() as connection:
        return [(await connection.execute(text(f"SELECT count(*) FROM {one}"))).scalar_one() for one in tables]


async def answered(floor: Floor, practice: UUID) -> UUID:
    """A call that somebody has answered, on hold for a while with a third, and that is over."""
    call = await floor.waits(practice)
    talk = await floor.talk()
    await floor.run("INSERT INTO talk (reservation_id, room, seat) VALUES (:id, :id, 'operator')", id=talk.id)
    await floor.run(
        "INSERT INTO talk_party (id, reservation_id, state, private, made_at, ends_at, ended_at) "
        "VALUES (:id, :id, 'missed', true, now(), now() + interval '1 minute', now())",
        id=talk.id,
    )
    assert await floor.do(floor.reservations.over, talk.id, talk.staff)
    return call


async def called_back(floor: Floor, practice: UUID, call: UUID, reservation: UUID, number: bytes | None) -> None:
    async with floor.database.practice(practice) as tx:
        values = {"call": call, "practice": practice, "number": number, "reservation": reservation}
        asked = "INSERT INTO callback VALUES (:call, :practice, :number, sha256('line'), now())"
        await tx.connection.execute(text(asked), values)
        rung = (
            "INSERT INTO callback_ring (reservation_id, practice_id, call_id, operator_leg, token_hash, rung_at) "
            "VALUES (:reservation, :practice, :call, 'CA' || repeat('0', 32), sha256('token'), now())"
        )
        await tx.connection.execute(text(rung), values)


TABLES = ("queue_entry", "reservation", "talk", "talk_party", "callback", "callback_ring", "routing_event")


async def test_what_is_past_its_time_goes_whole_and_nothing_else(
    floor: Floor, practice: UUID, routing_root: Database
) -> None:
    floor.clock.set(datetime.now(UTC))
    await floor.operator(practice)
    old = await answered(floor, practice)
    await called_back(floor, practice, old, old, b"sealed")
    still_there = await floor.waits(practice)  # for a hundred days: something is wrong with it, and it is not hidden
    before = await counts(routing_root, *TABLES)
    assert before == [2, 1, 1, 1, 1, 1, before[-1]]
    await passes(routing_root, 100)
    young = await floor.waits(practice)
    assert await floor.do(floor.queue.leave, young, LeftReason.HUNG_UP)
    erasing = OldCalls(floor.database, floor.clock, KEPT)
    assert await erasing.erase() == 1 + 2  # the call, and that its operator came and was available again
    assert await counts(routing_root, *TABLES[:-1]) == [2, 0, 0, 0, 0, 0]
    left = await floor.run("SELECT DISTINCT call_id FROM routing_event WHERE call_id IS NOT NULL")
    assert {row.call_id for row in left} == {still_there, young}
    assert await erasing.erase() == 0
    assert await floor.broken() == {}


@pytest.mark.parametrize(("days", "gone"), [(91, 0), (93, 1)])
async def test_a_call_stays_for_as_long_as_is_set(
    floor: Floor, practice: UUID, routing_root: Database, days: int, gone: int
) -> None:
    floor.clock.set(datetime.now(UTC))
    call = await floor.waits(practice)
    assert await floor.do(floor.queue.leave, call, LeftReason.HUNG_UP)
    await passes(routing_root, days)
    assert await OldCalls(floor.database, floor.clock, KEPT).erase() == gone


async def test_a_month_stays_whatever_the_server_asks_for(floor: Floor, practice: UUID, routing_root: Database) -> None:
    floor.clock.set(datetime.now(UTC))
    staff = await floor.operator(practice)
    await floor.moves(staff, PresenceState.BREAK)
    call = await floor.waits(practice)
    assert await floor.do(floor.queue.leave, call, LeftReason.HUNG_UP)
    greedy = OldCalls(floor.database, floor.clock, timedelta(days=-1000))
    await passes(routing_root, 30)
    assert await greedy.erase() == 0
    await passes(routing_root, 2)
    assert await greedy.erase() == 1 + 2


async def test_one_run_is_bounded_and_the_next_goes_on(
    floor: Floor, practice: UUID, routing_root: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(old_calls, "AT_ONCE", 2)
    monkeypatch.setattr(old_calls, "MOST_ROUNDS", 2)
    floor.clock.set(datetime.now(UTC))
    for _ in range(5):
        assert await floor.do(floor.queue.leave, await floor.waits(practice), LeftReason.HUNG_UP)
    await passes(routing_root, 100)
    erasing = OldCalls(floor.database, floor.clock, KEPT)
    assert [await erasing.erase() for _ in range(3)] == [4, 1, 0]


@pytest.mark.parametrize(
    ("hours", "number", "left", "gone"),
    [(26, None, True, 1), (23, None, True, 0), (26, b"sealed", True, 0), (26, None, False, 0)],
    ids=["over", "counts towards a day", "nobody was told", "goes on"],
)
async def test_a_callback_is_forgotten_once_it_counts_no_more(
    floor: Floor, practice: UUID, routing_root: Database, hours: int, number: bytes | None, left: bool, gone: int
) -> None:
    floor.clock.set(datetime.now(UTC) - timedelta(hours=hours))
    call = await floor.waits(practice)
    await called_back(floor, practice, call, call, number)
    if left:
        assert await floor.do(floor.queue.leave, call, LeftReason.HUNG_UP)
    async with routing_root.house() as connection:
        await connection.execute(text("UPDATE callback SET asked_at = :at"), {"at": floor.clock.now()})
    upkeep = Upkeep(floor.database, SystemClock(), None, None)  # type: ignore[arg-type]  # neither is asked
    assert await upkeep.forget() == gone
    assert await counts(routing_root, "callback", "callback_ring") == [1 - gone, 1 - gone]
