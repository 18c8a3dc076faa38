"""The same work for every practice: what fails for one is told, and keeps none of the others from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog
from sqlalchemy import select

from callcenter.kernel.errors import CallcenterError
from callcenter.practice.tables import practice
from callcenter.store.database import Database, DatabaseDown

_log = structlog.get_logger(__name__)


class PracticesFailed(CallcenterError):
    """Something could not be done for some practices, and was for the others: the log names them."""


async def all_practices(database: Database) -> list[UUID]:
    """Every practice that is enrolled."""
    async with database.house() as connection:
        return list((await connection.execute(select(practice.c.id))).scalars())


async def in_each(database: Database, work: Callable[[UUID], Awaitable[int]]) -> int:
    """Do ``work`` for every practice, one after the other; returns the sum of what it returns.

    Raises:
        PracticesFailed: it failed for some, once it was done for the others; a job so fails where somebody looks.
        DatabaseDown: at once, for it is down for all.
    """
    done, failed = 0, 0
    for one in await all_practices(database):
        try:
            done += await work(one)
        except DatabaseDown:
            raise
        except Exception as error:
            failed += 1
            _log.error("practice_failed", practice=str(one), error=type(error).__name__)
    if failed:
        raise PracticesFailed(f"it could not be done for {failed} practices: look for practice_failed in the log")
    return done
