"""The pages of supervisors, and what stands behind them."""

from __future__ import annotations

from dataclasses import dataclass

from callcenter.console.board import BoardPages
from callcenter.console.board_ports import Boards
from callcenter.console.streams import Streams
from callcenter.console.visits import Door


@dataclass(frozen=True, slots=True)
class Supervision:
    """What those pages ask."""

    boards: Boards


def supervision_doors(supervision: Supervision | None, streams: Streams) -> list[Door]:
    """Their pages; none where nothing stands behind them."""
    if supervision is None:
        return []
    return [*BoardPages(supervision.boards, streams).doors()]
