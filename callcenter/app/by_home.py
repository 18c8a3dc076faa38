"""How much waits for somebody, as the first page shows it: counts alone, of what they may see at this moment."""

from __future__ import annotations

from dataclasses import dataclass

from callcenter.console import on_duty
from callcenter.console.home_ports import Waits
from callcenter.identity.releases import requested
from callcenter.kernel.clock import Clock
from callcenter.practice import follow_ups
from callcenter.practice.correspondence import Correspondence, Whose
from callcenter.staff.practitioners import practises
from callcenter.staff.room import StaffRoom
from callcenter.staff.values import Role, day_of
from callcenter.store.database import Database, in_practice
from callcenter.store.sealed import Sealer

#: Practices of one practitioner whose messages are counted.
MOST = 20


@dataclass(frozen=True, slots=True)
class StaffWaiting:
    """Implements ``console.home_ports.Waiting``.

    Arguments:
        database: the console's own, so that pages hold up no caller.
        sealer: opens nothing here.
    """

    room: StaffRoom
    database: Database
    sealer: Sealer
    clock: Clock

    async def waits(self, token: str) -> Waits:
        session = await self.room.standing(token)
        account, now = session.account, self.clock.now()
        rights = self.room.rights
        answered, supervised = [set(await rights.practices(account, role)) for role in (Role.OPERATOR, Role.SUPERVISOR)]
        async with self.database.house() as connection:
            calls = (await on_duty.waiting_for(connection, account.id)).count if answered else 0
            to_do = await follow_ups.count_to_do(connection, sorted(answered | supervised))
            asked = await requested(connection, sorted(supervised), account.id, now)
            messages = 0
            for one in (await practises(connection, account.id, day_of(now)))[:MOST]:
                tx = await in_practice(connection, one.practice)
                whose = Whose(practitioner=one.practitioner, of_practice=one.of_practice)
                messages += await Correspondence(self.sealer).unread(tx, whose)
        return Waits(calls, messages, to_do, sum(not one.own for one in asked))
