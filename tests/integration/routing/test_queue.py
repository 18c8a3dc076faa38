"""The queue: entering, leaving, keeping one's place, being rung back, and what is told to who waits."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from callcenter.routing.queue import Arrival, Departed, Entered, UnknownCall
from callcenter.routing.values import EntryKind, EntryState, LeftReason, PresenceState, Priority
from callcenter.routing.waits import WaitRange, wait_range
from tests.integration.routing.floor import Floor

MARK = "5a" * 32


async def test_a_call_enters_once_however_often_it_is_asked(floor: Floor, practice: UUID) -> None:
    arrival = Arrival(await floor.call(practice), practice)
    first, second = await asyncio.gather(*[floor.do(floor.queue.enter, arrival) for _ in range(2)])
    assert {first, second} == {Entered.NEW, Entered.THERE}
    floor.clock.advance(5)
    assert await floor.do(floor.queue.enter, arrival) is Entered.THERE
    assert (await floor.entry(arrival.call)).entered_at == floor.clock.now() - timedelta(seconds=5)
    assert await floor.events(arrival.call) == ["entered"]


async def test_a_call_of_another_practice_or_none_is_not_let_in(floor: Floor, practice: UUID) -> None:
    call = await floor.call(await floor.practice())
    for unknown in (call, uuid4()):
        with pytest.raises(UnknownCall):
            await floor.do(floor.queue.enter, Arrival(unknown, practice))


async def test_a_call_that_has_ended_does_not_enter(floor: Floor, practice: UUID) -> None:
    call = await floor.call(practice)
    await floor.ends(call)
    assert await floor.do(floor.queue.enter, Arrival(call, practice)) is Entered.ENDED
    waiting = await floor.waits(practice)
    await floor.do(floor.queue.leave, waiting, LeftReason.HUNG_UP)
    assert await floor.do(floor.queue.enter, Arrival(waiting, practice)) is Entered.ENDED


async def test_a_caller_who_left_a_message_may_wait_after_all_behind_the_others(floor: Floor, practice: UUID) -> None:
    call = await floor.waits(practice)
    await floor.do(floor.queue.leave, call, LeftReason.MESSAGE)
    floor.clock.advance(10)
    other = await floor.waits(practice)
    floor.clock.advance(10)
    assert await floor.do(floor.queue.enter, Arrival(call, practice)) is Entered.NEW
    operators = [await floor.operator(practice), await floor.operator(practice)]
    offered = await floor.offers()
    assert [one for one, _ in offered] == [other, call]
    assert {staff for _, staff in offered} == set(operators)
    assert await floor.broken() == {}


async def test_who_leaves_unanswered_is_written_down_with_the_wait(floor: Floor, practice: UUID) -> None:
    call = await floor.waits(practice)
    floor.clock.advance(12.5)
    assert await floor.do(floor.queue.leave, call, LeftReason.HUNG_UP) == Departed(None, spoke=False)
    assert await floor.do(floor.queue.leave, call, LeftReason.HUNG_UP) is None
    (event,) = await floor.run("SELECT * FROM routing_event WHERE kind = 'left'")
    assert (event.detail, event.waited, event.practice_id) == ("hung_up", 12_500, practice)


async def test_a_caller_who_hangs_up_while_it_rings_frees_the_operator_as_long_idle_as_before(
    floor: Floor, practice: UUID
) -> None:
    operator = await floor.operator(practice)
    idle_since = (await floor.present(operator)).idle_since
    floor.clock.advance(20)
    call = await floor.waits(practice)
    offer = await floor.one_offer()
    assert await floor.do(floor.queue.leave, call, LeftReason.HUNG_UP) == Departed(operator, spoke=False)
    present = await floor.present(operator)
    assert (present.state, present.idle_since) == (PresenceState.AVAILABLE, idle_since)
    assert not await floor.do(floor.reservations.refuse, offer.id, operator)
    assert await floor.broken() == {}


# --- a line that was cut


async def test_a_caller_whose_line_was_cut_has_the_place_again_within_two_minutes(floor: Floor, practice: UUID) -> None:
    cut = await floor.waits(practice, caller_mark=MARK)
    floor.clock.advance(60)
    await floor.waits(practice)
    await floor.do(floor.queue.leave, cut, LeftReason.HUNG_UP)
    floor.clock.advance(119)
    again = await floor.call(practice)
    assert await floor.do(floor.queue.enter, Arrival(again, practice, caller_mark=MARK)) is Entered.AGAIN
    operator = await floor.operator(practice)
    assert await floor.offers() == [(again, operator)]


async def test_a_place_is_given_once_and_not_for_ever(floor: Floor, practice: UUID) -> None:
    cut = await floor.waits(practice, caller_mark=MARK)
    await floor.do(floor.queue.leave, cut, LeftReason.HUNG_UP)
    entered = [
        await floor.do(floor.queue.enter, Arrival(await floor.call(practice), practice, caller_mark=MARK))
        for _ in range(2)
    ]
    assert entered == [Entered.AGAIN, Entered.NEW]
    late = await floor.waits(practice, caller_mark="6b" * 32)
    await floor.do(floor.queue.leave, late, LeftReason.HUNG_UP)
    floor.clock.advance(121)
    arrival = Arrival(await floor.call(practice), practice, caller_mark="6b" * 32)
    assert await floor.do(floor.queue.enter, arrival) is Entered.NEW


@pytest.mark.parametrize("reason", [LeftReason.MESSAGE, LeftReason.CLOSED, LeftReason.OVERFLOW])
async def test_who_left_for_something_else_has_no_place_to_come_back_to(
    floor: Floor, practice: UUID, reason: LeftReason
) -> None:
    call = await floor.waits(practice, caller_mark=MARK)
    await floor.do(floor.queue.leave, call, reason)
    assert (await floor.entry(call)).caller_mark is None
    arrival = Arrival(await floor.call(practice), practice, caller_mark=MARK)
    assert await floor.do(floor.queue.enter, arrival) is Entered.NEW


async def test_a_place_is_of_one_practice(floor: Floor, practice: UUID) -> None:
    cut = await floor.waits(practice, caller_mark=MARK)
    await floor.do(floor.queue.leave, cut, LeftReason.HUNG_UP)
    other = await floor.practice()
    arrival = Arrival(await floor.call(other), other, caller_mark=MARK)
    assert await floor.do(floor.queue.enter, arrival) is Entered.NEW


async def test_the_hash_of_a_number_is_kept_two_minutes_longer_than_the_call_waits(
    floor: Floor, practice: UUID
) -> None:
    call = await floor.waits(practice, caller_mark=MARK)
    await floor.do(floor.queue.leave, call, LeftReason.HUNG_UP)
    floor.clock.advance(119)
    await floor.sweeping.sweep(floor.clock.now())
    assert (await floor.entry(call)).caller_mark == MARK
    floor.clock.advance(2)
    await floor.sweeping.sweep(floor.clock.now())
    assert (await floor.entry(call)).caller_mark is None


# --- callbacks


async def test_a_callback_keeps_the_place_and_survives_that_its_caller_hangs_up(floor: Floor, practice: UUID) -> None:
    call = await floor.waits(practice)
    floor.clock.advance(30)
    await floor.waits(practice)
    assert await floor.do(floor.queue.ask_callback, call)
    assert await floor.do(floor.queue.ask_callback, call), "asked twice, it is one"
    assert await floor.do(floor.queue.leave, call, LeftReason.HUNG_UP) is None
    await floor.ends(call)
    await floor.sweeping.sweep(floor.clock.now())
    operator = await floor.operator(practice)
    offer = await floor.one_offer()
    assert (offer.call, offer.staff, offer.kind) == (call, operator, EntryKind.CALLBACK)
    assert await floor.events(call) == ["entered", "callback", "offered"]


async def test_a_callback_that_is_asked_for_while_it_rings_takes_the_offer_back(floor: Floor, practice: UUID) -> None:
    operator = await floor.operator(practice)
    call = await floor.waits(practice)
    offer = await floor.one_offer()
    assert await floor.do(floor.queue.ask_callback, call)
    assert await floor.state(operator) is PresenceState.AVAILABLE
    assert not await floor.do(floor.reservations.refuse, offer.id, operator)
    assert (await floor.one_offer()).kind is EntryKind.CALLBACK


async def test_who_has_been_taken_is_not_rung_back(floor: Floor, practice: UUID) -> None:
    operator = await floor.operator(practice)
    call = await floor.waits(practice)
    offer = await floor.one_offer()
    await floor.do(floor.reservations.accept, offer.id, operator)
    assert not await floor.do(floor.queue.ask_callback, call)
    assert not await floor.do(floor.queue.ask_callback, await floor.call(practice))


async def test_a_callback_waits_for_the_hour_from_which_the_practice_is_answered(floor: Floor, practice: UUID) -> None:
    call = await floor.waits(practice)
    opening = floor.clock.now() + timedelta(hours=2)
    await floor.do(floor.queue.ask_callback, call, not_before=opening)
    operator = await floor.operator(practice)
    behind = await floor.waits(practice)
    assert await floor.offers() == [(behind, operator)]
    floor.clock.set(opening)
    second = await floor.operator(practice)
    assert await floor.offers() == [(call, second)]


# --- closing and overflow


async def test_closing_lets_everybody_go_who_waits_on_the_line(floor: Floor, practice: UUID) -> None:
    first = await floor.operator(practice)
    taken = await floor.waits(practice)
    await floor.talk()
    floor.clock.advance(1)
    second = await floor.operator(practice)
    rings = await floor.waits(practice)
    await floor.one_offer()
    waits, rung_back = await floor.waits(practice), await floor.waits(practice)
    await floor.do(floor.queue.ask_callback, rung_back)
    elsewhere = await floor.waits(await floor.practice())
    assert set(await floor.do(floor.queue.close, practice)) == {rings, waits}
    assert await floor.do(floor.queue.close, practice) == []
    states = {call: (await floor.entry(call)).state for call in (taken, rung_back, elsewhere)}
    assert states == {taken: EntryState.CONNECTED, rung_back: EntryState.WAITING, elsewhere: EntryState.WAITING}
    assert await floor.state(first) is PresenceState.ON_CALL
    assert await floor.state(second) is PresenceState.AVAILABLE
    assert await floor.broken() == {}


async def test_who_has_waited_as_long_as_the_practice_allows_is_led_elsewhere(floor: Floor, practice: UUID) -> None:
    until = floor.clock.now() + timedelta(seconds=90)
    call = await floor.waits(practice, overflow_at=until)
    await floor.waits(practice)
    assert await floor.do(floor.queue.overflow) == []
    floor.clock.set(until)
    assert await floor.do(floor.queue.overflow) == [call]
    assert (await floor.entry(call)).left_reason == LeftReason.OVERFLOW


async def test_nobody_is_there_when_nobody_on_duty_fits(floor: Floor, practice: UUID) -> None:
    assert not await floor.do(floor.queue.staffed, practice, "fr")
    operator = await floor.operator(practice)
    assert await floor.do(floor.queue.staffed, practice, "fr")
    assert not await floor.do(floor.queue.staffed, practice, "en")
    assert not await floor.do(floor.queue.staffed, await floor.practice(), "fr")
    await floor.moves(operator, PresenceState.LUNCH)
    assert await floor.do(floor.queue.staffed, practice, "fr"), "they come back"
    floor.clock.advance(floor.limits.unseen.total_seconds())
    assert not await floor.do(floor.queue.staffed, practice, "fr")


# --- what is told


async def test_the_position_counts_those_before_whom_the_same_people_could_take(floor: Floor, practice: UUID) -> None:
    other, unrelated = await floor.practice(), await floor.practice()
    operator = await floor.operator(practice, other)
    await floor.moves(operator, PresenceState.BREAK)
    await floor.moves(await floor.operator(unrelated), PresenceState.BREAK)
    await floor.waits(unrelated)
    await floor.waits(practice, language="en")
    before = await floor.waits(other)
    await floor.waits(other, priority=Priority.PROFESSIONAL)
    floor.clock.advance(1)
    call = await floor.waits(practice)
    floor.clock.advance(1)
    await floor.waits(practice)
    assert await _position(floor, call) == 3
    await floor.do(floor.queue.leave, before, LeftReason.HUNG_UP)
    assert await _position(floor, call) == 2
    await floor.do(floor.queue.leave, call, LeftReason.HUNG_UP)
    assert await _position(floor, call) is None


async def _position(floor: Floor, call: UUID) -> int | None:
    return await floor.do(floor.queue.position, call)


async def _answered(floor: Floor, practice: UUID, *waits: float) -> None:
    """Callers who were answered after so many seconds, a moment ago."""
    insert = text(
        "INSERT INTO routing_event (at, kind, organisation_id, practice_id, call_id, priority, waited) "
        "VALUES (:now, 'connected', :organisation, :practice, :call, 3, :waited)"
    )
    call = await floor.waits(practice)
    await floor.do(floor.queue.leave, call, LeftReason.HUNG_UP)
    async with floor.database.house() as connection:
        for seconds in waits:
            values = {
                "now": floor.clock.now(),
                "organisation": floor.organisation,
                "practice": practice,
                "call": call,
                "waited": int(seconds * 1000),
            }
            await connection.execute(insert, values)


async def _range(floor: Floor, call: UUID) -> WaitRange | None:
    return await floor.do(wait_range, call)


async def test_a_wait_is_told_as_the_range_in_which_most_ended(floor: Floor, practice: UUID) -> None:
    await _answered(floor, practice, *range(10, 111, 10))
    call = await floor.waits(practice)
    assert await _range(floor, call) == WaitRange(timedelta(seconds=60), timedelta(seconds=100))


async def test_nothing_is_told_from_fewer_than_ten_waits(floor: Floor, practice: UUID) -> None:
    await _answered(floor, practice, *range(10, 100, 10))
    call = await floor.waits(practice)
    assert await _range(floor, call) is None
    await _answered(floor, await floor.practice(), 50)
    assert await _range(floor, call) == WaitRange(timedelta(seconds=50), timedelta(seconds=81)), "of the organisation"


async def test_who_has_waited_long_is_told_from_those_who_waited_longer(floor: Floor, practice: UUID) -> None:
    await _answered(floor, practice, *range(10, 211, 10))
    call = await floor.waits(practice)
    floor.clock.advance(100)
    assert await _range(floor, call) == WaitRange(timedelta(seconds=60), timedelta(seconds=100))
    floor.clock.advance(60)
    assert await _range(floor, call) is None, "too few have waited that long"


async def test_waits_of_another_hour_another_priority_or_long_ago_tell_nothing(floor: Floor, practice: UUID) -> None:
    await _answered(floor, practice, *range(10, 211, 10))
    urgent = await floor.waits(practice, priority=Priority.PROFESSIONAL)
    assert await _range(floor, urgent) is None
    floor.clock.advance(3600)
    assert await _range(floor, await floor.waits(practice)) is None
    floor.clock.advance(29 * 24 * 3600 - 3600)
    assert await _range(floor, await floor.waits(practice)) is None
