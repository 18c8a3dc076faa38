"""The ledger's tables hold against whoever has rights on them: the server, the owner, an administrator's slip (P4)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from callcenter.audit.ledger import Entry, EventKind, Segment, Writing, note, stream_so_far, writing
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import Unavailable
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.demo_file import demo_id
from callcenter.store.database import Database, Transaction
from callcenter.store.schema import ERASER, OWNER, SEALER
from tests.conftest import ROOT, Cluster
from tests.locks import somebody_waits

TILLEULS = demo_id("practice", "cabinet-des-tilleuls")
JEANNE = demo_id("patient", "jeanne-martin-duval")
ACTOR = {"kind": "ivr", "id": "callcenter"}


@pytest.fixture
def database_name(peopled_name: str) -> str:
    return peopled_name


@pytest.fixture
async def ledger(database: Database, clock: DrivenClock) -> Database:
    """A database with one record about Jeanne."""
    async with database.practice(TILLEULS) as tx:
        await mention_jeanne(tx, clock)
    return database


async def mention_jeanne(tx: Transaction, clock: DrivenClock) -> UUID:
    """Write a record about Jeanne; returns her token."""
    async with writing(tx, Segment(uuid4(), None), clock, SystemRandom()) as pen:
        await pen.add(Entry(EventKind.CALL_STARTED, ACTOR, JEANNE))
    return await token(tx.connection)


async def test_a_pen_writes_at_the_end_of_its_block_and_is_closed_however_that_ends(
    ledger: Database, clock: DrivenClock
) -> None:
    stream, entry = uuid4(), Entry(EventKind.CALL_STARTED, ACTOR)
    async with ledger.practice(TILLEULS) as tx:
        for _ in range(2):
            await note(tx, entry, clock, SystemRandom(), stream=stream)
        async with writing(tx, (await stream_so_far(tx, stream))[0], clock, SystemRandom()) as pen:
            await pen.add(entry)
        records = text("SELECT seq FROM audit_record WHERE stream = :stream ORDER BY seq")
        assert list((await tx.connection.execute(records, {"stream": stream})).scalars()) == [0, 1, 2]
        assert (pen.segment.seq, pen.is_open) == (3, False)
        pens: list[Writing] = []

        async def breaks() -> None:
            async with writing(tx, pen.segment, clock, SystemRandom()) as broken:
                pens.append(broken)
                await broken.add(entry)
                raise Unavailable("a part")

        with pytest.raises(Unavailable):
            await breaks()
        assert [broken.is_open for broken in pens] == [False]
        assert len((await tx.connection.execute(records, {"stream": stream})).all()) == 3


async def token(connection: AsyncConnection) -> UUID:
    found: UUID = (await connection.execute(text("SELECT token FROM audit_subject"))).scalar_one()
    return found


@pytest.fixture
async def acting(cluster: Cluster, database_name: str) -> AsyncIterator[dict[str, Database]]:
    """The same database as each of those who may reach the ledger's tables."""
    roles = (OWNER, SEALER, ERASER, ROOT)
    acting = {role: Database(cluster.server.url(user=role, database=database_name), pool_size=1) for role in roles}
    yield acting
    for each in acting.values():
        await each.close()


@pytest.mark.parametrize("role", [OWNER, ROOT])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_record SET seq = seq",
        "DELETE FROM audit_record",
        "TRUNCATE audit_record CASCADE",
        "UPDATE audit_outbox SET practice_id = practice_id",
        "DELETE FROM audit_outbox",
        "TRUNCATE audit_outbox",
        "UPDATE audit_subject SET token = gen_random_uuid()",
    ],
)
async def test_p4_no_slip_of_an_administrator_changes_the_ledger(
    ledger: Database, acting: dict[str, Database], role: str, statement: str
) -> None:
    with pytest.raises(DBAPIError, match=r"only ever added to|only the sealer"):
        async with acting[role].house() as connection:
            await connection.execute(text(statement))


async def test_p4_nor_does_whatever_plays_back_what_was_written_elsewhere(
    ledger: Database, acting: dict[str, Database]
) -> None:
    """With session_replication_role = replica, ordinary triggers and foreign keys are silent."""
    for statement in ("DELETE FROM audit_record", "DELETE FROM audit_outbox", "UPDATE audit_subject SET token = token"):
        async with acting[ROOT].house() as connection:
            await connection.execute(text("SET LOCAL session_replication_role = replica"))
            with pytest.raises(DBAPIError, match=r"only ever added to|only the sealer"):
                await connection.execute(text(statement))


async def test_p4_the_sealer_takes_records_out_of_the_outbox(ledger: Database, acting: dict[str, Database]) -> None:
    async with acting[SEALER].house() as connection:
        assert (await connection.execute(text("DELETE FROM audit_outbox"))).rowcount == 1


async def test_p4_so_does_a_login_that_is_a_member_of_the_sealer(
    ledger: Database, acting: dict[str, Database], cluster: Cluster, database_name: str
) -> None:
    login = f"sealing_{database_name}"
    async with acting[ROOT].house() as connection:
        await connection.execute(text(f"CREATE ROLE {login} LOGIN IN ROLE {SEALER}"))
    engine = create_async_engine(cluster.server.url(user=login, database=database_name))
    try:
        async with engine.begin() as connection:
            assert (await connection.execute(text("DELETE FROM audit_outbox"))).rowcount == 1
    finally:
        await engine.dispose()
        async with acting[ROOT].house() as connection:
            await connection.execute(text(f"DROP ROLE {login}"))


async def test_p4_the_server_cannot_give_a_record_to_another_person(ledger: Database) -> None:
    for statement in ("UPDATE audit_subject SET token = gen_random_uuid()", "DELETE FROM audit_subject"):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with ledger.practice(TILLEULS) as tx:
                await tx.connection.execute(text(statement))


async def test_the_eraser_unlinks_a_person_and_a_later_mention_is_of_another_token(
    ledger: Database, acting: dict[str, Database], clock: DrivenClock
) -> None:
    async with ledger.practice(TILLEULS) as tx:
        before = await mention_jeanne(tx, clock)
    async with acting[ERASER].house() as connection:
        await connection.execute(text("DELETE FROM audit_subject"))
    async with ledger.practice(TILLEULS) as tx:
        assert await mention_jeanne(tx, clock) != before


async def test_two_first_mentions_at_once_agree_on_one_token(database: Database, clock: DrivenClock) -> None:
    async with database.practice(TILLEULS) as first, database.practice(TILLEULS) as second:
        made = await mention_jeanne(first, clock)
        other = asyncio.create_task(mention_jeanne(second, clock))
        while not await somebody_waits(database):  # bounded by the lock time-out of `other`
            assert not other.done(), other
            await asyncio.sleep(0.01)
        await first.connection.commit()
        assert await other == made
