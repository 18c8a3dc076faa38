"""The schema is what the rooms' tables say, and row-level security guards every table about patients."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import LargeBinary, text
from sqlalchemy.ext.asyncio import AsyncConnection

import callcenter.audit.tables
import callcenter.calls.carrier_tables
import callcenter.calls.flow_tables
import callcenter.calls.tables
import callcenter.identity.tables
import callcenter.notices.tables
import callcenter.practice.tables
import callcenter.reports.extract_tables
import callcenter.reports.tables
import callcenter.routing.tables
import callcenter.staff.glass_tables
import callcenter.staff.incident_tables
import callcenter.staff.tables
import callcenter.store.tables  # noqa: F401 - each import puts its tables on the metadata
from callcenter.store.database import Database
from callcenter.store.schema import OWNER, in_practice_scope, is_guarded, metadata
from tests.conftest import Cluster

#: Job queue and migration state: not ours to describe.
FOREIGN = ("procrastinate", "alembic")


async def test_the_migrations_make_what_the_tables_say(owner_database: Database) -> None:
    def differences(connection: object) -> list[object]:
        def include(_object: object, name: str | None, kind: str, _reflected: bool, _to: object) -> bool:
            return not (kind == "table" and name is not None and name.startswith(FOREIGN))

        context = MigrationContext.configure(connection, opts={"include_object": include})  # type: ignore[arg-type]
        return compare_metadata(context, metadata)

    async with owner_database.house() as connection:
        assert await connection.run_sync(differences) == []


async def test_every_constraint_of_the_tables_is_the_one_that_the_migrations_made(
    cluster: Cluster, owner_database: Database
) -> None:
    """What autogenerate does not compare: checks, and the text of every constraint."""
    await cluster.create("made_from_tables")
    made = Database(cluster.server.url(user=OWNER, database="made_from_tables"), pool_size=1)
    try:
        async with made.house() as connection:
            await connection.execute(text("DROP SCHEMA public CASCADE"))
            await connection.execute(text("CREATE SCHEMA public"))
            await connection.run_sync(metadata.create_all)
            told = await _constraints(connection)
    finally:
        await made.close()
        await cluster.drop("made_from_tables")
    async with owner_database.house() as connection:
        migrated = await _constraints(connection)
    assert migrated == told


async def _constraints(connection: AsyncConnection) -> dict[tuple[str, str], str]:
    query = text(
        "SELECT t.relname, c.conname, pg_get_constraintdef(c.oid) AS definition "
        "FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid "
        "WHERE c.contype IN ('c', 'f', 'p', 'u', 'x') AND t.relnamespace = 'public'::regnamespace"
    )
    rows = await connection.execute(query)
    return {(row.relname, row.conname): row.definition for row in rows if not row.relname.startswith(FOREIGN)}


def test_p5_every_reference_to_a_row_of_a_practice_names_the_practice() -> None:
    """Foreign keys ignore row-level security: one that leaves the practice out reaches into another."""
    reaching_out = [
        f"{table.name}.{key.column_keys} -> {key.referred_table.name}"
        for table in metadata.tables.values()
        for key in table.foreign_key_constraints
        if in_practice_scope(table) and "practice_id" in key.referred_table.columns
        if ("practice_id", "practice_id") not in {(part.parent.name, part.column.name) for part in key.elements}
    ]
    assert reaching_out == []


async def test_p5_every_table_about_patients_is_guarded_and_no_other_has_a_sealed_column(database: Database) -> None:
    query = text(
        "SELECT relname, relrowsecurity AND relforcerowsecurity AS guarded FROM pg_class c "
        "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE relkind = 'r' AND nspname = 'public'"
    )
    async with database.house() as connection:
        guarded = {row.relname: row.guarded for row in await connection.execute(query)}
    for name, table in metadata.tables.items():
        sealed = [column.name for column in table.columns if isinstance(column.type, LargeBinary)]
        assert guarded[name] == is_guarded(table), f"{name}: guarded is {guarded[name]}"
        assert is_guarded(table) or not sealed, f"{name} is in house scope and has {sealed}"
    assert set(guarded) - set(metadata.tables) == {name for name in guarded if name.startswith(FOREIGN)}
