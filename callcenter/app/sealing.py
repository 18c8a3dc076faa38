"""The sealer, beside the listeners. Any number of processes may run it: one seals, the others wait to follow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from callcenter.app.alarms import LedgerAlarm
from callcenter.audit.letting_go import Rules
from callcenter.audit.sealer import LogSealer, elected, resign
from callcenter.audit.sealing_key import KeyFile
from callcenter.background import in_background, keep_going
from callcenter.kernel.clock import Clock
from callcenter.store.database import Database, reached
from callcenter.store.roles import require_sealer_login
from callcenter.telephony.alerts import AlertKind, Alerts

_log = structlog.get_logger(__name__)

#: Seconds between two rounds, unless one was not enough: of a log at most one head is signed in that time, and a record
#: waits little longer.
EVERY = 1.0
#: Rounds for which one that has given the election back stands aside at first: another that waits needs one. Each time
#: they are twice as many.
ASIDE = 3
#: And at most: what it can seal all the same waits no longer than that, where nobody else does; less than what is
#: refused for.
LONGEST_ASIDE = 20
#: By these the server finds out within 20 seconds that the network to the elected session is cut, ends it, and with it
#: the election: before anything is refused (``audit.watching.LONGEST``). Otherwise TCP keeps it for hours.
NOTICED_WHEN_CUT = {
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "20000",  # the same for what was sent and is not acknowledged, in ms
}


@dataclass(slots=True)
class Sealing:
    """Seals for as long as it runs and is elected.

    Arguments:
        url: of the database, as the sealer's login; not through a pool that shares sessions, whose locks are worth
            nothing.
    """

    url: str
    sealer: LogSealer

    def database(self) -> Database:
        """The database, as the sealer reaches it: by one connection."""
        return Database(self.url, pool_size=1, application="callcenter-sealer", settings=NOTICED_WHEN_CUT)

    async def run(self) -> None:
        """Wait to be elected, then seal, on one connection: with it ends the election. While a log is to be sealed with
        a key that is not in the file here, it is given back after each round, to whoever may have that.

        Raises:
            DatabaseDown: it was lost, or could not be had.
        """
        database = self.database()
        try:
            async with reached(database) as connection:
                ours, aside = False, ASIDE
                while True:
                    if not ours and await elected(connection):
                        ours = True
                        _log.info("sealing")
                    if ours:
                        await self.sealer.round(connection)
                    if ours and self.sealer.lacks_key:
                        await resign(connection)
                        ours = False
                        await asyncio.sleep(EVERY * aside)
                        aside = min(2 * aside, LONGEST_ASIDE)
                        continue
                    aside = ASIDE if ours else aside
                    if not self.sealer.more:
                        await asyncio.sleep(EVERY)
        finally:
            await database.close()

    async def once(self) -> None:
        """Go one round, unless somebody else seals: what was written while nobody did waits no longer when we open.

        Raises:
            DatabaseDown: it does not answer.
        """
        database = self.database()
        try:
            async with reached(database) as connection:
                if await elected(connection):
                    await self.sealer.round(connection)
        finally:
            await database.close()

    async def check(self) -> str:
        """The sealer's login.

        Raises:
            WrongLogin: it may do more, or less, than seal.
            DatabaseDown: it does not answer.
        """
        database = self.database()
        try:
            async with database.house() as connection:
                return await require_sealer_login(connection)
        finally:
            await database.close()


@asynccontextmanager
async def sealing(
    url: str, file: KeyFile, clock: Clock, alerts: Alerts, rules: Rules | None = None
) -> AsyncIterator[None]:
    """Seal for as long as the body runs; one round was gone before it does.

    Arguments:
        file: of the key.
        rules: that erasures are held against.

    Raises:
        WrongLogin: the login may do more, or less, than seal.
        DatabaseDown: it does not answer.
    """
    work = Sealing(url, LogSealer(file.key, clock, LedgerAlarm(alerts), rules=rules or Rules(), file=file))
    await work.check()
    await work.once()
    async with in_background(keep_going(work.run, alerts, AlertKind.SEALING_STOPPED, seconds=EVERY)):
        yield
