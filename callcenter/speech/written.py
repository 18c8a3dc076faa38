"""Moments as they are written in France, for a screen."""

from __future__ import annotations

from datetime import date, datetime, time

from callcenter.speech.moments import WEEKDAYS, says_year, spoken_day_and_month

_UNBROKEN = "\N{NO-BREAK SPACE}"  # a number stays with what it counts

#: As agendas shorten them (Lexique des règles typographiques en usage à l'Imprimerie nationale).
_MONTHS = (
    *("janv.", "févr.", "mars", "avr.", "mai", "juin"),
    *("juil.", "août", "sept.", "oct.", "nov.", "déc."),
)


def written_datetime(at: datetime) -> str:
    """« mardi 3 mars 2026 à 9 h 05 », « vendredi 1er mai 2026 à 14 h ».

    Arguments:
        at: in the time that is to be written.
    """
    return f"{WEEKDAYS[at.weekday()]} {spoken_day_and_month(at.date())} {at.year} à {_hour(at)}"


def written_slot(at: datetime, today: date) -> str:
    """« mar. 1er déc. 14 h 30 », short, as in a list; with the year where it could be misunderstood.

    Arguments:
        at: in the practice's time.
        today: the date in that time.
    """
    day = f"{'1er' if at.day == 1 else at.day}{_UNBROKEN}{_MONTHS[at.month - 1]}"
    year = f" {at.year}" if says_year(at.date(), today, None) else ""
    return f"{WEEKDAYS[at.weekday()][:3]}. {day}{year} {_hour(at)}"


def _hour(at: datetime) -> str:
    """« 9 h 05 », « 14 h », as both are written beside each other on one screen."""
    minutes = f"{_UNBROKEN}{at.minute:02}" if at.minute else ""
    return f"{at.hour}{_UNBROKEN}h{minutes}"


def written_day(value: date) -> str:
    """« 01/12 », where every character of a text message counts."""
    return f"{value:%d/%m}"


def written_time(value: time) -> str:
    """« 14h30 », likewise."""
    return f"{value:%Hh%M}"
