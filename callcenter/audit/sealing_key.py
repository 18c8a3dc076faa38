"""The file of the keys that sign the heads of logs. Only who seals reads it.

While the key is being changed for another, the file holds both, and both sign (``docs/ledger-format.md``).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from callcenter.audit.signing import SealingKey
from callcenter.kernel.errors import ConfigurationError, Conflict, Problem
from callcenter.kernel.randomness import Random
from callcenter.store.files import whole_file

NAME = "sealer.key"


@dataclass(slots=True)
class KeyFile:
    """The file of a sealer that runs, read anew once another one stands there: a change of the key needs no restart.

    Arguments:
        path: of the file.
        key: as it was read last.
    """

    path: Path
    key: SealingKey
    _seen: tuple[int, ...] | None = None
    _trouble: ConfigurationError | None = None

    @classmethod
    def read(cls, path: Path) -> KeyFile:
        """Read it for the first time.

        Raises:
            ConfigurationError: it is missing, open to others, or no key.
        """
        seen = _state_of(path)  # before it is read: what is written meanwhile is seen the next time
        return cls(path, load_sealing_key(path), seen)

    def renewed(self) -> SealingKey:
        """The key as it stands there now.

        Raises:
            ConfigurationError: what stands there cannot be used, or has nothing to do with the key so far, which goes
                on.
        """
        seen = _state_of(self.path)
        if seen != self._seen:
            self._seen, self._trouble = seen, None
            try:
                found = load_sealing_key(self.path)
                if not found.goes_on_from(self.key):
                    mend = "put back the file that was there: with another key no log can be gone on with"
                    raise _unusable(self.path, "this is another sealer's key than the one that seals", mend)
                self.key = found
            except ConfigurationError as error:
                self._trouble = error
        if self._trouble is not None:
            raise self._trouble
        return self.key


def _state_of(path: Path) -> tuple[int, ...] | None:
    """By which a file is known to be another one, or another's; ``None``: there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size


@contextmanager
def alone_with(path: Path) -> Iterator[None]:
    """While the body runs, nobody else changes the sealer's file by a command.

    Raises:
        Conflict: somebody does.
        ConfigurationError: there is no such folder.
    """
    try:
        number = os.open(path.parent, os.O_RDONLY)
    except OSError as error:
        raise _unusable(path, f"the sealer's key cannot be read ({error.strerror})", "name its file") from error
    try:
        try:
            flock(number, LOCK_EX | LOCK_NB)
        except OSError as error:
            raise Conflict(f"another command is changing {path} right now: wait for it") from error
        yield
    finally:
        os.close(number)


def create_sealing_key(path: Path, random: Random) -> SealingKey:
    """Make a file with a new key, mode 0600.

    Raises:
        FileExistsError: the file is there already; a key is never overwritten.
    """
    key = SealingKey.fresh(random)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        file.write(key.to_bytes())
    return key


def load_sealing_key(path: Path) -> SealingKey:
    """Read the sealer's key.

    Raises:
        ConfigurationError: it is missing, open to others, or no key; with what to do.
    """
    restore = "restore it from your backup"
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        content = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        mend = f"{restore}; where nothing was ever sealed, `callcenter keys create` makes one"
        raise _unusable(path, f"the sealer's key cannot be read ({why})", mend) from error
    if mode & 0o077:
        raise _unusable(path, f"the sealer's key is open to other accounts (mode {mode:04o})", f"chmod 600 {path}")
    try:
        return SealingKey.parse(content)
    except ValueError as error:
        raise _unusable(path, "this is not a sealer's key of callcenter, or it is damaged", restore) from error


def _unusable(path: Path, what: str, mend: str) -> ConfigurationError:
    return ConfigurationError([Problem(str(path), 0, what, mend)])
