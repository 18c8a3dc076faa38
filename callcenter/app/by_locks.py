"""Locks, as supervisors ask for them to be lifted, each for practices of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from callcenter.audit.ledger import EventKind
from callcenter.audit.not_refused import STANDS
from callcenter.calls.call_references import NoCall, call_of
from callcenter.console.lock_ports import LockRequest, Untrained
from callcenter.identity.releases import ask, confirm, lift, reason_of, requested
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import NotFound
from callcenter.kernel.randomness import Random, new_id
from callcenter.practice.called import practice_names
from callcenter.staff.acts import StaffActs
from callcenter.staff.room import StaffRoom
from callcenter.staff.values import Account, Role
from callcenter.store.database import Database, Transaction, in_practice
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
        account, practices = await self._supervised(token, acts=False)
        now = self.clock.now()
        async with self.database.house() as connection:
            found = await requested(connection, practices, account.id, now)
            names = await practice_names(connection, [one.practice for one in found], now)
        return now, [LockRequest(one.id, names[one.practice], one.call, one.by, one.own, one.until) for one in found]

    async def ask(self, token: str, reference: str, reason: str) -> NoCall | None:
        account, practices = await self._supervised(token)
        release = new_id(self.random)
        async with self.database.house() as connection:
            call = await call_of(connection, reference, practices)
            if isinstance(call, NoCall):
                return call
            tx = await in_practice(connection, call.practice)
            sealed = self.sealer.seal_text(reason, _place(call.practice, release))
            await ask(tx, release, call.id, account.id, sealed, self.clock.now())
            await self.acts.lock_release_asked(tx, release, call.id, str(account.id))
        return None

    async def read(self, token: str, release: UUID) -> str | None:
        account, practices = await self._supervised(token)
        if not account.standing(self.clock.now()).may_reveal:
            raise Untrained
        async with self.database.house() as connection:
            found = await requested(connection, practices, account.id, self.clock.now())
            one = next((one for one in found if one.id == release and not one.own), None)
            if one is None:
                return None
            tx = await in_practice(connection, one.practice)
            await self.acts.lock_reason_read(tx, one.id, one.call, str(account.id))
            sealed = await reason_of(tx, one.id)
        return "" if sealed is None else self.sealer.open_text(sealed, _place(one.practice, one.id))

    async def confirm(self, token: str, release: UUID) -> bool:
        account, practices = await self._supervised(token)
        now = self.clock.now()
        try:
            async with self.database.house() as connection:
                confirmed = await confirm(connection, release, practices, account.id, now)
                if confirmed is None:
                    return False
                practice, call = confirmed
                tx = await in_practice(connection, practice)
                if not await _has_read(tx, release, account.id):
                    raise _Unread
                await lift(tx, release, call, now, self.window)
                await self.acts.lock_released(tx, release, call, str(account.id))
        except _Unread:
            return False
        return True

    async def _supervised(self, token: str, *, acts: bool = True) -> tuple[Account, Sequence[UUID]]:
        """Whose session it is, and what they supervise at this moment.

        Raises:
            Forbidden: it is over; or, to act, no second factor was given just now.
            NotFound: they supervise nothing.
        """
        session = await self.room.standing(token)
        practices = await self.room.rights.practices(session.account, Role.SUPERVISOR)
        if not practices:
            raise NotFound
        if acts:
            self.room.confirmed(session)
        return session.account, practices


class _Unread(Exception):
    """Whoever confirms has not read why: what was done is undone."""


async def _has_read(tx: Transaction, release: UUID, staff: UUID) -> bool:
    """Whether it is on record that somebody has read why."""
    values = {
        "practice": tx.practice,
        "ref": f"lock_release:{release}",
        "event": EventKind.LOCK_REASON_READ.value,
        "staff": str(staff),
    }
    return bool((await tx.connection.execute(_HAS_READ, values)).scalar_one())


def _place(practice: UUID, release: UUID) -> Place:
    return Place(practice, "lock_release_reason", "words", release)


_HAS_READ = text(
    f"""
    SELECT EXISTS (SELECT FROM audit_record r WHERE practice_id = :practice AND call_id IS NULL
        AND ref = :ref AND event = :event AND actor = :staff AND {STANDS})
    """  # noqa: S608 - our own words alone
)
