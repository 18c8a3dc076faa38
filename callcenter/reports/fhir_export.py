"""A practice's disclosures as FHIR, one event a line: a page of records is held at a time, however many there are."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from uuid import UUID

from sqlalchemy import text

from callcenter.audit.ledger import leaf_of
from callcenter.audit.reading import body_of
from callcenter.kernel.errors import IntegrityError
from callcenter.reports.fhir import Origin, event_of
from callcenter.reports.fhir_profile import faults
from callcenter.store.database import Database

#: Records of one statement.
PAGE = 500
LIST = "fhir"


class NotTheProfile(IntegrityError):
    """An event is not what the profile wants: the record, or what makes events of records, is not as it should be."""


async def standing(database: Database, practice: UUID) -> tuple[int, str]:
    """How many decisions to tell something are on record, and when the last of them was, as the ledger writes it."""
    async with database.practice(practice) as tx:
        row = (await tx.connection.execute(_STANDING, {"practice": practice})).one()
    return int(row.many), row.until or ""


async def lines_of(
    database: Database, practice: UUID, server: str, until: str, *, check: bool = False
) -> AsyncIterator[str]:
    """The events, in the order of time, each a line of JSON without its end.

    Arguments:
        server: the public address of the installation.
        until: the last moment, as the ledger writes it.
        check: look at each whether it is what the profile wants.

    Raises:
        IntegrityError: a record is not the one of its leaf.
        NotTheProfile: with ``check``.
    """
    origin, after, last = Origin(server, str(practice)), "", UUID(int=0)
    while True:
        values = {"practice": practice, "after": after, "last": last, "until": until, "limit": PAGE}
        async with database.practice(practice) as tx:
            rows = (await tx.connection.execute(_PAGE_OF, values)).all()
        for row in rows:
            if leaf_of(row.body) != row.leaf:
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


_STANDING = text(
    "SELECT count(*) AS many, max(at) AS until FROM audit_record WHERE practice_id = :practice AND event = 'disclosure'"
)
_PAGE_OF = text(
    """
    SELECT id, at, leaf, body FROM audit_record
    WHERE practice_id = :practice AND event = 'disclosure' AND at <= :until AND (at, id) > (:after, :last)
    ORDER BY at, id LIMIT :limit
    """
)
