"""When a practice is open: weekly hours in its time zone, closed on French public holidays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from holidays.countries.france import France

#: One stretch of opening: from, to (excluded), in local time.
Interval = tuple[time, time]

#: No practice is closed for longer by its weekly hours and public holidays alone.
LOOK_AHEAD_DAYS = 60

#: The parts of France with public holidays of their own, by their INSEE or ISO code (57 stands for Alsace-Moselle).
HOLIDAY_SUBDIVISIONS = frozenset(France.subdivisions)


@lru_cache(maxsize=64)  # the same few (part of France, year) are asked for in every call
def public_holidays(subdivision: str | None, year: int) -> frozenset[date]:
    """The French public holidays of ``year``.

    Arguments:
        subdivision: one of :data:`HOLIDAY_SUBDIVISIONS`, or ``None`` for what all of France keeps.
    """
    return frozenset(France(subdiv=subdivision, years=year))  # type: ignore[no-untyped-call]  # library is half typed


@dataclass(frozen=True, slots=True)
class Opening:
    """The opening of one practice.

    Arguments:
        zone: its time zone.
        weekly: weekday (0 is Monday) to its intervals in order, which do not overlap; a missing day is closed.
        holiday_subdivision: see :func:`public_holidays`.
    """

    zone: ZoneInfo
    weekly: Mapping[int, tuple[Interval, ...]]
    holiday_subdivision: str | None

    def is_holiday(self, day: date) -> bool:
        return day in public_holidays(self.holiday_subdivision, day.year)

    def of_day(self, day: date) -> tuple[Interval, ...]:
        """The intervals of ``day``: none on a public holiday."""
        return () if self.is_holiday(day) else self.weekly.get(day.weekday(), ())

    def is_open(self, at: datetime) -> bool:
        """Whether the practice is open at ``at`` (aware); at the minute of closing it is closed."""
        local = at.astimezone(self.zone)
        return any(opens <= local.time() < closes for opens, closes in self.of_day(local.date()))

    def next_opening(self, at: datetime) -> datetime | None:
        """When the practice opens next, strictly after ``at`` (aware), in its zone; ``None`` if it never does."""
        local = at.astimezone(self.zone)
        for ahead in range(LOOK_AHEAD_DAYS):
            day = local.date() + timedelta(days=ahead)
            for opens, _ in self.of_day(day):
                moment = datetime.combine(day, opens, self.zone)
                if moment > local:
                    return moment
        return None
