"""A log to measure: as many records as are wanted, each of them one of a real verified call, written by our own pen."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from callcenter.audit.ledger import Entry, EventKind, Segment, writing
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.randomness import SystemRandom, new_id
from callcenter.store.database import Database
from tests.bench.command import say

#: Streams that are written in one transaction: it is not the writing that is measured.
AT_ONCE = 200
#: Records after which a word is said of how far it is.
A_WHILE = 100_000
#: What the pen writes by itself, of the stream and the moment.
_HEADER = frozenset({"v", "log", "id", "stream", "seq", "prev", "ts", "event", "actor", "call", "subject"})


async def call_on_record(database: Database, practice: UUID, call: UUID) -> tuple[Entry, ...]:
    """What stands on record of a call, to be written again of others."""
    async with database.practice(practice) as tx:
        found = await tx.connection.execute(_RECORDS, {"call": call})
        return tuple(_entry(json.loads(row.body), row.patient) for row in found)


def _entry(said: dict[str, Any], patient: UUID | None) -> Entry:
    content = {name: value for name, value in said.items() if name not in _HEADER}
    return Entry(EventKind(said["event"]), said["actor"], patient, content)


async def fill(database: Database, practice: UUID, call: UUID, entries: Sequence[Entry], records: int) -> None:
    """Write ``records`` records, in streams of as many as ``entries`` are."""
    clock, random = SystemClock(), SystemRandom()
    written, told = 0, 0
    while written < records:
        async with database.practice(practice) as tx:
            for many in _streams(records - written, len(entries)):
                async with writing(tx, Segment(new_id(random), call), clock, random) as pen:
                    for entry in entries[:many]:
                        await pen.add(entry)
                written += many
        if written - told >= A_WHILE:
            told = written
            say(f"  {written:,} of {records:,} records written")


def _streams(left: int, of: int) -> Iterator[int]:
    """How many records each of the next streams has."""
    for _ in range(AT_ONCE):
        if left <= 0:
            return
        yield min(left, of)
        left -= of


_RECORDS = text(
    """
    SELECT r.body, s.patient_id AS patient FROM audit_record r
    LEFT JOIN audit_subject s ON cast(s.token AS text) = r.subject WHERE r.call_id = :call ORDER BY r.stream, r.seq
    """
)
