"""Each migration, on data that the one before it has left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from alembic import command
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from callcenter.store.migrations import _config, migrate, revisions
from callcenter.store.roles import create_database
from callcenter.store.schema import OWNER
from tests.conftest import ROOT, Cluster

NAME = "migrated"

ORGANISATION, PRACTICE, CALL, CHALLENGE, RECORD, STREAM, AUDIO = (UUID(int=number, version=4) for number in range(1, 8))

#: One call of one practice, with everything that belongs to a call, as revision 0001 takes it.
CALL_AT_0001 = (
    f"INSERT INTO organisation VALUES ('{ORGANISATION}', 'Télésecrétariat')",
    "INSERT INTO practice (id, organisation_id, slug, name, spoken_name, address, access, rescue_number, "
    f"closing_conduct, out_of_hours_number) VALUES ('{PRACTICE}', '{ORGANISATION}', 'cabinet', 'Cabinet', 'Cabinet', "
    "'Lyon', '', '+33465710090', 'Le 15.', '15')",
    f"INSERT INTO call VALUES ('{CALL}', '{PRACTICE}', 'CA1', 3, now(), NULL)",
    f"INSERT INTO call_session VALUES ('{CALL}', '{PRACTICE}', 1, 'sealed')",
    f"INSERT INTO step_answer VALUES ('{PRACTICE}', '{CALL}', 0, 'next', 'print', 'sealed', now())",
    "INSERT INTO challenge (id, practice_id, call_id, secret, created_at, expires_at) "
    f"VALUES ('{CHALLENGE}', '{PRACTICE}', '{CALL}', 'sealed', now(), now() + interval '10 minutes')",
    f"INSERT INTO audit_record VALUES ('{RECORD}', '{PRACTICE}', '{STREAM}', 0, '{CALL}', sha256('x'), 'body')",
    f"INSERT INTO audio VALUES ('{AUDIO}', '{PRACTICE}', '{CALL}', 'hash', '{RECORD}', 'sealed', 'fr', now())",
)


@pytest.fixture
async def owner(cluster: Cluster) -> AsyncIterator[AsyncConnection]:
    """A connection as the owner of an empty database; nothing is committed."""
    root = create_async_engine(cluster.server.url(user=ROOT, database="postgres"), isolation_level="AUTOCOMMIT")
    async with root.connect() as connection:
        await create_database(connection, NAME)
    await root.dispose()
    engine = create_async_engine(cluster.server.url(user=OWNER, database=NAME))
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()
        await cluster.drop(NAME)


async def upgrade(connection: AsyncConnection, revision: str) -> None:
    def to_revision(plain: Connection) -> None:
        config = _config()
        config.attributes["connection"] = plain
        command.upgrade(config, revision)

    await connection.run_sync(to_revision)


async def test_0002_keeps_the_calls_that_stand_and_binds_them_to_their_practice(owner: AsyncConnection) -> None:
    await upgrade(owner, "0001")
    for statement in CALL_AT_0001:
        await owner.execute(text(statement))
    await migrate(owner)
    current, needed = await revisions(owner)
    assert current == needed
    for table in ("call", "call_session", "step_answer", "challenge", "audio"):
        assert (await owner.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() == 1
    unchecked = "SELECT conname FROM pg_constraint WHERE contype = 'f' AND NOT convalidated"
    assert (await owner.execute(text(unchecked))).all() == []
    await owner.execute(text("DELETE FROM call_session"))
    assert (await owner.execute(text("SELECT count(*) FROM step_answer"))).scalar_one() == 0, "answers go with it"
