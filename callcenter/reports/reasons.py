"""Keeping why somebody has looked a patient up, sealed; the ledger names the row."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import insert

from callcenter.reports.tables import review_reason
from callcenter.store.database import Transaction
from callcenter.store.sealed import Place, Sealer


def reason_place(practice: UUID, reason: UUID) -> Place:
    """Where a reason is sealed for."""
    return Place(practice, "review_reason", "words", reason)


async def keep_reason(
    tx: Transaction, sealer: Sealer, reason: UUID, staff: UUID, purpose: str, words: str, now: datetime
) -> None:
    """Keep why ``staff`` looks for a patient.

    Arguments:
        purpose: one of the table's.
        words: their own.
    """
    values = {
        "id": reason,
        "practice_id": tx.practice,
        "staff_id": staff,
        "given_at": now,
        "purpose": purpose,
        "words": sealer.seal_text(words, reason_place(tx.practice, reason)),
    }
    await tx.connection.execute(_KEEP, values)


_KEEP = insert(review_reason)
