"""Bookings that wait for the practice's staff, and that they have dealt with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text

from callcenter.practice.typed_at_booking import TypedAtBooking
from callcenter.practice.values import Change
from callcenter.store.database import Transaction
from callcenter.store.sealed import Sealer


@dataclass(frozen=True, slots=True)
class WaitingBooking:
    """A booking that nobody of the practice has dealt with yet, opened for its staff; must not be logged."""

    id: UUID
    practitioner: str
    starts_at: datetime
    duration_minutes: int
    birth_date: date
    number: str
    cancelled: bool
    created_at: datetime


class WaitingBookings:
    """Bookings of the practice of a transaction, as its staff see them. Times are aware.

    Arguments:
        sealer: opens what the caller typed.
    """

    def __init__(self, sealer: Sealer) -> None:
        self._typed = TypedAtBooking(sealer)

    async def waiting(self, tx: Transaction, limit: int = 500) -> Sequence[WaitingBooking]:
        """What staff have not dealt with yet, oldest first, at most ``limit``."""
        rows = (await tx.connection.execute(_WAITING, {"practice": tx.practice, "limit": limit})).all()
        return [
            WaitingBooking(
                id=row.id,
                practitioner=f"{row.title} {row.name}".strip(),
                starts_at=row.starts_at,
                duration_minutes=row.duration_minutes,
                birth_date=self._typed.birth_date(tx.practice, row.id, row.birth_date),
                number=self._typed.number(tx.practice, row.id, row.number),
                cancelled=row.state == "cancelled",
                created_at=row.created_at,
            )
            for row in rows
        ]

    async def handle(self, tx: Transaction, booking_id: UUID, by: str, now: datetime) -> Change:
        """Mark a booking as dealt with by ``by``, unless somebody has. Its slot stays taken."""
        values = {"practice": tx.practice, "booking": booking_id, "by": by, "now": now}
        handled = (await tx.connection.execute(_HANDLE, values)).one_or_none()
        return Change.NOT_POSSIBLE if handled is None else Change.DONE


_WAITING = text(
    """
    SELECT b.*, p.name, p.title FROM booking_request b
    JOIN practitioner p ON p.practice_id = b.practice_id AND p.id = b.practitioner_id
    WHERE b.practice_id = :practice AND b.handled_at IS NULL ORDER BY b.created_at, b.id LIMIT :limit
    """
)

_HANDLE = text(
    """
    UPDATE booking_request SET handled_at = :now, handled_by = :by
    WHERE practice_id = :practice AND id = :booking AND handled_at IS NULL RETURNING id
    """
)
