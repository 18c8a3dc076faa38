"""A log as a file for whoever verifies it: what stands in the database, byte for byte, at one moment.

The export judges nothing. What was changed goes out as it stands, and ``audit.verify`` finds it, which its reader runs
themselves. What no file can show is said beside it: columns that say something else than the record that they stand by.
The format: ``docs/ledger-format.md``.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import text

from callcenter.audit.covering import COVERING
from callcenter.audit.ledger import timestamp
from callcenter.audit.logs import HOUSE_LOG, origin_of
from callcenter.audit.reading import body_of
from callcenter.audit.tables import SEARCHED
from callcenter.audit.verify import FORMAT, HASH_SIZE, NO_LEAF, Frontier, leaf_hash
from callcenter.store.database import Database, Transaction, in_practice

#: Leaves that are read at once; a record has about a kilobyte.
PAGE = 2_000
#: Rows that are named one by one.
MOST_NAMED = 20


@dataclass(slots=True)
class Exported:
    """What has been exported so far.

    Arguments:
        origin: which log.
        size: number of leaves, as the head of the file says.
        records: of them written.
        checkpoints: written.
        covered: records under the largest checkpoint.
        waiting: records that are on file and not sealed yet, which are not in it; ten thousand at most are counted.
        odd: rows that say something else than the record that they stand by, the first of them; ``oddities``: all.
    """

    origin: str
    size: int
    records: int = 0
    checkpoints: int = 0
    covered: int = 0
    waiting: int = 0
    odd: list[str] = field(default_factory=list)
    oddities: int = 0

    def find(self, what: str) -> None:
        self.oddities += 1
        if len(self.odd) < MOST_NAMED:
            self.odd.append(what)


@asynccontextmanager
async def one_moment(database: Database, log: UUID) -> AsyncIterator[Transaction]:
    """A transaction in the log's scope that reads only, and sees the database as it stands at its first look."""
    async with database.house() as connection:
        await connection.execute(_ONE_MOMENT)
        yield await in_practice(connection, log)


async def begin(tx: Transaction) -> Exported:
    """The log of ``tx``, before any of it is written."""
    size = (await tx.connection.execute(_SIZE, {"log": tx.practice})).scalar_one()
    waiting = (await tx.connection.execute(_WAITING[tx.practice == HOUSE_LOG], {"log": tx.practice})).scalar_one()
    return Exported(origin_of(tx.practice), int(size), waiting=int(waiting))


async def lines(tx: Transaction, exported: Exported, page: int = PAGE) -> AsyncIterator[bytes]:
    """The lines of the file, each with its newline; checkpoints stand behind the records that they cover.

    Arguments:
        tx: of :func:`one_moment`.
        exported: goes along.
        page: leaves that are read at once.
    """
    log, tree, after = tx.practice, Frontier(), _BEFORE_ALL
    yield _line({"callcenter-audit": FORMAT, "origin": exported.origin, "size": exported.size})
    while True:
        rows = (
            await tx.connection.execute(_LEAVES[log == HOUSE_LOG], {"log": log, "after": after, "page": page})
        ).all()
        if not rows:
            break
        heads = await _heads(tx, after, rows[-1].idx)
        after = rows[-1].idx
        columns = [(name, path) for name, path in _BESIDE.items() if name in rows[0]._fields]
        for row in rows:
            own, instead, leaf = _octets(row.body), _octets(row.instead), _octets(row.leaf) or b""
            body = own if instead is None else instead
            if body is not None and instead is None and leaf_hash(body) != leaf and await _is_gone(tx, row.idx):
                exported.find(f"index {row.idx}, record {row.record_id}: it was erased, and other bytes bear its name")
                body = None
            yield _erased(row, leaf) if body is None else body + b"\n"
            for what in () if body is None else _odd(row, body, leaf, columns if instead is None else ()):
                exported.find(f"index {row.idx}, record {row.record_id}: {what}")
            tree.add(leaf if len(leaf) == HASH_SIZE else NO_LEAF)
            exported.records += 1
            while heads and heads[0].size <= row.idx + 1:
                yield _checkpoint(exported, heads.popleft())
    for head in await _heads(tx, after, _AFTER_ALL):
        yield _checkpoint(exported, head)
    for anchor in await tx.connection.execute(_ANCHORS, {"log": log}):
        yield _anchor(anchor)
    found = (await tx.connection.execute(_STATE, {"log": log})).all()
    if [(row.size, _octets(row.frontier)) for row in found] != [(tree.size, tree.to_bytes())][: tree.size]:
        exported.find("how far it is sealed, and the frontier of that, is not what it holds")


async def _is_gone(tx: Transaction, index: int) -> bool:
    """Whether the record at an index was erased: its identifier is free since then, and whoever may write a record may
    take it. The file says of the erased one what it did; whether an erasure names it, verifiers see for themselves."""
    return bool((await tx.connection.execute(_GONE, {"log": tx.practice, "index": index})).scalar_one_or_none())


async def _heads(tx: Transaction, after: int, last: int) -> deque[Any]:
    """Signed heads whose last leaf has an index greater than ``after`` and not than ``last``, smallest first."""
    values = {"log": tx.practice, "after": after + 1, "until": min(last, _AFTER_ALL - 1) + 1}
    return deque((await tx.connection.execute(_HEADS, values)).all())


def _checkpoint(exported: Exported, head: Any) -> bytes:
    """The line of a signed head, with the signatures of whoever has cosigned this very head."""
    exported.checkpoints += 1
    exported.covered = head.size
    if f"{head.note}".split("\n")[1:2] != [f"{head.size}"]:
        exported.find(f"a checkpoint that says another size stands as the one of {head.size} leaves")
    signed = zip(head.cosigners or (), head.cosigned or (), strict=True)
    return _line({"checkpoint": head.note + "".join(_cosignature(head.note, *one) for one in signed)})


def _cosignature(own: str, name: str, note: str) -> str:
    """The line of ``name`` in a note that came back, if that note is over the same text as our own; else nothing.

    What is on file of others was written by the application, which may have been conquered: a head of theirs is never
    exported as one of ours.
    """
    said, _, below = note.rpartition("\n\n")
    if own.rpartition("\n\n")[0] != said:
        return ""
    for line in below.split("\n"):
        signature = _SIGNATURE.fullmatch(line)
        if signature is None or signature["name"] != name or line in own.split("\n"):
            continue
        if b64encode(b64decode(signature["encoded"])).decode() == signature["encoded"]:
            return f"{line}\n"
    return ""


#: A cosignature: base64 of 4 bytes of the key's identifier, 8 of a time, 64 of Ed25519 (C2SP tlog-cosignature).
_SIGNATURE = re.compile(r"\N{EM DASH} (?P<name>[^\s+\x00-\x1f]+) (?P<encoded>[A-Za-z0-9+/]{102}==)")


def _anchor(row: Any) -> bytes:
    """The line of a head that somebody else holds: the head as it is held, which need not be among ours any more."""
    digest = None if row.note is None else sha256(str(row.note).encode()).hexdigest()  # of it as it was deposited
    told = {"kind": row.kind, "place": row.place, "size": row.size, "sha256": digest, "at": timestamp(row.anchored_at)}
    note = {} if row.note is None else {"note": row.note}
    receipt = {} if row.receipt is None else {"receipt": b64encode(row.receipt).decode()}
    return _line({"anchor": {**told, **note, **receipt}})


def _erased(row: Any, leaf: bytes) -> bytes:
    """What stands for a record whose bytes are gone."""
    return _line({"erased": str(row.record_id), "stream": str(row.stream), "seq": row.seq, "leaf": leaf.hex()})


def _line(value: Mapping[str, Any]) -> bytes:
    """A line that is no record."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _odd(row: Any, body: bytes, leaf: bytes, columns: Sequence[tuple[str, Sequence[str]]]) -> Iterator[str]:
    """What stands beside a record in the database, and is not what the record says. No file shows it.

    Arguments:
        columns: of a row, and where a record says the same.
    """
    said, own = body_of(body), leaf_hash(body)
    if own != leaf:
        yield "its leaf in the log is not the one of its bytes"
    if row.instead is not None:  # what stands beside is of the record that was refused, whose bytes are kept
        kept = _octets(row.body)
        if kept is None:
            yield "what was refused is gone, and is never erased: somebody has removed it"
        if said.get("refused") != row.refused.hex() or (kept is not None and leaf_hash(kept) != row.refused):
            yield "what was refused is not what stands beside it"
    elif own != _octets(row.own_leaf):
        yield "its leaf beside it is not the one of its bytes"
    place = (said.get("id"), said.get("stream"), said.get("seq"))
    if place != (str(row.record_id), str(row.stream), row.seq):
        yield "its place in the log is not the one that it names"
    for name, path in columns:
        if _text(getattr(row, name)) != _text(_at(said, path)):
            yield f"its column « {name} » says something else than it does"


#: What stands beside a record in columns, and where the record says it.
_BESIDE: Mapping[str, Sequence[str]] = {
    "own_stream": ("stream",),
    "own_seq": ("seq",),
    "call_id": ("call",),
    **{name: path.strip("{}").split(",") for name, path in SEARCHED.items()},
}


def _at(said: Any, path: Sequence[str]) -> Any:
    """What stands at a path of PostgreSQL's in a record, if anything does."""
    for step in path:
        if isinstance(said, dict):
            said = said.get(step)
        elif isinstance(said, list) and step.isdecimal():
            said = said[int(step)] if int(step) < len(said) else None
        else:
            return None
    return said


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _octets(value: Any) -> bytes | None:
    """A column's bytes, whatever type somebody has given it; those of text in UTF-8."""
    if value is None:
        return None
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()


_ONE_MOMENT = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
_BEFORE_ALL, _AFTER_ALL = -(2**63), 2**63 - 1  # of a bigint

_SIZE = text("SELECT coalesce(max(idx)::numeric + 1, 0) FROM audit_leaf WHERE log_id = :log")
_WAITING = {
    False: text(
        "SELECT count(*) FROM (SELECT FROM audit_outbox WHERE practice_id = cast(:log AS uuid) LIMIT 10000) AS waits"
    ),
    True: text("SELECT count(*) FROM (SELECT FROM house_outbox WHERE cast(:log AS uuid) IS NOT NULL LIMIT 10000) AS w"),
}
_GONE = text(
    f"SELECT e.erased_at IS NOT NULL FROM audit_leaf l {COVERING} "  # noqa: S608 - our own words alone
    "WHERE l.log_id = :log AND l.idx = :index"
)
_STATE = text("SELECT size, frontier FROM audit_log WHERE log_id = :log")
_HEADS = text(
    """
    SELECT c.size, c.note, held.cosigners, held.cosigned FROM audit_checkpoint c LEFT JOIN LATERAL (
        SELECT array_agg(place) AS cosigners, array_agg(note) AS cosigned FROM (
            SELECT place, note FROM audit_anchor a
            WHERE a.log_id = c.log_id AND a.size = c.size AND a.kind = 'cosignature'
                AND octet_length(a.note) < 10000 ORDER BY a.place LIMIT 50
        ) AS cosignature
    ) AS held ON true
    WHERE c.log_id = :log AND c.size > :after AND c.size <= :until ORDER BY c.size LIMIT 10000
    """
)
#: The last ones: each place is named once, with the largest head that is held there. No line grows beyond what is read.
_ANCHORS = text(
    """
    SELECT DISTINCT ON (kind, audit_anchor.place) kind, left(place, 1000) AS place, size, anchored_at,
        CASE WHEN octet_length(note) < 10000 THEN note END AS note,
        CASE WHEN octet_length(receipt) < 100000 THEN receipt END AS receipt
    FROM audit_anchor
    WHERE log_id = :log ORDER BY kind, audit_anchor.place, size DESC LIMIT 1000
    """
)
# Each record is looked up by itself: whatever a planner thinks of a page, it is not worth reading all records for it.
_LEAVES = {
    False: text(
        """
        SELECT l.idx, l.record_id, l.stream, l.seq, l.leaf, r.leaf AS own_leaf, r.stream AS own_stream,
            r.seq AS own_seq, r.body, r.call_id, r.at, r.event, r.actor, r.subject, r.ref, x.body AS instead, x.refused
        FROM audit_leaf l LEFT JOIN LATERAL (SELECT * FROM audit_record WHERE id = l.record_id LIMIT 1) AS r ON true
        LEFT JOIN audit_refused x ON x.log_id = l.log_id AND x.record_id = l.record_id AND x.idx = l.idx
        WHERE l.log_id = :log AND l.idx > :after ORDER BY l.idx LIMIT :page
        """
    ),
    True: text(
        """
        SELECT l.idx, l.record_id, l.stream, l.seq, l.leaf, r.stream AS own_stream, r.seq AS own_seq, r.body,
            CASE WHEN r.leaf ~ '^([0-9a-f]{2})*$' THEN decode(r.leaf, 'hex') END AS own_leaf,
            x.body AS instead, x.refused
        FROM audit_leaf l LEFT JOIN LATERAL (SELECT * FROM house_record WHERE id = l.record_id LIMIT 1) AS r ON true
        LEFT JOIN audit_refused x ON x.log_id = l.log_id AND x.record_id = l.record_id AND x.idx = l.idx
        WHERE l.log_id = :log AND l.idx > :after ORDER BY l.idx LIMIT :page
        """
    ),
}
