"""A database into which a backup is being restored: nobody serves from it before that has ended.

The table that says so is no part of the schema: it is made before the first row comes, and goes with the last step. It
stands in the database, not on a machine, so that it holds for every host that would serve from it.
"""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.kernel.errors import Unavailable

UNFINISHED = "restore_unfinished"


class RestoreUnfinished(Unavailable):
    """A backup has been restored into this database and that has not ended: old jobs would send again, and what was
    erased would be told. Run `callcenter restore` with the same folder once more: it goes on where it stopped."""


async def is_unfinished(connection: AsyncConnection) -> bool:
    """Whether a restore has begun in this database and not ended."""
    return bool((await connection.execute(_IS_THERE)).scalar_one())


async def refuse_unfinished(connection: AsyncConnection) -> None:
    """Go no further in a database whose restore has not ended.

    Raises:
        RestoreUnfinished: it has not.
    """
    if await is_unfinished(connection):
        raise RestoreUnfinished


_IS_THERE = text(f"SELECT to_regclass('public.{UNFINISHED}') IS NOT NULL")
