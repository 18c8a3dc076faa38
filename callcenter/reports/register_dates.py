"""Days and times of an extract, where the practice stands."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from callcenter.speech.moments import spoken_day_and_month


def day(at: date | datetime, zone: ZoneInfo) -> str:
    """« 26 novembre 2026 », « 1er décembre 2026 ».

    Arguments:
        at: a day, or an aware moment.
    """
    local = at.astimezone(zone) if isinstance(at, datetime) else at
    return f"{spoken_day_and_month(local)} {local.year}"


def clock(at: datetime, zone: ZoneInfo) -> str:
    """« 10:05:07 »."""
    return f"{at.astimezone(zone):%H:%M:%S}"
