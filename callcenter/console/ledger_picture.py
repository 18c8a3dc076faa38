"""The last days of a log as a picture, and as a table that says the same: what was sealed in each hour, what went out.

Hours without anything sealed are seen as gaps: at night there are some, while people call there is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import log2
from typing import Final

from callcenter.audit.anchors import AnchorKind
from callcenter.audit.standing import HOUR, Hour, Mark
from callcenter.console.dates import ZONE

#: Lengths, in the picture's own pixels: of an hour, of the tallest bar; where the bars stand, and each kind of mark.
STEP: Final = 4
TALLEST: Final = 60
FLOOR: Final = 72
ROWS: Final = {AnchorKind.FILE: 86, AnchorKind.TIMESTAMP: 98, AnchorKind.COSIGNATURE: 110}
HEIGHT: Final = 140
#: A bar is as tall as the number of records in it has binary digits; this many make the tallest.
_DIGITS: Final = 14


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the picture.

    Arguments:
        day: in Paris.
        at: where it begins in the picture.
        sealed: records that came under a head.
        hours: in which any did.
        gap: the longest time without one, in hours.
        marks: heads that went to somebody else.
    """

    day: date
    at: int
    sealed: int
    hours: int
    gap: int
    marks: int


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn, as the values of SVG's attributes.

    Arguments:
        bars: a path.
        marks: a path for each kind.
    """

    width: int
    bars: str
    marks: Mapping[AnchorKind, str]
    days: Sequence[Day]


def picture_of(since: datetime, now: datetime, hours: Sequence[Hour], marks: Sequence[Mark]) -> Picture:
    """The days between two moments.

    Arguments:
        since: aware; the beginning of an hour of UTC.
        hours: in order.
    """
    count = max(1, int((now - since) / HOUR) + 1)
    sealed = {int((one.begins - since) / HOUR): one.sealed for one in hours}
    drawn = {kind: [int((one.at - since) / HOUR) for one in marks if one.kind is kind] for kind in AnchorKind}
    bars = "".join(_bar(at, sealed[at]) for at in sorted(sealed) if 0 <= at < count)
    shapes = {kind: "".join(_SHAPES[kind](at * STEP, ROWS[kind]) for at in sorted(set(drawn[kind]))) for kind in drawn}
    return Picture(
        count * STEP, bars, shapes, _days(since, count, sealed, [at for found in drawn.values() for at in found])
    )


def _bar(at: int, sealed: int) -> str:
    height = max(3, round(TALLEST * min(1.0, log2(sealed + 1) / _DIGITS)))
    return f"M{at * STEP} {FLOOR}v-{height}h{STEP - 1}v{height}z"


#: A square for a file, a triangle for a time stamp, a diamond for a signature: kinds are told by their shape.
_SHAPES = {
    AnchorKind.FILE: lambda x, y: f"M{x} {y}h3v4h-3z",
    AnchorKind.TIMESTAMP: lambda x, y: f"M{x + 2} {y - 2}l4 7h-8z",
    AnchorKind.COSIGNATURE: lambda x, y: f"M{x + 2} {y - 2}l4 4l-4 4l-4-4z",
}


def _days(since: datetime, count: int, sealed: Mapping[int, int], marks: Sequence[int]) -> Sequence[Day]:
    found: dict[date, list[int]] = {}
    for at in range(count):
        found.setdefault((since + at * HOUR).astimezone(ZONE).date(), []).append(at)
    return [
        Day(
            day,
            ats[0] * STEP,
            sum(sealed.get(at, 0) for at in ats),
            sum(at in sealed for at in ats),
            _longest([at in sealed for at in ats]),
            sum(at in ats for at in marks),
        )
        for day, ats in found.items()
    ]


def _longest(sealed: Sequence[bool]) -> int:
    """The longest run of hours without anything sealed."""
    longest = run = 0
    for one in sealed:
        run = 0 if one else run + 1
        longest = max(longest, run)
    return longest
