"""Reading the ledger back: the records of a call, and its disclosures with how each was heard."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

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
    query = (
        select(audit_record.c.id, audit_record.c.stream, audit_record.c.seq, audit_record.c.leaf, audit_record.c.body)
        .where(audit_record.c.practice_id == tx.practice, audit_record.c.call_id == call)
        .order_by(audit_record.c.stream, audit_record.c.seq)
    )
    rows = (await tx.connection.execute(query)).all()
    last: dict[UUID, bytes] = {}
    records = []
    for row in rows:
        body = json.loads(row.body)
        if leaf_of(row.body) != row.leaf or not _follows(body, row.seq, last.get(row.stream, NO_LEAF)):
            raise IntegrityError(
                f"record {row.id} of the ledger does not match its chain: somebody or something has changed what was "
                "written. Keep the database as it stands, and look for the record in a backup"
            )
        last[row.stream] = row.leaf
        records.append(Record(row.id, row.seq, body))
    return sorted(records, key=lambda record: (record.body["ts"], record.seq))


async def latest_of_stream(tx: Transaction, stream: UUID, limit: int) -> list[Record]:
    """The last records of a stream of this practice, newest first, at most ``limit``; their chain is not looked at."""
    query = (
        select(audit_record.c.id, audit_record.c.seq, audit_record.c.body)
        .where(audit_record.c.practice_id == tx.practice, audit_record.c.stream == stream)
        .order_by(audit_record.c.seq.desc())
        .limit(limit)
    )
    return [Record(row.id, row.seq, json.loads(row.body)) for row in (await tx.connection.execute(query)).all()]


def _follows(body: dict[str, Any], seq: int, last: bytes) -> bool:
    """Whether a record names its place ``seq`` and the leaf ``last`` of the record before it."""
    return bool(body["seq"] == seq and body["prev"] == last.hex())


def disclosures(records: list[Record]) -> list[dict[str, Any]]:
    """The disclosures among ``records``, granted and refused, in order, each with its last known playback.

    Returns rows of ``categories``, ``level``, ``decision``, ``step``, and where they apply ``reason``, ``prompt``,
    ``playback`` and ``redelivered`` (a count).
    """
    rows: dict[str, dict[str, Any]] = {}
    for record in records:
        body = record.body
        match body["event"]:
            case EventKind.DISCLOSURE.value:
                keys = ("categories", "level", "decision", "reason", "prompt", "step")
                rows[str(record.id)] = {key: body[key] for key in keys if body.get(key) is not None}
            case EventKind.PLAYBACK.value if body["of"] in rows:
                rows[body["of"]]["playback"] = body["playback"]
            case EventKind.REDELIVERED.value if body["of"] in rows:
                row = rows[body["of"]]
                row["redelivered"] = row.get("redelivered", 0) + 1
    return list(rows.values())
