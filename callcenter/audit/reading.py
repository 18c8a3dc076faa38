"""Reading the ledger back: the records of a call, and its disclosures with how each was heard."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select

from callcenter.audit.ledger import NO_LEAF, EventKind, leaf_of
from callcenter.audit.tables import audit_record
from callcenter.kernel.errors import IntegrityError
from callcenter.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Record:
    """One ledger record as it was written.

    Arguments:
        id: its identifier.
        seq: its place in its stream.
        body: its content, parsed from the canonical bytes.
    """

    id: UUID
    seq: int
    body: dict[str, Any]


async def records_of_call(tx: Transaction, call: UUID) -> list[Record]:
    """The records of ``call`` in this practice, in the order in which they were written.

    Raises:
        IntegrityError: a record does not have the leaf that stands beside it, or the chain is broken.
    """
    checked = _checked((await tx.connection.execute(_of_call(tx, call))).all())
    for one in checked:
        if not one.holds:
            raise IntegrityError(
                f"record {one.record.id} of the ledger does not match its chain: somebody or something has changed "
                "what was written. Keep the database as it stands, and look for the record in a backup"
            )
    return [one.record for one in checked]


@dataclass(frozen=True, slots=True)
class Checked:
    """A record, and whether it is the one that was written there.

    Arguments:
        leaf: as it stands beside the record.
        holds: false: its bytes, its place or what stands before it has been changed.
    """

    record: Record
    leaf: bytes
    holds: bool


async def checked_records_of_call(tx: Transaction, call: UUID, most: int) -> list[Checked]:
    """The records of ``call``, and those of what was done later with what it has left, broken ones included.

    Arguments:
        most: how many records; of more, the first of each stream.
    """
    own = (await tx.connection.execute(_of_call(tx, call).limit(most))).all()
    checked = _checked(own)
    left = sorted({ref for one in checked for ref in _left_behind(one.record)})
    if not left:
        return checked
    streams = (
        select(audit_record.c.stream)
        .where(
            audit_record.c.practice_id == tx.practice, audit_record.c.call_id.is_(None), audit_record.c.ref.in_(left)
        )
        .distinct()
        .limit(most)
    )
    later = (
        select(*_WHOLE)
        .where(audit_record.c.practice_id == tx.practice, audit_record.c.stream.in_(streams))
        .order_by(audit_record.c.stream, audit_record.c.seq)
        .limit(most)
    )
    checked += _checked((await tx.connection.execute(later)).all())
    return sorted(checked, key=_written)[:most]


#: What a call leaves that staff open and handle later: their records name it.
_LEFT = ("message", "voice_message", "booking")
_WHOLE = (
    audit_record.c.id,
    audit_record.c.stream,
    audit_record.c.seq,
    audit_record.c.call_id,
    audit_record.c.leaf,
    audit_record.c.body,
)


def _of_call(tx: Transaction, call: UUID) -> Select[Any]:
    return (
        select(*_WHOLE)
        .where(audit_record.c.practice_id == tx.practice, audit_record.c.call_id == call)
        .order_by(audit_record.c.stream, audit_record.c.seq)
    )


def _checked(rows: Sequence[Any]) -> list[Checked]:
    """Records in the order in which they were written.

    Arguments:
        rows: whole streams, by stream and place.
    """
    last: dict[UUID, bytes] = {}
    checked = []
    for row in rows:
        stands = holds(row.body, row.leaf, place_of(row), last.get(row.stream, NO_LEAF))
        last[row.stream] = row.leaf
        checked.append(Checked(Record(row.id, row.seq, body_of(row.body)), row.leaf, stands))
    return sorted(checked, key=_written)


async def latest_of_stream(tx: Transaction, stream: UUID, limit: int) -> list[Record]:
    """The last records of a stream of this practice, newest first, at most ``limit``; their chain is not looked at."""
    query = (
        select(audit_record.c.id, audit_record.c.seq, audit_record.c.body)
        .where(audit_record.c.practice_id == tx.practice, audit_record.c.stream == stream)
        .order_by(audit_record.c.seq.desc())
        .limit(limit)
    )
    return [Record(row.id, row.seq, json.loads(row.body)) for row in (await tx.connection.execute(query)).all()]


async def first_of_stream(tx: Transaction, stream: UUID, event: EventKind, limit: int) -> list[Record]:
    """The first records of one kind in a stream of this practice, at most ``limit``, oldest first; their chain is not
    looked at. What else is written to the stream afterwards hides none of them."""
    query = (
        select(audit_record.c.id, audit_record.c.seq, audit_record.c.body)
        .where(
            audit_record.c.practice_id == tx.practice,
            audit_record.c.stream == stream,
            audit_record.c.event == event.value,
        )
        .order_by(audit_record.c.seq)
        .limit(limit)
    )
    return [Record(row.id, row.seq, json.loads(row.body)) for row in (await tx.connection.execute(query)).all()]


def _written(one: Checked) -> tuple[str, int]:
    return str(one.record.body.get("ts", "")), one.record.seq


def body_of(body: bytes) -> dict[str, Any]:
    """What a record says; nothing, if it is none any more."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):  # it is nested some thousand deep
        return {}
    return read if isinstance(read, dict) else {}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands.

    Arguments:
        id: its identifier.
        stream, seq: its stream, and its number there.
        call: in which it was written; ``None``: in none.
    """

    id: UUID
    stream: UUID
    seq: int
    call: UUID | None = None


def place_of(row: Row[Any]) -> Place:
    """Where the database has a record."""
    return Place(row.id, row.stream, row.seq, row.call_id)


def holds(body: bytes, leaf: bytes, place: Place, last: bytes | None) -> bool:
    """Whether a record is the one that was written there: it has that leaf, names that place, and the leaf before it.

    Arguments:
        body: its exact bytes.
        leaf: as it is kept beside it, or in the log.
        last: leaf of the record before it in its stream, ``NO_LEAF`` of the first; ``None``: it was not looked at.
    """
    if leaf_of(body) != leaf:
        return False
    return _follows(body_of(body), place, last)


def _follows(body: dict[str, Any], place: Place, last: bytes | None) -> bool:
    call = None if place.call is None else str(place.call)
    named = (body.get("id"), body.get("stream"), body.get("seq"), body.get("call"))
    is_there = named == (str(place.id), str(place.stream), place.seq, call)
    return is_there and (last is None or body.get("prev") == last.hex())


def _left_behind(record: Record) -> list[str]:
    refs = record.body.get("refs")
    return [ref for ref in refs or () if isinstance(ref, str) and ref.partition(":")[0] in _LEFT]


def disclosures(records: list[Record]) -> list[dict[str, Any]]:
    """The disclosures among ``records``, granted and refused, in order, each with its last known playback.

    Returns rows of ``categories``, ``level``, ``decision``, ``control``, ``step``, and where they apply ``reason``,
    ``prompt``, ``playback`` and ``redelivered`` (a count).
    """
    rows: dict[str, dict[str, Any]] = {}
    for record in records:
        body = record.body
        match body["event"]:
            case EventKind.DISCLOSURE.value:
                keys = ("categories", "level", "decision", "control", "reason", "prompt", "step")
                rows[str(record.id)] = {key: body[key] for key in keys if body.get(key) is not None}
            case EventKind.PLAYBACK.value if body["of"] in rows:
                rows[body["of"]]["playback"] = body["playback"]
            case EventKind.REDELIVERED.value if body["of"] in rows:
                row = rows[body["of"]]
                row["redelivered"] = row.get("redelivered", 0) + 1
    return list(rows.values())
