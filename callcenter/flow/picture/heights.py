"""How high each slot of a column stands: as near as can be to what it is bound to, and clear of its neighbours.

One column is placed exactly by pooling neighbours that would overlap (isotonic regression, Ayer et al. 1955): linear,
and nothing moves further than it must. Columns take turns, each looking at the one beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from callcenter.flow.picture.columns import Line, Piece, Slot, pieces_of

#: Between two boxes, between a bend and a box, and between two bends.
BOX_GAP, BEND_GAP = 22, 16
#: How strongly a bend keeps to its line: long lines are straight.
_BEND_WEIGHT = 6.0
#: And what is bound to nothing, to its place.
_FREE = 0.05
_TURNS = 6


@dataclass(frozen=True, slots=True)
class Box:
    """A box of a picture.

    Arguments:
        name: unique in it.
        width, height: of the box.
        ports: from its top, for each row at which a line may leave it.
        entry: from its top, where lines come in.
    """

    name: str
    width: int
    height: int
    ports: tuple[int, ...]
    entry: int


@dataclass(frozen=True, slots=True)
class Tie:
    """What binds a slot to one of the next column: they want to be as high.

    Arguments:
        left, right: the slots.
        out, into: from the top of each, where the line leaves and comes in.
    """

    left: Slot
    out: int
    right: Slot
    into: int


def ties_of(boxes: Mapping[str, Box], lines: Sequence[Line], rank: Mapping[str, int]) -> list[list[Tie]]:
    """What binds each column to the next, in the order of the lines."""
    return [[_tie(piece, boxes) for piece in behind] for behind in pieces_of(lines, rank)]


def _tie(piece: Piece, boxes: Mapping[str, Box]) -> Tie:
    out = boxes[piece.line.source].ports[piece.line.port] if piece.leaves else 0
    into = boxes[piece.line.target].entry if piece.arrives else 0
    return Tie(piece.left, out, piece.right, into)


def tops(
    columns: Sequence[Sequence[Slot]], boxes: Mapping[str, Box], ties: Sequence[Sequence[Tie]]
) -> dict[Slot, float]:
    """The top of every slot; the highest is 0."""
    heights: dict[Slot, float] = {}
    for column in columns:
        heights |= _stacked(column, boxes, {}, {})
    for turn in range(_TURNS):
        to_the_right = turn % 2 == 0
        order = range(1, len(columns)) if to_the_right else range(len(columns) - 2, -1, -1)
        for at in order:
            wanted: dict[Slot, list[float]] = {}
            for tie in ties[at - 1] if to_the_right else ties[at]:
                if to_the_right:
                    wanted.setdefault(tie.right, []).append(heights[tie.left] + tie.out - tie.into)
                else:
                    wanted.setdefault(tie.left, []).append(heights[tie.right] + tie.into - tie.out)
            heights |= _stacked(columns[at], boxes, {slot: _middle(all_) for slot, all_ in wanted.items()}, heights)
    highest = min(heights.values(), default=0.0)
    return {slot: height - highest for slot, height in heights.items()}


def _middle(values: list[float]) -> float:
    return sum(values) / len(values)


def gap(above: Slot, below: Slot) -> int:
    """The room that must lie between two slots of a column."""
    return BOX_GAP if isinstance(above, str) and isinstance(below, str) else BEND_GAP


def _stacked(
    column: Sequence[Slot], boxes: Mapping[str, Box], wanted: Mapping[Slot, float], before: Mapping[Slot, float]
) -> dict[Slot, float]:
    """The column with each slot as near as can be to where it wants to be.

    Arguments:
        wanted: by what is bound to something.
        before: where slots stood: what is bound to nothing stays there if it may.
    """
    offsets: list[float] = []
    offset = 0.0
    for at, slot in enumerate(column):
        if at:
            offset += gap(column[at - 1], slot)
        offsets.append(offset)
        offset += boxes[slot].height if isinstance(slot, str) else 0
    # Pools of neighbours: sum of what they want (without offsets), their weight, how many.
    pools: list[list[float]] = []
    for at, slot in enumerate(column):
        weight = _FREE if slot not in wanted else 1.0 if isinstance(slot, str) else _BEND_WEIGHT
        height = wanted.get(slot, before.get(slot, offsets[at]))
        pools.append([(height - offsets[at]) * weight, weight, 1.0])
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] > pools[-1][0] / pools[-1][1]:
            total, weight, many = pools.pop()
            pools[-1][0] += total
            pools[-1][1] += weight
            pools[-1][2] += many
    placed: dict[Slot, float] = {}
    at = 0
    for total, weight, many in pools:
        for _ in range(int(many)):
            placed[column[at]] = total / weight + offsets[at]
            at += 1
    return placed
