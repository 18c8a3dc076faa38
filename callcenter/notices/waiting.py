"""How many messages wait, by whom they are for. Nothing of them but that is ever read for a notice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from callcenter.practice.tables import message
from callcenter.practice.values import Urgency
from callcenter.store.database import Transaction

_URGENT = message.c.urgency == Urgency.URGENT.value


@dataclass(frozen=True, slots=True)
class Waiting:
    """Messages that wait.

    Arguments:
        practitioner: whom they are for; ``None`` for the whole practice.
        all, urgent: how many, and how many of them are urgent.
    """

    practitioner: UUID | None
    all: int
    urgent: int


async def waiting(tx: Transaction, until: datetime) -> list[Waiting]:
    """What nobody has handled of what came until ``until`` (aware)."""
    query = (
        select(
            message.c.practitioner_id,
            func.count().label("all"),
            func.count().filter(_URGENT).label("some"),
        )
        .where(message.c.practice_id == tx.practice, message.c.handled_at.is_(None), message.c.created_at <= until)
        .group_by(message.c.practitioner_id)
    )
    rows = (await tx.connection.execute(query)).all()
    return [Waiting(row.practitioner_id, row.all, row.some) for row in rows]
