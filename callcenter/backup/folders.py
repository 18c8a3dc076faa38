"""The folder of a backup: made whole or not at all, and readable by its owner alone."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from callcenter.backup.manifest import LARGEST, NAME, Manifest, NotABackup, StoredFile, read_manifest
from callcenter.backup.sealed_files import SealedFileDamaged
from callcenter.kernel.errors import CallcenterError, Conflict
from callcenter.store.files import to_disk

#: How the folder of a backup that is not whole yet is named.
_BEGUN = ".begun-"
_READ_BYTES = 1024 * 1024


class NoRoom(CallcenterError):
    """The disk that takes the backup is full: free some space, or write to another one. Nothing was left there."""


class BackupRefused(CallcenterError):
    """The folder that is to take the backup cannot be written to."""


@contextmanager
def made_whole(folder: Path, name: str) -> Iterator[Path]:
    """A folder to fill, which stands as ``folder/name`` once the body has ended well, and otherwise not at all.

    What was begun before and never ended is deleted first; what another process fills at this moment is left alone.

    Raises:
        Conflict: there is one of that name.
        NoRoom, BackupRefused: it cannot be written there.
    """
    whole = folder / name
    with _explained(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _forget_begun(folder)
        begun = Path(tempfile.mkdtemp(prefix=_BEGUN, dir=folder))  # 0700
        held = os.open(begun, os.O_RDONLY)
    try:
        with _explained(folder):
            fcntl.flock(held, fcntl.LOCK_EX)
            yield begun
            to_disk(begun)
            if whole.exists():
                raise Conflict(f"{whole} is there already: wait a second, then make another backup")
            begun.rename(whole)
            to_disk(folder)
    finally:
        os.close(held)
        shutil.rmtree(begun, ignore_errors=True)


def stored(path: Path) -> StoredFile:
    """What is to be written of a file in the manifest."""
    digest, size = sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_READ_BYTES):
            digest.update(chunk)
            size += len(chunk)
    return StoredFile(size, digest.hexdigest())


def manifest_of(folder: Path) -> Manifest:
    """The manifest of the backup in ``folder``.

    Raises:
        NotABackup: there is none that can be read.
    """
    if folder.name.startswith(_BEGUN):
        raise NotABackup(f"{folder} was begun and never ended: take another backup")
    try:
        with (folder / NAME).open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        what = f"{folder} has no {NAME} that can be read ({error.strerror})"
        raise NotABackup(f"{what}: name the folder of one backup, as « callcenter-… »") from error
    if len(content) > LARGEST:
        raise NotABackup(f"{folder / NAME} is too large for a manifest")
    return read_manifest(content)


def check_files(folder: Path, manifest: Manifest) -> None:
    """Check that every file of a backup is there as it was written.

    Raises:
        SealedFileDamaged: the first one that is not.
    """
    for name, expected in manifest.files.items():
        try:
            found = stored(folder / name)
        except OSError as error:
            raise SealedFileDamaged(
                f"{folder / name} cannot be read ({error.strerror}): take another backup"
            ) from error
        if found != expected:
            raise SealedFileDamaged(f"{folder / name} is not as it was written: it is damaged; take another backup")


def _forget_begun(folder: Path) -> None:
    for begun in folder.glob(f"{_BEGUN}*"):
        try:
            held = os.open(begun, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            continue  # somebody fills it
        else:
            shutil.rmtree(begun, ignore_errors=True)
        finally:
            os.close(held)


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoRoom(f"The disk that holds {folder} is full. {NoRoom()}") from error
        raise BackupRefused(f"The backup cannot be written to {folder} ({error.strerror or error})") from error
