"""Who waits for whom in a database. A test that needs two to meet asks, rather than giving them some time to."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import text

from callcenter.store.database import Database

#: Seconds after which a test fails that waits for neither to happen.
PATIENCE = 60

_WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


async def somebody_waits(database: Database) -> bool:
    """Whether a connection of the product waits for what another holds."""
    async with database.house() as connection:
        return (await connection.execute(_WAITING)).scalar_one() > 0


async def over_or_waiting(task: asyncio.Task[Any], database: Database) -> None:
    """Return when ``task`` has ended, or waits for what another connection holds, however busy the machine is."""
    async with asyncio.timeout(PATIENCE):
        while not task.done() and not await somebody_waits(database):
            await asyncio.sleep(0.01)
