"""What the ledger holds of a call at this moment, as somebody else sees it: on a connection of the oracle's own.

What the product has not committed is not there. That is how the order of record and words is told.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from callcenter.audit.ledger import EventKind
from callcenter.audit.reading import Record, records_of_call
from callcenter.audit.tables import audit_record, audit_subject
from callcenter.calls.tables import call as call_table
from callcenter.store.database import Database, Transaction


@dataclass(frozen=True, slots=True)
class Grant:
    """A disclosure that the gate granted.

    Arguments:
        categories, references: as the record has them.
        evidence: records of what it was granted upon.
        words: it lets words out, not only a branch.
    """

    record: UUID
    subject: UUID | None
    level: int
    categories: frozenset[str]
    references: frozenset[str]
    evidence: frozenset[UUID]
    words: bool


@dataclass(frozen=True, slots=True)
class Account:
    """What is on record of one call.

    Arguments:
        redelivered: how often audio was fetched again.
        records: all of them.
        evidence: those of a successful verification.
    """

    call: UUID
    practice: UUID
    grants: tuple[Grant, ...]
    redelivered: int
    records: frozenset[UUID]
    evidence: frozenset[UUID]


class Ledger:
    """Reads the ledger.

    Arguments:
        database: connections of the oracle's own.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def account(self, call: UUID) -> Account | None:
        """What is committed of ``call``; ``None`` if nothing is, not even the call."""
        async with self._database.house() as connection:
            query = select(call_table.c.practice_id).where(call_table.c.id == call)
            practice = (await connection.execute(query)).scalar_one_or_none()
        if practice is None:
            return None
        async with self._database.practice(practice) as tx:
            records = await records_of_call(tx, call)
            subjects = await _subjects(tx)
        return Account(
            call,
            practice,
            tuple(_grant(record, subjects) for record in records if _is_grant(record)),
            len(_of_kind(records, EventKind.REDELIVERED)),
            frozenset(record.id for record in records),
            _of_kind(records, EventKind.VERIFICATION_SUCCEEDED),
        )

    async def call_of(self, sid: str) -> tuple[UUID, UUID] | None:
        """The call with the carrier's identifier ``sid``, and its practice."""
        async with self._database.house() as connection:
            query = select(call_table.c.id, call_table.c.practice_id).where(call_table.c.carrier_sid == sid)
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else (row.id, row.practice_id)

    async def events(self, call: UUID, practice: UUID) -> list[tuple[str, str]]:
        """What happened in a call, in order: kinds of records, and reasons where they have one."""
        async with self._database.practice(practice) as tx:
            records = await records_of_call(tx, call)
        return [(record.body["event"], record.body.get("reason", "")) for record in records]

    async def code_on_record(self, patient: UUID, practice: UUID, challenge: UUID) -> bool:
        """Whether it is on record that the code of ``challenge`` is sent, and to whom."""
        async with self._database.practice(practice) as tx:
            query = select(audit_record.c.body).where(audit_record.c.stream == challenge)
            bodies = [json.loads(body) for body in (await tx.connection.execute(query)).scalars()]
            subjects = await _subjects(tx)
        return any(
            body["event"] == EventKind.CODE_SENT.value and subjects.get(body["subject"]) == patient for body in bodies
        )

    async def reminder_on_record(self, practice: UUID, reminder: UUID) -> tuple[UUID, UUID] | None:
        """The patient and the appointment that the gate has let this reminder tell of, if it has, on record."""
        async with self._database.practice(practice) as tx:
            query = select(audit_record.c.body).where(audit_record.c.stream == reminder)
            bodies = [json.loads(body) for body in (await tx.connection.execute(query)).scalars()]
            subjects = await _subjects(tx)
        for body in bodies:
            told = body["event"] == EventKind.DISCLOSURE.value and body["decision"] == "granted"
            if told and body["channel"] == "sms" and {"D02", "D03"} <= set(body["categories"]):
                (appointment,) = (ref.split(":")[1] for ref in body["refs"] if ref.startswith("appointment:"))
                return subjects[body["subject"]], UUID(appointment)
        return None

    async def ring_on_record(self, patient: UUID, practice: UUID, request: UUID) -> bool:
        """Whether it is on record that a line rings for ``request``, and whose."""
        async with self._database.practice(practice) as tx:
            records, subjects = await _of_stream(tx, request), await _subjects(tx)
        return any(
            body["event"] == EventKind.OUTREACH_RINGS.value and subjects.get(body["subject"]) == patient
            for _, body in records
        )

    async def pushed(self, practice: UUID, request: UUID) -> Grant | None:
        """What a text that ``request`` brings about may tell, by the ledger."""
        async with self._database.practice(practice) as tx:
            records, subjects = await _of_stream(tx, request), await _subjects(tx)
        for record, body in reversed(records):
            if body["event"] == EventKind.DISCLOSURE.value and body["decision"] == "granted":
                categories, references = frozenset(body["categories"]), frozenset(body["refs"])
                whose = subjects[body["subject"]]
                return Grant(record, whose, body["level"], categories, references, frozenset(), words=True)
        return None

    async def bodies(self, practice: UUID) -> list[str]:
        """Every record of a practice, as it stands."""
        async with self._database.practice(practice) as tx:
            query = select(audit_record.c.body).where(audit_record.c.practice_id == practice)
            return [bytes(body).decode() for body in (await tx.connection.execute(query)).scalars()]


async def _of_stream(tx: Transaction, stream: UUID) -> list[tuple[UUID, Any]]:
    query = select(audit_record.c.id, audit_record.c.body).where(audit_record.c.stream == stream)
    rows = (await tx.connection.execute(query.order_by(audit_record.c.seq))).all()
    return [(row.id, json.loads(row.body)) for row in rows]


async def _subjects(tx: Transaction) -> dict[str, UUID]:
    query = select(audit_subject.c.token, audit_subject.c.patient_id)
    return {str(row.token): row.patient_id for row in (await tx.connection.execute(query)).all()}


def _of_kind(records: Sequence[Record], kind: EventKind) -> frozenset[UUID]:
    return frozenset(record.id for record in records if record.body["event"] == kind.value)


def _is_grant(record: Record) -> bool:
    return record.body["event"] == EventKind.DISCLOSURE.value and record.body["decision"] == "granted"


def _grant(record: Record, subjects: dict[str, UUID]) -> Grant:
    body = record.body
    return Grant(
        record.id,
        subjects.get(body["subject"]),  # a booking by telephone is nobody's file
        body["level"],
        frozenset(body["categories"]),
        frozenset(body["refs"]),
        frozenset(map(UUID, body["evidence_records"])),
        words=body["prompt"] is not None,
    )
