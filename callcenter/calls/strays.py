"""Recordings that the carrier has and no row of ours knows: the database was down at the very moment they were made.

Whoever spoke then left a message as everybody else does. Only the carrier's own list tells of it: a job looks through
that every hour, and makes what it finds a message of the practice that was called, which then goes the usual way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import structlog
from sqlalchemy import select

from callcenter.audit.ledger import Entry, EventKind, Value, note
from callcenter.calls.recordings import FETCH_RECORDING, RECORDINGS
from callcenter.calls.tables import call
from callcenter.kernel.clock import Clock
from callcenter.kernel.randomness import Random, new_id
from callcenter.practice.everywhere import in_each
from callcenter.practice.inbox import Inbox
from callcenter.practice.voice_messages import VoiceMessages
from callcenter.store.database import Database, Transaction
from callcenter.store.jobs import defer
from callcenter.store.sealed import Sealer

_log = structlog.get_logger(__name__)

#: Until then the call itself, or the carrier's report about the file, may still tell of it.
MAY_STILL_BE_TOLD = timedelta(minutes=20)
#: A day, and the hours of an outage at its end.
LOOKED_BACK = timedelta(hours=26)

_ACTOR: dict[str, Value] = {"kind": "job", "id": "stray_recordings"}
#: Key of the reason, as of every message that gives none.
_REASON = "unspecified"


@dataclass(frozen=True, slots=True)
class ListedRecording:
    """A finished recording, as the carrier lists it.

    Arguments:
        call_sid, recording_sid: how the carrier knows it.
        seconds: how long it lasts.
        begun_at: when the caller began to speak (aware).
    """

    call_sid: str
    recording_sid: str
    seconds: int
    begun_at: datetime


class RecordingList(Protocol):
    """The carrier, which knows all recordings of the account."""

    async def recordings(self, after: datetime, before: datetime) -> Sequence[ListedRecording]:
        """The finished recordings that began between two moments (aware), and that a document asked for.

        Raises:
            Unavailable: it may be had later.
        """


@dataclass(frozen=True, slots=True)
class StrayRecordings:
    """Takes up recordings that nobody told us of; done by the job worker.

    Arguments:
        random: for the identifiers of messages and records.
        source: the carrier.
    """

    database: Database
    sealer: Sealer
    clock: Clock
    random: Random
    source: RecordingList

    async def take_up(self) -> int:
        """Make messages of the recordings of our calls that no row knows; returns how many.

        Recordings of other calls belong to whatever else uses the account: they are counted, and left alone.

        Raises:
            Unavailable: the carrier does not list them, or the database is down.
            PracticesFailed: it failed for some practices, once it was done for the others.
        """
        now = self.clock.now()
        listed = await self.source.recordings(now - LOOKED_BACK, now - MAY_STILL_BE_TOLD)
        ours = await self._of_practices(listed)
        others = len(listed) - sum(map(len, ours.values()))
        if others:
            _log.info("recordings_of_other_calls", count=others)
        return await in_each(self.database, lambda practice: self._take_up(practice, ours.get(practice, ())))

    async def _of_practices(self, listed: Sequence[ListedRecording]) -> Mapping[UUID, Sequence[ListedRecording]]:
        """Those of our calls, by the practice that was called."""
        query = select(call.c.carrier_sid, call.c.practice_id).where(
            call.c.carrier_sid.in_({one.call_sid for one in listed})
        )
        async with self.database.house() as connection:
            practices = {row.carrier_sid: row.practice_id for row in await connection.execute(query)}
        ours: defaultdict[UUID, list[ListedRecording]] = defaultdict(list)
        for one in listed:
            if one.call_sid in practices:
                ours[practices[one.call_sid]].append(one)
        return ours

    async def _take_up(self, practice: UUID, listed: Sequence[ListedRecording]) -> int:
        taken = 0
        for one in listed:
            async with self.database.practice(practice) as tx:
                taken += await self._take(tx, one)
        return taken

    async def _take(self, tx: Transaction, one: ListedRecording) -> bool:
        """Make a message of one recording, unless there is one. The call is locked, as in each of its steps."""
        query = select(call.c.id).where(call.c.practice_id == tx.practice, call.c.carrier_sid == one.call_sid)
        of = (await tx.connection.execute(query.with_for_update())).scalar_one()
        voices = VoiceMessages(self.sealer)
        if await voices.of_recording(tx, one.recording_sid) is not None:
            return False
        message, voice = new_id(self.random), new_id(self.random)
        await Inbox(self.sealer).leave(
            tx, id=message, reason=_REASON, number=None, call_reference=of, now=one.begun_at, kind="voice"
        )
        await voices.add(
            tx,
            id=voice,
            message_id=message,
            call=of,
            recording_sid=one.recording_sid,
            seconds=one.seconds,
            now=one.begun_at,
        )
        content: dict[str, Value] = {"refs": [f"message:{message}", f"voice_message:{voice}"]}
        await note(tx, Entry(EventKind.VOICE_LEFT, _ACTOR, None, content), self.clock, self.random, stream=voice)
        await defer(tx.connection, FETCH_RECORDING, queue=RECORDINGS, practice=tx.practice, voice=voice)
        _log.warning("voice_message_found", reference=str(voice))
        return True
