"""What is refused, warned of and changed is told in French; nothing falls through to the command's own words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from callcenter.console import calendar_forms
from callcenter.console.practices_ports import Fault
from callcenter.console.setting_addresses import setting_at, setting_path
from callcenter.console.setting_forms import FORMS
from callcenter.console.setting_mistakes import UNKNOWN, WARNED, in_french, mistakes, warned
from callcenter.console.setting_periods import Mistake, moment_of, read_period
from callcenter.console.setting_words import NAMES, difference, lines_of
from callcenter.console.told import Told, said
from callcenter.kernel.errors import DataProblems
from callcenter.practice import changing, enrolment
from callcenter.practice.changing import facts_with, warnings
from callcenter.practice.demo import FOLDER
from callcenter.practice.demo_file import demo_id
from callcenter.practice.enrolment import NumberTaken, UnusablePractice
from callcenter.practice.numbers import NumberProblem
from callcenter.practice.practice_file import read_practice_file
from callcenter.practice.practice_form import Setting, as_written
from callcenter.practice.setting_versions import Period, Snapshot
from tests.documents.practice_settings import ROWS

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
TILLEULS = read_practice_file(
    Path(FOLDER) / "practices" / "cabinet-des-tilleuls.yaml", demo_id("organisation", "tests"), demo_id
).facts


def plain(told: Told) -> str:
    return said(told, lambda message, /, **values: message % values)


def standing() -> Snapshot:
    written = {setting.value: value for setting, value in as_written(TILLEULS).items()}
    return Snapshot(TILLEULS.id, TILLEULS.organisation_id, TILLEULS.slug, 1, written, None)


def refusals(setting: Setting, value: Any) -> list[Fault]:
    """What the practice's room says of a value."""
    try:
        facts_with(standing(), {setting: value})
    except DataProblems as error:
        return [Fault(tuple(one.file.split(".")), one.what) for one in error.problems]
    except NumberTaken as error:
        return [Fault((), error.what)]
    except UnusablePractice as error:
        return [Fault((), str(error))]
    raise AssertionError(f"{setting}: {value!r} is taken")


#: One value of each kind that somebody may type and that is refused, besides those that the page of settings tells.
BAD: list[tuple[Setting, Any]] = [
    (Setting.NAME, ""),
    (Setting.ADDRESS, "a\nb"),
    (Setting.INSTRUCTIONS, "x" * 4001),
    (Setting.INSTRUCTIONS, "\x07"),
    (Setting.HOURS, {"lundi": ["8-"]}),
    (Setting.HOURS, {"lundi": ["10:00-09:00"]}),
    (Setting.HOURS, {"lundi": [f"{at:02}:00-{at:02}:30" for at in range(7)]}),
    (Setting.RECEPTION, [{"answers": ""}]),
    (Setting.RECEPTION, [{"answers": "closed", "dates": "2026-12-24..2026-12-01"}]),
    (Setting.RECEPTION, [{"answers": "closed", "dates": "demain..demain"}]),
    (Setting.RECEPTION, [{"answers": "closed", "hours": "18:00-08:00"}]),
    (Setting.RECEPTION, [{"answers": "closed", "hours": "-08:00"}]),
    (Setting.NUMBERS, {}),
    (Setting.NUMBERS, {"0465": "main"}),
    (Setting.NUMBERS, {"allô": "main"}),
    (Setting.NUMBERS, {"+33639980001": "main"}),
    (Setting.NUMBERS, {"+33465710090": "main"}),
    (Setting.RESCUE_NUMBER, "0899123456"),
    (Setting.RESCUE_NUMBER, "+33465710001"),
    (Setting.OUT_OF_HOURS_NUMBER, "+33465710001"),
    (Setting.OUT_OF_HOURS_NUMBER, ""),
    (Setting.EMERGENCY_LINE, "15"),
    (Setting.EMERGENCY_LINE, "+33465710001"),
    (Setting.TIMEZONE, "Europe/Lyon"),
    (Setting.HOLIDAY_SUBDIVISION, "69"),
    (Setting.AGENDA, {"external": "http://a.example"}),
    (Setting.AGENDA, ""),
    (Setting.REMINDERS, {"mode": "opt_out", "hours_before": "deux"}),
    (Setting.REMINDERS, {"mode": "", "hours_before": 24}),
    (Setting.ESCALATION, {"after_minutes": 4, "at_night": True}),
    (Setting.WAITING, {"callbacks": True, "longest_minutes": 61, "most": 20}),
    (Setting.BOOKING, {"practitioners": {f"N{n}": {} for n in range(10)}}),
    (Setting.BOOKING, {"practitioners": {"Claire Moreau": {"first_day_ahead": 9, "days_ahead": 8}}}),
]


@pytest.mark.parametrize(("setting", "value"), [*BAD, *((setting, row.refused[0]) for setting, row in ROWS.items())])
def test_every_refusal_of_a_value_has_french_words_and_a_place(setting: Setting, value: Any) -> None:
    for mistake in mistakes(setting, refusals(setting, value)):
        assert mistake.words.text != UNKNOWN.text, plain(mistake.words)
        assert plain(mistake.words)


def sentences() -> Iterator[str]:
    """What else the practice's room says of a change."""
    yield from (problem.value for problem in NumberProblem)
    now = NOW
    for setting, period in (
        (Setting.ADDRESS, Period(datetime(2020, 1, 1, tzinfo=UTC))),
        (Setting.ADDRESS, Period(now, datetime(2020, 1, 1, tzinfo=UTC))),
        (Setting.NUMBERS, Period(now, datetime(2027, 1, 1, tzinfo=UTC))),
        (Setting.MESSAGE_OF_THE_DAY, Period(now)),
        (Setting.MESSAGE_OF_THE_DAY, Period(now, datetime(2027, 1, 1, tzinfo=UTC))),
    ):
        with pytest.raises(DataProblems) as refused:
            changing._check_period(setting, period, now)
        yield from (problem.what for problem in refused.value.problems)
    source = Path(enrolment.__file__).read_text(encoding="utf-8")
    for words in (
        "we serve it for another practice",
        "it is the rescue number of another practice",
        "it is the emergency line of another practice",
        "its emergency line {facts.emergency_line} is a number that we answer",
    ):
        assert words in source
        yield words


def test_every_refusal_of_a_period_or_a_number_has_french_words() -> None:
    told = {what: in_french(what) for what in sentences()}
    assert len(told) >= 10
    assert not [what for what, words in told.items() if words.text == UNKNOWN.text]


def test_every_setting_has_a_name_a_form_an_address_and_words() -> None:
    assert set(NAMES) == set(FORMS) == set(Setting)
    for setting, value in as_written(TILLEULS).items():
        assert setting_at(setting_path(setting)) is setting
        assert all(plain(line) for line in lines_of(setting, value))


@pytest.mark.parametrize("setting", list(Setting))
def test_a_form_is_read_back_to_what_it_was_filled_with(setting: Setting) -> None:
    value = as_written(TILLEULS)[setting]
    form = FORMS[setting]
    read = form.read(form.fill(value, ()), ())
    if setting in (Setting.INSTRUCTIONS, Setting.BOOKING):  # those of practitioners are read where there are some
        return
    assert read == value or (setting is Setting.NUMBERS and list(read) == list(value))


def test_what_changed_is_told_by_the_lines_that_changed() -> None:
    before = as_written(TILLEULS)[Setting.HOURS]
    changed = difference(Setting.HOURS, before, {**before, "samedi": []})
    assert [plain(line) for line in changed.gone] == ["samedi : 09:00-12:00"]
    assert [plain(line) for line in changed.came] == ["samedi : fermé"]
    assert len(difference(Setting.HOURS, None, before, first=True).came) == 7


def test_words_that_look_like_somebody_are_warned_of_in_french() -> None:
    assert [plain(one) for one in warned(warnings(Setting.CLOSING_CONDUCT, "Mme Durand, née le 14/03/1962"))] == [
        plain(WARNED["a name"]),
        plain(WARNED["a date of birth"]),
    ]


@pytest.mark.parametrize(
    ("typed", "clock"),
    [("8h30", "08:30"), ("8", "08:00"), ("18:05", "18:05"), ("24:00", "00:00"), ("midi", "midi"), ("", "")],
)
def test_a_time_is_typed_as_people_type_it(typed: str, clock: str) -> None:
    assert calendar_forms.clock(typed) == clock


@pytest.mark.parametrize(
    ("day", "hour", "moment"),
    [
        ("24/12/2026", "8h30", datetime(2026, 12, 24, 8, 30)),  # noqa: DTZ001 - a practice's own clock
        ("2026-12-24", "", datetime(2026, 12, 24)),  # noqa: DTZ001 - the same
        ("31/02/2026", "", None),
        ("9999-12-31", "", None),
        ("2026-12-24", "10:00+02:00", datetime(2026, 12, 24, 10)),  # noqa: DTZ001 - the same
        ("demain", "", None),
    ],
)
def test_a_moment_is_typed_as_people_type_it(day: str, hour: str, moment: datetime | None) -> None:
    assert moment_of(day, hour) == moment


def test_the_quick_ends_are_midnights_of_the_practice() -> None:
    thursday = datetime(2026, 11, 26, 23, 30, tzinfo=PARIS)
    ends = {}
    for quick in ("ce-soir", "demain", "semaine"):
        period = read_period({"fin": quick}, thursday, PARIS)
        assert isinstance(period, Period)
        ends[quick] = period.ends
    assert ends == {
        "ce-soir": datetime(2026, 11, 27, tzinfo=PARIS),
        "demain": datetime(2026, 11, 28, tzinfo=PARIS),
        "semaine": datetime(2026, 11, 30, tzinfo=PARIS),
    }
    assert read_period({"fin": "sans", "debut": "maintenant"}, thursday, PARIS) is None
    assert isinstance(read_period({"fin": "date"}, thursday, PARIS), Mistake)


def test_rows_are_added_moved_and_taken_away_with_all_that_stands_in_them() -> None:
    fields = {"rangs": "2", "0-repond": "menu", "0-lundi": "1", "1-repond": "closed", "note": "n"}
    down = calendar_forms.act(dict(fields), "descendre-0")
    assert (down["0-repond"], down["1-repond"], down["1-lundi"], down["note"]) == ("closed", "menu", "1", "n")
    assert "0-lundi" not in down
    assert calendar_forms.act(dict(fields), "retirer-0") == {"rangs": "1", "0-repond": "closed", "note": "n"}
    assert calendar_forms.act(dict(fields), "ajouter")["rangs"] == "3"
    for nonsense in ("monter-0", "descendre-1", "retirer-7", "retirer-x", "tout"):
        assert calendar_forms.act(dict(fields), nonsense) == fields, nonsense
    assert calendar_forms.rows({"rangs": "9999999"}) == 0
    assert calendar_forms.rows({"rangs": "999"}) == calendar_forms.MOST_ROWS
