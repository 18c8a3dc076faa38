"""Routing with 200 waiting and 1,000 practices: reservations a second beside the statement by hand; ring to offer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from statistics import median, quantiles
from typing import Any
from uuid import uuid4

import asyncpg
from sqlalchemy import make_url, text
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.ext.asyncio import create_async_engine

from callcenter.installation import DATABASE
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.randomness import SystemRandom
from callcenter.routing.distributing import Distributor
from callcenter.routing.queue import Arrival, Queue
from callcenter.routing.reserving import _RESERVE, Reserving
from callcenter.routing.values import LeftReason
from callcenter.routing.waking import CHANNEL, About, Listener, Subscription, Waking
from callcenter.staff.values import day_of
from callcenter.store.database import Database
from callcenter.store.embedded import SUPERUSER
from callcenter.store.roles import create_database
from tests.bench.crowd import FREE, crowd, operator
from tests.bench.ground import Ground
from tests.bench.holding import LIMITS, Held, measure_holding

NAME = "callcenter_routing_bench"
#: Calls whose time from ring to offer is taken, a round.
RINGS = 30


@dataclass(frozen=True, slots=True)
class Measured:
    """One round.

    Arguments:
        product, by_hand: reservations a second.
        offers: seconds from a call's entering to the notice at its operator's page, with 200 waiting.
    """

    product: float
    by_hand: float
    offers: tuple[float, ...]

    def fields(self) -> dict[str, object]:
        """As they are kept."""
        return {
            "reservations_per_second": round(self.product, 1),
            "by_hand_per_second": round(self.by_hand, 1),
            "ring_to_offer_ms": [round(one * 1000, 2) for one in self.offers],
        }


def table(rounds: Sequence[Measured]) -> Iterator[str]:
    """What is printed: medians of the rounds."""
    product, by_hand = median(one.product for one in rounds), median(one.by_hand for one in rounds)
    share = median(one.product / one.by_hand for one in rounds)
    offers = [seconds * 1000 for one in rounds for seconds in one.offers]
    hundredths = quantiles(offers, n=100)
    yield "routing: 1,000 practices, 200 waiting"
    yield f"reservations/s       {product:>7.0f}   by hand {by_hand:>7.0f}   callcenter is {share:.0%}"
    yield f"ring to offer, ms    p50 {hundredths[49]:.1f}   p99 {hundredths[98]:.1f}"
    yield ("by hand: the same statement by asyncpg, prepared, one transaction each, fsync on; no turn is taken")


async def measure_routing(made: Ground, rounds: int) -> tuple[list[Measured], list[Held]]:
    """All rounds, on databases of their own; and how many may wait while the order holds, in the last."""
    measured = []
    held: list[Held] = []
    for _ in range(rounds):
        async with _crowded(made) as (app, root):
            offers = await _rings(app, root)
            async with root.house() as connection:  # those come who can take who waits
                await connection.execute(text("UPDATE presence SET state = 'available' WHERE state = 'on_call'"))
            await _by_hand(app, root)  # the first statements of a database take longer: not kept
            product = await _reservations(app, root)
            by_hand = await _by_hand(app, root)
            if len(measured) == rounds - 1:
                held = await measure_holding(app, root)
        measured.append(Measured(product, by_hand, tuple(offers)))
    return measured, held


@asynccontextmanager
async def _crowded(made: Ground) -> AsyncIterator[tuple[str, Database]]:
    """URL of a database with the crowd, as the app role, and the same as the superuser."""
    app = make_url(made.addresses.app)
    administer = create_async_engine(app.set(username=SUPERUSER, database="postgres"), isolation_level="AUTOCOMMIT")
    async with administer.connect() as connection:
        await create_database(connection, NAME, template=DATABASE)
    root = Database(app.set(username=SUPERUSER, database=NAME).render_as_string(hide_password=False), pool_size=1)
    try:
        async with root.house() as connection:
            await crowd(connection, SystemClock().now())
        async with root.engine.connect() as connection:
            await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(text("VACUUM ANALYZE"))
        yield app.set(database=NAME).render_as_string(hide_password=False), root
    finally:
        await root.close()
        async with administer.connect() as connection:
            await connection.execute(text(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)"))
        await administer.dispose()


#: Everybody is free again, and whoever was offered waits: not timed.
_AGAIN = (
    "UPDATE reservation SET state = 'withdrawn', ended_at = made_at WHERE ended_at IS NULL",
    "UPDATE queue_entry SET state = 'waiting' WHERE state = 'reserved'",
    "UPDATE presence SET state = 'available' WHERE state = 'reserved'",
)


async def _again(root: Database) -> None:
    async with root.house() as connection:
        for statement in _AGAIN:
            await connection.execute(text(statement))


async def _paced(root: Database, reserve: Callable[[], Coroutine[Any, Any, bool]]) -> float:
    """Reservations a second, once statements are prepared."""
    spent, made = 0.0, 0
    for warm in (False, True, True):
        await _again(root)
        began = time.perf_counter()
        for _ in range(FREE):
            assert await reserve(), "somebody waits whom somebody can take"
        if warm:
            spent, made = spent + time.perf_counter() - began, made + FREE
    return made / spent


async def _reservations(app: str, root: Database) -> float:
    database = Database(app, pool_size=1, application="callcenter-bench")
    reserving, clock = Reserving(database, SystemRandom(), LIMITS), SystemClock()

    async def reserve() -> bool:
        return await reserving.reserve_one(clock.now()) is not None

    try:
        return await _paced(root, reserve)
    finally:
        await database.close()


async def _by_hand(app: str, root: Database) -> float:
    url, compiled = make_url(app), _RESERVE.compile(dialect=dialect())
    names = list(compiled.positiontup or ())
    connection = await asyncpg.connect(
        host=url.query["host"], port=int(str(url.query["port"])), user=url.username, database=url.database
    )
    try:
        statement = await connection.prepare(str(compiled))

        async def reserve() -> bool:
            values = _values(SystemClock().now())
            async with connection.transaction():
                return await statement.fetchrow(*[values[name] for name in names]) is not None

        return await _paced(root, reserve)
    finally:
        await connection.close()


def _values(now: datetime) -> dict[str, object]:
    return {
        "id": uuid4(),
        "now": now,
        "ends": now + LIMITS.offer,
        "seen": now - LIMITS.unseen,
        "passed": now - LIMITS.passed_over,
        "today": day_of(now),
        "channel": CHANNEL,
    }


async def _rings(app: str, root: Database) -> list[float]:
    """A call that one free operator can take enters, 200 others wait whom nobody free can; it is offered and leaves."""
    database = Database(app, pool_size=4, application="callcenter-bench")
    clock, queue, listener = SystemClock(), Queue(LIMITS), Listener(app)
    held = "portfolio_practice o JOIN staff_role r USING (portfolio_id)"
    query = f"SELECT r.staff_id, o.practice_id FROM {held} WHERE r.staff_id = {operator(1)} LIMIT 1"
    try:
        async with root.house() as connection:
            staff, practice = (await connection.execute(text(query))).one()
        async with listener.running():
            await listener.listening()
            distributor = Distributor(database, clock, SystemRandom(), listener, LIMITS)
            working = asyncio.create_task(distributor.run())
            spent = []
            with listener.subscribed() as news:
                for number in range(RINGS + 5):
                    call = uuid4()
                    async with database.house() as connection:
                        await connection.execute(_CALL, {"id": call, "practice": practice, "sid": f"CA{call.hex}"})
                    began = time.perf_counter()
                    async with database.house() as connection:
                        await queue.enter(connection, Arrival(call, practice), clock.now())
                    await _heard(news, Waking(About.STAFF, staff))
                    if number >= 5:  # before that, statements are prepared
                        spent.append(time.perf_counter() - began)
                    async with database.house() as connection:
                        await queue.leave(connection, call, LeftReason.HUNG_UP, clock.now())
                    await _heard(news, Waking(About.STAFF, staff))
            working.cancel()
            await asyncio.wait([working])
        return spent
    finally:
        await database.close()


_CALL = text(
    "INSERT INTO call (id, practice_id, carrier_sid, status, started_at) VALUES (:id, :practice, :sid, 3, now())"
)


async def _heard(news: Subscription, waking: Waking) -> None:
    async with asyncio.timeout(30):
        while waking not in await news.wait(30):
            pass
