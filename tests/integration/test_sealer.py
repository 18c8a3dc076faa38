"""The sealer: what waits is sealed in its order, each log by itself, and a later sealer goes on where one has ended."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from callcenter.audit.ledger import Entry, EventKind, Value, note
from callcenter.audit.sealer import LogSealer, Sealed, elected
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.demo_file import demo_id
from callcenter.staff.records import NOBODY, Act, HouseLog
from callcenter.store.database import Database
from callcenter.store.schema import SEALER
from tests.conftest import ROOT, Cluster
from tests.sealing import HOUSE, Cries, State, a_key, seal_once, verified

TILLEULS = demo_id("practice", "cabinet-des-tilleuls")
ENTRY = Entry(EventKind.CALL_STARTED, {"kind": "ivr", "id": "callcenter"})


@dataclass
class Ledger:
    """A ledger, with whoever writes and seals it."""

    app: Database
    url: str
    root: str
    clock: DrivenClock
    other: UUID

    async def write(self, practice: UUID, count: int = 1, stream: UUID | None = None) -> None:
        async with self.app.practice(practice) as tx:
            for _ in range(count):
                await note(tx, ENTRY, self.clock, SystemRandom(), stream=stream)

    async def write_house(self) -> None:
        async with self.app.house() as connection:
            await HouseLog(self.clock, SystemRandom()).note(connection, Act.REFUSED, NOBODY, None, stream=HOUSE)

    async def seal(self, **kinds: int) -> None:
        assert await seal_once(self.url, a_key(), self.clock, **kinds) == []

    async def states(self) -> dict[UUID, State]:
        engine = create_async_engine(self.root)
        try:
            async with engine.connect() as root:
                return await verified(root, a_key())
        finally:
            await engine.dispose()


@pytest.fixture
def database_name(peopled_name: str) -> str:
    return peopled_name


@pytest.fixture
async def ledger(cluster: Cluster, database: Database, database_name: str, clock: DrivenClock) -> Ledger:
    url, root = (cluster.server.url(user=user, database=database_name) for user in (SEALER, ROOT))
    async with database.house() as connection:
        others = (await connection.execute(text("SELECT id FROM practice ORDER BY id"))).scalars()
        other = next(one for one in others if one != TILLEULS)
    ledger = Ledger(database, url, root, clock, other)
    await ledger.seal()  # what the demonstration has on record
    return ledger


class GivesUp(Exception):
    """Its transaction is rolled back."""


def added(before: dict[UUID, State], after: dict[UUID, State], log: UUID) -> int:
    return after[log].leaves - (before[log].leaves if log in before else 0)


async def test_each_log_is_sealed_by_itself_and_to_its_end(ledger: Ledger) -> None:
    before = await ledger.states()
    stream = uuid4()
    for _ in range(3):
        await ledger.write(TILLEULS, 2, stream)
        await ledger.write(ledger.other)
        await ledger.write_house()
    await ledger.seal()
    after = await ledger.states()
    assert [added(before, after, log) for log in (TILLEULS, ledger.other, HOUSE)] == [6, 3, 3]
    assert {state.waiting for state in after.values()} == {0}


async def test_nothing_is_signed_where_nothing_waits(ledger: Ledger) -> None:
    await ledger.write(TILLEULS)
    await ledger.seal()
    before = await ledger.states()
    ledger.clock.advance(5)
    await ledger.seal()
    assert await ledger.states() == before


async def test_of_more_than_one_round_seals_the_next_goes_on(ledger: Ledger) -> None:
    before = await ledger.states()
    await ledger.write(TILLEULS, 7)
    await ledger.seal(most=3)
    after = await ledger.states()
    assert (added(before, after, TILLEULS), after[TILLEULS].waiting) == (3, 4)
    await ledger.seal(most=3)
    await ledger.seal(most=3)
    assert (await ledger.states())[TILLEULS].waiting == 0


async def test_whoever_took_a_number_early_and_commits_late_is_sealed_late_and_not_forgotten(ledger: Ledger) -> None:
    stream = uuid4()
    before = await ledger.states()
    async with ledger.app.practice(TILLEULS) as late:
        await note(late, ENTRY, ledger.clock, SystemRandom())
        await ledger.write(TILLEULS, 2, stream)
        await ledger.seal()
        assert added(before, await ledger.states(), TILLEULS) == 2
    await ledger.write(TILLEULS, 1, stream)
    await ledger.seal()
    after = await ledger.states()
    assert (added(before, after, TILLEULS), after[TILLEULS].waiting) == (4, 0)


async def test_many_writers_at_once_of_whom_some_give_up_are_sealed_once_each(ledger: Ledger) -> None:
    """Streams that are gone on with while a sealer goes its rounds, some of whose transactions are rolled back."""
    writers, done = 6, asyncio.Event()

    async def writes(number: int) -> None:
        stream = uuid4()
        for turn in range(5):
            with suppress(GivesUp):
                async with ledger.app.practice(TILLEULS) as tx:
                    await note(tx, ENTRY, ledger.clock, SystemRandom(), stream=stream)
                    await asyncio.sleep(0)
                    if (number + turn) % 3 == 0:
                        raise GivesUp

    async def seals() -> None:
        while not done.is_set():
            await ledger.seal(most=4)

    before, sealing = await ledger.states(), asyncio.create_task(seals())
    await asyncio.gather(*(writes(number) for number in range(writers)))
    done.set()
    await sealing
    for _ in range(10):
        await ledger.seal()
    kept = sum((number + turn) % 3 != 0 for number in range(writers) for turn in range(5))
    after = await ledger.states()
    assert (added(before, after, TILLEULS), after[TILLEULS].waiting) == (kept, 0)


async def test_of_the_heads_of_an_hour_that_is_long_over_the_last_one_is_kept(ledger: Ledger) -> None:
    start = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
    sizes = []
    for minutes in (0, 20, 40, 70, 80, 130, 135):
        ledger.clock.set(start + timedelta(minutes=minutes))
        await ledger.write(TILLEULS)
        await ledger.seal()
        sizes.append((await ledger.states())[TILLEULS].leaves)
    heads = (await ledger.states())[TILLEULS].heads
    # those of ten o'clock are thinned once twelve has begun; eleven may still be pointed at by whoever anchors
    assert heads[-5:] == (sizes[2], sizes[3], sizes[4], sizes[5], sizes[6])
    assert not {sizes[0], sizes[1]} & set(heads)


async def test_one_of_two_sealers_is_elected_and_the_other_follows_when_it_ends(ledger: Ledger) -> None:
    first, second = (Database(ledger.url, pool_size=1) for _ in range(2))
    try:
        async with second.engine.connect() as waits:
            async with first.engine.connect() as seals:
                assert await elected(seals)
                assert not await elected(waits)
            await first.close()
            async with asyncio.timeout(15):  # the server notices that a session has ended when it reads from it
                while not await elected(waits):
                    await asyncio.sleep(0.01)
    finally:
        await first.close()
        await second.close()


async def test_two_sealers_that_are_both_elected_leave_a_log_that_fits(ledger: Ledger) -> None:
    """As behind a pool that shares sessions, where the lock is worth nothing: one of two transactions is undone."""
    first, second = (Database(ledger.url, pool_size=1) for _ in range(2))
    cries = Cries()
    sealers = [LogSealer(a_key(), ledger.clock, cries, 3) for _ in range(2)]
    before = await ledger.states()
    try:
        async with first.engine.connect() as one, second.engine.connect() as other:
            for _ in range(6):
                await ledger.write(TILLEULS, 4)
                await asyncio.gather(sealers[0].round(one), sealers[1].round(other))
    finally:
        await first.close()
        await second.close()
    for _ in range(10):
        await ledger.seal(most=3)
    after = await ledger.states()
    assert (added(before, after, TILLEULS), after[TILLEULS].waiting) == (24, 0)


async def test_a_log_that_is_held_or_too_slow_keeps_no_other_waiting_and_is_tried_with_half_as_much(
    ledger: Ledger,
) -> None:
    """Whoever holds one row would otherwise keep every practice from telling anything, by half a minute of patience."""
    cries = Cries()
    sealer = LogSealer(a_key(), ledger.clock, cries, 4)
    sealing, holding = (Database(url, pool_size=1) for url in (ledger.url, ledger.root))
    await ledger.write(TILLEULS)  # so that there is a row of its log to hold
    await ledger.seal()
    before, grown = await ledger.states(), []
    try:
        await ledger.write(TILLEULS, 9)  # has waited longest, and is tried first
        await ledger.write(ledger.other)
        async with sealing.engine.connect() as connection:
            async with connection.begin():
                await connection.execute(text("SET lock_timeout = '20ms'"))
            async with holding.house() as held:
                await held.execute(text("SELECT 1 FROM audit_log WHERE log_id = :log FOR UPDATE"), {"log": TILLEULS})
                for _ in range(2):
                    await sealer.round(connection)
            assert {log for log, _ in cries.heard} == {TILLEULS}
            after = await ledger.states()
            assert [added(before, after, log) for log in (TILLEULS, ledger.other)] == [0, 1]
            for _ in range(4):
                await sealer.round(connection)
                grown.append(added(before, await ledger.states(), TILLEULS))
    finally:
        await sealing.close()
        await holding.close()
    assert grown == [1, 3, 7, 9]


async def test_a_record_of_one_log_with_the_stream_of_another_keeps_neither_from_being_sealed(ledger: Ledger) -> None:
    stream, before = uuid4(), await ledger.states()
    async with ledger.app.house() as connection:
        await HouseLog(ledger.clock, SystemRandom()).note(connection, Act.REFUSED, NOBODY, None, stream=stream)
    await ledger.write(TILLEULS, 1, stream)
    await ledger.seal()
    after = await ledger.states()
    assert [added(before, after, log) for log in (TILLEULS, HOUSE)] == [1, 1]


async def test_what_nobody_has_foreseen_keeps_one_log_from_being_sealed_and_no_other(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ledger.write(TILLEULS)
    await ledger.write(ledger.other)
    sealed = LogSealer._sealed

    async def unforeseen(self: LogSealer, connection: AsyncConnection, log: UUID) -> Sealed:
        if log == TILLEULS:
            raise ValueError("max() arg is an empty sequence")
        return await sealed(self, connection, log)

    monkeypatch.setattr(LogSealer, "_sealed", unforeseen)
    ((log, why),) = await seal_once(ledger.url, a_key(), ledger.clock)
    assert (log, "ValueError" in why, "empty" in why) == (TILLEULS, True, False)
    states = await ledger.states()
    assert (states[TILLEULS].waiting, states[ledger.other].waiting) == (1, 0)


async def test_of_one_log_a_round_the_leaves_are_folded_for_the_first_time(ledger: Ledger) -> None:
    """Of another one in which an erasure waits, what stands before it is sealed, and the rest in the next round."""
    now, old = ledger.clock.now(), ledger.clock.now() - timedelta(days=800)
    logs = (TILLEULS, ledger.other)
    ledger.clock.set(old)
    for log in logs:
        await ledger.write(log)
    await ledger.seal()
    ends = {log: (await ledger.states())[log].leaves for log in logs}
    ledger.clock.set(now - timedelta(days=2))
    await ledger.write(TILLEULS)
    await ledger.seal()  # a head by which the sealer knows that time has passed
    ledger.clock.set(now)
    for log in logs:
        await ledger.write(log)
        at = ends[log] - 1
        async with ledger.app.practice(log) as tx:
            content: dict[str, Value] = {"cause": "retention", "class": "operation", "erases": [[at, at]]}
            await note(tx, Entry(EventKind.ERASURE, ENTRY.actor, None, content), ledger.clock, SystemRandom())
    cries, database = Cries(), Database(ledger.url, pool_size=1)
    sealer = LogSealer(a_key(), ledger.clock, cries)
    try:
        async with database.engine.connect() as connection:
            assert (await sealer.round(connection), sealer.more) == (3, True)
            assert (await sealer.round(connection), sealer.more) == (1, False)
    finally:
        await database.close()
    assert cries.heard == []
    assert [(await ledger.states())[log].waiting for log in logs] == [0, 0]
