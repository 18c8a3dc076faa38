"""What callers ask to have done at the telephone on file: kept sealed until a job has done it, and counted for a day.

The call writes down what was typed and reads no file. Who that is, and whether anything is done, is found out by a job
once nobody listens (P6), which writes down what became of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import insert, text

from callcenter.audit.ledger import Entry, EventKind
from callcenter.calls.desk import IVR_ACTOR, Desk
from callcenter.calls.tables import outreach
from callcenter.flow.language import ReachKind
from callcenter.identity.challenges import SECRET_BYTES, code_digits
from callcenter.identity.evidence import Factor
from callcenter.kernel.randomness import Random, new_id
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.numbers import E164, receives_sms
from callcenter.practice.values import EntryKind
from callcenter.store.database import Transaction
from callcenter.store.jobs import defer
from callcenter.store.sealed import Place, Sealer

#: Names of the jobs.
SEND_REMINDER_AGAIN = "send_reminder_again"
RING_BACK = "ring_back"

#: How long what was asked for is still wanted; the call-back code is good for no longer.
WANTED = {ReachKind.REMINDER: timedelta(minutes=15), ReachKind.RETURN_CALL: timedelta(minutes=5)}
#: In which the bounds below count.
WINDOW = timedelta(hours=24)
#: What one patient is reached with in that time, whoever asks for it; then nothing, without a word.
REACHED = {ReachKind.REMINDER: 1, ReachKind.RETURN_CALL: 3}
#: And one line, whoever of those who share it it is about.
LINE_REACHED = 3
#: What one calling number may ask for in that time.
ASKED_BY_CALLER = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asked for.

    Arguments:
        born, telephone: as they typed them; E.164.
        secret: of the call-back code that they were told.
        caller: keyed hash of the calling number, ``None`` when it is withheld.
        at: when.
        call_ended: the call in which they asked is over.
    """

    id: UUID
    call: UUID
    born: date
    telephone: str
    secret: bytes
    caller: bytes | None
    at: datetime
    call_ended: bool


class CallOutreach:
    """Keeps what a caller asks for. Implements ``flow.ports.Outreach``."""

    def __init__(self, desk: Desk, sealer: Sealer, random: Random) -> None:
        self._desk = desk
        self._sealer = sealer
        self._random = random

    async def send_reminder(self, birth_date: date, telephone: str) -> None:
        asked, _ = await self._ask(ReachKind.REMINDER, birth_date, telephone)
        await defer(self._desk.tx.connection, SEND_REMINDER_AGAIN, practice=self._desk.tx.practice, outreach=asked)

    async def return_call(self, birth_date: date, telephone: str) -> str:
        """Its job is deferred when the call has ended (``calls.endings``): the line on file may be the caller's."""
        _, secret = await self._ask(ReachKind.RETURN_CALL, birth_date, telephone)
        return code_digits(secret, Factor.RETURN_CALL)

    async def _ask(self, kind: ReachKind, birth_date: date, telephone: str) -> tuple[UUID, bytes]:
        desk, practice = self._desk, self._desk.tx.practice
        request, secret = new_id(self._random), self._random.token_bytes(SECRET_BYTES)
        claim = json.dumps([birth_date.isoformat(), telephone, secret.hex()])
        values = {
            "id": request,
            "practice_id": practice,
            "kind": kind.value,
            "call_id": desk.call,
            "claim": self._sealer.seal_text(claim, claim_place(practice, request)),
            "caller": None if desk.caller is None else line_hash(self._sealer, practice, desk.caller),
            "asked_at": desk.now,
        }
        await desk.tx.connection.execute(_ASK, values)
        content = {"refs": [f"outreach:{request}"], "by": kind.value}
        await desk.writing.add(Entry(EventKind.OUTREACH_ASKED, IVR_ACTOR, None, content))
        return request, secret


async def take_up(tx: Transaction, sealer: Sealer, request: UUID, kind: ReachKind) -> Asked | None:
    """What is still to be done, locked until the transaction ends; ``None`` when it is done, begun or forgotten."""
    row = (await tx.connection.execute(_TAKE_UP, {"id": request, "kind": kind.value})).one_or_none()
    if row is None:
        return None
    born, telephone, secret = json.loads(sealer.open_text(row.claim, claim_place(tx.practice, request)))
    caller = None if row.caller is None else bytes(row.caller)
    return Asked(
        request,
        row.call_id,
        date.fromisoformat(born),
        telephone,
        bytes.fromhex(secret),
        caller,
        row.asked_at,
        row.ended_at is not None,
    )


async def too_often(tx: Transaction, asked: Asked, kind: ReachKind, patient: UUID, line: bytes, now: datetime) -> bool:
    """Whether a bound is reached: of the patient, of the line that would be reached, or of the calling number.

    Requests about one line queue behind one another, so that several at once do not all find room.
    """
    await tx.connection.execute(_LOCK, {"whom": f"outreach|{line.hex()}"})
    await tx.connection.execute(_LOCK, {"whom": f"outreach|{patient}"})
    values = {
        "id": asked.id,
        "kind": kind.value,
        "patient": patient,
        "line": line,
        "caller": asked.caller,
        "at": asked.at,
        "since": now - WINDOW,
    }
    row = (await tx.connection.execute(_LATELY, values)).one()
    full = row.patient >= REACHED[kind] or row.line >= LINE_REACHED
    return bool(full or row.caller >= ASKED_BY_CALLER)


def line_hash(sealer: Sealer, practice: UUID, number: str) -> bytes:
    """Under what a line is counted; ``number`` is E.164."""
    return sealer.blind_index(practice, "outreach.line", number)


def number_to_show(facts: PracticeFacts) -> E164 | None:
    """The practice's own number that a text names and a call shows: one that we answer, its main one before others,
    and never a 06 or 07, which is for persons (OU-05)."""
    shown = sorted(
        (door.entry is not EntryKind.MAIN, door.practitioner is not None, number)
        for number, door in facts.numbers.items()
        if not receives_sms(number)
    )
    return shown[0][2] if shown else None


def claim_place(practice: UUID, request: UUID) -> Place:
    """Where what was typed is sealed for."""
    return Place(practice, "outreach", "claim", request)


_ASK = insert(outreach)

_TAKE_UP = text(
    """
    SELECT o.call_id, o.claim, o.caller, o.asked_at, c.ended_at
    FROM outreach o JOIN call c ON c.practice_id = o.practice_id AND c.id = o.call_id
    WHERE o.id = :id AND o.kind = :kind AND o.claim IS NOT NULL AND o.token_hash IS NULL
    FOR UPDATE OF o
    """
)

#: What a patient or a line was reached with counts; of a calling number, what it asked for before.
_LATELY = text(
    """
    SELECT (
        SELECT count(*) FROM outreach
        WHERE patient_id = :patient AND kind = :kind AND asked_at > :since AND id <> :id
    ) AS patient, (
        SELECT count(*) FROM outreach WHERE line = :line AND kind = :kind AND asked_at > :since AND id <> :id
    ) AS line, (
        SELECT count(*) FROM outreach
        WHERE caller = cast(:caller AS bytea) AND kind = :kind AND asked_at > :since AND asked_at <= :at AND id <> :id
    ) AS caller
    """
)

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:whom, 0))")

#: Nothing is done about it, or all of it is: what was typed is forgotten.
FORGET_CLAIM = text("UPDATE outreach SET claim = NULL WHERE id = :id")

#: It reaches this patient on this line: that counts from now on, whatever becomes of it.
REACHES = text(
    """
    UPDATE outreach SET patient_id = :patient, contact_id = :contact, line = :line, token_hash = :token_hash
    WHERE id = :id
    """
)
