"""Spoken messages: where each sound is, and the sound itself, sealed.

A row is made when the caller has spoken; the sound comes later, by a job. Whatever becomes of it, the row stays until
the carrier has confirmed that its copy is gone (RC-06).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, or_, select, text, update

from callcenter.practice.tables import message, voice_message
from callcenter.practice.values import VoiceState
from callcenter.store.database import Transaction
from callcenter.store.sealed import Place, Sealer

# RC-06: a spoken message is health data; it is kept shortly.
KEPT = timedelta(days=30)
KEPT_ONCE_HANDLED = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class AtCarrier:
    """A spoken message of which the carrier has, or may have, a copy.

    Arguments:
        call_sid, recording_sid: how the carrier knows it.
        tries: of the work that is due on it; they begin anew once the sound is settled.
        alerted: somebody has been told that this takes too long.
    """

    id: UUID
    call_sid: str
    recording_sid: str
    state: VoiceState
    left_at: datetime
    tries: int
    tried_at: datetime | None
    alerted: bool


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound file.

    Arguments:
        media_type: ``audio/wav`` or ``audio/mpeg``.
    """

    content: bytes = field(repr=False)
    media_type: str


class VoiceMessages:
    """Spoken messages of the practice of a transaction.

    Arguments:
        sealer: for the sounds.
    """

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    async def add(
        self,
        tx: Transaction,
        *,
        id: UUID,  # the identifier is the caller's to make
        message_id: UUID,
        call: UUID,
        recording_sid: str,
        seconds: int,
        now: datetime,
    ) -> None:
        """Keep that something was spoken with a message.

        Arguments:
            call: our identifier of the call in which it was.
            recording_sid: the carrier's identifier of the sound.
            now: aware.
        """
        values = {
            "id": id,
            "practice": tx.practice,
            "message": message_id,
            "call": call,
            "recording": recording_sid,
            "seconds": seconds,
            "now": now,
        }
        await tx.connection.execute(_ADD, values)

    async def of_recording(self, tx: Transaction, recording_sid: str) -> UUID | None:
        """The spoken message that the carrier knows as ``recording_sid``."""
        query = select(voice_message.c.id).where(
            voice_message.c.practice_id == tx.practice, voice_message.c.recording_sid == recording_sid
        )
        found = (await tx.connection.execute(query)).scalar_one_or_none()
        return None if found is None else UUID(str(found))

    async def at_carrier(self, tx: Transaction, voice: UUID) -> AtCarrier | None:
        """One spoken message, unless nothing is left to do with the carrier's copy."""
        query = select(voice_message).where(
            voice_message.c.practice_id == tx.practice, voice_message.c.id == voice, _LEFT_TO_DO
        )
        row = (await tx.connection.execute(query)).one_or_none()
        return None if row is None else _at_carrier(row)

    async def all_at_carrier(self, tx: Transaction, limit: int = 200) -> Sequence[AtCarrier]:
        """Those of which the carrier has a copy, oldest first, at most ``limit``."""
        query = (
            select(voice_message)
            .where(voice_message.c.practice_id == tx.practice, _LEFT_TO_DO)
            .order_by(voice_message.c.left_at, voice_message.c.id)
            .limit(limit)
        )
        return [_at_carrier(row) for row in (await tx.connection.execute(query)).all()]

    async def keep(self, tx: Transaction, voice: UUID, sound: Sound, now: datetime) -> bool:
        """Seal the sound of a message that waits for it; ``False`` if none waits any more."""
        sealed = self._sealer.seal(sound.content, _place(tx, voice))
        values = {"state": VoiceState.KEPT.value, "sound": sealed, "media_type": sound.media_type}
        return await self._settle(tx, voice, now, **values)

    async def lose(self, tx: Transaction, voice: UUID, now: datetime) -> bool:
        """There is no sound to be had for a message that waits for it; ``False`` if none waits any more."""
        return await self._settle(tx, voice, now, state=VoiceState.LOST.value)

    async def _settle(self, tx: Transaction, voice: UUID, now: datetime, **values: object) -> bool:
        statement = (
            update(voice_message)
            .where(
                voice_message.c.practice_id == tx.practice,
                voice_message.c.id == voice,
                voice_message.c.state == VoiceState.WAITING.value,
            )
            .values(settled_at=now, tries=0, tried_at=None, **values)
            .returning(voice_message.c.id)
        )
        return (await tx.connection.execute(statement)).one_or_none() is not None

    async def deleted_at_carrier(self, tx: Transaction, voice: UUID, now: datetime) -> bool:
        """The carrier has confirmed that its copy is gone; ``False`` if that was known, or it is still the only one."""
        statement = (
            update(voice_message)
            .where(
                voice_message.c.practice_id == tx.practice,
                voice_message.c.id == voice,
                voice_message.c.state != VoiceState.WAITING.value,
                voice_message.c.deleted_at.is_(None),
            )
            .values(deleted_at=now)
            .returning(voice_message.c.id)
        )
        return (await tx.connection.execute(statement)).one_or_none() is not None

    async def tried(self, tx: Transaction, voice: UUID, now: datetime, *, alerted: bool) -> None:
        """Count one more try that came to nothing, and whether somebody has been told."""
        values: dict[str, object] = {"tries": voice_message.c.tries + 1, "tried_at": now}
        if alerted:
            values["alerted_at"] = func.coalesce(voice_message.c.alerted_at, now)
        where = (voice_message.c.practice_id == tx.practice, voice_message.c.id == voice)
        await tx.connection.execute(update(voice_message).where(*where).values(**values))

    async def sound(self, tx: Transaction, message_id: UUID) -> Sound | None:
        """What was spoken with a message, opened: for staff, and only once that is on record."""
        query = select(voice_message).where(
            voice_message.c.practice_id == tx.practice,
            voice_message.c.message_id == message_id,
            voice_message.c.state == VoiceState.KEPT.value,
        )
        row = (await tx.connection.execute(query)).one_or_none()
        if row is None:
            return None
        return Sound(self._sealer.open(row.sound, _place(tx, row.id)), row.media_type)

    async def erase_old(self, tx: Transaction, now: datetime) -> Sequence[UUID]:
        """Erase the sounds whose time is over; returns of which spoken messages."""
        handled = select(message.c.id).where(
            message.c.practice_id == tx.practice, message.c.handled_at < now - KEPT_ONCE_HANDLED
        )
        statement = (
            update(voice_message)
            .where(
                voice_message.c.practice_id == tx.practice,
                voice_message.c.state == VoiceState.KEPT.value,
                or_(voice_message.c.left_at < now - KEPT, voice_message.c.message_id.in_(handled)),
            )
            .values(state=VoiceState.ERASED.value, sound=None, media_type=None)
            .returning(voice_message.c.id)
        )
        return [UUID(str(found)) for found in (await tx.connection.execute(statement)).scalars()]


async def count_left(tx: Transaction, before: datetime) -> int:
    """How many spoken messages since before ``before`` (aware) the carrier may have, or somebody was told of."""
    query = select(func.count()).where(
        voice_message.c.practice_id == tx.practice,
        _LEFT_TO_DO,
        or_(voice_message.c.left_at <= before, voice_message.c.alerted_at.is_not(None)),
    )
    return int((await tx.connection.execute(query)).scalar_one())


_LEFT_TO_DO = or_(voice_message.c.state == VoiceState.WAITING.value, voice_message.c.deleted_at.is_(None))

_ADD = text(
    """
    INSERT INTO voice_message (id, practice_id, message_id, call_sid, recording_sid, seconds, left_at)
    SELECT :id, :practice, :message, carrier_sid, :recording, :seconds, :now FROM call WHERE id = :call
    """
)


def _at_carrier(row: Row[Any]) -> AtCarrier:
    return AtCarrier(
        row.id,
        row.call_sid,
        row.recording_sid,
        VoiceState(row.state),
        row.left_at,
        row.tries,
        row.tried_at,
        row.alerted_at is not None,
    )


def _place(tx: Transaction, voice: UUID) -> Place:
    return Place(tx.practice, "voice_message", "sound", voice)
