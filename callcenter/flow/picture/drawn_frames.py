"""Steps that are drawn together, as markup: grounds, then lines, then boxes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from callcenter.disclosure.policy import Policy
from callcenter.flow.language import Flow, Level
from callcenter.flow.picture.boxes import HEAD_HIGH, WIDE, StepShown, flag_of, shown
from callcenter.flow.picture.columns import Line
from callcenter.flow.picture.drawn_steps import Faulty, drawn_step
from callcenter.flow.picture.frames import Frame, rows_of
from callcenter.flow.picture.guards import Guards, Region
from callcenter.flow.picture.heights import BOX_GAP, Box
from callcenter.flow.picture.layout import Layout, Place, Point, layout
from callcenter.flow.picture.letters import wrapped
from callcenter.flow.picture.panels import INK, RED, ground
from callcenter.flow.picture.svg import Markup, group, moved, path, rectangle, text
from callcenter.flow.prompts import PromptBook

_PAD = 30
LINE_COLOUR = "#4b5866"
#: Neighbours of one region stand on one ground unless they are further apart.
_NEAR = 5 * BOX_GAP


@dataclass(frozen=True, slots=True)
class Drawn:
    """A frame, drawn from 0, 0."""

    markup: Markup
    wide: int
    high: int


def drawn_frame(frame: Frame, flow: Flow, book: PromptBook, policy: Policy, guards: Guards, faulty: Faulty) -> Drawn:
    """A frame of ``flow``."""
    lined = {(line.source, line.target) for line in frame.lines}
    lined |= {two for stack in frame.stacks for two in pairwise(stack)}
    steps = {}
    for name in frame.names:
        flags = {
            row.target: flag_of(row.target, flow, back=(name, row.target) in frame.backs)
            for row in rows_of(flow.steps[name])
            if (name, row.target) not in lined
        }
        steps[name] = shown(name, flow, book, policy, guards, flags)
    boxes, ports = _boxes(frame, steps)
    heads = {name: stack[0] for stack in frame.stacks for name in stack}
    placed = layout(
        boxes, [Line(heads[line.source], ports[line.source, line.port], line.target) for line in frame.lines]
    )
    tops = _tops(frame, steps, placed)
    said = wrapped(frame.title, 17, placed.width, bold=True)
    title = [text(_PAD, 28 + at * 22, line, font_size=17, font_weight="bold", fill=INK) for at, line in enumerate(said)]
    head = len(said) * 22
    wide, high = placed.width + 2 * _PAD, placed.height + 2 * _PAD + head
    content = [
        *_grounds(frame, steps, placed, tops),
        *_lines(frame, placed, faulty),
        *_downs(frame, steps, tops, faulty),
        *(moved(tops[name].left, tops[name].top, drawn_step(steps[name], faulty)) for name in frame.names),
    ]
    floor = rectangle(0, 0, wide, high, rx=10, fill=ground(Region(Level.UNKNOWN)), stroke="#c3cad2")
    return Drawn(group({}, floor, *title, moved(_PAD, _PAD + head, *content)), wide, high)


def _boxes(frame: Frame, steps: Mapping[str, StepShown]) -> tuple[list[Box], Mapping[tuple[str, int], int]]:
    """One box for each stack, and the number of each row's port on it."""
    boxes: list[Box] = []
    numbers: dict[tuple[str, int], int] = {}
    for stack in frame.stacks:
        top = 0
        ports: list[int] = []
        for name in stack:
            for number, row in enumerate(steps[name].rows):
                numbers[name, number] = len(ports)
                ports.append(top + row.port)
            top += steps[name].high + BOX_GAP
        boxes.append(Box(stack[0], WIDE, top - BOX_GAP, tuple(ports), HEAD_HIGH // 2 + 2))
    return boxes, numbers


def _tops(frame: Frame, steps: Mapping[str, StepShown], placed: Layout) -> dict[str, Place]:
    """Where each step stands."""
    tops = {}
    for stack in frame.stacks:
        place = placed.places[stack[0]]
        top = place.top
        for name in stack:
            tops[name] = Place(place.column, place.left, top)
            top += steps[name].high + BOX_GAP
    return tops


def _grounds(
    frame: Frame, steps: Mapping[str, StepShown], placed: Layout, tops: Mapping[str, Place]
) -> Iterator[Markup]:
    """The ground behind neighbours of one region: it reaches half way to what stands beside and below."""
    columns: dict[int, list[str]] = {}
    for name in frame.names:
        columns.setdefault(tops[name].column, []).append(name)
    for column in sorted(columns):
        names = sorted(columns[column], key=lambda name: tops[name].top)
        left, right = _half_way(placed, column)
        begin = 0
        for at in range(1, len(names) + 1):
            if at == len(names) or not _joined(steps, tops, names[at - 1], names[at]):
                top = tops[names[begin]].top - BOX_GAP // 2
                bottom = tops[names[at - 1]].top + steps[names[at - 1]].high + BOX_GAP // 2
                region = steps[names[begin]].region
                if region is not None and (region.level or region.card):
                    yield rectangle(left, top, right - left, bottom - top, fill=ground(region))
                begin = at


def _joined(steps: Mapping[str, StepShown], tops: Mapping[str, Place], above: str, below: str) -> bool:
    """Whether two steps of a column are of one region, and near enough to stand on one ground."""
    free = tops[below].top - tops[above].top - steps[above].high
    return steps[above].region == steps[below].region and free <= _NEAR


def _half_way(placed: Layout, column: int) -> tuple[int, int]:
    left, right = placed.columns[column]
    before = placed.columns[column - 1][1] if column else left - BOX_GAP
    after = placed.columns[column + 1][0] if column + 1 < len(placed.columns) else right + BOX_GAP
    return (before + left) // 2, (right + after) // 2


def _lines(frame: Frame, placed: Layout, faulty: Faulty) -> Iterator[Markup]:
    """The red ones last: above the others."""
    said = [
        (line, _rounded(corners), (line.source, line.target) in faulty.hops)
        for line, corners in zip(frame.lines, placed.paths, strict=True)
    ]
    calm = [path(d, marker_end="url(#fleche)") for _, d, red in said if not red]
    wrong = [path(d, marker_end="url(#rouge)") for _, d, red in said if red]
    yield group({"fill": "none", "stroke": LINE_COLOUR, "stroke-width": 1.3}, *calm)
    yield group({"fill": "none", "stroke": RED, "stroke-width": 3}, *wrong)


def _rounded(corners: Sequence[Point]) -> str:
    """A line through ``corners``, its turns rounded."""
    said = [f"M{corners[0][0]} {corners[0][1]}"]
    for before, here, after in zip(corners, corners[1:], corners[2:], strict=False):
        reach = min(5, _far(before, here) // 2, _far(here, after) // 2)
        near, on = _towards(here, before, reach), _towards(here, after, reach)
        said.append(f"L{near[0]} {near[1]}Q{here[0]} {here[1]} {on[0]} {on[1]}")
    said.append(f"L{corners[-1][0]} {corners[-1][1]}")
    return "".join(said)


def _far(one: Point, other: Point) -> int:
    return abs(one[0] - other[0]) + abs(one[1] - other[1])


def _towards(here: Point, there: Point, reach: int) -> Point:
    return (
        here[0] + max(-reach, min(reach, there[0] - here[0])),
        here[1] + max(-reach, min(reach, there[1] - here[1])),
    )


def _downs(frame: Frame, steps: Mapping[str, StepShown], tops: Mapping[str, Place], faulty: Faulty) -> Iterator[Markup]:
    """The short lines within stacks."""
    for stack in frame.stacks:
        for above, below in pairwise(stack):
            place, red = tops[above], (above, below) in faulty.hops
            d = f"M{place.left + 26} {place.top + steps[above].high}V{tops[below].top}"
            stroke, marker = (RED, "url(#rouge)") if red else (LINE_COLOUR, "url(#fleche)")
            yield path(d, fill="none", stroke=stroke, stroke_width=3 if red else 1.3, marker_end=marker)
