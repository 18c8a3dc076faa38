"""Moments as they are written in France, for a screen."""

from __future__ import annotations

from datetime import datetime

from callcenter.speech.moments import WEEKDAYS, spoken_day_and_month


def written_datetime(at: datetime) -> str:
    """« mardi 3 mars 2026 à 9 h 05 », « vendredi 1er mai 2026 à 14 h ».

    Arguments:
        at: in the time that is to be written.
    """
    minutes = f"\N{NO-BREAK SPACE}{at.minute:02}" if at.minute else ""
    day = f"{WEEKDAYS[at.weekday()]} {spoken_day_and_month(at.date())} {at.year}"
    return f"{day} à {at.hour}\N{NO-BREAK SPACE}h{minutes}"
