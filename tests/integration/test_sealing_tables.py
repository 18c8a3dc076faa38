"""The tables that seal the ledger hold against whoever has rights on them; their rows stay in their log (P4, P5)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.audit.ledger import Entry, EventKind, note
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.demo_file import demo_id
from callcenter.staff.records import NOBODY, Act, HouseLog
from callcenter.store.database import Database
from callcenter.store.migrations import migrate
from callcenter.store.schema import APP, ERASER, OWNER, SEALER
from tests.conftest import ROOT, Cluster

TILLEULS = demo_id("practice", "cabinet-des-tilleuls")
HOUSE = UUID(int=0)
SEALED = ("audit_leaf", "audit_checkpoint", "audit_log")


@pytest.fixture
def database_name(peopled_name: str) -> str:
    return peopled_name


@pytest.fixture
async def acting(cluster: Cluster, database_name: str, database: Database) -> AsyncIterator[dict[str, Database]]:
    """The same database as each of those who may reach the ledger's tables; two heads of the practice's log in it."""
    roles = (OWNER, SEALER, ERASER, ROOT)
    acting = {role: Database(cluster.server.url(user=role, database=database_name), pool_size=1) for role in roles}
    async with acting[SEALER].house() as connection:
        for log in (TILLEULS, HOUSE):
            await _seals(connection, log)
    yield {**acting, APP: database}
    for each in acting.values():
        await each.close()


async def _seals(connection: AsyncConnection, log: UUID) -> None:
    leaf = "INSERT INTO audit_leaf VALUES (:log, 0, gen_random_uuid(), gen_random_uuid(), 0, sha256('a'))"
    head = "INSERT INTO audit_checkpoint VALUES (:log, :size, 'note', :at)"
    await connection.execute(text(leaf), {"log": log})
    await connection.execute(text("INSERT INTO audit_log VALUES (:log, 2, sha256('a'), now())"), {"log": log})
    for size, minute in ((1, 10), (2, 20)):
        at = f"2026-11-26T09:{minute}:00Z"
        await connection.execute(text(head.replace(":at", f"'{at}'")), {"log": log, "size": size})


def changes(table: str) -> list[str]:
    column = {"audit_leaf": "seq", "audit_checkpoint": "note", "audit_log": "size"}[table]
    return [f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}", f"TRUNCATE {table}"]


@pytest.mark.parametrize("table", SEALED)
async def test_p4_nobody_changes_what_is_sealed(acting: dict[str, Database], table: str) -> None:
    """The sealer itself neither, the owner by no accident, nor a process that plays back what was written elsewhere."""
    for statement in changes(table):
        for role in (APP, SEALER, ERASER, OWNER, ROOT):
            async with acting[role].house() as connection:
                await connection.execute(text(f"SET LOCAL app.practice = '{TILLEULS}'"))
                if role == ROOT:
                    await connection.execute(text("SET LOCAL session_replication_role = replica"))
                with pytest.raises(DBAPIError, match=r"permission denied|only ever added to|only the sealer"):
                    await connection.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO audit_leaf SELECT log_id, 9, gen_random_uuid(), stream, 9, leaf FROM audit_leaf",
        "INSERT INTO audit_checkpoint SELECT log_id, 9, note, signed_at FROM audit_checkpoint",
        "INSERT INTO audit_log SELECT gen_random_uuid(), size, frontier, sealed_at FROM audit_log",
        "INSERT INTO audit_outbox (practice_id, record_id, written_at) VALUES (gen_random_uuid(), gen_random_uuid(), "
        "'infinity')",
        "INSERT INTO house_outbox (record_id, written_at) VALUES (gen_random_uuid(), 'infinity')",
    ],
)
async def test_p4_the_server_seals_nothing_and_says_of_no_record_since_when_it_waits(
    database: Database, statement: str
) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with database.practice(TILLEULS) as tx:
            await tx.connection.execute(text(statement))


async def test_p4_the_sealer_takes_heads_away_that_were_followed_in_their_hour_and_no_other(
    acting: dict[str, Database],
) -> None:
    async with acting[SEALER].house() as connection:
        gone = await connection.execute(text("DELETE FROM audit_checkpoint WHERE size = 1"))
        assert gone.rowcount == 2
    with pytest.raises(DBAPIError, match="the last of each hour stays"):
        async with acting[SEALER].house() as connection:
            await connection.execute(text("DELETE FROM audit_checkpoint WHERE size = 2"))


async def test_p4_how_far_a_log_is_sealed_only_grows(acting: dict[str, Database]) -> None:
    forth = "UPDATE audit_log SET size = 4, frontier = sha256('b') WHERE log_id = :log"
    back = "UPDATE audit_log SET size = 1, frontier = sha256('b') WHERE log_id = :log"
    async with acting[SEALER].house() as connection:
        assert (await connection.execute(text(forth), {"log": TILLEULS})).rowcount == 1
    with pytest.raises(DBAPIError, match="never that it is sealed less far"):
        async with acting[SEALER].house() as connection:
            await connection.execute(text(back), {"log": TILLEULS})


async def test_p5_what_is_sealed_of_a_log_is_shown_in_its_practice_alone(
    acting: dict[str, Database], database: Database
) -> None:
    for table in SEALED:
        query = text(f"SELECT DISTINCT log_id FROM {table}")
        for log in (TILLEULS, HOUSE):
            async with database.practice(log) as tx:
                assert set((await tx.connection.execute(query)).scalars()) == {log}
        with pytest.raises(DBAPIError, match=r"type uuid|unrecognized configuration parameter"):
            async with database.house() as connection:
                await connection.execute(query)


async def test_what_waits_is_told_by_log_and_since_when(
    database: Database, acting: dict[str, Database], clock: DrivenClock
) -> None:
    waiting = "SELECT log_id FROM ledger_waiting(cast(:t AS interval))"
    async with acting[SEALER].house() as connection:
        await connection.execute(text("DELETE FROM audit_outbox"))
        await connection.execute(text("DELETE FROM house_outbox"))
    async with database.house() as connection:
        practices = list((await connection.execute(text("SELECT id FROM practice ORDER BY id"))).scalars())
        assert (await connection.execute(text("SELECT * FROM ledger_waiting('0')"))).all() == []
    other = next(one for one in practices if one != TILLEULS)
    for practice in (TILLEULS, other, TILLEULS):
        async with database.practice(practice) as tx:
            await note(tx, Entry(EventKind.CALL_STARTED, {"kind": "ivr", "id": "callcenter"}), clock, SystemRandom())
    async with database.house() as connection:
        await HouseLog(clock, SystemRandom()).note(connection, Act.REFUSED, NOBODY, None)
    async with acting[ROOT].house() as connection:
        await connection.execute(text("ALTER TABLE audit_outbox DISABLE TRIGGER audit_outbox_unchanged"))
        old = "UPDATE audit_outbox SET written_at = now() - interval '1 hour' WHERE practice_id = :it"
        await connection.execute(text(old), {"it": other})
    async with database.house() as connection:
        for longer_than, told in (("0", {TILLEULS, other, HOUSE}), ("30 minutes", {other}), ("2 hours", set())):
            found = await connection.execute(text(waiting.replace(":t", f"'{longer_than}'")))
            assert sorted(found.scalars()) == sorted(told)


async def test_only_the_server_and_the_sealer_ask_what_waits(acting: dict[str, Database]) -> None:
    for asked in ("ledger_waiting('0')", "ledger_sealed_at()"):
        for role in (APP, SEALER):
            async with acting[role].house() as connection:
                await connection.execute(text(f"SELECT * FROM {asked}"))
        with pytest.raises(DBAPIError, match="permission denied"):
            async with acting[ERASER].house() as connection:
                await connection.execute(text(f"SELECT * FROM {asked}"))


async def test_p4_what_a_server_of_the_release_before_still_writes_of_the_house_waits_for_its_seal(
    database: Database, acting: dict[str, Database]
) -> None:
    """It knows of no outbox. Left out there, its record would be missed by every verifier, for ever."""
    record = uuid4()
    async with database.house() as connection:
        await connection.execute(WRITE_HOUSE, {"id": record, "stream": uuid4(), "seq": 0, "body": '{"event":"x"}'})
        waiting = (await connection.execute(text("SELECT record_id FROM house_outbox"))).scalars().all()
    assert waiting.count(record) == 1
    async with acting[ROOT].house() as connection:
        grants = text("SELECT has_any_column_privilege(:app, 'house_outbox', 'INSERT, UPDATE')")
        assert (await connection.execute(grants, {"app": APP})).scalar_one() is False


async def test_a_large_outbox_is_not_written_anew_by_the_migration_and_whoever_writes_in_it_is_named(
    cluster: Cluster,
) -> None:
    name = f"before_sealing_{uuid4().hex[:8]}"
    await cluster.create(name, "template0")
    owner, root = (Database(cluster.server.url(user=user, database=name), pool_size=2) for user in (OWNER, ROOT))
    place = text("SELECT pg_relation_filenode('audit_outbox')")
    try:
        async with owner.engine.begin() as connection:
            await migrate(connection, "0036")
            before = (await connection.execute(place)).scalar_one()
        async with root.house() as connection:
            await connection.execute(text("SET LOCAL session_replication_role = replica"))
            row = "INSERT INTO audit_outbox (practice_id, record_id) SELECT gen_random_uuid(), gen_random_uuid()"
            await connection.execute(text(f"{row} FROM generate_series(1, 3)"))
        async with root.house() as writing:
            await writing.execute(text("LOCK TABLE house_record IN ROW EXCLUSIVE MODE"))
            async with owner.engine.connect() as connection:
                await connection.execute(text("SET LOCAL lock_timeout = '20ms'"))
                with pytest.raises(CallcenterError, match="stop every server"):
                    await migrate(connection, "0037")
        async with owner.engine.begin() as connection:
            await migrate(connection, "0037")
            assert (await connection.execute(place)).scalar_one() == before
            written = (await connection.execute(text("SELECT written_at = now() FROM audit_outbox"))).scalars().all()
    finally:
        await owner.close()
        await root.close()
        await cluster.drop(name)
    assert written == [True, True, True]


WRITE_HOUSE = text(
    "INSERT INTO house_record (id, stream, seq, leaf, body) VALUES (:id, :stream, :seq, "
    "encode(sha256('\\x00'::bytea || convert_to(:body, 'UTF8')), 'hex'), :body)"
)
OLDER = (
    ("11111111-0000-4000-8000-000000000000", 0, "2026-11-26T09:00:05.000000Z"),
    # written by a machine whose clock is behind: it still follows the one before it
    ("11111111-0000-4000-8000-000000000000", 1, "2026-11-26T09:00:01.000000Z"),
    ("22222222-0000-4000-8000-000000000000", 0, "2026-11-26T09:00:03.000000Z"),
    ("22222222-0000-4000-8000-000000000000", 1, "2026-11-26T09:00:09.000000Z"),
)


async def test_what_the_house_had_on_record_before_waits_in_the_order_of_its_time_and_streams(
    cluster: Cluster,
) -> None:
    name = f"before_sealing_{uuid4().hex[:8]}"
    await cluster.create(name, "template0")
    owner = Database(cluster.server.url(user=OWNER, database=name), pool_size=1)
    waiting = text("SELECT r.stream, r.seq FROM house_outbox o JOIN house_record r ON r.id = o.record_id ORDER BY o.n")
    try:
        async with owner.engine.begin() as connection:
            await migrate(connection, "0036")
            for stream, seq, at in reversed(OLDER):
                body = f'{{"ts":"{at}"}}'
                record = {"id": uuid4(), "stream": UUID(stream), "seq": seq, "body": body}
                await connection.execute(WRITE_HOUSE, record)
        async with owner.engine.begin() as connection:
            await migrate(connection)
            found = [(str(row.stream), row.seq) for row in await connection.execute(waiting)]
    finally:
        await owner.close()
        await cluster.drop(name)
    first, second = OLDER[0][0], OLDER[2][0]
    assert found == [(second, 0), (first, 0), (first, 1), (second, 1)]
