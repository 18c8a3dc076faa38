"""A practice described in a YAML file: what enrols it. Hours are written as ``lundi: [08:30-12:00, 14:00-18:30]``."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError

from callcenter.kernel.documents import Document, from_pydantic, read_yaml
from callcenter.kernel.errors import DataProblems
from callcenter.practice.enrolment import NumberTaken, PractitionerRecord, UnusablePractice, check_practice
from callcenter.practice.facts import PracticeFacts
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


class _Practitioner(_Model):
    name: str
    title: str = ""
    speciality: str
    sensitive: bool = False


class _Practice(_Model):
    slug: str
    name: str
    spoken_name: str
    address: str
    access: str = ""
    timezone: Annotated[ZoneInfo, BeforeValidator(_read_zone)] = ZoneInfo("Europe/Paris")
    holiday_subdivision: str | None = None
    numbers: dict[Annotated[str, _number(parse_served)], EntryKind]
    rescue_number: Annotated[str, _number(parse_number)]
    other_lines: tuple[Annotated[str, _number(parse_number)], ...] = ()
    out_of_hours_number: Annotated[str, _number(parse_diallable)]
    closing_conduct: str
    voice: VoiceMode = VoiceMode.LOCAL
    hours: dict[Weekday, _Intervals] = {}
    practitioners: tuple[_Practitioner, ...]


@dataclass(frozen=True, slots=True)
class DescribedPractice:
    """A practice and its practitioners, ready to be enrolled."""

    facts: PracticeFacts
    practitioners: tuple[PractitionerRecord, ...]


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
    _check(document, facts)
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
    return DescribedPractice(facts, practitioners)


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


def _check(document: Document, facts: PracticeFacts) -> None:
    try:
        check_practice(facts)
    except (UnusablePractice, NumberTaken) as error:
        path = ("rescue_number",) if isinstance(error, NumberTaken) else ()
        raise DataProblems([document.problem(path, str(error), "correct the description")]) from error
