"""A conquered server, which writes records that the sealer refuses: their bytes stay where they were written."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from callcenter.audit.ledger import EventKind, timestamp
from callcenter.audit.logs import HOUSE_LOG, origin_of
from callcenter.audit.verify import leaf_hash
from callcenter.store.schema import SEALER
from tests.exporting import IVR, TILLEULS, Archive
from tests.sealing import a_key, seal_once

_PRACTICE = """
    INSERT INTO audit_record (id, practice_id, stream, seq, call_id, leaf, body)
    VALUES (:id, :log, :stream, :seq, :call, :leaf, :body)
"""
_WAITS = "INSERT INTO audit_outbox (practice_id, record_id) VALUES (:log, :id)"
_HOUSE = "INSERT INTO house_record (id, stream, seq, leaf, body) VALUES (:id, :stream, :seq, :leaf, :body)"


async def forge(
    archive: Archive, event: EventKind, log: UUID = TILLEULS, stream: UUID | None = None, seq: int = 0, **content: Any
) -> UUID:
    """A record that says this, and besides a number that is none of ours, so that nobody could read it the same way
    twice; sealed, which refuses it. Returns its identifier."""
    record = uuid4()
    value = {
        **{"v": 1, "log": origin_of(log), "id": str(record), "stream": str(stream or record), "seq": seq},
        **{"prev": "00" * 32, "ts": timestamp(archive.clock.now()), "event": event.value, "actor": IVR},
        **{"call": None, "subject": None, **content},
    }
    body = json.dumps(value, separators=(",", ":"))[:-1] + ',"x":1.5}'
    row = {"id": record, "stream": stream or record, "seq": seq, "leaf": leaf_hash(body.encode())}
    if log == HOUSE_LOG:
        async with archive.app.house() as connection:
            await connection.execute(text(_HOUSE), {**row, "leaf": row["leaf"].hex(), "body": body})
    else:
        async with archive.app.practice(log) as tx:
            call = value["call"] and UUID(str(value["call"]))
            await tx.connection.execute(text(_PRACTICE), {**row, "log": log, "call": call, "body": body.encode()})
            await tx.connection.execute(text(_WAITS), {"log": log, "id": record})
    ((of, why),) = await seal_once(archive.urls[SEALER], a_key(), archive.clock)
    assert (of, "nobody could read it" in why) == (log, True), why
    return record
