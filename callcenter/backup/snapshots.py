"""The database at one moment, from which both the dump and what the manifest says of it are taken."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.backup.manifest import Head
from callcenter.kernel.errors import CallcenterError, NotFound
from callcenter.store.database import single_connection
from callcenter.store.migrations import current_revision
from callcenter.store.restoring import UNFINISHED, refuse_unfinished
from callcenter.store.roles import become_owner
from callcenter.store.schema import OWNER


class NothingToBackUp(NotFound):
    """The database holds nothing yet: run `callcenter db migrate` first."""


class HiddenRows(CallcenterError):
    """A table would hide rows from the backup."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The database at one moment; it stands for as long as its transaction is open.

    Arguments:
        id: by which ``pg_dump`` reads the same moment.
        at: that moment, by the database's clock.
        server: its version, as a number (180004).
        rows: how many stand in each table.
    """

    id: str
    at: datetime
    server: int
    revision: str
    rows: Mapping[str, int]
    heads: tuple[Head, ...]


@asynccontextmanager
async def snapshot_of(owner_url: str) -> AsyncIterator[Snapshot]:
    """The database as it is now, for as long as the body runs.

    Arguments:
        owner_url: as the owner role, or who may act as it.

    Raises:
        NothingToBackUp: there is no schema of ours.
        HiddenRows: row-level security would keep rows of a table back, silently.
        RestoreUnfinished: a restore into it has not ended.
    """
    async with single_connection(owner_url) as connection:
        await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        await become_owner(connection)
        await refuse_unfinished(connection)
        revision = await current_revision(connection)
        if revision is None:
            raise NothingToBackUp
        if hidden := list((await connection.execute(_HIDDEN, {"owner": OWNER})).scalars()):
            raise HiddenRows(
                f"row-level security would keep rows of {', '.join(hidden)} back from {OWNER}, silently: give it a "
                "policy there as the other tables have, or the backup would lack them"
            )
        facts = (await connection.execute(_FACTS)).one()
        yield Snapshot(
            facts.snapshot, facts.at, facts.server, revision, await rows_of(connection), await _heads(connection)
        )


async def tables_of(connection: AsyncConnection) -> list[str]:
    """The tables of the schema, but for the one that a restore makes for itself."""
    return list((await connection.execute(_TABLES, {"mark": UNFINISHED})).scalars())


async def rows_of(connection: AsyncConnection) -> dict[str, int]:
    """How many rows stand in each table.

    Arguments:
        connection: as the owner role, which sees them all.
    """
    counts = {}
    for table in await tables_of(connection):
        name = (await connection.execute(_QUOTED, {"name": table})).scalar_one()
        counts[table] = int((await connection.execute(text(f"SELECT count(*) FROM public.{name}"))).scalar_one())  # noqa: S608 — quoted by the database
    return counts


async def _heads(connection: AsyncConnection) -> tuple[Head, ...]:
    """The last checkpoint of each log, where the ledger is sealed at all."""
    if not (await connection.execute(_SEALED)).scalar_one():
        return ()
    return tuple(Head(str(row.log_id), row.size, row.note) for row in await connection.execute(_HEADS))


_FACTS = text(
    "SELECT pg_export_snapshot() AS snapshot, transaction_timestamp() AS at, "
    "current_setting('server_version_num')::int AS server"
)
_TABLES = text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> :mark ORDER BY tablename")
_QUOTED = text("SELECT quote_ident(cast(:name AS text))")
#: Tables whose row-level security binds the owner, and where nothing shows it every row.
_HIDDEN = text(
    """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND c.relrowsecurity AND c.relforcerowsecurity
      AND (NOT EXISTS (
        SELECT FROM pg_policies p
        WHERE p.schemaname = 'public' AND p.tablename = c.relname AND p.permissive = 'PERMISSIVE' AND p.qual = 'true'
          AND p.cmd IN ('ALL', 'SELECT') AND :owner = ANY(p.roles))
      OR EXISTS (
        SELECT FROM pg_policies p
        WHERE p.schemaname = 'public' AND p.tablename = c.relname AND p.permissive = 'RESTRICTIVE'
          AND p.cmd IN ('ALL', 'SELECT') AND p.roles && ARRAY[:owner, 'public']::name[] AND p.qual <> 'true'))
    ORDER BY c.relname
    """
)
_SEALED = text("SELECT to_regclass('public.audit_checkpoint') IS NOT NULL")
_HEADS = text("SELECT DISTINCT ON (log_id) log_id, size, note FROM audit_checkpoint ORDER BY log_id, size DESC")
