"""Taking calls that are another's: by who is not offered them, by two at once, by who is of another portfolio."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom, new_id
from callcenter.routing import held, reserving
from callcenter.routing.reservations import Accepted
from callcenter.store.schema import APP
from tests.attack.defence import FOILED, SUCCEEDED, Defence, Outcome, Sabotage, attack, gained, unanimous
from tests.attack.ground import Ground
from tests.integration.routing.floor import Floor


@pytest.fixture
async def floor(ground: Ground, clock: DrivenClock) -> Floor:
    """A télésecrétariat of its own beside the demonstration's."""
    floor = Floor(ground.app, clock, SeededRandom(45))
    await floor.open()
    return floor


# --- a call that is offered to somebody else


def _whoever_asks(sabotage: Sabotage) -> None:
    sabotage.rewrite(held, "_LOCK", "r.staff_id = :staff", "cast(:staff AS uuid) IS NOT NULL")


ITS_OWN_OPERATOR = Defence("a reservation is locked with its operator", "a call is its operator's", _whoever_asks)


@attack(stopped_by=ITS_OWN_OPERATOR)
async def test_an_operator_takes_a_call_that_is_offered_to_another(floor: Floor) -> Outcome:
    practice = await floor.practice()
    await floor.operator(practice)
    await floor.waits(practice)
    offer = await floor.one_offer()
    thief = await floor.operator(practice)
    return gained(isinstance(await floor.do(floor.reservations.accept, offer.id, thief), Accepted))


# --- one call, two operators


def _nothing_is_unique(sabotage: Sabotage) -> None:
    sabotage.sql("DROP INDEX uq_reservation_live_call")
    sabotage.sql("DROP INDEX uq_reservation_live_staff")


ONE_AT_A_TIME = Defence("live reservations are unique", "no call is offered to two", _nothing_is_unique)

_HELD = text(
    "INSERT INTO reservation (id, call_id, staff_id, state, made_at, ends_at) "
    "SELECT :id, :call, :staff, 'offered', made_at, ends_at FROM reservation WHERE id = :beside"
)


async def _held_too(floor: Floor, beside: Any, call: Any, staff: Any) -> Outcome:
    """A worker that is wrong about what is held makes a reservation; whether both of them are then accepted."""
    second = new_id(floor.chance)
    values = {"id": second, "call": call, "staff": staff, "beside": beside.id}
    try:
        async with floor.database.house() as connection:
            await connection.execute(_HELD, values)
    except IntegrityError as error:
        if "uq_reservation_live" not in str(error.orig):
            raise  # something else was in the way
        return FOILED
    clicks = [(beside.id, beside.staff), (second, staff)]
    taken = [await floor.do(floor.reservations.accept, reservation, whose) for reservation, whose in clicks]
    return gained(all(isinstance(one, Accepted) and not one.again for one in taken))


@attack(stopped_by=ONE_AT_A_TIME)
async def test_a_call_is_accepted_by_two_operators(floor: Floor) -> Outcome:
    practice = await floor.practice()
    await floor.operator(practice)
    await floor.waits(practice)
    offer = await floor.one_offer()
    return await _held_too(floor, offer, offer.call, await floor.operator(practice))


@attack(stopped_by=ONE_AT_A_TIME)
async def test_an_operator_is_given_two_calls(floor: Floor) -> Outcome:
    practice = await floor.practice()
    await floor.operator(practice)
    await floor.waits(practice)
    offer = await floor.one_offer()
    return await _held_too(floor, offer, await floor.waits(practice), offer.staff)


# --- who may not have it


def _any_portfolio(sabotage: Sabotage) -> None:
    sabotage.rewrite(reserving, "_RESERVE", "o.practice_id = w.practice_id", "true")


PORTFOLIO = Defence("the portfolio holds the practice", "P5: staff see their own practices", _any_portfolio)


@attack(stopped_by=PORTFOLIO)
async def test_a_call_is_offered_to_an_operator_of_another_portfolio(floor: Floor) -> Outcome:
    await floor.operator(await floor.practice())
    await floor.waits(await floor.practice())
    return gained(await floor.offers())


def _any_account(sabotage: Sabotage) -> None:
    phrases = ("a.locked_at IS NULL", "a.closed_at IS NULL", "a.expires_on >= :today", "a.secrecy_signed_on <= :today")
    for phrase in phrases:
        sabotage.rewrite(reserving, "_RESERVE", phrase, "true")


ACCOUNT = Defence("the account is open", "who is locked out answers no more", _any_account)


@attack(stopped_by=ACCOUNT)
async def test_a_call_is_offered_to_somebody_who_was_locked_out(ground: Ground, floor: Floor) -> Outcome:
    practice = await floor.practice()
    staff = await floor.operator(practice)
    await floor.waits(practice)
    outcomes = {}
    # The last one for good.
    for what in ("locked_at = now()", "expires_on = '2020-01-01'", "secrecy_signed_on = NULL", "closed_at = now()"):
        await ground.change(f"UPDATE staff_account SET {what} WHERE id = :id", id=staff)
        outcomes[what] = gained(offers := await floor.offers())
        for call, _ in offers:
            await ground.change("DELETE FROM reservation WHERE call_id = :id", id=call)
            await ground.change("UPDATE queue_entry SET state = 'waiting' WHERE call_id = :id", id=call)
            await ground.change("UPDATE presence SET state = 'available' WHERE staff_id = :id", id=staff)
        opened = "locked_at = NULL, expires_on = NULL, secrecy_signed_on = '2020-01-01'"
        await ground.change(f"UPDATE staff_account SET {opened} WHERE id = :id", id=staff)
    return unanimous(outcomes)


# --- what has happened


def _may_do_anything(sabotage: Sabotage) -> None:
    sabotage.sql(f"GRANT ALL ON routing_event TO {APP}")


RIGHTS = Defence("the server only adds events", "statements come from what has happened", _may_do_anything)


@attack(stopped_by=RIGHTS)
async def test_what_has_happened_in_a_queue_is_rewritten(floor: Floor) -> Outcome:
    """A wait made shorter, an abandoned call made to vanish: a practice's statement would say so."""
    await floor.waits(await floor.practice())
    outcomes = {}
    for statement in ("UPDATE routing_event SET waited = 0", "DELETE FROM routing_event"):
        outcomes[statement] = await _allowed(floor, statement)
    return unanimous(outcomes)


async def _allowed(floor: Floor, statement: str) -> Outcome:
    """Whether the server may do that at all."""
    try:
        async with floor.database.practice(await floor.practice()) as tx:
            await tx.connection.execute(text(statement))
    except DBAPIError as error:
        if "permission denied" not in str(error.orig):
            raise  # something else was in the way
        return FOILED
    return SUCCEEDED


#: In the order in which they can be deleted.
_ERASED = ("talk_party", "talk", "callback_ring", "callback", "routing_event", "reservation", "queue_entry")


def _may_delete(sabotage: Sabotage) -> None:
    sabotage.sql(f"GRANT DELETE ON {', '.join(_ERASED)} TO {APP}")


DELETES_NOTHING = Defence(
    "the server deletes nothing of the queue", "statements come from what has happened", _may_delete
)


@attack(stopped_by=DELETES_NOTHING)
async def test_a_call_is_made_to_vanish_from_the_queue(floor: Floor) -> Outcome:
    """A caller who was lost, an operator who was not there: as if they had never been."""
    await floor.waits(await floor.practice())
    return unanimous({table: await _allowed(floor, f"DELETE FROM {table}") for table in _ERASED})


def _as_old_as_the_server_says(sabotage: Sabotage) -> None:
    sabotage.sql("DROP TRIGGER queue_entry_noted ON queue_entry")


BY_ITS_OWN_CLOCK = Defence(
    "the database knows how old a call is", "statements come from what has happened", _as_old_as_the_server_says
)


@attack(stopped_by=BY_ITS_OWN_CLOCK)
async def test_a_call_of_today_is_erased_as_one_of_last_year(floor: Floor) -> Outcome:
    practice = await floor.practice()
    call = await floor.call(practice)
    await floor.run(
        "INSERT INTO queue_entry (call_id, practice_id, language, priority, place, kind, state, entered_at, left_at, "
        "left_reason, noted_at) "
        "VALUES (:call, :practice, 'fr', 3, :then, 'live', 'left', :then, :then, 'hung_up', :then)",
        call=call,
        practice=practice,
        then=datetime(2020, 1, 1, tzinfo=UTC),
    )
    async with floor.database.house() as connection:
        gone = await connection.execute(text("SELECT forget_queue('2999-01-01', 100)"))
    return gained(gone.scalar_one())
