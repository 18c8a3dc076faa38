"""The demonstration's appointments are always to come, and its numbers reach nobody."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from pathlib import Path
from shutil import copytree
from zoneinfo import ZoneInfo

import pytest

from callcenter.kernel.errors import DataProblems
from callcenter.practice.demo import FOLDER
from callcenter.practice.demo_file import AnchoredAppointment, Demonstration, demo_id, read_demonstration
from callcenter.practice.invented import invent_patients
from callcenter.practice.names import normalise_name
from callcenter.practice.practice_file import read_practice_file

PARIS = ZoneInfo("Europe/Paris")
#: Arcep: ranges for fiction, among those used here.
FICTION = re.compile(r"\+33(63998\d{4}|46571\d{4}|26191\d{4})")


@pytest.fixture(scope="module")
def demonstration() -> Demonstration:
    return read_demonstration(FOLDER)


@pytest.mark.parametrize(
    ("today", "then"),
    [
        (date(2026, 11, 26), datetime(2026, 12, 1, 14, 30, tzinfo=PARIS)),
        (date(2026, 11, 30), datetime(2026, 12, 1, 14, 30, tzinfo=PARIS)),
        (date(2026, 12, 1), datetime(2026, 12, 8, 14, 30, tzinfo=PARIS)),  # strictly later than today
        (date(2027, 7, 8), datetime(2027, 7, 13, 14, 30, tzinfo=PARIS)),
        (date(2026, 7, 8), datetime(2026, 7, 21, 14, 30, tzinfo=PARIS)),  # 14 July 2026 is a Tuesday
    ],
)
def test_jeanne_comes_next_tuesday_that_is_no_holiday(
    demonstration: Demonstration, today: date, then: datetime
) -> None:
    jeanne = demonstration.named[0]
    opening = demonstration.practices[jeanne.practice].facts.opening
    first, second = (visit.starts_at(opening, today) for visit in jeanne.appointments)
    assert first == then
    assert second > first


def test_every_named_person_has_appointments_when_the_practice_is_open(demonstration: Demonstration) -> None:
    for day in range(0, 370, 9):
        today = date(2026, 11, 26) + timedelta(days=day)
        for person in demonstration.named:
            opening = demonstration.practices[person.practice].facts.opening
            assert person.appointments
            for visit in person.appointments:
                starts_at = visit.starts_at(opening, today)
                assert starts_at.date() > today
                assert opening.is_open(starts_at), (person.key, starts_at)


def test_numbers_lie_in_ranges_for_fiction_and_collide_with_none(demonstration: Demonstration) -> None:
    practices = demonstration.practices.values()
    practitioners = [one.line for practice in practices for one in practice.practitioners if one.line is not None]
    assert len(set(practitioners)) == len(practitioners) == 2
    lines = {line for practice in practices for line in practice.facts.own_lines}
    assert not lines & set(practitioners)
    lines |= set(practitioners)
    named = {phone for person in demonstration.named for phone in person.phones}
    invented = [
        phone for person in invent_patients(demonstration.invented, demonstration.seed) for phone in person.phones
    ]
    assert len(set(invented)) == len(invented)
    assert not set(invented) & (named | lines)
    assert not named & lines
    assert all(FICTION.fullmatch(phone) for phone in {*lines, *named, *invented})


def test_the_same_seed_makes_the_same_people() -> None:
    people = invent_patients(50, 7)
    assert people == invent_patients(50, 7)
    assert people != invent_patients(50, 8)
    for person in people:
        normalise_name(person.traits["birth_name"])
        normalise_name(person.traits["first_name"])


def test_appointments_that_cannot_be_are_refused_with_their_line(tmp_path: Path) -> None:
    folder = copytree(FOLDER, tmp_path / "demo")
    path = folder / "demonstration.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("Claire Moreau, day: mardi", "Claire Martin, day: dimanche").replace(
            "maison-de-sante-du-port\n    traits", "maison\n    traits"
        ),
        encoding="utf-8",
    )
    with pytest.raises(DataProblems) as caught:
        read_demonstration(folder)
    line = text.splitlines().index('      - {practitioner: Claire Moreau, day: mardi, at: "14:30"}') + 1
    assert [(problem.line == line, problem.what) for problem in caught.value.problems] == [
        (True, "the practice has no practitioner « Claire Martin »"),
        (True, "the practice is closed at that time of the week"),
        (False, "there is no practice « maison »"),
    ]


def test_a_practice_file_says_all_that_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "practice.yaml"
    text = (FOLDER / "practices" / "cabinet-des-tilleuls.yaml").read_text(encoding="utf-8")
    for old, new in (
        ('"+33465710001": main', '"0639980050": main'),
        ('"+33465710090"', '"0899 12 34 56"'),
        ("samedi:", "sonnabend:"),
        ("mardi: [08:30-12:00", "mardi: [08:30-midi"),
        ("Europe/Paris", "Europe/Lyon"),
        ("voice: local", "voice: human\ncolour: green"),
    ):
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataProblems) as caught:
        read_practice_file(path, demo_id("organisation", "x"), demo_id)
    said = str(caught.value)
    for what in ("06 and 07", "costs extra", "days are called", "from-to", "no such time zone", "colour", "voice"):
        assert what in said, what
    assert all(problem.line for problem in caught.value.problems)


def test_a_practice_file_whose_rescue_number_is_served_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "practice.yaml"
    text = (FOLDER / "practices" / "cabinet-des-tilleuls.yaml").read_text(encoding="utf-8")
    path.write_text(text.replace('rescue_number: "+33465710090"', 'rescue_number: "04 65 71 00 01"'), encoding="utf-8")
    with pytest.raises(DataProblems, match="may come back to us"):
        read_practice_file(path, demo_id("organisation", "x"), demo_id)


def test_later_passes_over_open_days_only(demonstration: Demonstration) -> None:
    opening = demonstration.practices["cabinet-des-tilleuls"].facts.opening
    visit = AnchoredAppointment.model_validate({"practitioner": "x", "day": "vendredi", "at": "09:00", "later": 1})
    # from 17 December: Fridays 18 December, then 25 December and 1 January are holidays, then 8 January
    assert visit.starts_at(opening, date(2026, 12, 17)) == datetime.combine(date(2027, 1, 8), time(9), PARIS)
