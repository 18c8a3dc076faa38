"""Importing the files of many practices from one folder: each file whole or not at all, each practice by itself.

The folder holds a folder for each practice, called by its short name, with any of ``patients.csv``, ``contacts.csv``
and ``appointments.csv``. Files that were imported before are updated, so that a run which was stopped may be run again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import CallcenterError, Unavailable
from callcenter.kernel.randomness import Random
from callcenter.practice.directory import Directory
from callcenter.practice.importing import ImportKind, ImportReport, import_file
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer

#: Practices under way at once: one is read and sealed while the database writes the other.
AT_ONCE = 2

_FILES = {f"{kind.value}.csv": kind for kind in ImportKind}


class NothingToImport(CallcenterError):
    """A folder holds no practice's files."""


class StrangeFile(CallcenterError):
    """A practice's folder holds something that is none of its three files."""


@dataclass(frozen=True, slots=True)
class PracticeImport:
    """What became of the files of one practice.

    Arguments:
        reports: of the files that were imported, in order.
        refused: why the rest was not, with the mend; ``None`` if all were.
    """

    slug: str
    reports: tuple[ImportReport, ...]
    refused: str | None = None


def practices_in(folder: Path, begin_at: str | None = None) -> list[Path]:
    """The practices' folders below ``folder``, by short name, from that of ``begin_at`` on.

    Raises:
        NothingToImport: there is none, or none of that name.
    """
    if not folder.is_dir():
        raise NothingToImport(f"{folder} is no folder: name one that holds a folder for each practice")
    found = sorted(below for below in folder.iterdir() if below.is_dir())
    if not found:
        raise NothingToImport(f"{folder} holds no folder: make one for each practice, called by its short name")
    if begin_at is None:
        return found
    if begin_at not in (below.name for below in found):
        raise NothingToImport(f"{folder} holds no folder « {begin_at} »: correct --from")
    return [below for below in found if below.name >= begin_at]


async def import_each(
    database: Database,
    sealer: Sealer,
    folders: Sequence[Path],
    clock: Clock,
    random: Random,
    *,
    complete: bool = False,
) -> AsyncIterator[PracticeImport]:
    """Import the files of each practice: patients, then contacts, then appointments.

    Yields what became of each, in the order of ``folders``: whatever was yielded is written, and all before it. The
    files of a practice behind one that is refused are not tried, since they name what it would have brought.

    Arguments:
        database: with at least :data:`AT_ONCE` connections.
        complete: of contacts and appointments (:func:`importing.import_file`).

    Raises:
        Unavailable: the database does not answer.
    """
    waiting: list[asyncio.Task[PracticeImport]] = []
    ahead = iter(folders)

    def begin() -> None:
        for folder in ahead:
            one = _import_one(database, sealer, folder, clock, random, complete=complete)
            waiting.append(asyncio.create_task(one))
            return

    try:
        for _ in range(AT_ONCE):
            begin()
        while waiting:
            done = await waiting[0]
            waiting.pop(0)
            begin()
            yield done
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def _import_one(
    database: Database,
    sealer: Sealer,
    folder: Path,
    clock: Clock,
    random: Random,
    *,
    complete: bool,
) -> PracticeImport:
    reports: list[ImportReport] = []
    try:
        files = _files_of(folder)
        async with database.house() as connection:
            facts = await Directory.by_slug(connection, folder.name, clock.now())
        for kind, file in files:
            whole = complete and kind is not ImportKind.PATIENTS
            reports.append(
                await import_file(database, sealer, facts.id, file, kind, {}, False, clock, random, complete=whole)
            )
    except Unavailable:
        raise
    except CallcenterError as error:
        return PracticeImport(folder.name, tuple(reports), str(error))
    return PracticeImport(folder.name, tuple(reports))


def _files_of(folder: Path) -> list[tuple[ImportKind, Path]]:
    """The files of a practice, patients first."""
    strange = sorted(file.name for file in folder.iterdir() if file.name not in _FILES)
    if strange:
        raise StrangeFile(f"{folder} holds {', '.join(strange)}: call each file one of {', '.join(_FILES)}")
    found = [(kind, folder / name) for name, kind in _FILES.items() if (folder / name).exists()]
    if not found:
        raise NothingToImport(f"{folder} holds none of {', '.join(_FILES)}")
    return found
