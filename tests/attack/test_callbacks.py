"""Having somebody else's telephone rung by a forged number, having a machine, or an old call, take an operator, and
taking a callback that was asked for at another practice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError

from callcenter.calls import callbacks
from callcenter.flow import proving
from callcenter.flow.load import load_flow
from callcenter.flow.prompts import PromptBook
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import IntegrityError as Damaged
from callcenter.kernel.randomness import SeededRandom, new_id
from callcenter.routing import reserving
from callcenter.routing.values import LeftReason
from callcenter.store.sealed import Place
from tests.attack.defence import FOILED, Defence, Outcome, Sabotage, attack, gained
from tests.attack.ground import Ground
from tests.integration.routing.floor import Floor
from tests.unit.flow.doubles import Call

FLOWS = Path(__file__).resolve().parents[2] / "flows"
VICTIM = "+33639980077"
TOKEN = "ab" * 32
OPEN = {"practice.is_open": True}


@pytest.fixture
async def floor(ground: Ground, clock: DrivenClock) -> Floor:
    """A télésecrétariat of its own beside the demonstration's."""
    floor = Floor(ground.app, clock, SeededRandom(46))
    await floor.open()
    return floor


async def to_be_rung(ground: Ground, floor: Floor, practice: UUID) -> UUID:
    """The call of somebody who has asked a practice to be rung back, and hung up."""
    call = await floor.waits(practice)
    async with ground.app.practice(practice) as tx:
        assert await callbacks.ask(tx, ground.sealer, floor.queue, call, VICTIM, floor.clock.now())
    return call


async def is_rung(ground: Ground, floor: Floor, practice: UUID, asked: UUID) -> None:
    """Their telephone rings; whoever answers comes with the token."""
    await ground.change(
        "INSERT INTO callback_ring (reservation_id, practice_id, call_id, operator_leg, token_hash, rung_at) "
        "VALUES (:id, :practice, :call, :leg, :token, :now)",
        id=new_id(floor.chance),
        practice=practice,
        call=asked,
        leg=f"CA{'0' * 32}",
        token=callbacks.token_hash(TOKEN),
        now=floor.clock.now(),
    )


# --- a forged number


def _nothing_is_counted(sabotage: Sabotage) -> None:
    sabotage.rewrite(callbacks, "_LATELY", "b.line = :line", "false")


COUNTED = Defence("callbacks of a number are counted", "a forged number rings nobody often", _nothing_is_counted)


@attack(stopped_by=COUNTED)
async def test_whoever_forges_a_number_has_its_owner_rung_again_and_again(ground: Ground, floor: Floor) -> Outcome:
    """Ten calls that show the number, each asking to be rung back, one after the other as each is done with."""
    practice = await floor.practice()
    rung = 0
    for _ in range(10):
        call = await floor.waits(practice)
        async with ground.app.practice(practice) as tx:
            assert await callbacks.ask(tx, ground.sealer, floor.queue, call, VICTIM, floor.clock.now())
        rung += (await floor.entry(call)).state == "waiting"
        await floor.do(floor.queue.leave, call, LeftReason.UNREACHED)
    return gained(rung > callbacks.MOST_OF_A_LINE)


@attack(stopped_by=COUNTED)
async def test_whoever_forges_a_number_has_its_owner_rung_by_several_at_once(ground: Ground, floor: Floor) -> Outcome:
    practice = await floor.practice()
    calls = [await floor.waits(practice) for _ in range(3)]
    for call in calls:
        async with ground.app.practice(practice) as tx:
            await callbacks.ask(tx, ground.sealer, floor.queue, call, VICTIM, floor.clock.now())
    waiting = [call for call in calls if (await floor.entry(call)).state == "waiting"]
    return gained(len(waiting) > 1)


# --- who answers


def _silence_is_a_person(sabotage: Sabotage) -> None:
    sabotage.replace(proving, "PRESENCE_KEY", "")


A_KEY = Defence("somebody says by a key that they are there", "a machine takes no operator", _silence_is_a_person)


@attack(stopped_by=A_KEY)
async def test_a_voicemail_that_answers_is_put_through_to_the_operator() -> Outcome:
    """It presses no key, however often it is asked."""
    call = Call(
        load_flow(FLOWS / "rappel_secretariat.yaml", PromptBook.load(FLOWS / "prompts" / "fr.yaml")), public=OPEN
    )
    call.lobby.admits = True
    await call.ring()
    for _ in range(4):
        if call.ended or call.lobby.entered:
            break
        await call.press("")
    return gained(call.lobby.entered)


# --- an answer that was used


def _any_number_of_times(sabotage: Sabotage) -> None:
    sabotage.rewrite(callbacks, "_TAKE", "r.reached_call_id IS NULL", "true")


ONCE = Defence("an attempt becomes one call", "P2: one call is one caller", _any_number_of_times)


def _answered_again(sabotage: Sabotage) -> None:
    sabotage.sql("DROP TRIGGER callback_ring_reached_call_id_once ON callback_ring")


STAYS_ANSWERED = Defence("a ring is answered once in the database", "a callback becomes one call", _answered_again)


@attack(stopped_by=(ONCE, STAYS_ANSWERED))
async def test_another_call_comes_with_the_token_of_a_callback_that_was_answered(
    ground: Ground, floor: Floor
) -> Outcome:
    practice = await floor.practice()
    own, another = await floor.call(practice), await floor.call(practice)
    now, asked = floor.clock.now(), await to_be_rung(ground, floor, practice)
    await is_rung(ground, floor, practice, asked)
    answered = []
    for call in (own, another):
        try:
            async with ground.app.practice(practice) as tx:
                answered.append(await callbacks.take_rung(tx, ground.sealer, call, TOKEN, now))
        except DBAPIError as error:
            if "what is over stays over" not in str(error.orig):
                raise  # something else was in the way
            answered.append(None)
    assert answered[0] is not None
    return gained(answered[1])


# --- asked for at another practice


def _of_any_portfolio(sabotage: Sabotage) -> None:
    sabotage.rewrite(reserving, "_RESERVE", "o.practice_id = w.practice_id", "true")


def _of_any_house(sabotage: Sabotage) -> None:
    sabotage.rewrite(reserving, "_RESERVE", "f.organisation_id = w.organisation_id", "true")


PORTFOLIO = Defence("the portfolio holds the practice", "P5: staff see their own practices", _of_any_portfolio)
ORGANISATION = Defence("the portfolio is the organisation's", "P5: staff see their own practices", _of_any_house)


@attack(stopped_by=PORTFOLIO)
async def test_p5_a_callback_is_offered_to_an_operator_of_another_practice(ground: Ground, floor: Floor) -> Outcome:
    """Whoever takes it has the caller rung, and talks with them."""
    await floor.operator(await floor.practice())
    await to_be_rung(ground, floor, await floor.practice())
    return gained(await floor.offers())


@attack(stopped_by=ORGANISATION)
async def test_p5_a_callback_is_offered_to_an_operator_of_another_organisation(ground: Ground, floor: Floor) -> Outcome:
    """They answer for all of their own."""
    other = replace(floor, organisation=uuid4())
    await other.open()
    await other.operator()
    await to_be_rung(ground, floor, await floor.practice())
    return gained(await floor.offers())


def _rings_are_everybodys(sabotage: Sabotage) -> None:
    sabotage.sql("ALTER TABLE callback_ring DISABLE ROW LEVEL SECURITY")


def _leads_anywhere(sabotage: Sabotage) -> None:
    sabotage.sql(f"ALTER TABLE callback_ring DROP CONSTRAINT {REACHED}")


REACHED = "fk_callback_ring_practice_id_reached_call_id_call"
THEIR_RINGS = Defence("a ring is a row of its practice", "P5: no row crosses a practice", _rings_are_everybodys)
THEIR_CALLS = Defence("what a ring becomes is a call of its practice", "P5: no row crosses a practice", _leads_anywhere)


@attack(stopped_by=(THEIR_RINGS, THEIR_CALLS))
async def test_p5_the_token_of_a_callback_brings_a_call_of_another_practice_to_its_operator(
    ground: Ground, floor: Floor
) -> Outcome:
    practice, other = await floor.practice(), await floor.practice()
    await is_rung(ground, floor, practice, await to_be_rung(ground, floor, practice))
    call = await floor.call(other)
    try:
        async with ground.app.practice(other) as tx:
            return gained(await callbacks.take_rung(tx, ground.sealer, call, TOKEN, floor.clock.now()))
    except IntegrityError as error:
        if REACHED not in str(error.orig):
            raise  # something else was in the way
        return FOILED


def _callbacks_are_everybodys(sabotage: Sabotage) -> None:
    sabotage.sql("ALTER TABLE callback DISABLE ROW LEVEL SECURITY")


def _opens_anywhere(sabotage: Sabotage) -> None:
    sabotage.replace(callbacks, "_place", lambda _, call: Place(NOWHERE, "callback", "number", call))


NOWHERE = UUID(int=0)
THEIR_ROWS = Defence("a callback is a row of its practice", "P5: no row crosses a practice", _callbacks_are_everybodys)
SEALED = Defence("a number is sealed for its practice", "P5: no row crosses a practice", _opens_anywhere)


@attack(stopped_by=(THEIR_ROWS, SEALED))
async def test_p5_another_practice_learns_the_number_of_whoever_is_to_be_rung(ground: Ground, floor: Floor) -> Outcome:
    """By a fault of ours, a callback is looked for in the scope of another practice."""
    call, other = await to_be_rung(ground, floor, await floor.practice()), await floor.practice()
    try:
        async with ground.app.practice(other) as tx:
            return gained(await callbacks.number_of(tx, ground.sealer, call))
    except Damaged:
        return FOILED
