"""Two workers, 200 callers and 20 operators who do what people do, and workers whose connections are cut in the middle.

What must hold is asked of the database: no call is held for two, none is lost, none is stuck, each goes in its order.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from callcenter.kernel.errors import Unavailable
from callcenter.kernel.randomness import SeededRandom
from callcenter.routing.presence import move, seen
from callcenter.routing.queue import Arrival
from callcenter.routing.reservations import Accepted
from callcenter.routing.reserving import Reserving
from callcenter.routing.rules import Rule, choose_rule
from callcenter.routing.sweeping import Sweeping
from callcenter.routing.values import (
    EntryKind,
    LeftReason,
    Limits,
    PresenceState,
    Priority,
    Reservation,
    ReservationState,
    Strategy,
)
from callcenter.store.database import Database
from callcenter.store.schema import APP
from tests.conftest import Cluster
from tests.integration.routing.conftest import NAME
from tests.integration.routing.floor import Floor
from tests.soaking import seeds

SEEDS = seeds(3)
CALLERS, OPERATORS, PRACTICES = 200, 20, 12
#: Seconds of the driven clock between two rounds; rounds in which callers come, in which anybody does anything, in all.
ROUND, COMING, WILD, LAST = 6, 8, 14, 60

LIMITS = Limits(callback_again=timedelta(seconds=30))


class _Lost(Exception):
    """The worker to which somebody spoke was killed; they load the page again, or the carrier asks again."""


@dataclass
class Worker:
    """One process, as far as the database can tell."""

    name: str
    database: Database
    reserving: Reserving
    sweeping: Sweeping

    async def do(self, act: Callable[..., Awaitable[Any]], *args: object) -> Any:
        try:
            async with self.database.house() as connection:
                return await act(connection, *args)
        except (Unavailable, DBAPIError) as error:
            raise _Lost from error


@dataclass
class Storm:
    """Everything that happens in one run.

    Arguments:
        chance: of people.
        stopped: operators whose page is gone, until which round.
        rung: how often the caller of a call was rung back.
    """

    floor: Floor
    workers: tuple[Worker, Worker]
    root: Database
    chance: random.Random
    calls: list[UUID] = field(default_factory=list)
    practices: list[UUID] = field(default_factory=list)
    operators: list[UUID] = field(default_factory=list)
    stopped: dict[UUID, int] = field(default_factory=dict)
    rung: Counter[UUID] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    round: int = 0

    @property
    def wild(self) -> bool:
        return self.round < WILD

    def likely(self, percent: int) -> bool:
        return self.chance.randrange(100) < percent

    async def ask(self, act: Callable[..., Awaitable[Any]], *args: object) -> Any:
        """Ask any worker, and another when that one dies."""
        for _ in range(60):
            try:
                return await self.chance.choice(self.workers).do(act, *args, self.floor.clock.now())
            except _Lost:
                self.done["asked again"] += 1
                await asyncio.sleep(0.01)
        raise AssertionError("no worker answers")

    # --- callers

    async def comes(self, practice: UUID) -> None:
        floor = self.floor
        call = await floor.call(practice)
        self.calls.append(call)
        language = "en" if self.likely(10) else "fr"
        priority = self.chance.choice([Priority.ORDINARY] * 6 + [Priority.OVERFLOW, Priority.PROFESSIONAL])
        arrival = Arrival(call, practice, language, priority)
        await self.ask(floor.queue.enter, arrival)
        if self.likely(20):  # the carrier repeats its webhook
            await self.ask(floor.queue.enter, arrival)

    async def waits(self, call: UUID) -> None:
        """A caller loses patience, one way or another."""
        queue, fate = self.floor.queue, self.chance.randrange(100)
        if fate < 3:
            await asyncio.gather(
                self.ask(queue.leave, call, LeftReason.HUNG_UP), self.ask(queue.leave, call, LeftReason.HUNG_UP)
            )
            await self.floor.ends(call)
        elif fate < 5:
            await self.floor.ends(call)  # and the webhook that says so never comes
        elif fate < 8:
            await self.ask(queue.ask_callback, call)
        elif fate < 9:
            await self.ask(queue.leave, call, LeftReason.MESSAGE)

    # --- operators

    async def works(self, staff: UUID) -> None:
        if self.stopped.get(staff, 0) > self.round:
            return
        state = await self.ask(self._seen, staff)
        match state:
            case PresenceState.RESERVED | PresenceState.ON_CALL:
                for _ in range(1 if self.wild and self.likely(60) else 3):
                    offer = await self.ask(self._offer_of, staff)
                    if offer is not None:
                        await self._answers(offer)
            case PresenceState.AVAILABLE if self.wild and self.likely(4):
                await self.ask(self._move, staff, PresenceState.BREAK)
            case PresenceState.OFFLINE | PresenceState.BREAK if self.likely(60):
                await self.ask(self._move, staff, PresenceState.AVAILABLE)

    async def _answers(self, offer: Reservation) -> None:
        reservations, fate = self.floor.reservations, self.chance.randrange(100) if self.wild else 0
        match offer.state:
            case ReservationState.OFFERED if fate < 60:
                clicks = 3 if self.likely(30) else 1
                answers = await asyncio.gather(
                    *[self.ask(reservations.accept, offer.id, offer.staff) for _ in range(clicks)]
                )
                first = [one for one in answers if isinstance(one, Accepted) and not one.again]
                assert len(first) <= 1
                if first and first[0].kind is EntryKind.CALLBACK:
                    self.rung[offer.call] += 1
            case ReservationState.OFFERED if fate < 72:
                await self.ask(reservations.refuse, offer.id, offer.staff)
            case ReservationState.OFFERED if fate < 78:
                self.stopped[offer.staff] = self.round + self.chance.randrange(5, 25)
            case ReservationState.ACCEPTED if fate < 70:
                act = reservations.connected
                if offer.kind is EntryKind.CALLBACK and self.likely(40):
                    act = reservations.unreached
                await self.ask(act, offer.id, offer.staff)
            case ReservationState.ACCEPTED if fate < 80:
                await self.ask(reservations.dropped, offer.id, offer.staff)
            case ReservationState.CONNECTED if fate < 40:
                await asyncio.gather(
                    self.ask(reservations.over, offer.id, offer.staff),
                    self.ask(self.floor.queue.leave, offer.call, LeftReason.HUNG_UP),
                )
                await self.floor.ends(offer.call)
            case ReservationState.CONNECTED if fate < 44:
                await self.ask(reservations.dropped, offer.id, offer.staff)

    @staticmethod
    async def _seen(connection: Any, staff: UUID, now: Any) -> PresenceState:
        return await seen(connection, staff, now)

    @staticmethod
    async def _move(connection: Any, staff: UUID, to: PresenceState, now: Any) -> bool:
        return await move(connection, staff, to, now)

    async def _offer_of(self, connection: Any, staff: UUID, _now: Any) -> Reservation | None:
        return await self.floor.reservations.of(connection, staff)

    # --- workers

    async def distributes(self, worker: Worker) -> None:
        """Sweeping and reserving, beside whatever people do."""
        try:
            await worker.sweeping.sweep(self.floor.clock.now())
            await worker.reserving.reserve(self.floor.clock.now())
        except (Unavailable, DBAPIError):
            self.done["worker died"] += 1

    async def kills(self) -> None:
        """One worker's connections end, each between any two statements."""
        await asyncio.sleep(self.chance.random() / 50)
        async with self.root.house() as connection:
            await connection.execute(_KILL, {"name": self.chance.choice(self.workers).name})

    # --- a round

    async def plays(self) -> None:
        """Everybody at once; then, with nobody moving, the workers distribute, in order."""
        self.floor.clock.advance(ROUND)
        self.round += 1
        acts = [self.works(staff) for staff in self.operators]
        acts += [self.distributes(worker) for worker in self.workers]
        if self.wild:
            acts += [self.waits(call) for call in await self._waiting()]
        if self.round <= COMING:
            acts += [self.comes(self.chance.choice(self.practices)) for _ in range(-(-CALLERS // COMING))]
        if self.wild and self.likely(25):
            acts.append(self.kills())
        self.chance.shuffle(acts)
        await asyncio.gather(*acts)
        await asyncio.gather(*[worker.sweeping.sweep(self.floor.clock.now()) for worker in self.workers])
        before = await self._number()
        await asyncio.gather(*[worker.reserving.reserve(self.floor.clock.now()) for worker in self.workers])
        assert await self._overtaken(before) == []
        if self.round % 6 == 0:
            assert await self.floor.broken() == {}

    async def _waiting(self) -> list[UUID]:
        rows = await self.floor.run("SELECT call_id FROM queue_entry WHERE state IN ('waiting', 'reserved')")
        return [row.call_id for row in rows]

    async def _number(self) -> int:
        return (await self.floor.run("SELECT coalesce(max(number), 0) FROM reservation"))[0][0]

    async def _overtaken(self, before: int) -> list[Any]:
        """Calls that still wait although one behind them was given to somebody who could have taken them."""
        now = self.floor.clock.now()
        values = {"before": before, "now": now, "passed": now - self.floor.limits.passed_over}
        return list(await self.floor.run(_OVERTAKEN, **values))

    async def stuck(self) -> list[Any]:
        return list(await self.floor.run("SELECT call_id, state, kind FROM queue_entry WHERE state <> 'left'"))


_KILL = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE application_name = :name AND datname = current_database()"
)
_OVERTAKEN = """
    SELECT w.call_id, r.call_id FROM queue_entry w
    JOIN reservation r ON r.number > :before JOIN queue_entry e ON e.call_id = r.call_id
    JOIN staff_account a ON a.id = r.staff_id
    JOIN staff_role s ON s.staff_id = r.staff_id
    JOIN portfolio_practice o ON o.portfolio_id = s.portfolio_id AND o.practice_id = w.practice_id
    WHERE w.state = 'waiting' AND (w.not_before IS NULL OR w.not_before <= :now) AND w.language = ANY(a.languages)
        AND (w.priority, w.place, w.number) < (e.priority, e.place, e.number)
        AND (w.passed_by IS DISTINCT FROM r.staff_id OR w.passed_at <= :passed)
"""


@pytest.fixture
async def workers(cluster: Cluster, floor: Floor) -> AsyncIterator[tuple[Worker, Worker]]:
    made = []
    for number in (1, 2):
        name = f"worker-{number}"
        database = Database(cluster.server.url(user=APP, database=NAME), pool_size=6, application=name)
        reserving = Reserving(database, SeededRandom(number), LIMITS)
        made.append(Worker(name, database, reserving, Sweeping(database, LIMITS)))
    yield made[0], made[1]
    for worker in made:
        await worker.database.close()


@pytest.mark.parametrize("seed", SEEDS)
async def test_in_a_storm_no_call_is_held_for_two_none_is_lost_and_none_is_stuck(
    floor: Floor, workers: tuple[Worker, Worker], routing_root: Database, seed: int
) -> None:
    print(f"seed {seed}")
    chance = random.Random(seed)
    floor = Floor(floor.database, floor.clock, floor.chance, LIMITS, floor.organisation)
    storm = Storm(floor, workers, routing_root, chance)
    async with floor.database.house() as connection:
        rule = Rule(chance.choice(list(Strategy)), chance.choice([0, 5]))
        await choose_rule(connection, floor.organisation, rule)
    storm.practices = [await floor.practice() for _ in range(PRACTICES)]
    for number in range(OPERATORS):
        portfolio = [one for place, one in enumerate(storm.practices) if (place + number) % 3]
        languages = ["fr", "en"] if number % 2 else ["fr"]
        storm.operators.append(await floor.operator(*portfolio, languages=languages))
    while storm.round < COMING or (await storm.stuck() and storm.round < LAST):
        await storm.plays()
    assert await storm.stuck() == [], f"after {LAST} rounds"
    assert await floor.broken() == {}
    assert len(storm.calls) >= CALLERS
    entered = await floor.run("SELECT count(*) FROM queue_entry")
    assert entered[0][0] == len(storm.calls), "none was lost"
    most = max(storm.rung.values(), default=0)
    assert most <= floor.limits.callback_attempts
    assert [staff for staff in storm.operators if await floor.state(staff) in (_RESERVED, _ON_CALL)] == []
    told = await floor.run("SELECT kind, count(*) FROM routing_event GROUP BY kind")
    happened = {row[0] for row in told}
    assert happened >= _ALL, "every kind of event took place"
    assert storm.done["asked again"], "workers were killed while they were asked"


_RESERVED, _ON_CALL = PresenceState.RESERVED, PresenceState.ON_CALL
_ALL = {"entered", "offered", "accepted", "refused", "missed", "withdrawn", "connected", "returned", "callback", "over"}
