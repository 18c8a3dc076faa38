"""The inbox of a practice: who wants to be called back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, select, update

from callcenter.practice.tables import message
from callcenter.practice.values import Change, WaitingMessage
from callcenter.store.database import Transaction
from callcenter.store.jobs import defer
from callcenter.store.sealed import Place, Sealer

#: The job that tells of a new message, and the queue of everything that callcenter sends to practitioners.
NOTIFY, NOTICES = "notify", "notices"


class Inbox:
    """Messages of the practice of a transaction.

    Arguments:
        sealer: for the numbers.
    """

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    async def leave(
        self,
        tx: Transaction,
        *,
        id: UUID,  # the identifier is the caller's to make
        reason: str,
        number: str,
        call_reference: UUID | None,
        now: datetime,
        practitioner: UUID | None = None,
        urgent: bool = False,
    ) -> None:
        """Keep a callback request. Whoever is to be told of it is, by a job.

        Arguments:
            reason: key of the reason (lower case, ``_``), never the caller's words.
            number: E.164 at which to call back.
            now: aware.
            practitioner: whom it is for; ``None`` for the whole practice.
            urgent: it cannot wait for the next digest.
        """
        row = {
            "id": id,
            "practice_id": tx.practice,
            "kind": "callback",
            "reason": reason,
            "number": self._sealer.seal_text(number, _place(tx, id)),
            "call_reference": call_reference,
            "created_at": now,
            "practitioner_id": practitioner,
            "urgent": urgent,
        }
        await tx.connection.execute(insert(message).values(row))
        await defer(tx.connection, NOTIFY, queue=NOTICES, practice=tx.practice, message=id)

    async def waiting(self, tx: Transaction, limit: int = 500) -> tuple[WaitingMessage, ...]:
        """What nobody has handled, oldest first, at most ``limit``. The numbers are opened: they are for staff."""
        query = (
            select(message)
            .where(message.c.practice_id == tx.practice, message.c.handled_at.is_(None))
            .order_by(message.c.created_at, message.c.id)
            .limit(limit)
        )
        return tuple(
            WaitingMessage(
                id=row.id,
                reason=row.reason,
                number=self._sealer.open_text(row.number, _place(tx, row.id)),
                call_reference=row.call_reference,
                created_at=row.created_at,
            )
            for row in (await tx.connection.execute(query)).all()
        )

    async def count_waiting(self, tx: Transaction) -> int:
        """How many messages nobody has handled."""
        query = select(func.count()).where(message.c.practice_id == tx.practice, message.c.handled_at.is_(None))
        return int((await tx.connection.execute(query)).scalar_one())

    async def handle(self, tx: Transaction, message_id: UUID, by: str, now: datetime) -> Change:
        """Mark a message as handled by ``by`` (an opaque account name) at ``now`` (aware), unless somebody has."""
        statement = (
            update(message)
            .where(message.c.practice_id == tx.practice, message.c.id == message_id, message.c.handled_at.is_(None))
            .values(handled_at=now, handled_by=by)
            .returning(message.c.id)
        )
        handled = (await tx.connection.execute(statement)).one_or_none()
        return Change.NOT_POSSIBLE if handled is None else Change.DONE


def _place(tx: Transaction, message_id: UUID) -> Place:
    return Place(tx.practice, "message", "number", message_id)
