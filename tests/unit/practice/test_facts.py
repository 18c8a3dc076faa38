"""What is public about a practice is said in French, and every field that prompts may name is there."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from callcenter.kernel.labels import FIELD_LABELS
from callcenter.practice.demo import FOLDER
from callcenter.practice.demo_file import demo_id
from callcenter.practice.enrolment import NumberTaken, UnusablePractice, check_practice
from callcenter.practice.facts import Door, PracticeFacts
from callcenter.practice.numbers import E164
from callcenter.practice.opening import Opening
from callcenter.practice.practice_file import read_practice_file
from callcenter.practice.practice_form import PracticeForm, Setting, as_written
from callcenter.practice.reception import Answers, Reception, Rule
from callcenter.practice.slots import Bookable, BookingPlan
from callcenter.practice.values import BreakGlass, lets_glass_be_broken

PARIS = ZoneInfo("Europe/Paris")
ORGANISATION = UUID(int=1)
TILLEULS_FILE = Path(FOLDER) / "practices" / "cabinet-des-tilleuls.yaml"


@pytest.fixture(scope="module")
def tilleuls() -> PracticeFacts:
    path = Path(FOLDER) / "practices" / "cabinet-des-tilleuls.yaml"
    return read_practice_file(path, ORGANISATION, demo_id).facts


def test_every_public_field_of_a_practice_can_be_said(tilleuls: PracticeFacts) -> None:
    fields = tilleuls.public(datetime(2026, 11, 26, 10, tzinfo=PARIS))
    assert fields.keys() == {name for name in FIELD_LABELS if name.startswith("practice.")}
    assert {name for name, value in fields.items() if value == ""} == {
        "practice.message_of_the_day",
        "practice.agenda_link",
    }


def test_hours_and_openings_are_said_in_french(tilleuls: PracticeFacts) -> None:
    closed = tilleuls.public(datetime(2026, 11, 28, 15, tzinfo=PARIS))
    assert closed["practice.is_open"] is False
    assert closed["practice.next_opening"] == "lundi 30 novembre, 8 heures 30"
    assert "du lundi au vendredi, de 8 heures 30 à 12 heures" in str(closed["practice.opening_hours"])
    assert "le samedi, de 9 heures à 12 heures" in str(closed["practice.opening_hours"])
    assert tilleuls.public(datetime(2026, 11, 26, 10, tzinfo=PARIS))["practice.is_open"] is True


def test_a_practice_without_hours_still_has_words(tilleuls: PracticeFacts) -> None:
    fields = replace(tilleuls, opening=Opening(PARIS, {}, None)).public(datetime(2026, 11, 26, 10, tzinfo=PARIS))
    assert fields["practice.opening_hours"] == "sur rendez-vous seulement"
    assert fields["practice.next_opening"] == "pas encore fixée"


def test_the_practices_own_lines_are_all_its_numbers(tilleuls: PracticeFacts) -> None:
    assert tilleuls.own_lines == {f"+334657100{end}" for end in ("01", "02", "03", "90", "91")}


def test_p7_the_rescue_number_is_no_line_that_may_come_back_to_us(tilleuls: PracticeFacts) -> None:
    check_practice(tilleuls)
    for line in ("+33465710001", "+33465710091"):
        with pytest.raises(NumberTaken, match=r"\+334657100\d1"):
            check_practice(replace(tilleuls, rescue_number=E164(line)))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"closing_conduct": "  "}, "EM-05"),
        ({"rescue_number": "+33899123456"}, "rescue number .* costs extra"),
        ({"out_of_hours_number": "3639"}, "out-of-hours number .* costs extra"),
        ({"numbers": {"+33810000000": Door()}}, "number .* costs extra"),
        ({"numbers": {"+33639980050": Door()}}, "06 and 07"),
        ({"rescue_number": "04 65 71 00 90"}, r"write it as \+33465710090"),
        ({"other_lines": frozenset({"15"})}, "other line"),
    ],
)
def test_rules_of_numbers_and_closing_are_checked(tilleuls: PracticeFacts, change: dict[str, object], why: str) -> None:
    with pytest.raises(UnusablePractice, match=why):
        check_practice(replace(tilleuls, **change))  # type: ignore[arg-type]  # one field of each kind


def test_overlapping_hours_and_unknown_parts_of_france_are_refused(tilleuls: PracticeFacts) -> None:
    first, second = tilleuls.hours[0]
    for opening, why in (
        (Opening(PARIS, {0: (second, first)}, None), "hours of lundi are not in order"),
        (Opening(PARIS, {6: (first, first)}, None), "hours of dimanche are not in order"),
        (Opening(PARIS, {7: (first,)}, None), "weekday 7"),
        (Opening(PARIS, {}, "Bretagne"), "Bretagne"),
    ):
        with pytest.raises(UnusablePractice, match=why):
            check_practice(replace(tilleuls, opening=opening))


def test_a_rule_that_would_never_fit_is_refused_and_one_may_last_until_midnight(tilleuls: PracticeFacts) -> None:
    def ruled(begins: time, ends: time) -> PracticeFacts:
        return replace(tilleuls, reception=Reception((Rule(Answers.MENU, hours=(begins, ends)),)))

    for ends in (time(8), time(18)):
        with pytest.raises(UnusablePractice, match=r"rule 1 of reception ends before it begins: .* 00:00"):
            check_practice(ruled(time(18), ends))
    evening = ruled(time(18), time(0))
    check_practice(evening)
    sunday = [datetime(2026, 11, 29, *at, tzinfo=PARIS) for at in ((17, 59), (18, 0), (23, 59, 59))]
    assert [evening.reception.answers(at, evening.opening) for at in sunday] == ["closed", "menu", "menu"]
    assert evening.reception.answers(datetime(2026, 11, 30, tzinfo=PARIS), evening.opening) == "closed"


def test_a_practice_that_has_not_said_who_is_booked_by_telephone_has_nobody_booked() -> None:
    written = dict(as_written(read_practice_file(TILLEULS_FILE, ORGANISATION, demo_id).facts))
    del written[Setting.BOOKING]
    assert PracticeForm.model_validate(written).booking.plan() == BookingPlan()


def test_a_booking_plan_is_read_back_as_it_was_written(tilleuls: PracticeFacts) -> None:
    assert tilleuls.booking.practitioners["Claire Moreau"] == Bookable(new_patients=False)
    assert PracticeForm.model_validate(as_written(tilleuls)).booking.plan() == tilleuls.booking


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        ({"practitioners": {"Claire Moreau": {"slot_minutes": 4}}}, "greater than or equal to 5"),
        ({"practitioners": {"Claire Moreau": {"days_ahead": 91}}}, "less than or equal to 90"),
        ({"practitioners": {"Claire Moreau": {"first_day_ahead": 9, "days_ahead": 8}}}, "lies behind the last"),
        ({"practitioners": {f"N{n}": {} for n in range(10)}}, "at most 9"),
        ({"offers": 0}, "greater than or equal to 1"),
        ({"open_per_caller": 21}, "less than or equal to 20"),
    ],
)
def test_a_booking_plan_that_cannot_be_kept_is_refused(
    tilleuls: PracticeFacts, plan: dict[str, object], why: str
) -> None:
    with pytest.raises(ValidationError, match=why):
        PracticeForm.model_validate({**as_written(tilleuls), Setting.BOOKING: plan})


@pytest.mark.parametrize(
    ("said", "lets"),
    [
        *((said, True) for said in (BreakGlass.ON, "on", True)),
        *((said, False) for said in (BreakGlass.OFF, "off", None)),
    ],
)
def test_glass_is_broken_where_a_practice_says_so_as_read_or_as_written(said: object, lets: bool) -> None:
    assert lets_glass_be_broken(said) is lets
