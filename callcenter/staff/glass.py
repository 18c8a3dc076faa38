"""Broken glass, as rows: broken once for each second factor, one file each, reviewed once and by somebody else.

Whoever calls these has found out who somebody is at the practice; what was opened is told by the ledger alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.staff.glass_tables import Asks, Verdict
from callcenter.store.database import Transaction
from callcenter.store.sealed import Place, Sealer

#: For so long its file can be read, topic by topic.
OPEN_FOR = timedelta(minutes=15)
#: Topics that are asked for through one; whoever reviews it is shown each.
MOST_TOPICS = 20
#: For so long a second factor breaks glass, whatever else it is good for by the settings; the schema wants the same.
CONFIRMED_WITHIN = timedelta(minutes=5)
#: Within which somebody else reviews it.
REVIEWED_WITHIN = timedelta(hours=72)
#: Lines of a list; reviewed ones are listed for so long.
MOST, LISTED_FOR = 100, timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Glass:
    """Glass that was broken.

    Arguments:
        by: account of the supervisor, and what they are called.
        call: in which it was asked for, where that was said.
        verdict: of the account ``reviewed_by``, once there is one.
    """

    id: UUID
    practice: UUID
    staff: UUID
    by: str
    asks: Asks
    call: UUID | None
    broken_at: datetime
    reviewed_at: datetime | None
    reviewer: str | None
    verdict: Verdict | None

    @property
    def open_until(self) -> datetime:
        """When its file can be read no more."""
        return self.broken_at + OPEN_FOR

    @property
    def due_at(self) -> datetime:
        """By when somebody else has reviewed it."""
        return self.broken_at + REVIEWED_WITHIN


@dataclass(frozen=True, slots=True)
class Asked:
    """What a supervisor has written down, opened; must not be logged.

    Arguments:
        why: in their words.
        who: asks.
        number: at which they are rung back.
    """

    why: str = field(repr=False)
    who: str = field(repr=False)
    number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Breaking:
    """The glass that somebody breaks.

    Arguments:
        confirmed_at: when they have given the second factor that is used up by it.
    """

    id: UUID
    staff: UUID
    asks: Asks
    call: UUID | None
    confirmed_at: datetime
    now: datetime


async def break_glass(tx: Transaction, sealer: Sealer, breaking: Breaking, asked: Asked) -> bool:
    """Break the glass of the practice of ``tx``. False where that second factor has broken one already."""
    values = {
        "id": breaking.id,
        "practice": tx.practice,
        "staff": breaking.staff,
        "asks": breaking.asks.value,
        "call": breaking.call,
        "confirmed": breaking.confirmed_at,
        "now": breaking.now,
    }
    if (await tx.connection.execute(_BREAK, values)).one_or_none() is None:
        return False
    words = json.dumps([asked.why, asked.who, asked.number])
    await _keep(tx, sealer, breaking.id, "asked", words)
    return True


async def was_used(connection: AsyncConnection, staff: UUID, confirmed_at: datetime) -> bool:
    """Whether that second factor has broken glass already."""
    values = {"staff": staff, "confirmed": confirmed_at}
    return bool((await connection.execute(_USED, values)).scalar_one())


async def open_file(tx: Transaction, glass: UUID, patient: UUID) -> None:
    """That is the one file that this glass opens."""
    await tx.connection.execute(_FILE, {"id": glass, "practice": tx.practice, "patient": patient})


async def file_of(tx: Transaction, glass: UUID) -> UUID | None:
    """Whose file it opens; ``None``: nobody's."""
    values = {"id": glass, "practice": tx.practice}
    found: UUID | None = (await tx.connection.execute(_FILE_OF, values)).scalar_one_or_none()
    return found


async def held(connection: AsyncConnection, glass: UUID) -> Glass | None:
    """One, which nobody else does anything with until the transaction is over."""
    row = (await connection.execute(_HELD, {"id": glass})).one_or_none()
    return None if row is None else _glass(row)


async def listed(connection: AsyncConnection, practices: Sequence[UUID], now: datetime) -> Sequence[Glass]:
    """Those of ``practices``: what waits to be reviewed first, the oldest first; then the rest, the last first."""
    values = {"practices": list(practices), "since": now - LISTED_FOR, "most": MOST}
    return [_glass(row) for row in (await connection.execute(_LISTED, values)).all()]


async def late(connection: AsyncConnection, practices: Sequence[UUID], now: datetime) -> int:
    """How many of ``practices`` should have been reviewed."""
    values = {"practices": list(practices), "before": now - REVIEWED_WITHIN}
    return int((await connection.execute(_LATE, values)).scalar_one())


async def late_anywhere(connection: AsyncConnection, now: datetime) -> int:
    """How many should have been reviewed, in the whole installation."""
    return int((await connection.execute(_LATE_ANYWHERE, {"before": now - REVIEWED_WITHIN})).scalar_one())


async def asked_of(tx: Transaction, sealer: Sealer, glass: UUID) -> Asked | None:
    """What its supervisor has written down; ``None`` once it is forgotten."""
    words = await _words(tx, sealer, glass, "asked")
    return None if words is None else Asked(*json.loads(words))


async def verdict_of(tx: Transaction, sealer: Sealer, glass: UUID) -> str | None:
    """Why the verdict is what it is; ``None`` where there is none, or it is forgotten."""
    return await _words(tx, sealer, glass, "verdict")


async def review(
    tx: Transaction, sealer: Sealer, glass: UUID, by: UUID, verdict: Verdict, words: str, now: datetime
) -> bool:
    """Review it. False where somebody has, or it is one's own."""
    values = {"id": glass, "practice": tx.practice, "by": by, "verdict": verdict.value, "now": now}
    if (await tx.connection.execute(_REVIEW, values)).one_or_none() is None:
        return False
    await _keep(tx, sealer, glass, "verdict", words)
    return True


async def _keep(tx: Transaction, sealer: Sealer, glass: UUID, kind: str, words: str) -> None:
    sealed = sealer.seal_text(words, _place(tx.practice, glass, kind))
    await tx.connection.execute(_KEEP, {"id": glass, "practice": tx.practice, "kind": kind, "words": sealed})


async def _words(tx: Transaction, sealer: Sealer, glass: UUID, kind: str) -> str | None:
    values = {"id": glass, "practice": tx.practice, "kind": kind}
    sealed = (await tx.connection.execute(_WORDS, values)).scalar_one_or_none()
    return None if sealed is None else sealer.open_text(sealed, _place(tx.practice, glass, kind))


def _place(practice: UUID, glass: UUID, kind: str) -> Place:
    return Place(practice, "glass_words", kind, glass)


def _glass(row: Row[Any]) -> Glass:
    return Glass(
        id=row.id,
        practice=row.practice_id,
        staff=row.staff_id,
        by=row.by,
        asks=Asks(row.asks),
        call=row.call_id,
        broken_at=row.broken_at,
        reviewed_at=row.reviewed_at,
        reviewer=row.reviewer,
        verdict=None if row.verdict is None else Verdict(row.verdict),
    )


_BREAK = text(
    """
    INSERT INTO glass_break (id, practice_id, staff_id, asks, call_id, broken_at, confirmed_at)
    VALUES (:id, :practice, :staff, :asks, :call, :now, :confirmed) ON CONFLICT DO NOTHING RETURNING id
    """
)
_USED = text("SELECT EXISTS (SELECT FROM glass_break WHERE staff_id = :staff AND confirmed_at = :confirmed)")
_KEEP = text("INSERT INTO glass_words (glass_id, practice_id, kind, words) VALUES (:id, :practice, :kind, :words)")
_WORDS = text("SELECT words FROM glass_words WHERE practice_id = :practice AND glass_id = :id AND kind = :kind")
_FILE = text("INSERT INTO glass_file (glass_id, practice_id, patient_id) VALUES (:id, :practice, :patient)")
_FILE_OF = text("SELECT patient_id FROM glass_file WHERE practice_id = :practice AND glass_id = :id")
_ONE = """
    SELECT g.*, a.display_name AS by, r.display_name AS reviewer
    FROM glass_break g JOIN staff_account a ON a.id = g.staff_id LEFT JOIN staff_account r ON r.id = g.reviewed_by
"""
_HELD = text(f"{_ONE} WHERE g.id = :id FOR NO KEY UPDATE OF g")
_LISTED = text(
    f"""
    {_ONE} WHERE g.practice_id = ANY(:practices) AND (g.reviewed_at IS NULL OR g.reviewed_at > :since)
    ORDER BY g.reviewed_at IS NOT NULL, CASE WHEN g.reviewed_at IS NULL THEN g.broken_at END, g.broken_at DESC, g.id
    LIMIT :most
    """
)
_LATE = text(
    "SELECT count(*) FROM glass_break WHERE reviewed_at IS NULL AND broken_at < :before "
    "AND practice_id = ANY(:practices)"
)
_LATE_ANYWHERE = text("SELECT count(*) FROM glass_break WHERE reviewed_at IS NULL AND broken_at < :before")
_REVIEW = text(
    """
    UPDATE glass_break SET reviewed_at = :now, reviewed_by = :by, verdict = :verdict
    WHERE id = :id AND practice_id = :practice AND reviewed_at IS NULL AND staff_id <> :by RETURNING id
    """
)
