"""Who the server is to the database: bound by row-level security (P5), unable to edit what is on record (P4)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from callcenter.store.database import Database, DatabaseDown
from callcenter.store.roles import WrongLogin, require_app_login, require_sealer_login
from callcenter.store.schema import APP, ERASER, OWNER, SEALER
from tests.conftest import Cluster

LOGIN = "login_of_a_test"
BETWEEN = "between_of_a_test"


@asynccontextmanager
async def logged_in(cluster: Cluster, name: str, *roles: str, user: str = LOGIN) -> AsyncIterator[Database]:
    await cluster.administer(*roles)
    database = Database(cluster.server.url(user=user, database=name), pool_size=2)
    try:
        yield database
    finally:
        await database.close()
        await cluster.administer(f"DROP ROLE IF EXISTS {LOGIN}", f"DROP ROLE IF EXISTS {BETWEEN}")


async def said_of(database: Database) -> str:
    async with database.house() as connection:
        return await require_app_login(connection)


async def test_p5_a_member_of_the_app_role_and_nothing_more_serves(cluster: Cluster, database_name: str) -> None:
    async with logged_in(cluster, database_name, f"CREATE ROLE {LOGIN} LOGIN IN ROLE {APP}") as database:
        assert await said_of(database) == LOGIN


async def test_p5_the_embedded_servers_app_role_serves(database: Database) -> None:
    assert await said_of(database) == APP


@pytest.mark.parametrize(
    ("roles", "why"),
    [
        ([f"CREATE ROLE {LOGIN} LOGIN SUPERUSER"], "does not bind"),
        ([f"CREATE ROLE {LOGIN} LOGIN BYPASSRLS IN ROLE {APP}"], "does not bind"),
        ([f"CREATE ROLE {BETWEEN} BYPASSRLS", f"CREATE ROLE {LOGIN} LOGIN IN ROLE {APP}, {BETWEEN}"], "does not bind"),
        ([f"CREATE ROLE {LOGIN} LOGIN CREATEROLE IN ROLE {APP}"], "may make roles"),
        ([f"CREATE ROLE {LOGIN} LOGIN IN ROLE {APP}, {OWNER}"], f"also act as {OWNER}"),
        ([f"CREATE ROLE {LOGIN} LOGIN IN ROLE {APP}, {SEALER}"], f"also act as {SEALER}"),
        ([f"CREATE ROLE {LOGIN} LOGIN IN ROLE {APP}, {ERASER}"], f"also act as {ERASER}"),
        ([f"CREATE ROLE {BETWEEN} IN ROLE {OWNER}", f"CREATE ROLE {LOGIN} LOGIN IN ROLE {BETWEEN}"], OWNER),
        ([f"CREATE ROLE {LOGIN} LOGIN"], f"GRANT {APP} TO {LOGIN}"),
        ([f"CREATE ROLE {LOGIN} LOGIN NOINHERIT IN ROLE {APP}"], "does not inherit"),
    ],
)
async def test_p5_a_login_that_is_more_or_less_does_not(
    cluster: Cluster, database_name: str, roles: list[str], why: str
) -> None:
    async with logged_in(cluster, database_name, *roles) as database:
        with pytest.raises(WrongLogin, match=why):
            await said_of(database)


@pytest.mark.parametrize(
    ("roles", "why"),
    [
        ([f"CREATE ROLE {LOGIN} LOGIN SUPERUSER"], "does not bind"),
        (
            [f"CREATE ROLE {LOGIN} LOGIN IN ROLE {SEALER}, {APP}"],
            f"also act as {APP}: make a login for the sealer alone",
        ),
        ([f"CREATE ROLE {LOGIN} LOGIN IN ROLE {SEALER}, {OWNER}"], f"also act as {OWNER}"),
        ([f"CREATE ROLE {LOGIN} LOGIN IN ROLE {APP}"], f"also act as {APP}"),
        ([f"CREATE ROLE {LOGIN} LOGIN"], f"GRANT {SEALER} TO {LOGIN}"),
    ],
)
async def test_p4_whoever_seals_does_nothing_else(
    cluster: Cluster, database_name: str, roles: list[str], why: str
) -> None:
    async with logged_in(cluster, database_name, *roles) as database, database.house() as connection:
        with pytest.raises(WrongLogin, match=why):
            await require_sealer_login(connection)


async def test_p4_a_member_of_the_sealer_and_nothing_more_seals(cluster: Cluster, database_name: str) -> None:
    made = f"CREATE ROLE {LOGIN} LOGIN IN ROLE {SEALER}"
    async with logged_in(cluster, database_name, made) as database, database.house() as connection:
        assert await require_sealer_login(connection) == LOGIN


async def test_p5_a_role_that_was_put_on_hides_nothing(cluster: Cluster, database_name: str) -> None:
    roles = [f"CREATE ROLE {LOGIN} LOGIN SUPERUSER", f"ALTER ROLE {LOGIN} SET role = {APP}"]
    async with logged_in(cluster, database_name, *roles) as database:
        async with database.house() as connection:
            assert (await connection.execute(text("SELECT current_user"))).scalar_one() == APP
        with pytest.raises(WrongLogin, match="does not bind"):
            await said_of(database)


async def test_why_there_is_no_connection_is_said_with_what_to_do(cluster: Cluster, database_name: str) -> None:
    async with logged_in(cluster, database_name, user="nobody_of_a_test") as database:
        with pytest.raises(DatabaseDown, match="refuses the login"):
            await database.check()
    async with logged_in(cluster, "no_such_database", user=APP) as database:
        with pytest.raises(DatabaseDown, match="no database of that name"):
            await database.check()
    elsewhere = Database("postgresql+asyncpg://u:p@127.0.0.1:1/x")
    with pytest.raises(DatabaseDown, match="start PostgreSQL"):
        await elsewhere.check()
    await elsewhere.close()
