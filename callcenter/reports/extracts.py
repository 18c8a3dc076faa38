"""Requests for an extract, as rows: prepared by one, decided by the practice, with what stands sealed beside them.

Whoever calls these has found out who somebody is at the practice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.audit.ledger import EventKind, timestamp
from callcenter.audit.not_refused import STANDS
from callcenter.kernel.errors import NotFound
from callcenter.kernel.levels import Level
from callcenter.reports.extract_tables import Asks, ExtractOutcome, IdentityCheck
from callcenter.reports.register_extract import Named
from callcenter.store.database import Transaction
from callcenter.store.sealed import Place, Sealer

#: RGPD 12.3: a month.
ANSWERED_WITHIN = timedelta(days=30)
#: After the first time for so long it can be made again: in the other form, or because a file was lost.
AGAIN_FOR = timedelta(days=30)
#: A call proves who asks for so long.
PROVES_FOR = timedelta(days=30)
#: Nobody decides about it any more, and it is forgotten whose it was.
WAITS_FOR = timedelta(days=365)
#: Signs of an identifier that lists show.
SHORT = 8
#: Lines of a list; what is decided is listed for so long.
MOST, LISTED_FOR = 100, timedelta(days=92)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that somebody prepares.

    Arguments:
        id: by which the ledger names it.
        call: in which the patient was verified.
        first, last: the days, both included.
    """

    id: UUID
    asks: Asks
    check: IdentityCheck
    call: UUID | None
    first: date
    last: date
    staff: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request.

    Arguments:
        by: who has prepared it, as colleagues are shown them.
        closed_at, closer, outcome: once it is decided.
    """

    id: UUID
    practice: UUID
    asks: Asks
    check: IdentityCheck
    call: UUID | None
    first: date
    last: date
    by: str
    at: datetime
    closed_at: datetime | None
    closer: str | None
    outcome: ExtractOutcome | None

    @property
    def reference(self) -> str:
        """The first signs of its identifier: lists tell requests apart by them, and the paper bears the whole."""
        return str(self.id)[:SHORT]

    @property
    def due_at(self) -> datetime:
        """By when it is answered."""
        return self.at + ANSWERED_WITHIN

    @property
    def again_until(self) -> datetime | None:
        """Until when it can be made again, once it was given."""
        return (
            None
            if self.closed_at is None or self.outcome is not ExtractOutcome.RELEASED
            else self.closed_at + AGAIN_FOR
        )

    def may_be_made(self, now: datetime) -> bool:
        """Whether a paper may be made of it: for a year until it is declined, and for a while after the first one."""
        if self.outcome is ExtractOutcome.RELEASED:
            return self.again_until is not None and now <= self.again_until
        return self.outcome is None and now <= self.at + WAITS_FOR


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose extract it is.

    Arguments:
        subject: their token in the ledger; ``None`` where the ledger has forgotten who that was.
        named: as whoever asks has shown it; it has matched the file.
    """

    patient: UUID
    subject: UUID | None
    named: Named


async def prepare(
    tx: Transaction, sealer: Sealer, prepared: Prepared, patient: UUID, reason: UUID, named: Named
) -> None:
    """Keep a request.

    Arguments:
        reason: of the look-up by which the patient was found.
    """
    values = {
        "id": prepared.id,
        "practice": tx.practice,
        "asks": prepared.asks.value,
        "check": prepared.check.value,
        "call": prepared.call,
        "first": prepared.first,
        "last": prepared.last,
        "staff": prepared.staff,
        "at": prepared.at,
    }
    await tx.connection.execute(_PREPARE, values)
    words = json.dumps([named.name, named.first_name, named.birth_date.isoformat()])
    sealed = sealer.seal_text(words, _place(tx.practice, "extract_file", "named", prepared.id))
    whose = {"id": prepared.id, "practice": tx.practice, "patient": patient, "reason": reason, "named": sealed}
    await tx.connection.execute(_FILE, whose)


async def practice_of(connection: AsyncConnection, extract: UUID) -> UUID | None:
    """Whose request it is."""
    found: UUID | None = (await connection.execute(_PRACTICE, {"id": extract})).scalar_one_or_none()
    return found


async def held(connection: AsyncConnection, extract: UUID) -> RequestRow | None:
    """One, which nobody else does anything with until the transaction is over."""
    row = (await connection.execute(_HELD, {"id": extract})).one_or_none()
    return None if row is None else _request(row)


async def listed(connection: AsyncConnection, practices: Sequence[UUID], now: datetime) -> Sequence[RequestRow]:
    """Those of ``practices``: what waits first, the oldest first; then what is decided, the last first."""
    values = {"practices": list(practices), "since": now - LISTED_FOR, "asked": now - WAITS_FOR, "most": MOST}
    return [_request(row) for row in (await connection.execute(_LISTED, values)).all()]


async def whose(tx: Transaction, sealer: Sealer, extract: UUID) -> Whose:
    """Whose extract it is.

    Raises:
        NotFound: this practice has none of that identifier.
    """
    row = (await tx.connection.execute(_WHOSE, {"id": extract, "practice": tx.practice})).one_or_none()
    if row is None:
        raise NotFound
    words = sealer.open_text(row.named, _place(tx.practice, "extract_file", "named", extract))
    name, first_name, born = json.loads(words)
    return Whose(row.patient_id, row.token, Named(name, first_name, date.fromisoformat(born)))


async def subject_of(tx: Transaction, extract: UUID) -> UUID | None:
    """The token in the ledger of whose extract it is; ``None``: none of this practice is known by that identifier, its
    practitioner has declined it, or nothing on record names the person."""
    values = {"id": extract, "practice": tx.practice}
    found: UUID | None = (await tx.connection.execute(_SUBJECT, values)).scalar_one_or_none()
    return found


async def close(tx: Transaction, extract: UUID, staff: UUID, outcome: ExtractOutcome, now: datetime) -> None:
    """Decide it. Nothing changes of one that is decided."""
    values = {"id": extract, "practice": tx.practice, "staff": staff, "outcome": outcome.value, "now": now}
    await tx.connection.execute(_CLOSE, values)


async def keep_words(tx: Transaction, sealer: Sealer, words: UUID, extract: UUID, kind: str, said: str) -> None:
    """Keep why staff are named in it (``staff``), or why it is declined (``declined``)."""
    sealed = sealer.seal_text(said, _place(tx.practice, "extract_words", kind, words))
    values = {"id": words, "practice": tx.practice, "extract": extract, "kind": kind, "words": sealed}
    await tx.connection.execute(_WORDS, values)


async def was_verified(tx: Transaction, call: UUID, subject: UUID, now: datetime) -> bool:
    """Whether somebody was verified as this patient in a call, at V2 at least and not too long ago.

    Neither an appointment card does, which anybody may have found, nor a telephone that several adults share.
    """
    values = {
        "practice": tx.practice,
        "call": call,
        "subject": str(subject),
        "event": EventKind.VERIFICATION_SUCCEEDED.value,
        "since": timestamp(now - PROVES_FOR),
        "level": int(Level.VERIFIED),
    }
    return bool((await tx.connection.execute(_VERIFIED, values)).scalar_one())


async def times_of(tx: Transaction, calls: Sequence[UUID]) -> Mapping[UUID, tuple[datetime, datetime | None]]:
    """When calls have begun and ended."""
    values = {"practice": tx.practice, "calls": sorted(set(calls))}
    rows = (await tx.connection.execute(_CALLS, values)).all()
    return {row.id: (row.started_at, row.ended_at) for row in rows}


async def organisation_name(connection: AsyncConnection, practice: UUID) -> str:
    """What whoever answers the telephone of a practice is called."""
    return str((await connection.execute(_ORGANISATION, {"practice": practice})).scalar_one())


def _place(practice: UUID, table: str, column: str, row: UUID) -> Place:
    return Place(practice, table, column, row)


def _request(row: Row[Any]) -> RequestRow:
    return RequestRow(
        id=row.id,
        practice=row.practice_id,
        asks=Asks(row.asks),
        check=IdentityCheck(row.identity_check),
        call=row.call_id,
        first=row.first_day,
        last=row.last_day,
        by=row.by,
        at=row.prepared_at,
        closed_at=row.closed_at,
        closer=row.closer,
        outcome=None if row.outcome is None else ExtractOutcome(row.outcome),
    )


_PREPARE = text(
    """
    INSERT INTO register_extract
        (id, practice_id, asks, identity_check, call_id, first_day, last_day, prepared_by, prepared_at)
    VALUES (:id, :practice, :asks, :check, :call, :first, :last, :staff, :at)
    """
)
_FILE = text(
    "INSERT INTO extract_file (extract_id, practice_id, patient_id, reason_id, named) "
    "VALUES (:id, :practice, :patient, :reason, :named)"
)
_PRACTICE = text("SELECT practice_id FROM register_extract WHERE id = :id")
_ONE = """
    SELECT e.*, a.display_name AS by, c.display_name AS closer
    FROM register_extract e
    JOIN staff_account a ON a.id = e.prepared_by LEFT JOIN staff_account c ON c.id = e.closed_by
"""
_HELD = text(f"{_ONE} WHERE e.id = :id FOR NO KEY UPDATE OF e")
_LISTED = text(
    f"""
    {_ONE} WHERE e.practice_id = ANY(:practices) 
      AND (e.closed_at IS NULL AND e.prepared_at >= :asked OR e.closed_at > :since)
    ORDER BY e.closed_at IS NOT NULL, CASE WHEN e.closed_at IS NULL THEN e.prepared_at END, e.closed_at DESC, e.id
    LIMIT :most
    """
)
_WHOSE = text(
    """
    SELECT f.patient_id, f.named, s.token FROM extract_file f
    LEFT JOIN audit_subject s ON s.practice_id = f.practice_id AND s.patient_id = f.patient_id
    WHERE f.extract_id = :id AND f.practice_id = :practice
    """
)
_SUBJECT = text(
    """
    SELECT s.token FROM register_extract e
    JOIN extract_file f ON f.extract_id = e.id AND f.practice_id = e.practice_id
    JOIN audit_subject s ON s.practice_id = f.practice_id AND s.patient_id = f.patient_id
    WHERE e.id = :id AND e.practice_id = :practice AND e.outcome IS DISTINCT FROM 'declined'
    """
)
_CLOSE = text(
    "UPDATE register_extract SET closed_by = :staff, closed_at = :now, outcome = :outcome "
    "WHERE id = :id AND practice_id = :practice AND closed_at IS NULL"
)
_WORDS = text(
    "INSERT INTO extract_words (id, practice_id, extract_id, kind, words) "
    "VALUES (:id, :practice, :extract, :kind, :words)"
)
_VERIFIED = text(
    f"""
    SELECT EXISTS (
        SELECT FROM audit_record r
        WHERE practice_id = :practice AND call_id = :call AND subject = :subject AND event = :event AND at >= :since
          AND (ledger_text(body, '{{level}}'))::int >= :level AND ledger_text(body, '{{shared_contact}}') = 'false'
          AND {STANDS}
    )
    """  # noqa: S608 - our own words alone
)
_CALLS = text("SELECT id, started_at, ended_at FROM call WHERE practice_id = :practice AND id = ANY(:calls)")
_ORGANISATION = text(
    "SELECT o.name FROM organisation o JOIN practice p ON p.organisation_id = o.id WHERE p.id = :practice"
)
