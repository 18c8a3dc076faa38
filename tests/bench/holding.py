"""How many may wait while priorities and strategy still hold: reservations a second, each compared with its place.

Who must be offered which call is worked out here from the rows, by going through both lists in order; it shares nothing
with the statement that is measured.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from callcenter.kernel.clock import SystemClock
from callcenter.kernel.randomness import SystemRandom
from callcenter.routing.reserving import Reserving
from callcenter.routing.rules import Rule, choose_rule
from callcenter.routing.values import Limits, Strategy
from callcenter.staff.values import day_of
from callcenter.store.database import Database
from tests.bench.command import Failed

#: Callers who wait at once; the largest télésecrétariats have some hundred operators.
SIZES = (200, 1_000, 4_000)
#: Reservations for each size and strategy.
OFFERS = 20
#: Nobody's page is gone for as long as a bench takes.
LIMITS = Limits(unseen=timedelta(days=1), passed_over=timedelta(0))


@dataclass(frozen=True, slots=True)
class Held:
    """One size under one strategy, every offer in its order.

    Arguments:
        per_second: reservations.
    """

    waiting: int
    strategy: Strategy
    per_second: float

    def fields(self) -> dict[str, object]:
        """As they are kept."""
        return {
            "waiting": self.waiting,
            "strategy": self.strategy.value,
            "offers_in_order": OFFERS,
            "reservations_per_second": round(self.per_second, 1),
        }


def held_table(measured: Sequence[Held]) -> Iterator[str]:
    """What is printed."""
    yield f"reservations/s, {OFFERS} offers each, every one to whom and in the order that it must be"
    yield f"{'waiting':<12}" + "".join(f"{strategy.value:>16}" for strategy in Strategy)
    for size in SIZES:
        row = {one.strategy: one.per_second for one in measured if one.waiting == size}
        yield f"{size:<12,}" + "".join(f"{row[strategy]:>16.0f}" for strategy in Strategy)


async def measure_holding(app: str, root: Database) -> list[Held]:
    """Let more and more wait, with mixed priorities, for operators who are all free.

    Arguments:
        app: URL of a database with the crowd in it, as the app role.
        root: the same, as the superuser.

    Raises:
        Failed: a call was offered out of its order, or to another than the strategy names.
    """
    database = Database(app, pool_size=1, application="callcenter-bench")
    try:
        return [await _held(database, root, size, strategy) for size in SIZES for strategy in Strategy]
    finally:
        await database.close()


async def _held(database: Database, root: Database, size: int, strategy: Strategy) -> Held:
    clock = SystemClock()
    async with root.house() as connection:
        for statement in _WAIT:
            used = {"size": size, "today": day_of(clock.now())}
            await connection.execute(text(statement), {k: v for k, v in used.items() if f":{k}" in statement})
        organisation = (await connection.execute(text("SELECT id FROM organisation"))).scalars().all()
        for one in organisation:
            await choose_rule(connection, one, Rule(strategy))
        must_be = await _in_order(connection, strategy)
    reserving, offered = Reserving(database, SystemRandom(), LIMITS), []
    await reserving.reserve_one(clock.now())  # prepares the statement
    began = time.perf_counter()
    for _ in range(OFFERS):
        made = await reserving.reserve_one(clock.now())
        offered.append(None if made is None else (made.call, made.staff))
    spent = time.perf_counter() - began
    if offered != must_be[1 : OFFERS + 1]:
        raise Failed(f"{size} waiting, {strategy.value}: offered {offered}, not {must_be[1 : OFFERS + 1]}")
    return Held(size, strategy, OFFERS / spent)


async def _in_order(connection: Any, strategy: Strategy) -> list[tuple[UUID, UUID]]:
    """Who is offered which call, one after another: each caller in turn, to the first who is free for that practice."""
    answers: dict[UUID, set[UUID]] = defaultdict(set)
    for practice, staff in (await connection.execute(text(_ANSWERS))).all():
        answers[practice].add(staff)
    callers = (await connection.execute(text("SELECT * FROM queue_entry WHERE state = 'waiting'"))).all()
    people = (await connection.execute(text("SELECT * FROM presence WHERE state = 'available'"))).all()
    chosen_by = {
        Strategy.LONGEST_IDLE: lambda one: 0,
        Strategy.ROUND_ROBIN: lambda one: one.turn,
        Strategy.FEWEST_CALLS: lambda one: one.calls,
    }[strategy]
    free = [one.staff_id for one in sorted(people, key=lambda one: (chosen_by(one), one.idle_since, one.staff_id))]
    pairs = []
    for caller in sorted(callers, key=lambda one: (one.priority, one.place, one.number)):
        takes = next((staff for staff in free if staff in answers[caller.practice_id]), None)
        if takes is not None:
            free.remove(takes)
            pairs.append((caller.call_id, takes))
    return pairs


_ANSWERS = "SELECT practice_id, staff_id FROM portfolio_practice JOIN staff_role USING (portfolio_id)"
#: Everybody is free, and so many wait, as they came, with every priority among them.
_WAIT = (
    "UPDATE reservation SET state = 'withdrawn', ended_at = made_at WHERE ended_at IS NULL",
    "UPDATE presence SET state = 'available', "
    "idle_since = seen_at - (hashtext(staff_id::text) % 900) * interval '1 s', "
    "turn = abs(hashtext('t' || staff_id)) % 1000, calls = abs(hashtext('c' || staff_id)) % 50, calls_on = :today",
    "UPDATE queue_entry SET state = 'left', left_at = entered_at, left_reason = 'hung_up' WHERE state <> 'left'",
    "UPDATE queue_entry SET state = 'waiting', left_at = NULL, left_reason = NULL, priority = abs(hashtext("
    "'p' || call_id)) % 4, place = entered_at - abs(hashtext(call_id::text)) % 600 * interval '1 s' "
    "WHERE call_id IN (SELECT call_id FROM queue_entry ORDER BY number LIMIT :size)",
    "ANALYZE queue_entry",
)
