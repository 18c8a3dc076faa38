"""Locks, as supervisors ask for them to be lifted, each for practices of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from callcenter.app.by_board import practice_names
from callcenter.calls.call_references import call_of
from callcenter.console.lock_ports import LockRequest
from callcenter.identity.releases import ask, confirm, lift, reason_of, requested
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import Forbidden, NotFound
from callcenter.kernel.randomness import Random, new_id
from callcenter.staff.acts import StaffActs
from callcenter.staff.room import StaffRoom
from callcenter.staff.values import Account, Role
from callcenter.store.database import SET_PRACTICE, Database, Transaction
from callcenter.store.sealed import Place, Sealer


@dataclass(frozen=True, slots=True)
class StaffLocks:
    """Implements ``console.lock_ports.Locks``.

    Arguments:
        window: for which wrong codes count.
    """

    room: StaffRoom
    database: Database
    sealer: Sealer
    clock: Clock
    random: Random
    acts: StaffActs
    window: timedelta

    async def waiting(self, token: str) -> tuple[datetime, Sequence[LockRequest]]:
        account, practices = await self._supervised(token)
        now = self.clock.now()
        async with self.database.house() as connection:
            found = await requested(connection, practices, account.id, now)
            names = await practice_names(connection, [one.practice for one in found], now)
            shown = []
            for one in found:
                await connection.execute(SET_PRACTICE, {"practice": str(one.practice)})
                sealed = await reason_of(Transaction(connection, one.practice), one.id)
                reason = "" if sealed is None else self.sealer.open_text(sealed, _place(one.practice, one.id))
                name = names[one.practice]
                shown.append(LockRequest(one.id, name, one.call, one.by, one.own, reason, one.until))
        return now, shown

    async def ask(self, token: str, reference: str, reason: str) -> bool:
        account, practices = await self._supervised(token)
        release = new_id(self.random)
        async with self.database.house() as connection:
            call = await call_of(connection, reference, practices)
            if call is None:
                return False
            await connection.execute(SET_PRACTICE, {"practice": str(call.practice)})
            tx = Transaction(connection, call.practice)
            sealed = self.sealer.seal_text(reason, _place(call.practice, release))
            await ask(tx, release, call.id, account.id, sealed, self.clock.now())
            await self.acts.lock_release_asked(tx, release, call.id, str(account.id))
        return True

    async def confirm(self, token: str, release: UUID) -> bool:
        account, practices = await self._supervised(token)
        now = self.clock.now()
        async with self.database.house() as connection:
            confirmed = await confirm(connection, release, practices, account.id, now)
            if confirmed is None:
                return False
            practice, call = confirmed
            await connection.execute(SET_PRACTICE, {"practice": str(practice)})
            tx = Transaction(connection, practice)
            await lift(tx, release, call, now, self.window)
            await self.acts.lock_released(tx, release, call, str(account.id))
        return True

    async def _supervised(self, token: str) -> tuple[Account, Sequence[UUID]]:
        session = await self.room.sessions.of(token)
        if session is None or not session.is_full:
            raise Forbidden("the session is over")
        practices = await self.room.rights.practices(session.account, Role.SUPERVISOR)
        if not practices:
            raise NotFound
        return session.account, practices


def _place(practice: UUID, release: UUID) -> Place:
    return Place(practice, "lock_release_reason", "words", release)
