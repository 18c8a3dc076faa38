"""English, for callers who asked for it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from callcenter.speech import english
from callcenter.speech.numerals import NoSpokenForm

TODAY = date(2026, 11, 26)


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (time(14, 30), "2:30 pm"),
        (time(9), "9 am"),
        (time(0), "midnight"),
        (time(12), "12 noon"),
        (time(0, 5), "12:05 am"),
        (time(12, 45), "12:45 pm"),
    ],
)
def test_times(at: time, said: str) -> None:
    assert english.spoken_time(at) == said


def test_dates_near_today_are_said_without_their_year() -> None:
    assert english.spoken_datetime(datetime(2026, 12, 1, 14, 30, tzinfo=UTC), TODAY) == "Tuesday 1 December, 2:30 pm"
    assert english.spoken_date(date(2028, 3, 3), today=TODAY) == "Friday 3 March 2028"
    assert english.spoken_date(date(2026, 12, 1)) == "Tuesday 1 December 2026"


def test_hours_numbers_and_names() -> None:
    day = ((time(8, 30), time(12)), (time(14), time(18)))
    hours = {**dict.fromkeys(range(5), day), 5: ((time(9), time(12)),)}
    said = "Monday to Friday, 8:30 am to 12 noon and 2 pm to 6 pm; Saturday, 9 am to 12 noon"
    assert english.spoken_hours(hours) == said
    assert english.spoken_hours({}) == ""
    assert english.spoken_hours(dict.fromkeys(range(7), day)).startswith("every day, ")
    assert english.spoken_phone("+33465710001") == "0 4, 6 5, 7 1, 0 0, 0 1"
    assert english.spoken_phone("116117") == "1 1 6, 1 1 7"
    assert english.spoken_name("Dr Claire MOREAU") == "Doctor Claire Moreau"
    with pytest.raises(NoSpokenForm):
        english.spoken_digits("12a")
