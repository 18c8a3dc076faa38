"""In which column of a picture each box stands, and in which order: few lines cross, and all lead to the right.

Layered drawing (Sugiyama, Tagawa, Toda 1981): rounds are broken where a way comes back, a box stands one column behind
the last that leads to it, and the order within a column follows the middle of what leads there (barycentres). All of
it is linear but the sorting and the counting of crossings.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

#: How often the columns are put in order anew, there and back.
_SWEEPS = 12
#: Above this many boxes, fewer times: nobody sees the difference.
_MANY, _FEW_SWEEPS = 1_500, 3


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a picture.

    Arguments:
        source: the box that it leaves.
        port: number of the row of that box at which it leaves.
        target: the box that it leads to.
    """

    source: str
    port: int
    target: str


@dataclass(frozen=True, slots=True)
class Bend:
    """Where a line passes a column in which it has no box.

    Arguments:
        line: number of the line.
        column: that it passes.
    """

    line: int
    column: int


Slot = str | Bend


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns, from left to right, each from top to bottom."""

    slots: tuple[tuple[Slot, ...], ...]


def back_lines(names: Sequence[str], lines: Sequence[Line], roots: Sequence[str]) -> frozenset[int]:
    """Numbers of the lines that lead back to a box from which their own was reached: without them nothing goes round.

    Arguments:
        roots: boxes from which to begin; the rest begin where they are first.
    """
    leading: dict[str, list[int]] = {name: [] for name in names}
    for number, line in enumerate(lines):
        leading[line.source].append(number)
    back: set[int] = set()
    open_, seen = set[str](), set[str]()
    for root in (*roots, *names):
        if root in seen:
            continue
        stack = [(root, iter(leading[root]))]
        seen.add(root)
        open_.add(root)
        while stack:
            name, rest = stack[-1]
            number = next(rest, -1)
            if number < 0:
                stack.pop()
                open_.discard(name)
                continue
            target = lines[number].target
            if target in open_:
                back.add(number)
            elif target not in seen:
                seen.add(target)
                open_.add(target)
                stack.append((target, iter(leading[target])))
    return frozenset(back)


def ranks(names: Sequence[str], lines: Iterable[Line]) -> Mapping[str, int]:
    """The column of each box: one behind the last that leads to it. Nothing may go round."""
    leading: dict[str, list[str]] = {name: [] for name in names}
    missing = dict.fromkeys(names, 0)
    for line in lines:
        leading[line.source].append(line.target)
        missing[line.target] += 1
    rank = dict.fromkeys(names, 0)
    ready = deque(name for name in names if not missing[name])
    while ready:
        name = ready.popleft()
        for target in leading[name]:
            rank[target] = max(rank[target], rank[name] + 1)
            missing[target] -= 1
            if not missing[target]:
                ready.append(target)
    return rank


@dataclass(frozen=True, slots=True)
class Piece:
    """A line, as far as it goes from one column to the next.

    Arguments:
        line: that it is of.
        left: where it comes from.
        right: where it leads.
    """

    line: Line
    left: Slot
    right: Slot

    @property
    def leaves(self) -> bool:
        """Whether it leaves the box from which the line comes."""
        return self.left == self.line.source

    @property
    def arrives(self) -> bool:
        """Whether it comes to the box to which the line leads."""
        return self.right == self.line.target


def pieces_of(lines: Sequence[Line], rank: Mapping[str, int]) -> list[list[Piece]]:
    """The pieces of all lines behind each column, in the order of the lines."""
    pieces: list[list[Piece]] = [[] for _ in range(max(rank.values(), default=0) + 1)]
    for number, line in enumerate(lines):
        before: Slot = line.source
        for column in range(rank[line.source] + 1, rank[line.target] + 1):
            here: Slot = line.target if column == rank[line.target] else Bend(number, column)
            pieces[column - 1].append(Piece(line, before, here))
            before = here
    return pieces


def ordered(names: Sequence[str], lines: Sequence[Line], rank: Mapping[str, int]) -> Columns:
    """The columns with few crossings; a line that passes a column stands in it as a bend."""
    columns: list[list[Slot]] = [[] for _ in range(max(rank.values(), default=-1) + 1)]
    for name in names:
        columns[rank[name]].append(name)
    ports: dict[str, int] = {}
    for line in lines:
        ports[line.source] = max(ports.get(line.source, 0), line.port + 1)
    pieces: list[list[tuple[Slot, float, Slot]]] = []
    for at, behind in enumerate(pieces_of(lines, rank)):
        if bends := [piece.right for piece in behind if isinstance(piece.right, Bend)]:
            columns[at + 1] += bends
        pieces.append([(piece.left, _share(piece, ports), piece.right) for piece in behind])
    return Columns(tuple(tuple(column) for column in _swept(columns, pieces)))


def _share(piece: Piece, ports: Mapping[str, int]) -> float:
    """How far below the middle of its box a piece leaves it, as a part of the box's height."""
    return (piece.line.port + 1) / (ports[piece.line.source] + 1) - 0.5 if piece.leaves else 0.0


def _swept(columns: list[list[Slot]], pieces: Sequence[Sequence[tuple[Slot, float, Slot]]]) -> list[list[Slot]]:
    best, fewest = [list(column) for column in columns], -1
    sweeps = _SWEEPS if sum(map(len, columns)) < _MANY else _FEW_SWEEPS
    for sweep in range(sweeps):
        if sweep % 2 == 0:
            for at in range(1, len(columns)):
                _sort(columns, at, at - 1, [(right, left, share) for left, share, right in pieces[at - 1]])
        else:
            for at in range(len(columns) - 2, -1, -1):
                _sort(columns, at, at + 1, [(left, right, -share) for left, share, right in pieces[at]])
        crossed = sum(_crossings(columns, at, pieces[at]) for at in range(len(columns) - 1))
        if fewest < 0 or crossed < fewest:
            best, fewest = [list(column) for column in columns], crossed
        if not crossed:
            break
    return best


def _sort(columns: list[list[Slot]], at: int, beside: int, pieces: Iterable[tuple[Slot, Slot, float]]) -> None:
    """Put the column ``at`` in the order of what its slots are bound to in the column ``beside``."""
    places = {slot: float(place) for place, slot in enumerate(columns[beside])}
    sums: dict[Slot, list[float]] = {}
    for slot, other, share in pieces:
        known = sums.setdefault(slot, [0.0, 0.0])
        known[0] += places[other] + share
        known[1] += 1.0
    keys: dict[Slot, float] = {}
    last = -1.0
    for slot in columns[at]:
        # What is bound to nothing stays beside whatever stood above it.
        last = sums[slot][0] / sums[slot][1] if slot in sums else last
        keys[slot] = last
    columns[at].sort(key=keys.__getitem__)


def _crossings(columns: Sequence[Sequence[Slot]], at: int, pieces: Sequence[tuple[Slot, float, Slot]]) -> int:
    left = {slot: place for place, slot in enumerate(columns[at])}
    right = {slot: place for place, slot in enumerate(columns[at + 1])}
    ends = [ending for _, ending in sorted((left[a] + share, right[b]) for a, share, b in pieces)]
    met: list[int] = []
    crossed = 0
    for end in ends:
        crossed += len(met) - bisect_left(met, end + 1)
        insort(met, end)
    return crossed
