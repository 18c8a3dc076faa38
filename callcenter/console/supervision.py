"""The pages of supervisors, and what stands behind them."""

from __future__ import annotations

from dataclasses import dataclass

from callcenter.console.board import BoardPages
from callcenter.console.board_ports import Boards
from callcenter.console.incident import IncidentPages
from callcenter.console.incident_ports import Incidents
from callcenter.console.lock import LockPages
from callcenter.console.lock_ports import Locks
from callcenter.console.streams import Streams
from callcenter.console.visits import Clocks, Door


@dataclass(frozen=True, slots=True)
class Supervision:
    """What those pages ask."""

    boards: Boards
    incidents: Incidents
    locks: Locks


def supervision_doors(supervision: Supervision | None, streams: Streams) -> list[Door]:
    """Their pages; none where nothing stands behind them."""
    if supervision is None:
        return []
    return [
        *BoardPages(supervision.boards, streams).doors(),
        *IncidentPages(supervision.incidents).doors(),
        *LockPages(supervision.locks).doors(),
    ]


def clocks_of(supervision: Supervision | None) -> Clocks | None:
    """What tells every page of incidents whose clock runs."""
    return None if supervision is None else supervision.incidents.running
