"""The demonstration as its files describe it (``config/demo``): practices, named people, their appointments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from callcenter.kernel.documents import from_pydantic, read_yaml
from callcenter.kernel.errors import DataProblems
from callcenter.practice.opening import Opening
from callcenter.practice.practice_file import DescribedPractice, read_practice_file
from callcenter.practice.practice_form import Weekday

#: Demonstration data have the same identifiers everywhere, so that whoever tries something can name them.
_NAMESPACE = uuid5(NAMESPACE_URL, "https://callcenter.example/demonstration")

#: So many weeks of an agenda are searched for a day that is no public holiday.
_WEEKS = 60


def demo_id(kind: str, key: str) -> UUID:
    """The identifier of a thing of the demonstration.

    Arguments:
        kind: ``organisation``, ``practice``, ``practitioner``, ``patient`` or ``appointment``.
        key: an organisation's name; a practice's slug; ``slug/name`` of a practitioner; a patient's key;
            ``patient/n`` of an appointment, counted from 1.
    """
    return uuid5(_NAMESPACE, f"{kind}/{key}")


def _read_time(text: object) -> time:
    return time.fromisoformat(str(text))


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AnchoredAppointment(_Model):
    """An appointment that is always to come.

    Arguments:
        practitioner: name.
        day, at: weekday and local time.
        later: how many such days to pass over.
    """

    practitioner: str
    day: Weekday
    at: Annotated[time, BeforeValidator(_read_time)]
    later: int = 0

    def starts_at(self, opening: Opening, today: date) -> datetime:
        """Its start, seen from ``today``: on a weekday strictly later that is no public holiday."""
        first = today + timedelta(days=(self.day - today.weekday() - 1) % 7 + 1)
        days = [day for week in range(_WEEKS) if not opening.is_holiday(day := first + timedelta(weeks=week))]
        return datetime.combine(days[self.later], self.at, opening.zone)

    def contradictions(self, practice: DescribedPractice) -> Iterator[str]:
        """Why this appointment cannot be: nobody of that name, or the practice is closed then."""
        if all(self.practitioner != person.name for person in practice.practitioners):
            yield f"the practice has no practitioner « {self.practitioner} »"
        if not any(opens <= self.at < closes for opens, closes in practice.facts.hours.get(self.day, ())):
            yield "the practice is closed at that time of the week"


class NamedPerson(_Model):
    """A patient who is described one by one."""

    key: str
    practice: str
    traits: Mapping[str, str]
    phones: tuple[str, ...]
    appointments: tuple[AnchoredAppointment, ...]


class _Invented(_Model):
    patients: int
    seed: int


class _Demonstration(_Model):
    organisation: str
    practices: tuple[str, ...]
    invented: _Invented
    patients: tuple[NamedPerson, ...]


@dataclass(frozen=True, slots=True)
class Demonstration:
    """All that the files say."""

    organisation: str
    practices: Mapping[str, DescribedPractice]
    named: tuple[NamedPerson, ...]
    invented: int
    seed: int

    @property
    def organisation_id(self) -> UUID:
        return demo_id("organisation", self.organisation)


def read_demonstration(folder: Path) -> Demonstration:
    """Read ``demonstration.yaml`` and the practices that it names.

    Raises:
        DataProblems: with all that is wrong in one of the files, by line.
    """
    document = read_yaml(folder / "demonstration.yaml")
    try:
        told = _Demonstration.model_validate(document.data)
    except ValidationError as error:
        raise DataProblems(from_pydantic(error, document)) from None
    organisation = demo_id("organisation", told.organisation)
    practices = {
        slug: read_practice_file(folder / "practices" / f"{slug}.yaml", organisation, demo_id)
        for slug in told.practices
    }
    problems = [
        document.problem(("patients", index, *path), what, "correct it")
        for index, person in enumerate(told.patients)
        for path, what in _contradictions(person, practices.get(person.practice))
    ]
    if problems:
        raise DataProblems(problems)
    return Demonstration(told.organisation, practices, told.patients, told.invented.patients, told.invented.seed)


def _contradictions(
    person: NamedPerson, practice: DescribedPractice | None
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What in a person does not fit the practice, and at which path."""
    if practice is None:
        yield ("practice",), f"there is no practice « {person.practice} »"
        return
    for number, visit in enumerate(person.appointments):
        for what in visit.contradictions(practice):
            yield ("appointments", number), what
