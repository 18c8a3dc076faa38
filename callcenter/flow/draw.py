"""A flow as a picture: where verification happens, and what may be said where.

SVG, of our own layout, for people who have never seen a flow's file: steps as shapes, outlets in words, the ground
behind each step by what the proof guarantees on arrival there. The same flow, prompts and policy, the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from callcenter.disclosure.policy import Policy
from callcenter.flow.language import Flow
from callcenter.flow.picture.drawn_frames import LINE_COLOUR, drawn_frame
from callcenter.flow.picture.drawn_steps import Faulty
from callcenter.flow.picture.frames import frames_of
from callcenter.flow.picture.guards import Guards, guards_of
from callcenter.flow.picture.packing import BETWEEN, packed
from callcenter.flow.picture.panels import RED, described, heading, legend
from callcenter.flow.picture.svg import Markup, element, moved, path, rectangle
from callcenter.flow.prompts import PromptBook
from callcenter.flow.proof import Proven, Refuted

_MARGIN, _ABOVE = 40, 260
#: A picture is as wide at least: the legend wants room.
_LEAST_WIDE = 1_180
#: ``sans-serif`` last: no font is brought, and widths hold for the widest of these.
_FONTS = "Inter, Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"


def draw(flow: Flow, book: PromptBook, policy: Policy, verdict: Proven | Refuted) -> str:
    """``flow`` as an SVG document.

    Arguments:
        book: with every prompt that the flow names.
        policy, verdict: against which, and as what it was proven; of a refuted flow the shortest way is red.
    """
    guards, faulty = guards_of(flow, book, policy), _faulty(verdict)
    frames = [drawn_frame(frame, flow, book, policy, guards, faulty) for frame in frames_of(flow)]
    sizes = [(frame.wide, frame.high) for frame in frames]
    # What stands above is the lower the wider the sheet is: near enough, for the choice of a shape.
    spots = packed(sizes, _LEAST_WIDE, _ABOVE)
    wide = max(_LEAST_WIDE, *(left + frame.wide for (left, _), frame in zip(spots, frames, strict=True)))
    parts: list[Markup] = []
    top = _MARGIN
    for panel in (heading(flow, guards, verdict, policy, wide), legend(flow, guards, policy, wide)):
        parts.append(moved(_MARGIN, top, panel.markup))
        top += panel.high + BETWEEN
    for (left, below), frame in zip(spots, frames, strict=True):
        parts.append(moved(_MARGIN + left, top + below, frame.markup))
    bottom = max(below + frame.high for (_, below), frame in zip(spots, frames, strict=True))
    return _document(flow, guards, verdict, parts, wide + 2 * _MARGIN, top + bottom + _MARGIN)


def _document(
    flow: Flow, guards: Guards, verdict: Proven | Refuted, parts: Sequence[Markup], wide: int, high: int
) -> str:
    arrow: dict[str, str | int | float] = {"viewBox": "0 0 8 8", "refX": 7, "refY": 4, "orient": "auto"}
    arrow |= {"markerWidth": 8, "markerHeight": 8, "markerUnits": "userSpaceOnUse"}
    heads = [
        element("marker", arrow | {"id": name}, path("M0 .5L8 4L0 7.5Z", fill=colour))
        for name, colour in (("fleche", LINE_COLOUR), ("rouge", RED))
    ]
    document = element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "width": wide,
            "height": high,
            "viewBox": f"0 0 {wide} {high}",
            "role": "img",
            "aria-labelledby": "titre texte",
            "lang": "fr",
            "font-family": _FONTS,
        },
        *described(flow, guards, verdict),
        element("defs", {}, *heads),
        rectangle(0, 0, wide, high, fill="#ffffff"),
        *parts,
    )
    return f"{document}\n"


def _faulty(verdict: Proven | Refuted) -> Faulty:
    if isinstance(verdict, Proven):
        return Faulty({}, frozenset())
    steps = [hop.step for hop in verdict.counterexamples[0].path]
    numbers: dict[str, int] = {}
    for number, step in enumerate(steps, start=1):
        numbers.setdefault(step, number)
    return Faulty(numbers, frozenset(pairwise(steps)))
