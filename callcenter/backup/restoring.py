"""Restoring a backup: into an empty database and where no other keys are, step by step, each of which may be repeated.

Before the first row comes, the database says that it is being restored (``store.restoring``), and no server serves from
it until the last step has ended: what was about to be sent is put aside, and what has had its time is erased, first.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.app.erasing import erase_what_is_over
from callcenter.backup.aftermath import PutAside, put_aside
from callcenter.backup.checking import Backup
from callcenter.backup.making import needs_owner, plain_dsn
from callcenter.backup.manifest import DATABASE
from callcenter.backup.programs import fed, for_restore
from callcenter.backup.snapshots import rows_of, tables_of
from callcenter.installation import bring_up_to_date, key_places, reach_database
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import CallcenterError, Conflict, IntegrityError
from callcenter.kernel.randomness import Random
from callcenter.notices.reminders import pass_over
from callcenter.practice.key_fit import check_keys
from callcenter.settings import Settings
from callcenter.staff.records import Act, Actor, HouseLog
from callcenter.store.database import Database, DatabaseDown, single_connection
from callcenter.store.files import whole_file
from callcenter.store.migrations import is_known
from callcenter.store.restoring import UNFINISHED, is_unfinished
from callcenter.store.roles import become_owner, ensure_roles, require_app_login
from callcenter.store.schema import APP, OWNER
from callcenter.store.sealed import Sealer

Say = Callable[[str], None]

_LOAD = ("--exit-on-error", "--single-transaction", "--no-owner", f"--role={OWNER}", "--verbose")


class NotEmpty(Conflict):
    """There is something already where the backup would be restored."""


class TooNew(CallcenterError):
    """This backup was made by a newer callcenter, whose schema this one does not know."""


class OlderServer(CallcenterError):
    """The database server is older than the one that the backup comes from."""


class RowsMissing(IntegrityError):
    """The database does not hold what the backup says that it held."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore has done.

    Arguments:
        keys: the key files that it wrote; those that were there already are not among them.
        aside: what was put aside.
        reminders: how many will not leave, because nobody knows whether they have.
        erased: how many rows had had their time, by what they were.
    """

    keys: tuple[Path, ...]
    aside: PutAside
    reminders: int
    erased: Mapping[str, int]


async def restore_backup(
    settings: Settings, backup: Backup, clock: Clock, random: Random, by: str, say: Say
) -> Restored:
    """Restore database and keys; whoever is interrupted does it again with the same backup.

    Arguments:
        by: who does it; goes on record.
        say: told how far it is, a line at a time.

    Raises:
        NotEmpty: there are tables or other keys already. Nothing was changed.
        TooNew, OlderServer: only a newer callcenter, or database server, can. Nothing was changed.
        OtherKeys: the keys in the backup are not its database's. Nothing was changed.
        ProgramFailed: pg_restore said no. The database is as empty as before.
        RowsMissing: rows are missing; no server serves from it.
    """
    keyring = backup.keyring()
    missing = _missing_keys(settings, backup)
    if not is_known(backup.manifest.revision):
        raise TooNew(
            f"this backup was made by callcenter {backup.manifest.version} (schema {backup.manifest.revision}), which "
            "is newer than this one: install that version, then restore"
        )
    async with reach_database(settings, share=False, empty=True) as addresses:
        if addresses.owner is None:
            raise needs_owner()
        async with _alone(addresses.owner):
            loaded = await _begin(addresses.owner, backup, embedded=settings.database.url is None)
            await _check_login(addresses.app)
            written = _write_keys(missing)
            if not loaded:
                await _load(addresses.owner, backup, say)
            await _compare(addresses.owner, backup)
            say("bringing the schema to this version")
            await bring_up_to_date(addresses.owner, restoring=True)
            database = Database(addresses.app, pool_size=1, application="callcenter-restore")
            try:
                await check_keys(database, Sealer(keyring, random))
                settling = _Settling(settings, database, addresses.owner, Sealer(keyring, random), clock, random)
                aside, reminders, erased = await settling.settle(backup, by, say)
            finally:
                await database.close()
    return Restored(written, aside, reminders, erased)


# --- what must not be there


@asynccontextmanager
async def _alone(owner_url: str) -> AsyncIterator[None]:
    """Nobody else restores into that database while the body runs.

    Raises:
        NotEmpty: somebody does.
    """
    async with single_connection(owner_url) as connection:
        if not (await connection.execute(_ALONE, {"what": UNFINISHED})).scalar_one():
            raise NotEmpty("somebody else restores into this database at this moment: let them end")
        yield


def _missing_keys(settings: Settings, backup: Backup) -> Mapping[Path, bytes]:
    """The key files that are to be written, with their content."""
    places, missing = key_places(settings), {}
    for name, content in backup.key_files().items():
        path = places.get(name)
        if path is None:
            raise TooNew(f"this backup holds a key file « {name} » that this version does not know")
        if not path.exists():
            missing[path] = content
        elif path.read_bytes() != content:
            raise NotEmpty(
                f"{path} holds other keys than the backup, and keys are never overwritten: move it away (what was "
                "sealed with it opens with it alone), or name another place in the configuration"
            )
    return missing


async def _begin(owner_url: str, backup: Backup, *, embedded: bool) -> bool:
    """Say in the database that this backup is being restored into it; whether it has been loaded before."""
    mine = sha256(backup.manifest.to_json().encode()).hexdigest()
    async with single_connection(owner_url) as connection:
        await _fits(connection, backup)
        if not embedded:
            await ensure_roles(connection, login=False)
        await become_owner(connection)
        begun, tables = await is_unfinished(connection), await tables_of(connection)
        if not begun and tables:
            raise NotEmpty(_what_to_do(embedded=embedded, tables=len(tables)))
        if not begun:
            await connection.execute(_MAKE_MARK)
            await connection.execute(_MARK, {"backup": mine})
        elif (await connection.execute(_MARKED)).scalar_one() != mine:
            raise NotEmpty(
                "another backup was being restored into this database: go on with that one, or empty it first"
            )
        return bool(tables)


async def _fits(connection: AsyncConnection, backup: Backup) -> None:
    """That the server is not older than the one that the backup comes from."""
    server = (await connection.execute(_SERVER)).scalar_one()
    if server // 10000 < backup.manifest.oldest_server:
        raise OlderServer(
            f"this backup can be restored into PostgreSQL {backup.manifest.oldest_server} or newer, and this server is "
            f"{server // 10000}: restore into another one"
        )


def _what_to_do(*, embedded: bool, tables: int) -> str:
    what = f"the database holds {tables} tables already, and a restore overwrites nothing"
    if embedded:
        return f"{what}: move the folder of the embedded PostgreSQL away (`callcenter demo --reset` forgets the demo's)"
    return f"{what}: make an empty one (CREATE DATABASE … OWNER …) and name it in DATABASE_URL and database.owner_url"


async def _check_login(app_url: str) -> None:
    """That the server's login is there and reaches the same database, before anything is loaded.

    Raises:
        WrongLogin: it is more or less than a member of the app role.
        DatabaseDown: it is not let in.
        NotEmpty: it reaches another database.
    """
    database = Database(app_url, pool_size=1, application="callcenter-restore")
    try:
        async with database.house() as connection:
            await require_app_login(connection)
            if not await is_unfinished(connection):
                raise NotEmpty("database.url and database.owner_url name different databases: correct one of them")
    except DatabaseDown as error:
        mend = f"the server's login must be there first: CREATE ROLE … LOGIN PASSWORD '…' IN ROLE {APP}; then go on"
        raise DatabaseDown(f"{error} For a restore {mend}.") from error
    finally:
        await database.close()


# --- what comes back


def _write_keys(missing: Mapping[Path, bytes]) -> tuple[Path, ...]:
    """Write key files, each whole or not at all; never over another one."""
    for path, content in missing.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            file.write(content)
    return tuple(missing)


async def _load(owner_url: str, backup: Backup, say: Say) -> None:
    """Load the dump, in one transaction."""
    program = for_restore(await _server(owner_url))
    tables, begun = len(backup.manifest.rows), 0

    def progress(line: str) -> None:
        nonlocal begun
        if "processing data for table" in line:
            begun += 1
            say(f"database: table {begun} of {tables}")
        elif "creating INDEX" in line or "creating FK CONSTRAINT" in line:
            say("database: indexes and constraints")

    await fed(program, list(_LOAD), plain_dsn(owner_url), backup.content(DATABASE), progress)


async def _server(owner_url: str) -> int:
    async with single_connection(owner_url) as connection:
        return int((await connection.execute(_SERVER)).scalar_one())


async def _compare(owner_url: str, backup: Backup) -> None:
    """That every row has come; before the migrations change anything, and again when this is repeated."""
    async with single_connection(owner_url) as connection:
        await become_owner(connection)
        if (await connection.execute(_COMPARED)).scalar_one():
            return
        found = await rows_of(connection)
        if found != dict(backup.manifest.rows):
            differ = sorted(
                name for name in {*found, *backup.manifest.rows} if found.get(name) != backup.manifest.rows.get(name)
            )
            raise RowsMissing(
                f"the database does not hold what the backup held, in {', '.join(differ)}: empty it, and restore again"
            )
        await connection.execute(_SET_COMPARED)


# --- what must not go on


@dataclass(frozen=True, slots=True)
class _Settling:
    """The last steps: put aside, erase, and let servers serve."""

    settings: Settings
    database: Database
    owner_url: str
    sealer: Sealer
    clock: Clock
    random: Random

    async def settle(self, backup: Backup, by: str, say: Say) -> tuple[PutAside, int, Mapping[str, int]]:
        """What was put aside, how many reminders with it, and what was erased."""
        database, clock, random = self.database, self.clock, self.random
        say("putting aside what was about to be sent")
        async with single_connection(self.owner_url) as connection:
            await become_owner(connection)
            aside = await put_aside(connection, clock.now())
        reminders = await pass_over(database, clock, random)
        say("erasing what has had its time")
        erased = await erase_what_is_over(database, self.sealer, self.settings.retention, clock, random)
        async with database.house() as connection:
            content = {"backup": backup.manifest.made_at.isoformat(), "revision": backup.manifest.revision}
            await HouseLog(clock, random).note(connection, Act.RESTORED, Actor.command(by), None, content)
        async with single_connection(self.owner_url) as connection:
            await become_owner(connection)
            await connection.execute(_DROP_MARK)
        return aside, reminders, erased


_ALONE = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:what, 0))")
_SERVER = text("SELECT current_setting('server_version_num')::int")
_MAKE_MARK = text(f"CREATE TABLE public.{UNFINISHED} (backup text NOT NULL, compared boolean NOT NULL DEFAULT false)")
_MARK = text(f"INSERT INTO public.{UNFINISHED} (backup) VALUES (:backup)")  # noqa: S608 — a name of ours
_MARKED = text(f"SELECT backup FROM public.{UNFINISHED}")  # noqa: S608 — a name of ours
_COMPARED = text(f"SELECT compared FROM public.{UNFINISHED}")  # noqa: S608 — a name of ours
_SET_COMPARED = text(f"UPDATE public.{UNFINISHED} SET compared = true")  # noqa: S608 — a name of ours
_DROP_MARK = text(f"DROP TABLE public.{UNFINISHED}")
