"""The sound of a spoken message: fetched from the carrier, sealed here, then deleted there until that is confirmed.

The order is the promise: the carrier's copy goes only once ours is committed, or once there is certainly none to have;
and it counts as gone only once the carrier has said so. What does not succeed is tried again, for ever, and after a day
somebody is told (RC-06).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import structlog

from callcenter.audit.ledger import Entry, EventKind, Value, note
from callcenter.flow.conversation import LONGEST_MESSAGE
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import Unavailable
from callcenter.kernel.randomness import Random
from callcenter.practice.everywhere import all_practices, in_each
from callcenter.practice.values import VoiceState
from callcenter.practice.voice_messages import AtCarrier, Sound, VoiceMessages, count_left
from callcenter.store.database import Database, Transaction
from callcenter.store.jobs import defer
from callcenter.store.sealed import Sealer

_log = structlog.get_logger(__name__)

#: Jobs by the names under which the worker knows them, and their queue.
FETCH_RECORDING, DELETE_RECORDING, RECORDINGS = "fetch_recording", "delete_recording", "recordings"

#: A message of two minutes is 2 MB as the carrier makes it (8 kHz, 16 bits, mono).
LARGEST_SOUND = 4 * 1024 * 1024
#: The carrier stops a moment after what it was told.
LONGEST_SOUND = LONGEST_MESSAGE + 10

#: Until then a file that is not there may still come.
MAY_STILL_COME = timedelta(hours=1)
#: After so many tries, or so long, somebody is told.
TRIES_BEFORE_ALARM = 8
ALARM_AFTER = timedelta(hours=24)
#: For this long the jobs that a call itself made are at work.
JOBS_TURN = timedelta(minutes=2)
LONGEST_PAUSE = timedelta(hours=1)

_ACTOR: dict[str, Value] = {"kind": "job", "id": "recordings"}


class NotYet(Unavailable):
    """The carrier has not given, or not deleted, a recording: to be tried again."""


class NoSound(StrEnum):
    """Why the carrier gives no sound that we keep."""

    #: It knows no such recording of that call, or has not finished it.
    MISSING = "missing"
    #: It heard nothing.
    ABSENT = "absent"
    #: It is too large or too long, or no sound file.
    UNFIT = "unfit"


class RecordingSource(Protocol):
    """The carrier, which has what callers have spoken."""

    async def recording(
        self, call_sid: str, recording_sid: str, *, most_bytes: int, most_seconds: int
    ) -> bytes | NoSound:
        """The sound file of a recording of that very call.

        Raises:
            Unavailable: it may be had later.
        """

    async def delete_recording(self, call_sid: str, recording_sid: str) -> None:
        """Delete a recording of that very call; returns once the carrier has confirmed that it has none.

        Raises:
            Unavailable: that is not confirmed.
        """


class Alarm(Protocol):
    """Who is told of what somebody must look after."""

    def recording_left(self, voice: UUID) -> None:
        """The carrier has kept a recording for too long. ``voice`` is opaque."""


def media_type_of(content: bytes) -> str | None:
    """The type of a sound file by its first bytes: ``audio/wav``, ``audio/mpeg``, or ``None`` for anything else."""
    if content[:4] == b"RIFF" and content[8:12] == b"WAVE":
        return "audio/wav"
    if content[:3] == b"ID3" or (len(content) > 1 and content[0] == 0xFF and content[1] & 0xE0 == 0xE0):
        return "audio/mpeg"
    return None


@dataclass(frozen=True, slots=True)
class Recordings:
    """Fetches, seals and deletes; done by the job worker.

    Arguments:
        random: for the identifiers of records.
        source: the carrier.
        alarm: told when the carrier keeps something for too long.
    """

    database: Database
    sealer: Sealer
    clock: Clock
    random: Random
    source: RecordingSource
    alarm: Alarm

    async def fetch(self, practice: UUID, voice: UUID) -> None:
        """Fetch the sound of one spoken message and seal it; the carrier's copy is then to be deleted.

        Raises:
            NotYet: it may be had later.
        """
        row = await self._row(practice, voice)
        if row is None or row.state is not VoiceState.WAITING:
            return
        try:
            found = await self.source.recording(
                row.call_sid, row.recording_sid, most_bytes=LARGEST_SOUND, most_seconds=LONGEST_SOUND
            )
        except Unavailable as error:
            await self._failed(practice, row)
            raise NotYet from error
        if found is NoSound.MISSING and self.clock.now() - row.left_at < MAY_STILL_COME:
            await self._failed(practice, row)
            raise NotYet
        media_type = None if isinstance(found, NoSound) else media_type_of(found)
        if isinstance(found, NoSound) or media_type is None:
            why = found if isinstance(found, NoSound) else NoSound.UNFIT
            await self._lose(practice, voice, why)
        else:
            await self._keep(practice, voice, Sound(found, media_type))

    async def delete(self, practice: UUID, voice: UUID) -> None:
        """Delete the carrier's copy of one spoken message whose sound is settled here.

        Raises:
            NotYet: the carrier has not confirmed it.
        """
        row = await self._row(practice, voice)
        if row is None or row.state is VoiceState.WAITING:
            return
        try:
            await self.source.delete_recording(row.call_sid, row.recording_sid)
        except Unavailable as error:
            await self._failed(practice, row)
            raise NotYet from error
        now = self.clock.now()
        async with self.database.practice(practice) as tx:
            if await self._voices.deleted_at_carrier(tx, voice, now):
                await self._note(tx, voice, EventKind.VOICE_DELETED_AT_CARRIER)

    async def sweep(self) -> int:
        """Take up again what no job works on any more, each at its time; returns on how many something was done."""
        done = 0
        for practice in await all_practices(self.database):
            async with self.database.practice(practice) as tx:
                left = await self._voices.all_at_carrier(tx)
            for row in left:
                if not self._due(row):
                    continue
                try:
                    if row.state is VoiceState.WAITING:
                        await self.fetch(practice, row.id)
                    await self.delete(practice, row.id)
                except NotYet:
                    continue
                done += 1
        return done

    async def erase(self) -> int:
        """Erase the sounds whose time is over (RC-06); returns how many."""
        return await erase_sounds(self.database, self.sealer, self.clock, self.random)

    @property
    def _voices(self) -> VoiceMessages:
        return VoiceMessages(self.sealer)

    def _due(self, row: AtCarrier) -> bool:
        now = self.clock.now()
        if row.tried_at is None:
            return now - row.left_at >= JOBS_TURN
        return now - row.tried_at >= min(timedelta(minutes=2 ** min(row.tries, 10)), LONGEST_PAUSE)

    async def _row(self, practice: UUID, voice: UUID) -> AtCarrier | None:
        async with self.database.practice(practice) as tx:
            return await self._voices.at_carrier(tx, voice)

    async def _keep(self, practice: UUID, voice: UUID, sound: Sound) -> None:
        async with self.database.practice(practice) as tx:
            if await self._voices.keep(tx, voice, sound, self.clock.now()):
                await self._note(tx, voice, EventKind.VOICE_KEPT, media_type=sound.media_type)
                await defer(tx.connection, DELETE_RECORDING, queue=RECORDINGS, practice=practice, voice=voice)

    async def _lose(self, practice: UUID, voice: UUID, why: NoSound) -> None:
        _log.warning("voice_message_lost", reference=str(voice), why=why.value)
        async with self.database.practice(practice) as tx:
            if await self._voices.lose(tx, voice, self.clock.now()):
                await self._note(tx, voice, EventKind.VOICE_LOST, reason=why.value)
                await defer(tx.connection, DELETE_RECORDING, queue=RECORDINGS, practice=practice, voice=voice)

    async def _failed(self, practice: UUID, row: AtCarrier) -> None:
        """Count a try; tell somebody, once, when there were too many or it has lasted too long."""
        now = self.clock.now()
        alarming = row.tries + 1 >= TRIES_BEFORE_ALARM or now - row.left_at >= ALARM_AFTER
        async with self.database.practice(practice) as tx:
            await self._voices.tried(tx, row.id, now, alerted=alarming)
        if alarming and not row.alerted:
            self.alarm.recording_left(row.id)

    async def _note(self, tx: Transaction, voice: UUID, kind: EventKind, **content: Value) -> None:
        await _note(tx, voice, kind, self.clock, self.random, **content)


async def kept_too_long(tx: Transaction, now: datetime) -> int:
    """How many recordings of the practice of ``tx`` the carrier has kept for a day or more."""
    return await count_left(tx, now - ALARM_AFTER)


async def erase_sounds(database: Database, sealer: Sealer, clock: Clock, random: Random) -> int:
    """Erase the sounds whose time is over (RC-06), each on record; returns how many."""

    async def erase(practice: UUID) -> int:
        async with database.practice(practice) as tx:
            erased = await VoiceMessages(sealer).erase_old(tx, clock.now())
            for voice in erased:
                await _note(tx, voice, EventKind.VOICE_ERASED, clock, random)
        return len(erased)

    return await in_each(database, erase)


async def _note(tx: Transaction, voice: UUID, kind: EventKind, clock: Clock, random: Random, **content: Value) -> None:
    """On record, in a stream of the message's own."""
    entry = Entry(kind, _ACTOR, None, {"refs": [f"voice_message:{voice}"], **content})
    await note(tx, entry, clock, random, stream=voice)
