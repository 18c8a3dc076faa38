"""What hangs is found, by whichever worker; what does not is left alone."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from callcenter.routing.presence import MOVES, move
from callcenter.routing.rules import Rule, choose_rule
from callcenter.routing.sweeping import Swept
from callcenter.routing.values import LeftReason, PresenceState, Way
from tests.integration.routing.floor import Floor

NOTHING = Swept(0, 0, 0, 0)
AT_REST = set(PresenceState) - {PresenceState.RESERVED, PresenceState.ON_CALL, PresenceState.WRAP_UP}


async def sweep(floor: Floor) -> Swept:
    return await floor.sweeping.sweep(floor.clock.now())


async def test_several_workers_find_each_thing_once(floor: Floor, practice: UUID) -> None:
    for _ in range(4):
        await floor.waits(practice)
        await floor.operator(practice)
    assert len(await floor.reserve()) == 4
    floor.clock.advance(floor.limits.offer.total_seconds())
    swept = await asyncio.gather(*[sweep(floor) for _ in range(3)])
    assert sum(one.missed for one in swept) == 4
    assert await sweep(floor) == NOTHING
    assert await floor.broken() == {}


@pytest.mark.parametrize("state", [PresenceState.AVAILABLE, PresenceState.LUNCH])
async def test_a_page_that_gives_no_sign_is_offline(floor: Floor, practice: UUID, state: PresenceState) -> None:
    operator = await floor.operator(practice)
    await floor.moves(operator, state)
    floor.clock.advance(floor.limits.unseen.total_seconds() - 1)
    assert await sweep(floor) == NOTHING
    assert await floor.sees(operator) is state
    floor.clock.advance(floor.limits.unseen.total_seconds())
    assert (await sweep(floor)).gone == 1
    assert await floor.sees(operator) is PresenceState.OFFLINE, "a sign of life brings nobody back by itself"
    assert await floor.moves(operator, PresenceState.AVAILABLE)


async def test_a_call_that_rings_at_a_page_that_is_gone_goes_to_another_at_once(floor: Floor, practice: UUID) -> None:
    gone = await floor.operator(practice)
    floor.clock.advance(floor.limits.unseen.total_seconds() - 2)
    call = await floor.waits(practice)
    assert await floor.offers() == [(call, gone)]
    floor.clock.advance(2)
    other = await floor.operator(practice)
    assert (await sweep(floor)).gone == 1
    assert await floor.state(gone) is PresenceState.OFFLINE
    assert await floor.offers() == [(call, other)]
    assert await floor.broken() == {}


async def test_who_has_a_caller_on_the_line_is_never_offline(floor: Floor, practice: UUID) -> None:
    operator = await floor.operator(practice)
    await floor.waits(practice)
    talk = await floor.talk()
    floor.clock.advance(3600)
    assert await sweep(floor) == NOTHING
    assert await floor.state(operator) is PresenceState.ON_CALL
    assert await floor.do(floor.reservations.over, talk.id, operator)


async def test_a_call_that_has_ended_without_a_word_leaves(floor: Floor, practice: UUID) -> None:
    waits = await floor.waits(practice)
    operator = await floor.operator(practice)
    await floor.talk()
    other = await floor.waits(practice)
    for call in (waits, other):
        await floor.ends(call)
    assert (await sweep(floor)).lost == 2
    reasons = {call: (await floor.entry(call)).left_reason for call in (waits, other)}
    assert reasons == {waits: LeftReason.ANSWERED, other: LeftReason.HUNG_UP}
    assert await floor.state(operator) is PresenceState.AVAILABLE
    assert await floor.broken() == {}


async def test_a_call_that_was_taken_and_never_connected_is_offered_again(floor: Floor, practice: UUID) -> None:
    """The worker that was to connect them was killed after the acceptance had been committed."""
    operator = await floor.operator(practice)
    call = await floor.waits(practice)
    offer = await floor.one_offer()
    await floor.do(floor.reservations.accept, offer.id, operator)
    floor.clock.advance(floor.limits.connect.total_seconds() - 1)
    assert await sweep(floor) == NOTHING
    floor.clock.advance(1)
    assert (await sweep(floor)).lost == 1
    await floor.sees(operator)
    assert not await floor.do(floor.reservations.connected, offer.id, operator), "that is over"
    assert await floor.offers() == [(call, operator)]
    assert await floor.broken() == {}


async def test_a_callback_whose_worker_was_killed_is_not_rung_twice_for_one_acceptance(
    floor: Floor, practice: UUID
) -> None:
    operator = await floor.operator(practice)
    call = await floor.waits(practice)
    await floor.do(floor.queue.ask_callback, call)
    offer = await floor.one_offer()
    await floor.do(floor.reservations.accept, offer.id, operator)
    floor.clock.advance(floor.limits.ring_back.total_seconds())
    assert (await sweep(floor)).lost == 1
    entry = await floor.entry(call)
    assert (entry.attempts, entry.not_before) == (1, floor.clock.now() + floor.limits.callback_again)


# --- presence


@pytest.mark.parametrize("state", PresenceState)
async def test_an_operator_makes_the_moves_of_the_table_and_no_other(
    floor: Floor, practice: UUID, state: PresenceState
) -> None:
    """To stay where one is, is no move and no error: a click that came twice."""
    for to in PresenceState:
        operator = await floor.operator(practice)
        await _bring(floor, practice, operator, state)
        own = to in MOVES[state]
        assert await floor.moves(operator, to) == (own or (to is state and to in AT_REST))
        assert await floor.state(operator) is (to if own else state)
        await _away(floor)
    assert await floor.broken() == {}


async def _away(floor: Floor) -> None:
    """Nobody takes the next one's call."""
    await floor.run("UPDATE presence SET seen_at = :now", now=floor.clock.now() - floor.limits.unseen)


async def _bring(floor: Floor, practice: UUID, operator: UUID, state: PresenceState) -> None:
    match state:
        case PresenceState.RESERVED:
            await floor.waits(practice)
            await floor.one_offer()
        case PresenceState.ON_CALL:
            await floor.waits(practice)
            await floor.talk()
        case PresenceState.WRAP_UP:
            async with floor.database.house() as connection:
                await choose_rule(connection, floor.organisation, Rule(wrap_up_seconds=30))
            await floor.waits(practice)
            talk = await floor.talk()
            await floor.do(floor.reservations.over, talk.id, operator)
        case _:
            await floor.moves(operator, state)
    assert await floor.state(operator) is state


async def test_each_move_is_written_down_once(floor: Floor, practice: UUID) -> None:
    operator = await floor.operator(practice, available=False)
    assert not await floor.moves(operator, PresenceState.OFFLINE), "nobody has been there"
    for state in (PresenceState.AVAILABLE, PresenceState.LUNCH, PresenceState.LUNCH, PresenceState.OFFLINE):
        assert await floor.moves(operator, state)
    told = await floor.run("SELECT detail FROM routing_event WHERE staff_id = :id ORDER BY number", id=operator)
    assert [row.detail for row in told] == ["available", "lunch", "offline"]


async def test_the_way_is_kept_and_a_stranger_has_no_presence(floor: Floor, practice: UUID) -> None:
    operator = await floor.operator(practice, available=False)
    assert await floor.do(move, operator, PresenceState.AVAILABLE, way=Way.TELEPHONE)
    assert (await floor.present(operator)).way is Way.TELEPHONE
    assert not await floor.moves(floor.organisation, PresenceState.AVAILABLE)
    assert await floor.sees(floor.organisation) is PresenceState.OFFLINE


async def test_a_clock_that_is_behind_takes_no_sign_of_life_back(floor: Floor, practice: UUID) -> None:
    operator = await floor.operator(practice)
    seen_at = (await floor.present(operator)).seen_at
    floor.clock.set(floor.clock.now() - timedelta(seconds=30))
    await floor.sees(operator)
    assert (await floor.present(operator)).seen_at == seen_at
