"""One step as markup, from its top left corner."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from callcenter.flow.picture.boxes import (
    EDGE,
    FLAG_HIGH,
    HEAD_HIGH,
    HEAD_SIZE,
    INNER,
    LINE,
    NAME_HIGH,
    NAME_SIZE,
    ROW_LINE,
    ROW_SIZE,
    TEXT_SIZE,
    WIDE,
    RowShown,
    StepShown,
)
from callcenter.flow.picture.letters import width
from callcenter.flow.picture.panels import INK, RED, shape
from callcenter.flow.picture.svg import Markup, element, group, path, rectangle, text, words

_SOFT = "#38424d"


@dataclass(frozen=True, slots=True)
class Faulty:
    """The shortest way that refutes a flow.

    Arguments:
        numbers: of its steps, in the order of the way.
        hops: from step to step.
    """

    numbers: Mapping[str, int]
    hops: Collection[tuple[str, str]]


def drawn_step(one: StepShown, faulty: Faulty) -> Markup:
    """The box of a step; red, and with its number, on the way that refutes the flow."""
    number = faulty.numbers.get(one.name)
    wrong = [(one.name, row.target) in faulty.hops for row in one.rows]
    top = HEAD_HIGH + NAME_HIGH + 11
    deed = [text(EDGE, top + at * LINE, line) for at, line in enumerate(one.deed)]
    rows = [line for row, red in zip(one.rows, wrong, strict=True) for line in _row(row, red=red)]
    flags = [mark for row, red in zip(one.rows, wrong, strict=True) for mark in _flag(row, red=red)]
    rules = "".join(f"M{EDGE} {row.top}H{WIDE - EDGE}" for row in one.rows)
    return group(
        {},
        element("title", {}, words(one.name)),
        *shape(one.kind, WIDE, one.high, high=HEAD_HIGH, red=bool(number)),
        *_head(one),
        group({"font-size": TEXT_SIZE, "fill": _SOFT}, *deed),
        *_guard(one),
        *([path(rules, stroke="#dde2e7")] if rules else []),
        group({"font-size": ROW_SIZE, "fill": _SOFT}, *rows),
        group({"font-size": ROW_SIZE, "font-weight": "bold", "text-anchor": "middle"}, *flags),
        *(_number(number) if number else []),
    )


def _head(one: StepShown) -> Iterator[Markup]:
    """Its kind, what is guaranteed there, and its name."""
    light, green = ("#ffffff", "#ffffff") if one.kind.filled else (one.kind.colour, "#0a6640")
    heads = [text(EDGE + 3, 14, one.head, fill=light)]
    if one.badge:
        heads.append(text(WIDE - EDGE - 3, 14, one.badge, fill=green, text_anchor="end"))
    name = text(EDGE, HEAD_HIGH + 15, one.title, font_size=NAME_SIZE, fill=INK)
    yield group({"font-size": HEAD_SIZE, "font-weight": "bold"}, *heads, name)


def _guard(one: StepShown) -> Iterator[Markup]:
    """What it tells and needs."""
    if not one.guard:
        return
    high = len(one.guard) * ROW_LINE + 6
    yield rectangle(EDGE - 3, one.guard_top, INNER + 6, high, rx=3, fill="#fdeedd" if one.met else "#fbd9d6")
    lines = []
    for at, (line, needed) in enumerate(one.guard):
        top = one.guard_top + 13 + at * ROW_LINE
        lines.append(text(EDGE + 2, top, line, font_weight="bold") if needed else text(EDGE + 2, top, line))
    yield group({"font-size": ROW_SIZE, "fill": INK if one.met else RED}, *lines)


def _row(row: RowShown, *, red: bool) -> Iterator[Markup]:
    """What the outlets are called."""
    for at, line in enumerate(row.lines):
        top = row.top + ROW_LINE - 1 + at * ROW_LINE
        yield text(EDGE, top, line, fill=RED) if red else text(EDGE, top, line)


def _flag(row: RowShown, *, red: bool) -> Iterator[Markup]:
    """Where they lead, if no line does."""
    if not row.flag:
        return
    ground, ink = ("#fff0c9", "#6b4708") if row.to_person else ("#e6ebf1", INK)
    ground, ink = ("#fbd9d6", RED) if red else (ground, ink)
    wide = round(width(row.flag, ROW_SIZE, bold=True)) + 10
    top = row.top + 2 if row.beside else row.top + 2 + len(row.lines) * ROW_LINE
    yield rectangle(WIDE - EDGE - wide, top, wide, FLAG_HIGH - 1, rx=7, fill=ground)
    yield text(WIDE - EDGE - wide / 2, top + 11, row.flag, fill=ink)


def _number(number: int) -> Iterator[Markup]:
    """Of a step on the way that refutes the flow."""
    yield element("circle", {"cx": 0, "cy": 0, "r": 12, "fill": RED})
    yield text(0, 4, str(number), font_size=12, font_weight="bold", fill="#ffffff", text_anchor="middle")
