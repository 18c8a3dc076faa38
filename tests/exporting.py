"""A ledger of a few calls, sealed, exported and verified as it stands; and what its superuser may do to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from callcenter.audit import export
from callcenter.audit.export import Exported
from callcenter.audit.ledger import Entry, EventKind, Segment, writing
from callcenter.audit.letting_go import Rules
from callcenter.audit.logs import origin_of
from callcenter.audit.tables import audit_subject
from callcenter.audit.verify import Report, verify_export
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SystemRandom, new_id
from callcenter.practice.demo_file import demo_id
from callcenter.staff.tables import house_record
from callcenter.store.database import Database, Transaction, in_practice
from callcenter.store.schema import APP, SEALER, metadata
from tests.conftest import ROOT, TODAY, Cluster
from tests.sealing import HOUSE, a_key, seal_once

TILLEULS = demo_id("practice", "cabinet-des-tilleuls")
IVR = {"kind": "ivr", "id": "callcenter"}
#: What a call has on record here: as much as attackers need.
OF_A_CALL = (EventKind.CALL_STARTED, EventKind.DISCLOSURE, EventKind.DISCLOSURE, EventKind.CALL_ENDED)
#: All that records, and what seals and anchors them, stand in. Tokens of persons are no record: they are erased.
TABLES = tuple(
    sorted(name for name in metadata.tables if name.startswith(("audit_", "house_")) and name != audit_subject.name)
)


@dataclass(frozen=True, slots=True)
class Copy:
    """An export.

    Arguments:
        lines: of the file.
        exported: what was said of it beside the file.
    """

    lines: tuple[bytes, ...]
    exported: Exported

    def report(self, since: str | None = None, log: UUID = TILLEULS) -> Report:
        """What the verifier says, who trusts the key of the tests."""
        return verify_export(iter(self.lines), [a_key().verifier_key(origin_of(log))], since)


@dataclass(frozen=True, slots=True)
class Archive:
    """A database with a ledger.

    Arguments:
        app: as the server connects.
        urls: of others who may log in, by role.
    """

    app: Database
    urls: Mapping[str, str]
    clock: DrivenClock

    async def call(self, *events: EventKind, practice: UUID = TILLEULS, **content: str) -> UUID:
        """A stream of these records, each with its own transaction; returns its identifier."""
        segment = Segment(new_id(SystemRandom()), None)
        for event in events or OF_A_CALL:
            async with (
                self.app.practice(practice) as tx,
                writing(tx, segment, self.clock, SystemRandom()) as pen,
            ):
                await pen.add(Entry(event, IVR, None, content))
            segment = pen.segment
        return segment.stream

    async def seal(self, rules: Rules | None = None) -> None:
        assert await seal_once(self.urls[SEALER], a_key(), self.clock, rules=rules) == []

    async def export(self, log: UUID = TILLEULS, *, page: int = export.PAGE) -> Copy:
        """As the server's login."""
        async with export.one_moment(self.app, log) as tx:
            return await copied(tx, page)

    @asynccontextmanager
    async def superuser(self) -> AsyncIterator[AsyncConnection]:
        """One transaction of the superuser."""
        engine = create_async_engine(self.urls[ROOT])
        try:
            async with engine.begin() as connection:
                yield connection
        finally:
            await engine.dispose()

    @asynccontextmanager
    async def meddling(self) -> AsyncIterator[Meddler]:
        """What the superuser does to the tables with nothing in the way; undone at the end."""
        async with self.superuser() as connection:
            await unguard(connection)
            yield Meddler(connection)
            await connection.rollback()


@dataclass(frozen=True, slots=True)
class Meddler:
    """The database's owner, at work in one transaction."""

    connection: AsyncConnection

    async def do(self, statement: str, **values: object) -> int:
        """Do this; returns how many rows it has changed, which is at least one."""
        changed = (await self.connection.execute(text(statement), values)).rowcount
        assert changed, f"there was nothing to change: {statement}"
        return changed

    async def rows(self, query: str, **values: object) -> Sequence[Any]:
        return (await self.connection.execute(text(query), values)).all()

    async def export(self, log: UUID = TILLEULS) -> Copy:
        """What an export made right now would be, as the server's login."""
        await self.connection.execute(text(f"SET LOCAL ROLE {APP}"))
        copy = await copied(await in_practice(self.connection, log))
        await self.connection.execute(text("RESET ROLE"))
        return copy


async def copied(tx: Transaction, page: int = export.PAGE) -> Copy:
    exported = await export.begin(tx)
    return Copy(tuple([line async for line in export.lines(tx, exported, page)]), exported)


async def unguard(connection: AsyncConnection) -> None:
    """What an owner who means it does first: no trigger refuses, no constraint holds, no column is computed."""
    for table in TABLES:
        await connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
    # Servers go on writing, and what they write waits for its seal.
    await connection.execute(text("ALTER TABLE house_record ENABLE TRIGGER house_record_waits"))
    constraints = await connection.execute(_CONSTRAINTS, {"tables": list(TABLES)})
    for table, name in constraints.all():
        await connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name} CASCADE"))
    for column in ("at", "event", "actor", "subject", "ref"):
        await connection.execute(text(f"ALTER TABLE audit_record ALTER COLUMN {column} DROP EXPRESSION"))


_CONSTRAINTS = text(
    "SELECT conrelid::regclass::text, conname FROM pg_constraint "
    "WHERE conrelid::regclass::text = ANY(cast(:tables AS text[])) AND contype IN ('c', 'f', 'p', 'u')"
)


def archive_on(cluster: Cluster, name: str, app: Database, clock: DrivenClock) -> Archive:
    return Archive(app, {role: cluster.server.url(user=role, database=name) for role in (APP, SEALER, ROOT)}, clock)


assert house_record.name in TABLES
__all__ = ["HOUSE", "TILLEULS", "TODAY", "Archive", "Copy", "Meddler", "archive_on"]
