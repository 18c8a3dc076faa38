"""The same work for every practice: what fails for one is told, and keeps none of the others from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import select

from callcenter.kernel.errors import CallcenterError
from callcenter.practice.directory import facts_of
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.setting_versions import SettingVersions
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
    return await _for_each(await all_practices(database), work)


async def in_each_as_set(database: Database, at: datetime, work: Callable[[PracticeFacts], Awaitable[int]]) -> int:
    """As :func:`in_each`, for work that goes by what a practice has set at ``at`` (aware): settings that cannot be read
    are one practice's failure too.

    Raises:
        PracticesFailed, DatabaseDown: as for :func:`in_each`.
    """
    async with database.house() as connection:
        snapshots = {one.practice: one for one in await SettingVersions.snapshots(connection, at)}

    async def as_set(practice: UUID) -> int:
        return await work(facts_of(snapshots[practice]))

    return await _for_each(snapshots, as_set)


async def _for_each(practices: Iterable[UUID], work: Callable[[UUID], Awaitable[int]]) -> int:
    done, failed = 0, 0
    for one in practices:
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
