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
    parts = [element("title", {}, words(one.name)), *shape(one.kind, WIDE, one.high, high=HEAD_HIGH, red=bool(number))]
    light = "#ffffff" if one.kind.filled else one.kind.colour
    parts.append(text(EDGE + 3, 14, one.head, font_size=HEAD_SIZE, font_weight="bold", fill=light))
    if one.badge:
        colour = "#ffffff" if one.kind.filled else "#0a6640"
        parts.append(
            text(
                WIDE - EDGE - 3, 14, one.badge, font_size=HEAD_SIZE, font_weight="bold", fill=colour, text_anchor="end"
            )
        )
    top = HEAD_HIGH + 15
    parts.append(text(EDGE, top, one.title, font_size=NAME_SIZE, font_weight="bold", fill=INK))
    top = HEAD_HIGH + NAME_HIGH + 11
    parts += [text(EDGE, top + at * LINE, line, font_size=TEXT_SIZE, fill=_SOFT) for at, line in enumerate(one.deed)]
    parts += _guard(one)
    for row in one.rows:
        parts += _row(one, row, red=(one.name, row.target) in faulty.hops)
    if number:
        parts.append(element("circle", {"cx": 0, "cy": 0, "r": 12, "fill": RED}))
        parts.append(text(0, 4, str(number), font_size=12, font_weight="bold", fill="#ffffff", text_anchor="middle"))
    return group({}, *parts)


def _guard(one: StepShown) -> Iterator[Markup]:
    """What it tells and needs."""
    if not one.guard:
        return
    high = len(one.guard) * ROW_LINE + 6
    colour = "#fdeedd" if one.met else "#fbd9d6"
    yield rectangle(EDGE - 3, one.guard_top, INNER + 6, high, rx=3, fill=colour)
    for at, line in enumerate(one.guard):
        needed = line.startswith("Exige")
        weight = {"font_weight": "bold"} if needed else {}
        fill = INK if one.met else RED
        yield text(EDGE + 2, one.guard_top + 13 + at * ROW_LINE, line, font_size=ROW_SIZE, fill=fill, **weight)


def _row(one: StepShown, row: RowShown, *, red: bool) -> Iterator[Markup]:
    yield path(f"M{EDGE} {row.top}H{WIDE - EDGE}", stroke="#dde2e7")
    base = row.top + ROW_LINE - 1
    for at, line in enumerate(row.lines):
        yield text(EDGE, base + at * ROW_LINE, line, font_size=ROW_SIZE, fill=RED if red else _SOFT)
    if not row.flag:
        return
    wide = round(width(row.flag, ROW_SIZE, bold=True)) + 10
    top = row.top + 2 if row.beside else row.top + 2 + len(row.lines) * ROW_LINE
    ground_, ink = (
        ("#fbd9d6", RED) if red else ("#fff0c9", "#6b4708") if "secrétariat" in row.flag else ("#e6ebf1", INK)
    )
    yield rectangle(WIDE - EDGE - wide, top, wide, FLAG_HIGH - 1, rx=7, fill=ground_)
    yield text(
        WIDE - EDGE - wide / 2,
        top + 11,
        row.flag,
        font_size=ROW_SIZE,
        font_weight="bold",
        fill=ink,
        text_anchor="middle",
    )
