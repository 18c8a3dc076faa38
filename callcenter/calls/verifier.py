"""The port by which a flow verifies its caller."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from callcenter.audit.ledger import Entry, EventKind, Value
from callcenter.calls.desk import IVR_ACTOR, Desk
from callcenter.flow.ports import (
    ChallengeOver,
    CodeRight,
    CodeSent,
    CodeWrong,
    NoMoreCodes,
    VerificationDown,
)
from callcenter.identity.challenges import (
    Challenges,
    Claim,
    Counted,
    Limits,
    NotCounted,
    Opened,
    Over,
    the_one,
    usable_contact,
)
from callcenter.identity.evidence import Evidence, Factor, Standing, standing
from callcenter.kernel.levels import Level
from callcenter.kernel.randomness import Random, new_id
from callcenter.practice.patients import Patients
from callcenter.store.database import DatabaseDown
from callcenter.store.jobs import defer

_log = structlog.get_logger(__name__)

#: Name of the job that sends a challenge's code, or does nothing for a decoy.
SEND_CODE = "send_code"


def _counter_unreadable(error: Exception) -> VerificationDown:
    """A counter that cannot be read or written: no verification, and the flow goes on without one."""
    _log.error("code_counter_unreadable", error=type(error).__name__)
    return VerificationDown()


def standing_at(desk: Desk, limits: Limits) -> Standing:
    """How the caller stands now."""
    return standing(desk.evidence, call=desk.call, practice=desk.tx.practice, now=desk.now, life=limits.evidence_life)


class CallVerifier:
    """Verifies the caller of one call. Implements ``flow.ports.Verifier``.

    Between a claim that matches and one that does not, no statement, record or job differs but in its content (P6).
    """

    def __init__(self, desk: Desk, patients: Patients, challenges: Challenges, limits: Limits, random: Random) -> None:
        self._desk = desk
        self._patients = patients
        self._challenges = challenges
        self._limits = limits
        self._random = random

    async def standing(self) -> Level:
        return standing_at(self._desk, self._limits).level

    async def open_challenge(self, birth_date: date, telephone: str) -> CodeSent | NoMoreCodes | VerificationDown:
        desk = self._desk
        desk.evidence = None  # P2: a new claim may be about another patient
        if desk.challenges_used >= self._limits.codes_per_call:  # OB-03
            await self._note(EventKind.VERIFICATION_REFUSED, reason="codes_per_call")
            return NoMoreCodes()
        match = the_one(await self._patients.by_birth_and_phone(desk.tx, birth_date, telephone), birth_date)
        patient = match.patient_id if match else new_id(self._random)  # nobody's: the same statements run
        contacts = await self._patients.code_contacts(desk.tx, patient)
        claim = self._challenges.claim(desk.tx.practice, birth_date, telephone, desk.caller)
        spent = await self._spent(patient, claim)
        if spent is None:
            return VerificationDown()
        barred = match is None or match.flags.gets_no_message or spent
        preferred = match.contact_id if match else patient
        contact = None if barred else usable_contact(contacts, preferred, desk.now, self._limits)
        desk.challenge = await self._challenges.open(desk.tx, desk.call, patient, contact, claim)
        desk.challenges_used += 1
        await defer(desk.tx.connection, SEND_CODE, practice=desk.tx.practice, challenge=desk.challenge.id)
        # No subject in this record: its statement would be one more for a match. The job's record names the patient.
        await self._note(EventKind.CHALLENGE_OPENED, desk.challenge)
        return CodeSent()

    async def check_code(self, keys: str) -> CodeRight | CodeWrong | ChallengeOver | VerificationDown:
        desk = self._desk
        if desk.challenge is None:
            return ChallengeOver()
        opened = desk.challenge
        try:
            attempt = await self._challenges.attempt(desk.tx.practice, desk.call, opened, desk.document, keys)
        except (DatabaseDown, SQLAlchemyError) as error:
            return _counter_unreadable(error)
        match attempt:
            case Counted() if await self._proves(opened, attempt, keys):
                return CodeRight(Level.VERIFIED)
            case Counted(last=False):
                await self._note(EventKind.VERIFICATION_FAILED, opened, reason="code")
                return CodeWrong()
            case Counted():
                return await self._over(opened, Over.NO_TRY_LEFT)
            case NotCounted(reason):
                return await self._over(opened, reason)

    async def _over(self, opened: Opened, reason: Over) -> ChallengeOver:
        self._desk.challenge = None
        await self._note(EventKind.VERIFICATION_FAILED, opened, reason=reason.value)
        return ChallengeOver()

    async def _spent(self, patient: UUID, claim: Claim) -> bool | None:
        """Whether a limit over calls is reached; ``None`` if it cannot be told."""
        try:
            async with self._desk.tx.connection.begin_nested():  # what fails here leaves the step's transaction whole
                return await self._challenges.spent(self._desk.tx, patient, claim)
        except SQLAlchemyError as error:
            _counter_unreadable(error)
            return None

    async def _proves(self, opened: Opened, attempt: Counted, keys: str) -> bool:
        desk = self._desk
        right = self._challenges.is_right(desk.tx.practice, opened, attempt, keys)
        if not right or opened.patient is None:
            return False
        if not await self._challenges.consume(desk.tx, opened, attempt, desk.document):
            return False
        content: dict[str, Value] = {
            "level": int(Level.VERIFIED),
            "factors": [Factor.BIRTH_DATE_AND_TELEPHONE.value, opened.factor.value],
            "refs": [f"challenge:{opened.id}"],
            "shared_contact": opened.shared,
        }
        record = await desk.writing.add(Entry(EventKind.VERIFICATION_SUCCEEDED, IVR_ACTOR, opened.patient, content))
        desk.challenge = None
        practice, call = desk.tx.practice, desk.call
        desk.evidence = Evidence(record, call, practice, opened.patient, opened.shared, desk.now, opened.factor)
        return True

    async def _note(self, kind: EventKind, opened: Opened | None = None, *, reason: str | None = None) -> None:
        content: dict[str, Value] = {"refs": [f"challenge:{opened.id}"] if opened else []}
        if reason:
            content["reason"] = reason
        await self._desk.writing.add(Entry(kind, IVR_ACTOR, None, content))
