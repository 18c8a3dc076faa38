"""What a server stands on: made before its first start, deleted for good when it is forgotten."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

import structlog

from callcenter.store.embedded.accounts import uid_of
from callcenter.store.embedded.binaries import copy_binaries, installed_binaries
from callcenter.store.embedded.configuration import initdb_command
from callcenter.store.embedded.folders import make_folder, make_private_folder
from callcenter.store.embedded.places import EmbeddedPlaces, fits
from callcenter.store.embedded.problems import OTHERWISE, SocketTooLong, failure
from callcenter.store.embedded.programs import outcome, spawn, tail

_log = structlog.get_logger(__name__)


def prepare(places: EmbeddedPlaces) -> None:
    """Make the socket's folder, and the copy of the binaries if there is to be one.

    Raises:
        SocketTooLong: the system does not allow a socket there.
        FolderRefused: its folder is a trap.
    """
    if not fits(places.socket):
        raise SocketTooLong(f"{places.socket} is too long for a socket. Move the runtime folder. {OTHERWISE}")
    owner = uid_of(places.account)
    if places.account is not None:
        make_folder(places.socket.parent, readable=True)
    make_private_folder(places.socket, owner)
    if not places.binaries.exists():
        _log.info("embedded_postgres.copying_binaries")
        copy_binaries(places.binaries)


def initialise(places: EmbeddedPlaces, *, fsync: bool) -> None:
    """Make a new cluster beside its place and move it there, so that a half-made one is never taken for whole.

    Raises:
        ServerFailed: initdb could not.
        DiskFull: because there was no space left.
    """
    if (places.data / "PG_VERSION").exists():
        return
    for remains in _half_made(places):
        shutil.rmtree(remains)
    _log.info("embedded_postgres.initialising")
    fresh = Path(tempfile.mkdtemp(prefix=f"{places.data.name}.new-", dir=places.data.parent))
    os.chown(fresh, uid_of(places.account), -1)
    try:
        initdb = spawn(initdb_command(places, fresh, fsync=fsync), places.account, subprocess.PIPE)
        said = tail(outcome(initdb))
        if initdb.returncode != 0:
            raise failure("The embedded PostgreSQL could not be initialised", said)
        fresh.rename(places.data)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def delete(places: EmbeddedPlaces) -> None:
    """Delete the data, with lock, log, socket and copied binaries."""
    beside = places.data.parent
    copies = [] if places.binaries == installed_binaries() else beside.glob("server-*")
    for folder in (places.data, *_half_made(places), *copies, places.socket):
        if folder.exists():
            shutil.rmtree(folder)
    for file in (places.log_file, places.former_log_file, places.lock_file):
        file.unlink(missing_ok=True)
    with suppress(OSError):  # not empty: somebody else keeps things there
        beside.rmdir()


def _half_made(places: EmbeddedPlaces) -> list[Path]:
    return list(places.data.parent.glob(f"{places.data.name}.new-*"))
