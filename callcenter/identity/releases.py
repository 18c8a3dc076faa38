"""A lock is lifted by two persons: codes that were wrong in a call, and whatever is counted with them, count no more.

It gives no level, and it tells nobody whether the call concerned a patient: for one that concerned nobody the same
statements run, and the same words answer (P6, SM-04). What is counted of the calling line stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.store.database import Transaction

#: Within which another person confirms.
CONFIRMED_WITHIN = timedelta(minutes=15)
#: Requests that are listed.
MOST = 50


@dataclass(frozen=True, slots=True)
class Requested:
    """A lock that somebody wants lifted.

    Arguments:
        by: display name of whoever asks.
        own: it is whoever looks.
    """

    id: UUID
    practice: UUID
    call: UUID
    by: str
    own: bool
    asked_at: datetime

    @property
    def until(self) -> datetime:
        """When nobody can confirm it any more."""
        return self.asked_at + CONFIRMED_WITHIN


async def ask(tx: Transaction, release: UUID, call: UUID, by: UUID, reason: bytes, now: datetime) -> None:
    """Ask for a lock to be lifted.

    Arguments:
        call: of the practice of ``tx``.
        reason: sealed.
    """
    values = {"id": release, "practice": tx.practice, "call": call, "by": by, "now": now, "words": reason}
    await tx.connection.execute(_ASK, values)
    await tx.connection.execute(_REASON, values)


async def requested(
    connection: AsyncConnection, practices: Sequence[UUID], staff: UUID, now: datetime
) -> Sequence[Requested]:
    """What waits for somebody to confirm it, the first first."""
    values = {"practices": list(practices), "after": now - CONFIRMED_WITHIN, "most": MOST}
    rows = (await connection.execute(_REQUESTED, values)).all()
    return [
        Requested(row.id, row.practice_id, row.call_id, row.display_name, row.asked_by == staff, row.asked_at)
        for row in rows
    ]


async def reason_of(tx: Transaction, release: UUID) -> bytes | None:
    """Why it is wanted, sealed."""
    found: bytes | None = (await tx.connection.execute(_REASON_OF, {"release": release})).scalar_one_or_none()
    return found


async def confirm(
    connection: AsyncConnection, release: UUID, practices: Sequence[UUID], by: UUID, now: datetime
) -> tuple[UUID, UUID] | None:
    """Confirm what somebody else has asked for, once and in time: its practice and its call; ``None`` for anything
    else, whatever it is."""
    values = {
        "id": release,
        "practices": list(practices),
        "by": by,
        "now": now,
        "after": now - CONFIRMED_WITHIN,
    }
    row = (await connection.execute(_CONFIRM, values)).one_or_none()
    return None if row is None else (row.practice_id, row.call_id)


async def lift(tx: Transaction, release: UUID, call: UUID, now: datetime, window: timedelta) -> None:
    """Let what was counted about whoever the call concerned count no more, if it concerned anybody.

    A call in which nothing was sent any more has a decoy in the patient's place; by what was said in it, it is known
    whom those calls were about that said the same before.

    Arguments:
        window: for which wrong codes count.
    """
    values = {"release": release, "practice": tx.practice, "call": call, "now": now, "since": now - window}
    await tx.connection.execute(_LIFT, values)


_ASK = text(
    """
    INSERT INTO lock_release (id, practice_id, call_id, asked_by, asked_at)
    VALUES (:id, :practice, :call, :by, :now)
    """
)
_REASON = text("INSERT INTO lock_release_reason (release_id, practice_id, words) VALUES (:id, :practice, :words)")
_REASON_OF = text("SELECT words FROM lock_release_reason WHERE release_id = :release")
_REQUESTED = text(
    """
    SELECT r.id, r.practice_id, r.call_id, r.asked_by, r.asked_at, a.display_name
    FROM lock_release r JOIN staff_account a ON a.id = r.asked_by
    WHERE r.confirmed_at IS NULL AND r.asked_at > :after AND r.practice_id = ANY(:practices)
    ORDER BY r.asked_at, r.id LIMIT :most
    """
)
_CONFIRM = text(
    """
    UPDATE lock_release SET confirmed_by = :by, confirmed_at = :now
    WHERE id = :id AND practice_id = ANY(:practices) AND confirmed_at IS NULL AND asked_at > :after AND asked_by <> :by
    RETURNING practice_id, call_id
    """
)
_LIFT = text(
    """
    INSERT INTO lock_lifted (release_id, practice_id, patient_id, at)
    SELECT DISTINCT cast(:release AS uuid), c.practice_id, c.patient_id, cast(:now AS timestamptz)
    FROM challenge c
    WHERE c.practice_id = :practice AND c.created_at > :since AND c.patient_id IS NOT NULL AND (
        c.call_id = :call OR c.claim IN (
            SELECT said.claim FROM challenge said WHERE said.practice_id = :practice AND said.call_id = :call))
    """
)
