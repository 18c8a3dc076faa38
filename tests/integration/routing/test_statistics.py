"""Figures of a day, against a count by hand: nothing counted twice, nothing averaged, no hour lost in March."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import median
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from callcenter.routing import statistics as measured
from callcenter.routing.callbacks import RungBack, take_over
from callcenter.routing.queue import Arrival
from callcenter.routing.statistics import Marks, Queue, Queued, Span, Statistics, day_began, statistics, who_is_there
from callcenter.routing.values import LeftReason, PresenceState
from tests.integration.routing.floor import Floor

SECOND = timedelta(seconds=1)
MARKS = Marks(short=5 * SECOND, within=20 * SECOND, late=1800 * SECOND)


async def looked(floor: Floor, *practices: UUID, at: datetime | None = None) -> Statistics:
    async with floor.database.house() as connection:
        return await statistics(connection, floor.organisation, practices, at or floor.clock.now(), MARKS)


async def test_an_empty_day_has_no_rates(floor: Floor, practice: UUID) -> None:
    found = await looked(floor, practice)
    assert found == Statistics(Queue(), {})
    day = found.total.day
    assert (day.service_level, day.answer_rate, day.abandonment_rate, day.speed_of_answer) == (None,) * 4


async def test_each_way_out_of_the_queue_is_counted_once(floor: Floor, practice: UUID) -> None:
    async def after(seconds: float, reason: LeftReason | None) -> UUID:
        call = await floor.waits(practice)
        floor.clock.advance(seconds)
        if reason is not None:
            await floor.do(floor.queue.leave, call, reason)
        return call

    await after(3, LeftReason.HUNG_UP)
    await after(5, LeftReason.HUNG_UP)
    await after(90, LeftReason.HUNG_UP)
    await after(61, LeftReason.MESSAGE)
    await after(0, LeftReason.NOBODY)
    asked = await after(40, None)
    await floor.do(floor.queue.ask_callback, asked)
    still = await after(10, None)
    day = (await looked(floor, practice)).total.day
    assert (day.offered, day.answered, day.abandoned, day.short) == (7, 0, 3, 1)
    assert (day.callbacks, day.elsewhere, day.waiting) == (1, 2, 1)
    assert day.longest == timedelta(seconds=90)
    assert day.abandonment_rate == pytest.approx(3 / 6), "of whoever waits still nobody knows"
    assert still


async def test_whoever_loses_the_operator_and_waits_again_was_answered_once(floor: Floor, practice: UUID) -> None:
    await floor.operator(practice)
    await floor.waits(practice)
    floor.clock.advance(20)
    talk = await floor.talk()
    floor.clock.advance(60)
    await floor.do(floor.reservations.dropped, talk.id, talk.staff)
    floor.clock.advance(45)
    await floor.moves(talk.staff, PresenceState.AVAILABLE)
    await floor.sees(talk.staff)
    again = await floor.talk()
    await floor.do(floor.reservations.over, again.id, again.staff)
    day = (await looked(floor, practice)).total.day
    assert (day.offered, day.answered, day.within, day.waiting) == (1, 1, 1, 0)
    assert (day.speed_of_answer, day.service_level) == (timedelta(seconds=20), 1.0)


async def test_a_caller_whom_we_rang_back_was_presented_once(floor: Floor, practice: UUID) -> None:
    await floor.operator(practice)
    call = await floor.waits(practice)
    await floor.do(floor.queue.ask_callback, call)
    offer = await floor.one_offer()
    await floor.do(floor.reservations.accept, offer.id, offer.staff)
    rung = await floor.call(practice)
    async with floor.database.house() as connection:
        await take_over(connection, rung, RungBack(call, offer.id, None), floor.clock.now())
    await floor.do(floor.reservations.connected, offer.id, offer.staff)
    await floor.do(floor.reservations.over, offer.id, offer.staff)
    day = (await looked(floor, practice)).total.day
    assert (day.offered, day.answered, day.callbacks) == (1, 0, 1)


async def test_callbacks_are_overdue_half_an_hour_after_they_could_have_been_made(floor: Floor, practice: UUID) -> None:
    now = floor.clock.now()
    for wait in (None, timedelta(hours=2)):
        call = await floor.waits(practice)
        await floor.do(floor.queue.ask_callback, call, not_before=None if wait is None else now + wait)
    floor.clock.advance(29 * 60)
    assert (await looked(floor, practice)).total.now == Queued(0, None, 2, 0)
    floor.clock.advance(60)
    assert (await looked(floor, practice)).total.now.overdue == 1
    floor.clock.advance(2 * 3600)
    assert (await looked(floor, practice)).total.now.overdue == 2


async def _a_day(
    floor: Floor, practices: list[UUID], operator: UUID, began: datetime, hours: int
) -> list[dict[str, Any]]:
    """Calls at random as the queue itself writes them down, and what became of each as we have seen it."""
    chance, seen = Random(11), []
    for minute in range(0, hours * 60, 9):
        floor.clock.set(began + timedelta(minutes=minute, seconds=chance.randrange(60)))
        practice, wait = chance.choice(practices), chance.choice((2, 4, 5, 19, 20, 21, 80, 200)) + chance.random()
        call, came = await floor.call(practice), floor.clock.now()
        fate = chance.choice(("answered", "answered", "hung_up", "message", "callback", "waits"))
        # Who waits on speaks what nobody does, and so is in nobody's way.
        await floor.do(floor.queue.enter, Arrival(call, practice, "fr" if fate == "answered" else "de"))
        floor.clock.advance(wait)
        match fate:
            case "answered":
                await floor.sees(operator)
                offer = await floor.one_offer()
                await floor.do(floor.reservations.accept, offer.id, offer.staff)
                await floor.do(floor.reservations.connected, offer.id, offer.staff)
                await floor.do(floor.reservations.over, offer.id, offer.staff)
            case "callback":
                await floor.do(floor.queue.ask_callback, call)
            case "hung_up" | "message":
                await floor.do(floor.queue.leave, call, LeftReason(fate))
        waited = (floor.clock.now() - came) // timedelta(milliseconds=1) / 1000
        seen.append({"practice": practice, "came": came, "fate": fate, "waited": waited})
    return seen


def _by_hand(calls: list[dict[str, Any]]) -> Span:
    fates = defaultdict(list)
    for call in calls:
        fates[call["fate"]].append(call["waited"])
    answered, over = fates["answered"], [w for fate, waits in fates.items() if fate != "waits" for w in waits]
    return Span(
        len(calls),
        len(answered),
        sum(wait <= 20 for wait in answered),
        len(fates["hung_up"]),
        sum(wait < 5 for wait in fates["hung_up"]),
        len(fates["callback"]),
        len(fates["message"]),
        sum((timedelta(milliseconds=round(wait * 1000)) for wait in answered), timedelta()),
        timedelta(seconds=max(over)) if over else None,
        timedelta(seconds=median(answered)) if answered else None,
    )


def _without_most(span: Span) -> Span:
    return replace(span, most=None)


#: Days whose local midnight, and hours, are 23 and 25 apart.
DAYS = {
    "an ordinary one": (datetime(2026, 11, 26, tzinfo=UTC) - timedelta(hours=1), 24),
    "clocks go forward": (datetime(2027, 3, 28, tzinfo=UTC) - timedelta(hours=1), 23),
    "clocks go back": (datetime(2027, 10, 31, tzinfo=UTC) - timedelta(hours=2), 25),
}


@pytest.mark.parametrize("day", DAYS)
async def test_a_generated_day_is_counted_as_by_hand(floor: Floor, day: str) -> None:
    began, hours = DAYS[day]
    practices = [await floor.practice() for _ in range(3)]
    hidden = await floor.practice()
    floor.clock.set(began - timedelta(minutes=30))
    before = await floor.waits(practices[0])
    await floor.do(floor.queue.leave, before, LeftReason.HUNG_UP)
    await floor.waits(hidden)
    calls = await _a_day(floor, practices, await floor.operator(*practices), began, hours)
    now = began + timedelta(hours=hours) - SECOND
    assert day_began(now) == began
    found = await looked(floor, *practices, at=now)
    assert hidden not in found.practices
    for span, since in (("day", began), ("hour", now - timedelta(hours=1))):
        mine = [call for call in calls if since <= call["came"] <= now]
        total = getattr(found.total, span)
        assert _without_most(total) == _by_hand(mine)
        assert total.offered >= total.answered + total.abandoned
        assert total.answered >= total.within
        assert total.waiting == sum(call["fate"] == "waits" for call in mine)
        of_each = [getattr(found.practices[one], span) for one in practices if one in found.practices]
        assert sum(one.offered for one in of_each) == total.offered
        for practice in practices:
            own = [call for call in mine if call["practice"] == practice]
            assert _without_most(getattr(found.practices[practice], span)) == _by_hand(own)
    rates = [found.practices[one].day.service_level for one in practices]
    assert None not in rates
    average = sum(rate for rate in rates if rate is not None) / len(rates)
    assert found.total.day.service_level != pytest.approx(average), "a total that is an average of percentages"
    assert len(calls) > 100


async def test_whoever_answers_for_a_practice_is_named_with_what_they_do_and_nothing_else(floor: Floor) -> None:
    practice, other = await floor.practice(), await floor.practice()
    mine, elsewhere = await floor.operator(practice), await floor.operator(other)
    await floor.operator(practice, available=False)
    await floor.moves(mine, PresenceState.LUNCH)
    await floor.run("UPDATE staff_account SET display_name = 'Elle' WHERE id = :id", id=mine)
    async with floor.database.house() as connection:
        found = await who_is_there(connection, floor.organisation, [practice])
    assert [(one.name, one.state) for one in found] == [("Elle", PresenceState.LUNCH)]
    assert found[0].__slots__ == ("name", "state")
    assert elsewhere


async def test_the_calls_of_a_day_are_found_by_their_index(floor: Floor, practice: UUID) -> None:
    await floor.waits(practice)
    async with floor.database.house() as connection:
        await connection.execute(text("SET LOCAL enable_seqscan = off"))
        now = floor.clock.now()
        values = {
            "organisation": floor.organisation,
            "practices": [practice],
            "now": now,
            "day": day_began(now),
            "hour": now - timedelta(hours=1),
            "short": 5000,
            "within": 20000,
        }
        plan = (await connection.execute(text("EXPLAIN " + measured._SPANS.text), values)).scalars().all()
    assert any("ix_routing_event_entered" in line or "ix_routing_event_practice_id_at" in line for line in plan), plan
