"""Callers who have left a talk, and of whose end nobody has told us: the carrier is asked, now and then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import structlog

from callcenter.calls.endings import Endings
from callcenter.calls.upkeep import CallStatusSource
from callcenter.calls.values import CallStatus, StatusChanged
from callcenter.kernel.errors import Unavailable
from callcenter.routing.rooms import to_look_at
from callcenter.store.database import Database

_log = structlog.get_logger(__name__)

#: In one sweep; the rest waits for the next.
MOST = 30


@dataclass(frozen=True, slots=True)
class LostCallers:
    """Settles calls whose status callback was lost while somebody of ours waits in their room."""

    database: Database
    endings: Endings
    carrier: CallStatusSource

    async def sweep(self, now: datetime) -> int:
        """Look at the callers whose turn it is; returns how many were gone. While the carrier does not answer, nobody
        is: they are looked at again at their next turn."""
        async with self.database.house() as connection:
            legs = await to_look_at(connection, now, MOST)
        gone = 0
        for leg in legs:
            try:
                status = await self.carrier.call_status(leg)
            except Unavailable as error:
                _log.warning("callers_not_looked_at", error=type(error).__name__)
                return gone
            if status is None or status.terminal:  # one whom the carrier has forgotten is gone too
                await self.endings.status(StatusChanged(leg, CallStatus.COMPLETED if status is None else status))
                gone += 1
        return gone
