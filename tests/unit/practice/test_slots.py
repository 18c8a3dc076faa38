"""Which slots are free: in opening hours, on days that a practice sees patients, where nothing is taken."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from callcenter.kernel.randomness import SeededRandom
from callcenter.practice.consulting import Consulting, Taken
from callcenter.practice.opening import Interval, Opening
from callcenter.practice.reception import Answers, Reception, Rule
from callcenter.practice.slot_references import draw_reference
from callcenter.practice.slots import Bookable, BookingPlan
from callcenter.practice.timetable import Stretch, Timetable

PARIS = ZoneInfo("Europe/Paris")
#: Thursday 26 November 2026, 10:00.
NOW = datetime(2026, 11, 26, 10, tzinfo=PARIS)
WEEKDAYS = {day: ((time(9), time(10)), (time(14), time(14, 30))) for day in range(5)}


def stretch(
    *rules: Rule,
    since: datetime = NOW,
    weekly: dict[int, tuple[Interval, ...]] = WEEKDAYS,
    booked: dict[str, Bookable] | None = None,
) -> Stretch:
    plan = BookingPlan({"Claire Moreau": Bookable(slot_minutes=30)} if booked is None else booked)
    return Stretch(since, Opening(PARIS, weekly, None), Reception(tuple(rules)), plan)


def consulting(rule: Bookable, *rules: Rule, later: Stretch | None = None, now: Stretch | None = None) -> Consulting:
    timetable = Timetable(now or stretch(*rules), () if later is None else (later,))
    return Consulting(timetable, "Claire MOREAU", rule)


def free(on: Consulting, taken: list[Taken] | None = None, now: datetime = NOW) -> list[str]:
    """Every free slot, as the practice's clock shows it."""
    found, after = [], now
    while (starts := on.first_free(now, after, taken or [])) is not None:
        found.append(f"{starts.astimezone(PARIS):%d %H:%M}")
        after = starts
    return found


def test_slots_fill_the_opening_hours_from_the_first_day_ahead_to_the_last() -> None:
    assert free(consulting(Bookable(slot_minutes=30, first_day_ahead=1, days_ahead=4))) == [
        *("27 09:00", "27 09:30", "27 14:00"),
        *("30 09:00", "30 09:30", "30 14:00"),
    ]


def test_a_slot_that_does_not_end_before_closing_is_none() -> None:
    assert free(consulting(Bookable(slot_minutes=40, days_ahead=1))) == ["27 09:00"]


def test_what_lasts_longer_than_a_slot_is_given_room_for_all_of_it() -> None:
    """An appointment of half an hour is moved among slots of a quarter: 9:15 is free, and 9:30 is not."""
    begins = datetime(2026, 11, 27, 9, 30, tzinfo=PARIS)
    taken = [(begins, begins + timedelta(minutes=15))]
    rule = Bookable(slot_minutes=15, days_ahead=1)
    first = consulting(rule).first_free(NOW, datetime(2026, 11, 27, 9, 1, tzinfo=PARIS), taken, 30)
    assert first == datetime(2026, 11, 27, 14, tzinfo=PARIS)


def test_today_only_what_is_still_to_come_is_free() -> None:
    assert free(consulting(Bookable(slot_minutes=30, first_day_ahead=0, days_ahead=0))) == ["26 14:00"]


@pytest.mark.parametrize(("minutes", "left"), [(15, ["27 09:30", "27 14:00"]), (45, ["27 14:00"])])
def test_what_is_taken_takes_every_slot_that_it_overlaps(minutes: int, left: list[str]) -> None:
    begins = datetime(2026, 11, 27, 9, 5, tzinfo=PARIS)
    taken = [(begins, begins + timedelta(minutes=minutes))]
    assert free(consulting(Bookable(slot_minutes=30, days_ahead=1)), taken) == left


def test_no_slot_is_free_while_the_practice_is_closed_by_its_calendar_or_a_holiday() -> None:
    leave = Rule(Answers.CLOSED, dates=(NOW.date(), NOW.date() + timedelta(days=3)))
    rule = Bookable(slot_minutes=60, days_ahead=4)
    assert free(consulting(rule, leave)) == ["30 09:00"]
    new_year = datetime(2026, 12, 31, 10, tzinfo=PARIS)
    assert free(consulting(Bookable(slot_minutes=60, days_ahead=1)), now=new_year) == []


def test_slots_keep_the_clock_of_the_practice_over_a_change_of_the_clocks() -> None:
    friday = datetime(2026, 10, 23, 20, tzinfo=PARIS)
    assert free(consulting(Bookable(slot_minutes=60, days_ahead=3)), now=friday) == ["26 09:00"]


ALL_DAY: dict[int, tuple[Interval, ...]] = {day: ((time(0), time(23, 59)),) for day in range(7)}
MIDNIGHT = datetime(2026, 11, 27, tzinfo=PARIS)


def test_hours_that_end_tonight_offer_nothing_of_any_other_day() -> None:
    """A one-day opening used to offer midnight next week."""
    rule = Bookable(slot_minutes=30, days_ahead=5)
    open_today = stretch(weekly=ALL_DAY)
    assert free(consulting(rule, now=open_today, later=stretch(since=MIDNIGHT))) == [
        *("27 09:00", "27 09:30", "27 14:00"),
        *("30 09:00", "30 09:30", "30 14:00", "01 09:00", "01 09:30", "01 14:00"),
    ]


def test_hours_that_begin_later_are_those_of_their_days() -> None:
    rule = Bookable(slot_minutes=30, days_ahead=4)
    monday = datetime(2026, 11, 30, tzinfo=PARIS)
    later = stretch(since=monday, weekly={0: ((time(17), time(18)),)})
    assert free(consulting(rule, later=later)) == ["27 09:00", "27 09:30", "27 14:00", "30 17:00", "30 17:30"]


def test_a_closing_that_begins_later_closes_its_days() -> None:
    rule = Bookable(slot_minutes=30, days_ahead=4)
    later = stretch(Rule(Answers.CLOSED), since=datetime(2026, 11, 30, tzinfo=PARIS))
    assert free(consulting(rule, later=later)) == ["27 09:00", "27 09:30", "27 14:00"]


def test_what_changes_in_the_middle_of_a_day_changes_its_slots_from_then_on() -> None:
    rule = Bookable(slot_minutes=30, days_ahead=1)
    noon = datetime(2026, 11, 27, 12, tzinfo=PARIS)
    later = stretch(since=noon, weekly={4: ((time(9), time(10)), (time(15), time(16)))})
    assert free(consulting(rule, later=later)) == ["27 09:00", "27 09:30", "27 15:00", "27 15:30"]


@pytest.mark.parametrize(("closes", "slots"), [(True, ["27 09:00"]), (False, ["27 09:00", "27 09:30"])])
def test_no_slot_runs_into_what_is_closed_by_then(closes: bool, slots: list[str]) -> None:
    rule = Bookable(slot_minutes=30, days_ahead=1)
    later = stretch(
        *([Rule(Answers.CLOSED)] if closes else []),
        since=datetime(2026, 11, 27, 9, 45, tzinfo=PARIS),
        weekly={4: ((time(9), time(10)),)},
    )
    assert free(consulting(rule, later=later)) == slots


def test_a_replacement_is_booked_on_the_days_of_the_replacement_alone() -> None:
    rule = Bookable(slot_minutes=30, days_ahead=4)
    later = stretch(since=datetime(2026, 11, 30, tzinfo=PARIS), booked={})
    assert free(consulting(rule, later=later)) == ["27 09:00", "27 09:30", "27 14:00"]


def test_how_long_a_slot_is_is_the_days_to_say() -> None:
    rule = Bookable(slot_minutes=30, days_ahead=4)
    later = stretch(since=datetime(2026, 11, 30, tzinfo=PARIS), booked={"Claire Moreau": Bookable(slot_minutes=60)})
    on = consulting(rule, later=later)
    assert free(on) == ["27 09:00", "27 09:30", "27 14:00", "30 09:00"]
    friday, monday = (datetime(2026, 11, day, 9, tzinfo=PARIS) for day in (27, 30))
    assert [on.minutes(friday), on.minutes(friday, 45), on.minutes(monday), on.minutes(monday, 90)] == [30, 45, 60, 90]


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
