"""Reserving: which call, which operator, and what it costs."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from callcenter.kernel.randomness import SeededRandom
from callcenter.routing import reserving
from callcenter.routing.reserving import Reserving
from callcenter.routing.rules import Rule, choose_rule
from callcenter.routing.values import LeftReason, PresenceState, Priority, Strategy
from callcenter.routing.waking import CHANNEL
from callcenter.staff.values import day_of
from callcenter.store.database import Database
from tests.bench.crowd import WAITING, crowd, operator
from tests.integration.routing.floor import Floor

_HUNG_UP = LeftReason.HUNG_UP


async def test_who_came_first_is_offered_first(floor: Floor, practice: UUID) -> None:
    calls = []
    for _ in range(3):
        calls.append(await floor.waits(practice))
        floor.clock.advance(1)
    await floor.waits(practice)
    for call in calls:
        operator = await floor.operator(practice)
        assert await floor.offers() == [(call, operator)]


async def test_priority_comes_before_place(floor: Floor, practice: UUID) -> None:
    calls = {}
    for priority in (Priority.ORDINARY, Priority.OVERFLOW, Priority.RELAY, Priority.PROFESSIONAL):
        calls[priority] = await floor.waits(practice, priority=priority)
        floor.clock.advance(1)
    for priority in sorted(Priority):
        operator = await floor.operator(practice)
        assert await floor.offers() == [(calls[priority], operator)]


async def test_a_call_that_nobody_there_can_take_blocks_none_behind_it(floor: Floor, practice: UUID) -> None:
    await floor.waits(await floor.practice(), priority=Priority.PROFESSIONAL)
    await floor.waits(practice, language="en")
    call = await floor.waits(practice)
    operator = await floor.operator(practice)
    assert await floor.offers() == [(call, operator)]


async def test_a_call_goes_to_who_speaks_its_language_and_answers_for_its_practice(
    floor: Floor, practice: UUID
) -> None:
    other = await floor.practice()
    await floor.operator(practice)
    await floor.operator(other, languages=("fr", "en"))
    await floor.operator(practice, languages=("fr", "en"), role="supervisor")
    call = await floor.waits(practice, language="en")
    assert await floor.offers() == []
    assert await floor.offers() == []
    assert await floor.broken() == {}
    fits = await floor.operator(practice, languages=("de", "en"))
    assert await floor.offers() == [(call, fits)]


async def test_a_whole_portfolio_holds_practices_that_come_later(floor: Floor) -> None:
    operator = await floor.operator()
    call = await floor.waits(await floor.practice())
    assert await floor.offers() == [(call, operator)]


async def test_no_operator_of_another_organisation_is_offered_a_call(floor: Floor, practice: UUID) -> None:
    other = Floor(floor.database, floor.clock, SeededRandom(2))
    await other.open()
    await other.operator()
    await floor.waits(practice)
    assert await floor.offers() == []


@pytest.mark.parametrize(
    "gone", ["locked_at = :now", "closed_at = :now", "expires_on = :yesterday", "secrecy_signed_on = NULL"]
)
async def test_who_may_not_sign_in_any_more_is_offered_nothing(floor: Floor, practice: UUID, gone: str) -> None:
    operator = await floor.operator(practice)
    await floor.waits(practice)
    values = {"now": floor.clock.now(), "yesterday": day_of(floor.clock.now()) - timedelta(days=1)}
    used = {name: value for name, value in values.items() if f":{name}" in gone}
    await floor.run(f"UPDATE staff_account SET {gone}", **used)
    assert await floor.offers() == []
    if "closed_at" in gone:  # for good
        return
    open_again = "locked_at = NULL, expires_on = NULL, secrecy_signed_on = :yesterday"
    await floor.run(f"UPDATE staff_account SET {open_again}", yesterday=values["yesterday"])
    assert [staff for _, staff in await floor.offers()] == [operator]


async def test_the_last_day_of_an_account_is_a_day_of_work(floor: Floor, practice: UUID) -> None:
    operator = await floor.operator(practice)
    call = await floor.waits(practice)
    await floor.run("UPDATE staff_account SET expires_on = :day", day=day_of(floor.clock.now()))
    assert await floor.offers() == [(call, operator)]


async def test_who_is_idle_longest_is_offered_a_call_first(floor: Floor, practice: UUID) -> None:
    first = await floor.operator(practice)
    floor.clock.advance(5)
    second = await floor.operator(practice)
    for expected in (first, second):
        call = await floor.waits(practice)
        assert await floor.offers() == [(call, expected)]


async def test_in_turn_each_is_offered_a_call_whoever_is_idle_longest(floor: Floor, practice: UUID) -> None:
    await _strategy(floor, Strategy.ROUND_ROBIN)
    operators = []
    for _ in range(3):
        operators.append(await floor.operator(practice))
        floor.clock.advance(1)
    offered = []
    for _ in range(6):
        floor.clock.advance(1)
        call = await floor.waits(practice)
        offer = await floor.one_offer()
        offered.append(offer.staff)
        await floor.do(floor.queue.leave, call, _HUNG_UP)  # they are idle as long as before
    assert offered == operators * 2


async def test_who_has_had_fewest_calls_today_is_offered_a_call_first(floor: Floor, practice: UUID) -> None:
    await _strategy(floor, Strategy.FEWEST_CALLS)
    busy = await floor.operator(practice)
    for _ in range(2):
        await floor.waits(practice)
        talk = await floor.talk()
        await floor.do(floor.reservations.over, talk.id, busy)
    floor.clock.advance(60)
    fresh = await floor.operator(practice)
    call = await floor.waits(practice)
    assert await floor.offers() == [(call, fresh)]
    await floor.do(floor.queue.leave, call, _HUNG_UP)
    floor.clock.advance(24 * 3600)  # yesterday's calls count no more
    for one in (busy, fresh):
        await floor.sees(one)
    call = await floor.waits(practice)
    assert [staff for _, staff in await floor.offers()] == [busy]


async def test_a_page_that_was_not_seen_is_offered_nothing_even_before_anybody_sweeps(
    floor: Floor, practice: UUID
) -> None:
    operator = await floor.operator(practice)
    call = await floor.waits(practice)
    floor.clock.advance(floor.limits.unseen.total_seconds())
    assert await floor.offers() == []
    await floor.sees(operator)
    assert await floor.offers() == [(call, operator)]


async def test_who_refused_a_call_comes_after_others_for_a_while(floor: Floor, practice: UUID) -> None:
    first = await floor.operator(practice)
    call = await floor.waits(practice)
    offer = await floor.one_offer()
    assert await floor.do(floor.reservations.refuse, offer.id, first)
    behind = await floor.waits(practice)
    assert await floor.offers() == [(behind, first)], "the refused call does not block the one behind it"
    second = await floor.operator(practice)
    assert await floor.offers() == [(call, second)]


async def test_a_call_that_the_only_operator_refused_comes_back_to_them(floor: Floor, practice: UUID) -> None:
    operator = await floor.operator(practice)
    call = await floor.waits(practice)
    offer = await floor.one_offer()
    await floor.do(floor.reservations.refuse, offer.id, operator)
    floor.clock.advance(floor.limits.passed_over.total_seconds())
    assert await floor.offers() == [(call, operator)]


async def test_a_lock_that_somebody_holds_keeps_nobody_waiting(floor: Floor, practice: UUID) -> None:
    """A worker that has stopped in the middle: others go round the call and the operator that it holds."""
    floor.clock.advance(1)
    held_operator = await floor.operator(practice)
    held_call = await floor.waits(practice)
    floor.clock.advance(1)
    operator, call = await floor.operator(practice), await floor.waits(practice)
    async with floor.database.house() as stuck:
        await stuck.execute(text("SELECT FROM queue_entry WHERE call_id = :id FOR UPDATE"), {"id": held_call})
        await stuck.execute(text("SELECT FROM presence WHERE staff_id = :id FOR UPDATE"), {"id": held_operator})
        # Who waited for a lock would be told, by the database, that it is not to be had.
        assert await floor.offers() == [(call, operator)]
    assert await floor.offers() == [(held_call, held_operator)]


async def test_a_worker_that_stopped_in_its_turn_keeps_nobody_waiting(floor: Floor, practice: UUID) -> None:
    operator, call = await floor.operator(practice), await floor.waits(practice)
    async with floor.database.house() as stuck:
        await stuck.execute(reserving._TURN, {"turn": reserving.TURN, "patience": "0"})
        assert await floor.offers() == [(call, operator)]


async def test_two_workers_at_once_share_out_all_calls(floor: Floor, practice: UUID) -> None:
    calls = {await floor.waits(practice) for _ in range(12)}
    operators = {await floor.operator(practice) for _ in range(12)}
    other = Reserving(floor.database, SeededRandom(3), floor.limits)
    now = floor.clock.now()
    made = [one for each in await asyncio.gather(floor.reserving.reserve(now), other.reserve(now)) for one in each]
    assert {one.call for one in made} == calls
    assert {one.staff for one in made} == operators
    assert len(made) == 12
    assert await floor.broken() == {}


async def test_what_is_offered_says_what_the_ring_card_shows(floor: Floor, practice: UUID) -> None:
    since = floor.clock.now()
    await floor.waits(practice)
    floor.clock.advance(7)
    operator = await floor.operator(practice)
    offer = await floor.one_offer()
    assert (offer.waiting_since, offer.offers, offer.practice) == (since, 1, practice)
    assert offer.ends_at - offer.made_at == floor.limits.offer
    async with floor.database.house() as connection:
        assert await floor.reservations.of(connection, operator) == offer
    assert await floor.state(operator) is PresenceState.RESERVED


# --- the plan


@pytest.fixture
async def crowded(routing_root: Database, floor: Floor) -> Floor:
    """1,000 practices, 50 operators on a call and 20 free who answer for others than the 200 that wait."""
    async with routing_root.house() as connection:
        await crowd(connection, floor.clock.now())
    async with routing_root.engine.connect() as connection:
        await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(text("VACUUM ANALYZE"))
    return floor


async def test_with_200_waiting_whom_nobody_can_take_it_reads_no_large_table_to_its_end(
    crowded: Floor,
) -> None:
    waiting = await crowded.run("SELECT count(*) FROM queue_entry WHERE state = 'waiting'")
    assert waiting[0][0] == WAITING
    plan = await _plan(crowded)
    for table in ("queue_entry", "call", "reservation"):
        assert f"Seq Scan on {table} " not in plan, plan
    pages = int(plan.partition("Buffers: shared hit=")[2].split()[0])
    assert pages < WAITING, f"{pages} pages: those who wait and those who are free are read once each"
    assert await crowded.offers() == []
    await crowded.run(f"UPDATE presence SET state = 'available' WHERE staff_id = {operator(50)}")
    assert len(await crowded.offers()) == 1


async def _plan(floor: Floor) -> str:
    statement = reserving._RESERVE.text
    values = {
        "id": floor.organisation,
        "now": floor.clock.now(),
        "ends": floor.clock.now() + timedelta(seconds=20),
        "seen": floor.clock.now() - timedelta(seconds=20),
        "passed": floor.clock.now(),
        "today": day_of(floor.clock.now()),
        "channel": CHANNEL,
    }
    async with floor.database.house() as connection:
        rows = await connection.execute(text(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {statement}"), values)
        return "\n".join(row[0] for row in rows)


async def _strategy(floor: Floor, strategy: Strategy) -> None:
    async with floor.database.house() as connection:
        await choose_rule(connection, floor.organisation, Rule(strategy, 0))
