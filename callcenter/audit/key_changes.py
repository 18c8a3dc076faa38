"""What a log says of the change of the sealer's key that is under way, and whether it may end there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from callcenter.audit.about import moment_of
from callcenter.audit.logs import HOUSE_LOG, origin_of
from callcenter.audit.sealing_key import SealingKey
from callcenter.audit.verify import ROTATION, Malformed, Rotation, Unproven, VerifierKey, signatures_of
from callcenter.store.database import Transaction

#: How long both keys sign, unless the first was stolen: whoever verifies every week has seen a file in which the one
#: leads to the other.
LEAST = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Announced:
    """The record of the change in one log.

    Arguments:
        at: when it was written, as it says.
        index: its place in the log; ``None``: it is not sealed yet.
    """

    at: datetime | None
    index: int | None


async def announced(tx: Transaction, key: SealingKey) -> Announced | None:
    """The first record of the log of ``tx`` that tells of the change that ``key`` is in; ``None``: there is none."""
    values = {"log": tx.practice, "event": ROTATION}
    for row in (await tx.connection.execute(_CHANGES[tx.practice == HOUSE_LOG], values)).all():
        try:
            said = json.loads(row.body)
            told = Rotation.parse(said, origin_of(tx.practice))
        except (ValueError, Malformed, Unproven):
            continue  # the sealer refuses it, and has called somebody
        if key.changes(told) and (told.last_good is not None) == key.stolen:
            return Announced(moment_of(said.get("ts")), row.idx)
    return None


async def is_vouched_for(tx: Transaction, key: SealingKey, index: int) -> bool:
    """Whether both keys have signed the first kept head over the record at ``index`` of the log of ``tx``, and the last
    head: then whoever has the first key is led to the next, and whoever has that one needs the first no more."""
    keys = key.keys(origin_of(tx.practice))
    notes = (await tx.connection.execute(_HEADS, {"log": tx.practice, "index": index})).scalars().all()
    return bool(notes) and all(_has_signed(note, keys) for note in notes)


def _has_signed(note: str, keys: list[VerifierKey]) -> bool:
    try:
        _, signed = signatures_of(note, keys)
    except (Malformed, Unproven):
        return False
    return {one.key for one in signed} == {*keys}


_CHANGES = {
    False: text(
        "SELECT r.body, l.idx FROM audit_record r "
        "LEFT JOIN audit_leaf l ON l.log_id = r.practice_id AND l.record_id = r.id "
        "WHERE r.practice_id = :log AND r.event = :event ORDER BY r.at, r.id"
    ),
    True: text(
        "SELECT convert_to(r.body, 'UTF8') AS body, l.idx FROM house_record r "
        "LEFT JOIN audit_leaf l ON l.log_id = :log AND l.record_id = r.id "
        """WHERE strpos(r.body, '"event":"' || :event || '"') > 0 ORDER BY l.idx NULLS LAST, r.id"""
    ),
}
#: The first one over a record, and the last one.
_HEADS = text(
    """
    (SELECT note FROM audit_checkpoint WHERE log_id = :log AND size > :index ORDER BY size LIMIT 1)
    UNION ALL
    (SELECT note FROM audit_checkpoint WHERE log_id = :log AND size > :index ORDER BY size DESC LIMIT 1)
    """
)
