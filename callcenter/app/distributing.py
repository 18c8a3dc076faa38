"""Offering the calls that wait, beside the listeners."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from callcenter.app.fittings import Fittings
from callcenter.background import in_background, keep_going
from callcenter.routing.distributing import Distributor
from callcenter.routing.waking import Listener
from callcenter.telephony.alerts import AlertKind


@asynccontextmanager
async def distributing(url: str, fittings: Fittings) -> AsyncIterator[None]:
    """Offer calls for as long as the body runs; any number of processes may.

    Arguments:
        url: of the database, as SQLAlchemy reads it.
    """
    house = fittings.house

    async def mended(now: datetime) -> None:
        await fittings.thirds.sweep(now)
        await fittings.own_legs.sweep(now)

    listener = Listener(url)
    distributor = Distributor(
        house.database,
        house.clock,
        house.random,
        listener,
        offered=fittings.operators.offered,
        mended=mended,
    )
    going_on = keep_going(distributor.run, fittings.alerts, AlertKind.QUEUE_STANDS, seconds=1)
    async with listener.running(), in_background(going_on):
        yield
