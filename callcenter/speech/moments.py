"""Dates, times and opening hours as they are spoken in France.

Every form was heard in our own voice and is plain enough for a carrier's: « 1er » is read « premier », « 14 heures 30 »
needs no help, but « 1 heure » and « 21 heures » would be read in the masculine and are therefore written in words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from itertools import groupby

from callcenter.speech.numerals import NoSpokenForm, spoken_number

#: Monday first, as :meth:`datetime.date.weekday` counts.
WEEKDAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)

#: One day's opening hours: start and end of each stretch, in order.
Intervals = Sequence[tuple[time, time]]

#: How long ahead a date is clear without its year.
_MONTHS_WITHOUT_YEAR = 11


def _coming_months_end(today: date) -> date:
    """The first day, after ``today``, on which a date without its year could be misunderstood."""
    years, month = divmod(today.month - 1 + _MONTHS_WITHOUT_YEAR, 12)
    return date(today.year + years, month + 1, min(today.day, 28))


def says_year(value: date, today: date | None, with_year: bool | None) -> bool:
    """Whether a date is said with its year; the arguments are those of :func:`spoken_date`."""
    if with_year is not None:
        return with_year
    return today is None or not today <= value < _coming_months_end(today)


def spoken_day_and_month(day: date) -> str:
    """« 1er décembre », « 27 mars »."""
    return f"{'1er' if day.day == 1 else day.day} {MONTHS[day.month - 1]}"


def spoken_date(value: date, *, today: date | None = None, with_year: bool | None = None) -> str:
    """A date in full: « mardi 1er décembre », « mardi 3 mars deux mille vingt-six ».

    Arguments:
        value: the date.
        today: the date in the practice's time zone; within the 11 months from it the year is left out.
        with_year: say the year, or not, whatever ``today`` is. With neither given, the year is said.

    Source: UX-01.
    """
    words = f"{WEEKDAYS[value.weekday()]} {spoken_day_and_month(value)}"
    return f"{words} {spoken_number(value.year)}" if says_year(value, today, with_year) else words


def _feminine_count(n: int) -> str:
    """``n`` (0 to 59) before « heure » or « minute »: in digits, but in words where the feminine is heard."""
    if n % 10 != 1 or n == 11:
        return str(n)
    return f"{spoken_number(n)}e"


def spoken_time(value: time) -> str:
    """A time on the 24-hour clock: « 14 heures 30 », « 9 heures », « une heure 5 »; 0:00 is « minuit ».

    Arguments:
        value: the time in the practice's time zone; seconds are not said.

    Source: UX-01.
    """
    if value.hour == value.minute == 0:
        return "minuit"
    words = f"{_feminine_count(value.hour)} heure{'s' if value.hour > 1 else ''}"
    return f"{words} {_feminine_count(value.minute)}" if value.minute else words


def spoken_datetime(value: datetime, today: date) -> str:
    """A date and its time: « mardi 1er décembre, 14 heures 30 ».

    Arguments:
        value: date and time in the practice's time zone.
        today: the date in that time zone (see :func:`spoken_date`).
    """
    return f"{spoken_date(value.date(), today=today)}, {spoken_time(value.time())}"


def _spoken_intervals(intervals: Intervals) -> str:
    spans = [f"de {spoken_time(start)} à {spoken_time(end)}" for start, end in intervals]
    return spans[0] if len(spans) == 1 else f"{', '.join(spans[:-1])} et {spans[-1]}"


def _spoken_days(first: int, last: int) -> str:
    match last - first:
        case 0:
            return f"le {WEEKDAYS[first]}"
        case 1:
            return f"le {WEEKDAYS[first]} et le {WEEKDAYS[last]}"
        case 6:
            return "tous les jours"
        case _:
            return f"du {WEEKDAYS[first]} au {WEEKDAYS[last]}"


def spoken_hours(hours: Mapping[int, Intervals]) -> str:
    """Opening hours: « du lundi au vendredi, de 8 heures 30 à 12 heures et de 14 heures à 18 heures ; le samedi, … ».

    Arguments:
        hours: weekday (0 is Monday, 6 Sunday) to its intervals, in order; a day that is missing or empty is closed.

    Returns the empty text if every day is closed. Consecutive days with equal hours are said together.
    Raises NoSpokenForm for a weekday that does not exist.
    """
    if not hours.keys() <= set(range(7)):
        raise NoSpokenForm("weekdays are counted from 0 (Monday) to 6 (Sunday)")
    parts: list[str] = []
    for intervals, run in groupby(range(7), key=lambda day: tuple(hours.get(day, ()))):
        days = list(run)
        if intervals:
            parts.append(f"{_spoken_days(days[0], days[-1])}, {_spoken_intervals(intervals)}")
    return " ; ".join(parts)
