"""What an operator sees of their own part of a call: what is on record of it, in its order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from callcenter.calls import script_rows
from callcenter.calls.script_values import Moment
from callcenter.store.database import Transaction

#: A script has at most 500 answers; what is older than so many records is looked up in the ledger.
MOST = 100
#: What of a record is told. Not why something was withheld: that the patient is a minor, or has died, is about them.
_TOLD = ("decision", "control", "disposition", "kind", "act")


async def timeline(tx: Transaction, stream: UUID) -> tuple[Moment, ...]:
    """The records of a script's stream, oldest first, at most :data:`MOST` of the latest."""
    bodies = (await tx.connection.execute(script_rows.TIMELINE, {"stream": stream, "most": MOST})).scalars()
    return tuple(_moment(json.loads(body)) for body in bodies)


def _moment(record: Mapping[str, Any]) -> Moment:
    details = {name: str(record[name]) for name in _TOLD if isinstance(record.get(name), str)}
    categories = record.get("categories")
    if isinstance(categories, list):
        details["categories"] = " ".join(categories)
    return Moment(datetime.fromisoformat(record["ts"]), record["event"], details)
