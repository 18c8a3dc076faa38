"""A practice's disclosures as FHIR, one event a line: a page of records is held at a time, however many there are."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from callcenter.audit.not_refused import STANDS
from callcenter.audit.reading import body_of, holds, place_of
from callcenter.kernel.errors import IntegrityError
from callcenter.reports.fhir import Origin, event_of
from callcenter.reports.fhir_profile import faults
from callcenter.store.database import Database

#: Records of one statement.
PAGE = 500
LIST = "fhir"


class NotTheProfile(IntegrityError):
    """An event is not what the profile wants: the record, or what makes events of records, is not as it should be."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is on record of decisions to tell something.

    Arguments:
        sealed: how many have their place in the practice's log, which proves them.
        waiting: how many are not sealed yet: they leave with the next file.
        size: leaves of the log, by which what is sealed later is told apart.
        refused: how many the sealer has refused: they say that they are such decisions, and leave with no file.
    """

    sealed: int
    waiting: int
    size: int
    refused: int


async def standing(database: Database, practice: UUID) -> Standing:
    """What is on record now."""
    async with database.practice(practice) as tx:
        size = int((await tx.connection.execute(_SIZE, {"practice": practice})).scalar_one())
        row = (await tx.connection.execute(_STANDING, {"practice": practice, "size": size})).one()
    return Standing(int(row.sealed), int(row.many) - int(row.sealed), size, int(row.refused))


async def lines_of(
    database: Database, practice: UUID, server: str, size: int, *, check: bool = False
) -> AsyncIterator[str]:
    """The events of sealed records, in the order of time, each a line of JSON without its end.

    Arguments:
        server: the public address of the installation.
        size: of the log: records of its first ``size`` leaves.
        check: look at each whether it is what the profile wants.

    Raises:
        IntegrityError: a record is not the one of its leaf.
        NotTheProfile: with ``check``.
    """
    origin, after, last = Origin(server, str(practice)), "", UUID(int=0)
    while True:
        values = {"practice": practice, "after": after, "last": last, "size": size, "limit": PAGE}
        async with database.practice(practice) as tx:
            rows = (await tx.connection.execute(_PAGE_OF, values)).all()
        for row in rows:
            if row.leaf != row.sealed or not holds(row.body, row.leaf, place_of(row), None):
                raise IntegrityError(
                    f"record {row.id} of the ledger is not the one of its leaf: `callcenter audit show`"
                )
            event = event_of(body_of(row.body), row.leaf, origin)
            wrong = faults(event) if check else []
            if wrong:
                raise NotTheProfile(f"record {row.id}: {'; '.join(wrong)}")
            yield json.dumps(event, ensure_ascii=False, separators=(",", ":"))
        if len(rows) < PAGE:
            return
        after, last = rows[-1].at, rows[-1].id


_SIZE = text("SELECT coalesce(max(idx) + 1, 0) FROM audit_leaf WHERE log_id = :practice")
_STANDING = text(
    f"""
    SELECT count(*) AS many, count(l.idx) AS sealed, (
        SELECT count(*) FROM audit_refused x JOIN audit_record r ON r.practice_id = x.log_id AND r.id = x.record_id
        WHERE x.log_id = :practice AND r.event = 'disclosure'
    ) AS refused
    FROM audit_record r LEFT JOIN audit_leaf l ON l.record_id = r.id AND l.idx < :size
    WHERE r.practice_id = :practice AND r.event = 'disclosure' AND {STANDS}
    """  # noqa: S608 - our own words alone
)
_PAGE_OF = text(
    f"""
    SELECT r.id, r.at, r.stream, r.seq, r.call_id, r.leaf, r.body, l.leaf AS sealed
    FROM audit_record r JOIN audit_leaf l ON l.record_id = r.id AND l.idx < :size
    WHERE r.practice_id = :practice AND r.event = 'disclosure' AND (r.at, r.id) > (:after, :last) AND {STANDS}
    ORDER BY r.at, r.id LIMIT :limit
    """  # noqa: S608 - our own words alone
)
