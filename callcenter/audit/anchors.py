"""Signed heads that somebody else holds: what is on file of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import text

from callcenter.audit.folding import fold
from callcenter.audit.logs import origin_of
from callcenter.audit.verify import COSIGNATURE, Checkpoint, Malformed, Unproven, VerifierKey, signatures_of
from callcenter.kernel.errors import Conflict, IntegrityError, NotFound
from callcenter.store.database import Database, Transaction


class AnchorKind(StrEnum):
    """Who holds it."""

    #: Somebody who has seen that the log continues what they saw before, and has signed that.
    COSIGNATURE = "cosignature"
    #: A folder, or a medium that is written once.
    FILE = "file"
    #: A time stamp authority (RFC 3161).
    TIMESTAMP = "timestamp"


@dataclass(frozen=True, slots=True)
class Anchor:
    """A head that somebody else holds.

    Arguments:
        place: name of who cosigns, the file, the authority's address.
        size: records under the head.
        note: the head as it was deposited, with its signatures.
        receipt: what a time stamp authority has given for it (DER).
        at: aware.
    """

    kind: AnchorKind
    place: str
    size: int
    note: str
    receipt: bytes | None
    at: datetime


async def latest_head(tx: Transaction) -> tuple[int, str] | None:
    """Size and note of the last signed head of the log of ``tx``; ``None``: nothing of it is sealed yet."""
    row = (await tx.connection.execute(_LATEST, {"log": tx.practice})).one_or_none()
    return None if row is None else (row.size, row.note)


async def keep_anchor(tx: Transaction, anchor: Anchor) -> bool:
    """Put on file that somebody holds this head of the log of ``tx``; false: that they do is on file already."""
    values = {"log": tx.practice, "kind": anchor.kind.value, "place": anchor.place, "size": anchor.size}
    kept = await tx.connection.execute(
        _KEEP, {**values, "note": anchor.note, "receipt": anchor.receipt, "at": anchor.at}
    )
    return kept.rowcount == 1


async def last_held(tx: Transaction, kind: AnchorKind, place: str) -> tuple[int, datetime] | None:
    """Size of the largest head of the log of ``tx`` that is held there, and since when."""
    values = {"log": tx.practice, "kind": kind.value, "place": place}
    row = (await tx.connection.execute(_HELD, values)).one_or_none()
    return None if row is None else (row.size, row.anchored_at)


async def unheld_since(database: Database) -> datetime | None:
    """When the oldest head was signed that nobody else holds, nor a later one, of any log; ``None``: all are held.

    What was signed since can be lost without a trace, if the database and the key are somebody's.
    """
    async with database.house() as connection:
        at: datetime | None = (await connection.execute(_UNHELD)).scalar_one()
    return at


async def accept_cosignature(
    tx: Transaction, note: str, cosigner: VerifierKey, own: Sequence[VerifierKey], at: datetime
) -> int:
    """Keep a head of the log of ``tx`` that somebody has cosigned, for the next export; returns its size.

    Arguments:
        cosigner: key of whoever it must be.
        own: keys of the log, those that it has had before too.

    Raises:
        IntegrityError: the key is a log's, and no cosigner's; or it is no head of this log, or one of the two has not
            signed it; or the log's first records are others than those that were cosigned: a fork, or a database that
            was restored.
        NotFound: the log is not as long.
        Conflict: it is on file already.
    """
    if cosigner.kind != COSIGNATURE:  # the log's own signature would count as somebody else's
        raise IntegrityError(
            f"this is not kept: {cosigner.name} is the key of a log, and no cosigner's: give the one that "
            "`callcenter audit cosign new-key` has shown to whoever has signed"
        )
    try:
        text, signed = signatures_of(note, [cosigner, *own])
        head = Checkpoint.parse(text)
    except (Malformed, Unproven) as error:
        raise IntegrityError(f"this is not kept: {error}") from error
    signers = {one.key for one in signed}
    if head.origin != origin_of(tx.practice) or cosigner not in signers or signers.isdisjoint(own):
        raise IntegrityError("this is not kept: both the log and the cosigner must have signed one head of this log")
    latest = await latest_head(tx)
    if latest is None or latest[0] < head.size:
        raise NotFound(f"the log is not as long as what was cosigned, {head.size} records: keep both, and ask why")
    if await root_at(tx, head.size) != head.root:
        raise IntegrityError(
            f"fork: the first {head.size} records of this log are others than those that {cosigner.name} has signed, "
            "under the log's own signature. Nothing is kept. Keep both heads and the database as they stand, and call "
            "whoever answers for the data: the practice and its data protection officer (docs/ledger.md)"
        )
    lines = "".join(f"{one.line}\n" for one in signed)
    anchor = Anchor(AnchorKind.COSIGNATURE, cosigner.name, head.size, f"{text}\n{lines}", None, at)
    if not await keep_anchor(tx, anchor):
        raise Conflict(f"that {cosigner.name} has signed the head of {head.size} records is on file already")
    return head.size


async def root_at(tx: Transaction, size: int) -> bytes | None:
    """The root over the first ``size`` leaves as they stand in the log of ``tx``; ``None``: some are missing."""
    tree = (await fold(tx.connection, tx.practice, 0, size)).tree
    return tree.root() if tree.size == size else None


_LATEST = text("SELECT size, note FROM audit_checkpoint WHERE log_id = :log ORDER BY size DESC LIMIT 1")
_KEEP = text(
    """
    INSERT INTO audit_anchor (log_id, kind, place, size, note, receipt, anchored_at)
    VALUES (:log, :kind, :place, :size, :note, :receipt, :at) ON CONFLICT DO NOTHING
    """
)
_HELD = text(
    """
    SELECT size, anchored_at FROM audit_anchor
    WHERE log_id = :log AND kind = :kind AND place = :place ORDER BY size DESC LIMIT 1
    """
)
_UNHELD = text("SELECT ledger_unheld_since()")
