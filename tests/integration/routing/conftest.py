"""One database for all tests of routing, emptied before each: to make one takes longer than most of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom
from callcenter.store.database import Database
from callcenter.store.schema import APP
from tests.conftest import ROOT, Cluster
from tests.integration.routing.floor import Floor, emptied

NAME = "routing"


@pytest.fixture(scope="session")
async def routing_database(cluster: Cluster) -> AsyncIterator[Database]:
    await cluster.create(NAME)
    database = Database(cluster.server.url(user=APP, database=NAME), pool_size=10)
    yield database
    await database.close()
    await cluster.drop(NAME)


@pytest.fixture(scope="session")
async def routing_root(cluster: Cluster, routing_database: Database) -> AsyncIterator[Database]:
    """The same, as the superuser."""
    root = Database(cluster.server.url(user=ROOT, database=NAME), pool_size=1)
    yield root
    await root.close()


@pytest.fixture
async def floor(routing_database: Database, routing_root: Database, clock: DrivenClock, random: SeededRandom) -> Floor:
    await emptied(routing_root)
    floor = Floor(routing_database, clock, random)
    await floor.open()
    return floor


@pytest.fixture
async def practice(floor: Floor) -> UUID:
    return await floor.practice()
