"""Where one call stands in its queue, for whoever leads it on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.routing.held import RESERVATION, reservation_of
from callcenter.routing.values import EntryKind, EntryState, LeftReason, Reservation, ReservationState, Way


@dataclass(frozen=True, slots=True)
class Stay:
    """A call's stay in the queue.

    Arguments:
        overflow_at: from when on to be led elsewhere, or ``None``.
        language: in which the caller is spoken to (ISO 639-1).
        left: why it is there no more, or ``None``.
        reservation: the live one, or ``None``.
        room: names the conference where its operator is, or ``None``.
        way: how its operator speaks, or ``None``.
        at_keypad: the operator has sent the caller out of the talk to type something, and waits for them.
        kind: whether the caller is on the line, or is to be rung back.
        answered: somebody has talked with them in this stay.
    """

    state: EntryState
    practice: UUID
    entered_at: datetime
    overflow_at: datetime | None
    language: str
    left: LeftReason | None
    reservation: Reservation | None
    room: UUID | None
    way: Way | None
    at_keypad: bool
    kind: EntryKind = EntryKind.LIVE
    answered: bool = False

    def overdue(self, now: datetime) -> bool:
        """Whether it has lasted as long as the practice allows."""
        return self.overflow_at is not None and self.overflow_at <= now


async def stay_of(connection: AsyncConnection, call: UUID) -> Stay | None:
    """Where ``call`` stands; ``None`` when it never entered."""
    row = (await connection.execute(_STAY, {"call": call})).one_or_none()
    if row is None:
        return None
    return Stay(
        EntryState(row.state),
        row.practice_id,
        row.entered_at,
        row.overflow_at,
        row.language,
        None if row.left_reason is None else LeftReason(row.left_reason),
        None if row.id is None else reservation_of(row),
        row.room,
        None if row.way is None else Way(row.way),
        row.keypad_at is not None,
        EntryKind(row.kind),
        row.answered_at is not None,
    )


_STAY = text(
    f"""
    SELECT {RESERVATION}, e.answered_at, e.state, e.overflow_at, e.left_reason, p.way, r.keypad_at,
        coalesce(t.room, r.id) AS room
    FROM queue_entry e
    LEFT JOIN reservation r ON r.call_id = e.call_id AND r.state IN ('offered', 'accepted', 'connected')
    LEFT JOIN presence p ON p.staff_id = r.staff_id
    LEFT JOIN talk t ON t.reservation_id = r.id
    WHERE e.call_id = :call
    """  # noqa: S608 - our own words alone
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A reservation, whatever has become of it.

    Arguments:
        way: how its operator speaks.
        kind: whether its caller is on the line, or is to be rung back.
    """

    call: UUID
    practice: UUID
    staff: UUID
    state: ReservationState
    way: Way
    kind: EntryKind


async def offer_of(connection: AsyncConnection, reservation: UUID) -> Offer | None:
    """What ``reservation`` is; ``None`` if there is none."""
    row = (await connection.execute(_OFFER, {"id": reservation})).one_or_none()
    if row is None:
        return None
    state, way, kind = ReservationState(row.state), Way(row.way), EntryKind(row.kind)
    return Offer(row.call_id, row.practice_id, row.staff_id, state, way, kind)


_OFFER = text(
    """
    SELECT r.call_id, e.practice_id, r.staff_id, r.state, p.way, e.kind
    FROM reservation r JOIN queue_entry e ON e.call_id = r.call_id JOIN presence p ON p.staff_id = r.staff_id
    WHERE r.id = :id
    """
)
