"""The house of the oracle stands for all its tests; each judges what left during itself."""

from __future__ import annotations

import itertools
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from callcenter.emulator.client import ControlClient
from callcenter.kernel.randomness import SystemRandom
from callcenter.store.database import Database
from callcenter.store.keys import create_keys, load_keys
from callcenter.store.schema import APP
from callcenter.store.sealed import Sealer
from tests.attack.leak_oracle.invention import invent
from tests.attack.leak_oracle.office import enrol
from tests.attack.leak_oracle.people import OPEN
from tests.attack.leak_oracle.premises import Premises, premises
from tests.attack.leak_oracle.telephone import Telephone
from tests.conftest import Cluster

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A database in which everybody is; only to be copied."""

    name: str
    keys_file: Path


@pytest.fixture(scope="session")
async def everybody(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Enrolled]:
    enrolled = Enrolled(f"leak_oracle_everybody_{next(_numbers)}", tmp_path_factory.mktemp("keys") / "keys.json")
    create_keys(enrolled.keys_file, SystemRandom())
    await cluster.create(enrolled.name)
    database = Database(cluster.server.url(user=APP, database=enrolled.name), pool_size=2)
    await enrol(database, Sealer(load_keys(enrolled.keys_file), SystemRandom()), invent())
    await database.close()
    yield enrolled
    await cluster.drop(enrolled.name)


@pytest.fixture(scope="module")
async def house(cluster: Cluster, everybody: Enrolled, request: pytest.FixtureRequest) -> AsyncIterator[Premises]:
    """A house of its own for each module: what one plants in a log or a metric, another must not find.

    A module that says ``ROWS_LOGGED`` has every statement and every row logged. It takes a third of the time, and what
    is kept of such a line is the same whatever was asked.
    """
    rows_logged = getattr(request.module, "ROWS_LOGGED", False)
    async with premises(cluster, everybody.name, everybody.keys_file, rows_logged=rows_logged) as house:
        yield house


@pytest.fixture
async def client(house: Premises) -> AsyncIterator[ControlClient]:
    """The emulator's control interface."""
    async with ControlClient(house.emulator.base_url) as client:
        yield client


@pytest.fixture
def telephone(house: Premises, client: ControlClient) -> Iterator[Telephone]:
    """A telephone, in a house of which nothing has been found yet."""
    house.clock.set(OPEN)
    house.judge.findings.clear()
    house.judge.heard.clear()
    yield Telephone(house, client)
    house.judge.findings.clear()


@pytest.fixture(autouse=True)
def findings_before_logs(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that fails reports what was found, and not ten thousand lines of the logs that were searched."""
    plugin = request.config.pluginmanager.get_plugin("logging-plugin")
    plugin.report_handler.setLevel(logging.CRITICAL)
    yield
    plugin.report_handler.setLevel(logging.NOTSET)
