"""The folders of an embedded PostgreSQL, as they are made: open to read, or private and no trap."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from callcenter.store.embedded.problems import FolderRefused


def make_folder(folder: Path, *, readable: bool) -> None:
    """Make a folder and those above it, if they are not there.

    Arguments:
        readable: whether every account may look into those that are made.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent, readable=readable)
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755 if readable else 0o700)  # whatever the umask


def make_private_folder(folder: Path, owner: int) -> None:
    """Make a folder for its owner alone; one that stands there already, in a folder open to all, may be a trap.

    Raises:
        FolderRefused: what stands there is a link, another one's, or open to others.
    """
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if os.geteuid() == 0 and not folder.is_symlink():
        os.chown(folder, owner, -1)
        folder.chmod(0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o077:
        raise FolderRefused(f"{folder} is not a folder of this user alone: remove it, then start again.")
