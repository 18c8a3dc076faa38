"""Where a record is in its log, and proofs out of its leaves, which are passed by once: of a record, and of what
continues a head.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.audit.about import moment_of
from callcenter.audit.anchors import latest_head
from callcenter.audit.continuation import Continuation
from callcenter.audit.folding import fold
from callcenter.audit.logs import HOUSE_LOG
from callcenter.audit.proof import Proof
from callcenter.audit.verify import leaf_hash, node_hash
from callcenter.kernel.errors import IntegrityError, NotFound
from callcenter.store.database import Transaction


class NotSealedYet(NotFound):
    """The record is written, and not under any signed head yet."""


class Erased(NotFound):
    """The bytes of the record are gone; its leaf stands."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Leaves ``start`` to ``end`` (not included), which form one tree beside the way from a leaf to the root."""

    start: int
    end: int


def beside(index: int, size: int) -> list[Stretch]:
    """What stands beside the way from leaf ``index`` to the root of ``size`` leaves, lowest first (RFC 6962 §2.1.1)."""
    start, end, found = 0, size, []
    while end - start > 1:
        middle = start + _half(end - start)
        if index < middle:
            found.append(Stretch(middle, end))
            end = middle
        else:
            found.append(Stretch(start, middle))
            start = middle
    return found[::-1]


def apart(first: int, size: int) -> list[Stretch]:
    """What leads from the root of ``first`` leaves to the one of ``size``, lowest first (RFC 6962 §2.1.2).

    Arguments:
        first: at most ``size``.
    """
    if first in (0, size):
        return []  # anything continues the empty tree
    start, end, found = 0, size, []
    while first != end:
        middle = start + _half(end - start)
        if first <= middle:
            found.append(Stretch(middle, end))
            end = middle
        else:
            found.append(Stretch(start, middle))
            start = middle
    if start:  # otherwise what is left is the first tree itself, whose root is known
        found.append(Stretch(start, end))
    return found[::-1]


def _half(size: int) -> int:
    """Where a tree of ``size`` leaves, two or more, has its halves: the largest power of two below its size."""
    return 1 << ((size - 1).bit_length() - 1)


@dataclass(frozen=True, slots=True)
class Step:
    """One node of the way from a leaf to the root.

    Arguments:
        stretch: the leaves that what stands beside is the tree of.
        beside: its root.
        before: it stands on the left, so that its leaves come before.
        node: what the two together give.
    """

    stretch: Stretch
    beside: bytes
    before: bool
    node: bytes


def way_of(proof: Proof, size: int) -> tuple[Step, ...]:
    """The way that a proof shows, lowest first; the last node is the root, if it shows what it is to show.

    Arguments:
        size: of the head.
    """
    found, steps = leaf_hash(proof.body), []
    for stretch, other in zip(beside(proof.index, size), proof.beside, strict=True):
        before = stretch.start < proof.index
        found = node_hash(other, found) if before else node_hash(found, other)
        steps.append(Step(stretch, other, before, found))
    return tuple(steps)


async def is_written(tx: Transaction, record: UUID) -> bool:
    """Whether the log of ``tx`` has this record, sealed or not. Its bytes may be erased."""
    values = {"log": tx.practice, "record": record}
    return (await tx.connection.execute(_WRITTEN[tx.practice == HOUSE_LOG], values)).scalar_one_or_none() is not None


@dataclass(frozen=True, slots=True)
class RecordPlace:
    """A record of a call, by its place and time alone: what it tells is for whoever reviews the call.

    Arguments:
        at: when it says that it was written, ``None`` where it cannot be read.
        index: in the log, ``None`` while it waits.
    """

    record: UUID
    at: datetime | None
    index: int | None


async def places_of(tx: Transaction, call: UUID, most: int) -> list[RecordPlace]:
    """Where the records of ``call`` are in the log of ``tx``, in the order in which they were written.

    Arguments:
        most: how many of them.
    """
    rows = (await tx.connection.execute(_OF_CALL, {"call": call, "log": tx.practice, "most": most})).all()
    return [RecordPlace(row.id, moment_of(row.at), row.idx) for row in rows]


async def log_of(connection: AsyncConnection, practices: list[UUID], record: UUID) -> UUID:
    """The log that has this record.

    Arguments:
        connection: of a transaction in house scope.
        practices: in whose logs it may be.

    Raises:
        NotFound: none has it.
    """
    for log in (HOUSE_LOG, *practices):
        await connection.execute(_IN, {"log": str(log)})
        values = {"log": log, "record": record}
        if (await connection.execute(_HERE[log == HOUSE_LOG], values)).first() is not None:
            return log
    raise NotFound(f"no log has a record {record}: `callcenter audit show --json` names those of a call")


async def prove(tx: Transaction, record: UUID) -> Proof:
    """The proof that ``record`` is in the log of ``tx``, under its last signed head.

    Raises:
        NotSealedYet: it waits for its seal, or there is none such.
        Erased: its bytes are gone.
        IntegrityError: leaves of the log are missing.
    """
    log = tx.practice
    found = (await tx.connection.execute(_RECORD[log == HOUSE_LOG], {"log": log, "record": record})).one_or_none()
    if found is None:
        raise NotSealedYet(f"record {record} is not sealed yet: the server seals what is written within seconds")
    if found.body is None:
        raise Erased(f"the bytes of record {record} are erased: an export of the log says with which cause")
    head = await latest_head(tx)
    if head is None or head[0] <= found.idx:
        raise IntegrityError("no signed head covers this record: `callcenter audit export` shows what the log holds")
    size, note = head
    return Proof(found.body, found.idx, await _roots(tx, beside(found.idx, size)), note)


async def continuation(tx: Transaction, first: int) -> Continuation:
    """What leads from the head of ``first`` records of the log of ``tx`` to its last one.

    Raises:
        NotSealedYet: it has no signed head.
        IntegrityError: its last one is of fewer records, or leaves are missing.
    """
    head = await latest_head(tx)
    if head is None:
        raise NotSealedYet("nothing of this log is sealed yet: the server seals what is written within seconds")
    size, note = head
    if first > size:
        raise IntegrityError(
            f"its last head is of {size} records, and the one that is held of {first}: it was cut, or a backup restored"
        )
    return Continuation(first, await _roots(tx, apart(first, size)), note)


async def _roots(tx: Transaction, stretches: list[Stretch]) -> tuple[bytes, ...]:
    """The root over each stretch.

    Raises:
        IntegrityError: leaves are missing.
    """
    roots = []
    for one in stretches:
        tree = (await fold(tx.connection, tx.practice, one.start, one.end)).tree
        if tree.size != one.end - one.start:
            raise IntegrityError("leaves of the log are missing: `callcenter audit export` shows what it holds")
        roots.append(tree.root())
    return tuple(roots)


_IN = text("SELECT set_config('app.practice', :log, true)")
# Of what is erased the leaf stays; of what is not sealed yet, there is none.
_HERE = {
    False: text(
        "SELECT 1 FROM audit_leaf WHERE log_id = :log AND record_id = :record "
        "UNION ALL SELECT 1 FROM audit_record WHERE id = :record"
    ),
    True: text(
        "SELECT 1 FROM audit_leaf WHERE log_id = :log AND record_id = :record "
        "UNION ALL SELECT 1 FROM house_record WHERE id = :record"
    ),
}
_WRITTEN = {
    False: text(
        "SELECT 1 FROM audit_record WHERE id = :record AND practice_id = cast(:log AS uuid) "
        "UNION ALL SELECT 1 FROM audit_leaf WHERE log_id = :log AND record_id = :record LIMIT 1"
    ),
    True: text(
        "SELECT 1 FROM house_record WHERE id = :record "
        "UNION ALL SELECT 1 FROM audit_leaf WHERE log_id = :log AND record_id = :record LIMIT 1"
    ),
}
_OF_CALL = text(
    """
    SELECT r.id, r.at, l.idx FROM audit_record r
    LEFT JOIN audit_leaf l ON l.log_id = :log AND l.record_id = r.id
    WHERE r.practice_id = :log AND r.call_id = :call ORDER BY r.at, r.seq LIMIT :most
    """
)
_RECORD = {
    False: text(
        "SELECT l.idx, coalesce(x.body, r.body) AS body FROM audit_leaf l "
        "LEFT JOIN audit_record r ON r.id = l.record_id LEFT JOIN audit_refused x USING (log_id, record_id) "
        "WHERE l.log_id = :log AND l.record_id = :record"
    ),
    True: text(
        "SELECT l.idx, coalesce(x.body, convert_to(r.body, 'UTF8')) AS body FROM audit_leaf l "
        "LEFT JOIN house_record r ON r.id = l.record_id LEFT JOIN audit_refused x USING (log_id, record_id) "
        "WHERE l.log_id = :log AND l.record_id = :record"
    ),
}
