"""What can be wrong with an embedded PostgreSQL, each kind with what to do about it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from callcenter.kernel.errors import Conflict, Unavailable

OTHERWISE = "Or set DATABASE_URL to a PostgreSQL 15 or newer of your own."


class NoBinaries(Unavailable):
    """There is no embedded PostgreSQL for this platform: set DATABASE_URL to a PostgreSQL 15 or newer."""


class NoAccount(Unavailable):
    """PostgreSQL needs an account of this machine that is not root."""


class SocketTooLong(Unavailable):
    """The path of the database's socket is longer than the system allows."""


class FolderRefused(Unavailable):
    """A folder that the embedded PostgreSQL needs cannot be used."""


class DiskFull(Unavailable):
    """The disk that holds the database is full: free some space, then start again."""


class ServerFailed(Unavailable):
    """The embedded PostgreSQL did not come up."""


class DataInUse(Conflict):
    """Another process runs the database of this data folder."""


def failure(what: str, said: str) -> Unavailable:
    """The kind of problem that a program of PostgreSQL spoke of.

    Arguments:
        what: did not succeed, as a sentence without its full stop.
        said: the last lines of the program.
    """
    return DiskFull() if os.strerror(errno.ENOSPC) in said else ServerFailed(f"{what}:\n{said}\n{OTHERWISE}")


@contextmanager
def problems_explained(data: Path) -> Iterator[None]:
    """Give the system's own errors about the data folder their kind.

    Raises:
        DiskFull: there was no space left.
        FolderRefused: any other.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT) or os.strerror(errno.ENOSPC) in str(error):
            raise DiskFull from error
        raise FolderRefused(f"The database in {data} cannot be prepared: {error}. {OTHERWISE}") from error
