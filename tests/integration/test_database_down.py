"""What counts as the database being down: it could not serve, whatever it was asked. What was wrong to ask does not."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from callcenter.store.database import Database, DatabaseDown

ENOUGH = "SELECT pg_sleep(30)"


async def asks(database: Database, *statements: str) -> None:
    async with database.house() as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def test_a_statement_that_is_out_of_time(database: Database) -> None:
    with pytest.raises(DatabaseDown):
        await asks(database, "SET LOCAL statement_timeout = 20", ENOUGH)


async def test_a_lock_that_is_not_to_be_had(database: Database) -> None:
    lock = "SELECT pg_advisory_xact_lock(1)"
    async with database.house() as holder:
        await holder.execute(text(lock))
        with pytest.raises(DatabaseDown):
            await asks(database, "SET LOCAL lock_timeout = 20", lock)


async def test_a_connection_that_an_operator_ended(database: Database) -> None:
    others = "FROM pg_stat_activity WHERE application_name = 'callcenter' AND pid <> pg_backend_pid()"
    sleeping = asyncio.create_task(asks(database, ENOUGH))
    async with database.house() as connection:
        for _ in range(1000):
            ended = await connection.execute(
                text(f"SELECT pg_terminate_backend(pid) {others} AND datname = current_database() AND state = 'active'")
            )
            if ended.scalars().all():
                break
            await asyncio.sleep(0.01)
    with pytest.raises(DatabaseDown):
        await sleeping


@pytest.mark.parametrize("statement", ["SELECT 1 / 0", "SELECT * FROM nothing", "SELECT 'x'::int"])
async def test_a_statement_that_is_wrong_is_not_the_database_being_down(database: Database, statement: str) -> None:
    with pytest.raises(DBAPIError):
        await asks(database, statement)
