"""Where signed heads are deposited, so that somebody else than the owner of the database holds them."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from callcenter.audit.anchors import AnchorKind
from callcenter.kernel.errors import Unavailable


class NotDeposited(Unavailable):
    """A head could not be deposited."""


class AnotherHead(NotDeposited):
    """Something else is where this head of its log belongs. Heads of other logs may be deposited all the same."""


class Depository(Protocol):
    """Somebody who holds heads."""

    @property
    def kind(self) -> AnchorKind:
        """Which kind of holder it is."""

    @property
    def place(self) -> str:
        """Where: the same for all heads; it is on file and in exports."""

    @property
    def every(self) -> timedelta:
        """How much time lies between two heads of one log that it is given."""

    async def deposit(self, origin: str, size: int, note: str) -> bytes | None:
        """Give a head to hold; returns a receipt, where there are any. Giving the same one again changes nothing.

        Raises:
            NotDeposited: it is not certain that it is held.
        """


def name_of(origin: str, size: int) -> str:
    """The name of a head where heads are files."""
    return f"{origin.replace('/', '.')}.{size:012}.checkpoint"


def says_the_same(there: bytes, note: bytes) -> bool:
    """Whether a note that is there is the same head: of the same text, whoever has signed it meanwhile."""
    return there.partition(b"\n\n")[0] == note.partition(b"\n\n")[0]


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder, best on a medium that is written once. A head is a file of its own, which is never written again.

    Arguments:
        path: of the folder, which is there.
    """

    path: Path

    @property
    def kind(self) -> AnchorKind:
        return AnchorKind.FILE

    @property
    def place(self) -> str:
        return str(self.path)

    @property
    def every(self) -> timedelta:
        return timedelta(0)

    async def deposit(self, origin: str, size: int, note: str) -> None:
        """See :class:`Depository`."""
        await asyncio.to_thread(self._write, self.path / name_of(origin, size), note)

    def _write(self, file: Path, note: str) -> None:
        try:
            number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
        except FileExistsError:
            self._check_same(file, note)
            return
        except OSError as error:
            raise NotDeposited(f"{file} cannot be written: {error.strerror}") from error
        try:
            with os.fdopen(number, "wb") as opened:
                opened.write(note.encode())
                opened.flush()
                os.fsync(opened.fileno())
        except OSError as error:
            with suppress(OSError):  # a full disk is no second head, which the next try would find here
                file.unlink()
            raise NotDeposited(f"{file} was not written whole: {error.strerror}") from error

    def _check_same(self, file: Path, note: str) -> None:
        """A head that was deposited in an earlier try, whose word was lost."""
        try:
            there = file.read_bytes()
        except OSError as error:
            raise NotDeposited(f"{file} cannot be read: {error.strerror}") from error
        if _is_unfinished(there):
            self._write_anew(file, note)
        elif not says_the_same(there, note.encode()):
            raise AnotherHead(f"{file} holds another head of this size: keep both, and ask why there are two")

    def _write_anew(self, file: Path, note: str) -> None:
        """In the place of one that an earlier try, which was stopped, has begun."""
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            raise AnotherHead(f"{file} holds no whole head, and cannot be removed: {error.strerror}") from error
        self._write(file, note)


def _is_unfinished(there: bytes) -> bool:
    """Whether it ends before a signature does: nobody's word is lost with it."""
    _, empty_line, signatures = there.partition(b"\n\n")
    return not (empty_line and signatures.endswith(b"\n"))
