"""Days and moments as staff read them, in Paris and in their own language."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import get_month_names

from callcenter.console.words import Language

#: In what time staff read.
ZONE: Final = ZoneInfo("Europe/Paris")

_UNBROKEN = "\u00a0"  # a number stays with what it counts


def day(at: date | datetime, language: Language = Language.FRENCH, zone: ZoneInfo = ZONE) -> str:
    """« 26 novembre 2026 », “26 November 2026”."""
    local = at.astimezone(zone) if isinstance(at, datetime) else at
    month = get_month_names("wide", locale=language.value)[local.month]
    number = "1er" if local.day == 1 and language is Language.FRENCH else str(local.day)
    return f"{number}{_UNBROKEN}{month} {local.year}"


def moment(at: datetime, language: Language = Language.FRENCH, zone: ZoneInfo = ZONE) -> str:
    """« 26 novembre 2026 à 10 h 05 », “26 November 2026 at 10:05”.

    Arguments:
        zone: the practice's, of what a practice has set.
    """
    return f"{day(at, language, zone)} {'à' if language is Language.FRENCH else 'at'} {hour(at, language, zone)}"


def hour(at: datetime, language: Language = Language.FRENCH, zone: ZoneInfo = ZONE) -> str:
    """« 10 h 05 », “10:05”."""
    local = at.astimezone(zone)
    if language is Language.FRENCH:
        return f"{local.hour}{_UNBROKEN}h{_UNBROKEN}{local.minute:02}"
    return f"{local.hour}:{local.minute:02}"


def lasting(span: timedelta) -> str:
    """« 41 h 05 », of what is not negative."""
    minutes = max(0, int(span.total_seconds())) // 60
    return f"{minutes // 60}{_UNBROKEN}h{_UNBROKEN}{minutes % 60:02}"
