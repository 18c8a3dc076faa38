"""What operators have to do about messages: who has taken which, and by when each is due.

It stands in house scope, by identifiers alone. A statement names the practice besides the message, so that a message of
another practice is none, and who may do something for a practice is found out by whoever calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.practice.values import Urgency

#: By when a message for the whole practice is to be dealt with.
DUE_IN = {Urgency.URGENT: timedelta(hours=1), Urgency.NORMAL: timedelta(hours=4)}
#: What somebody has taken and neither finished nor given back in that time may be taken by somebody else.
HELD_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Something to do about a message.

    Arguments:
        message: which it is named by.
        taken_by: the account that does it, since ``taken_at``; it is theirs for :data:`HELD_FOR`.
    """

    message: UUID
    practice: UUID
    due_at: datetime
    taken_at: datetime | None
    taken_by: UUID | None

    def is_of(self, staff: UUID, now: datetime) -> bool:
        """Whether ``staff`` does it at ``now`` (aware)."""
        return self.taken_by == staff and self.is_taken(now)

    def is_taken(self, now: datetime) -> bool:
        """Whether somebody does it at ``now`` (aware)."""
        return self.taken_at is not None and self.taken_at > now - HELD_FOR


async def ask_for(connection: AsyncConnection, practice: UUID, message: UUID, due: datetime, now: datetime) -> None:
    """Have something done about a message by ``due`` (aware).

    Of one about which something is to be done already: by then, and by whoever takes it from now on, because it is
    something else that is asked for than what somebody took.
    """
    values = {"practice": practice, "message": message, "due": due, "now": now}
    await connection.execute(_ASK, values)


async def to_do(connection: AsyncConnection, practices: Sequence[UUID], limit: int) -> list[FollowUp]:
    """What is to be done for these practices, what is due first coming first, at most ``limit``."""
    rows = await connection.execute(_TO_DO, {"practices": list(practices), "limit": limit})
    return [FollowUp(*row) for row in rows.all()]


async def count_to_do(connection: AsyncConnection, practices: Sequence[UUID]) -> int:
    """How much is to be done for these practices."""
    return int((await connection.execute(_COUNT, {"practices": list(practices)})).scalar_one())


async def follow_up_of(connection: AsyncConnection, practice: UUID, message: UUID) -> FollowUp | None:
    """What is to be done about a message of a practice, if anything is."""
    row = (await connection.execute(_ONE, {"practice": practice, "message": message})).one_or_none()
    return None if row is None else FollowUp(*row)


async def take(connection: AsyncConnection, practice: UUID, message: UUID, staff: UUID, now: datetime) -> bool:
    """Let ``staff`` do it; of several who ask at once, one. False where somebody else does it, or nothing is left."""
    values = {"practice": practice, "message": message, "staff": staff, "now": now, "before": now - HELD_FOR}
    return (await connection.execute(_TAKE, values)).one_or_none() is not None


async def give_back(connection: AsyncConnection, practice: UUID, message: UUID, staff: UUID, now: datetime) -> bool:
    """Leave it to others. False where ``staff`` does not do it at ``now``."""
    values = {"practice": practice, "message": message, "staff": staff, "before": now - HELD_FOR}
    return (await connection.execute(_GIVE_BACK, values)).one_or_none() is not None


async def finish(connection: AsyncConnection, practice: UUID, message: UUID, staff: UUID, now: datetime) -> bool:
    """It is done. False where ``staff`` does not do it at ``now`` (any more), or it was done."""
    values = {"practice": practice, "message": message, "staff": staff, "now": now, "before": now - HELD_FOR}
    return (await connection.execute(_FINISH, values)).one_or_none() is not None


async def nothing_left(connection: AsyncConnection, practice: UUID, message: UUID, now: datetime) -> None:
    """The message was dealt with otherwise: nothing is left to do about it."""
    await connection.execute(_NOTHING_LEFT, {"practice": practice, "message": message, "now": now})


_COLUMNS = "message_id, practice_id, due_at, taken_at, taken_by"
_ASK = text(
    """
    INSERT INTO follow_up AS f (message_id, practice_id, made_at, due_at) VALUES (:message, :practice, :now, :due)
    ON CONFLICT (message_id) DO UPDATE SET due_at = excluded.due_at, taken_by = NULL, taken_at = NULL
    WHERE f.practice_id = excluded.practice_id AND f.done_at IS NULL
    """
)
_OPEN = "practice_id = ANY (cast(:practices AS uuid[])) AND done_at IS NULL"
_TO_DO = text(f"SELECT {_COLUMNS} FROM follow_up WHERE {_OPEN} ORDER BY due_at, message_id LIMIT :limit")  # noqa: S608 - our own words alone
_COUNT = text(f"SELECT count(*) FROM follow_up WHERE {_OPEN}")  # noqa: S608 - our own words alone
_THIS = "practice_id = :practice AND message_id = :message AND done_at IS NULL"
_ONE = text(f"SELECT {_COLUMNS} FROM follow_up WHERE {_THIS}")  # noqa: S608 - our own words alone
_TAKE = text(
    f"""
    UPDATE follow_up SET taken_by = :staff, taken_at = :now
    WHERE {_THIS} AND (taken_by IS NULL OR taken_by = :staff OR taken_at <= :before) RETURNING message_id
    """  # noqa: S608 - our own words alone
)
_MINE = f"{_THIS} AND taken_by = :staff AND taken_at > :before"
_GIVE_BACK = text(
    f"UPDATE follow_up SET taken_by = NULL, taken_at = NULL WHERE {_MINE} RETURNING message_id"  # noqa: S608
)
_FINISH = text(f"UPDATE follow_up SET done_at = :now WHERE {_MINE} RETURNING message_id")  # noqa: S608
_NOTHING_LEFT = text(f"UPDATE follow_up SET done_at = :now WHERE {_THIS}")  # noqa: S608
