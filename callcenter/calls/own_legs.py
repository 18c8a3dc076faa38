"""Operators who answer in the browser: their page takes the call, and their softphone comes into the room by itself.

Such a leg is placed by the browser and not rung by us, so the carrier does not meter it. Who takes a call was decided
by our own row before (``routing.reservations``); the leg proves by whom it was placed, and the caller is led to it
once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from callcenter.calls.callbacks import Due, operator_sits_at
from callcenter.calls.house import House
from callcenter.calls.leading import CallersLeg, Led, callers_leg, led, led_or_given_back
from callcenter.calls.operators import Lines
from callcenter.calls.ringing_back import RingingBack
from callcenter.calls.thirds import Thirds
from callcenter.routing.rooms import dissolve_of_talk
from callcenter.routing.stays import offer_of
from callcenter.routing.talks import rung
from callcenter.routing.values import EntryKind, ReservationState

#: For which the caller's own leg may say what follows after the operator's has ended.
ALONE = timedelta(seconds=5)
#: In one sweep; the rest waits for the next.
MOST = 200

#: Letters, digits and the underscore are what every softphone of the carrier takes in an identity.
_PREFIX = "op_"
_IDENTITY = re.compile(r"op_([0-9a-f]{32})", re.ASCII)


def identity_of(staff: UUID) -> str:
    """By what the carrier knows the browser of ``staff``."""
    return _PREFIX + staff.hex


def staff_of(identity: str) -> UUID | None:
    """Whose browser it is; ``None`` for an identity that we have given to nobody."""
    found = _IDENTITY.fullmatch(identity)
    return None if found is None else UUID(found[1])


@dataclass(frozen=True, slots=True)
class InRoom:
    """Where a leg comes in.

    Arguments:
        room: opaque name of the room.
        label: by which the leg is found in it.
        ends_all: the room ends when it leaves.
        rings: the caller's telephone rings, and the operator waits for them there.
    """

    room: str
    label: str
    ends_all: bool
    rings: bool = False


class OwnLegs:
    """Implements ``telephony.ports.OwnLegs``.

    Arguments:
        thirds: those who are asked into the talk of a colleague.
    """

    def __init__(self, house: House, lines: Lines, thirds: Thirds) -> None:
        self._house = house
        self._ringing = RingingBack(house, lines)
        self._lines = lines
        self._thirds = thirds

    async def joins(self, staff: UUID, offer: UUID, leg: str) -> InRoom | None:
        due: Due | None = None
        caller: CallersLeg | None = None
        async with self._house.database.house() as connection:
            named = {"offer": offer, "seat": offer.hex, "staff": staff, "leg": leg}
            mine = (await connection.execute(_PLACED, named)).one_or_none()
            standing = None if mine is None else await offer_of(connection, mine.id)
            rings = standing is not None and standing.kind is EntryKind.CALLBACK
            if standing is not None and mine is not None:
                if rings and not mine.first:
                    await operator_sits_at(connection, mine.practice_id, offer, leg)
                elif rings:
                    due = await self._ringing.begin(connection, offer, standing, leg)
                elif mine.first:
                    caller = await callers_leg(connection, mine.practice_id, mine.call_id)
        if mine is None or standing is None:
            return await self._asked_in(staff, offer, leg)
        if rings and mine.first and not await self._ringing.ring(offer, standing, due):
            return None
        if caller is not None and not await led_or_given_back(self._house, self._lines, caller, offer, staff):
            return None
        waits = rings and standing.state is ReservationState.ACCEPTED
        return InRoom(mine.room.hex, mine.seat, ends_all=True, rings=waits)

    async def _asked_in(self, staff: UUID, request: UUID, leg: str) -> InRoom | None:
        """A colleague has asked them into a talk, which goes on when they leave."""
        seat = await self._thirds.join(staff, request)
        if seat is None:
            return None
        async with self._house.database.house() as connection:
            await rung(connection, request, leg)
        return InRoom(seat.room, seat.label, ends_all=False)

    async def ended(self, leg: str) -> None:
        """Before the two have spoken, the call is given back. Afterwards whoever is left in the room decides: the
        room ends with either of them, and the caller's own leg says whether somebody is still there. If it says
        nothing for a while, :meth:`sweep` finds it."""
        house, now = self._house, self._house.clock.now()
        async with house.database.house() as connection:
            row = (await connection.execute(_OF_LEG, {"leg": leg})).one_or_none()
            if row is not None:
                await house.reservations.dropped(connection, row.id, row.staff_id, now)
            await connection.execute(_LEG_ENDED, {"leg": leg, "now": now})
            third = (await connection.execute(_THIRD_OF_LEG, {"leg": leg})).scalar_one_or_none()
        if third is not None:
            await self._thirds.left(third)

    async def sweep(self, now: datetime) -> int:
        """Find callers who are left alone in a room, and lead them to the front of the queue (P7): one who comes into
        it in the moment in which the operator's line is lost meets nobody, and no carrier says so.

        Where the carrier does not lead them, their room is ended, which is asked for until it is done.
        One who is at their keys is not alone yet, and is led nowhere: they come back by themselves (``calls.lobby``).
        """
        house = self._house
        async with house.database.house() as connection:
            alone = (await connection.execute(_LEFT_ALONE, {"before": now - ALONE, "limit": MOST})).all()
        found = 0
        for one in alone:
            async with house.database.house() as connection:
                # The carrier may have been slow about those before: meanwhile they have come again, or gone to type.
                if (
                    await connection.execute(_ALONE_STILL, {"id": one.id, "before": now - ALONE})
                ).one_or_none() is None:
                    continue
                if not await house.reservations.dropped(connection, one.id, one.staff_id, now):
                    continue
                caller = await callers_leg(connection, one.practice_id, one.call_id)
            found += 1
            if await led(self._lines, caller) is not Led.LED:
                async with house.database.house() as connection:
                    await dissolve_of_talk(connection, one.id)
        return found


# The leg is written down in the statement that finds whose call it is: of several that come at once, one is the first.
# Whoever has taken a talk over names it as they did when they were asked in, by their seat.
_PLACED = text(
    """
    WITH before AS (
        SELECT r.id, r.leg FROM reservation r LEFT JOIN talk t ON t.reservation_id = r.id
        WHERE (r.id = :offer OR t.seat = :seat) AND r.staff_id = :staff AND r.state IN ('accepted', 'connected')
        FOR UPDATE OF r
    ), placed AS (
        UPDATE reservation r SET leg = :leg, leg_ended_at = NULL FROM before WHERE r.id = before.id
        RETURNING r.call_id, r.state
    )
    SELECT before.id, placed.call_id, e.practice_id, before.leg IS NULL AND placed.state = 'accepted' AS first,
        coalesce(t.room, before.id) AS room, coalesce(t.seat, 'operator') AS seat
    FROM placed CROSS JOIN before JOIN queue_entry e ON e.call_id = placed.call_id
    LEFT JOIN talk t ON t.reservation_id = before.id
    """
)
_OF_LEG = text("SELECT id, staff_id FROM reservation WHERE leg = :leg AND state = 'accepted'")
_LEG_ENDED = text(
    "UPDATE reservation SET leg_ended_at = :now WHERE leg = :leg AND state = 'connected' AND leg_ended_at IS NULL"
)
_LEFT_ALONE = text(
    """
    SELECT r.id, r.staff_id, r.call_id, e.practice_id FROM reservation r JOIN queue_entry e ON e.call_id = r.call_id
    WHERE r.state = 'connected' AND r.leg_ended_at <= :before AND r.keypad_at IS NULL
    ORDER BY r.leg_ended_at LIMIT :limit
    """
)
_ALONE_STILL = text(
    "SELECT 1 FROM reservation WHERE id = :id AND state = 'connected' AND leg_ended_at <= :before AND keypad_at IS NULL"
)
# One who has taken the talk over has it: what follows, the caller's own leg says.
_THIRD_OF_LEG = text("SELECT id FROM talk_party WHERE carrier_sid = :leg AND state IN ('ringing', 'there')")
