"""What is there no more of streams: records that were erased, and why, and those that were taken away.

The leaf of a record stays in its log when its bytes are erased, so that whatever stands behind it in its stream is
still read beside what stood before. What an erasure names, its own record says: it stands in the same log, and is never
erased itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from callcenter.audit.covering import COVERING
from callcenter.audit.logs import HOUSE_LOG
from callcenter.audit.verify import ERASURE, body_value, leaf_hash, ranges_of
from callcenter.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Why:
    """The record of an erasure.

    Arguments:
        record: its identifier.
        cause: ``retention`` or ``request``, as it says.
        at: when it was written, as it says.
    """

    record: str
    cause: str
    at: str


@dataclass(frozen=True, slots=True)
class Gone:
    """A sealed record whose bytes are there no more.

    Arguments:
        stream, seq: where it stood.
        leaf: as it stays in the log.
        why: ``None``: no erasure on record names it. Somebody has taken it away.
    """

    stream: UUID
    seq: int
    leaf: bytes
    why: Why | None


#: Records that are told one by one; a call has some dozens, an account some hundreds a year.
MOST = 50_000


async def gone_of(tx: Transaction, streams: Collection[UUID]) -> list[Gone]:
    """What is there no more of these streams of the log of ``tx``, by stream and place."""
    if not streams:
        return []
    values = {"log": tx.practice, "streams": sorted(streams), "most": MOST}
    found = await tx.connection.execute(_GONE[tx.practice == HOUSE_LOG], values)
    return [Gone(row.stream, row.seq, row.leaf, _why(row)) for row in found]


def _why(row: Row[Any]) -> Why | None:
    """What the record says that is to have named this one; nothing, unless it is that record, and does."""
    if row.why is None or leaf_hash(row.why) != row.why_leaf or (said := body_value(row.why)) is None:
        return None
    if said.get("event") != ERASURE or not any(first <= row.idx <= last for first, last in ranges_of(said) or ()):
        return None
    return Why(str(said.get("id")), str(said.get("cause")), str(said.get("ts")))


class Predecessors:
    """The leaf that each record of a stream must name, read from the first record to the last.

    Arguments:
        gone: of these streams.
    """

    def __init__(self, gone: Sequence[Gone], first: bytes) -> None:
        self._first = first
        self._erased: dict[UUID, dict[int, bytes]] = {}
        for one in gone:
            if one.why is not None:
                self._erased.setdefault(one.stream, {})[one.seq] = one.leaf
        self._last: dict[UUID, tuple[int, bytes]] = {}

    def passes(self, stream: UUID, seq: int, leaf: bytes) -> bytes:
        """The leaf of the record before this one, or of the last one that is known, if those between were taken away;
        the next one follows this one."""
        place, before = self._last.get(stream, (-1, self._first))
        erased = self._erased.get(stream, {})
        if 0 < seq - place - 1 == sum(place < each < seq for each in erased):
            before = erased[seq - 1]
        self._last[stream] = seq, leaf
        return before


def gaps(places: Iterable[tuple[UUID, int]]) -> Counter[UUID]:
    """How many places of each stream stand empty before its last record.

    Arguments:
        places: of the records that stand or are known to be gone: stream, and number there from 0.
    """
    counted, last = Counter[UUID](), dict[UUID, int]()
    for stream, seq in places:
        counted[stream] += 1
        last[stream] = max(seq, last.get(stream, 0))
    return Counter({stream: last[stream] + 1 - many for stream, many in counted.items()})


def causes(gone: Sequence[Gone]) -> Iterator[tuple[Why, int]]:
    """Each erasure, with how many of these it has erased."""
    counted: dict[Why, int] = {}
    for one in gone:
        if one.why is not None:
            counted[one.why] = counted.get(one.why, 0) + 1
    yield from sorted(counted.items(), key=lambda each: each[0].at)


def _gone(table: str, body: str, own: str) -> str:
    return f"""
        SELECT l.stream, l.seq, l.leaf, l.idx, w.leaf AS why_leaf, {body} AS why
        FROM audit_leaf l
        {COVERING}
        LEFT JOIN audit_leaf w ON w.log_id = l.log_id AND w.idx = e.idx
        LEFT JOIN {table} r ON r.id = w.record_id
        WHERE l.log_id = :log AND l.stream = ANY(cast(:streams AS uuid[]))
            AND NOT EXISTS (SELECT FROM {table} own WHERE own.id = l.record_id{own})
        ORDER BY l.stream, l.seq LIMIT :most
    """  # noqa: S608 - of the two tables below


_GONE: Mapping[bool, Any] = {
    False: text(_gone("audit_record", "r.body", " AND own.practice_id = l.log_id")),
    True: text(_gone("house_record", "convert_to(r.body, 'UTF8')", "")),
}
