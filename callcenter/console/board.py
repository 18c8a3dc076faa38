"""The live board at ``/en-direct``, for supervisors: how queues stand, with what each figure means beside it.

Every figure is shown with its target, a word and a sign: never by a colour alone. People are shown with what they do,
and with no figure of their own (LG-05). The wall is the same in six large figures, without a name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from math import floor
from typing import Any

from aiohttp import web

from callcenter.console import paths
from callcenter.console.board_ports import Board, Boards, Targets
from callcenter.console.streams import Streams
from callcenter.console.visits import Door, For, Visit
from callcenter.console.workplace import epoch, minutes
from callcenter.console.workplace_ports import Doing
from callcenter.routing.statistics import Queue, Span

#: How far from its target, as a share of it, a figure is only to be watched.
_NEAR = 0.25


class Standing(StrEnum):
    """How a figure stands against its target."""

    GOOD = "good"
    NEAR = "near"
    BAD = "bad"
    #: There is nothing to measure yet, or no target.
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the board.

    Arguments:
        key: its name in ``templates/board_words.html``, with its definition and its formula.
        shown: the figure as it is read; « – » where there is none.
        target: as it is read; empty without one.
        of: what a rate is made of: « 12 / 16 ».
    """

    key: str
    shown: str
    target: str = ""
    standing: Standing = Standing.NONE
    of: str = ""


class BoardPages:
    """The board, its wall, and what they fetch."""

    def __init__(self, boards: Boards, streams: Streams) -> None:
        self._boards = boards
        self._streams = streams

    def doors(self) -> list[Door]:
        def by_itself(path: str, handler: Callable[[Visit], Any]) -> Door:
            return Door("GET", path, For.STAFF, handler, paths.BOARD, by_itself=True)

        return [
            Door("GET", paths.BOARD, For.STAFF, self._page),
            Door("GET", paths.BOARD_WALL, For.STAFF, self._wall),
            by_itself(paths.BOARD_STATE, self._part),
            by_itself(paths.BOARD_WALL_STATE, self._wall_part),
            by_itself(paths.BOARD_NEWS, self._news),
        ]

    async def _page(self, visit: Visit) -> web.StreamResponse:
        return await self._shown(visit, "board.html")

    async def _part(self, visit: Visit) -> web.StreamResponse:
        return await self._shown(visit, "board_part.html")

    async def _wall(self, visit: Visit) -> web.StreamResponse:
        return await self._shown(visit, "board_wall.html")

    async def _wall_part(self, visit: Visit) -> web.StreamResponse:
        return await self._shown(visit, "board_wall_part.html")

    async def _news(self, visit: Visit) -> web.StreamResponse:
        await self._boards.check(visit.own_token)
        return await self._streams.serve(visit)

    async def _shown(self, visit: Visit, template: str) -> web.StreamResponse:
        board = await self._boards.look(visit.own_token)
        return visit.show(template, **_values(board))


def _values(board: Board) -> dict[str, Any]:
    return {
        "board": board,
        "live": live(board),
        "day": span(board.total.day, board.targets),
        "hour": span(board.total.hour, board.targets),
        "wall": wall(board),
        "rows": [(row, in_short(row.queue, board)) for row in board.rows],
        "doings": _by_doing(board),
        "Standing": Standing,
        "percent": percent,
        "seconds": seconds,
        "epoch": epoch,
        "minutes": minutes,
        "over": paths.with_return(paths.LOGIN, paths.BOARD, fin="1"),
    }


def live(board: Board) -> list[Figure]:
    """What counts at this moment."""
    queue, counts = board.total.now, board.counts
    return [
        Figure("waiting", str(queue.waiting)),
        longest_now(board.total, board),
        Figure("callbacks", str(queue.callbacks)),
        Figure("overdue", str(queue.overdue), "0", _none_of(queue.overdue)),
        Figure("urgent", str(counts.urgent), "0", _none_of(counts.urgent)),
        Figure("glass", str(board.glass), "0", _none_of(board.glass)),
        Figure("verification", _share(counts.rate), of=f"{counts.verified} / {counts.attempted}"),
    ]


def longest_now(queue: Queue, board: Board) -> Figure:
    """« Attente maximale en cours »."""
    if queue.now.since is None:
        return Figure("longest_now", "0:00", "≤ " + clock(board.targets.longest), Standing.GOOD)
    waits = max(board.now - queue.now.since, timedelta())
    return _at_most("longest_now", waits, board.targets.longest)


def span(figures: Span, targets: Targets) -> list[Figure]:
    """What became of the calls of a span."""
    return [
        Figure("offered", str(figures.offered)),
        Figure("answered", str(figures.answered)),
        Figure("abandoned", str(figures.abandoned)),
        Figure("short", str(figures.short)),
        Figure("asked_back", str(figures.callbacks)),
        Figure("elsewhere", str(figures.elsewhere)),
        service(figures, targets),
        _at_least("answer_rate", figures.answer_rate, targets.answered),
        _at_most("abandonment_rate", figures.abandonment_rate, targets.abandoned),
        _at_most("speed", figures.speed_of_answer, targets.speed),
        Figure("median", clock(figures.half)),
        Figure("ninety", clock(figures.most)),
        _at_most("longest", figures.longest, targets.longest),
    ]


def in_short(queue: Queue, board: Board) -> list[Figure]:
    """A practice on one line."""
    return [
        Figure("waiting", str(queue.now.waiting)),
        longest_now(queue, board),
        Figure("overdue", str(queue.now.overdue), "0", _none_of(queue.now.overdue)),
        Figure("offered", str(queue.day.offered)),
        service(queue.day, board.targets),
        _at_least("answer_rate", queue.day.answer_rate, board.targets.answered),
    ]


def wall(board: Board) -> list[Figure]:
    """Six figures, to be read from afar; no name."""
    free = sum(person.doing is Doing.AVAILABLE for person in board.people)
    day = board.total.day
    return [
        Figure("waiting", str(board.total.now.waiting)),
        longest_now(board.total, board),
        Figure("available", str(free)),
        service(day, board.targets),
        _at_least("answer_rate", day.answer_rate, board.targets.answered),
        Figure("overdue", str(board.total.now.overdue), "0", _none_of(board.total.now.overdue)),
    ]


def service(figures: Span, targets: Targets) -> Figure:
    """« Qualité de service »."""
    return _at_least("service", figures.service_level, targets.service)


def _by_doing(board: Board) -> list[tuple[Doing, Sequence[str]]]:
    """Who is there, by what they do, in the order in which states are told everywhere; names in their own order."""
    those = {doing: [person.name for person in board.people if person.doing is doing] for doing in Doing}
    return [(doing, names) for doing, names in those.items() if names]


def _none_of(count: int) -> Standing:
    return Standing.BAD if count else Standing.GOOD


def _at_least(key: str, share: float | None, target: float) -> Figure:
    if share is None:
        return Figure(key, "–", "≥ " + percent(target))
    near = target * (1 - _NEAR)
    standing = Standing.GOOD if share >= target else Standing.NEAR if share >= near else Standing.BAD
    return Figure(key, _beside(share, target, standing), "≥ " + percent(target), standing)


def _at_most(key: str, value: float | timedelta | None, target: Any) -> Figure:
    words: Callable[[Any], str] = clock if isinstance(target, timedelta) else percent
    if value is None:
        return Figure(key, "–", "≤ " + words(target))
    near = target * (1 + _NEAR)
    standing = Standing.GOOD if value <= target else Standing.NEAR if value <= near else Standing.BAD
    shown = clock(value) if isinstance(value, timedelta) else _beside(value, target, standing)
    return Figure(key, shown, "≤ " + words(target), standing)


def _beside(share: float, target: float, standing: Standing) -> str:
    """A share as it is read beside its target: one that misses it, by however little, is not rounded onto it."""
    whole = _nearest(share)
    if standing is not Standing.GOOD and whole == _nearest(target):
        whole += 1 if share > target else -1
    return _percent(whole)


def _share(rate: float | None) -> str:
    return "–" if rate is None else percent(rate)


def percent(share: float) -> str:
    """« 67 % » for two of three: the nearest whole, but « 100 % » and « 0 % » for all and none alone."""
    return _percent(_nearest(share))


def _nearest(share: float) -> int:
    nearest = floor(share * 100 + 0.5)
    return nearest if share in (0, 1) else min(max(nearest, 1), 99)


def _percent(whole: int) -> str:
    return f"{whole}\u00a0%"


def clock(wait: timedelta | None) -> str:
    """« 1:05 »; « – » where there is none."""
    if wait is None:
        return "–"
    whole = int(wait.total_seconds())
    return f"{whole // 60}:{whole % 60:02}"


def seconds(wait: timedelta) -> str:
    """« 20 s »."""
    return f"{int(wait.total_seconds())}\u00a0s"
