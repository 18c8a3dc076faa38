"""Putting practitioners on file, and changing what is on file about them, but the name: settings go by that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from sqlalchemy import Row, select, text

from callcenter.kernel.errors import CallcenterError, DataProblems, NotFound, Problem
from callcenter.practice.enrolment import PractitionerRecord, lock_directory, write_practitioners
from callcenter.practice.names import UnmappedCharacter, normalise_name
from callcenter.practice.numbers import E164, NumberProblem, parse_number
from callcenter.practice.tables import practitioner
from callcenter.store.database import Transaction

#: Characters, and practitioners of a practice, as in its file.
LONGEST_NAME, LONGEST_TITLE, LONGEST_SPECIALITY = 120, 20, 120
MOST_PEOPLE = 200


class NoSuchPractitioner(NotFound):
    """The practice has no such practitioner."""


class PersonStandsSo(CallcenterError):
    """What is on file about the practitioner is that already."""


class PeopleRecorder(Protocol):
    """Writes into the ledger that a practitioner was changed, in the transaction of the change."""

    async def practitioner_changed(self, tx: Transaction, whom: UUID, by: str) -> None:
        """Record it; never what."""


@dataclass(frozen=True, slots=True)
class PersonWanted:
    """What is to be on file.

    Arguments:
        line: as typed; ``None`` leaves the one on file, empty takes it away.
        loses_mark: it was said expressly that a *sensitive* mark goes (D05).
    """

    title: str
    speciality: str
    sensitive: bool
    line: str | None = field(default=None, repr=False)
    loses_mark: bool = False


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A practitioner who is to be on file.

    Arguments:
        name: first name and name, without the title.
        line: as typed; empty for none.
    """

    name: str
    title: str
    speciality: str
    sensitive: bool
    line: str = field(default="", repr=False)


async def people_of(tx: Transaction) -> Sequence[PractitionerRecord]:
    """The practitioners of the practice, by name."""
    query = select(practitioner).where(practitioner.c.practice_id == tx.practice).order_by(practitioner.c.name)
    rows = (await tx.connection.execute(query)).all()
    return [PractitionerRecord(row.id, row.name, row.title, row.speciality, row.sensitive, row.line) for row in rows]


async def change_person(tx: Transaction, whom: UUID, wanted: PersonWanted, by: str, recorder: PeopleRecorder) -> None:
    """Bring what is on file about a practitioner to what is wanted, on record.

    Raises:
        NoSuchPractitioner: the practice has none of that identifier.
        DataProblems: something cannot be used; or the mark would go without being said to.
        NumberTaken: we answer at the line.
        PersonStandsSo: nothing would change.
    """
    await lock_directory(tx.connection)  # whether we answer at a line does not change until the end
    row = (await tx.connection.execute(_HELD, {"practice": tx.practice, "whom": whom})).one_or_none()
    if row is None:
        raise NoSuchPractitioner
    title, speciality = " ".join(wanted.title.split()), " ".join(wanted.speciality.split())
    line = row.line if wanted.line is None else _line(wanted.line)
    problems = list(_problems(title, speciality, row, wanted))
    if isinstance(line, NumberProblem):
        problems.append(Problem("line", 0, line.value, "name a line that rings where they are, or none"))
        raise DataProblems(problems)
    if problems:
        raise DataProblems(problems)
    after = PractitionerRecord(row.id, row.name, title, speciality, wanted.sensitive, line)
    if after == PractitionerRecord(row.id, row.name, row.title, row.speciality, row.sensitive, row.line):
        raise PersonStandsSo
    await write_practitioners(tx, [after])
    await recorder.practitioner_changed(tx, whom, by)


async def add_person(tx: Transaction, whom: UUID, new: NewPerson, by: str, recorder: PeopleRecorder) -> None:
    """Put a practitioner on file, on record.

    Arguments:
        whom: the identifier that they get.

    Raises:
        DataProblems: something cannot be used, or somebody of that name is on file.
        NumberTaken: we answer at the line.
    """
    await lock_directory(tx.connection)
    there = await people_of(tx)
    name, title, speciality = (" ".join(text.split()) for text in (new.name, new.title, new.speciality))
    line, problems = _line(new.line), _length_problems(title, speciality)
    problems += _name_problems(name, there)
    if isinstance(line, NumberProblem):
        problems.append(Problem("line", 0, line.value, "name a line that rings where they are, or none"))
        raise DataProblems(problems)
    if len(there) >= MOST_PEOPLE:
        problems.append(Problem("name", 0, f"at most {MOST_PEOPLE} items can be on file", "enrol another practice"))
    if problems:
        raise DataProblems(problems)
    await write_practitioners(tx, [PractitionerRecord(whom, name, title, speciality, new.sensitive, line)])
    await recorder.practitioner_changed(tx, whom, by)


def _name_problems(name: str, there: Sequence[PractitionerRecord]) -> list[Problem]:
    if not name:
        return [Problem("name", 0, "it is empty", "write the first name and the name")]
    if len(name) > LONGEST_NAME:
        return [Problem("name", 0, f"it is longer than {LONGEST_NAME} characters", "shorten it")]
    try:
        compared = normalise_name(name)
    except UnmappedCharacter as error:
        return [Problem("name", 0, f"it cannot be compared: {error}", "write it in letters")]
    if any(normalise_name(one.name) == compared for one in there):
        return [Problem("name", 0, "somebody of that name is on file", "change what is on file about them")]
    return []


def _line(typed: str) -> E164 | NumberProblem | None:
    return parse_number(typed) if typed.strip() else None


def _problems(title: str, speciality: str, row: Row[tuple[object, ...]], wanted: PersonWanted) -> list[Problem]:
    problems = _length_problems(title, speciality)
    if row.sensitive and not wanted.sensitive and not wanted.loses_mark:
        # Without it their name is read to callers (D05): that is not done by a slip of the hand.
        problems.append(Problem("sensitive", 0, "they cannot lose the mark by the way", "say that it goes"))
    return problems


def _length_problems(title: str, speciality: str) -> list[Problem]:
    problems = []
    if len(title) > LONGEST_TITLE:
        problems.append(Problem("title", 0, f"it is longer than {LONGEST_TITLE} characters", "shorten it"))
    if not speciality:
        problems.append(Problem("speciality", 0, "it is empty", "write one"))
    if len(speciality) > LONGEST_SPECIALITY:
        problems.append(Problem("speciality", 0, f"it is longer than {LONGEST_SPECIALITY} characters", "shorten it"))
    return problems


_HELD = text(
    """
    SELECT id, name, title, speciality, sensitive, line FROM practitioner
    WHERE practice_id = :practice AND id = :whom FOR UPDATE
    """
)
