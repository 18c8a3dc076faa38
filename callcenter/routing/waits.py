"""How long it will take, told only when it is known: the range in which most waits of this hour ended.

The waits are those of callers who were answered, with the same priority, at the same hour of the day: at the practice,
or, when those are too few, in its organisation. Of them only the ones count that lasted longer than this caller has
waited already. Who hung up is not counted, so the range errs towards the short side in a queue that many leave.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.routing.values import Limits


@dataclass(frozen=True, slots=True)
class WaitRange:
    """From now on.

    Arguments:
        half: within which half of the callers are answered (p50).
        most: within which nine of ten are (p90).
    """

    half: timedelta
    most: timedelta


async def wait_range(
    connection: AsyncConnection, call: UUID, now: datetime, limits: Limits | None = None
) -> WaitRange | None:
    """How much longer a call will wait; ``None`` when that is not known, or the call waits no more."""
    limits = limits or Limits()
    values = {
        "call": call,
        "now": now,
        "since": now - timedelta(days=limits.waits_days),
        "limit": limits.waits,
        "least": limits.waits_least,
    }
    row = (await connection.execute(_RANGE, values)).one_or_none()
    if row is None:
        return None
    return WaitRange(timedelta(milliseconds=row.half), timedelta(milliseconds=row.most))


_HOUR = "date_part('hour', timezone('Europe/Paris', {}))"
_WAITS = f"""
    SELECT v.waited - already.ms AS remaining FROM routing_event v
    WHERE v.kind = 'connected' AND v.waited >= 0 AND v.at >= :since AND v.at <= :now AND v.priority = already.priority
        AND {_HOUR.format("v.at")} = {_HOUR.format("cast(:now AS timestamptz)")}
"""  # noqa: S608 - our own words alone
_RANGE = text(
    f"""
    WITH already AS (
        SELECT e.practice_id, c.organisation_id, e.priority,
            greatest(0, extract(epoch FROM cast(:now AS timestamptz) - e.entered_at) * 1000) AS ms
        FROM queue_entry e JOIN practice c ON c.id = e.practice_id
        WHERE e.call_id = :call AND e.state = 'waiting' AND e.kind = 'live'
    ), here AS (
        SELECT w.remaining FROM already CROSS JOIN LATERAL (
            {_WAITS} AND v.practice_id = already.practice_id ORDER BY v.at DESC LIMIT :limit
        ) w WHERE w.remaining > 0
    ), around AS (
        SELECT w.remaining FROM already CROSS JOIN LATERAL (
            {_WAITS} AND v.organisation_id = already.organisation_id ORDER BY v.at DESC LIMIT :limit
        ) w WHERE w.remaining > 0 AND (SELECT count(*) FROM here) < :least
    ), chosen AS (
        SELECT remaining FROM here WHERE (SELECT count(*) FROM here) >= :least UNION ALL SELECT remaining FROM around
    )
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY remaining) AS half,
        percentile_cont(0.9) WITHIN GROUP (ORDER BY remaining) AS most
    FROM chosen HAVING count(*) >= :least
    """  # noqa: S608 - our own words alone
)
