"""Where frames stand on a sheet: near the shape of A3, the first at the top left, none on another."""

from __future__ import annotations

from collections.abc import Sequence

#: Between two frames.
BETWEEN = 26
#: Width and height of A3, lying and standing, in millimetres.
_SHEETS = ((420, 297), (297, 420))
#: More frames than that stand one below the other.
_MANY = 40

Size = tuple[int, int]
Spot = tuple[int, int]


def packed(sizes: Sequence[Size], least: int, above: int) -> tuple[Spot, ...]:
    """Left and top of each frame, in order.

    Arguments:
        sizes: width and height of each.
        least: the sheet is as wide at least.
        above: of the sheet, what stands above the frames.
    """
    widest = max(least, *(wide for wide, _ in sizes))
    whole = sum(wide + BETWEEN for wide, _ in sizes)
    tried = sorted({widest, *(widest + (max(whole, widest) - widest) * share // 12 for share in range(1, 13))})
    if len(sizes) > _MANY:
        return _piled(sizes)
    return min((_spots(sizes, wide) for wide in tried), key=lambda spots: _smallness(spots, sizes, least, above))


def _smallness(spots: Sequence[Spot], sizes: Sequence[Size], least: int, above: int) -> float:
    """How small a sheet must be shown to be printed on one page: the less the better."""
    wide = max(least, *(left + size[0] for (left, _), size in zip(spots, sizes, strict=True)))
    high = above + max(top + size[1] for (_, top), size in zip(spots, sizes, strict=True))
    return min(max(wide / sheet[0], high / sheet[1]) for sheet in _SHEETS)


def _spots(sizes: Sequence[Size], wide: int) -> tuple[Spot, ...]:
    """Each frame as high up as it can stand, then as far left, clear of those before it."""
    taken: list[tuple[Spot, Size]] = []
    for size in sizes:
        spots = (
            (left, top)
            for top in sorted({0, *(spot[1] + one[1] + BETWEEN for spot, one in taken)})
            for left in sorted({0, *(spot[0] + one[0] + BETWEEN for spot, one in taken)})
            if left + size[0] <= wide
        )
        # Below all others there is always room.
        taken.append((next(spot for spot in spots if _clear(spot, size, taken)), size))
    return tuple(spot for spot, _ in taken)


def _clear(spot: Spot, size: Size, taken: Sequence[tuple[Spot, Size]]) -> bool:
    return all(
        spot[0] + size[0] + BETWEEN <= other[0]
        or other[0] + one[0] + BETWEEN <= spot[0]
        or spot[1] + size[1] + BETWEEN <= other[1]
        or other[1] + one[1] + BETWEEN <= spot[1]
        for other, one in taken
    )


def _piled(sizes: Sequence[Size]) -> tuple[Spot, ...]:
    """One below the other."""
    spots, top = [], 0
    for _, high in sizes:
        spots.append((0, top))
        top += high + BETWEEN
    return tuple(spots)
