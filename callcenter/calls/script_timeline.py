"""What an operator sees of their own part of a call: what is on record of it, in its order.

Of the caller's own part they see the one record that the badge above it speaks of: that the caller has proved who they
are, as long as that stands. What was asked for, failed, or proved about somebody else before, they do not: it would
tell of a patient whom they may be told nothing of (P2, P6).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from callcenter.audit.ledger import EventKind
from callcenter.calls import script_rows
from callcenter.calls.script_values import Moment
from callcenter.identity.evidence import Evidence
from callcenter.store.database import Transaction

#: A script has at most 500 answers; what is older than so many records is looked up in the ledger.
MOST = 100
#: What of a record is told. Not why something was withheld: that the patient is a minor, or has died, is about them.
_TOLD = ("decision", "control", "disposition", "kind", "act")


async def timeline(tx: Transaction, stream: UUID) -> tuple[Moment, ...]:
    """The records of a script's stream, oldest first, at most :data:`MOST` of the latest."""
    bodies = (await tx.connection.execute(script_rows.TIMELINE, {"stream": stream, "most": MOST})).scalars()
    return tuple(_moment(json.loads(body)) for body in bodies)


def with_proof(moments: tuple[Moment, ...], evidence: Evidence | None) -> tuple[Moment, ...]:
    """These moments, and among them that of ``evidence``, whose record stands in the caller's part of the call.

    Arguments:
        evidence: that stands now; ``None`` where nothing does.
    """
    if evidence is None:
        return moments
    proved = Moment(evidence.at, EventKind.VERIFICATION_SUCCEEDED.value, {})
    return tuple(sorted((*moments, proved), key=lambda one: one.at))


def _moment(record: Mapping[str, Any]) -> Moment:
    details = {name: str(record[name]) for name in _TOLD if isinstance(record.get(name), str)}
    categories = record.get("categories")
    if isinstance(categories, list):
        details["categories"] = " ".join(categories)
    return Moment(datetime.fromisoformat(record["ts"]), record["event"], details)
