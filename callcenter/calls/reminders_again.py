"""The job behind « renvoyer le rappel »: who that is, whether a text may leave, the record, and then the text.

The caller has heard the same sentence long ago, whatever comes of it here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

import structlog

from callcenter.audit.ledger import Entry, EventKind, Value, note, stream_so_far, writing
from callcenter.audit.watching import LedgerWatch
from callcenter.calls.appointment_texts import AppointmentText, tell_by_text
from callcenter.calls.delivery import MessageNotTaken, Messenger, deliver_spoken
from callcenter.calls.outreach import FORGET_CLAIM, REACHES, WANTED, Asked, line_hash, take_up, too_often
from callcenter.disclosure.gate import Reason
from callcenter.disclosure.policy import Policy
from callcenter.flow.language import ReachKind
from callcenter.flow.prompts import Prompt
from callcenter.identity.challenges import Limits, the_one, usable_contact
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import Unavailable
from callcenter.kernel.randomness import Random, SystemRandom
from callcenter.practice.appointments import Appointments
from callcenter.practice.directory import Directory
from callcenter.practice.patients import Patients
from callcenter.store.database import Database, Transaction
from callcenter.store.sealed import Sealer

_log = structlog.get_logger(__name__)

JOB_ACTOR: dict[str, Value] = {"kind": "job", "id": "send_reminder_again"}


class NotSent(StrEnum):
    """Why no reminder is sent, besides what the gate refuses. The names stand in ledger records."""

    NOBODY = "nobody"
    EXPIRED = "expired"
    TOO_OFTEN = "too_often"
    NO_APPOINTMENT = "no_appointment"


@dataclass(frozen=True, slots=True)
class RemindersAgain:
    """Sends reminders again.

    Arguments:
        messenger: the carrier.
        policy: the gate's.
        words: gives the words that stand, for such a text.
        sender: whom texts come from, as the carrier is told.
        opposed: whether a patient, or whoever has the telephone of that blind index, wants no reminder (OU-02).
        ledger: knows whether what is told is sealed in time.
        random: for the identifiers of records.
    """

    database: Database
    sealer: Sealer
    clock: Clock
    messenger: Messenger[object]
    policy: Policy
    words: Callable[[], Prompt]
    sender: str
    limits: Limits
    opposed: Callable[[Transaction, UUID, bytes], Awaitable[bool]]
    ledger: LedgerWatch
    random: Random = field(default_factory=SystemRandom)

    async def send(self, practice: UUID, request: UUID) -> None:
        """Send date and time of the next appointment to the telephone on file, if there is such a patient.

        The record is committed before the text leaves; so is that this patient has had the day's one. Where nobody
        knows whether the carrier took it, that is on record, and it is not sent again.

        Raises:
            MessageNotTaken: nothing has left; to be tried again.
            DatabaseDown: the same.
        """
        if self.ledger.is_behind(practice):  # put off, like what the carrier does not take now
            raise MessageNotTaken("the ledger is behind: nothing is told")
        async with self.database.practice(practice) as tx:
            due = await self._due(tx, request)
            if due is None:
                await tx.connection.execute(FORGET_CLAIM, {"id": request})
        if due is None:
            return
        try:
            await deliver_spoken(self.messenger, due.to, due.words, reference=request)
        except MessageNotTaken:
            raise
        except Unavailable as error:
            _log.warning("reminder_unconfirmed", reference=str(request), error=type(error).__name__)
            await self._done(practice, request, unconfirmed=True)
        else:
            await self._done(practice, request, unconfirmed=False)

    async def _due(self, tx: Transaction, request: UUID) -> AppointmentText | None:
        asked = await take_up(tx, self.sealer, request, ReachKind.REMINDER)
        if asked is None:
            return None
        now, patients = self.clock.now(), Patients(self.sealer)
        if now >= asked.at + WANTED[ReachKind.REMINDER]:
            return await self._not_sent(tx, asked, NotSent.EXPIRED)
        match = the_one(await patients.by_birth_and_phone(tx, asked.born, asked.telephone), asked.born)
        if match is None:
            return await self._not_sent(tx, asked, NotSent.NOBODY)
        patient = match.patient_id
        line = line_hash(self.sealer, tx.practice, asked.telephone)
        if await too_often(tx, asked, ReachKind.REMINDER, patient, line, now):
            return await self._not_sent(tx, asked, NotSent.TOO_OFTEN, patient)
        appointment = await Appointments.next(tx, patient, now)
        if appointment is None:
            return await self._not_sent(tx, asked, NotSent.NO_APPOINTMENT, patient)
        contacts = await patients.code_contacts(tx, patient)
        contact = usable_contact(contacts, match.contact_id, now, self.limits)
        facts = await Directory.facts(tx.connection, tx.practice, now)
        segment, _ = await stream_so_far(tx, request)
        # OU-02: of where the text goes, which need not be the line that was typed.
        index = None if contact is None else await patients.phone_index(tx, contact.id)
        barred = Reason.OPPOSED if index is not None and await self.opposed(tx, patient, index) else None
        async with writing(tx, segment, self.clock, self.random) as pen:
            told = await tell_by_text(
                pen,
                self.policy,
                facts,
                appointment,
                match.flags,
                contact,
                now,
                words=self.words(),
                sender=self.sender,
                actor=JOB_ACTOR,
                sealed=not self.ledger.is_behind(tx.practice),
                barred=barred,
            )
        if isinstance(told, Reason) or contact is None:
            return None
        reached = {"patient": patient, "contact": contact.id, "line": line, "token_hash": None}
        await tx.connection.execute(REACHES, {"id": request, **reached})
        return told

    async def _not_sent(
        self, tx: Transaction, asked: Asked, reason: NotSent, patient: UUID | None = None
    ) -> AppointmentText | None:
        content: dict[str, Value] = {"refs": [f"call:{asked.call}", f"outreach:{asked.id}"], "reason": reason.value}
        await self._note(tx, asked.id, Entry(EventKind.OUTREACH_NOT_DONE, JOB_ACTOR, patient, content))
        return None

    async def _note(self, tx: Transaction, request: UUID, entry: Entry) -> None:
        await note(tx, entry, self.clock, self.random, stream=request)

    async def _done(self, practice: UUID, request: UUID, *, unconfirmed: bool) -> None:
        """Forget what was typed. It must not make the job fail: that would be tried again, and send again."""
        try:
            async with self.database.practice(practice) as tx:
                await tx.connection.execute(FORGET_CLAIM, {"id": request})
                if unconfirmed:
                    content: dict[str, Value] = {"refs": [f"outreach:{request}"]}
                    await self._note(tx, request, Entry(EventKind.OUTREACH_UNCONFIRMED, JOB_ACTOR, None, content))
        except Unavailable as error:
            _log.error("reminder_not_settled", reference=str(request), error=type(error).__name__)
