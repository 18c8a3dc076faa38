"""A night: a carrier in a box, what our rows know of its calls, and the comparison of the two."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import text

from callcenter.calls.carrier_findings import OpenFinding, days_not_compared, open_findings
from callcenter.calls.carrier_list import CarrierComparison
from callcenter.calls.carrier_values import Difference
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import Unavailable
from callcenter.kernel.randomness import SystemRandom
from callcenter.store.database import Database
from callcenter.telephony.rest import CarrierSettings, TwilioCarrier
from callcenter.telephony.rest_list import RestCallList
from tests.integration.calling import TILLEULS
from tests.unit.emulator.bench import ACCOUNT, CALLER, PRACTICE, TOKEN, Bench, bench, twiml

#: Noon of the day that is compared.
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = NOON.date()
FORGED = "CA" + "f" * 32

_KNOWN = """
INSERT INTO call (id, practice_id, carrier_sid, status, started_at, ended_at)
VALUES (:id, :practice, :sid, :status, :began, :ended)
"""


@dataclass(slots=True)
class Cries:
    """Hears what the comparison alarms about."""

    differs: list[tuple[UUID, Difference]] = field(default_factory=list)
    missed: list[tuple[date, str]] = field(default_factory=list)

    def call_differs(self, finding: UUID, kind: Difference) -> None:
        self.differs.append((finding, kind))

    def not_compared(self, day: date, error: Unavailable) -> None:
        self.missed.append((day, type(error).__name__))


@dataclass(slots=True)
class Night:
    """Arguments:
    desk: the carrier, whose calls are answered by pages that write nothing down.
    """

    desk: Bench
    database: Database
    clock: DrivenClock
    comparison: CarrierComparison
    cries: Cries

    async def call(self, called: str = PRACTICE, caller: str = CALLER) -> str:
        """Somebody calls, and hangs up; the carrier alone knows."""
        sid = await self.desk.call(called, caller=caller)
        await self.desk.closed(sid)
        return sid

    async def known(
        self, sid: str, began: datetime | None = None, ended: datetime | None = None, *, practice: UUID = TILLEULS
    ) -> UUID:
        """Our row of a call, from ``began`` (now, if it is not said) on."""
        began = began or self.clock.now()
        row = {"id": uuid4(), "practice": practice, "sid": sid, "began": began, "ended": ended}
        async with self.database.house() as connection:
            await connection.execute(text(_KNOWN), {**row, "status": 3 if ended is None else 10})
        return row["id"]  # type: ignore[return-value]  # it is the identifier

    def until_due(self, day: date = DAY) -> None:
        """Let time pass until the calls of ``day`` are over."""
        due = datetime.combine(day, datetime.min.time(), UTC) + timedelta(days=1, hours=4, minutes=11)
        self.clock.advance((due - self.clock.now()).total_seconds())

    async def compared(self, day: date = DAY) -> list[tuple[str, Difference]]:
        """What is open once ``day`` has been compared."""
        self.until_due(day)
        await self.comparison.compare(day)
        return [(one.sid, one.kind) for one in await self.open()]

    async def open(self) -> list[OpenFinding]:
        async with self.database.house() as connection:
            return await open_findings(connection, None, 100)

    async def missed(self) -> list[date]:
        """Days that were not compared."""
        async with self.database.house() as connection:
            return await days_not_compared(connection, self.clock.now())


@asynccontextmanager
async def night(database: Database, clock: DrivenClock) -> AsyncIterator[Night]:
    """It is noon, and ``database`` has the demonstration's practices."""
    clock.advance((NOON - clock.now()).total_seconds())
    async with bench({"/voice": twiml("<Hangup/>")}, clock=clock) as desk, listing(desk.emulator.base_url) as listed:
        cries = Cries()
        yield Night(desk, database, clock, CarrierComparison(database, clock, SystemRandom(), listed, cries), cries)


@asynccontextmanager
async def listing(base_url: str) -> AsyncIterator[RestCallList]:
    """The list of the carrier at an address, which is asked again at once."""
    settings = CarrierSettings(
        account_sid=ACCOUNT,
        username=ACCOUNT,
        password=TOKEN,
        sender=PRACTICE,
        message_status_url="https://voix.example.fr/messages/status",
        base_url=base_url,
    )
    async with TwilioCarrier(settings) as carrier:
        yield replace(carrier.call_list, again_after=0.0)
