"""The queue in figures, over the whole house: what a metric shows and a doctor says. Nobody's name, no practice's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.routing.values import PresenceState


@dataclass(frozen=True, slots=True)
class Figures:
    """How the queue stands.

    Arguments:
        waiting: callers on the line whom nobody has taken.
        longest: how long the one has waited who has waited longest (« attente maximale en cours »).
        operators: by what they do; who is offline is not counted.
        callbacks: callers who are to be rung back.
        overdue: callers on the line who should have been led elsewhere by now.
    """

    waiting: int
    longest: timedelta
    operators: Mapping[PresenceState, int]
    callbacks: int
    overdue: int

    @property
    def on_duty(self) -> int:
        return sum(self.operators.values())


async def figures(connection: AsyncConnection, now: datetime) -> Figures:
    """How the queue stands at ``now`` (aware)."""
    row = (await connection.execute(_ENTRIES, {"now": now})).one()
    states = (await connection.execute(_OPERATORS)).all()
    longest = timedelta() if row.since is None else max(now - row.since, timedelta())
    operators = {PresenceState(one.state): int(one.people) for one in states}
    return Figures(row.waiting, longest, operators, row.callbacks, row.overdue)


_ENTRIES = text(
    """
    SELECT count(*) FILTER (WHERE kind = 'live') AS waiting, min(entered_at) FILTER (WHERE kind = 'live') AS since,
        count(*) FILTER (WHERE kind = 'callback') AS callbacks,
        count(*) FILTER (WHERE kind = 'live' AND overflow_at <= :now) AS overdue
    FROM queue_entry WHERE state IN ('waiting', 'reserved')
    """
)
_OPERATORS = text("SELECT state, count(*) AS people FROM presence WHERE state <> 'offline' GROUP BY state")
