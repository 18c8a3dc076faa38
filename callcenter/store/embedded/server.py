"""One embedded server, from its start to its stop."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import structlog
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL

from callcenter.store.embedded import ground
from callcenter.store.embedded.configuration import server_command
from callcenter.store.embedded.ending import POLL_SECONDS, end, end_orphan
from callcenter.store.embedded.lock import DataLock
from callcenter.store.embedded.places import PORT, EmbeddedPlaces
from callcenter.store.embedded.postmaster import says_ready
from callcenter.store.embedded.problems import failure, problems_explained
from callcenter.store.embedded.programs import spawn, tail

START_SECONDS = 120.0  # recovery after a crash replays what was not yet written

T = TypeVar("T")
_log = structlog.get_logger(__name__)


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
        self._lock = DataLock(places)
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start the server and return when it accepts connections; a new data folder is initialised first.

        Raises:
            DataInUse: another callcenter, or a PostgreSQL started by hand, runs on this data folder.
            Unavailable: one of its kinds in ``problems``, each saying what to do.
        """
        with problems_explained(self._places.data):
            self._lock.take()
            try:
                await _in_thread(lambda: ground.prepare(self._places))
                await end_orphan(self._places, self._patience)
                await _in_thread(lambda: ground.initialise(self._places, fsync=self._fsync))
                await self._launch()
            except BaseException:
                if self._process is None:
                    self._lock.release()
                raise
        _log.info("embedded_postgres.ready")

    async def stop(self) -> None:
        """End the server: fast (transactions are rolled back), then immediate. Nothing happens if it is not running.

        Raises:
            ServerFailed: it did not even end when it was killed.
        """
        if (process := self._process) is not None:
            await end(self._places, process.send_signal, lambda: process.poll() is not None, self._patience)
            self._process = None
            _log.info("embedded_postgres.stopped")
        self._lock.release()

    async def forget(self) -> None:
        """Delete the data for good, with lock, log, socket and copied binaries.

        Raises:
            DataInUse: the server runs, here or in another process.
        """
        with problems_explained(self._places.data):
            self._lock.take()
            try:
                await end_orphan(self._places, self._patience)
                await _in_thread(lambda: ground.delete(self._places))
            finally:
                self._lock.release()
        _log.info("embedded_postgres.forgotten")

    @property
    def log_file(self) -> Path:
        """What the server said since its last start."""
        return self._places.log_file

    def url(self, *, user: str, database: str, driver: str = "postgresql+asyncpg") -> str:
        """SQLAlchemy's URL of a database of this server, over its socket."""
        # The port is named because asyncpg and libpq would otherwise take PGPORT.
        query = {"host": str(self._places.socket), "port": str(PORT)}
        return URL.create(driver, username=user, database=database, query=query).render_as_string(hide_password=False)

    def dsn(self, *, user: str, database: str) -> str:
        """libpq's connection string of a database of this server, over its socket."""
        return make_conninfo(host=str(self._places.socket), port=PORT, user=user, dbname=database)

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
            log_file = self._places.log_file
            said = tail(log_file.read_bytes())
            # After a kill, the last processes of the dead server need a moment to notice.
            if "pre-existing shared memory block" not in said or time.monotonic() > deadline:
                raise failure("The embedded PostgreSQL did not come up", f"{said}\n  (all of it: {log_file})")
            await asyncio.sleep(0.2)

    def _spawned(self) -> subprocess.Popen[bytes]:
        places = self._places
        if places.log_file.exists():
            places.log_file.rename(places.former_log_file)
        log = os.open(places.log_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        try:
            return spawn(server_command(places, fsync=self._fsync), places.account, log)
        finally:
            os.close(log)

    async def _came_up(self, deadline: float) -> bool:
        """Wait until the server says that it is ready, as pg_ctl does; False when it ended instead."""
        process = self._process
        while process is not None and process.poll() is None:
            if says_ready(self._places.data, process.pid):
                return True
            if time.monotonic() > deadline:
                said = tail(self._places.log_file.read_bytes())
                raise failure(f"The embedded PostgreSQL was not ready after {START_SECONDS:.0f} s", said)
            await asyncio.sleep(POLL_SECONDS)
        return False


async def _in_thread(work: Callable[[], T]) -> T:
    """Run in a thread; if cancelled, wait for its end first, so that nothing works on without the lock."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
