"""Making a backup: one snapshot of the database, the key files, and a manifest that is written last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from datetime import UTC
from importlib import metadata
from pathlib import Path
from typing import Protocol

from sqlalchemy.engine import make_url

from callcenter.backup import manifest as written
from callcenter.backup.folders import BackupRefused, made_whole, stored
from callcenter.backup.locks import Lock
from callcenter.backup.manifest import IN_CLEAR, Manifest, StoredFile, stored_name
from callcenter.backup.programs import Program, for_dump, output_of
from callcenter.backup.sealed_files import KEY_BYTES, SealedWriter
from callcenter.backup.snapshots import Snapshot, snapshot_of
from callcenter.installation import key_places, keys_path, reach_database
from callcenter.kernel.errors import CallcenterError, ConfigurationError, Problem
from callcenter.kernel.randomness import Random
from callcenter.practice.key_fit import check_keys
from callcenter.settings import Settings
from callcenter.store.database import Database
from callcenter.store.files import whole_file
from callcenter.store.keys import Keyring, load_keys
from callcenter.store.schema import OWNER
from callcenter.store.sealed import Sealer

Say = Callable[[str], None]

#: Rows are copied under the owner's policies; without this pg_dump refuses every table that row-level security guards.
#: Whether those policies show every row is asked before (``snapshots``).
_DUMP = ("--format=custom", "--enable-row-security", "--no-publications", "--no-subscriptions", "--verbose")
#: A migration holds its tables for longer than anything else, and then it is better to try again.
_LOCK_WAIT_MS = 30_000


class NeedsOwner(ConfigurationError):
    """A backup reads every row, which the server's own login must not."""


class Out(Protocol):
    """Takes the content of one file."""

    def write(self, content: bytes) -> object: ...


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that stands.

    Arguments:
        folder: of this backup.
    """

    folder: Path
    manifest: Manifest


async def make_backup(settings: Settings, to: Path, lock: Lock | None, random: Random, say: Say) -> Made:
    """Make one backup of database and keys, as a folder of its own in ``to``.

    Arguments:
        to: a folder; it is made if it is not there.
        lock: what the backup's key is locked to; ``None`` writes everything in clear.
        say: told how far it is, a line at a time.

    Raises:
        WrongKeys: the key file is not the database's: the backup would open nothing.
        NeedsOwner: there is no login with which every row can be read.
        NoRoom, BackupRefused: it cannot be written there. Nothing was left.
        ProgramFailed: pg_dump said no. Nothing was left.
    """
    keyring, begun_with = load_keys(keys_path(settings)), _key_files(settings)
    async with reach_database(settings) as addresses:
        if addresses.owner is None:
            raise needs_owner()
        await _keys_fit(addresses.app, keyring, random)
        say("counting rows")
        async with snapshot_of(addresses.owner) as snapshot:
            name = f"callcenter-{snapshot.at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
            program = for_dump(snapshot.server)
            with made_whole(to, name) as folder:
                box = _Box.empty(folder, None if lock is None else random.token_bytes(KEY_BYTES))
                await _dump(box, program, plain_dsn(addresses.owner), snapshot, say)
                keys = _copy_keys(box, settings, begun_with)
                manifest = _manifest(box, snapshot, program, keyring, keys, lock, random)
                with whole_file(folder / written.NAME) as file:
                    file.write(manifest.to_json().encode())
    return Made(to / name, manifest)


def needs_owner() -> ConfigurationError:
    """What is said where no login may read, or write, every row."""
    what = "« database.owner_url » is missing: backups need a login that may act as the owner of the tables"
    mend = "set CALLCENTER_DATABASE__OWNER_URL to postgresql://LOGIN:PASSWORD@HOST/DATABASE for this command"
    return NeedsOwner([Problem("configuration", 0, what, mend)])


def plain_dsn(url: str) -> str:
    """An address of SQLAlchemy's, as the programs of PostgreSQL read it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


@dataclass(frozen=True, slots=True)
class _Box:
    """The folder that is being filled.

    Arguments:
        key: with which its files are sealed; ``None``: they are not.
        files: what it holds so far.
    """

    folder: Path
    key: bytes | None
    files: dict[str, StoredFile]

    @classmethod
    def empty(cls, folder: Path, key: bytes | None) -> _Box:
        return cls(folder, key, {})

    @contextmanager
    def file(self, name: str) -> Iterator[Out]:
        """A new file of that name, which is part of the backup once the body has ended."""
        stored_as = stored_name(name, in_clear=self.key is None)
        with whole_file(self.folder / stored_as) as raw:
            if self.key is None:
                yield raw
            else:
                sealed = SealedWriter(raw, self.key, name)
                yield sealed
                sealed.close()
        self.files[stored_as] = stored(self.folder / stored_as)


async def _keys_fit(app_url: str, keyring: Keyring, random: Random) -> None:
    database = Database(app_url, pool_size=1, application="callcenter-backup")
    try:
        await check_keys(database, Sealer(keyring, random))
    finally:
        await database.close()


async def _dump(box: _Box, program: Program, dsn: str, snapshot: Snapshot, say: Say) -> None:
    """Copy the database as it stands in the snapshot."""
    tables, begun = len(snapshot.rows), 0

    def progress(line: str) -> None:
        nonlocal begun
        if "dumping contents of table" in line:
            begun += 1
            say(f"database: table {begun} of {tables}")

    arguments = [*_DUMP, f"--role={OWNER}", f"--snapshot={snapshot.id}", f"--lock-wait-timeout={_LOCK_WAIT_MS}"]
    # Closed here, whatever ends it: a disk that is full must not leave a program behind until somebody collects it.
    async with aclosing(output_of(program, arguments, dsn, progress)) as dumped:
        with box.file(written.DATABASE) as out:
            async for piece in dumped:
                out.write(piece)


def _key_files(settings: Settings) -> Mapping[str, bytes]:
    """Every key file that is there, by its name in the backup."""
    found = {}
    for name, path in key_places(settings).items():
        try:
            if path.exists():
                found[name] = path.read_bytes()
        except OSError as error:
            raise CallcenterError(f"the key file {path} cannot be read ({error.strerror})") from error
    return found


def _copy_keys(box: _Box, settings: Settings, begun_with: Mapping[str, bytes]) -> tuple[str, ...]:
    """Copy the key files; returns their names. They must be those from before the snapshot: what the sealer had signed
    by then is gone on with by the key of then alone."""
    if _key_files(settings) != begun_with:
        raise BackupRefused("a key file was changed while the backup was made: make it again")
    for name, content in begun_with.items():
        with box.file(name) as out:
            out.write(content)
    return tuple(begun_with)


def _manifest(
    box: _Box,
    snapshot: Snapshot,
    program: Program,
    keyring: Keyring,
    keys: tuple[str, ...],
    lock: Lock | None,
    random: Random,
) -> Manifest:
    manifest = Manifest(
        made_at=snapshot.at,
        version=metadata.version("callcenter"),
        server=snapshot.server,
        dump_by=program.says,
        revision=snapshot.revision,
        rows=snapshot.rows,
        heads=snapshot.heads,
        keys=keys,
        key_marks=keyring.marks(),
        lock=IN_CLEAR if lock is None or box.key is None else lock.lock(box.key, random),
        files=box.files,
    )
    return manifest if box.key is None else manifest.marked(box.key)
