"""Offering the calls that wait, beside the listeners."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from callcenter.app.fittings import Fittings
from callcenter.background import in_background, keep_going
from callcenter.routing.distributing import POLL, Distributor
from callcenter.routing.waking import Listener
from callcenter.telephony.alerts import AlertKind


class Rounds:
    """What is done again and again for those who wait and those who talk; any number of processes may.

    Arguments:
        url: of the database, as SQLAlchemy reads it.
    """

    def __init__(self, url: str, fittings: Fittings) -> None:
        house = fittings.house
        self._fittings = fittings
        self._listener = Listener(url)
        self._distributor = Distributor(
            house.database, house.clock, house.random, self._listener, offered=fittings.operators.offered
        )

    @asynccontextmanager
    async def going(self) -> AsyncIterator[None]:
        """Go them for as long as the body runs."""
        alerts = self._fittings.alerts
        going_on = keep_going(self._distributor.run, alerts, AlertKind.QUEUE_STANDS, seconds=1)
        mending = keep_going(self._mend, alerts, AlertKind.QUEUE_STANDS, seconds=POLL)
        async with self._listener.running(), in_background(going_on), in_background(mending):
            yield

    async def once(self) -> None:
        """Go one at once: for whoever drives the clock, and knows that it has moved."""
        await self._distributor.once()
        await self._mend()

    async def _mend(self) -> None:
        """Mend what hangs of talks. The carrier is asked for it, so it stands apart: no caller waits for it."""
        fittings, failed = self._fittings, []
        for sweep in (
            fittings.thirds.sweep,
            fittings.own_legs.sweep,
            fittings.keypad.sweep,
            fittings.lost_callers.sweep,
        ):
            try:
                await sweep(fittings.house.clock.now())
            except Exception as error:  # whatever one cannot mend keeps the others from nothing
                failed.append(error)
        if failed:
            raise failed[0]
