"""Every form in which a value may come out, so that a leak is found whatever it is dressed in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time

from callcenter.speech.moments import MONTHS, WEEKDAYS, spoken_date, spoken_day_and_month, spoken_time
from callcenter.speech.names import spoken_name
from callcenter.speech.numerals import national_digits, spoken_digits, spoken_number, spoken_phone
from callcenter.speech.variants import variants

_SHORT_MONTHS = ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.")
_PHONE = re.compile(r"\+\d{5,15}|0\d{9}")
#: Too common in French, and in the names of practices, to be a trace of one person.
_SHORTEST_NAME = 4


def _digit_forms(digits: str) -> Iterator[str]:
    """A code, a typed date or a number, written and spoken by 1, 2, 3 and 4 digits."""
    yield digits
    for size in (1, 2, 3, 4):
        groups = [digits[start : start + size] for start in range(0, len(digits), size)]
        yield from (separator.join(groups) for separator in (" ", ", ", "-", "."))
        if size < 4:
            yield spoken_digits(digits, size)
            yield spoken_digits(digits, size).replace(",", "")


def _worded_days(value: date) -> Iterator[str]:
    """Day and month without the year: « 1er décembre », « 03 mars », « trois mars », « 1 déc. »."""
    yield spoken_day_and_month(value)
    days = [str(value.day), f"{value.day:02d}", spoken_number(value.day)]
    if value.day == 1:
        days += ["1er", "premier"]
    for month in (MONTHS[value.month - 1], _SHORT_MONTHS[value.month - 1]):
        yield from (f"{day} {month}" for day in days)


def _date_forms(value: date) -> Iterator[str]:
    day, month, year = f"{value.day:02d}", f"{value.month:02d}", f"{value.year:04d}"
    yield from (spoken_date(value), spoken_date(value, with_year=False))
    yield from _digit_forms(f"{day}{month}{year}")
    yield from (f"{year}{month}{day}", f"{day}{month}{year[2:]}", f"{day}/{month}")
    for separator in "/-. ":
        yield separator.join((year, month, day))
        yield separator.join((day, month, year))
        yield separator.join((day, month, year[2:]))
        yield separator.join((str(value.day), str(value.month), year))
    for words in _worded_days(value):
        yield from (words, f"{words} {year}", f"{words} {spoken_number(value.year)}")
        yield f"{WEEKDAYS[value.weekday()]} {words}"


def _time_forms(value: time) -> Iterator[str]:
    minute = f"{value.minute:02d}"
    yield spoken_time(value)
    yield from (f"{value.hour:02d}:{minute}:{value.second:02d}", f"T{value.hour:02d}{minute}")
    yield f"{value.hour % 12 or 12}:{minute} {'pm' if value.hour >= 12 else 'am'}"
    heures = "heures" if value.hour > 1 else "heure"
    spoken_hour = f"{spoken_number(value.hour)} {heures}"
    for hour in (str(value.hour), f"{value.hour:02d}"):
        yield from (f"{hour}:{minute}", f"{hour}h{minute}", f"{hour} h {minute}", f"{hour} {heures} {minute}")
        yield f"{hour} {heures} {value.minute}"
        if value.minute == 0:
            yield from (f"{hour}h", f"{hour} h", f"{hour} {heures}")
    yield f"{spoken_hour} {spoken_number(value.minute)}" if value.minute else spoken_hour


def _datetime_forms(value: datetime) -> Iterator[str]:
    yield from _date_forms(value.date())
    moments = {value}
    if value.tzinfo is not None:
        moments.add(value.astimezone(UTC))
        yield from _date_forms(value.astimezone(UTC).date())
        yield from (str(int(value.timestamp())), str(int(value.timestamp() * 1000)))
    for moment in moments:
        yield from (moment.isoformat(), moment.isoformat(" "), moment.isoformat(timespec="minutes"))
        yield from (moment.isoformat().replace("+00:00", "Z"), f"{moment:%Y%m%dT%H%M%S}")
    days = [f"{value:%d/%m}", f"{value.day}/{value.month}", spoken_day_and_month(value), WEEKDAYS[value.weekday()]]
    days += [spoken_date(value.date()), spoken_date(value.date(), with_year=False)]
    for hour in _time_forms(value.time()):
        yield from (f"{day}{joint}{hour}" for day in days for joint in (" ", ", ", " à "))


def _phone_forms(number: str) -> Iterator[str]:
    yield from _digit_forms(number.removeprefix("+"))
    yield from (number, spoken_phone(number))
    if not number.startswith("+"):
        number = f"+33{number[1:]}"
        yield number
    national = national_digits(number)
    if national is None:
        yield f"00{number[1:]}"
        return
    yield from _digit_forms(national)
    country, rest = number[: -len(national) + 1], national[1:]
    pairs = [rest[start : start + 2] for start in range(1, len(rest), 2)]
    yield from (rest, f"00{country[1:]}{rest}", f"{country}(0){rest}")
    for separator in (" ", ".", "-"):
        grouped = separator.join((rest[0], *pairs))
        yield from (f"{country}{separator}{grouped}", f"{country} (0){grouped}", f"00{country[1:]}{separator}{grouped}")


def _name_forms(name: str) -> Iterator[str]:
    yield from (name, spoken_name(name))
    words = [word for word in name.split() if not word.endswith(".")]
    if words and spoken_name(words[0]).lower() != words[0].lower():  # a title, which names nobody
        words = words[1:]
    yield from (word for word in words if len(word) >= _SHORTEST_NAME)
    if len(words) < 2:
        return
    for ordered in (words, [words[-1], *words[:-1]]):
        yield from (separator.join(ordered) for separator in (" ", ", ", "-", ".", "_", "+", ""))
        yield " ".join(ordered).replace("-", " ")
    given, family = words[0], words[-1]
    yield f"{' '.join(words[:-1])} {family.upper()}"
    yield from (f"{family.upper()} {given}", f"{given[0]}. {family}", f"{given[0]} {family}", f"{family} {given[0]}.")


def _forms(value: date | time | str) -> Iterator[str]:
    match value:
        case datetime():
            return _datetime_forms(value)
        case date():
            return _date_forms(value)
        case time():
            return _time_forms(value)
        case _ if _PHONE.fullmatch(value):
            return _phone_forms(value)
        case _ if value.isascii() and value.isdigit():
            return _digit_forms(value)
        case _:
            return _name_forms(value)


def renderings(value: date | time | str) -> frozenset[str]:
    """Every way in which ``value`` may appear: written, typed, spoken, in other letters and encodings.

    Arguments:
        value: a date; a time; a date and time (its hour alone is not searched, since opening hours name it too:
            ask for ``value.time()``); a telephone number (E.164 or ten digits); a code; a person's name (each word
            of four letters or more counts alone).

    The forms are looked for as parts of a text. « 3 mars » is therefore found in « 23 mars », and « Petit » in
    « petite »: give values to the persons of a test that mean nothing else.
    """
    return variants(_forms(value))
