"""How the lines between two columns run: each turns at most twice, on a track of its own, and none lies on another.

Lines to the same box share a track, and come in together. A track further left is for a line that comes in lower, of
those that lead down, and higher, of those that lead up: then they do not cross each other (channel routing).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

#: Between two tracks, and between the first and the last and the columns.
TRACK, BESIDE = 8, 18
#: So many tracks have that much room; more of them stand closer.
_SPACIOUS = 40
#: Two lines that run side by side are this far from each other at least.
APART = 4


@dataclass(frozen=True, slots=True)
class Bundle:
    """The lines to one slot of the next column.

    Arguments:
        into: how high it is reached.
        outs: how high each of its lines leaves.
    """

    into: int
    outs: tuple[int, ...]

    @property
    def straight(self) -> bool:
        return all(out == self.into for out in self.outs)

    @property
    def span(self) -> tuple[int, int]:
        return min(self.into, *self.outs), max(self.into, *self.outs)


def clear_height(wanted: int, least: int, most: int, outs: Collection[int], taken: Sequence[int]) -> int:
    """Where a slot is reached: near ``wanted``, and on no height at which another's line leaves.

    Arguments:
        least, most: between which it can be reached.
        outs: heights at which its own lines leave: the same height makes a straight line.
        taken: heights at which any line leaves, sorted.
    """
    own = sorted(outs, key=lambda out: (abs(out - wanted), out))
    if own and abs(own[0] - wanted) <= APART * 2 and least <= own[0] <= most and _alone(own[0], taken):
        return own[0]
    free = range(least, most + 1)
    clear = [height for height in free if _nearest(height, taken) >= APART]
    if clear:
        return min(clear, key=lambda height: (abs(height - wanted), height))
    return max(free, key=lambda height: (_nearest(height, taken), -abs(height - wanted)))


def _nearest(height: int, taken: Sequence[int]) -> int:
    at = bisect_left(taken, height)
    return min((abs(other - height) for other in taken[max(at - 1, 0) : at + 1]), default=APART)


def _alone(height: int, taken: Sequence[int]) -> bool:
    """Whether one line alone leaves at ``height``, and none near it."""
    at = bisect_left(taken, height)
    beside = [*taken[max(at - 1, 0) : at], *taken[at + 1 : at + 2]]
    return all(abs(other - height) >= APART for other in beside)


def tracks_of(bundles: Sequence[Bundle]) -> tuple[Mapping[int, int], int]:
    """The track of each bundle that is not straight, by its number, from the left; and how many tracks there are."""
    turning = [number for number, bundle in enumerate(bundles) if not bundle.straight]
    heights = sorted({height for number in turning for height in bundles[number].span})
    known = _Highest(heights)
    tracks: dict[int, int] = {}
    for number in sorted(turning, key=lambda number: _order(bundles[number])):
        top, bottom = bundles[number].span
        tracks[number] = known.highest(top - APART, bottom + APART) + 1
        known.raise_to(top, bottom, tracks[number])
    return tracks, max(tracks.values(), default=-1) + 1


def _order(bundle: Bundle) -> tuple[bool, int]:
    """Lines that lead up first, the highest leftmost; then those that lead down, the lowest leftmost."""
    down = sum(bundle.outs) < bundle.into * len(bundle.outs)
    return down, -bundle.into if down else bundle.into


def spacing(tracks: int) -> int:
    """Between two of so many tracks."""
    return TRACK if tracks <= _SPACIOUS else max(2, TRACK * _SPACIOUS // tracks)


def room(tracks: int) -> int:
    """Between two columns with so many tracks between them."""
    return 2 * BESIDE + max(0, tracks - 1) * spacing(tracks)


class _Highest:
    """The highest track that is taken between two heights: a tree of maxima over the heights that occur."""

    def __init__(self, heights: Sequence[int]) -> None:
        self._heights = heights
        self._size = 1
        while self._size < len(heights):
            self._size *= 2
        #: Of each node of the tree: raised as a whole, and the highest of anything under it.
        self._whole = [-1] * (2 * self._size)
        self._any = [-1] * (2 * self._size)

    def highest(self, least: int, most: int) -> int:
        """Of the heights from ``least`` to ``most``; -1 for none."""
        return self._ask(1, 0, self._size, *self._range(least, most))

    def raise_to(self, least: int, most: int, track: int) -> None:
        """Take ``track`` at the heights from ``least`` to ``most``."""
        self._raise(1, 0, self._size, *self._range(least, most), track)

    def _range(self, least: int, most: int) -> tuple[int, int]:
        return bisect_left(self._heights, least), bisect_left(self._heights, most + 1)

    def _ask(self, node: int, begin: int, end: int, least: int, most: int) -> int:
        if most <= begin or end <= least:
            return -1
        if least <= begin and end <= most:
            return self._any[node]
        middle = (begin + end) // 2
        return max(
            self._whole[node],
            self._ask(2 * node, begin, middle, least, most),
            self._ask(2 * node + 1, middle, end, least, most),
        )

    def _raise(self, node: int, begin: int, end: int, least: int, most: int, track: int) -> None:
        if most <= begin or end <= least:
            return
        self._any[node] = max(self._any[node], track)
        if least <= begin and end <= most:
            self._whole[node] = max(self._whole[node], track)
            return
        middle = (begin + end) // 2
        self._raise(2 * node, begin, middle, least, most, track)
        self._raise(2 * node + 1, middle, end, least, most, track)
