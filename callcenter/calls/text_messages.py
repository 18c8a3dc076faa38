"""What became of each text message, as the carrier tells it: in any order, and more than once."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from callcenter.kernel.clock import Clock
from callcenter.store.database import Database


@dataclass(frozen=True, slots=True)
class Moved:
    """A message has come further than was known.

    Arguments:
        reference: our own identifier of it, or ``None`` while the carrier is quicker to tell than we to write it down.
    """

    reference: UUID | None


@dataclass(frozen=True, slots=True)
class TextMessages:
    """How far every message has come, for all workers together. House scope: opaque identifiers only."""

    database: Database
    clock: Clock

    async def sent(self, sid: str, reference: UUID) -> None:
        """The carrier has accepted the message that we call ``reference``."""
        values = {"sid": sid, "reference": reference, "now": self.clock.now()}
        async with self.database.house() as connection:
            await connection.execute(_SENT, values)

    async def moved(self, sid: str, status: str, rank: int, error_code: int | None) -> Moved | None:
        """Keep a status if it lies ahead of the one that is kept; ``None``: it is repeated or late.

        Arguments:
            rank: of the status; a greater one lies ahead.
        """
        values = {"sid": sid, "status": status, "rank": rank, "code": error_code, "now": self.clock.now()}
        async with self.database.house() as connection:
            row = (await connection.execute(_MOVED, values)).one_or_none()
        return None if row is None else Moved(row.reference)


_SENT = text(
    """
    INSERT INTO text_message (sid, reference, status, rank, changed_at)
    VALUES (:sid, :reference, 'accepted', 0, :now)
    ON CONFLICT (sid) DO UPDATE SET reference = excluded.reference
    """
)

_MOVED = text(
    """
    INSERT INTO text_message (sid, status, rank, error_code, changed_at) VALUES (:sid, :status, :rank, :code, :now)
    ON CONFLICT (sid) DO UPDATE
        SET status = excluded.status, rank = excluded.rank, error_code = excluded.error_code,
            changed_at = excluded.changed_at
        WHERE text_message.rank < excluded.rank
    RETURNING reference
    """
)
