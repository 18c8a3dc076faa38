"""STOP and START in a text message: written down once by the webhook, kept practice by practice by a job.

A STOP is about a number, after whichever of our texts: each practice keeps it that has the number on file, has sent it
a reminder, or has heard from it before. No list tells which practices those are (P5). So the webhook keeps the number
sealed, where nobody finds it who does not name its row, and the job looks for it in one practice after the other, each
in its own transaction. Nothing is answered to either, whoever sends it, and the same statements run (P6).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Row, select, text

from callcenter.calls.appointment_texts import WORDING
from callcenter.kernel.clock import Clock
from callcenter.kernel.randomness import Random, SystemRandom
from callcenter.notices.choices import Choice, ChosenBy, note_choice
from callcenter.practice.file import PatientFile
from callcenter.practice.tables import practice
from callcenter.store.database import SET_ROW, Database
from callcenter.store.jobs import defer
from callcenter.store.sealed import NO_PRACTICE, Place, Sealer

#: The job that keeps one, and its queue: one of those on which nobody's code waits. It looks into every practice, which
#: takes seconds where there are a thousand.
KEEP_TEXT_WORD, QUEUE = "keep_text_word", "reminders"
#: A reminder, and whatever else is due there, goes before.
PRIORITY = -1

#: One that is not kept after this long has lost its job.
JOB_LOST_AFTER = timedelta(minutes=30)
#: For which the carrier might post a text again (P3); its number is forgotten as soon as it is kept.
REPEATED_WITHIN = timedelta(hours=25)

_STOP, _START = "stop", "start"
_CHOICES = {_STOP: Choice.OPPOSED, _START: Choice.WITHDRAWN}


@dataclass(frozen=True, slots=True)
class TextsReceived:
    """STOP and START, from whatever telephone. Implements ``telephony.ports.TextsReceived``."""

    database: Database
    sealer: Sealer
    clock: Clock
    random: Random = field(default_factory=SystemRandom)

    async def stop(self, number: str, message: UUID) -> None:
        """``number`` (E.164) wants no more reminders, as the text ``message`` says."""
        await self._write_down(number, message, _STOP)

    async def start(self, number: str, message: UUID) -> None:
        """``number`` (E.164) opposes reminders no more, as the text ``message`` says. That is no consent."""
        await self._write_down(number, message, _START)

    async def _write_down(self, number: str, message: UUID, word: str) -> None:
        """Keep the word with its job, or neither; the same text again has no effect."""
        values = {"id": message, "word": word, "now": self.clock.now()}
        async with self.database.house() as connection:
            if (await connection.execute(_WRITE_WORD, values)).one_or_none() is None:
                return
            await connection.execute(SET_ROW, {"row": str(message)})
            sealed = self.sealer.seal_text(number, _place(message))
            await connection.execute(_WRITE_NUMBER, {"id": message, "number": sealed})
            await defer(connection, KEEP_TEXT_WORD, queue=QUEUE, priority=PRIORITY, word=message)

    async def keep(self, word: UUID) -> None:
        """Have every practice keep it that knows its number, and forget the number.

        A job that breaks off is run again: what a practice has kept, it keeps once. In which order two words of one
        number are kept makes no difference: the one that was received last holds.

        Raises:
            DatabaseDown: to be tried again.
        """
        async with self.database.house() as connection:
            await connection.execute(SET_ROW, {"row": str(word)})
            row = (await connection.execute(_TO_KEEP, {"id": word})).one_or_none()
            practices = list((await connection.execute(select(practice.c.id).order_by(practice.c.id))).scalars())
        if row is None:
            return
        number = self.sealer.open_text(row.number, _place(word))
        for practice_id in practices:
            await self._keep_at(practice_id, word, row, number)
        async with self.database.house() as connection:
            await connection.execute(SET_ROW, {"row": str(word)})
            await connection.execute(_FORGET_NUMBER, {"id": word})
            await connection.execute(_KEPT, {"id": word, "now": self.clock.now()})

    async def _keep_at(self, practice_id: UUID, word: UUID, row: Row[Any], number: str) -> None:
        values = {
            "practice": practice_id,
            "id": uuid5(word, str(practice_id)),  # always the same, so that it is kept once
            "index": PatientFile(self.sealer, practice_id).phone_index(number),
            "choice": _CHOICES[row.word].value,
            "channel": ChosenBy.SMS.value,
            "wording": WORDING,
            "at": row.received_at,
        }
        async with self.database.practice(practice_id) as tx:
            kept = (await tx.connection.execute(_KEEP_IF_KNOWN, values)).scalar_one_or_none()
            if kept is not None:
                await note_choice(tx, kept, self.clock, self.random)

    async def settle(self) -> None:
        """Give those another job that have lost theirs, and forget those that nobody posts again."""
        now = self.clock.now()
        async with self.database.house() as connection:
            for word in (await connection.execute(_LOST, {"before": now - JOB_LOST_AFTER})).scalars().all():
                await defer(connection, KEEP_TEXT_WORD, queue=QUEUE, priority=PRIORITY, word=word)
            await connection.execute(_FORGET, {"before": now - REPEATED_WITHIN})


def _place(word: UUID) -> Place:
    return Place(NO_PRACTICE, "text_word_number", "number", word)


_WRITE_WORD = text(
    "INSERT INTO text_word (id, word, received_at) VALUES (:id, :word, :now) ON CONFLICT (id) DO NOTHING RETURNING id"
)
_WRITE_NUMBER = text("INSERT INTO text_word_number (word_id, number) VALUES (:id, :number)")
_TO_KEEP = text(
    """
    SELECT w.word, w.received_at, n.number FROM text_word w JOIN text_word_number n ON n.word_id = w.id
    WHERE w.id = :id AND w.kept_at IS NULL
    """
)
_FORGET_NUMBER = text("DELETE FROM text_word_number WHERE word_id = :id")
_KEPT = text("UPDATE text_word SET kept_at = :now WHERE id = :id AND kept_at IS NULL")
_LOST = text("SELECT id FROM text_word WHERE kept_at IS NULL AND received_at < :before")
_FORGET = text("DELETE FROM text_word WHERE kept_at < :before")

_KEEP_IF_KNOWN = text(
    """
    INSERT INTO reminder_choice (id, practice_id, phone_index, choice, channel, wording, made_at)
    SELECT cast(:id AS uuid), :practice, cast(:index AS bytea), cast(:choice AS text), cast(:channel AS text),
           cast(:wording AS text), cast(:at AS timestamptz)
    WHERE EXISTS (SELECT FROM contact WHERE practice_id = :practice AND phone_index = :index)
       OR EXISTS (SELECT FROM reminder WHERE practice_id = :practice AND phone_index = :index)
       OR EXISTS (SELECT FROM reminder_choice WHERE practice_id = :practice AND phone_index = :index)
    ON CONFLICT (id) DO NOTHING RETURNING id
    """
)
