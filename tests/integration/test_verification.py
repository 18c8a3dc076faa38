"""Codes: to whom they go, how long they are good, how their secret ends, and how guesses and texts are bounded."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from callcenter.calls.upkeep import Upkeep
from callcenter.flow.ports import ChallengeOver, CodeRight, CodeSent, CodeWrong
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom
from callcenter.practice.demo import seed
from callcenter.practice.demo_file import demo_id
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer
from tests.integration.calling import Exchange, wrong

JEANNE, JEANNES_BIRTHDAY, JEANNES_MOBILE = demo_id("patient", "jeanne-martin-duval"), date(1962, 3, 14), "+33639980001"
ODETTES_BIRTHDAY, ODETTES_MOBILE = date(1931, 1, 30), "+33639980005"
NOBODYS_BIRTHDAY = date(1962, 3, 15)


@pytest.fixture
async def exchange(database: Database, sealer: Sealer, clock: DrivenClock, random: SeededRandom) -> Exchange:
    await seed(database, sealer, clock, random)
    return Exchange(database, sealer, clock)


def upkeep(exchange: Exchange) -> Upkeep:
    unused: object = None
    return Upkeep(exchange.database, exchange.clock, unused, unused)  # type: ignore[arg-type]  # forgetting uses neither


# --- the secret


async def test_ob_02_a_used_code_leaves_no_secret(exchange: Exchange) -> None:
    line = await exchange.dial()
    await line.claim(JEANNES_BIRTHDAY, JEANNES_MOBILE)
    ((to, code),) = await exchange.deliver()
    assert to == JEANNES_MOBILE
    assert isinstance(await line.press(wrong(code)), CodeWrong)
    assert isinstance(await line.press(code), CodeRight)
    (row,) = await exchange.rows("SELECT secret, consumed_at FROM challenge")
    assert row.secret is None
    assert row.consumed_at == exchange.clock.now()
    assert len(await exchange.rows("SELECT 1 FROM challenge_attempt")) == 2, "attempts stay to be counted"
    with pytest.raises(DBAPIError, match="ck_challenge_no_secret_once_used"):
        await exchange.rows("UPDATE challenge SET secret = 'sealed' RETURNING id")


@pytest.mark.parametrize("born", [JEANNES_BIRTHDAY, NOBODYS_BIRTHDAY], ids=["match", "decoy"])
async def test_ob_02_an_old_code_leaves_no_secret_once_upkeep_has_run(exchange: Exchange, born: date) -> None:
    line = await exchange.dial()
    await line.claim(born, JEANNES_MOBILE)
    await line.press("000000")
    await upkeep(exchange).forget()
    assert [row.secret is None for row in await exchange.rows("SELECT secret FROM challenge")] == [False]
    exchange.clock.advance(600)
    await upkeep(exchange).forget()
    assert [row.secret for row in await exchange.rows("SELECT secret FROM challenge")] == [None]
    assert len(await exchange.rows("SELECT 1 FROM challenge_attempt")) == 1, "attempts stay to be counted"


@pytest.mark.parametrize("born", [JEANNES_BIRTHDAY, NOBODYS_BIRTHDAY], ids=["match", "decoy"])
@pytest.mark.parametrize("forgotten", [False, True])
async def test_an_expired_code_is_recorded_as_expired(exchange: Exchange, born: date, forgotten: bool) -> None:
    line = await exchange.dial()
    await line.claim(born, JEANNES_MOBILE)
    sent = await exchange.deliver()
    exchange.clock.advance(600)
    if forgotten:
        await upkeep(exchange).forget()
    assert isinstance(await line.press(sent[0][1] if sent else "000000"), ChallengeOver)
    (failed,) = await exchange.records("verification.failed")
    assert failed["reason"] == "expired"


async def test_a_code_without_a_try_left_is_recorded_as_such(exchange: Exchange) -> None:
    line = await exchange.dial()
    await line.claim(JEANNES_BIRTHDAY, JEANNES_MOBILE)
    ((_, code),) = await exchange.deliver()
    for _ in range(3):
        await line.press(wrong(code))
    reasons = [record["reason"] for record in await exchange.records("verification.failed")]
    assert reasons == ["code", "code", "no_try_left"]


# --- to whom


async def test_a_dead_patients_telephone_gets_no_code(exchange: Exchange) -> None:
    """The same statements as for the living (P6), and nobody who has the telephone now learns of a record."""
    living, dead = await exchange.dial(), await exchange.dial()
    with exchange.statements() as for_the_living:
        assert isinstance(await living.claim(JEANNES_BIRTHDAY, JEANNES_MOBILE), CodeSent)
    assert len(await exchange.deliver()) == 1
    with exchange.statements() as for_the_dead:
        assert isinstance(await dead.claim(ODETTES_BIRTHDAY, ODETTES_MOBILE), CodeSent)
    assert await exchange.deliver() == []
    assert for_the_dead == for_the_living


async def test_a_code_opens_nothing_once_its_telephone_has_left_the_file(exchange: Exchange) -> None:
    line = await exchange.dial()
    await line.claim(JEANNES_BIRTHDAY, JEANNES_MOBILE)
    ((_, code),) = await exchange.deliver()
    await exchange.rows("DELETE FROM contact WHERE patient_id = :jeanne RETURNING id", jeanne=JEANNE)
    assert isinstance(await line.press(code), CodeWrong)


# --- what bounds guessing


@pytest.mark.parametrize("statement", ["DELETE FROM challenge_attempt", "DELETE FROM challenge"])
async def test_ob_03_the_server_may_not_forget_guesses(exchange: Exchange, statement: str) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        await exchange.rows(statement)


async def test_ob_03_guesses_are_forgotten_after_a_day_of_the_database_whatever_our_clock_says(
    exchange: Exchange,
) -> None:
    exchange.clock.set(datetime.now(UTC))
    line = await exchange.dial()
    await line.claim(NOBODYS_BIRTHDAY, JEANNES_MOBILE)
    await line.press("000000")
    await exchange.rows("SELECT forget_challenges(:far)", far=datetime(2999, 1, 1, tzinfo=UTC))
    assert len(await exchange.rows("SELECT 1 FROM challenge_attempt")) == 1
    async with exchange.database.practice(exchange.practice) as tx:
        # as if it had been two days ago; the columns are not the server's to change, hence another row
        old = datetime.now(UTC) - timedelta(days=2)
        copied = text(
            "INSERT INTO challenge (id, practice_id, call_id, created_at, expires_at) "
            "SELECT gen_random_uuid(), practice_id, call_id, :old, :then FROM challenge"
        )
        await tx.connection.execute(copied, {"old": old, "then": old + timedelta(minutes=10)})
        await tx.connection.execute(
            text(
                "INSERT INTO challenge_attempt (practice_id, challenge_id, document, keyed, at) "
                "SELECT practice_id, id, 1, sha256('x'), created_at FROM challenge WHERE created_at = :old"
            ),
            {"old": old},
        )
    assert await upkeep(exchange).forget() == 2
    assert len(await exchange.rows("SELECT 1 FROM challenge_attempt")) == 1
