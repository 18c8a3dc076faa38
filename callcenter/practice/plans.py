"""What every import plans alike: usable rows in, what to write and what is wrong out. Nothing is written yet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

from callcenter.kernel.errors import Problem
from callcenter.kernel.randomness import Random
from callcenter.practice.file import PatientFile
from callcenter.practice.intake import batches
from callcenter.practice.records import AppointmentRecord, ContactRecord, PatientRecord, Reading
from callcenter.store.database import Transaction

R = TypeVar("R", bound=PatientRecord | ContactRecord | AppointmentRecord)
T = TypeVar("T")

#: Told (rows written so far, rows in all).
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Draft(Generic[R]):
    """A usable row and the line where it stands."""

    line: int
    record: R


@dataclass(frozen=True, slots=True)
class ImportContext:
    """Where an import happens.

    Arguments:
        tx: of the practice.
        file: its patients' fields.
        name: path of the imported file, for problems.
        reading: what cells were read against.
        random: makes identifiers.
        complete: the file is the whole list, of everybody: what it does not name has gone.
    """

    tx: Transaction
    file: PatientFile
    name: str
    reading: Reading
    random: Random
    complete: bool = False

    @property
    def today(self) -> date:
        """The date in the practice's zone."""
        return self.reading.now.astimezone(self.reading.zone).date()

    def problem(self, line: int, what: str, mend: str) -> Problem:
        return Problem(self.name, line, what, mend)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to write.

    Arguments:
        added: rows that are not on file yet.
        problems: why the file cannot be imported; if there are any, nothing may be written.
        write: does it, telling the progress.
        removed: telephones that leave the file.
        cancelled: appointments to come that are cancelled.
    """

    added: int
    problems: Sequence[Problem]
    write: Callable[[Progress], Awaitable[None]]
    removed: int = 0
    cancelled: int = 0


def repeated(context: ImportContext, keys: Iterable[tuple[int, object]], what: str) -> list[Problem]:
    """A problem for each line whose key stands on an earlier line."""
    first: dict[object, int] = {}
    mend = "keep one of the two lines"
    return [
        context.problem(line, f"{what} stands on line {first[key]} already", mend)
        for line, key in keys
        if first.setdefault(key, line) != line
    ]


async def write_batches(rows: Sequence[T], put: Callable[[Sequence[T]], Awaitable[None]], progress: Progress) -> None:
    """Write ``rows`` by ``put``, telling the progress after each batch."""
    done = 0
    for batch in batches(rows):
        await put(batch)
        done += len(batch)
        progress(done, len(rows))
