"""How an installation's database and keys are reached, prepared, and found fit to serve from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from callcenter.audit.sealing_key import NAME
from callcenter.kernel.errors import ConfigurationError, Problem, Unavailable
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.key_fit import check_keys
from callcenter.settings import PROJECT, Settings
from callcenter.store.database import Database, single_connection
from callcenter.store.embedded import SUPERUSER, DataInUse, EmbeddedPostgres, places_for
from callcenter.store.keys import load_keys
from callcenter.store.migrations import current_revision, migrate, needed_revision, revisions
from callcenter.store.restoring import refuse_unfinished
from callcenter.store.roles import become_owner, create_database, ensure_roles, require_app_login
from callcenter.store.schema import APP, OWNER, SEALER
from callcenter.store.sealed import Sealer

DATABASE = "callcenter"


class SchemaOutdated(Unavailable):
    """The database is not at the schema of this version: run `callcenter db migrate`."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """How the database is reached.

    Arguments:
        app: SQLAlchemy URL as the app role.
        jobs: libpq form of the same, for the job worker.
        owner: SQLAlchemy URL as the owner role, or ``None`` when it was not configured.
        sealer: the same as the sealer role.
    """

    app: str
    jobs: str
    owner: str | None
    sealer: str | None = None


@asynccontextmanager
async def reach_database(settings: Settings, *, share: bool = True, empty: bool = False) -> AsyncIterator[Addresses]:
    """The configured database, or the embedded one: started, or used where another process runs it already.

    Arguments:
        share: use what another process runs; otherwise that is an error.
        empty: leave an embedded database that holds nothing yet without tables, for a backup that brings its own.

    Raises:
        DataInUse: another process runs the embedded database, and it is not to be shared.
    """
    if settings.database.url is not None:
        owner, sealer = settings.database.owner_url, settings.database.sealer_url
        yield Addresses(
            _async_url(settings.database.url.get_secret_value()),
            _plain_dsn(settings.database.url.get_secret_value()),
            None if owner is None else _async_url(owner.get_secret_value()),
            None if sealer is None else _async_url(sealer.get_secret_value()),
        )
        return
    server = EmbeddedPostgres(places_for(settings.database.folder or PROJECT))
    started = True
    try:
        await server.start()
    except DataInUse:
        if not share:
            raise
        started = False
    try:
        if started:
            await _prepare_embedded(server, empty=empty)
        yield Addresses(
            server.url(user=APP, database=DATABASE),
            server.dsn(user=APP, database=DATABASE),
            server.url(user=OWNER, database=DATABASE),
            server.url(user=SEALER, database=DATABASE),
        )
    finally:
        if started:
            await server.stop()


async def _prepare_embedded(server: EmbeddedPostgres, *, empty: bool) -> None:
    root = create_async_engine(server.url(user=SUPERUSER, database="postgres"), isolation_level="AUTOCOMMIT")
    async with root.connect() as connection:
        await ensure_roles(connection, login=True)
        await create_database(connection, DATABASE)
    await root.dispose()
    if not empty:
        await bring_up_to_date(server.url(user=OWNER, database=DATABASE))


async def prepare_database(settings: Settings) -> str:
    """Make what is missing: roles, schema. Returns what was done, in a sentence.

    Raises:
        ConfigurationError: there is no owner URL to do it with.
        DatabaseDown: no database answers there.
        NotTheOwner: its login may not act as the owner of the tables.
    """
    async with reach_database(settings) as addresses:
        if addresses.owner is None:
            what = "« database.owner_url » is missing: migrations need a login that may create tables and roles"
            mend = "set CALLCENTER_DATABASE__OWNER_URL to postgresql://LOGIN:PASSWORD@HOST/DATABASE for this command"
            raise ConfigurationError([Problem("configuration", 0, what, mend)])
        if settings.database.url is not None:
            async with single_connection(addresses.owner) as connection:
                await ensure_roles(connection, login=False)
        await bring_up_to_date(addresses.owner)
    return "the database is at the schema of this version"


async def bring_up_to_date(owner_url: str, *, restoring: bool = False) -> None:
    """Apply the migrations that are missing, as the owner role.

    Arguments:
        restoring: as a step of a restore, which is else waited for.

    Raises:
        RestoreUnfinished: a backup is being restored into this database.
    """
    async with single_connection(owner_url) as connection:
        await become_owner(connection)
        if not restoring:
            await refuse_unfinished(connection)
        current, needed = await revisions(connection)
        if current != needed:
            await migrate(connection)


@dataclass(frozen=True, slots=True)
class Data:
    """What a command works on."""

    database: Database
    sealer: Sealer
    addresses: Addresses


@asynccontextmanager
async def open_data(settings: Settings, application: str = "callcenter-cli") -> AsyncIterator[Data]:
    """Database and keys together, found to be each other's.

    Arguments:
        application: the name under which the database server lists the connections.

    Raises:
        WrongKeys: the key file is not the one that the database was filled with.
    """
    sealer = Sealer(load_keys(keys_path(settings)), SystemRandom())
    async with reach_database(settings) as addresses:
        database = Database(addresses.app, pool_size=2, application=application)
        try:
            await check_keys(database, sealer)
            yield Data(database, sealer, addresses)
        finally:
            await database.close()


@dataclass(frozen=True, slots=True)
class DatabaseFit:
    """Whether a database is one that this version may serve from. Asked at start, for readiness, and by ``doctor``.

    Arguments:
        needed: the revision that this version needs.
    """

    database: Database
    needed: str | None

    @classmethod
    async def of(cls, database: Database) -> DatabaseFit:
        return cls(database, await asyncio.to_thread(needed_revision))

    async def check_login(self) -> str:
        """The server's login, bound by row-level security (P5).

        Raises:
            WrongLogin: it may do more, or less, than serve.
        """
        async with self.database.house() as connection:
            return await require_app_login(connection)

    async def check_schema(self) -> str | None:
        """The database's revision.

        Raises:
            SchemaOutdated: it is not that of this version.
            RestoreUnfinished: a backup is being restored into it.
        """
        async with self.database.house() as connection:
            await refuse_unfinished(connection)
            current = await current_revision(connection)
        if current != self.needed:
            raise SchemaOutdated
        return current


def _async_url(url: str) -> str:
    return make_url(url).set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)


def _plain_dsn(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def require_sealing(addresses: Addresses) -> None:
    """That a process which works on jobs can seal the ledger.

    Raises:
        ConfigurationError: nothing says how; with what to do.
    """
    if addresses.sealer is None:
        what = "« database.sealer_url » is missing: the ledger is sealed where jobs are worked on"
        mend = (
            "set CALLCENTER_DATABASE__SEALER_URL to postgresql://LOGIN:PASSWORD@HOST/DATABASE, a login made by CREATE "
            f"ROLE … LOGIN PASSWORD '…' IN ROLE {SEALER}, or serve --no-jobs beside a process that has it"
        )
        raise ConfigurationError([Problem("configuration", 0, what, mend)])


def switch_path(settings: Settings) -> Path:
    """The file of the kill switch: beside the keys."""
    return keys_path(settings).with_name("rescue-switch.json")


def sealer_key_path(settings: Settings) -> Path:
    """The file of the key that signs the ledger: as configured, or beside the other keys."""
    return settings.sealer_key_file or keys_path(settings).with_name(NAME)


def keys_path(settings: Settings) -> Path:
    """The key file: as configured, or beside the embedded database, so that neither outlives the other."""
    return settings.keys_file or places_for(settings.database.folder or PROJECT).data.parent / "keys.json"


def key_places(settings: Settings) -> Mapping[str, Path]:
    """Every key file of the installation, there or not, by the name under which a backup has it."""
    return {"keys.json": keys_path(settings), NAME: sealer_key_path(settings)}
