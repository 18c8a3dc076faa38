"""Where boxes stand and how lines run between them: the same boxes and lines, the same picture.

Columns from left to right, boxes clear of each other, lines that run between columns and through the gaps between
boxes, never through one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from callcenter.flow.picture.columns import Bend, Line, Slot, ordered, ranks
from callcenter.flow.picture.heights import Box, Tie, ties_of, tops
from callcenter.flow.picture.tracks import BESIDE, Bundle, clear_height, room, spacing, tracks_of

#: How far from its entry a box may be reached, and how far from its place a bend may be passed.
_REACH, _BEND_REACH = 8, 5

Point = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a box stands.

    Arguments:
        column: from the left.
        left, top: of the box.
    """

    column: int
    left: int
    top: int


@dataclass(frozen=True, slots=True)
class Layout:
    """A picture without its words.

    Arguments:
        places: of the boxes, by name.
        paths: of the lines, in their order: corners, from the box that they leave to the one that they reach.
        columns: left and right of each.
        width, height: of it all.
    """

    places: Mapping[str, Place]
    paths: tuple[tuple[Point, ...], ...]
    columns: tuple[tuple[int, int], ...]
    width: int
    height: int


def layout(boxes: Sequence[Box], lines: Sequence[Line]) -> Layout:
    """Place ``boxes``, in the order in which the eye should meet them.

    Arguments:
        lines: between them; nothing may go round (``columns.back_lines``).
    """
    named = {box.name: box for box in boxes}
    rank = ranks(list(named), lines)
    columns = ordered(list(named), lines, rank).slots
    ties = ties_of(named, lines, rank)
    heights = {slot: round(top) for slot, top in tops(columns, named, ties).items()}
    widths = [max((named[one].width for one in column if isinstance(one, str)), default=0) for column in columns]
    left, edges, runs = 0, [], []
    into: dict[Slot, int] = {}
    for at in range(len(columns)):
        right = left + widths[at]
        edges.append((left, right))
        if at + 1 < len(columns):
            run = _between(ties[at], heights, named, into)
            runs.append((right, run))
            left = right + room(run.tracks)
    places = {name: Place(rank[name], edges[rank[name]][0], heights[name]) for name in named}
    paths = tuple(_path(number, line, rank, edges, runs, named, places) for number, line in enumerate(lines))
    bottom = max((heights[name] + named[name].height for name in named), default=0)
    return Layout(places, paths, tuple(edges), edges[-1][1] if edges else 0, bottom)


@dataclass(frozen=True, slots=True)
class _Run:
    """How the lines between two columns run.

    Arguments:
        outs: how high each leaves, by the slot that it leaves and the one that it leads to.
        into: how high each slot of the right column is reached.
        track: of each slot of the right column to which a line leads that turns.
        tracks: how many there are.
    """

    outs: Mapping[tuple[Slot, int, Slot], int]
    into: Mapping[Slot, int]
    track: Mapping[Slot, int]
    tracks: int


def _between(
    ties: Sequence[Tie], heights: Mapping[Slot, int], boxes: Mapping[str, Box], passed: dict[Slot, int]
) -> _Run:
    """Run the lines that bind two columns.

    Arguments:
        passed: how high bends of the left column are passed; those of the right one are entered.
    """
    outs = {
        (tie.left, tie.out, tie.right): passed[tie.left] if isinstance(tie.left, Bend) else heights[tie.left] + tie.out
        for tie in ties
    }
    taken = sorted(set(outs.values()))
    led: dict[Slot, list[int]] = {}
    for (_, _, right), out in outs.items():
        led.setdefault(right, []).append(out)
    entries = {tie.right: tie.into for tie in ties}
    into: dict[Slot, int] = {}
    for right, own in led.items():
        wanted = heights[right] + entries[right]
        reach = _BEND_REACH if isinstance(right, Bend) else min(_REACH, entries[right])
        into[right] = clear_height(wanted, wanted - reach, wanted + reach, own, taken)
    passed.update(into)
    rights = list(led)
    track, many = tracks_of([Bundle(into[right], tuple(led[right])) for right in rights])
    return _Run(outs, into, {rights[number]: at for number, at in track.items()}, many)


def _path(
    number: int,
    line: Line,
    rank: Mapping[str, int],
    edges: Sequence[tuple[int, int]],
    runs: Sequence[tuple[int, _Run]],
    boxes: Mapping[str, Box],
    places: Mapping[str, Place],
) -> tuple[Point, ...]:
    """The corners of one line."""
    box, place = boxes[line.source], places[line.source]
    height = place.top + box.ports[line.port]
    corners: list[Point] = [(place.left + box.width, height)]
    for column in range(rank[line.source], rank[line.target]):
        following: Slot = line.target if column + 1 == rank[line.target] else Bend(number, column + 1)
        right, run = runs[column]
        goal = run.into[following]
        if goal != height:
            turn = right + BESIDE + run.track[following] * spacing(run.tracks)
            corners += [(turn, height), (turn, goal)]
        height = goal
    corners.append((edges[rank[line.target]][0], height))
    return tuple(corners)
