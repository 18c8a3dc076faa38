"""Whether what others hold of a log is what stands in it now: by its leaves, or by the head that stands beside them.

A database that was changed agrees with itself: nobody who holds a head should believe this page instead of comparing.
It finds what was changed by somebody who did not think of everything, and sooner than anybody outside does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import text

from callcenter.audit.anchors import Anchor, AnchorKind
from callcenter.audit.folding import fold
from callcenter.audit.logs import origin_of
from callcenter.audit.verify import Checkpoint, Frontier, Malformed, Unproven, VerifierKey, open_note
from callcenter.store.database import Transaction

#: Leaves that are folded for one page: some tenths of a second. A practice has as many after some months.
MOST_FOLDED = 100_000
#: Anchors that a log is counted to have.
MOST_COUNTED = 100_000


class Agreement(StrEnum):
    """How a head that is held stands to the log."""

    #: It is the root of the log's first leaves, as they stand, worked out now.
    LEAVES = "leaves"
    #: Its leaves are too many for that; it is the head of that size that stands here.
    HEAD = "head"
    #: Too many leaves, and of the heads of its hour a later one was kept: an export and the verifier tell.
    UNTRIED = "untried"
    #: The log's first records are others than those that are held.
    DIFFERS = "differs"
    #: The log is shorter than what is held.
    CUT = "cut"
    #: What is on file is no head of this log of that size, or the log's key has not signed it.
    FORGED = "forged"

    @property
    def is_wrong(self) -> bool:
        """Somebody or something has changed what stands here."""
        return self in (Agreement.DIFFERS, Agreement.CUT, Agreement.FORGED)


@dataclass(frozen=True, slots=True)
class Deposit:
    """An anchor, and how it stands to the log."""

    anchor: Anchor
    agreement: Agreement


async def anchors_on(tx: Transaction, first: int, most: int) -> tuple[Sequence[Anchor], int]:
    """Anchors of the log of ``tx``, newest first, and how many there are in all.

    Arguments:
        first: how many are passed over.
        most: how many are read.
    """
    values = {"log": tx.practice, "first": first, "most": most}
    rows = (await tx.connection.execute(_PAGE, values)).all()
    total = (await tx.connection.execute(_COUNT, {"log": tx.practice, "most": MOST_COUNTED})).scalar_one()
    found = [
        Anchor(AnchorKind(row.kind), row.place, row.size, row.note or "", row.receipt, row.anchored_at) for row in rows
    ]
    return found, total


async def anchor_at(tx: Transaction, kind: AnchorKind, place: str, size: int) -> Anchor | None:
    """One anchor of the log of ``tx``, whole."""
    values = {"log": tx.practice, "kind": kind.value, "place": place, "size": size}
    row = (await tx.connection.execute(_ONE, values)).one_or_none()
    return None if row is None else Anchor(kind, place, size, row.note, row.receipt, row.anchored_at)


async def compared(
    tx: Transaction, anchors: Sequence[Anchor], keys: Sequence[VerifierKey], most: int = MOST_FOLDED
) -> Sequence[Deposit]:
    """Each anchor with how it stands to the log of ``tx``: one pass by its leaves, for all of them.

    Arguments:
        keys: of the log; none: by whom a head is signed cannot be told here.
        most: leaves that are passed by.
    """
    heads = {anchor: _head_of(anchor, origin_of(tx.practice), keys) for anchor in anchors}
    length = (await tx.connection.execute(_LENGTH, {"log": tx.practice})).scalar_one()
    sizes = sorted({head.size for head in heads.values() if head is not None and head.size <= min(length, most)})
    roots = await _roots(tx, sizes)
    beyond = [head.size for head in heads.values() if head is not None and most < head.size <= length]
    stands = await _heads(tx, beyond)

    def stood(head: Checkpoint | None) -> Agreement:
        if head is None:
            return Agreement.FORGED
        if head.size > length:
            return Agreement.CUT
        if head.size <= most:
            return Agreement.LEAVES if roots.get(head.size) == head.root else Agreement.DIFFERS
        if head.size not in stands:
            return Agreement.UNTRIED
        return Agreement.HEAD if stands[head.size] == head.root else Agreement.DIFFERS

    return [Deposit(anchor, stood(heads[anchor])) for anchor in anchors]


def _head_of(anchor: Anchor, origin: str, keys: Sequence[VerifierKey]) -> Checkpoint | None:
    """The head that is held, if it is one of this log and of that size."""
    try:
        said = anchor.note.partition("\n\n")[0] + "\n"
        if keys:
            said, _ = open_note(anchor.note, keys)
        head = Checkpoint.parse(said)
    except (Malformed, Unproven):
        return None
    return head if (head.origin, head.size) == (origin, anchor.size) else None


async def _roots(tx: Transaction, sizes: Sequence[int]) -> Mapping[int, bytes]:
    """The roots over the first leaves, of each of these sizes; ascending."""
    tree, roots = Frontier(), dict[int, bytes]()
    for size in sizes:
        tree = (await fold(tx.connection, tx.practice, tree.size, size, onto=tree)).tree
        if tree.size != size:  # some are missing: no root is what it was
            break
        roots[size] = tree.root()
    return roots


async def _heads(tx: Transaction, sizes: Sequence[int]) -> Mapping[int, bytes]:
    """The roots that signed heads of these sizes say, of those that stand here."""
    if not sizes:
        return {}
    found = {}
    for row in (await tx.connection.execute(_HEADS, {"log": tx.practice, "sizes": list(sizes)})).all():
        try:
            found[row.size] = Checkpoint.parse(row.note.partition("\n\n")[0] + "\n").root
        except Malformed:
            found[row.size] = b""
    return found


_PAGE = text(
    """
    SELECT kind, left(place, 1000) AS place, size, anchored_at,
        CASE WHEN octet_length(note) < 10000 THEN note END AS note,
        CASE WHEN receipt IS NOT NULL THEN ''::bytea END AS receipt
    FROM audit_anchor WHERE log_id = :log
    ORDER BY log_id, anchored_at DESC, size DESC, kind, audit_anchor.place OFFSET :first LIMIT :most
    """
)
_COUNT = text("SELECT count(*) FROM (SELECT FROM audit_anchor WHERE log_id = :log LIMIT :most) AS counted")
_ONE = text(
    "SELECT note, receipt, anchored_at FROM audit_anchor "
    "WHERE log_id = :log AND kind = :kind AND place = :place AND size = :size "
    "AND octet_length(note) < 10000 AND coalesce(octet_length(receipt), 0) < 100000"
)
_LENGTH = text("SELECT coalesce(max(idx) + 1, 0) FROM audit_leaf WHERE log_id = :log")
_HEADS = text("SELECT size, note FROM audit_checkpoint WHERE log_id = :log AND size = ANY(cast(:sizes AS bigint[]))")
