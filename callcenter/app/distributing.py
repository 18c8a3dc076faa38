"""Offering the calls that wait, beside the listeners."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from callcenter.app.fittings import Fittings
from callcenter.background import in_background, keep_going
from callcenter.routing.distributing import POLL, Distributor
from callcenter.routing.waking import Listener
from callcenter.telephony.alerts import AlertKind


@asynccontextmanager
async def distributing(url: str, fittings: Fittings) -> AsyncIterator[None]:
    """Offer calls for as long as the body runs; any number of processes may.

    Arguments:
        url: of the database, as SQLAlchemy reads it.
    """
    house = fittings.house
    listener = Listener(url)
    distributor = Distributor(house.database, house.clock, house.random, listener, offered=fittings.operators.offered)
    going_on = keep_going(distributor.run, fittings.alerts, AlertKind.QUEUE_STANDS, seconds=1)
    mending = keep_going(partial(_mend, fittings), fittings.alerts, AlertKind.QUEUE_STANDS, seconds=POLL)
    async with listener.running(), in_background(going_on), in_background(mending):
        yield


async def _mend(fittings: Fittings) -> None:
    """Mend what hangs of talks. The carrier is asked for it, so it stands apart: no caller waits for it."""
    now = fittings.house.clock.now()
    await fittings.thirds.sweep(now)
    await fittings.own_legs.sweep(now)
    await fittings.keypad.sweep(now)
    await fittings.lost_callers.sweep(now)
