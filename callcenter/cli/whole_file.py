"""A file that is there whole or not at all, for its owner's eyes."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from callcenter.kernel.errors import Conflict, NotFound, Unavailable

#: What a disk says that takes no more.
_NO_ROOM = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO))


@contextmanager
def whole_file(path: Path, *, replace: bool) -> Iterator[BinaryIO]:
    """A file to be written, mode 0600, which gets its name once the block has ended well and all of it is on the disk.

    Arguments:
        replace: put it in the place of one that is there.

    Raises:
        Conflict: there is one, and it is to stay; or what is there is no file: a folder, or a device.
        NotFound: there is no such folder, or nothing may be written to it.
        Unavailable: the disk is full, or broken; nothing is there.
    """
    if replace and path.exists() and not path.is_file():  # /dev/full, too, would become a file
        raise Conflict(f"{path} is there, and is no file that could be replaced: name another one")
    if not replace and path.exists():
        raise _is_there(path)
    try:
        number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise NotFound(f"{path} cannot be written ({error.strerror}): name a file in a folder of yours") from error
    unfinished = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if replace:
            unfinished.replace(path)
        else:
            path.hardlink_to(unfinished)  # which fails where somebody has made one meanwhile
    except FileExistsError as error:
        raise _is_there(path) from error
    except OSError as error:
        if error.errno not in _NO_ROOM:  # whoever fills the file may have failed by themselves
            raise
        raise Unavailable(f"{path} was not written ({error.strerror}): nothing is there, or what was before") from error
    finally:
        with suppress(FileNotFoundError):
            unfinished.unlink()
    _keep_the_name(path.parent)


def _keep_the_name(folder: Path) -> None:
    """The entry in the folder reaches the disk too."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _is_there(path: Path) -> Conflict:
    return Conflict(f"{path} is there already: name another file, or say --force to replace it")
