"""What a log says of the change of the sealer's key that is under way, and whether it may end there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from callcenter.audit.anchors import latest_head
from callcenter.audit.logs import HOUSE_LOG, origin_of
from callcenter.audit.signing import SealingKey
from callcenter.audit.verify import ROTATION, Malformed, Rotation, Unproven, VerifierKey, body_value, signatures_of
from callcenter.store.database import Transaction

#: How long both keys sign, unless the first was stolen: whoever verifies every week has seen a file in which the one
#: leads to the other.
LEAST = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Announced:
    """That the change is on record in one log.

    Arguments:
        index: of the record, of the later one where there are two; ``None``: it is not sealed yet.
    """

    index: int | None


async def announced(tx: Transaction, key: SealingKey) -> Announced | None:
    """Where the log of ``tx`` tells of all of the change that ``key`` is in; ``None``: it does not."""
    found, wanted = await _told(tx), key.under_way(origin_of(tx.practice))
    if not wanted.keys() <= found.keys():
        return None
    indices = [index for told, index in found.items() if told in wanted and index is not None]
    return Announced(max(indices) if len(indices) == len(wanted) else None)


async def untold(tx: Transaction, said: Mapping[Rotation, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What the log of ``tx`` does not say yet.

    Arguments:
        said: changes of its key, and what a record says of each.
    """
    found = await _told(tx)
    return [one for told, one in said.items() if told not in found]


async def _told(tx: Transaction) -> dict[Rotation, int | None]:
    """The changes that the log of ``tx`` tells of, and where it did so first."""
    values, found = {"log": tx.practice, "event": ROTATION}, dict[Rotation, int | None]()
    for row in (await tx.connection.execute(_CHANGES[tx.practice == HOUSE_LOG], values)).all():
        try:
            told = Rotation.parse(body_value(row.body) or {}, origin_of(tx.practice))
        except (Malformed, Unproven):
            continue  # the sealer refuses it, and has called somebody
        before = found.get(told)
        found[told] = before if row.idx is None else row.idx if before is None else min(before, row.idx)
    return found


async def vouched_since(tx: Transaction, key: SealingKey, index: int) -> datetime | None:
    """When the first kept head over the record at ``index`` of the log of ``tx`` was signed, if both keys have signed
    it, and the last head: then whoever has the first key is led to the next, and whoever has that one needs the first
    no more. ``None``: they have not."""
    keys = key.keys(origin_of(tx.practice))
    heads = (await tx.connection.execute(_HEADS, {"log": tx.practice, "index": index})).all()
    if not heads or not all(_has_signed(one.note, keys) for one in heads):
        return None
    first: datetime = min(one.signed_at for one in heads)
    return first


async def is_shown(tx: Transaction, key: SealingKey) -> bool:
    """Whether all keys that sign have signed the last head of the log of ``tx``: then who seals has their file."""
    head = await latest_head(tx)
    return head is not None and _has_signed(head[1], key.keys(origin_of(tx.practice)))


def _has_signed(note: str, keys: list[VerifierKey]) -> bool:
    try:
        _, signed = signatures_of(note, keys)
    except (Malformed, Unproven):
        return False
    return {one.key for one in signed} == {*keys}


# One that was refused is told of by another leaf.
_CHANGES = {
    False: text(
        "SELECT r.body, l.idx FROM audit_record r "
        "LEFT JOIN audit_leaf l ON l.log_id = r.practice_id AND l.record_id = r.id "
        "WHERE r.practice_id = :log AND r.event = :event AND (l.leaf IS NULL OR l.leaf = r.leaf) ORDER BY r.at, r.id"
    ),
    True: text(
        "SELECT convert_to(r.body, 'UTF8') AS body, l.idx FROM house_record r "
        "LEFT JOIN audit_leaf l ON l.log_id = :log AND l.record_id = r.id "
        """WHERE strpos(r.body, '"event":"' || :event || '"') > 0 """
        "AND (l.leaf IS NULL OR encode(l.leaf, 'hex') = r.leaf) ORDER BY l.idx NULLS LAST, r.id"
    ),
}
#: The first one over a record, and the last one.
_HEADS = text(
    """
    (SELECT note, signed_at FROM audit_checkpoint WHERE log_id = :log AND size > :index ORDER BY size LIMIT 1)
    UNION ALL
    (SELECT note, signed_at FROM audit_checkpoint WHERE log_id = :log AND size > :index ORDER BY size DESC LIMIT 1)
    """
)
