"""What was given of an extract, as the ledger has it: never what it says. The file itself is kept nowhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from callcenter.audit.about import moment_of
from callcenter.audit.ledger import EventKind
from callcenter.audit.not_refused import STANDS
from callcenter.audit.reading import body_of
from callcenter.reports.people import names_of
from callcenter.store.database import Transaction


@dataclass(frozen=True, slots=True)
class GivenOnRecord:
    """A file that has left.

    Arguments:
        at: when; ``None`` where its record says no moment.
        by: who gave it, as colleagues are shown them; ``None`` for nobody whom we know.
        form: ``pdf`` or ``json``.
        lines, held_back: how many it holds, and how many were kept from whoever acts for the patient; ``None`` where
            the record does not say.
        staff_named: with the names of staff.
        digest: SHA-256 of the file, in hexadecimal.
    """

    at: datetime | None
    by: str | None
    form: str
    lines: int | None
    held_back: int | None
    staff_named: bool
    digest: str


async def given_before(tx: Transaction, extract: UUID) -> Sequence[GivenOnRecord]:
    """Each time that an extract was given, the first one first.

    Arguments:
        tx: of the practice whose extract it is.
    """
    values = {"practice": tx.practice, "ref": f"extract:{extract}", "event": EventKind.EXTRACT_RELEASED.value}
    bodies = [body_of(row.body) for row in (await tx.connection.execute(_GIVEN, values)).all()]
    names = await names_of(tx.connection, [_who(body) for body in bodies])
    return [_given(body, names) for body in bodies]


def _given(body: Mapping[str, Any], names: Mapping[str, str]) -> GivenOnRecord:
    return GivenOnRecord(
        at=moment_of(body.get("ts")),
        by=names.get(_who(body)),
        form=str(body.get("form", "")),
        lines=_count(body, "count"),
        held_back=_count(body, "held_back"),
        staff_named=body.get("staff") == "named",
        digest=str(body.get("digest", "")),
    )


def _who(body: Mapping[str, Any]) -> str:
    actor = body.get("actor")
    return str(actor.get("id", "")) if isinstance(actor, dict) else ""


def _count(body: Mapping[str, Any], name: str) -> int | None:
    said = body.get(name)
    return said if isinstance(said, int) else None


_GIVEN = text(
    f"""
    SELECT body FROM audit_record r
    WHERE practice_id = :practice AND call_id IS NULL AND ref = :ref AND event = :event AND {STANDS}
    ORDER BY seq
    """  # noqa: S608 - our own words alone
)
