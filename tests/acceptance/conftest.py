"""One stage a test: a fresh database with the demo's people."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom, SystemRandom
from callcenter.store.keys import create_keys
from callcenter.store.schema import APP
from tests.acceptance.stage import Stage, stage_settings, staged
from tests.conftest import Cluster


@pytest.fixture(scope="session")
def keys_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    create_keys(path, SystemRandom())
    return path


@pytest.fixture
async def stage(
    cluster: Cluster, database_name: str, keys_file: Path, clock: DrivenClock, random: SeededRandom
) -> AsyncIterator[Stage]:
    settings = stage_settings(keys_file)
    app, jobs = (
        cluster.server.url(user=APP, database=database_name),
        cluster.server.dsn(user=APP, database=database_name),
    )
    async with staged(settings, app, jobs, clock, random) as stage:
        yield stage
