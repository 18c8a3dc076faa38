"""The picture of a log's last days: what stands where, and that its table counts the same."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from callcenter.audit.anchors import AnchorKind
from callcenter.audit.standing import Hour, Mark
from callcenter.console.ledger_picture import FLOOR, STEP, TALLEST, picture_of

SINCE = datetime(2026, 11, 24, 22, tzinfo=UTC)  # 23:00 in Paris
NOW = datetime(2026, 11, 26, 1, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def heights(bars: str) -> list[tuple[int, int]]:
    return [(int(x) // STEP, int(height)) for x, height in re.findall(rf"M(\d+) {FLOOR}v-(\d+)", bars)]


def test_an_hour_has_a_bar_as_tall_as_what_was_sealed_in_it_has_digits() -> None:
    sealed = (1, 100, 1_000_000)
    hours = [Hour(SINCE + at * HOUR, count) for at, count in enumerate(sealed)]
    picture = picture_of(SINCE, NOW, hours, ())
    (first, low), (second, middle), (third, tall) = heights(picture.bars)
    assert (first, second, third) == (0, 1, 2)
    assert low < middle < tall == TALLEST
    assert picture.width == 28 * STEP


def test_days_are_those_of_paris_with_their_sums_and_their_longest_gap() -> None:
    hours = [Hour(SINCE, 5), Hour(SINCE + 3 * HOUR, 7), Hour(SINCE + 9 * HOUR, 2)]
    marks = [Mark(AnchorKind.FILE, SINCE + 3 * HOUR), Mark(AnchorKind.TIMESTAMP, SINCE + 3.5 * HOUR)]
    days = picture_of(SINCE, NOW, hours, marks).days
    assert [(one.day, one.at, one.sealed, one.hours, one.gap, one.marks) for one in days] == [
        (date(2026, 11, 24), 0, 5, 1, 0, 0),
        (date(2026, 11, 25), STEP, 9, 2, 15, 2),
        (date(2026, 11, 26), 25 * STEP, 0, 0, 3, 0),
    ]


def test_kinds_of_marks_have_shapes_of_their_own() -> None:
    marks = picture_of(SINCE, NOW, (), [Mark(kind, SINCE + HOUR) for kind in AnchorKind]).marks
    shapes = {re.sub(r"M[\d ]+", "", path) for path in marks.values()}
    assert len(shapes) == len(AnchorKind)
    assert picture_of(SINCE, NOW, (), ()).bars == ""
