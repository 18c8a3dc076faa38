"""What a command writes for whoever has typed it: a file that is there whole or not at all, for its owner's eyes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from callcenter.kernel.errors import Conflict, NotFound
from callcenter.store import files


@contextmanager
def whole_file(path: Path, *, replace: bool) -> Iterator[BinaryIO]:
    """A file to be written, mode 0600, which gets its name once the block has ended well and all of it is on the disk.

    Arguments:
        replace: put it in the place of one that is there.

    Raises:
        Conflict: there is one, and it is to stay.
        NotFound: there is no such folder, or nothing may be written to it.
    """
    try:
        with ExitStack() as stack:
            yield _begun(stack, path, replace=replace)
    except FileExistsError as error:
        raise Conflict(f"{path} is there already: name another file, or say --force to replace it") from error


def _begun(stack: ExitStack, path: Path, *, replace: bool) -> BinaryIO:
    try:
        return stack.enter_context(files.whole_file(path, replace=replace))
    except FileExistsError:
        raise
    except OSError as error:
        raise NotFound(f"{path} cannot be written ({error.strerror}): name a file in a folder of yours") from error
