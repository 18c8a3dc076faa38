"""Files that are written whole or not at all: keys, and whatever is its owner's alone."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EEXIST, EINVAL
from pathlib import Path
from typing import BinaryIO

#: For whoever made it alone.
PRIVATE = 0o600
LEFT_EMPTY = "an empty file is there, which a crash may have left: remove it"


@contextmanager
def whole_file(path: Path, *, replace: bool = False, mode: int = PRIVATE) -> Iterator[BinaryIO]:
    """A file to be written, which gets its name once the block has ended well and all of it is on the disk.

    Arguments:
        replace: put it in the place of one that is there, which is never done otherwise.
        mode: who may read and write it, whatever the process gives to its files.

    Raises:
        FileExistsError: there is one, and it is to stay. If it is empty, a crash may have left it (:func:`_name`), and
            that is what is said.
        OSError: it cannot be written there.
    """
    if not replace and path.exists():  # before anything is done for it
        raise FileExistsError(EEXIST, LEFT_EMPTY if is_empty(path) else os.strerror(EEXIST), str(path))
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
    unfinished = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            os.fchmod(file.fileno(), mode)
            yield file
            file.flush()
            os.fsync(file.fileno())
        if replace:
            unfinished.replace(path)
        else:
            _name(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    to_disk(path.parent)


def is_empty(path: Path) -> bool:
    """Whether a file is there, and nothing in it."""
    return path.is_file() and path.stat().st_size == 0


def _name(unfinished: Path, path: Path) -> None:
    """Never in the place of what somebody has put there meanwhile."""
    try:
        path.hardlink_to(unfinished)
    except FileExistsError as error:
        raise FileExistsError(error.errno, error.strerror, str(path)) from None
    except OSError:  # a stick may have no links: there the name is taken before the file comes
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE))
        unfinished.replace(path)


def to_disk(folder: Path) -> None:
    """That the names in ``folder`` are there after a power cut, too."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno != EINVAL:  # some file systems keep their folders by themselves, and have no such call for them
            raise
    finally:
        os.close(number)
