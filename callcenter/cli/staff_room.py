"""The staff room as commands work in it, and what their groups share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import click

from callcenter.installation import open_data
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.randomness import SystemRandom
from callcenter.settings import Settings
from callcenter.staff.passkeys import RelyingParty
from callcenter.staff.records import Actor
from callcenter.staff.room import StaffLimits, StaffRoom
from callcenter.staff.values import Portfolio

#: What the portfolio of every practice of an organisation is called where a command makes it.
EVERYTHING = "everything"

portfolio_option = click.option(
    "--portfolio", "called", help="For which practices: a portfolio's name; by default every practice it staffs."
)


@asynccontextmanager
async def staff_room(settings: Settings) -> AsyncIterator[StaffRoom]:
    """The room on the configured database."""
    async with open_data(settings) as data:
        party, limits = RelyingParty.at(settings.console.public_url), StaffLimits.of(settings.console)
        clock, random = SystemClock(), SystemRandom()
        room = StaffRoom.on(data.database, data.database, data.sealer, clock, random, party, limits)
        try:
            yield room
        finally:
            room.close()


async def portfolio_called(room: StaffRoom, organisation: UUID, called: str | None, by: Actor) -> Portfolio:
    """The portfolio of that name; without one, that of every practice, which is made where it is missing.

    Raises:
        CallcenterError: there is none of that name.
    """
    there = [one for _, one, _ in await room.portfolios.all() if one.organisation == organisation]
    if called is None:
        whole = [one for one in there if one.whole]
        return whole[0] if whole else await room.portfolios.create(organisation, EVERYTHING, by, whole=True)
    for one in there:
        if one.name == called:
            return one
    others = ", ".join(sorted(one.name for one in there)) or "none yet"
    raise CallcenterError(f"the organisation has no portfolio « {called} »; there are: {others}")
