"""A sealed ledger that is attacked again and again: what is done to it is undone at the end of each attack."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import pytest

from callcenter.kernel.clock import DrivenClock
from callcenter.store.database import Database
from callcenter.store.schema import APP
from tests.conftest import TODAY, Cluster
from tests.exporting import TILLEULS, Archive, archive_on


@dataclass(frozen=True, slots=True)
class Scene:
    """Five calls of four records, each call sealed by itself.

    Arguments:
        calls: their streams, in order.
        heads: the signed heads that somebody has held, by the number of calls under them.
    """

    archive: Archive
    calls: tuple[UUID, ...]
    heads: tuple[str, ...]


@pytest.fixture(scope="session")
async def scene(cluster: Cluster, peopled: str) -> AsyncIterator[Scene]:
    name = "attacked_archive"
    await cluster.create(name, peopled)
    app = Database(cluster.server.url(user=APP, database=name), pool_size=2)
    archive = archive_on(cluster, name, app, DrivenClock(TODAY))
    await archive.seal()
    calls, heads = [], [""]
    for _ in range(5):
        calls.append(await archive.call())
        await archive.seal()
        heads.append((await archive.export(TILLEULS)).report().keep)
    yield Scene(archive, tuple(calls), tuple(heads))
    await app.close()
    await cluster.drop(name)
