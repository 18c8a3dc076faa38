"""Who runs a data folder by PostgreSQL's own account of it: what postmaster.pid says, and whether it is still true."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path

from callcenter.store.embedded.places import PORT, EmbeddedPlaces

UNREADABLE = 0  # no process has this number


class Occupant(Enum):
    """Whose process the number in postmaster.pid is."""

    GONE = auto()
    OURS = auto()
    BY_HAND = auto()
    STRANGER = auto()


def number_in(data: Path) -> int:
    """The process number that postmaster.pid begins with; UNREADABLE when it was cut short.

    Raises:
        FileNotFoundError: there is no such file, as after an orderly end.
    """
    with suppress(ValueError, IndexError):
        return abs(int(_file(data).read_text().splitlines()[0]))  # negative: single-user mode
    return UNREADABLE


def says_ready(data: Path, pid: int) -> bool:
    """Whether postmaster.pid is of this process and its eighth line says ready (as pg_ctl reads it)."""
    try:
        lines = _file(data).read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"


def occupant(pid: int, places: EmbeddedPlaces) -> Occupant:
    """Whose the process is now that postmaster.pid names."""
    if pid == UNREADABLE:
        return Occupant.STRANGER
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return Occupant.GONE
    except PermissionError:
        return Occupant.STRANGER  # PostgreSQL accepts no data folder of another account
    command = _command_line(pid)
    if f" -D {places.data} " in command and f" -k {places.socket} " in command:
        return Occupant.OURS
    return Occupant.BY_HAND if _works_in(pid, places.data, command) else Occupant.STRANGER


def disown_number(places: EmbeddedPlaces) -> None:
    """Take away a number that belongs to another program now: PostgreSQL would take it for its own."""
    _file(places.data).unlink()
    (places.socket / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)


def _file(data: Path) -> Path:
    return data / "postmaster.pid"


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
