"""Open or closed: weekly hours in the practice's own time, French public holidays, clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from callcenter.practice.opening import Opening, public_holidays

PARIS = ZoneInfo("Europe/Paris")
DAY = ((time(8, 30), time(12)), (time(14), time(18, 30)))
TILLEULS = Opening(PARIS, dict.fromkeys(range(5), DAY) | {5: ((time(9), time(12)),)}, None)


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        (datetime(2026, 11, 26, 8, 29, 59, tzinfo=PARIS), False),
        (datetime(2026, 11, 26, 8, 30, tzinfo=PARIS), True),
        (datetime(2026, 11, 26, 11, 59, 59, tzinfo=PARIS), True),
        (datetime(2026, 11, 26, 12, 0, tzinfo=PARIS), False),
        (datetime(2026, 11, 26, 13, 30, tzinfo=UTC), True),  # 14:30 in Paris
        (datetime(2026, 6, 25, 6, 45, tzinfo=UTC), True),  # 08:45 in summer
        (datetime(2026, 11, 28, 10, 0, tzinfo=PARIS), True),
        (datetime(2026, 11, 29, 10, 0, tzinfo=PARIS), False),
        (datetime(2026, 12, 25, 10, 0, tzinfo=PARIS), False),  # a Friday, Christmas
        (datetime(2027, 3, 29, 10, 0, tzinfo=PARIS), False),  # Easter Monday
    ],
)
def test_open_hours(at: datetime, is_open: bool) -> None:
    assert TILLEULS.is_open(at) is is_open


@pytest.mark.parametrize(
    ("at", "then"),
    [
        (datetime(2026, 11, 26, 7, 0, tzinfo=PARIS), datetime(2026, 11, 26, 8, 30, tzinfo=PARIS)),
        (datetime(2026, 11, 26, 8, 30, tzinfo=PARIS), datetime(2026, 11, 26, 14, 0, tzinfo=PARIS)),
        (datetime(2026, 11, 28, 12, 0, tzinfo=PARIS), datetime(2026, 11, 30, 8, 30, tzinfo=PARIS)),
        (datetime(2026, 12, 24, 19, 0, tzinfo=PARIS), datetime(2026, 12, 26, 9, 0, tzinfo=PARIS)),
        (datetime(2026, 12, 31, 19, 0, tzinfo=PARIS), datetime(2027, 1, 2, 9, 0, tzinfo=PARIS)),
        (datetime(2026, 11, 30, 23, 30, tzinfo=UTC), datetime(2026, 12, 1, 8, 30, tzinfo=PARIS)),
    ],
)
def test_next_opening(at: datetime, then: datetime) -> None:
    upcoming = TILLEULS.next_opening(at)
    assert upcoming == then
    assert upcoming.tzinfo is PARIS


def test_alsace_moselle_keeps_good_friday_and_the_second_christmas_day() -> None:
    assert date(2027, 3, 26) in public_holidays("57", 2027) - public_holidays(None, 2027)
    strasbourg = Opening(PARIS, TILLEULS.weekly, "57")
    good_friday = datetime(2027, 3, 26, 10, tzinfo=PARIS)
    assert TILLEULS.is_open(good_friday)
    assert not strasbourg.is_open(good_friday)


def test_a_practice_without_weekly_hours_never_opens() -> None:
    assert Opening(PARIS, {}, None).next_opening(datetime(2026, 11, 26, tzinfo=UTC)) is None


def test_another_time_zone_is_the_practices_own() -> None:
    reunion = Opening(ZoneInfo("Indian/Reunion"), {3: ((time(8), time(9)),)}, None)
    assert reunion.is_open(datetime(2026, 11, 26, 4, 30, tzinfo=UTC))
    assert not reunion.is_open(datetime(2026, 11, 26, 7, 30, tzinfo=UTC))
