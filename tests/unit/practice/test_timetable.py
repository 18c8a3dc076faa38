"""Every moment is judged by what the practice will have set then, and not by what holds today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest

from callcenter.calls.callbacks import rests_until
from callcenter.practice.demo import FOLDER
from callcenter.practice.demo_file import read_demonstration
from callcenter.practice.facts import Arrival, PracticeFacts
from callcenter.practice.opening import Interval, Opening
from callcenter.practice.reception import Answers, Reception, Rule
from callcenter.practice.timetable import Stretch, Timetable

PARIS = ZoneInfo("Europe/Paris")
MAIN = "+33465710001"
MORNING: Interval = (time(9), time(12))
USUAL: Mapping[int, tuple[Interval, ...]] = dict.fromkeys(range(5), (MORNING,))
ALL_DAY: Mapping[int, tuple[Interval, ...]] = dict.fromkeys(range(7), ((time(0), time(23, 59)),))


def at(day: int, hour: int = 0, minute: int = 0, month: int = 11) -> datetime:
    """A moment of November 2026, whose 26th is a Thursday."""
    return datetime(2026, month, day, hour, minute, tzinfo=PARIS)


def stretch(since: datetime, weekly: Mapping[int, tuple[Interval, ...]] = USUAL, *rules: Rule) -> Stretch:
    return Stretch(since, Opening(PARIS, weekly, None), Reception(rules))


@pytest.fixture(scope="module")
def tilleuls() -> PracticeFacts:
    facts = read_demonstration(FOLDER).practices["cabinet-des-tilleuls"].facts
    return replace(facts, opening=Opening(PARIS, USUAL, None), reception=Reception())


def open_until_midnight(facts: PracticeFacts) -> PracticeFacts:
    """Open all of Thursday, and as usual from Friday on."""
    return replace(facts, opening=Opening(PARIS, ALL_DAY, None), later=(stretch(at(27)),))


def test_a_practice_that_is_open_today_alone_is_closed_tomorrow_night(tilleuls: PracticeFacts) -> None:
    facts = open_until_midnight(tilleuls)
    assert facts.is_open(at(26, 23))
    assert not facts.is_open(at(27, 1))
    assert [facts.arrival(MAIN, at(day, 23)) for day in (26, 27)] == [Arrival.MENU, Arrival.CLOSED]


def test_the_next_opening_is_what_will_hold_then(tilleuls: PracticeFacts) -> None:
    facts = open_until_midnight(tilleuls)
    assert facts.next_opening(at(26, 23, 59)) == at(27, 9)
    closed_today = replace(tilleuls, reception=Reception((Rule(Answers.CLOSED),)), later=(stretch(at(27)),))
    assert closed_today.next_opening(at(26, 10)) == at(27, 9)
    assert "vendredi 27 novembre, 9 heures" in str(closed_today.public(at(26, 10))["practice.next_opening"])


def test_a_closing_that_is_planned_is_no_opening(tilleuls: PracticeFacts) -> None:
    leave = stretch(at(27), USUAL, Rule(Answers.CLOSED))
    facts = replace(tilleuls, later=(leave, stretch(at(3, month=12))))
    assert facts.next_opening(at(26, 13)) == at(3, 9, month=12)
    assert replace(tilleuls, later=(leave,)).next_opening(at(26, 13)) is None


def test_what_ends_in_the_middle_of_opening_hours_opens_then(tilleuls: PracticeFacts) -> None:
    facts = replace(tilleuls, reception=Reception((Rule(Answers.CLOSED),)), later=(stretch(at(26, 10, 30)),))
    assert facts.next_opening(at(26, 9)) == at(26, 10, 30)


def test_what_changes_while_it_is_open_is_no_opening() -> None:
    timetable = Timetable(stretch(at(1)), (stretch(at(26, 10), USUAL, Rule(Answers.CLOSED, days=frozenset({6}))),))
    assert timetable.next_answered(at(26, 9, 30)) == at(27, 9)


def test_nobody_is_rung_back_on_a_day_whose_opening_has_ended_by_then(tilleuls: PracticeFacts) -> None:
    facts = open_until_midnight(tilleuls)
    assert rests_until(facts, at(26, 15)) is None
    assert rests_until(facts, at(26, 21)) == at(27, 9)


def test_the_hours_of_a_week_are_those_of_its_days(tilleuls: PracticeFacts) -> None:
    facts = open_until_midnight(tilleuls)
    assert facts.timetable.week(at(26, 15)) == {**USUAL, 3: ((time(0), time(23, 59)),)}
    said = str(facts.public(at(26, 15))["practice.opening_hours"])
    assert "le jeudi, de minuit à 23 heures 59" in said
    assert "samedi" not in said
    assert facts.timetable.week(at(27, 15)) == USUAL


def test_a_day_on_which_the_hours_change_has_what_is_left_of_either() -> None:
    evening: Mapping[int, tuple[Interval, ...]] = {3: ((time(8), time(10)), (time(17), time(19)))}
    assert Timetable(stretch(at(1)), (stretch(at(26, 11), evening),)).week(at(26))[3] == (
        (time(9), time(11)),
        (time(17), time(19)),
    )
    same = Timetable(stretch(at(1)), (stretch(at(26, 11)),)).week(at(26))
    assert same == USUAL
