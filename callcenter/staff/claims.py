"""How often somebody of staff may say who their callers are: an operator verifies, and does not search (ID-05).

Counted over all practices, and by the hour: whoever answers fifty calls a day is never held up, and whoever tries one
birth date after another is, soon.
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


async def count_claim(connection: AsyncConnection, staff: UUID, now: datetime, most: int) -> bool:
    """Count one more claim of ``staff``; false, and it is not counted, if there were as many as may be in this hour.

    Arguments:
        now: aware.
        most: claims in an hour (UTC).
    """
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    values = {"staff": staff, "hour": hour, "most": most}
    return (await connection.execute(_COUNT, values)).one_or_none() is not None


async def forget_claims(connection: AsyncConnection, before: datetime) -> int:
    """Forget what counts no more; returns how many hours went."""
    return int((await connection.execute(_FORGET, {"before": before})).scalar_one())


_COUNT = text(
    """
    INSERT INTO operator_claim (staff_id, hour, claims) VALUES (:staff, :hour, 1)
    ON CONFLICT (staff_id, hour) DO UPDATE SET claims = operator_claim.claims + 1 WHERE operator_claim.claims < :most
    RETURNING claims
    """
)
_FORGET = text("SELECT forget_operator_claims(:before)")
