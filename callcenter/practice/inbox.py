"""The inbox of a practice: what callers have left for its people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, func, insert, select, update
from sqlalchemy import text as sql

from callcenter.practice.follow_ups import DUE_IN, ask_for, nothing_left
from callcenter.practice.tables import message, practitioner, voice_message
from callcenter.practice.values import Change, SpokenMessage, Urgency, VoiceState, WaitingMessage
from callcenter.store.database import Transaction
from callcenter.store.jobs import defer
from callcenter.store.sealed import Place, Sealer

#: The job that tells of a new message, and the queue of everything that callcenter sends to practitioners.
NOTIFY, NOTICES = "notify", "notices"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of the messages are looked at.

    Arguments:
        practitioner: those for this one; ``None`` for everybody's, and the practice's own.
        urgent: the urgent ones alone.
    """

    practitioner: UUID | None = None
    urgent: bool = False

    def conditions(self) -> list[ColumnElement[bool]]:
        of = [] if self.practitioner is None else [message.c.practitioner_id == self.practitioner]
        return [*of, message.c.urgency != Urgency.NORMAL.value] if self.urgent else of


ALL = Wanted()


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
        number: str | None,
        call_reference: UUID | None,
        now: datetime,
        kind: str = "callback",
        practitioner: UUID | None = None,
        urgency: Urgency = Urgency.NORMAL,
        language: str = "fr",
        relayed: bool = False,
        text: str | None = None,
        written_by: UUID | None = None,
    ) -> None:
        """Keep a message. Whoever is to be told of it is, by a job; one for the whole practice is operators' to follow.

        Arguments:
            reason: key of the reason (lower case, ``_``), never the caller's words.
            number: E.164 at which to call back; ``None`` only of a message that may tell it: spoken or written.
            now: aware.
            kind: ``callback``, ``voice``, ``renewal`` or ``certificate``.
            practitioner: whom it is for, or ``None`` for the practice.
            language: in which the caller is spoken to (ISO 639-1).
            relayed: the caller speaks through a relay service, which has to be rung too.
            text: what an operator has written down of it.
            written_by: that operator's account.
        """
        row = {
            "id": id,
            "practice_id": tx.practice,
            "kind": kind,
            "reason": reason,
            "number": None if number is None else self._sealer.seal_text(number, number_place(tx.practice, id)),
            "practitioner_id": practitioner,
            "urgency": urgency.value,
            "language": language,
            "relayed": relayed,
            "text": None if text is None else self._sealer.seal_text(text, text_place(tx.practice, id)),
            "written_by": written_by,
            "call_reference": call_reference,
            "created_at": now,
        }
        await tx.connection.execute(insert(message).values(row))
        if practitioner is None:
            await ask_for(tx.connection, tx.practice, id, now + DUE_IN[urgency], now)
        await defer(tx.connection, NOTIFY, queue=NOTICES, practice=tx.practice, message=id)

    async def waiting(self, tx: Transaction, limit: int = 500, *, wanted: Wanted = ALL) -> tuple[WaitingMessage, ...]:
        """What nobody has handled, urgent ones first, then oldest first, at most ``limit``.

        The numbers are opened: they are for staff.
        """
        query = _WAITING.where(message.c.practice_id == tx.practice, *wanted.conditions()).limit(limit)
        return tuple([self._waiting(tx, row) for row in (await tx.connection.execute(query)).all()])

    def _waiting(self, tx: Transaction, row: Row[Any]) -> WaitingMessage:
        voice = None
        if row.state is not None:
            at_carrier, alerted = row.deleted_at is None, row.alerted_at is not None
            voice = SpokenMessage(VoiceState(row.state), row.seconds, at_carrier, alerted and at_carrier)
        return WaitingMessage(
            id=row.id,
            reason=row.reason,
            number=None
            if row.number is None
            else self._sealer.open_text(row.number, number_place(tx.practice, row.id)),
            call_reference=row.call_reference,
            created_at=row.created_at,
            kind=row.kind,
            practitioner=f"{row.title} {row.name}".strip() if row.name is not None else None,
            urgency=Urgency(row.urgency),
            voice=voice,
            language=row.language,
            relayed=row.relayed,
        )

    async def count_waiting(self, tx: Transaction, *, wanted: Wanted = ALL) -> int:
        """How many messages nobody has handled."""
        query = select(func.count()).where(
            message.c.practice_id == tx.practice, message.c.handled_at.is_(None), *wanted.conditions()
        )
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
        if handled is None:
            return Change.NOT_POSSIBLE
        await nothing_left(tx.connection, tx.practice, message_id, now)
        return Change.DONE


async def erase_handled(tx: Transaction, before: datetime, most: int) -> Sequence[UUID]:
    """Erase messages that were handled before ``before`` (aware) with what was spoken with them, ``most`` at most.

    The server may delete no message. A function of the schema does, and none that it has seen handled within a week.
    """
    erased = await tx.connection.execute(_ERASE, {"before": before, "most": most})
    return [UUID(str(id)) for id in erased.scalars()]


_ERASE = sql("SELECT forget_messages(:before, :most)")

_WAITING = (
    select(
        message,
        practitioner.c.title,
        practitioner.c.name,
        voice_message.c.state,
        voice_message.c.seconds,
        voice_message.c.deleted_at,
        voice_message.c.alerted_at,
    )
    .outerjoin(
        practitioner,
        and_(practitioner.c.practice_id == message.c.practice_id, practitioner.c.id == message.c.practitioner_id),
    )
    .outerjoin(
        voice_message,
        and_(voice_message.c.practice_id == message.c.practice_id, voice_message.c.message_id == message.c.id),
    )
    .where(message.c.handled_at.is_(None))
    .order_by(message.c.urgency == Urgency.NORMAL.value, message.c.created_at, message.c.id)
)


def number_place(practice: UUID, message_id: UUID) -> Place:
    """Where the number of a message is sealed for."""
    return Place(practice, "message", "number", message_id)


def text_place(practice: UUID, message_id: UUID) -> Place:
    """Where what an operator has written down is sealed for."""
    return Place(practice, "message", "text", message_id)
