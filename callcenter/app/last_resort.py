"""The static documents, kept as the directory has them."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from callcenter.background import in_background, keep_going
from callcenter.practice.directory import Directory
from callcenter.store.database import Database
from callcenter.telephony.alerts import AlertKind, Alerts
from callcenter.telephony.fallback import RescueEntry, StaticAnswers

REFRESH_SECONDS = 60  # how often the static documents follow the directory


async def refresh_static(database: Database, static: StaticAnswers) -> None:
    """Make the static documents as the directory has them now."""
    async with database.house() as connection:
        numbers = await Directory.all_numbers(connection)
    static.refresh([RescueEntry(number, fallback.rescue_number, fallback.slug) for number, fallback in numbers.items()])


def refreshing(database: Database, static: StaticAnswers, alerts: Alerts) -> AbstractAsyncContextManager[None]:
    """Keep the static documents as the directory has them; while that fails, the last ones stand."""

    async def refresh() -> None:
        await refresh_static(database, static)

    every = REFRESH_SECONDS
    return in_background(keep_going(refresh, alerts, AlertKind.STATIC_STALE, seconds=every, pause=every))
