"""What the comparison with the carrier's list has found: what is open, which days were compared, and settling.

A finding is never deleted, and settled once: by whom and for which cause stays, here and in the practice's ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.calls.carrier_values import Cause, Difference
from callcenter.calls.values import LONGEST_CALL
from callcenter.staff.acts import StaffActs
from callcenter.store.database import in_practice

#: A day that was not compared by then is shown no more; it can be compared by hand.
DAYS_LOOKED_BACK = 30


@dataclass(frozen=True, slots=True)
class OpenFinding:
    """A difference that nobody has settled.

    Arguments:
        sid: how the carrier knows the call.
        day: of UTC, that was compared.
    """

    id: UUID
    practice: UUID
    sid: str
    kind: Difference
    day: date
    found_at: datetime


@dataclass(frozen=True, slots=True)
class Settling:
    """That somebody has found out about a difference.

    Arguments:
        practices: for which they may; ``None``: for all.
        by: an account's identifier, or whoever types a command.
        at: when (aware).
    """

    cause: Cause
    practices: Sequence[UUID] | None
    by: str
    at: datetime


def last_due(now: datetime) -> date:
    """The last day (UTC) whose calls are all over at ``now`` (aware)."""
    return (now.astimezone(UTC) - LONGEST_CALL).date() - timedelta(days=1)


async def days_not_compared(connection: AsyncConnection, now: datetime) -> list[date]:
    """Days that should have been compared and were not, the latest first: from the first comparison on, and of the
    last month. Where there was none yet, the last day that is due, unless callcenter was not installed then."""
    last = last_due(now)
    first = (await connection.execute(_FIRST)).scalar_one()
    if first is None:
        installed = (await connection.execute(_INSTALLED)).scalar_one()
        first = last if installed is None else max(last, installed.astimezone(UTC).date())
    since = max(first, last - timedelta(days=DAYS_LOOKED_BACK - 1))
    return list((await connection.execute(_NOT_COMPARED, {"since": since, "last": last})).scalars())


async def last_compared(connection: AsyncConnection) -> date | None:
    """The latest day that was compared."""
    day: date | None = (await connection.execute(_LAST)).scalar_one()
    return day


async def open_findings(
    connection: AsyncConnection, practices: Sequence[UUID] | None, limit: int, day: date | None = None
) -> list[OpenFinding]:
    """What nobody has settled, the oldest first.

    Arguments:
        practices: of which; ``None``: of all.
        day: of which (UTC); ``None``: of all.
    """
    named = {"everywhere": practices is None, "practices": list(practices or ()), "day": day, "limit": limit}
    rows = (await connection.execute(_OPEN, named)).all()
    return [OpenFinding(row.id, row.practice_id, row.sid, Difference(row.kind), row.day, row.found_at) for row in rows]


async def open_counts(connection: AsyncConnection, practices: Sequence[UUID] | None = None) -> dict[Difference, int]:
    """How many are open, of each kind; of all practices where none are named."""
    named = {"everywhere": practices is None, "practices": list(practices or ())}
    rows = (await connection.execute(_COUNTS, named)).all()
    return {kind: next((row.many for row in rows if row.kind == kind.value), 0) for kind in Difference}


async def settle(connection: AsyncConnection, finding: UUID, settling: Settling, acts: StaffActs) -> bool:
    """Settle a difference, on record in its practice's ledger. False where it is settled, another's or none."""
    named = {
        "id": finding,
        "everywhere": settling.practices is None,
        "practices": list(settling.practices or ()),
        "cause": settling.cause.value,
        "by": settling.by,
        "now": settling.at,
    }
    practice = (await connection.execute(_SETTLE, named)).scalar_one_or_none()
    if practice is None:
        return False
    await acts.carrier_difference_settled(
        await in_practice(connection, practice), finding, settling.cause.value, settling.by
    )
    return True


_OF = "(:everywhere OR practice_id = ANY(:practices))"
_FIRST = text("SELECT min(day) FROM carrier_day")
#: Its keys were made on its first start; those of an older installation do not say when.
_INSTALLED = text("SELECT min(made_at) FROM key_mark")
_LAST = text("SELECT max(day) FROM carrier_day")
_NOT_COMPARED = text(
    """
    SELECT d::date FROM generate_series(cast(:since AS date), cast(:last AS date), interval '1 day') d
    WHERE NOT EXISTS (SELECT FROM carrier_day c WHERE c.day = d::date) ORDER BY d DESC
    """
)
_OPEN = text(
    f"""
    SELECT id, practice_id, sid, kind, day, found_at FROM carrier_finding
    WHERE settled_at IS NULL AND {_OF} AND (cast(:day AS date) IS NULL OR day = :day)
    ORDER BY found_at, id LIMIT :limit
    """  # noqa: S608 - our own words alone
)
_COUNTS = text(
    f"SELECT kind, count(*) AS many FROM carrier_finding WHERE settled_at IS NULL AND {_OF} GROUP BY kind"  # noqa: S608
)
# The row's own lock: of two who settle it at once, one does.
_SETTLE = text(
    f"""
    UPDATE carrier_finding SET settled_at = greatest(:now, found_at), settled_by = :by, cause = :cause
    WHERE id = :id AND settled_at IS NULL AND {_OF} RETURNING practice_id
    """  # noqa: S608 - our own words alone
)
