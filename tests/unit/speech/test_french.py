"""French as spoken: numbers, dates, times, telephone numbers, names, opening hours."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.kernel.errors import CallcenterError
from callcenter.speech.french import (
    NoSpokenForm,
    spoken_date,
    spoken_datetime,
    spoken_digits,
    spoken_feminine,
    spoken_hours,
    spoken_name,
    spoken_number,
    spoken_phone,
    spoken_time,
)

MONTHS = [
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
]
SIMPLE = {
    "zéro": 0, "un": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6, "sept": 7, "huit": 8, "neuf": 9,
    "dix": 10, "onze": 11, "douze": 12, "treize": 13, "quatorze": 14, "quinze": 15, "seize": 16,
    "trente": 30, "quarante": 40, "cinquante": 50, "soixante": 60,
}  # fmt: skip


def heard(words: str) -> int:
    """The number that a French ear hears: an independent reading of what the product says."""
    thousands = hundreds = rest = 0
    for word in words.replace("-", " ").split():
        if word == "mille":
            thousands, hundreds, rest = hundreds + (rest or (0 if hundreds else 1)), 0, 0
        elif word in ("cent", "cents"):
            hundreds, rest = (rest or 1) * 100, 0
        elif word in ("vingt", "vingts"):
            rest = 80 if rest == 4 else rest + 20
        elif word != "et":
            rest += SIMPLE[word]
    return thousands * 1000 + hundreds + rest


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zéro"),
        (17, "dix-sept"),
        (21, "vingt et un"),
        (61, "soixante et un"),
        (70, "soixante-dix"),
        (71, "soixante et onze"),
        (77, "soixante-dix-sept"),
        (80, "quatre-vingts"),
        (81, "quatre-vingt-un"),
        (91, "quatre-vingt-onze"),
        (100, "cent"),
        (101, "cent un"),
        (200, "deux cents"),
        (280, "deux cent quatre-vingts"),
        (1000, "mille"),
        (1948, "mille neuf cent quarante-huit"),
        (2026, "deux mille vingt-six"),
        (9999, "neuf mille neuf cent quatre-vingt-dix-neuf"),
    ],
)
def test_numbers_are_said_as_in_france(number: int, words: str) -> None:
    assert spoken_number(number) == words


def test_every_number_is_heard_as_itself() -> None:
    assert [heard(spoken_number(n)) for n in range(10_000)] == list(range(10_000))


@pytest.mark.parametrize(
    ("number", "words"), [(1, "une"), (2, "deux"), (11, "onze"), (21, "vingt et une"), (81, "quatre-vingt-une")]
)
def test_what_is_counted_may_be_feminine(number: int, words: str) -> None:
    assert spoken_feminine(number) == words


@pytest.mark.parametrize("number", [-1, 10_000])
def test_numbers_beyond_a_year_have_no_spoken_form(number: int) -> None:
    with pytest.raises(NoSpokenForm, match="0 to 9999") as refused:
        spoken_number(number)
    assert isinstance(refused.value, CallcenterError)


def test_a_date_is_said_in_full() -> None:
    assert spoken_date(date(2026, 3, 3)) == "mardi 3 mars deux mille vingt-six"
    assert spoken_date(date(2026, 12, 1), with_year=False) == "mardi 1er décembre"


def test_the_year_is_left_out_in_the_coming_eleven_months_only() -> None:
    today = date(2026, 11, 23)
    assert spoken_date(date(2026, 12, 1), today=today) == "mardi 1er décembre"
    assert spoken_date(today, today=today) == "lundi 23 novembre"
    assert spoken_date(date(2027, 10, 22), today=today) == "vendredi 22 octobre"
    assert spoken_date(date(2027, 10, 23), today=today) == "samedi 23 octobre deux mille vingt-sept"
    assert spoken_date(today - timedelta(days=1), today=today) == "dimanche 22 novembre deux mille vingt-six"
    assert spoken_date(date(2026, 12, 1), today=today, with_year=True).endswith("deux mille vingt-six")
    assert spoken_date(date(2030, 12, 1), today=today, with_year=False) == "dimanche 1er décembre"


@given(today=st.dates(date(1900, 1, 1), date(2100, 12, 31)), ahead=st.integers(0, 800))
@settings(deadline=None)
def test_a_date_without_its_year_can_mean_one_day_only(today: date, ahead: int) -> None:
    value = today + timedelta(days=ahead)
    if len(spoken_date(value, today=today).split()) == 3:
        assert (value - today).days < 340  # the same day and month come again after 365


def test_every_date_of_two_centuries_is_heard_as_itself() -> None:
    value = date(1900, 1, 1)
    while value <= date(2100, 12, 31):
        weekday, day, month, year = spoken_date(value).split(maxsplit=3)
        said = date(heard(year), MONTHS.index(month) + 1, int(day.removesuffix("er")))
        assert said == value
        assert ("er" in day) is (value.day == 1)
        days = ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"]
        assert days[value.weekday()] == weekday
        value += timedelta(days=1)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (time(14, 30), "14 heures 30"),
        (time(9), "9 heures"),
        (time(9, 5), "9 heures 5"),
        (time(12), "12 heures"),
        (time(0), "minuit"),
        (time(0, 15), "0 heure 15"),
        (time(1), "une heure"),
        (time(21), "vingt et une heures"),
        (time(11, 11), "11 heures 11"),
        (time(8, 31), "8 heures trente et une"),
    ],
)
def test_times_are_said_on_the_24_hour_clock(value: time, words: str) -> None:
    assert spoken_time(value) == words


def test_an_appointment_is_said_as_in_the_script() -> None:
    at = datetime(2026, 12, 1, 14, 30)  # noqa: DTZ001 -- already in the practice's time zone, as the function asks
    assert spoken_datetime(at, date(2026, 11, 23)) == "mardi 1er décembre, 14 heures 30"
    assert spoken_datetime(at, date(2025, 11, 23)) == "mardi 1er décembre deux mille vingt-six, 14 heures 30"


@pytest.mark.parametrize(
    ("group", "words"),
    [
        (1, "quatre, huit, deux, sept, un, neuf"),
        (2, "quarante-huit, vingt-sept, dix-neuf"),
        (3, "quatre cent quatre-vingt-deux, sept cent dix-neuf"),
    ],
)
def test_digits_are_said_in_the_groups_that_were_asked_for(group: int, words: str) -> None:
    assert spoken_digits("482719", group) == words


def test_leading_zeros_are_said() -> None:
    assert spoken_digits("004070", 2) == "zéro zéro, quarante, soixante-dix"
    assert spoken_digits("012001", 3) == "zéro douze, zéro zéro un"
    assert spoken_digits("12345", 2) == "douze, trente-quatre, cinq"


@given(digits=st.text("0123456789", min_size=1, max_size=20), group=st.sampled_from([1, 2, 3]))
@settings(deadline=None)
def test_every_run_of_digits_is_heard_as_itself(digits: str, group: int) -> None:
    written = ""
    for said in spoken_digits(digits, group).split(", "):
        words = said.split(" ")
        while words and words[0] == "zéro":
            words.pop(0)
            written += "0"
        written += str(heard(" ".join(words))) if words else ""
    assert written == digits


@pytest.mark.parametrize(("digits", "group"), [("", 1), ("12a", 1), ("١٢", 1), ("1 2", 2), ("12", 4), ("12", 0)])
def test_what_is_no_run_of_digits_is_refused(digits: str, group: int) -> None:
    with pytest.raises(NoSpokenForm):
        spoken_digits(digits, group)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("+33465710001", "zéro quatre, soixante-cinq, soixante et onze, zéro zéro, zéro un"),
        ("0465710001", "zéro quatre, soixante-cinq, soixante et onze, zéro zéro, zéro un"),
        ("+262262123456", "zéro deux, soixante-deux, douze, trente-quatre, cinquante-six"),
        ("+41223456789", "plus, quarante et un, vingt-deux, trente-quatre, cinquante-six, soixante-dix-huit, neuf"),
        ("15", "quinze"),
        ("112", "cent douze"),
        ("3977", "trente-neuf, soixante-dix-sept"),
        ("116117", "cent seize, cent dix-sept"),
    ],
)
def test_telephone_numbers_are_said_as_they_are_dialled_in_france(number: str, words: str) -> None:
    assert spoken_phone(number) == words


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Dr Claire Moreau", "docteur Claire Moreau"),
        ("Dr. Claire MOREAU", "docteur Claire Moreau"),
        ("Pr Jean-Marc D'ALMEIDA", "professeur Jean-Marc D'Almeida"),
        ("Mme J. Le Goff", "madame J. Le Goff"),
        ("M. Éric DUPONT-ÉTIENNE", "monsieur Éric Dupont-Étienne"),
        ("Claire Moreau", "Claire Moreau"),
    ],
)
def test_titles_are_said_in_full_and_capitals_are_not_spelled(name: str, words: str) -> None:
    assert spoken_name(name) == words


MORNING, AFTERNOON = (time(8, 30), time(12)), (time(14), time(18, 30))


def test_equal_days_in_a_row_are_said_together() -> None:
    hours = {day: [MORNING, AFTERNOON] for day in range(5)} | {5: [(time(9), time(12))], 6: []}
    assert spoken_hours(hours) == (
        "du lundi au vendredi, de 8 heures 30 à 12 heures et de 14 heures à 18 heures 30 ; "
        "le samedi, de 9 heures à 12 heures"
    )


def test_a_closed_day_parts_the_days_around_it() -> None:
    hours = {0: [MORNING], 1: [MORNING], 3: [MORNING]}
    assert spoken_hours(hours) == (
        "le lundi et le mardi, de 8 heures 30 à 12 heures ; le jeudi, de 8 heures 30 à 12 heures"
    )


def test_always_and_never_open() -> None:
    three = [MORNING, AFTERNOON, (time(20), time(0))]
    assert spoken_hours(dict.fromkeys(range(7), three)) == (
        "tous les jours, de 8 heures 30 à 12 heures, de 14 heures à 18 heures 30 et de 20 heures à minuit"
    )
    assert spoken_hours({}) == ""


def test_a_weekday_that_does_not_exist_is_refused() -> None:
    with pytest.raises(NoSpokenForm, match="weekdays"):
        spoken_hours({7: [MORNING]})
