"""The job behind a return call: rings the line on file, once, after the call in which it was asked for has ended.

Nothing is told by that but that somebody asked. What proves anything is the code of that call, typed on that line
(``calls.returned``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import time
from enum import StrEnum
from uuid import UUID

import structlog
from sqlalchemy import select

from callcenter.audit.ledger import Entry, EventKind, Value, note
from callcenter.calls.delivery import Ringer, ring
from callcenter.calls.documents import token_hash
from callcenter.calls.outreach import (
    FORGET_CLAIM,
    REACHES,
    WANTED,
    Asked,
    line_hash,
    number_to_show,
    take_up,
    too_often,
)
from callcenter.flow.language import ReachKind
from callcenter.identity.challenges import Limits, the_one
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import Unavailable
from callcenter.kernel.protected import Protected
from callcenter.kernel.randomness import Random, SystemRandom, new_token
from callcenter.practice.directory import Directory
from callcenter.practice.numbers import may_be_rung, receives_sms
from callcenter.practice.patients import Patients
from callcenter.practice.tables import directory_number
from callcenter.store.database import Database, Transaction
from callcenter.store.sealed import Sealer

_log = structlog.get_logger(__name__)

JOB_ACTOR: dict[str, Value] = {"kind": "job", "id": "ring_back"}
#: When a line is rung, local time (OU-04).
FROM, UNTIL = time(8), time(20)


class NotRung(StrEnum):
    """Why no line is rung. The names stand in ledger records."""

    NOBODY = "nobody"
    EXPIRED = "expired"
    TOO_OFTEN = "too_often"
    RESTRICTED = "restricted"
    NO_TELEPHONE = "no_telephone"
    NOT_OURS_TO_RING = "not_ours_to_ring"
    CALLER_ID = "caller_id"
    HOURS = "hours"
    CALL_GOES_ON = "call_goes_on"


@dataclass(frozen=True, slots=True)
class _Ring:
    """A line that is due.

    Arguments:
        shown: our number.
        token: with which the carrier comes back when the line answers.
    """

    to: Protected[str]
    shown: str
    token: str


@dataclass(frozen=True, slots=True)
class RingBack:
    """Rings lines on file.

    Arguments:
        ringer: the carrier.
        random: for tokens and identifiers of records.
    """

    database: Database
    sealer: Sealer
    clock: Clock
    ringer: Ringer
    limits: Limits
    random: Random = field(default_factory=SystemRandom)

    async def ring(self, practice: UUID, request: UUID) -> None:
        """Ring the line that was asked for, if it is a patient's; never twice for one request, answered or not.

        Raises:
            DatabaseDown: nothing was rung; to be tried again.
        """
        async with self.database.practice(practice) as tx:
            asked = await take_up(tx, self.sealer, request, ReachKind.RETURN_CALL)
            if asked is None:
                return
            due, patient = await self._due(tx, asked)
            if isinstance(due, NotRung):
                await self._note(tx, asked, EventKind.OUTREACH_NOT_DONE, patient, due)
                await tx.connection.execute(FORGET_CLAIM, {"id": request})
                return
            await self._note(tx, asked, EventKind.OUTREACH_RINGS, patient)
        try:
            await ring(self.ringer, due.to, shown=due.shown, token=due.token, reference=request)
        except Unavailable as error:
            _log.warning("return_call_unconfirmed", reference=str(request), error=type(error).__name__)
            await self._unconfirmed(practice, asked)

    async def _due(self, tx: Transaction, asked: Asked) -> tuple[_Ring | NotRung, UUID | None]:
        """What is to be rung on the file as it stands now, and whose it is."""
        now, patients = self.clock.now(), Patients(self.sealer)
        if not asked.call_ended:
            return NotRung.CALL_GOES_ON, None
        if now >= asked.at + WANTED[ReachKind.RETURN_CALL]:
            return NotRung.EXPIRED, None
        match = the_one(await patients.by_birth_and_phone(tx, asked.born, asked.telephone), asked.born)
        if match is None:
            return NotRung.NOBODY, None
        patient = match.patient_id
        contacts = await patients.code_contacts(tx, patient)
        contact = next((contact for contact in contacts if contact.id == match.contact_id), None)
        facts = await Directory.facts(tx.connection, tx.practice, now)
        shown, local = number_to_show(facts), now.astimezone(facts.timezone).time()
        line = line_hash(self.sealer, tx.practice, asked.telephone)
        refused = (
            (match.flags.gets_no_message, NotRung.RESTRICTED),  # SP-07
            (contact is None or contact.entered_at > now - self.limits.contact_cooling, NotRung.NO_TELEPHONE),
            (contact is None or contact.confirmed_at <= now - self.limits.contact_stale, NotRung.NO_TELEPHONE),
            (asked.telephone in facts.own_lines or not may_be_rung(asked.telephone), NotRung.NOT_OURS_TO_RING),
            (await _served(tx, asked.telephone), NotRung.NOT_OURS_TO_RING),
            (shown is None or receives_sms(shown), NotRung.CALLER_ID),  # OU-05
            (not FROM <= local < UNTIL, NotRung.HOURS),
            (await too_often(tx, asked, ReachKind.RETURN_CALL, patient, line, now), NotRung.TOO_OFTEN),
        )
        reason = next((reason for applies, reason in refused if applies), None)
        if reason is not None or contact is None or shown is None:
            return reason or NotRung.NO_TELEPHONE, patient
        token = new_token(self.random)
        reached = {"patient": patient, "contact": contact.id, "line": line, "token_hash": token_hash(token)}
        await tx.connection.execute(REACHES, {"id": asked.id, **reached})
        return _Ring(contact.phone, shown, token), patient

    async def _note(
        self, tx: Transaction, asked: Asked, kind: EventKind, patient: UUID | None, reason: NotRung | None = None
    ) -> None:
        content: dict[str, Value] = {"refs": [f"call:{asked.call}", f"outreach:{asked.id}"]}
        if reason is not None:
            content["reason"] = reason.value
        await note(tx, Entry(kind, JOB_ACTOR, patient, content), self.clock, self.random, stream=asked.id)

    async def _unconfirmed(self, practice: UUID, asked: Asked) -> None:
        try:
            async with self.database.practice(practice) as tx:
                await self._note(tx, asked, EventKind.OUTREACH_UNCONFIRMED, None)
        except Unavailable as error:  # the job must not fail for it: it would be tried again
            _log.error("return_call_unconfirmed_not_noted", reference=str(asked.id), error=type(error).__name__)


async def _served(tx: Transaction, number: str) -> bool:
    """Whether the line is one that we answer, for whichever practice: it would be a call to ourselves."""
    query = select(directory_number.c.number).where(directory_number.c.number == number)
    return (await tx.connection.execute(query)).one_or_none() is not None
