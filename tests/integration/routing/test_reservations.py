"""What becomes of an offer: once, whoever clicks how often, and whatever fails in between."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from callcenter.routing.reservations import Accepted
from callcenter.routing.rules import Rule, choose_rule
from callcenter.routing.values import EntryKind, EntryState, LeftReason, NotPossible, PresenceState, Reservation
from tests.integration.routing.floor import Floor


@pytest.fixture
async def operator(floor: Floor, practice: UUID) -> UUID:
    return await floor.operator(practice)


@pytest.fixture
async def offer(floor: Floor, practice: UUID, operator: UUID) -> Reservation:
    await floor.waits(practice)
    return await floor.one_offer()


async def accept(floor: Floor, offer: Reservation, staff: UUID | None = None) -> Accepted | NotPossible:
    return await floor.do(floor.reservations.accept, offer.id, staff or offer.staff)


async def test_two_clicks_at_once_are_one_acceptance_with_one_answer(floor: Floor, offer: Reservation) -> None:
    clicks = await asyncio.gather(*[accept(floor, offer) for _ in range(4)])
    assert all(isinstance(click, Accepted) and click.call == offer.call for click in clicks)
    assert sorted(click.again for click in clicks if isinstance(click, Accepted)) == [False, True, True, True]
    assert await floor.events(offer.call) == ["entered", "offered", "accepted"]
    assert await floor.broken() == {}


async def test_a_call_is_accepted_by_who_is_offered_it_alone(floor: Floor, practice: UUID, offer: Reservation) -> None:
    other = await floor.operator(practice)
    assert await accept(floor, offer, other) == NotPossible()
    assert await floor.do(floor.reservations.accept, uuid4(), offer.staff) == NotPossible()
    assert not await floor.do(floor.reservations.refuse, offer.id, other)
    assert not await floor.do(floor.reservations.connected, offer.id, other)
    assert await floor.events(offer.call) == ["entered", "offered"]


async def test_accepting_and_hanging_up_at_once_ends_as_one_of_both(floor: Floor, offer: Reservation) -> None:
    accepted, left = await asyncio.gather(
        accept(floor, offer), floor.do(floor.queue.leave, offer.call, LeftReason.HUNG_UP)
    )
    assert left is not None
    assert accepted in (NotPossible(), Accepted(offer.id, offer.call, EntryKind.LIVE, 0, again=False))
    assert await floor.state(offer.staff) is PresenceState.AVAILABLE
    assert await floor.broken() == {}


async def test_an_operator_does_not_wait_for_a_step_of_the_call(floor: Floor, offer: Reservation) -> None:
    """A step holds its call, and may come to the queue meanwhile: who holds the entry does not wait for the call."""
    async with floor.database.house() as step:
        await step.execute(text("SELECT FROM call WHERE id = :id FOR UPDATE"), {"id": offer.call})
        # Who waited for a lock would be told, by the database, that it is not to be had.
        assert isinstance(await accept(floor, offer), Accepted)
        assert await floor.do(floor.reservations.connected, offer.id, offer.staff)
        await floor.queue.leave(step, offer.call, LeftReason.HUNG_UP, floor.clock.now())
    assert await floor.state(offer.staff) is PresenceState.AVAILABLE


async def test_an_offer_that_has_run_out_cannot_be_accepted(floor: Floor, offer: Reservation) -> None:
    floor.clock.set(offer.ends_at)
    assert await accept(floor, offer) == NotPossible()


async def test_a_conversation_from_offer_to_wrap_up(floor: Floor, offer: Reservation) -> None:
    async with floor.database.house() as connection:
        await choose_rule(connection, floor.organisation, Rule(wrap_up_seconds=30))
    floor.clock.advance(4)
    await accept(floor, offer)
    floor.clock.advance(2)
    for _ in range(2):
        assert await floor.do(floor.reservations.connected, offer.id, offer.staff)
    assert await floor.state(offer.staff) is PresenceState.ON_CALL
    floor.clock.advance(100)
    assert await floor.do(floor.reservations.over, offer.id, offer.staff)
    assert not await floor.do(floor.reservations.over, offer.id, offer.staff)
    assert await floor.do(floor.queue.leave, offer.call, LeftReason.HUNG_UP) is None
    assert await floor.events(offer.call) == ["entered", "offered", "accepted", "connected", "over", "left"]
    (waited,) = await floor.run("SELECT waited FROM routing_event WHERE waited IS NOT NULL")
    assert waited.waited == 6_000
    assert await floor.state(offer.staff) is PresenceState.WRAP_UP
    floor.clock.advance(30)
    await floor.sees(offer.staff)
    assert (await floor.sweeping.sweep(floor.clock.now())).wrapped_up == 1
    assert await floor.state(offer.staff) is PresenceState.AVAILABLE


async def test_who_needs_no_wrap_up_is_available_at_once(floor: Floor, practice: UUID, operator: UUID) -> None:
    await floor.waits(practice)
    talk = await floor.talk()
    await floor.do(floor.reservations.over, talk.id, operator)
    assert await floor.state(operator) is PresenceState.AVAILABLE


async def test_a_caller_who_hangs_up_ends_the_conversation(floor: Floor, practice: UUID, operator: UUID) -> None:
    call = await floor.waits(practice)
    talk = await floor.talk()
    departed = await floor.do(floor.queue.leave, call, LeftReason.HUNG_UP)
    assert departed is not None
    assert (departed.staff, departed.spoke) == (operator, True)
    assert (await floor.entry(call)).left_reason == LeftReason.ANSWERED
    assert not await floor.do(floor.reservations.over, talk.id, operator)
    assert await floor.broken() == {}


async def test_a_call_that_was_let_ring_goes_back_to_the_front(
    floor: Floor, practice: UUID, offer: Reservation
) -> None:
    floor.clock.advance(5)
    behind = await floor.waits(practice)
    floor.clock.set(offer.ends_at)
    assert (await floor.sweeping.sweep(floor.clock.now())).missed == 1
    assert await floor.events(offer.call) == ["entered", "offered", "missed"]
    other = await floor.operator(practice)
    assert await floor.offers() == [(offer.call, other), (behind, offer.staff)]
    assert (await floor.entry(offer.call)).offers == 2


async def test_who_lets_two_calls_ring_in_a_row_is_paused(floor: Floor, practice: UUID, offer: Reservation) -> None:
    await _let_ring(floor)
    assert await floor.state(offer.staff) is PresenceState.AVAILABLE
    floor.clock.advance(floor.limits.passed_over.total_seconds())
    await floor.sees(offer.staff)
    await floor.one_offer()
    await _let_ring(floor)
    assert await floor.state(offer.staff) is PresenceState.BREAK
    assert await floor.moves(offer.staff, PresenceState.AVAILABLE)
    assert (await floor.present(offer.staff)).missed_in_a_row == 0
    assert await floor.broken() == {}


async def test_who_answers_in_between_is_not_paused(floor: Floor, practice: UUID, offer: Reservation) -> None:
    await _let_ring(floor)
    await floor.waits(practice)
    talk = await floor.talk()
    await floor.do(floor.reservations.over, talk.id, offer.staff)
    await floor.sees(offer.staff)
    floor.clock.advance(floor.limits.passed_over.total_seconds())
    await floor.sees(offer.staff)
    await floor.one_offer()
    await _let_ring(floor)
    assert await floor.state(offer.staff) is PresenceState.AVAILABLE


async def _let_ring(floor: Floor) -> None:
    floor.clock.advance(floor.limits.offer.total_seconds())
    assert await floor.sweeping.expire(floor.clock.now()) == 1


async def test_an_operators_line_that_fails_before_they_speak_counts_as_missed(
    floor: Floor, practice: UUID, offer: Reservation
) -> None:
    await accept(floor, offer)
    assert await floor.do(floor.reservations.dropped, offer.id, offer.staff)
    assert not await floor.do(floor.reservations.dropped, offer.id, offer.staff)
    assert (await floor.present(offer.staff)).missed_in_a_row == 1
    other = await floor.operator(practice)
    assert await floor.offers() == [(offer.call, other)]
    assert await floor.broken() == {}


async def test_a_caller_whose_operator_is_lost_in_the_conversation_is_first_again(
    floor: Floor, practice: UUID, operator: UUID
) -> None:
    call = await floor.waits(practice)
    talk = await floor.talk()
    floor.clock.advance(60)
    await floor.waits(practice)
    assert await floor.do(floor.reservations.dropped, talk.id, operator)
    assert (await floor.entry(call)).state == EntryState.WAITING
    other = await floor.operator(practice)
    await floor.moves(operator, PresenceState.BREAK)
    assert await floor.offers() == [(call, other)]
    again = await _live(floor, other)
    await accept(floor, again)
    await floor.do(floor.reservations.connected, again.id, other)
    waits = await floor.run("SELECT waited FROM routing_event WHERE kind = 'connected' AND call_id = :id", id=call)
    assert sorted(row.waited is None for row in waits) == [False, True], "one wait, answered once"
    assert await floor.broken() == {}


async def _live(floor: Floor, staff: UUID) -> Reservation:
    async with floor.database.house() as connection:
        found = await floor.reservations.of(connection, staff)
    assert found is not None
    return found


# --- callbacks


@pytest.fixture
async def callback(floor: Floor, practice: UUID, operator: UUID) -> Reservation:
    call = await floor.waits(practice)
    await floor.do(floor.queue.ask_callback, call)
    return await floor.one_offer()


async def test_a_callback_is_rung_once_for_each_acceptance(floor: Floor, callback: Reservation) -> None:
    clicks = await asyncio.gather(*[accept(floor, callback) for _ in range(3)])
    assert [click.attempt for click in clicks if isinstance(click, Accepted)] == [1, 1, 1]
    assert [click.again for click in clicks if isinstance(click, Accepted)].count(False) == 1
    assert (await floor.entry(callback.call)).attempts == 1


async def test_a_callback_in_vain_is_tried_again_later_in_its_place_and_then_given_up(
    floor: Floor, practice: UUID, callback: Reservation
) -> None:
    place = (await floor.entry(callback.call)).place
    offer = callback
    for attempt in range(1, floor.limits.callback_attempts + 1):
        accepted = await accept(floor, offer)
        assert isinstance(accepted, Accepted)
        assert accepted.attempt == attempt
        assert await floor.do(floor.reservations.unreached, offer.id, offer.staff)
        assert not await floor.do(floor.reservations.unreached, offer.id, offer.staff)
        assert await floor.offers() == [], "not at once"
        floor.clock.advance(floor.limits.callback_again.total_seconds())
        await floor.sees(offer.staff)
        if attempt < floor.limits.callback_attempts:
            offer = await floor.one_offer()
            assert (await floor.entry(offer.call)).place == place
    assert await floor.offers() == []
    assert (await floor.entry(callback.call)).left_reason == LeftReason.UNREACHED
    assert await floor.broken() == {}


async def test_a_caller_who_was_rung_back_speaks_and_no_wait_is_counted(floor: Floor, callback: Reservation) -> None:
    await accept(floor, callback)
    assert await floor.do(floor.reservations.connected, callback.id, callback.staff)
    assert await floor.do(floor.reservations.over, callback.id, callback.staff)
    assert (await floor.entry(callback.call)).left_reason == LeftReason.ANSWERED
    counted = "SELECT kind FROM routing_event WHERE waited IS NOT NULL AND kind <> 'callback'"
    assert await floor.run(counted) == []


async def test_a_live_call_is_not_said_to_be_unreached(floor: Floor, offer: Reservation) -> None:
    await accept(floor, offer)
    assert not await floor.do(floor.reservations.unreached, offer.id, offer.staff)
