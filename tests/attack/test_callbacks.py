"""Having somebody else's telephone rung by a forged number, and having a machine, or an old call, take an operator."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from callcenter.calls import callbacks
from callcenter.flow import proving
from callcenter.flow.load import load_flow
from callcenter.flow.prompts import PromptBook
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom, new_id
from callcenter.routing.values import LeftReason
from tests.attack.defence import Defence, Outcome, Sabotage, attack, gained
from tests.attack.ground import Ground
from tests.integration.routing.floor import Floor
from tests.unit.flow.doubles import Call

FLOWS = Path(__file__).resolve().parents[2] / "flows"
VICTIM = "+33639980077"
OPEN = {"practice.is_open": True}


@pytest.fixture
async def floor(ground: Ground, clock: DrivenClock) -> Floor:
    """A télésecrétariat of its own beside the demonstration's."""
    floor = Floor(ground.app, clock, SeededRandom(46))
    await floor.open()
    return floor


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
    asked, own, another = await floor.waits(practice), await floor.call(practice), await floor.call(practice)
    now, token = floor.clock.now(), "ab" * 32
    async with ground.app.practice(practice) as tx:
        assert await callbacks.ask(tx, ground.sealer, floor.queue, asked, VICTIM, now)
    await ground.change(
        "INSERT INTO callback_ring (reservation_id, practice_id, call_id, operator_leg, token_hash, rung_at) "
        "VALUES (:id, :practice, :call, :leg, :token, :now)",
        id=new_id(floor.chance),
        practice=practice,
        call=asked,
        leg=f"CA{'0' * 32}",
        token=callbacks.token_hash(token),
        now=now,
    )
    answered = []
    for call in (own, another):
        try:
            async with ground.app.practice(practice) as tx:
                answered.append(await callbacks.take_rung(tx, ground.sealer, call, token, now))
        except DBAPIError as error:
            if "what is over stays over" not in str(error.orig):
                raise  # something else was in the way
            answered.append(None)
    assert answered[0] is not None
    return gained(answered[1])
