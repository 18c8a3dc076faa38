"""A call by its reference: what the house or the carrier names it by. Nobody's name, and nobody's number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_CARRIERS = re.compile(r"CA[0-9a-f]{32}")
#: Signs of an identifier that lists show of it; fewer are nobody's reference.
SHORT = 8
_SHORT = re.compile(rf"[0-9a-fA-F]{{{SHORT}}}")
#: Characters of what may be typed.
LONGEST = 60


@dataclass(frozen=True, slots=True)
class ReferredCall:
    """A call, and whose."""

    id: UUID
    practice: UUID


class NoCall(StrEnum):
    """Why a reference leads to no call."""

    #: It is none, or no call of theirs has it.
    UNKNOWN = "unknown"
    #: Its first signs are those of several calls of theirs.
    SEVERAL = "several"


def short_reference(call: UUID) -> str:
    """What lists show of a call's identifier, by which it can be named as well."""
    return str(call)[:SHORT]


async def call_of(connection: AsyncConnection, reference: str, practices: Sequence[UUID]) -> ReferredCall | NoCall:
    """The call of ``practices`` that a reference names; calls of others are not there, whatever it is.

    Arguments:
        connection: in house scope.
        reference: as typed: our identifier, its first :data:`SHORT` signs, or the carrier's (``CA…``).
    """
    typed = reference.strip()[:LONGEST]
    carriers = _CARRIERS.fullmatch(typed)
    span = None if carriers else _span(typed)
    if not carriers and span is None:
        return NoCall.UNKNOWN
    first, last = span or (None, None)
    values = {"first": first, "last": last, "sid": typed if carriers else None, "practices": list(practices)}
    rows = (await connection.execute(_CALLS, values)).all()
    if len(rows) > 1:
        return NoCall.SEVERAL
    return ReferredCall(rows[0].id, rows[0].practice_id) if rows else NoCall.UNKNOWN


def _span(typed: str) -> tuple[UUID, UUID] | None:
    """Our first and last identifier that may be meant."""
    if _SHORT.fullmatch(typed):
        rest = 32 - SHORT
        return UUID(typed + "0" * rest), UUID(typed + "f" * rest)
    try:
        return UUID(typed), UUID(typed)
    except ValueError:
        return None


_CALLS = text(
    """
    SELECT id, practice_id FROM call
    WHERE (id BETWEEN cast(:first AS uuid) AND cast(:last AS uuid) OR carrier_sid = cast(:sid AS text))
      AND practice_id = ANY(:practices)
    LIMIT 2
    """
)
