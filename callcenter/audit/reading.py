"""Reading the ledger back: the records of a call, and its disclosures with how each was heard."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select

from callcenter.audit.gaps import Gone, Predecessors, gone_of
from callcenter.audit.ledger import NO_LEAF, EventKind, leaf_of
from callcenter.audit.not_refused import INSTEAD, stands
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
    return (await read_call(tx, call)).records()


async def read_call(tx: Transaction, call: UUID) -> Reading:
    """The records of ``call`` in this practice, broken ones included, with what was erased between them. Of a stream of
    which nothing is left, nothing tells that it was the call's."""
    rows = (await tx.connection.execute(_of_call(tx, call))).all()
    gone = await gone_of(tx, {row.stream for row in rows})
    return Reading(tuple(_checked(rows, gone)), tuple(gone))


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


@dataclass(frozen=True, slots=True)
class Reading:
    """Records as they stand.

    Arguments:
        checked: in the order in which they were written.
        gone: of their streams, what is there no more.
    """

    checked: tuple[Checked, ...]
    gone: tuple[Gone, ...] = ()

    @property
    def taken(self) -> int:
        """How many were taken away: no erasure on record says why they are missing."""
        return sum(one.why is None for one in self.gone)

    def records(self) -> list[Record]:
        """The records, none of which was changed or taken away. What was erased is passed over.

        Raises:
            IntegrityError: one was.
        """
        for one in self.checked:
            if not one.holds:
                raise IntegrityError(
                    f"record {one.record.id} of the ledger does not match its chain: somebody or something has changed "
                    "what was written. Keep the database as it stands, and look for the record in a backup"
                )
        if self.taken:
            raise IntegrityError(
                f"{self.taken} records of the ledger are missing, and no erasure on record says why: somebody or "
                "something has removed them. Keep the database as it stands, and look for them in a backup"
            )
        return [one.record for one in self.checked]


async def checked_records_of_call(tx: Transaction, call: UUID, most: int) -> Reading:
    """The records of ``call``, and those of what was done later with what it has left, broken ones included.

    Arguments:
        most: how many records; of more, the first of each stream.
    """
    own = (await tx.connection.execute(_of_call(tx, call).limit(most))).all()
    left = sorted({ref for row in own for ref in _left_behind(said_by(row))})
    if not left:
        return await _read(tx, own, (), most)
    streams = (
        select(audit_record.c.stream)
        .where(
            audit_record.c.practice_id == tx.practice, audit_record.c.call_id.is_(None), audit_record.c.ref.in_(left)
        )
        .where(stands())
        .distinct()
        .limit(most)
    )
    later = (
        select(*WHOLE)
        .where(audit_record.c.practice_id == tx.practice, audit_record.c.stream.in_(streams))
        .order_by(audit_record.c.stream, audit_record.c.seq)
        .limit(most)
    )
    return await _read(tx, own, (await tx.connection.execute(later)).all(), most)


async def _read(tx: Transaction, own: Sequence[Any], later: Sequence[Any], most: int) -> Reading:
    gone = await gone_of(tx, {row.stream for row in (*own, *later)})
    checked = sorted([*_checked(own, gone), *_checked(later, gone)], key=_written)
    return Reading(tuple(checked[:most]), tuple(gone))


#: What a call leaves that staff open and handle later: their records name it.
_LEFT = ("message", "voice_message", "booking")
#: A record, and what is sealed in its place where it was refused.
WHOLE = (
    audit_record.c.id,
    audit_record.c.stream,
    audit_record.c.seq,
    audit_record.c.call_id,
    audit_record.c.leaf,
    audit_record.c.body,
    INSTEAD,
)


def _of_call(tx: Transaction, call: UUID) -> Select[Any]:
    return (
        select(*WHOLE)
        .where(audit_record.c.practice_id == tx.practice, audit_record.c.call_id == call)
        .order_by(audit_record.c.stream, audit_record.c.seq)
    )


def checked_in_streams(rows: Iterable[Any], gone: Sequence[Gone]) -> Iterator[tuple[Checked, Any]]:
    """Each record, looked at beside the one before it in its stream, with its row; where one was refused, what the
    sealer says.

    Arguments:
        rows: of whole streams, by stream and place, as ``WHOLE`` has them. Refused ones too: what stands behind one
            names its leaf.
        gone: of these streams.
    """
    predecessors = Predecessors(gone, NO_LEAF)
    for row in rows:
        as_written = holds(row.body, row.leaf, place_of(row), predecessors.passes(row.stream, row.seq, row.leaf))
        yield Checked(Record(row.id, row.seq, said_by(row)), row.leaf, as_written), row


def _checked(rows: Iterable[Any], gone: Sequence[Gone]) -> list[Checked]:
    """Records in the order in which they were written."""
    return sorted((one for one, _ in checked_in_streams(rows, gone)), key=_written)


def said_by(row: Any) -> dict[str, Any]:
    """What a row of ``WHOLE`` says, or what is sealed in its place."""
    return body_of(row.body if row.instead is None else row.instead)


async def latest_of_stream(tx: Transaction, stream: UUID, limit: int) -> list[Record]:
    """The last records of a stream of this practice that stand, newest first, at most ``limit``; their chain is not
    looked at."""
    query = (
        select(audit_record.c.id, audit_record.c.seq, audit_record.c.body)
        .where(audit_record.c.practice_id == tx.practice, audit_record.c.stream == stream, stands())
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
            stands(),
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


def _left_behind(body: dict[str, Any]) -> list[str]:
    refs = body.get("refs")
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
