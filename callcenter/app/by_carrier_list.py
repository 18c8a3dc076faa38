"""Differences with the carrier's list of calls, as supervisors and administrators see and settle them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from callcenter.calls.carrier_findings import Settling, days_not_compared, last_compared, open_counts, open_findings
from callcenter.calls.carrier_findings import settle as settle_finding
from callcenter.calls.carrier_values import Cause
from callcenter.console.carrier_list_ports import Comparison, Differing
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import Forbidden, NotFound
from callcenter.practice.called import practice_names
from callcenter.staff.acts import StaffActs
from callcenter.staff.room import StaffRoom
from callcenter.staff.values import Account, Role
from callcenter.store.database import Database

#: On one page; what is settled makes room for the rest.
SHOWN = 100


@dataclass(frozen=True, slots=True)
class StaffCarrierLists:
    """Implements ``console.carrier_list_ports.CarrierLists``."""

    room: StaffRoom
    database: Database
    clock: Clock
    acts: StaffActs

    async def comparison(self, token: str) -> Comparison:
        _, practices = await self._answering(token, acts=False)
        now = self.clock.now()
        async with self.database.house() as connection:
            found = await open_findings(connection, practices, SHOWN)
            names = await practice_names(connection, [one.practice for one in found], now)
            total = sum((await open_counts(connection, practices)).values())
            last, missed = await last_compared(connection), await days_not_compared(connection, now)
        listed = [
            Differing(one.id, names[one.practice], one.sid, one.kind.value, one.day, one.found_at) for one in found
        ]
        return Comparison(last, missed, total, listed)

    async def settle(self, token: str, findings: Sequence[UUID], cause: str) -> int:
        account, practices = await self._answering(token)
        if cause not in set(Cause):
            raise Forbidden("no such cause")
        settling = Settling(Cause(cause), practices, str(account.id), self.clock.now())
        settled = 0
        async with self.database.house() as connection:
            for finding in sorted(set(findings))[:SHOWN]:  # in one order, so that two who do it wait for one another
                settled += await settle_finding(connection, finding, settling, self.acts)
        return settled

    async def _answering(self, token: str, *, acts: bool = True) -> tuple[Account, Sequence[UUID]]:
        """Whose session it is, and the practices that they supervise or administer at this moment.

        Raises:
            Forbidden: it is over; or, to act, no second factor was given just now.
            NotFound: there are none.
        """
        session = await self.room.standing(token)
        mine: set[UUID] = set()
        for role in (Role.SUPERVISOR, Role.ADMINISTRATOR):
            mine |= set(await self.room.rights.practices(session.account, role))
        if not mine:
            raise NotFound
        if acts:
            self.room.confirmed(session)
        return session.account, sorted(mine)
