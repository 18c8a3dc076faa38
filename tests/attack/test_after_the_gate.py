"""Failures between the gate's decision and the commit of its record: nothing may be heard of what was decided (P1)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.audit.ledger import Writing
from callcenter.calls import documents
from callcenter.calls.steps import Steps
from callcenter.disclosure.exits import Receipt, release
from callcenter.kernel.errors import Forbidden
from callcenter.kernel.labels import Category
from callcenter.kernel.protected import Protected
from callcenter.kernel.randomness import Random, new_token
from callcenter.store.database import Database
from tests.attack.defence import Defence, Outcome, Sabotage, attack, gained
from tests.attack.scene import (
    APOLOGY,
    HER_WORDS,
    JEANNE,
    SPOKEN_BY_THE_CARRIER,
    House,
    Line,
    heard_her_words,
)


def _a_failed_commit_is_not_seen(sabotage: Sabotage) -> None:
    @asynccontextmanager
    async def house(self: Database) -> AsyncIterator[AsyncConnection]:
        connection = await self.engine.connect()
        transaction = await connection.begin()
        try:
            yield connection
            with contextlib.suppress(Exception):
                await transaction.commit()
        finally:
            await connection.close()

    sabotage.replace(Database, "house", house)


ANSWER_AFTER_COMMIT = Defence(
    "an answer exists after its commit", "P1: no words without a record", _a_failed_commit_is_not_seen
)

#: What happens to the database when the record of a disclosure is committed.
FAULTS = {
    "an error": "RAISE EXCEPTION 'no space left on device'",
    "a lost connection": "PERFORM pg_terminate_backend(pg_backend_pid())",
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@attack(stopped_by=ANSWER_AFTER_COMMIT)
async def test_p1_the_database_fails_as_the_disclosure_is_committed(house: House, fault: str) -> Outcome:
    """With the carrier's voice, so that the words themselves stand in the answer that must not leave."""
    await house.ground.change(SPOKEN_BY_THE_CARRIER)
    line = await house.line().dial()
    await line.verify()
    await house.ground.change(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS "
        f"$$ BEGIN {fault}; RETURN NULL; END $$"
    )
    await house.ground.change(
        "CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON audit_record DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION fail()"
    )
    await line.press("1")
    assert not await told_on_record(line)
    assert (APOLOGY in line.all_heard) != heard_her_words(line)
    return gained(heard_her_words(line))


def _whatever_was_done_stays(sabotage: Sabotage) -> None:
    @asynccontextmanager
    async def house(self: Database) -> AsyncIterator[AsyncConnection]:
        async with self.engine.connect() as connection:
            try:
                yield connection
            finally:
                await connection.commit()

    sabotage.replace(Database, "house", house)


ONE_TRANSACTION = Defence("a step is one transaction", "P1: no words of a step that failed", _whatever_was_done_stays)


@attack(stopped_by=ONE_TRANSACTION)
async def test_p1_a_step_throws_after_its_words_were_made(house: House, monkeypatch: pytest.MonkeyPatch) -> Outcome:
    """The words lie ready as audio; then the step fails. Whoever learnt the address must not hear them."""
    tokens: list[str] = []

    def learnt(random: Random) -> str:
        tokens.append(new_token(random))
        return tokens[-1]

    async def throws(*_: object) -> None:
        raise RuntimeError("between the gate's decision and the commit")

    line = await house.line().dial()
    await line.verify()
    monkeypatch.setattr(documents, "new_token", learnt)
    monkeypatch.setattr(Steps, "_save", throws)
    await line.press("1")
    (token,) = tokens
    assert APOLOGY in line.all_heard
    assert line.audio == []
    answer = await house.ask("GET", f"{house.base}/audio/{await line.id()}/{token}")
    assert (answer.status == 200) == (HER_WORDS in answer.text)
    assert (answer.status == 200) == await told_on_record(line)
    return gained(answer.status == 200)


async def told_on_record(line: Line) -> bool:
    """Whether the ledger holds the disclosure of the appointment's time."""
    return any("D03" in record.body.get("categories", ()) for record in await line.records())


def _receipts_never_end(sabotage: Sabotage) -> None:
    sabotage.replace(Writing, "close", lambda _: None)


RECEIPT_ENDS = Defence("a receipt ends with its transaction", "P1: no words without a record", _receipts_never_end)


@attack(stopped_by=RECEIPT_ENDS)
async def test_p1_a_receipt_is_used_after_its_transaction(house: House, monkeypatch: pytest.MonkeyPatch) -> Outcome:
    """Code that remembers the grant of one step speaks by it in the next, without a record."""
    kept: list[Receipt] = []
    real = Receipt.__init__

    def remembering(self: Receipt, *arguments: Any) -> None:
        real(self, *arguments)
        kept.append(self)

    monkeypatch.setattr(Receipt, "__init__", remembering)
    line = await house.line().dial()
    await line.verify()
    await line.press("1")
    more = {"appointment.starts_at": Protected(HER_WORDS, Category.APPOINTMENT_TIME, JEANNE)}
    try:
        return gained(release(kept[-1], "appointment_again", more, _read))
    except Forbidden:
        return gained(None)


def _read(values: Mapping[str, object]) -> str:
    return str(values["appointment.starts_at"])
