"""One stage a test: a fresh database with the demo's people, copied from one that was furnished once."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom, SystemRandom
from callcenter.practice.demo import seed
from callcenter.store.database import Database
from callcenter.store.keys import create_keys, load_keys
from callcenter.store.schema import APP
from callcenter.store.sealed import Sealer
from tests.acceptance.stage import Stage, stage_settings, staged
from tests.conftest import TODAY, Cluster

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def keys_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    create_keys(path, SystemRandom())
    return path


@pytest.fixture(scope="session")
async def furnished(cluster: Cluster, keys_file: Path) -> str:
    """The name of a database that holds the demonstration as it is seen from TODAY; only to be copied.

    Every folder of tests that takes this fixture has keys of its own, and hence a database of its own.
    """
    name = f"callcenter_furnished_{next(_numbers)}"
    await cluster.create(name)
    database = Database(cluster.server.url(user=APP, database=name), pool_size=2)
    sealer = Sealer(load_keys(keys_file), SeededRandom(1))
    await seed(database, sealer, DrivenClock(TODAY), SeededRandom(2))
    await database.close()
    return name


@pytest.fixture
async def database_name(cluster: Cluster, furnished: str) -> AsyncIterator[str]:
    name = f"acceptance_{next(_numbers)}"
    await cluster.create(name, template=furnished)
    yield name
    await cluster.drop(name)


@pytest.fixture
async def stage(
    cluster: Cluster, database_name: str, keys_file: Path, clock: DrivenClock, random: SeededRandom
) -> AsyncIterator[Stage]:
    settings = stage_settings(keys_file)
    app, jobs = (
        cluster.server.url(user=APP, database=database_name),
        cluster.server.dsn(user=APP, database=database_name),
    )
    async with staged(settings, app, jobs, clock, random, furnished=TODAY) as stage:
        yield stage
