"""Two organisations at one console: supervisors of A and of B, a practice of each, and what happens at them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom
from callcenter.staff.administration import NewAccount
from callcenter.staff.room import StaffRoom
from callcenter.staff.sessions import Stage
from callcenter.staff.values import Account, Role
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer
from tests.integration.consoles import BY, ORGANISATION, Console, opened_console
from tests.integration.routing.floor import Floor
from tests.unit.console.guest import Guest


@dataclass(slots=True)
class Supervised:
    """The console, with what stands behind the two organisations.

    Arguments:
        ours, theirs: the floors of both.
        practice, foreign: a practice of each.
    """

    console: Console
    ours: Floor
    theirs: Floor
    practice: UUID
    foreign: UUID

    @property
    def guest(self) -> Guest:
        return self.console.guest

    async def staff(self, login: str, role: Role = Role.SUPERVISOR, *, of: UUID = ORGANISATION) -> Account:
        """An account with a role for all practices of an organisation."""
        administration, room = self.console.room.administration, self.console.room
        account = await administration.create(NewAccount(of, login, login.capitalize()), BY)
        await administration.sign(account.id, date(2026, 1, 5), BY)
        await administration.trained(account.id, date(2027, 6, 30), BY)
        portfolio = await room.portfolios.create(of, f"Tous, pour {login}", BY, whole=True)
        await administration.grant(account, role, portfolio, BY)
        return account

    async def signed_in(self, account: Account, guest: Guest | None = None) -> str:
        """Somebody of staff at a browser, without the pages of it. Returns the session's token."""
        async with self.console.database.house() as connection:
            token = await self.console.room.sessions.begin(connection, account.id, Stage.FULL, stepped_up=True)
        (guest or self.guest).cookies["__Host-callcenter"] = token
        return token


@asynccontextmanager
async def supervised(
    database: Database,
    sealer: Sealer,
    clock: DrivenClock,
    *,
    also: Callable[[StaffRoom], Mapping[str, Any]] = lambda _: {},
) -> AsyncIterator[Supervised]:
    """Both organisations, on a fresh database.

    Arguments:
        also: other dependencies of the console, made on its room.
    """
    async with opened_console(database, sealer, clock, also=also) as console:
        ours, theirs = (Floor(database, clock, SeededRandom(seed)) for seed in (51, 52))
        ours.organisation = ORGANISATION
        await theirs.open()
        yield Supervised(console, ours, theirs, await ours.practice(), await theirs.practice())
