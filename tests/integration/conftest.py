"""Databases with the demonstration's people, for whoever walks calls and scripts on them."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator

import pytest

from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.demo import seed
from callcenter.store.keys import create_keys
from tests.attack.ground import Ground, ground_on
from tests.attack.scene import START
from tests.conftest import TEMPLATE, Cluster

PEOPLE = "integration_people"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
async def people(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    """A database with the demonstration's people, to be copied; nobody is connected to it."""
    keys = tmp_path_factory.mktemp("people") / "keys.json"
    create_keys(keys, SystemRandom())
    async with ground_on(cluster, TEMPLATE, PEOPLE, keys) as ground:
        await seed(ground.app, ground.sealer, DrivenClock(START), SystemRandom())
    yield ground
    await cluster.drop(PEOPLE)


@pytest.fixture
async def ground(people: Ground) -> AsyncIterator[Ground]:
    """A database of one's own, with these people."""
    name = f"{PEOPLE}_{next(_numbers)}"
    async with ground_on(people.cluster, people.name, name, people.keys_file) as ground:
        yield ground
    await people.cluster.drop(name)
