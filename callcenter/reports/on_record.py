"""Looking for a patient among those of whom something is on record: by birth date first, then three letters (ID-05).

Nobody else is found: whoever asks learns nothing of a file that the ledger does not speak of. Dates and names are
opened here and compared by ``identity.matching``; what comes back is only what was asked for.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Row, text

from callcenter.audit.ledger import timestamp
from callcenter.audit.not_refused import STANDS
from callcenter.identity.matching import begins_with, is_named, matches
from callcenter.kernel.errors import CallcenterError, IntegrityError
from callcenter.kernel.labels import Category
from callcenter.kernel.protected import Protected
from callcenter.practice.file import PatientFile
from callcenter.reports.register_extract import Named
from callcenter.reports.searching import period
from callcenter.reports.values import Criteria, OnRecord
from callcenter.store.database import Transaction
from callcenter.store.sealed import Sealer

_log = structlog.get_logger(__name__)

#: Files that are opened for one search; of a busy practice a shorter period has no more.
MOST_FILES = 5_000
#: Whom a search shows.
MOST_FOUND = 10
#: Files after which others have their turn.
_AT_ONCE = 100

_NAMES = ("birth_name", "used_name", "first_name", "used_first_name")


class TooMany(CallcenterError):
    """There is too much on record in this period to look through."""


@dataclass(frozen=True, slots=True)
class Sought:
    """Who is looked for.

    Arguments:
        birth_date: exactly.
        letters: of a name or a first name, at most three; or none.
    """

    birth_date: date
    letters: str


async def patients_on_record(tx: Transaction, sealer: Sealer, criteria: Criteria, sought: Sought) -> list[OnRecord]:
    """Who fits, the most mentioned first; one more than ``MOST_FOUND`` says that there are others.

    Arguments:
        criteria: of which practice and period.

    Raises:
        TooMany: more than ``MOST_FILES`` patients are mentioned in the period.
    """
    since, until = period(criteria)
    values = {"practice": tx.practice, "since": timestamp(since), "until": timestamp(until), "most": MOST_FILES + 1}
    rows = (await tx.connection.execute(_MENTIONED, values)).all()
    if len(rows) > MOST_FILES:
        raise TooMany
    found: list[OnRecord] = []
    file = PatientFile(sealer, tx.practice)
    for number, row in enumerate(rows):
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)
        if _fits(file, row, sought):
            found.append(OnRecord(row.id, row.token, row.many))
    return found[: MOST_FOUND + 1]


async def is_of(tx: Transaction, sealer: Sealer, patient: UUID, named: Named) -> bool:
    """Whether it is their file: born that day, and called so in whole (MA-02). One that does not open is nobody's.

    Arguments:
        named: as whoever asks has shown it.
    """
    row = (await tx.connection.execute(_ONE, {"practice": tx.practice, "patient": patient})).one_or_none()
    if row is None:
        return False
    file = PatientFile(sealer, tx.practice)
    try:
        born = Protected(file.open_birth_date(row.id, row.birth_date), Category.RECORD_EXISTS, row.id)
        surnames, first_names = [_opened(file, row, columns) for columns in (_NAMES[:2], _NAMES[2:])]
    except IntegrityError:
        _log.error("sealed_field_does_not_open", table="patient", rows=[str(row.id)])
        return False
    return (
        matches(born, named.birth_date) and is_named(surnames, named.name) and is_named(first_names, named.first_name)
    )


def _opened(file: PatientFile, row: Row[Any], columns: tuple[str, ...]) -> list[Protected[str]]:
    return [
        Protected(file.open("patient", column, row.id, sealed), Category.RECORD_EXISTS, row.id)
        for column in columns
        if (sealed := getattr(row, column)) is not None
    ]


def _fits(file: PatientFile, row: Row[Any], sought: Sought) -> bool:
    """Whether it is them; a file that does not open is nobody's."""
    try:
        born = Protected(file.open_birth_date(row.id, row.birth_date), Category.RECORD_EXISTS, row.id)
        if not matches(born, sought.birth_date):
            return False
        opened = _opened(file, row, _NAMES)
    except IntegrityError:
        _log.error("sealed_field_does_not_open", table="patient", rows=[str(row.id)])
        return False
    return begins_with(opened, sought.letters)


_ONE = text(
    "SELECT id, birth_date, birth_name, used_name, first_name, used_first_name FROM patient "
    "WHERE practice_id = :practice AND id = :patient"
)

# By the time of their records first: of a period there are fewer than of the practice.
_MENTIONED = text(
    f"""
    WITH mentioned AS (
        SELECT r.subject, count(*) AS many FROM audit_record r
        WHERE r.practice_id = :practice AND r.at >= :since AND r.at < :until AND r.subject IS NOT NULL
          AND r.event NOT LIKE 'review.%' AND {STANDS}
          -- Who was asked for in an emergency and withheld is found by it no more than somebody who is not there (P6).
          AND NOT (r.event = 'disclosure' AND ledger_text(r.body, '{{step}}') = 'break_glass'
                   AND ledger_text(r.body, '{{decision}}') = 'refused')
        GROUP BY r.subject LIMIT :most
    )
    SELECT p.id, s.token, m.many, p.birth_date, p.birth_name, p.used_name, p.first_name, p.used_first_name
    FROM mentioned m
    JOIN audit_subject s ON s.token = m.subject::uuid AND s.practice_id = :practice
    JOIN patient p ON p.id = s.patient_id AND p.practice_id = :practice
    ORDER BY m.many DESC, p.id
    """  # noqa: S608 - our own words alone
)
