"""The house of the oracle stands for all its tests; each judges what left during itself."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator

import pytest

from callcenter.emulator.client import ControlClient
from callcenter.kernel.randomness import SystemRandom
from callcenter.store.keys import create_keys
from tests.attack.leak_oracle.people import OPEN
from tests.attack.leak_oracle.premises import Premises, premises
from tests.attack.leak_oracle.telephone import Telephone
from tests.conftest import Cluster


@pytest.fixture(scope="module")
async def house(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Premises]:
    """A house of its own for each module: what one plants in a log or a metric, another must not find."""
    keys_file = tmp_path_factory.mktemp("keys") / "keys.json"
    create_keys(keys_file, SystemRandom())
    async with premises(cluster, keys_file) as house:
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
