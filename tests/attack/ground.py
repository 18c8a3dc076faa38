"""A database of one's own to attack, seen with the eyes of a superuser, whom nothing binds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from callcenter.kernel.randomness import SystemRandom
from callcenter.store.database import Database
from callcenter.store.keys import load_keys
from callcenter.store.schema import APP, metadata
from callcenter.store.sealed import Sealer
from tests.conftest import ROOT, Cluster


@dataclass(slots=True)
class Ground:
    """A database with the demonstration's people.

    Arguments:
        app: as the product connects.
        keys_file: the installation's keys.
        superuser: connections that are kept, each statement its own transaction.
    """

    cluster: Cluster
    name: str
    keys_file: Path
    app: Database
    sealer: Sealer
    superuser: AsyncEngine

    def url(self, role: str) -> str:
        return self.cluster.server.url(user=role, database=self.name)

    @asynccontextmanager
    async def session(self, role: str = ROOT) -> AsyncIterator[AsyncConnection]:
        """A new connection as ``role``, every statement its own transaction; the superuser sees and may everything."""
        engine = create_async_engine(self.url(role), isolation_level="AUTOCOMMIT")
        try:
            async with engine.connect() as connection:
                yield connection
        finally:
            await engine.dispose()

    async def rows(self, query: str, **values: object) -> Sequence[Any]:
        """The rows that the superuser sees."""
        async with self.superuser.connect() as connection:
            return (await connection.execute(text(query), values)).all()

    async def change(self, *statements: str, **values: object) -> None:
        """Do this as the superuser, one statement after the other."""
        async with self.superuser.connect() as connection:
            for statement in statements:
                await connection.execute(text(statement), values)

    async def waits_for(self, count: int) -> None:
        """Return when ``count`` of the product's connections wait for a lock."""
        query = (
            "SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
            "WHERE NOT l.granted AND a.datname = :name AND a.usename = :app"
        )
        async with asyncio.timeout(15):
            while (await self.rows(query, name=self.name, app=APP))[0][0] != count:
                await asyncio.sleep(0.01)

    async def state(self) -> Mapping[str, str]:
        """A digest of the rows of each table, the job queue's too: equal states, no effect."""
        names = [*metadata.tables, "procrastinate_jobs"]
        one = "SELECT coalesce(md5(string_agg(t::text, E'\\n' ORDER BY t::text)), '') FROM {name} t"
        async with self.superuser.connect() as connection:
            return {name: (await connection.execute(text(one.format(name=name)))).scalar_one() for name in names}


@asynccontextmanager
async def ground_on(
    cluster: Cluster, template: str, name: str, keys_file: Path, statements: Sequence[str] = ()
) -> AsyncIterator[Ground]:
    """A copy of the database ``template``, to which ``statements`` were done."""
    await cluster.create(name, template)
    app = Database(cluster.server.url(user=APP, database=name), pool_size=5)
    superuser = create_async_engine(
        cluster.server.url(user=ROOT, database=name),
        isolation_level="AUTOCOMMIT",
        # Tables change under its connections: nothing that was prepared before may be used again.
        connect_args={"statement_cache_size": 0, "prepared_statement_cache_size": 0},
    )
    ground = Ground(cluster, name, keys_file, app, Sealer(load_keys(keys_file), SystemRandom()), superuser)
    try:
        await ground.change(*statements)
        yield ground
    finally:
        await superuser.dispose()
        await app.close()
