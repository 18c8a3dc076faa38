"""The watch over the ledger, beside the listeners of every process that tells anything."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from callcenter.app.alarms import LedgerAlarm
from callcenter.audit.watching import EVERY, LedgerWatch, Watch
from callcenter.background import in_background, keep_going
from callcenter.store.database import Database
from callcenter.telephony.alerts import AlertKind, Alerts


@asynccontextmanager
async def watched(database: Database, alerts: Alerts) -> AsyncIterator[LedgerWatch]:
    """Watch for as long as the body runs; whoever is handed it has looked once."""
    watch = Watch(database, LedgerAlarm(alerts))
    await watch.look()
    async with in_background(keep_going(watch.look, alerts, AlertKind.LEDGER_UNWATCHED, seconds=EVERY, pause=EVERY)):
        yield watch
