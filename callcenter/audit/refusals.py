"""Which records the sealer has refused, for whoever keeps the server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from callcenter.audit.logs import HOUSE_LOG
from callcenter.store.database import Database, Transaction


@dataclass(frozen=True, slots=True)
class RefusedRecord:
    """A record that was refused.

    Arguments:
        record: its identifier, and that of the one that is sealed in its place; ``index``: where.
        at: when that was, aware.
        leaf: of its bytes, which stay where they were written.
        why: in words.
        body: its bytes; ``None``: they are gone, which they never should be.
    """

    record: UUID
    index: int
    at: datetime
    leaf: bytes
    why: str
    body: bytes | None


async def refusals_of(tx: Transaction, most: int) -> Sequence[RefusedRecord]:
    """The records that were refused in the log of ``tx``, the last first, at most ``most``."""
    rows = await tx.connection.execute(_OF_A_LOG[tx.practice == HOUSE_LOG], {"log": tx.practice, "most": most})
    return [RefusedRecord(row.record_id, row.idx, row.refused_at, row.refused, row.why, row.body) for row in rows]


async def refused_since(database: Database, since: datetime) -> tuple[int, datetime | None]:
    """How many records of all logs were refused since then, and when the last one was.

    Arguments:
        since: aware.
    """
    async with database.house() as connection:
        found = (await connection.execute(_SINCE, {"since": since})).one()
    return found.many, found.last


async def refused_and_gone(database: Database) -> int:
    """How many records of all logs were refused, and are gone. They are never erased: somebody has removed them."""
    async with database.house() as connection:
        return int((await connection.execute(_GONE)).scalar_one())


_OF_A_LOG = {
    False: text(
        "SELECT x.record_id, x.idx, x.refused_at, x.refused, x.why, r.body FROM audit_refused x "
        "LEFT JOIN audit_record r ON r.id = x.record_id AND r.practice_id = x.log_id "
        "WHERE x.log_id = :log ORDER BY x.idx DESC LIMIT :most"
    ),
    True: text(
        "SELECT x.record_id, x.idx, x.refused_at, x.refused, x.why, convert_to(r.body, 'UTF8') AS body "
        "FROM audit_refused x LEFT JOIN house_record r ON r.id = x.record_id "
        "WHERE x.log_id = :log ORDER BY x.idx DESC LIMIT :most"
    ),
}
_SINCE = text("SELECT many, last FROM ledger_refused(:since)")
_GONE = text("SELECT ledger_refused_gone()")
