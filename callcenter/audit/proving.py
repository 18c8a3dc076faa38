"""Making the proof of a record, out of the leaves of its log, which are passed by once."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.audit.anchors import latest_head
from callcenter.audit.export import PAGE
from callcenter.audit.logs import HOUSE_LOG
from callcenter.audit.proof import Proof
from callcenter.audit.verify import Frontier, leaf_hash, node_hash
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
        middle = start + (1 << ((end - start - 1).bit_length() - 1))
        if index < middle:
            found.append(Stretch(middle, end))
            end = middle
        else:
            found.append(Stretch(start, middle))
            start = middle
    return found[::-1]


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
        IntegrityError: the leaves of the log are not those of its head.
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
    stretches = beside(found.idx, size)
    trees = await _trees(tx, stretches)
    if [tree.size for tree in trees] != [one.end - one.start for one in stretches]:
        raise IntegrityError("leaves of the log are missing: `callcenter audit export` shows what it holds")
    return Proof(found.body, found.idx, tuple(tree.root() for tree in trees), note)


async def _trees(tx: Transaction, stretches: list[Stretch]) -> list[Frontier]:
    """The tree over each stretch."""
    trees = []
    for one in stretches:
        tree, at = Frontier(), one.start
        while at < one.end:
            values = {"log": tx.practice, "start": at, "end": min(one.end, at + PAGE)}
            for leaf in (await tx.connection.execute(_LEAVES, values)).scalars():
                tree.add(leaf)
            at += PAGE
        trees.append(tree)
    return trees


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
_LEAVES = text("SELECT leaf FROM audit_leaf WHERE log_id = :log AND idx >= :start AND idx < :end ORDER BY idx")
