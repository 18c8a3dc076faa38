"""A browser a run, a stage and a visitor a test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from callcenter.emulator.client import ControlClient
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom
from callcenter.speech.voices import ToneVoice
from callcenter.store.schema import APP
from tests.acceptance.conftest import database_name, furnished, keys_file  # noqa: F401 - fixtures, by name
from tests.acceptance.stage import Stage, stage_settings, staged
from tests.acceptance.test_two_people_talk import OPEN, Office
from tests.browser.chromium import MISSING, found, launched, required
from tests.browser.test_console_login import make_staff
from tests.browser.visitor import Visitor, visiting
from tests.conftest import TODAY, Cluster

expect.set_options(timeout=15_000)  # milliseconds: for a machine that is busy; nothing waits for them to pass


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = found()
    if path is None:
        if required():
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    async with launched(path) as browser:
        yield browser


@pytest.fixture
async def stage(
    cluster: Cluster,
    database_name: str,  # noqa: F811 - the fixture
    keys_file: Path,  # noqa: F811 - the fixture
    clock: DrivenClock,
    random: SeededRandom,
) -> AsyncIterator[Stage]:
    """The demo's house, with a voice that one hears."""
    settings = stage_settings(keys_file, environment="demo")
    app = cluster.server.url(user=APP, database=database_name)
    jobs = cluster.server.dsn(user=APP, database=database_name)
    async with staged(settings, app, jobs, clock, random, ToneVoice(), furnished=TODAY) as stage:
        yield stage


class Visits:
    """Opens the stage's page, as often as a test wants."""

    def __init__(self, browser: Browser, stage: Stage) -> None:
        self._browser = browser
        self._stage = stage

    @asynccontextmanager
    async def __call__(self, **options: Any) -> AsyncIterator[Visitor]:
        async with visiting(self._browser, self._stage.emulator.base_url, **options) as visitor:
            yield visitor


@pytest.fixture
def visit(browser: Browser, stage: Stage) -> Visits:
    return Visits(browser, stage)


@pytest.fixture
async def visitor(visit: Visits) -> AsyncIterator[Visitor]:
    """Somebody in France before a wide screen."""
    async with visit() as visitor:
        yield visitor


@pytest.fixture
async def office(stage: Stage) -> AsyncIterator[Office]:
    """The practice is open, and staff can sign in."""
    await stage.furnish(OPEN)
    await make_staff(stage)
    async with ControlClient(stage.emulator.base_url) as client:
        yield Office(stage, client)
