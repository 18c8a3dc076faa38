"""A database of an earlier version comes to the schema of this one with all that it holds, and serves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, MetaData, Table, insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from callcenter.emulator.outcomes import Passed
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.randomness import SeededRandom, SystemRandom
from callcenter.practice.demo import FOLDER
from callcenter.practice.demo_file import read_demonstration
from callcenter.practice.directory import Directory
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.instructions import Instructions
from callcenter.practice.practice_form import Setting, as_written
from callcenter.practice.reception import Reception
from callcenter.practice.slots import BookingPlan
from callcenter.store.keys import create_keys
from callcenter.store.migrations import migrate, revisions
from callcenter.store.roles import create_database
from callcenter.store.schema import APP, OWNER, SEALER
from tests.acceptance.stage import stage_settings, staged
from tests.conftest import ROOT, Cluster
from tests.sealing import a_key, seal_once, verified

TRANSCRIPT = Path(__file__).resolve().parents[1] / "acceptance" / "transcripts" / "verified_by_sms.yaml"
OLD = "of_the_first_version"
BEFORE_OVERLAPS = "0012"
#: Held by a column that the first version did not leave empty.
SEALED = b"sealed"

#: What the demo and a call do not leave behind: requests to be called back, of which one was handled; a code that is
#: awaited, one too old; and a call that was ended by a machine whose clock was behind.
MORE = (
    "INSERT INTO message (id, practice_id, reason, number, call_reference, created_at) "
    "SELECT gen_random_uuid(), practice_id, 'other', 'sealed', id, now() FROM call",
    "INSERT INTO message (id, practice_id, reason, number, created_at, handled_at, handled_by) "
    "SELECT gen_random_uuid(), practice_id, 'other', 'sealed', now(), now() - interval '1 day', 'anna' FROM call",
    "INSERT INTO challenge (id, practice_id, call_id, secret, created_at, expires_at) "
    "SELECT gen_random_uuid(), practice_id, id, 'awaited', now(), now() + interval '10 minutes' FROM call",
    "INSERT INTO challenge (id, practice_id, call_id, secret, created_at, expires_at) "
    "SELECT gen_random_uuid(), practice_id, id, 'too old', now() - interval '1 hour', now() - interval '50 minutes' "
    "FROM call",
    "INSERT INTO call (id, practice_id, carrier_sid, status, started_at, ended_at) "
    "SELECT gen_random_uuid(), id, 'CA' || id, 14, now(), now() - interval '3 milliseconds' FROM practice",
)


@dataclass(frozen=True)
class Old:
    """A database at 0001, with what the demo and a verified call leave in it.

    Arguments:
        owner, root: engines as those two roles; row-level security does not bind ``root``.
        tables: as 0001 has them.
    """

    owner: AsyncEngine
    root: AsyncEngine
    tables: MetaData
    keys_file: Path

    async def counted(self) -> dict[str, int]:
        """How many slots are booked and held."""
        async with self.root.connect() as connection:
            return {
                table: (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()
                for table in ("booking_request", "slot_hold")
            }

    async def rows(self, table: str) -> list[dict[str, Any]]:
        """The rows of ``table``, in the columns that 0001 has."""
        async with self.root.connect() as connection:
            return await _rows(connection, self.tables.tables[table])


async def _rows(connection: AsyncConnection, table: Table) -> list[dict[str, Any]]:
    found = await connection.execute(select(*_columns(table)))
    return sorted((dict(row) for row in found.mappings()), key=lambda row: [str(value) for value in row.values()])


async def _as_written(connection: AsyncConnection, table: Table) -> list[dict[str, Any]]:
    """The same in the order of the generated number, where there is one: given anew, it still says what came first."""
    numbers = [column for column in table.columns if column.identity is not None]
    found = await connection.execute(select(*_columns(table)).order_by(*numbers))
    return [dict(row) for row in found.mappings()]


def _columns(table: Table) -> list[Column[Any]]:
    """A generated number is given anew."""
    return [column for column in table.columns if column.identity is None]


def _our_own(name: str, _: MetaData) -> bool:
    return not name.startswith(("procrastinate", "alembic"))


async def _play(cluster: Cluster, name: str, keys_file: Path, clock: DrivenClock, random: SeededRandom) -> None:
    """A verified call, from ring to ledger, on the database ``name``."""
    app, jobs = cluster.server.url(user=APP, database=name), cluster.server.dsn(user=APP, database=name)
    async with staged(stage_settings(keys_file), app, jobs, clock, random) as stage:
        outcome = await stage.play(TRANSCRIPT)
    assert isinstance(outcome, Passed), outcome


@pytest.fixture
async def old(
    cluster: Cluster, database_name: str, tmp_path: Path, clock: DrivenClock, random: SeededRandom
) -> AsyncIterator[Old]:
    keys_file = tmp_path / "keys.json"
    create_keys(keys_file, SystemRandom())
    await _play(cluster, database_name, keys_file, clock, random)
    admin = create_async_engine(cluster.server.url(user=ROOT, database="postgres"), isolation_level="AUTOCOMMIT")
    async with admin.connect() as connection:
        await create_database(connection, OLD)
    await admin.dispose()
    owner, root, head = (
        create_async_engine(cluster.server.url(user=user, database=name))
        for user, name in ((OWNER, OLD), (ROOT, OLD), (ROOT, database_name))
    )
    tables = MetaData()
    try:
        async with owner.begin() as connection:
            await migrate(connection, "0001")
            await connection.run_sync(lambda plain: tables.reflect(plain, only=_our_own))
        async with head.connect() as source, root.begin() as target:
            await _copy(source, target, tables)
            for statement in MORE:
                await target.execute(text(statement))
        yield Old(owner, root, tables, keys_file)
    finally:
        for engine in (owner, root, head):
            await engine.dispose()
        await cluster.drop(OLD)


async def _copy(source: AsyncConnection, target: AsyncConnection, tables: MetaData) -> None:
    settings = await Directory.all(source, datetime.now(UTC))
    for table in tables.sorted_tables:
        rows = _first_settings(table.name, settings) or await _as_written(source, table)
        if table.name == "challenge":
            rows = [row | {"secret": row["secret"] or SEALED} for row in rows]
        if rows:
            await target.execute(insert(table), rows)


def _first_settings(table: str, practices: list[PracticeFacts]) -> list[dict[str, Any]]:
    """What stood in columns and tables of its own before settings were versions."""
    match table:
        case "practice":
            return [_first_practice(facts) for facts in practices]
        case "directory_number":
            return [
                {"number": number, "practice_id": facts.id, "entry": door.entry.value}
                for facts in practices
                for number, door in facts.numbers.items()
            ]
        case "opening_hours":
            return [
                {"practice_id": facts.id, "weekday": day, "opens": opens, "closes": closes}
                for facts in practices
                for day, intervals in facts.hours.items()
                for opens, closes in intervals
            ]
    return []


def _first_practice(facts: PracticeFacts) -> dict[str, Any]:
    written = as_written(facts)
    columns = ("name", "spoken_name", "address", "access", "timezone", "holiday_subdivision", "rescue_number")
    more = ("closing_conduct", "out_of_hours_number", "voice")
    head = {"id": facts.id, "organisation_id": facts.organisation_id, "slug": facts.slug}
    return head | {column: written[Setting(column)] for column in (*columns, *more)}


def _migrated(table: str, row: dict[str, Any]) -> dict[str, Any]:
    """``row`` as it should stand now."""
    match table:
        case "call" if row["ended_at"]:
            return row | {"ended_at": max(row["ended_at"], row["started_at"])}
        case "challenge" if row["consumed_at"] or row["expires_at"] < datetime.now(UTC):
            return row | {"secret": None}
    return row


#: Two bookings side by side, a cancelled one across both, and one that is held while its caller thinks.
SLOTS = (
    "INSERT INTO booking_request (id, practice_id, practitioner_id, starts_at, duration_minutes, birth_date, number, "
    "reference_index, number_index, state, created_at, changed_at) "
    "SELECT gen_random_uuid(), practice_id, id, '2026-12-01 09:00+01'::timestamptz + n * interval '30 minutes', "
    "CASE n WHEN 2 THEN 15 ELSE 30 END, 'sealed', 'sealed', sha256(concat(id, n)::bytea), sha256('1'), "
    "CASE n WHEN 2 THEN 'cancelled' ELSE 'open' END, now(), now() FROM practitioner, generate_series(0, 2) AS n",
    "UPDATE booking_request SET starts_at = starts_at - interval '30 minutes' WHERE state = 'cancelled'",
    "INSERT INTO slot_hold (call_id, practice_id, practitioner_id, starts_at, duration_minutes, offered, held_until) "
    "SELECT c.id, c.practice_id, p.id, '2026-12-01 10:00+01', 15, 1, now() "
    "FROM (SELECT practice_id, min(id::text)::uuid AS id FROM call GROUP BY practice_id) c "
    "JOIN LATERAL (SELECT id FROM practitioner p WHERE p.practice_id = c.practice_id ORDER BY id LIMIT 1) p ON true",
)
LONGER = (
    "UPDATE booking_request SET duration_minutes = 45 WHERE id = "
    "(SELECT id FROM booking_request WHERE state = 'open' ORDER BY starts_at, id LIMIT 1)"
)


async def _at(owner: AsyncEngine, root: AsyncEngine, revision: str, *statements: str) -> None:
    async with owner.begin() as connection:
        await migrate(connection, revision)
    async with root.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def test_slots_of_the_version_before_stand_and_overlap_no_more(old: Old) -> None:
    await _at(old.owner, old.root, BEFORE_OVERLAPS, *SLOTS)
    before = await old.counted()
    assert min(before.values()) > 0
    async with old.owner.begin() as connection:
        await migrate(connection)
    assert await old.counted() == before
    with pytest.raises(DBAPIError, match="ex_booking_request_overlap"):
        async with old.root.begin() as connection:
            await connection.execute(text(LONGER))


async def test_slots_that_overlap_already_are_named_with_what_to_do(old: Old) -> None:
    await _at(old.owner, old.root, BEFORE_OVERLAPS, *SLOTS, LONGER)
    with pytest.raises(CallcenterError, match="overlap: cancel one of them"):
        async with old.owner.begin() as connection:
            await migrate(connection)


async def test_a_database_of_the_first_version_keeps_all_it_holds_and_serves(
    cluster: Cluster, old: Old, clock: DrivenClock, random: SeededRandom
) -> None:
    before = {name: await old.rows(name) for name in old.tables.tables}
    demonstration = read_demonstration(FOLDER)
    assert [name for name, rows in before.items() if not rows] == []
    assert {row["secret"] for row in before["challenge"]} == {SEALED, b"awaited", b"too old"}
    async with old.owner.begin() as connection:
        await migrate(connection)
        current, needed = await revisions(connection)
    assert current == needed
    for name, rows in before.items():
        if name in ("practice", "directory_number", "opening_hours"):
            continue  # settings now, as below
        assert await old.rows(name) == [_migrated(name, row) for row in rows], name
    async with old.root.connect() as connection:
        practices = {facts.slug: facts for facts in await Directory.all(connection, clock.now())}
        noted = "SELECT handling_noted_at IS NOT DISTINCT FROM handled_at FROM message"
        assert set((await connection.execute(text(noted))).scalars()) == {True}
    described = demonstration.practices.items()
    # who can be booked by telephone, who answers when, and what operators must know were no settings then
    unset: dict[str, Any] = {"booking": BookingPlan(), "reception": Reception(), "instructions": Instructions()}
    assert practices == {slug: replace(one.facts, **unset) for slug, one in described}
    async with old.root.connect() as connection:
        waited = sum(one.waiting for one in (await verified(connection, a_key())).values())
    await _play(cluster, OLD, old.keys_file, clock, random)
    assert await seal_once(cluster.server.url(user=SEALER, database=OLD), a_key(), clock) == []
    async with old.root.connect() as connection:
        sealed = (await verified(connection, a_key())).values()
    assert (sum(one.leaves for one in sealed) > waited > 0, {one.waiting for one in sealed}) == (True, {0})
