"""What a server does not start with, and what makes one that runs not ready."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import text

from callcenter.app import Running, run_server
from callcenter.installation import Addresses, SchemaOutdated
from callcenter.kernel.errors import Unavailable
from callcenter.settings import Settings
from callcenter.speech.voices import SilentVoice
from callcenter.store.database import Database
from callcenter.store.roles import WrongLogin
from callcenter.store.schema import APP, OWNER, SEALER
from tests.acceptance.stage import stage_settings
from tests.conftest import ROOT, Cluster

LOGIN = "server_of_a_test"


@asynccontextmanager
async def running(cluster: Cluster, name: str, user: str, settings: Settings) -> AsyncIterator[Running]:
    addresses = Addresses(
        cluster.server.url(user=user, database=name), cluster.server.dsn(user=user, database=name), None
    )
    async with run_server(settings, addresses, voice=SilentVoice()) as server:
        yield server


async def ready(server: Running) -> tuple[int, list[str]]:
    async with aiohttp.ClientSession() as session, session.get(f"{server.private}/readyz") as answer:
        return answer.status, json.loads(await answer.text())["failed"]


@pytest.mark.parametrize("user", [ROOT, OWNER, SEALER])
async def test_p5_a_server_that_row_level_security_does_not_bind_does_not_start(
    cluster: Cluster, database_name: str, keys_file: Path, user: str
) -> None:
    with pytest.raises(WrongLogin, match="CREATE ROLE … LOGIN PASSWORD"):
        async with running(cluster, database_name, user, stage_settings(keys_file)):
            pass


async def test_p5_a_login_that_is_given_more_makes_the_server_not_ready(
    cluster: Cluster, database_name: str, keys_file: Path
) -> None:
    await cluster.administer(f"CREATE ROLE {LOGIN} LOGIN IN ROLE {APP}")
    try:
        async with running(cluster, database_name, LOGIN, stage_settings(keys_file)) as server:
            assert await ready(server) == (200, [])
            await cluster.administer(f"GRANT {OWNER} TO {LOGIN}")
            assert await ready(server) == (503, ["login"])
            await cluster.administer(f"REVOKE {OWNER} FROM {LOGIN}")
            assert await ready(server) == (200, [])
    finally:
        await cluster.administer(f"DROP ROLE {LOGIN}")


async def test_a_schema_of_another_version_makes_the_server_not_ready_and_is_not_started_with(
    cluster: Cluster, database_name: str, keys_file: Path, owner_database: Database
) -> None:
    async with running(cluster, database_name, APP, stage_settings(keys_file)) as server:
        assert await ready(server) == (200, [])
        async with owner_database.house() as connection:
            await connection.execute(text("UPDATE alembic_version SET version_num = 'later'"))
        assert await ready(server) == (503, ["schema"])
    with pytest.raises(SchemaOutdated, match="callcenter db migrate"):
        async with running(cluster, database_name, APP, stage_settings(keys_file)):
            pass


async def test_a_port_that_is_taken_is_said_with_what_to_do(
    cluster: Cluster, database_name: str, keys_file: Path
) -> None:
    settings = stage_settings(keys_file)
    async with running(cluster, database_name, APP, settings):
        with pytest.raises(Unavailable, match=f"{settings.private.port}.*another port"):
            async with running(cluster, database_name, APP, settings):
                pass
