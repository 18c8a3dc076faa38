"""A practice described in a YAML file: what enrols it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, ValidationError

from callcenter.kernel.documents import Document, from_pydantic, read_yaml
from callcenter.kernel.errors import DataProblems, Problem
from callcenter.practice.enrolment import (
    NumberTaken,
    PractitionerRecord,
    check_practice,
    practice_problems,
)
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.names import UnmappedCharacter, normalise_name
from callcenter.practice.numbers import E164
from callcenter.practice.practice_form import FormModel, Line, Numbers, PracticeForm, words
from callcenter.speech.moments import WEEKDAYS


def _comparable(name: str) -> str:
    try:
        normalise_name(name)
    except UnmappedCharacter as error:
        raise ValueError(str(error)) from None
    return name


_SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"


class _Practitioner(FormModel):
    name: Annotated[str, words(120), AfterValidator(_comparable)]
    title: Annotated[str, words(20, may_be_empty=True)] = ""
    speciality: Annotated[str, words(120)]
    sensitive: bool = False
    line: Line | None = None


class _Practice(PracticeForm):
    slug: str = Field(pattern=_SLUG, max_length=63)
    numbers: Numbers = Field(min_length=1, max_length=100)
    practitioners: tuple[_Practitioner, ...] = Field(max_length=200)


@dataclass(frozen=True, slots=True)
class DescribedPractice:
    """A practice and its practitioners, ready to be enrolled.

    Arguments:
        file: where it is described, as the user gave it.
        lines: 1-based line of each practitioner.
    """

    facts: PracticeFacts
    practitioners: tuple[PractitionerRecord, ...]
    file: str
    lines: tuple[int, ...]


def read_practice_file(path: Path, organisation_id: UUID, identify: Callable[[str, str], UUID]) -> DescribedPractice:
    """Read the description of one practice.

    Arguments:
        organisation_id: who staffs its telephone.
        identify: gives the identifier of a ``practice`` by its slug, and of a ``practitioner`` by slug and name.

    Raises:
        DataProblems: with all that is wrong, by line.
    """
    document = read_yaml(path)
    try:
        told = _Practice.model_validate(document.data)
    except ValidationError as error:
        raise DataProblems(from_pydantic(error, document)) from None
    facts = told.facts(id=identify("practice", told.slug), organisation_id=organisation_id, slug=told.slug)
    _check(document, told, facts)
    practitioners = tuple(
        PractitionerRecord(
            id=identify("practitioner", f"{told.slug}/{person.name}"),
            name=person.name,
            title=person.title,
            speciality=person.speciality,
            sensitive=person.sensitive,
            line=None if person.line is None else E164(person.line),
        )
        for person in told.practitioners
    )
    lines = tuple(document.line("practitioners", number) for number in range(len(practitioners)))
    return DescribedPractice(facts, practitioners, document.file, lines)


def _check(document: Document, told: _Practice, facts: PracticeFacts) -> None:
    broken = [(_as_written(path), what) for path, what in practice_problems(facts)]
    problems = [document.problem(path, what, "correct the description") for path, what in broken]
    problems += _named_twice(document, told)
    problems += _lines_that_we_answer(document, told)
    problems += _numbers_of_strangers(document, told)
    problems += _bookings_of_strangers(document, told)
    problems += _instructions_of_strangers(document, told)
    if problems:
        raise DataProblems(problems)
    try:
        check_practice(facts)
    except NumberTaken as error:
        raise DataProblems([document.problem(("rescue_number",), error.what, error.mend)]) from error


def _as_written(path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """A weekday by its name."""
    return tuple(WEEKDAYS[part] if isinstance(part, int) and part in range(7) else part for part in path)


def _named_twice(document: Document, told: _Practice) -> list[Problem]:
    """Two entries of one person would contradict each other: the later one might take a *sensitive* mark away."""
    first: dict[str, int] = {}
    problems = []
    for number, person in enumerate(told.practitioners):
        line = document.line("practitioners", first.setdefault(normalise_name(person.name), number))
        if first[normalise_name(person.name)] != number:
            what = f"« {person.name} » is the practitioner of line {line} once more"
            problems.append(document.problem(("practitioners", number), what, "keep one of them"))
    return problems


def _lines_that_we_answer(document: Document, told: _Practice) -> list[Problem]:
    return [
        document.problem(
            ("practitioners", number, "line"),
            f"the line of « {person.name} » is a number that we answer: whoever is asked there would be ourselves",
            "name a line that rings where they are, or leave it out",
        )
        for number, person in enumerate(told.practitioners)
        if person.line in told.numbers
    ]


def _numbers_of_strangers(document: Document, told: _Practice) -> list[Problem]:
    known = {normalise_name(person.name) for person in told.practitioners}
    return [
        document.problem(
            ("numbers", number),
            f"« {door.practitioner} » is no practitioner of the practice",
            "write the name as under practitioners, without the title",
        )
        for number, door in told.numbers.items()
        if door.practitioner is not None and normalise_name(door.practitioner) not in known
    ]


def _bookings_of_strangers(document: Document, told: _Practice) -> list[Problem]:
    known = {normalise_name(person.name) for person in told.practitioners}
    return [
        document.problem(
            ("booking", "practitioners", name),
            f"« {name} » is no practitioner of the practice, and cannot be booked",
            "write the name as under practitioners, without the title",
        )
        for name in told.booking.practitioners
        if normalise_name(name) not in known
    ]


def _instructions_of_strangers(document: Document, told: _Practice) -> list[Problem]:
    known = {normalise_name(person.name) for person in told.practitioners}
    return [
        document.problem(
            ("instructions", "practitioners", name),
            f"« {name} » is no practitioner of the practice, and has no instructions",
            "write the name as under practitioners, without the title",
        )
        for name in told.instructions.practitioners
        if normalise_name(name) not in known
    ]
