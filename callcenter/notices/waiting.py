"""How much waits, by whom it is for. Nothing of a message or a booking but that is ever read for a notice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from callcenter.practice.values import Urgency
from callcenter.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits.

    Arguments:
        practitioner: whom it is for; ``None`` for the whole practice.
        messages, urgent: how many, and how many of them are urgent.
        bookings: how many made, moved or cancelled by telephone.
    """

    practitioner: UUID | None
    messages: int
    urgent: int
    bookings: int

    @property
    def anything(self) -> bool:
        return bool(self.messages or self.bookings)


async def waiting(tx: Transaction, until: datetime) -> list[Waiting]:
    """What nobody has handled of what came until ``until`` (aware); of one practitioner there may be several."""
    values = {"practice": tx.practice, "until": until, "urgent": Urgency.URGENT.value}
    rows = (await tx.connection.execute(_WAITING, values)).all()
    return [Waiting(row.practitioner_id, row.messages, row.urgent, row.bookings) for row in rows]


# A booking comes anew when it is moved or cancelled.
_WAITING = text(
    """
    SELECT practitioner_id, count(*) AS messages, count(*) FILTER (WHERE urgency = :urgent) AS urgent, 0 AS bookings
    FROM message WHERE practice_id = :practice AND handled_at IS NULL AND created_at <= :until
    GROUP BY practitioner_id
    UNION ALL
    SELECT practitioner_id, 0, 0, count(*)
    FROM booking_request WHERE practice_id = :practice AND handled_at IS NULL AND changed_at <= :until
    GROUP BY practitioner_id
    """
)
