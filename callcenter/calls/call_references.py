"""A call by its reference: what the house or the carrier names it by. Nobody's name, and nobody's number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_CARRIERS = re.compile(r"CA[0-9a-f]{32}")
#: Characters of what may be typed.
LONGEST = 60


@dataclass(frozen=True, slots=True)
class ReferredCall:
    """A call, and whose."""

    id: UUID
    practice: UUID


async def call_of(connection: AsyncConnection, reference: str, practices: Sequence[UUID]) -> ReferredCall | None:
    """The call of ``practices`` that a reference names; ``None`` for none of them, whatever else there is.

    Arguments:
        connection: in house scope.
        reference: as typed: our identifier, or the carrier's (``CA…``).
    """
    typed = reference.strip()
    carriers = _CARRIERS.fullmatch(typed)
    try:
        own = None if carriers else UUID(typed)
    except ValueError:
        return None
    values = {"id": own, "sid": typed if carriers else None, "practices": list(practices)}
    row = (await connection.execute(_CALL, values)).one_or_none()
    return None if row is None else ReferredCall(row.id, row.practice_id)


_CALL = text(
    """
    SELECT id, practice_id FROM call
    WHERE (id = cast(:id AS uuid) OR carrier_sid = cast(:sid AS text)) AND practice_id = ANY(:practices)
    """
)
