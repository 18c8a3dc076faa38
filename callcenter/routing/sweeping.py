"""Finding what hangs: offers that ran out, pages that are gone, wrapping up that has ended, workers that died.

Any worker does this at any time, several at once too: each thing found is mended in a transaction of its own, behind
the same locks as the acts of people, and looked at again there. What one worker was doing when it was killed was rolled
back or had been committed whole; so all that can hang is found by its time, or by the end of its call.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.routing.events import note_presence
from callcenter.routing.held import lock_reservation
from callcenter.routing.queue import Queue
from callcenter.routing.reservations import Reservations
from callcenter.routing.rooms import dissolve_later
from callcenter.routing.values import LeftReason, Limits
from callcenter.routing.waking import About, Waking, wake
from callcenter.store.database import Database

#: Of each kind in one sweep; the rest waits for the next.
MOST = 500


@dataclass(frozen=True, slots=True)
class Swept:
    """How many were found and mended.

    Arguments:
        missed: offers that nobody answered.
        gone: operators whose page gives no sign.
        wrapped_up: operators who are available again.
        lost: calls that had ended without leaving, and callers whom nobody connected.
    """

    missed: int
    gone: int
    wrapped_up: int
    lost: int


class Sweeping:
    """Mends what hangs."""

    def __init__(self, database: Database, limits: Limits | None = None) -> None:
        self._database = database
        self._limits = limits or Limits()
        self._queue = Queue(self._limits)
        self._reservations = Reservations(self._limits)

    async def sweep(self, now: datetime) -> Swept:
        """All of it, once.

        Raises:
            DatabaseDown: what was mended before stays.
        """
        swept = Swept(
            missed=await self.expire(now),
            gone=await self.unseen(now),
            wrapped_up=await self.wrapped_up(now),
            lost=await self.recover(now),
        )
        async with self._database.house() as connection:
            await self._queue.forget_marks(connection, now)
        return swept

    async def expire(self, now: datetime) -> int:
        """Give back the calls whose offers have run out."""

        async def miss(connection: AsyncConnection, reservation: UUID, staff: UUID) -> bool:
            return await self._reservations.miss(connection, reservation, staff, now)

        return await self._each(_EXPIRED, {"now": now}, miss)

    async def unseen(self, now: datetime) -> int:
        """Let operators be offline whose page gives no sign; a call that was offered to one goes to another at once.
        Never one who has a caller on the line, or has taken a call."""

        async def miss(connection: AsyncConnection, reservation: UUID, staff: UUID) -> bool:
            return await self._reservations.miss(connection, reservation, staff, now, gone=True)

        async def offline(connection: AsyncConnection, staff: UUID, organisation: UUID) -> bool:
            values = {"staff": staff, "now": now, "before": before}
            if (await connection.execute(_OFFLINE, values)).one_or_none() is None:
                return False
            await note_presence(connection, staff, "offline", now)
            await wake(connection, Waking(About.STAFF, staff), Waking(About.QUEUE, organisation))
            return True

        before = now - self._limits.unseen
        gone = await self._each(_UNSEEN_OFFERED, {"before": before}, miss)
        return gone + await self._each(_UNSEEN, {"before": before}, offline)

    async def wrapped_up(self, now: datetime) -> int:
        """Let operators be available again who have wrapped up as long as they may."""

        async def available(connection: AsyncConnection, staff: UUID, organisation: UUID) -> bool:
            if (await connection.execute(_AVAILABLE, {"staff": staff, "now": now})).one_or_none() is None:
                return False
            await note_presence(connection, staff, "available", now)
            await wake(connection, Waking(About.STAFF, staff), Waking(About.QUEUE, organisation))
            return True

        return await self._each(_WRAPPED_UP, {"now": now}, available)

    async def recover(self, now: datetime) -> int:
        """Find calls that have ended without leaving, and those taken whom nobody has connected in time."""

        async def ended(connection: AsyncConnection, call: UUID, _: UUID) -> bool:
            return await self._queue.leave(connection, call, LeftReason.HUNG_UP, now) is not None

        async def not_connected(connection: AsyncConnection, reservation: UUID, staff: UUID) -> bool:
            if await self._reservations.unreached(connection, reservation, staff, now):
                return True
            held = await lock_reservation(connection, reservation, staff)
            done = await self._reservations.not_connected(connection, reservation, staff, now)
            if done and held is not None:  # whoever has waited there for the caller hears the end
                await dissolve_later(connection, held.practice, reservation)
            return done

        lost = await self._each(_ENDED, {}, ended)
        late: dict[str, object] = {"before": now - self._limits.connect, "rung_before": now - self._limits.ring_back}
        return lost + await self._each(_NOT_CONNECTED, late, not_connected)

    async def _each(
        self,
        found: TextClause,
        values: dict[str, object],
        mend: Callable[[AsyncConnection, UUID, UUID], Awaitable[bool]],
    ) -> int:
        async with self._database.house() as connection:
            rows = (await connection.execute(found, {**values, "limit": MOST})).all()
        mended = 0
        for one, other in rows:
            async with self._database.house() as connection:
                mended += await mend(connection, one, other)
        return mended


_EXPIRED = text(
    "SELECT id, staff_id FROM reservation WHERE state = 'offered' AND ends_at <= :now ORDER BY number LIMIT :limit"
)
_UNSEEN_OFFERED = text(
    """
    SELECT r.id, r.staff_id FROM reservation r JOIN presence p ON p.staff_id = r.staff_id
    WHERE r.state = 'offered' AND p.way = 'browser' AND p.seen_at <= :before ORDER BY r.number LIMIT :limit
    """
)
_UNSEEN = text(
    """
    SELECT p.staff_id, a.organisation_id FROM presence p JOIN staff_account a ON a.id = p.staff_id
    WHERE p.state NOT IN ('offline', 'reserved', 'on_call') AND p.way = 'browser' AND p.seen_at <= :before LIMIT :limit
    """
)
_OFFLINE = text(
    """
    UPDATE presence SET state = 'offline', since = :now, wrap_up_until = NULL
    WHERE staff_id = :staff AND state NOT IN ('offline', 'reserved', 'on_call')
        AND way = 'browser' AND seen_at <= :before
    RETURNING staff_id
    """
)
_WRAPPED_UP = text(
    """
    SELECT p.staff_id, a.organisation_id FROM presence p JOIN staff_account a ON a.id = p.staff_id
    WHERE p.state = 'wrap_up' AND p.wrap_up_until <= :now LIMIT :limit
    """
)
_AVAILABLE = text(
    """
    UPDATE presence SET state = 'available', since = :now, idle_since = :now, wrap_up_until = NULL
    WHERE staff_id = :staff AND state = 'wrap_up' AND wrap_up_until <= :now RETURNING staff_id
    """
)
# A callback's own call ended when its caller hung up to be rung.
_ENDED = text(
    """
    SELECT e.call_id, e.practice_id FROM queue_entry e JOIN call k ON k.id = e.call_id
    WHERE e.state <> 'left' AND e.kind = 'live' AND k.ended_at IS NOT NULL ORDER BY e.number LIMIT :limit
    """
)
_NOT_CONNECTED = text(
    """
    SELECT r.id, r.staff_id FROM reservation r JOIN queue_entry e ON e.call_id = r.call_id
    WHERE r.state = 'accepted' AND r.accepted_at <= CASE e.kind
        WHEN 'callback' THEN cast(:rung_before AS timestamptz) ELSE cast(:before AS timestamptz) END
    ORDER BY r.number LIMIT :limit
    """
)
