"""What a step asks is found by an index, however many practices there are: no step reads a large table to its end."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from callcenter.installation import Addresses
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.demo import seed
from callcenter.practice.key_fit import check_keys
from callcenter.speech.voices import SilentVoice
from callcenter.store.database import Database
from callcenter.store.keys import create_keys
from callcenter.store.schema import APP
from callcenter.store.sealed import Sealer
from tests.acceptance.stage import stage_settings
from tests.bench.filler import fill, lengthen_histories
from tests.bench.people import verifiable
from tests.bench.recording import record_call
from tests.bench.values import Execute, Recording, Step
from tests.conftest import ROOT, Cluster

#: What grows with practices, patients and calls.
LARGE = (
    *("patient", "contact", "appointment", "setting_version", "directory_number", "practice", "call", "call_session"),
    *("step_answer", "audit_record", "audit_outbox", "audio", "challenge", "challenge_attempt"),
)
_WHOLE = re.compile(rf"Seq Scan on (?:public\.)?({'|'.join(LARGE)})\b")
_ASKS = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")


@pytest.fixture
async def connection(cluster: Cluster, database_name: str) -> AsyncIterator[asyncpg.Connection]:
    """As the app role, bound by row-level security as the server is."""
    query = make_url(cluster.server.url(user=APP, database=database_name)).query
    opened = await asyncpg.connect(
        host=str(query["host"]), port=int(str(query["port"])), user=APP, database=database_name
    )
    yield opened
    await opened.close()


@pytest.fixture
async def recording(tmp_path: Path, cluster: Cluster, database_name: str, database: Database) -> Recording:
    """A verified call in a database with many practices, whose statistics are known."""
    sealer = Sealer(create_keys(tmp_path / "keys.json", SystemRandom()), SystemRandom())
    await seed(database, sealer, SystemClock(), SystemRandom())
    await check_keys(database, sealer)
    people = await verifiable(database, sealer, SystemClock().now())
    first, second, *_ = [person for person in people if person.called == "+33261910001"]
    root = create_async_engine(cluster.server.url(user=ROOT, database=database_name))
    async with root.begin() as filling:
        await fill(filling)
        await lengthen_histories(filling, 100)
    async with root.connect() as analysing:
        await (await analysing.execution_options(isolation_level="AUTOCOMMIT")).execute(text("VACUUM ANALYZE"))
    await root.dispose()
    addresses = Addresses(
        cluster.server.url(user=APP, database=database_name), cluster.server.dsn(user=APP, database=database_name), None
    )
    settings = stage_settings(tmp_path / "keys.json")
    return await record_call(settings, addresses, (first, second), voice=SilentVoice())


async def plan(connection: asyncpg.Connection, statement: Execute) -> str:
    rows = await connection.fetch(f"EXPLAIN {statement.sql}", *statement.parameters)
    return "\n".join(row[0] for row in rows)


async def test_no_statement_of_a_verified_call_reads_a_large_table_to_its_end(
    recording: Recording, connection: asyncpg.Connection
) -> None:
    await connection.execute("SELECT set_config('app.practice', $1, false)", str(recording.person.practice))
    planned, read = 0, []
    for step in Step:
        for statement in recording.operations[step]:
            if isinstance(statement, Execute) and statement.sql.lstrip().startswith(_ASKS):
                found = await plan(connection, statement)
                planned += 1
                read += [f"{step.value}: {table}: {statement.sql}\n{found}" for table in _WHOLE.findall(found)]
    assert planned > 50, "most of what a call asks was looked at"
    assert not read, "\n\n".join(read)
    await _a_statement_without_an_index_would_be_seen(connection)


async def _a_statement_without_an_index_would_be_seen(connection: asyncpg.Connection) -> None:
    for sql, table in (
        ("SELECT id FROM call WHERE status = 0", "call"),
        ("SELECT number FROM directory_number WHERE lower(number) = 'x'", "directory_number"),
        ("SELECT practice_id FROM setting_version WHERE made_by = 'x'", "setting_version"),
        ("SELECT id FROM practice WHERE rescue_number = 'x'", "practice"),
    ):
        assert _WHOLE.findall(await plan(connection, Execute(0, sql, ()))) == [table]
