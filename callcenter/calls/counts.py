"""What is counted of verifications and messages, practice by practice, for who watches over many: numbers alone.

Whether a claim was a known patient's makes no difference to them: an attempt is one whoever it was about (P6).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class Counts:
    """Of one practice, or of several together.

    Arguments:
        attempted: calls in which a verification was tried.
        verified: of them, those in which it succeeded.
        urgent: urgent messages that nobody has handled.
    """

    attempted: int = 0
    verified: int = 0
    urgent: int = 0

    @property
    def rate(self) -> float | None:
        """« Taux de vérification »: verified / attempted, from 0 to 1."""
        return self.verified / self.attempted if self.attempted else None

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.attempted + other.attempted, self.verified + other.verified, self.urgent + other.urgent)


async def counts(
    connection: AsyncConnection, practices: Sequence[UUID], since: datetime, until: datetime
) -> Mapping[UUID, Counts]:
    """The counts of those of ``practices`` that have any, in one statement; the database shows it each by itself (P5).

    Arguments:
        connection: in house scope; it is in none of the practices afterwards.
        since, until: aware; the day's attempts.
    """
    values = {"practices": list(practices), "since": since, "until": until}
    rows = (await connection.execute(_COUNTS, values)).all()
    return {row.practice: Counts(row.attempted, row.verified, row.urgent) for row in rows}


_COUNTS = text("SELECT * FROM count_practices(:practices, :since, :until)")
