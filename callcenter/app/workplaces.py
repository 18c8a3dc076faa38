"""The room of staff, the queue and the carrier, as the page of whoever answers calls sees them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.calls.own_legs import identity_of
from callcenter.console import on_duty
from callcenter.console.workplace_ports import Act, Doing, Ring, SoftphonePass, Talk, Workplace
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import Forbidden
from callcenter.routing.presence import Present, move, present, seen
from callcenter.routing.reservations import Accepted, Reservations
from callcenter.routing.values import PresenceState, Reservation, ReservationState, Way
from callcenter.routing.waking import About, Listener, Waking
from callcenter.staff.room import StaffRoom
from callcenter.staff.sessions import StaffSession
from callcenter.staff.telephones import telephone_of
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer
from callcenter.telephony.access_tokens import Passes


@dataclass(frozen=True, slots=True)
class StaffWorkplaces:
    """Implements ``console.workplace_ports.Workplaces``.

    Arguments:
        database: the console's own, so that pages hold up no caller.
        passes: for the softphone, where there is one.
    """

    room: StaffRoom
    database: Database
    sealer: Sealer
    clock: Clock
    reservations: Reservations
    passes: Passes | None

    async def look(self, token: str) -> Workplace:
        staff, now = (await self._standing(token)).account.id, self.clock.now()
        async with self.database.house() as connection:
            doing = Doing(await seen(connection, staff, now))
            there = await present(connection, staff)
            held = await self.reservations.of(connection, staff)
            name = "" if held is None else await on_duty.practice_name(connection, held.practice, now)
            return Workplace(
                now=now,
                answers=await on_duty.answers(connection, staff),
                doing=doing,
                since=None if there is None or doing is Doing.OFFLINE else there.since,
                by_telephone=self._way(there) is Way.TELEPHONE,
                wrap_up_until=None if there is None else there.wrap_up_until,
                waiting=await on_duty.waiting_for(connection, staff),
                ring=None if held is None else _ring(held, name, self._way(there)),
                talk=None if held is None else await _talk(connection, held, name),
            )

    async def move(self, token: str, to: Doing) -> bool:
        staff = (await self._standing(token)).account.id
        async with self.database.house() as connection:
            if not await on_duty.answers(connection, staff):
                return False
            way = Way.BROWSER if self.passes is not None else Way.TELEPHONE
            if way is Way.TELEPHONE and await telephone_of(connection, self.sealer, staff) is None:
                return False  # calls would ring nowhere
            return await move(connection, staff, PresenceState(to), self.clock.now(), way=way)

    async def act(self, token: str, act: Act, call: UUID, whom: str = "") -> bool:
        staff, now = (await self._standing(token)).account.id, self.clock.now()
        async with self.database.house() as connection:
            match act:
                case Act.ACCEPT:
                    # At a telephone a key takes the call, and only then is somebody on the line.
                    if self._way(await present(connection, staff)) is Way.TELEPHONE:
                        return False
                    return isinstance(await self.reservations.accept(connection, call, staff, now), Accepted)
                case Act.REFUSE:
                    return await self.reservations.refuse(connection, call, staff, now)
                case Act.HANG_UP:
                    over = await self.reservations.over(connection, call, staff, now)
                    return over or await self.reservations.dropped(connection, call, staff, now)
                case Act.GIVE_BACK:
                    return await self.reservations.dropped(connection, call, staff, now)
        return False

    async def softphone_pass(self, token: str) -> SoftphonePass | None:
        session = await self._standing(token)
        if self.passes is None:
            return None
        made = self.passes.made(identity_of(session.account.id), self.clock.now(), session.ends_at)
        return None if made is None else SoftphonePass(made.token, made.seconds)

    def _way(self, there: Present | None) -> Way:
        """How somebody speaks: as they do now, or as they would from here on."""
        if there is not None and there.state is not PresenceState.OFFLINE:
            return there.way
        return Way.TELEPHONE if self.passes is None else Way.BROWSER

    async def _standing(self, token: str) -> StaffSession:
        """The session of a token, both factors given.

        Raises:
            Forbidden: it has ended in the meantime.
        """
        session = await self.room.sessions.of(token, active=False)
        if session is None or not session.is_full:
            raise Forbidden("the session is over")
        return session


def _ring(held: Reservation, practice: str, way: Way) -> Ring | None:
    if held.state is not ReservationState.OFFERED:
        return None
    return Ring(held.id, practice, held.waiting_since, held.ends_at, way is Way.TELEPHONE)


async def _talk(connection: AsyncConnection, held: Reservation, practice: str) -> Talk | None:
    if held.state is ReservationState.OFFERED:
        return None
    since = (await connection.execute(_CONNECTED_AT, {"id": held.id})).scalar_one()
    return Talk(held.id, practice, since, acts=frozenset({Act.HANG_UP}))


_CONNECTED_AT = text("SELECT connected_at FROM reservation WHERE id = :id")


class _Bell:
    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def rung(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            return not self._listener.is_listening  # nothing is heard: so look
        self._rung.clear()
        return True


class RoutingBells:
    """Rings for what is new in routing. Implements ``console.workplace_ports.Bells``.

    One reader hears for all pages, so that a page costs an event and not a queue of notices.
    """

    def __init__(self, listener: Listener, database: Database) -> None:
        self._listener = listener
        self._database = database
        self._bells: dict[Waking, set[_Bell]] = {}

    @asynccontextmanager
    async def of(self, staff: UUID) -> AsyncIterator[_Bell]:
        async with self._database.house() as connection:
            organisation = (await connection.execute(_ORGANISATION, {"staff": staff})).scalar_one()
        bell, concerns = _Bell(self._listener), (Waking(About.STAFF, staff), Waking(About.QUEUE, organisation))
        for waking in concerns:
            self._bells.setdefault(waking, set()).add(bell)
        try:
            yield bell
        finally:
            for waking in concerns:
                self._bells[waking].discard(bell)
                if not self._bells[waking]:
                    del self._bells[waking]

    async def run(self) -> None:
        """Hear, until the task is cancelled."""
        with self._listener.subscribed() as news:
            while True:
                for waking in await news.wait(60.0):
                    for bell in self._bells.get(waking, ()):
                        bell.ring()


_ORGANISATION = text("SELECT organisation_id FROM staff_account WHERE id = :staff")
