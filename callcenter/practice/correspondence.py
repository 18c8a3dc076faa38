"""Messages as whoever they are for reads and answers them, and as others see that there are some.

A heading holds nothing of what was said: no number, no text, no sound. What a message says is opened by
:meth:`Correspondence.opened` alone, which is called once a record of it stands in the same transaction (P1).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from callcenter.practice.inbox import number_place, text_place
from callcenter.practice.values import SpokenMessage, Urgency, VoiceState
from callcenter.store.database import Transaction
from callcenter.store.sealed import Place, Sealer

#: For so long after it was handled, whoever wrote a message sees what became of it.
SHOWN_TO_ITS_WRITER = timedelta(days=7)


class Answer(StrEnum):
    """What a practitioner answers."""

    CALL_BACK = "call_back"
    APPOINTMENT_GIVEN = "appointment_given"
    #: Of a renewal or a certificate alone: it is ready, or not given.
    READY = "ready"
    REFUSED = "refused"
    #: In words of their own.
    OTHER = "other"
    #: Nobody has to do anything.
    NOTHING = "nothing"


#: Kinds of message that ask for a document.
DOCUMENTS = frozenset({"renewal", "certificate"})


def answers_to(kind: str) -> tuple[Answer, ...]:
    """What may be answered to a message of that kind."""
    documents = (Answer.READY, Answer.REFUSED) if kind in DOCUMENTS else ()
    return (*documents, Answer.CALL_BACK, Answer.APPOINTMENT_GIVEN, Answer.OTHER, Answer.NOTHING)


@dataclass(frozen=True, slots=True)
class Heading:
    """That there is a message.

    Arguments:
        practitioner: whom it is for, ``None`` for the practice; ``whom`` is their title and name.
        spoken: there is, or was, a sound with it.
        written_by: the account that wrote its text.
        read_at, read_by: when whoever it is for has read it, and by which account.
        handled_at, handled_by: when it was dealt with, and by whom: an account, or a name that a command was given.
        answer: by which it was, if by one.
    """

    id: UUID
    kind: str
    reason: str
    urgency: Urgency
    practitioner: UUID | None
    whom: str | None
    created_at: datetime
    spoken: bool
    written_by: UUID | None
    read_at: datetime | None
    read_by: UUID | None
    handled_at: datetime | None
    handled_by: str | None
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class Contents:
    """What a message says, opened for whoever may read it; must not be logged.

    Arguments:
        number: E.164 at which to call back.
        text: as somebody wrote it down.
        answer_text: what was added to the answer.
        language: in which the caller was spoken to (ISO 639-1).
    """

    number: str | None = field(repr=False)
    text: str | None = field(repr=False)
    answer_text: str | None = field(repr=False)
    language: str
    relayed: bool
    voice: SpokenMessage | None


@dataclass(frozen=True, slots=True)
class Whose:
    """Which messages are looked at.

    Arguments:
        everybodys: of the whole practice, for whomever they are.
        practitioner: else, those for this one.
        of_practice: and those for nobody in particular.
        writer: an account that sees for a while what became of those that it wrote.
    """

    everybodys: bool = False
    practitioner: UUID | None = None
    of_practice: bool = False
    writer: UUID | None = None


class Correspondence:
    """Messages of the practice of a transaction.

    Arguments:
        sealer: opens what they say, and seals what is answered.
    """

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    async def headings(self, tx: Transaction, whose: Whose, now: datetime, limit: int) -> Sequence[Heading]:
        """What waits, urgent ones first, then oldest first; behind it, what became of the writer's own."""
        values = {
            "practice": tx.practice,
            "everybodys": whose.everybodys,
            "practitioner": whose.practitioner,
            "of_practice": whose.of_practice,
            "writer": whose.writer,
            "since": now - SHOWN_TO_ITS_WRITER,
            "limit": limit,
        }
        return [_heading(row) for row in (await tx.connection.execute(_HEADINGS, values)).all()]

    async def unread(self, tx: Transaction, whose: Whose) -> int:
        """How many wait that nobody has read."""
        values = {
            "practice": tx.practice,
            "everybodys": whose.everybodys,
            "practitioner": whose.practitioner,
            "of_practice": whose.of_practice,
        }
        return int((await tx.connection.execute(_UNREAD, values)).scalar_one())

    async def headings_of(self, tx: Transaction, messages: Collection[UUID]) -> Sequence[Heading]:
        """Of these messages."""
        values = {"practice": tx.practice, "messages": list(messages)}
        return [_heading(row) for row in (await tx.connection.execute(_THESE, values)).all()]

    async def held(self, tx: Transaction, message: UUID) -> Heading | None:
        """One message, which nobody else does anything with until the transaction is over; ``None``: there is none."""
        row = (await tx.connection.execute(_HELD, {"practice": tx.practice, "message": message})).one_or_none()
        return None if row is None else _heading(row)

    async def opened(self, tx: Transaction, message: UUID) -> Contents:
        """What a message says."""
        row = (await tx.connection.execute(_OPENED, {"practice": tx.practice, "message": message})).one()

        def open_text(sealed: bytes | None, place: Place) -> str | None:
            return None if sealed is None else self._sealer.open_text(sealed, place)

        voice = None
        if row.state is not None:
            at_carrier = row.deleted_at is None
            voice = SpokenMessage(VoiceState(row.state), row.seconds, at_carrier, alerted=False)
        return Contents(
            number=open_text(row.number, number_place(tx.practice, message)),
            text=open_text(row.text, text_place(tx.practice, message)),
            answer_text=open_text(row.answer_text, _answer_place(tx.practice, message)),
            language=row.language,
            relayed=row.relayed,
            voice=voice,
        )

    async def read(self, tx: Transaction, message: UUID, by: UUID, now: datetime) -> bool:
        """Give the receipt: whoever it is for has read it. False where that was so already."""
        values = {"practice": tx.practice, "message": message, "by": by, "now": now}
        return (await tx.connection.execute(_READ, values)).one_or_none() is not None

    async def answer(
        self, tx: Transaction, message: UUID, answer: Answer, words: str | None, by: UUID, now: datetime
    ) -> bool:
        """Answer a message, which is dealt with by that. False where somebody has dealt with it."""
        sealed = None if words is None else self._sealer.seal_text(words, _answer_place(tx.practice, message))
        values = {
            "practice": tx.practice,
            "message": message,
            "answer": answer.value,
            "words": sealed,
            "by": str(by),
            "now": now,
        }
        return (await tx.connection.execute(_ANSWER, values)).one_or_none() is not None


def _heading(row: Row[Any]) -> Heading:
    return Heading(
        id=row.id,
        kind=row.kind,
        reason=row.reason,
        urgency=Urgency(row.urgency),
        practitioner=row.practitioner_id,
        whom=None if row.name is None else f"{row.title} {row.name}".strip(),
        created_at=row.created_at,
        spoken=row.spoken,
        written_by=row.written_by,
        read_at=row.read_at,
        read_by=row.read_by,
        handled_at=row.handled_at,
        handled_by=row.handled_by,
        answer=None if row.answer is None else Answer(row.answer),
    )


def _answer_place(practice: UUID, message: UUID) -> Place:
    return Place(practice, "message", "answer_text", message)


_HEADING = """
    SELECT m.id, m.kind, m.reason, m.urgency, m.practitioner_id, m.created_at, m.written_by, m.read_at, m.read_by,
        m.handled_at, m.handled_by, m.answer, p.title, p.name, v.id IS NOT NULL AS spoken
    FROM message m
    LEFT JOIN practitioner p ON p.practice_id = m.practice_id AND p.id = m.practitioner_id
    LEFT JOIN voice_message v ON v.practice_id = m.practice_id AND v.message_id = m.id
    WHERE m.practice_id = :practice
"""
_OF_THEIRS = """
        AND (
            :everybodys OR m.practitioner_id = cast(:practitioner AS uuid)
            OR (:of_practice AND m.practitioner_id IS NULL)
        )
"""
_UNREAD = text(
    f"""
    SELECT count(*) FROM message m
    WHERE m.practice_id = :practice AND m.handled_at IS NULL AND m.read_at IS NULL {_OF_THEIRS}
    """  # noqa: S608 - our own words alone
)
_HEADINGS = text(
    f"""
    {_HEADING}
        AND (m.handled_at IS NULL OR (m.written_by = cast(:writer AS uuid) AND m.handled_at > :since))
        {_OF_THEIRS}
    ORDER BY m.handled_at IS NOT NULL, m.urgency = 'normal', m.created_at, m.id LIMIT :limit
    """
)
_THESE = text(f"{_HEADING} AND m.id = ANY (cast(:messages AS uuid[]))")
# No key is changed: what refers to a message may be made meanwhile, by whoever holds its escalation (no deadlock).
_HELD = text(f"{_HEADING} AND m.id = :message FOR NO KEY UPDATE OF m")
_OPENED = text(
    """
    SELECT m.number, m.text, m.answer_text, m.language, m.relayed, v.state, v.seconds, v.deleted_at
    FROM message m LEFT JOIN voice_message v ON v.practice_id = m.practice_id AND v.message_id = m.id
    WHERE m.practice_id = :practice AND m.id = :message
    """
)
_READ = text(
    """
    UPDATE message SET read_at = :now, read_by = :by
    WHERE practice_id = :practice AND id = :message AND read_at IS NULL RETURNING id
    """
)
_ANSWER = text(
    """
    UPDATE message SET handled_at = :now, handled_by = :by, answer = :answer, answer_text = :words
    WHERE practice_id = :practice AND id = :message AND handled_at IS NULL RETURNING id
    """
)
