"""A practice described in a YAML file: what enrols it. Hours are written as ``lundi: [08:30-12:00, 14:00-18:30]``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from callcenter.kernel.documents import Document, from_pydantic, read_yaml
from callcenter.kernel.errors import DataProblems, Problem
from callcenter.practice.enrolment import (
    NumberTaken,
    PractitionerRecord,
    UnusablePractice,
    check_practice,
    practice_problems,
)
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.names import UnmappedCharacter, normalise_name
from callcenter.practice.numbers import E164, NumberProblem, parse_diallable, parse_number, parse_served
from callcenter.practice.opening import Interval, Opening
from callcenter.practice.values import EntryKind, VoiceMode
from callcenter.speech.moments import WEEKDAYS

_INTERVAL = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])\s*[-–]\s*([01]?[0-9]|2[0-3]):([0-5][0-9])")


def _number(parse: Callable[[str], str | NumberProblem]) -> AfterValidator:
    def read(text: str) -> str:
        number = parse(text)
        if isinstance(number, NumberProblem):
            raise ValueError(number.value)
        return number

    return AfterValidator(read)


def _read_interval(text: object) -> Interval:
    match = _INTERVAL.fullmatch(str(text))
    if match is None:
        raise ValueError("hours are written from-to, such as 08:30-12:00")
    from_hour, from_minute, to_hour, to_minute = map(int, match.groups())
    return time(from_hour, from_minute), time(to_hour, to_minute)


def _read_weekday(text: object) -> int:
    if text not in WEEKDAYS:
        raise ValueError(f"days are called {', '.join(WEEKDAYS)}")
    return WEEKDAYS.index(str(text))


def _read_zone(text: object) -> ZoneInfo:
    try:
        return ZoneInfo(str(text))
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("there is no such time zone") from None


#: A weekday, 0 for Monday, written in French.
Weekday = Annotated[int, BeforeValidator(_read_weekday)]
_Intervals = tuple[Annotated[Interval, BeforeValidator(_read_interval)], ...]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


def _words(most: int, *, may_be_empty: bool = False) -> AfterValidator:
    """Words that are said: on one line, not empty, and short enough for a caller and for the carrier's 64 KiB."""

    def read(text: str) -> str:
        if not text.strip() and not may_be_empty:
            raise ValueError("it is empty")
        if len(text) > most:
            raise ValueError(f"it is longer than {most} characters")
        if any(unicodedata.category(character) in ("Cc", "Cs", "Co", "Cn") for character in text):
            raise ValueError("it has a line break or another control character")
        return text

    return AfterValidator(read)


def _comparable(name: str) -> str:
    try:
        normalise_name(name)
    except UnmappedCharacter as error:
        raise ValueError(str(error)) from None
    return name


_SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"


class _Practitioner(_Model):
    name: Annotated[str, _words(120), AfterValidator(_comparable)]
    title: Annotated[str, _words(20, may_be_empty=True)] = ""
    speciality: Annotated[str, _words(120)]
    sensitive: bool = False


class _Practice(_Model):
    slug: str = Field(pattern=_SLUG, max_length=63)
    name: Annotated[str, _words(120)]
    spoken_name: Annotated[str, _words(120)]
    address: Annotated[str, _words(300)]
    access: Annotated[str, _words(600, may_be_empty=True)] = ""
    timezone: Annotated[ZoneInfo, BeforeValidator(_read_zone)] = ZoneInfo("Europe/Paris")
    holiday_subdivision: str | None = None
    numbers: dict[Annotated[str, _number(parse_served)], EntryKind] = Field(min_length=1, max_length=100)
    rescue_number: Annotated[str, _number(parse_number)]
    other_lines: tuple[Annotated[str, _number(parse_number)], ...] = Field((), max_length=100)
    out_of_hours_number: Annotated[str, _number(parse_diallable)]
    closing_conduct: Annotated[str, _words(1000)]
    voice: VoiceMode = VoiceMode.LOCAL
    hours: dict[Weekday, Annotated[_Intervals, Field(max_length=6)]] = {}
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
    facts = _facts(told, organisation_id, identify("practice", told.slug))
    _check(document, told, facts)
    practitioners = tuple(
        PractitionerRecord(
            id=identify("practitioner", f"{told.slug}/{person.name}"),
            name=person.name,
            title=person.title,
            speciality=person.speciality,
            sensitive=person.sensitive,
        )
        for person in told.practitioners
    )
    lines = tuple(document.line("practitioners", number) for number in range(len(practitioners)))
    return DescribedPractice(facts, practitioners, document.file, lines)


def _facts(told: _Practice, organisation_id: UUID, practice_id: UUID) -> PracticeFacts:
    return PracticeFacts(
        id=practice_id,
        organisation_id=organisation_id,
        slug=told.slug,
        name=told.name,
        spoken_name=told.spoken_name,
        address=told.address,
        access=told.access,
        opening=Opening(told.timezone, told.hours, told.holiday_subdivision),
        rescue_number=E164(told.rescue_number),
        closing_conduct=told.closing_conduct,
        out_of_hours_number=told.out_of_hours_number,
        voice=told.voice,
        numbers={E164(number): kind for number, kind in told.numbers.items()},
        other_lines=frozenset(map(E164, told.other_lines)),
    )


def _check(document: Document, told: _Practice, facts: PracticeFacts) -> None:
    broken = [(_as_written(path), what) for path, what in practice_problems(facts)]
    problems = [document.problem(path, what, "correct the description") for path, what in broken]
    problems += _named_twice(document, told)
    if problems:
        raise DataProblems(problems)
    try:
        check_practice(facts)
    except (UnusablePractice, NumberTaken) as error:
        raise DataProblems([document.problem(("rescue_number",), str(error), "correct the description")]) from error


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
