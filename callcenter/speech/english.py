"""English as it is spoken on the telephone of a French practice, for callers who asked for it.

Pure functions on plain values, the same as in ``speech.french``. Times are on the 12-hour clock, as callers expect.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from itertools import groupby

from callcenter.speech.moments import Intervals, says_year
from callcenter.speech.numerals import NoSpokenForm, national_digits

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

_TITLES = {"dr": "Doctor", "dre": "Doctor", "pr": "Professor", "pre": "Professor", "m": "Mister", "mme": "Missis"}


def spoken_date(value: date, *, today: date | None = None, with_year: bool | None = None) -> str:
    """A date in full: "Tuesday 1 December", "Tuesday 3 March 2026".

    Arguments:
        today, with_year: as for :func:`callcenter.speech.moments.spoken_date`.
    """
    words = f"{WEEKDAYS[value.weekday()]} {value.day} {MONTHS[value.month - 1]}"
    return f"{words} {value.year}" if says_year(value, today, with_year) else words


def spoken_time(value: time) -> str:
    """A time: "2:30 pm", "9 am", "12 noon", "midnight"; seconds are not said."""
    if value.minute == 0 and value.hour in (0, 12):
        return "12 noon" if value.hour else "midnight"
    hour = value.hour % 12 or 12
    half = "am" if value.hour < 12 else "pm"
    return f"{hour}:{value.minute:02} {half}" if value.minute else f"{hour} {half}"


def spoken_datetime(value: datetime, today: date) -> str:
    """A date and its time: "Tuesday 1 December, 2:30 pm".

    Arguments:
        value: date and time in the practice's time zone.
        today: the date in that time zone.
    """
    return f"{spoken_date(value.date(), today=today)}, {spoken_time(value.time())}"


def written_slot(at: datetime, today: date) -> str:
    """ "Tue 1 Dec 14:30", as an agenda has it.

    Arguments:
        at, today: as for :func:`callcenter.speech.written.written_slot`.
    """
    year = f" {at.year}" if says_year(at.date(), today, None) else ""
    return f"{WEEKDAYS[at.weekday()][:3]} {at.day}\N{NO-BREAK SPACE}{MONTHS[at.month - 1][:3]}{year} {at:%H:%M}"


def written_day(value: date) -> str:
    """ "1 Dec": two numbers alone would be read the other way round."""
    return f"{value.day} {MONTHS[value.month - 1][:3]}"


def written_time(value: time) -> str:
    """ "14:30"."""
    return f"{value:%H:%M}"


def spoken_hours(hours: Mapping[int, Intervals]) -> str:
    """Opening hours: "Monday to Friday, 8:30 am to 12 noon and 2 pm to 6 pm; Saturday, …"; empty if always closed.

    Arguments:
        hours: weekday (0 is Monday) to its intervals, in order.
    """
    parts = []
    for intervals, run in groupby(range(7), key=lambda day: tuple(hours.get(day, ()))):
        days = list(run)
        if intervals:
            spans = " and ".join(f"{spoken_time(start)} to {spoken_time(end)}" for start, end in intervals)
            parts.append(f"{_spoken_days(days[0], days[-1])}, {spans}")
    return "; ".join(parts)


def _spoken_days(first: int, last: int) -> str:
    if (first, last) == (0, 6):
        return "every day"
    if first == last:
        return WEEKDAYS[first]
    return f"{WEEKDAYS[first]} {'and' if last - first == 1 else 'to'} {WEEKDAYS[last]}"


def spoken_digits(digits: str, group: int = 1) -> str:
    """A code or reference, digit by digit, with a pause between groups: "4 8 2 7, 1 9 3 6".

    Arguments:
        digits: one or more of 0 to 9.
        group: how many digits stand between two pauses.

    Raises:
        NoSpokenForm: for anything but digits.
    """
    if not (digits.isascii() and digits.isdigit()) or group < 1:
        raise NoSpokenForm("only digits can be read digit by digit")
    return ", ".join(" ".join(digits[start : start + group]) for start in range(0, len(digits), group))


def spoken_phone(number: str) -> str:
    """A telephone number, digit by digit in pairs: "0 4, 6 5, 7 1, 0 0, 0 1".

    Arguments:
        number: E.164, the ten digits of a French number, or a short one.
    """
    if number.startswith("+"):
        national = national_digits(number)
        return spoken_digits(national, 2) if national else f"plus {spoken_digits(number[1:], 2)}"
    return spoken_digits(number, 3 if len(number) in (3, 6) else 2)


def spoken_name(name: str) -> str:
    """A person's name with the title in full and no word in capitals: "Doctor Claire Moreau"."""
    words = name.split()
    titled = [_TITLES.get(word.rstrip(".").lower(), word) if index == 0 else word for index, word in enumerate(words)]
    return " ".join(word.title() if len(word) > 1 and word.isupper() and word[-1] != "." else word for word in titled)
