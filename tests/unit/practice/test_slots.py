"""Which slots are free: in opening hours, on days that a practice sees patients, where nothing is taken."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from callcenter.kernel.randomness import SeededRandom
from callcenter.practice.opening import Opening
from callcenter.practice.reception import Answers, Reception, Rule
from callcenter.practice.slot_references import draw_reference
from callcenter.practice.slots import Bookable, Consulting, Taken

PARIS = ZoneInfo("Europe/Paris")
#: Thursday 26 November 2026, 10:00.
NOW = datetime(2026, 11, 26, 10, tzinfo=PARIS)
WEEKDAYS = {day: ((time(9), time(10)), (time(14), time(14, 30))) for day in range(5)}


def consulting(*rules: Rule) -> Consulting:
    return Consulting(Opening(PARIS, WEEKDAYS, None), Reception(tuple(rules)))


def free(on: Consulting, rule: Bookable, taken: list[Taken] | None = None, now: datetime = NOW) -> list[str]:
    """Every free slot, as the practice's clock shows it."""
    found, after = [], now
    while (starts := on.first_free(rule, now, after, taken or [])) is not None:
        found.append(f"{starts.astimezone(PARIS):%d %H:%M}")
        after = starts
    return found


def test_slots_fill_the_opening_hours_from_the_first_day_ahead_to_the_last() -> None:
    assert free(consulting(), Bookable(slot_minutes=30, first_day_ahead=1, days_ahead=4)) == [
        *("27 09:00", "27 09:30", "27 14:00"),
        *("30 09:00", "30 09:30", "30 14:00"),
    ]


def test_a_slot_that_does_not_end_before_closing_is_none() -> None:
    assert free(consulting(), Bookable(slot_minutes=40, days_ahead=1)) == ["27 09:00"]


def test_what_lasts_longer_than_a_slot_is_given_room_for_all_of_it() -> None:
    """An appointment of half an hour is moved among slots of a quarter: 9:15 is free, and 9:30 is not."""
    begins = datetime(2026, 11, 27, 9, 30, tzinfo=PARIS)
    taken = [(begins, begins + timedelta(minutes=15))]
    rule = Bookable(slot_minutes=15, days_ahead=1)
    first = consulting().first_free(rule, NOW, datetime(2026, 11, 27, 9, 1, tzinfo=PARIS), taken, 30)
    assert first == datetime(2026, 11, 27, 14, tzinfo=PARIS)


def test_today_only_what_is_still_to_come_is_free() -> None:
    assert free(consulting(), Bookable(slot_minutes=30, first_day_ahead=0, days_ahead=0)) == ["26 14:00"]


@pytest.mark.parametrize(("minutes", "left"), [(15, ["27 09:30", "27 14:00"]), (45, ["27 14:00"])])
def test_what_is_taken_takes_every_slot_that_it_overlaps(minutes: int, left: list[str]) -> None:
    begins = datetime(2026, 11, 27, 9, 5, tzinfo=PARIS)
    taken = [(begins, begins + timedelta(minutes=minutes))]
    assert free(consulting(), Bookable(slot_minutes=30, days_ahead=1), taken) == left


def test_no_slot_is_free_while_the_practice_is_closed_by_its_calendar_or_a_holiday() -> None:
    leave = Rule(Answers.CLOSED, dates=(NOW.date(), NOW.date() + timedelta(days=3)))
    rule = Bookable(slot_minutes=60, days_ahead=4)
    assert free(consulting(leave), rule) == ["30 09:00"]
    new_year = datetime(2026, 12, 31, 10, tzinfo=PARIS)
    assert free(consulting(), Bookable(slot_minutes=60, days_ahead=1), now=new_year) == []


def test_slots_keep_the_clock_of_the_practice_over_a_change_of_the_clocks() -> None:
    friday = datetime(2026, 10, 23, 20, tzinfo=PARIS)
    assert free(consulting(), Bookable(slot_minutes=60, days_ahead=3), now=friday) == ["26 09:00"]


def test_references_have_eight_digits_and_any_of_them() -> None:
    random = SeededRandom(1)
    drawn = [draw_reference(random) for _ in range(2000)]
    assert {len(reference) for reference in drawn} == {8}
    assert len(set(drawn)) == len(drawn)
    for position in range(8):
        counts = [sum(reference[position] == digit for reference in drawn) for digit in "0123456789"]
        assert min(counts) > 140
        assert max(counts) < 260


def test_a_number_that_would_favour_some_references_is_drawn_again() -> None:
    class Biased:
        drawn = iter([b"\xff\xff\xff\xff", b"\x00\x00\x00\x07"])

        def token_bytes(self, _: int) -> bytes:
            return next(self.drawn)

    assert draw_reference(Biased()) == "00000007"
