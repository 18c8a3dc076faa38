"""What a command writes for whoever has typed it: a file that is there whole or not at all, for its owner's eyes."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from callcenter.kernel.errors import Conflict, NotFound, Unavailable
from callcenter.store import files

#: What a disk says that takes no more.
_NO_ROOM = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO))


@contextmanager
def whole_file(path: Path, *, replace: bool) -> Iterator[BinaryIO]:
    """A file to be written, mode 0600, which gets its name once the block has ended well and all of it is on the disk.

    Arguments:
        replace: put it in the place of one that is there.

    Raises:
        Conflict: there is one, and it is to stay; or what is there is no file.
        NotFound: there is no such folder, or nothing may be written to it.
        Unavailable: the disk takes no more.
    """
    if replace and path.exists() and not path.is_file():  # /dev/full, too, would become a file
        raise Conflict(f"{path} is there, and is no file that could be replaced: name another one")
    try:
        with ExitStack() as stack:
            yield _begun(stack, path, replace=replace)
    except FileExistsError as error:
        raise Conflict(f"{path} is there already: name another file, or say --force to replace it") from error
    except OSError as error:
        if error.errno not in _NO_ROOM:  # whoever fills the file may have failed by themselves
            raise
        raise Unavailable(f"{path} was not written ({error.strerror}): nothing is there, or what was before") from error


def _begun(stack: ExitStack, path: Path, *, replace: bool) -> BinaryIO:
    try:
        return stack.enter_context(files.whole_file(path, replace=replace))
    except FileExistsError:
        raise
    except OSError as error:
        raise NotFound(f"{path} cannot be written ({error.strerror}): name a file in a folder of yours") from error
