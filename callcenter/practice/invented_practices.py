"""Practices that do not exist, as many as are wanted, as files that are enrolled and imported like anybody's own.

For whoever wants to know how callcenter stands a télésecrétariat of their size. The same numbers, seed and day give the
same files. Every telephone number lies in a range that the Arcep reserves for fiction.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random as Chance
from typing import Any

import yaml
from faker import Faker

from callcenter.kernel.errors import CallcenterError
from callcenter.practice.names import surname_key
from callcenter.practice.sheet import MAX_ROWS

#: Below the folder: ``practices/SLUG.yaml``, and ``files/SLUG/{patients,contacts,appointments}.csv``.
PRACTICES, FILES = "practices", "files"
PATIENTS, CONTACTS, APPOINTMENTS = "patients.csv", "contacts.csv", "appointments.csv"

#: Ranges of 10,000 numbers each: of practices, of the lines that ring when nothing else works, of patients.
_SERVED, _RESCUE, _MOBILES, _LANDLINES = "+3335301", "+3353649", "+3363998", "+3346571"
#: Patients of one practice take numbers from here on: those before are of the demonstration's named people.
_FIRST_LINE = 100

MOST_PRACTICES = 9_999
#: Of one practice; each patient has a line of their own. A file of appointments has at most ``MAX_ROWS``.
MOST_PATIENTS = 10_000 - _FIRST_LINE

_SLOT_MINUTES = 15
_HOURS = ((time(8, 30), time(12, 0)), (time(14, 0), time(18, 30)))
_WORKDAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi")
_PRACTITIONERS = 4
_SPECIALITIES = ("médecine générale", "médecine générale", "pédiatrie", "cardiologie", "gynécologie", "ophtalmologie")
_BORN_FROM, _BORN_DAYS = date(1932, 1, 1), 90 * 365
_NAMES = 3_000
#: Long enough on file to be sent codes (OB-07), and confirmed recently enough.
_ENTERED, _CONFIRMED = timedelta(days=400), timedelta(days=60)


class TooMany(CallcenterError):
    """More than can be invented."""


class FolderNotEmpty(CallcenterError):
    """There is something in the folder already: name a new one."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much is invented, in all; it is spread over the practices evenly."""

    practices: int
    patients: int
    appointments: int

    def share(self, total: int, index: int) -> int:
        """What practice ``index`` gets of ``total``."""
        return total * (index + 1) // self.practices - total * index // self.practices

    def check(self) -> None:
        """Raise if it cannot be done.

        Raises:
            TooMany: with the bound.
        """
        most = MOST_PATIENTS
        if not 1 <= self.practices <= MOST_PRACTICES:
            raise TooMany(f"write 1 to {MOST_PRACTICES:,} practices: each takes a number of a range kept for fiction")
        if not 0 <= self.patients <= most * self.practices:
            raise TooMany(
                f"write at most {most:,} patients a practice, or more practices: each has a line of their own"
            )
        if self.appointments and not self.patients:
            raise TooMany("there are appointments without patients: write --patients")
        if not 0 <= self.appointments <= MAX_ROWS * self.practices:
            raise TooMany(f"write at most {MAX_ROWS:,} appointments a practice, or more practices")


@dataclass(frozen=True, slots=True)
class _People:
    """The names from which people are made, drawn from Faker once: drawn anew for each patient they took minutes."""

    women: Sequence[str]
    men: Sequence[str]
    surnames: Sequence[str]
    streets: Sequence[str]
    towns: Sequence[str]

    @classmethod
    def drawn(cls, seed: int) -> _People:
        faker = Faker("fr_FR")
        faker.seed_instance(seed)

        def some(make: Callable[[], str], count: int) -> Sequence[str]:
            return tuple(dict.fromkeys(make() for _ in range(count)))

        return cls(
            some(faker.first_name_female, 400),
            some(faker.first_name_male, 400),
            some(faker.last_name, _NAMES),
            some(faker.street_name, 300),
            some(lambda: f"{faker.postcode()} {faker.city()}", 300),
        )


def write_invented(amounts: Amounts, folder: Path, seed: int, today: date) -> Iterator[str]:
    """Write everything below ``folder``, one practice after the other; yields the slug of each that is written.

    Arguments:
        today: a third of the appointments lie before it.

    Raises:
        TooMany: more than can be invented.
        FolderNotEmpty: something stands there.
    """
    amounts.check()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FolderNotEmpty
    people = _People.drawn(seed)
    (folder / PRACTICES).mkdir(parents=True)
    for index in range(amounts.practices):
        chance = Chance(f"{seed}/{index}")  # noqa: S311  # people who do not exist need no secrets
        slug = f"cabinet-invente-{index + 1:04}"
        practice = _practice(slug, index, people, chance)
        text = yaml.safe_dump(practice, allow_unicode=True, sort_keys=False, width=120)
        (folder / PRACTICES / f"{slug}.yaml").write_text(text, encoding="utf-8")
        files = folder / FILES / slug
        files.mkdir(parents=True)
        patients = amounts.share(amounts.patients, index)
        _write(files / PATIENTS, _patients(slug, patients, people, chance))
        _write(files / CONTACTS, _contacts(slug, patients, today, chance))
        doctors = [person["name"] for person in practice["practitioners"]]
        agenda = _agenda(amounts.share(amounts.appointments, index), doctors, today, chance)
        _write(files / APPOINTMENTS, _appointments(slug, patients, agenda, chance))
        yield slug


def _write(file: Path, rows: Iterator[Sequence[object]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, delimiter=";", lineterminator="\n").writerows(rows)


def _practice(slug: str, index: int, people: _People, chance: Chance) -> dict[str, Any]:
    line = f"{index + 1:04}"
    name = f"Cabinet {chance.choice(people.surnames)} {index + 1}"
    hours = [f"{begins:%H:%M}-{ends:%H:%M}" for begins, ends in _HOURS]
    doctors = {
        f"{chance.choice(chance.choice((people.women, people.men)))} {surname}": chance.choice(_SPECIALITIES)
        for surname in chance.sample(people.surnames, _PRACTITIONERS)
    }
    stands_in = chance.choice(people.surnames)
    return {
        "slug": slug,
        "name": name,
        "spoken_name": name,
        "address": f"{chance.randint(1, 99)} {chance.choice(people.streets)}, {chance.choice(people.towns)}",
        "access": "l'entrée est de plain-pied",
        "timezone": "Europe/Paris",
        "numbers": {f"{_SERVED}{line}": "main"},
        "rescue_number": f"{_RESCUE}{line}",
        "out_of_hours_number": "116117",
        "closing_conduct": f"En l'absence de vos médecins, le docteur {stands_in} vous reçoit sans rendez-vous.",
        "voice": "local",
        "hours": {day: list(hours) for day in _WORKDAYS},
        "practitioners": [
            {"title": "Dr", "name": doctor, "speciality": speciality} for doctor, speciality in doctors.items()
        ],
    }


def _patients(slug: str, count: int, people: _People, chance: Chance) -> Iterator[Sequence[object]]:
    yield "external_id", "birth_name", "first_name", "birth_date", "sex", "identity_status"
    taken: set[tuple[str, str, date]] = set()
    for number in range(count):
        while True:  # nobody twice: a person who is on file twice would never be verified
            sex = chance.choice("FM")
            first_name = chance.choice(people.women if sex == "F" else people.men)
            surname = chance.choice(people.surnames)
            born = _BORN_FROM + timedelta(days=chance.randrange(_BORN_DAYS))
            person = surname_key(surname), first_name, born
            if person not in taken:
                break
        taken.add(person)
        status = chance.choice(("PROV", "VALI", "VALI", "QUAL"))
        yield _patient(slug, number), surname, first_name, born.isoformat(), sex, status


def _contacts(slug: str, count: int, today: date, chance: Chance) -> Iterator[Sequence[object]]:
    """Seven of ten have a mobile, one a landline, two both; long enough on file to be sent codes."""
    yield "patient", "phone", "entered_at", "confirmed_at"
    entered, confirmed = ((today - before).isoformat() for before in (_ENTERED, _CONFIRMED))
    for number in range(count):
        line = f"{_FIRST_LINE + number:04}"
        kept = chance.choices(((_MOBILES,), (_MOBILES, _LANDLINES), (_LANDLINES,)), weights=(7, 2, 1))[0]
        for prefix in kept:
            yield _patient(slug, number), f"{prefix}{line}", entered, confirmed


def _agenda(count: int, doctors: Sequence[str], today: date, chance: Chance) -> Iterator[tuple[str, datetime]]:
    """``count`` quarters of an hour, none of one practitioner twice, a third of the days before ``today``."""
    a_day = [(doctor, begins) for begins in (at for hours in _HOURS for at in _quarters(*hours)) for doctor in doctors]
    days = -(-count // len(a_day))
    first = today - timedelta(days=days // 3 * 7 // 5)
    workdays = (day for ahead in range(2 * days + 7) if (day := first + timedelta(days=ahead)).weekday() < 5)
    slots = [(doctor, day, begins) for _, day in zip(range(days), workdays, strict=False) for doctor, begins in a_day]
    chance.shuffle(slots)
    return ((doctor, datetime.combine(day, begins)) for doctor, day, begins in slots[:count])


def _quarters(begins: time, ends: time) -> Iterator[time]:
    minutes = begins.hour * 60 + begins.minute
    while minutes + _SLOT_MINUTES <= ends.hour * 60 + ends.minute:
        yield time(minutes // 60, minutes % 60)
        minutes += _SLOT_MINUTES


def _appointments(
    slug: str, patients: int, agenda: Iterator[tuple[str, datetime]], chance: Chance
) -> Iterator[Sequence[object]]:
    yield "external_id", "patient", "practitioner", "starts_at", "duration_minutes"
    for number, (doctor, begins) in enumerate(agenda):
        who = _patient(slug, chance.randrange(patients))
        yield f"{slug}-r{number + 1:06}", who, doctor, begins.strftime("%Y-%m-%dT%H:%M"), _SLOT_MINUTES


def _patient(slug: str, number: int) -> str:
    return f"{slug}-p{number + 1:05}"
