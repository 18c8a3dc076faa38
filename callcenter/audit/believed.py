"""Which time is believed when records are judged by their age: a clock that has jumped must not let years of them go.

Time that passes leaves heads behind it, of one log or another. A clock that was set forward finds none that was signed
in the days before what it says: nothing is old then, until heads have been signed under it for a day. So much time
somebody has to notice. That holds over restarts, and mends itself after an installation stood still. ``signed_at`` is
not signed: whoever owns the database may write heads there; whoever has set a clock has not done that yet.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.store.database import Database

#: A head that is as old as this bears witness that time has passed to now.
WITNESSED = (timedelta(days=1), timedelta(days=8))
#: Whoever names records wants one well within, so that the sealer, which looks a little later, finds one too.
NAMED = (timedelta(hours=25), timedelta(days=7))
#: The server's clock may be as far from the database's.
APART = timedelta(hours=1)


async def believed(connection: AsyncConnection, now: datetime) -> datetime | None:
    """``now``, if heads of the days before it stand; otherwise ``None``. For the sealer, which sees all logs."""
    youngest, oldest = WITNESSED
    values = {"since": now - oldest, "until": now - youngest}
    return now if (await connection.execute(_WITNESSED, values)).scalar_one() else None


async def is_believed(database: Database, now: datetime) -> bool:
    """The same, for whoever is to name what is old."""
    youngest, oldest = NAMED
    async with database.house() as connection:
        values = {"since": now - oldest, "until": now - youngest}
        return bool((await connection.execute(_HEADS_SIGNED, values)).scalar_one())


async def time_of(database: Database) -> datetime:
    """What time it is by the database's clock."""
    async with database.house() as connection:
        at: datetime = (await connection.execute(_NOW)).scalar_one()
    return at


_WITNESSED = text("SELECT EXISTS (SELECT FROM audit_checkpoint WHERE signed_at BETWEEN :since AND :until)")
_HEADS_SIGNED = text("SELECT ledger_heads_signed(:since, :until)")
_NOW = text("SELECT clock_timestamp()")
