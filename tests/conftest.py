"""What every test may ask for: one embedded PostgreSQL a run, a fresh migrated database a test, driven time, chance."""

from __future__ import annotations

import asyncio
import gc
import itertools
import logging
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import CodeType

import aiohttp_jinja2
import pytest
import structlog
from argon2.profiles import CHEAPEST
from hypothesis import HealthCheck, Phase, settings
from jinja2.bccache import Bucket, BytecodeCache
from procrastinate.periodic import PeriodicDeferrer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from callcenter.app import fittings
from callcenter.audit.watching import LedgerWatch
from callcenter.calls.flows import Flows, load_flows
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom
from callcenter.practice.demo import seed
from callcenter.settings import ConsoleSettings
from callcenter.staff import room
from callcenter.staff.room import StaffLimits
from callcenter.store.database import Database
from callcenter.store.embedded import SUPERUSER, EmbeddedPostgres, places_for
from callcenter.store.keys import Keyring, create_keys
from callcenter.store.migrations import migrate
from callcenter.store.roles import create_database, ensure_roles
from callcenter.store.schema import APP, OWNER
from callcenter.store.sealed import Sealer
from callcenter.telephony.alerts import Alerts
from tests.accepting import mend_accepting
from tests.sealing import InTime

mend_accepting()

# No test may depend on how busy the machine is, nor one example of a property.
settings.register_profile("whole", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("whole")

# make mutants: each mutant meets the same examples, one that fails is not made smaller, and a busy machine fails none.
settings.register_profile(
    "mutants",
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)

ROOT = SUPERUSER
TEMPLATE = "callcenter_template"

#: Thursday 26 November 2026, 10:00 in Paris: where the clock of every test stands at first.
TODAY = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Cluster:
    """The run's PostgreSQL, with a migrated template database.

    Arguments:
        root: its superuser's connections, kept from one test to the next.
    """

    server: EmbeddedPostgres
    root: AsyncEngine

    async def create(self, name: str, template: str = TEMPLATE) -> None:
        # Copied as files, which takes a third of the time of copying through the log.
        await self.administer(f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {template} STRATEGY FILE_COPY")

    async def drop(self, name: str) -> None:
        await self.administer(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    async def administer(self, *statements: str) -> None:
        """Do what only the cluster's superuser may, statement by statement."""
        async with self.root.connect() as connection:
            for statement in statements:
                await connection.execute(text(statement))


#: Where Linux keeps files in memory, and the bytes that must be free there: the logs of three workers' servers may
#: grow to 1 GiB each before PostgreSQL takes them back (max_wal_size), and their databases stand beside them.
MEMORY, ROOM = Path("/dev/shm"), 4 * 1024**3  # noqa: S108 — the folder that is made there has a name of its own


@contextmanager
def in_memory() -> Iterator[Path | None]:
    """A folder in memory for a server's data; None where there is none, or no room.

    A database is a copy of 650 files: on a disk that takes up to ten times the processor time, most of it to find
    them a place, and it is done for most tests.
    """
    if not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < ROOM:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="callcenter-tests-", dir=MEMORY) as folder:
        Path(folder).chmod(0o755)  # the server's account looks for its own folder in it, which is private
        yield Path(folder)


@asynccontextmanager
async def running_cluster() -> AsyncIterator[Cluster]:
    """A PostgreSQL that nobody else uses."""
    with tempfile.TemporaryDirectory(prefix="callcenter-tests-") as folder, in_memory() as memory:
        places = places_for(Path(folder))
        # Binaries that are copied for the server stand beside its data, and memory may be mounted without execution.
        if memory is not None and not places.binaries.is_relative_to(places.data.parent):
            places = replace(places, data=memory / "cluster" / "pg18")
        server = EmbeddedPostgres(places, fsync=False)
        await server.start()
        root = create_async_engine(
            server.url(user=ROOT, database="postgres"), isolation_level="AUTOCOMMIT", pool_pre_ping=True
        )
        try:
            await _prepare(server)
            yield Cluster(server, root)
        finally:
            await root.dispose()
            await server.stop()
            await server.forget()


@pytest.fixture(scope="session")
async def cluster() -> AsyncIterator[Cluster]:
    async with running_cluster() as cluster:
        yield cluster


async def _prepare(server: EmbeddedPostgres) -> None:
    root = create_async_engine(server.url(user=ROOT, database="postgres"), isolation_level="AUTOCOMMIT")
    async with root.connect() as connection:
        await ensure_roles(connection, login=True)
        await create_database(connection, TEMPLATE)
    await root.dispose()
    owner = create_async_engine(server.url(user=OWNER, database=TEMPLATE))
    async with owner.begin() as connection:
        await migrate(connection)
    await owner.dispose()


#: Seconds after which a test that still waits fails, and is named; the longest takes 265 on a busy machine.
LONGEST_TEST = 400


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """A test that never ends is a failure with a name, not a run that hangs."""

    def too_long(*_: object) -> None:
        raise TimeoutError(f"{item.nodeid} was not over after {LONGEST_TEST} seconds")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(LONGEST_TEST)
    try:
        return (yield)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is collected stays to the end: no test's garbage collection goes through it again, nor while it is made."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


TESTS = Path(__file__).parent
#: Few tests that take minutes: begun last, they would leave one worker at work alone.
LONGEST_FILES = (
    "acceptance/test_going_live.py",
    "acceptance/test_transcripts_negated.py",
    "browser/test_barriers.py",
    "bench/test_bench.py",
    "attack/leak_oracle/test_leak_oracle.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; all others, and the tests of a file, in the order in which they were found."""
    if lost := [name for name in LONGEST_FILES if not (TESTS / name).is_file()]:
        raise pytest.UsageError(f"tests/conftest.py puts files first that are not there: {', '.join(lost)}")
    ranks = {TESTS / name: rank for rank, name in enumerate(LONGEST_FILES)}
    items.sort(key=lambda item: ranks.get(item.path, len(ranks)))


_numbers = itertools.count(1)


@pytest.fixture(scope="session", autouse=True)
def flows_loaded_once() -> Iterator[None]:
    """A server that starts on files that have been loaded and proven in this run takes what was made of them."""
    loaded: dict[tuple[object, ...], Flows] = {}

    def once(folder: Path, entry: str, prompts: Path, policy: Path) -> Flows:
        files = [file for path in (folder, prompts, policy) for file in _files(Path(path))]
        key = (str(folder), entry, str(prompts), str(policy), *((str(path), path.read_bytes()) for path in files))
        if key not in loaded:
            loaded[key] = load_flows(folder, entry, prompts, policy)
        return loaded[key]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(fittings, "load_flows", once)
        yield


class _Compiled(BytecodeCache):
    """What templates have been made of in this run."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._known.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code is not None
        self._known[bucket.key, bucket.checksum] = bucket.code


@pytest.fixture(scope="session", autouse=True)
def templates_compiled_once() -> Iterator[None]:
    """A console that is opened takes the pages that another has compiled; it takes most of a test's time."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(aiohttp_jinja2, "setup", partial(aiohttp_jinja2.setup, bytecode_cache=_Compiled()))
        yield


@pytest.fixture(scope="session", autouse=True)
def rooms_as_installed() -> Iterator[StaffLimits]:
    """The bounds of an installation's room of staff. In tests that ask for none, passwords cost least: one of an
    installation takes a fifth of a second of processor time, which is what it is for.
    """
    installed = StaffLimits.of(ConsoleSettings())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(room, "RECOMMENDED", CHEAPEST)
        yield installed


@pytest.fixture(scope="session", autouse=True)
def watched_as_installed() -> Iterator[Callable[[Database, Alerts], AbstractAsyncContextManager[LedgerWatch]]]:
    """The watch over the ledger of an installation. In tests that ask for none, nothing waits too long for its seal: a
    copied database is old, most have no sealer, and no test depends on time.
    """

    @asynccontextmanager
    async def never_behind(_: Database, __: Alerts) -> AsyncIterator[LedgerWatch]:
        yield InTime()

    with pytest.MonkeyPatch.context() as patched:
        installed = fittings.watched
        patched.setattr(fittings, "watched", never_behind)
        yield installed


@pytest.fixture(scope="session", autouse=True)
def due_by_no_clock_on_the_wall() -> Iterator[None]:
    """Upkeep is done when a test asks for it. Whenever a server starts, its job worker would begin whatever a real
    clock made due in the last ten minutes: other jobs at every hour, and a sixth of the work of a stage.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(PeriodicDeferrer, "worker", _never)
        yield


async def _never(_: PeriodicDeferrer) -> None:
    await asyncio.Event().wait()


def _files(path: Path) -> list[Path]:
    """A file, or every file of a folder; none of what is not there, which is for whoever loads it to say."""
    return sorted(one for one in (path, *path.rglob("*")) if one.is_file())


@pytest.fixture
async def database_name(cluster: Cluster) -> AsyncIterator[str]:
    name = f"test_{next(_numbers)}"
    await cluster.create(name)
    yield name
    await cluster.drop(name)


@pytest.fixture
async def database(cluster: Cluster, database_name: str) -> AsyncIterator[Database]:
    """A fresh migrated database, as the app role."""
    database = Database(cluster.server.url(user=APP, database=database_name), pool_size=5)
    yield database
    await database.close()


@pytest.fixture
async def owner_database(cluster: Cluster, database_name: str) -> AsyncIterator[Database]:
    """The same database as its owner."""
    database = Database(cluster.server.url(user=OWNER, database=database_name), pool_size=2)
    yield database
    await database.close()


@pytest.fixture(scope="session")
async def peopled(cluster: Cluster, keyring: Keyring) -> str:
    """The name of a database that holds the demonstration as it is seen from TODAY; only to be copied."""
    name = "callcenter_peopled"
    await cluster.create(name)
    database = Database(cluster.server.url(user=APP, database=name), pool_size=2)
    await seed(database, Sealer(keyring, SeededRandom(1)), DrivenClock(TODAY), SeededRandom(2))
    await database.close()
    return name


@pytest.fixture
async def peopled_name(cluster: Cluster, peopled: str) -> AsyncIterator[str]:
    """A copy of the demonstration: the ``database_name`` of files whose tests all want its people."""
    name = f"peopled_{next(_numbers)}"
    await cluster.create(name, peopled)
    yield name
    await cluster.drop(name)


@pytest.fixture(scope="session")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return create_keys(tmp_path_factory.mktemp("keys") / "keys.json", SeededRandom(1))


@pytest.fixture
def random() -> SeededRandom:
    return SeededRandom(20261126)


@pytest.fixture
def sealer(keyring: Keyring, random: SeededRandom) -> Sealer:
    return Sealer(keyring, random)


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock(TODAY)


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """Logs as they were before every test: a command sets them up for the whole process, and the next test reads what
    is logged."""
    root, raises = logging.getLogger(), logging.raiseExceptions
    handlers, level = root.handlers, root.level
    # Whoever listens to the logs of a whole file, as the leak oracle does, hears those of its later tests too.
    configured, before = structlog.is_configured(), structlog.get_config()
    yield
    root.handlers, root.level, logging.raiseExceptions = handlers, level, raises
    structlog.reset_defaults()
    if configured:
        structlog.configure(**before)
