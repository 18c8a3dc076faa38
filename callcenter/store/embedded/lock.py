"""The lock on a data folder: it ends with the process that holds it, however that ends."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress

from callcenter.store.embedded.folders import make_folder
from callcenter.store.embedded.places import EmbeddedPlaces
from callcenter.store.embedded.problems import DataInUse


class DataLock:
    """Held by the process that runs the server of a data folder, which it names.

    Arguments:
        places: where that server lives.
    """

    def __init__(self, places: EmbeddedPlaces) -> None:
        self._places = places
        self._lock: int | None = None

    def take(self) -> None:
        """Lock the data folder; the folder around it is made.

        Raises:
            DataInUse: it is locked, by this process or another one.
        """
        if self._lock is not None:
            raise DataInUse(f"This process ({os.getpid()}) runs the database in {self._places.data}: stop it first.")
        make_folder(self._places.data.parent, readable=self._places.account is not None)
        while (lock := self._locked_file()) is None:
            pass
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        self._lock = lock

    def release(self) -> None:
        """Let others have it. Nothing happens if it is not held."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _locked_file(self) -> int | None:
        """The lock file's descriptor, locked; None if whoever forgot the data took the file away meanwhile."""
        lock = os.open(self._places.lock_file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(lock), self._places.lock_file.stat()):
                    return lock
        except BlockingIOError:
            holder = os.read(lock, 32).decode().strip() or "(it is just starting)"
            os.close(lock)
            raise DataInUse(
                f"Process {holder} runs the database in {self._places.data}: stop it first (Ctrl-C where it runs)."
            ) from None
        os.close(lock)
        return None
