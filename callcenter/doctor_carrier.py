"""Whether our calls are those that the carrier lists, for ``callcenter doctor``."""

from __future__ import annotations

from datetime import timedelta

from callcenter.calls.carrier_findings import days_not_compared, last_compared, last_due, open_counts
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import CallcenterError
from callcenter.store.database import Database

#: The comparison is tried every hour: a day that is this old has failed all day.
NOT_COMPARED_FOR = timedelta(days=1)


async def compared_with_carrier(database: Database) -> str:
    """Whether our calls were compared with those that the carrier lists, and what nobody has found out yet."""
    now = SystemClock().now()
    async with database.house() as connection:
        days = await days_not_compared(connection, now)
        last = await last_compared(connection)
        found = sum((await open_counts(connection)).values())
    problems = []
    if found:
        problems.append(
            f"the carrier's list of calls and ours do not agree about {found} call(s): find out why at "
            "« Écarts avec l’opérateur téléphonique », or by `callcenter audit reconcile`"
        )
    if last is not None and days and last_due(now) - min(days) >= NOT_COMPARED_FOR:
        problems.append(
            f"the calls of {len(days)} day(s) since {min(days)} were not compared with the carrier's list: "
            "see that a worker runs and that the carrier lets us in; `callcenter audit reconcile --day DAY` does one"
        )
    if problems:
        raise CallcenterError("; ".join(problems))
    if last is None:
        return "no day was compared yet: a worker does, the first night"
    return f"our calls are those that the carrier lists, up to {last}"
