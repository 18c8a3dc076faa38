"""Evidence, and the level that it gives.

A level is never stored: it is computed each time from evidence that the ledger holds, for one patient, one practice and
one call, and that is young enough (P2). The class below cannot exist without the identifier of its ledger record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from callcenter.kernel.levels import Level


class Factor(StrEnum):
    """What proved it. The names stand in ledger records."""

    BIRTH_DATE_AND_TELEPHONE = "birth_date+telephone"
    SMS_CODE = "sms_code"
    RETURN_CALL = "return_call"
    REFERENCE = "reference"
    BIRTH_DATE = "birth_date"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A code was typed back in this call: one that was sent to a contact on file, or, on that line, a call-back code.

    Arguments:
        record: the ledger record of the success.
        call, practice: where it was given; worth nothing elsewhere.
        patient: about whom.
        shared: the contact serves two adults or more: date and place only.
        at: when.
        factor: by what the contact on file was reached.
    """

    record: UUID
    call: UUID
    practice: UUID
    patient: UUID
    shared: bool
    at: datetime
    factor: Factor = Factor.SMS_CODE

    def to_json(self) -> dict[str, Any]:
        ids = {name: str(getattr(self, name)) for name in ("record", "call", "practice", "patient")}
        return {**ids, "shared": self.shared, "at": self.at.isoformat(), "factor": self.factor.value}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Evidence:
        ids = {name: UUID(value[name]) for name in ("record", "call", "practice", "patient")}
        factor = Factor(value.get("factor", Factor.SMS_CODE.value))
        return cls(**ids, shared=value["shared"], at=datetime.fromisoformat(value["at"]), factor=factor)


@dataclass(frozen=True, slots=True)
class Standing:
    """How the caller stands now, for one patient.

    Arguments:
        level: what live evidence gives.
        patient: about whom, or ``None`` at V0.
        factors: what proved it.
        shared: the proof came through a contact that several adults share.
        records: ledger records of the evidence.
        slot: the proof is an appointment card: it opens that slot, and nothing else of the patient's.
        provisional: ``patient`` is a booking by telephone, which is nobody's file.
    """

    level: Level
    patient: UUID | None = None
    factors: tuple[Factor, ...] = ()
    shared: bool = False
    records: tuple[UUID, ...] = ()
    slot: UUID | None = None
    provisional: bool = False

    @property
    def subject(self) -> UUID | None:
        """The patient, for the ledger: a booking is none."""
        return None if self.provisional else self.patient


UNKNOWN = Standing(Level.UNKNOWN)


def standing(evidence: Evidence | None, *, call: UUID, practice: UUID, now: datetime, life: timedelta) -> Standing:
    """What ``evidence`` is worth in ``call`` of ``practice`` at ``now``.

    Arguments:
        life: how long evidence stands; older is worth nothing.
    """
    if evidence is None or evidence.call != call or evidence.practice != practice:
        return UNKNOWN
    if not timedelta(0) <= now - evidence.at < life:
        return UNKNOWN
    factors = (Factor.BIRTH_DATE_AND_TELEPHONE, evidence.factor)
    return Standing(Level.VERIFIED, evidence.patient, factors, evidence.shared, (evidence.record,))


@dataclass(frozen=True, slots=True)
class CardEvidence:
    """The reference of one slot and the birth date that goes with it were typed in this call.

    Arguments:
        record: the ledger record of the success.
        call, practice: where it was given; worth nothing elsewhere.
        slot: which it opens; worth nothing for another.
        at: when.
    """

    record: UUID
    call: UUID
    practice: UUID
    slot: UUID
    at: datetime

    def to_json(self) -> dict[str, Any]:
        ids = {name: str(getattr(self, name)) for name in ("record", "call", "practice", "slot")}
        return {**ids, "at": self.at.isoformat()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> CardEvidence:
        ids = {name: UUID(value[name]) for name in ("record", "call", "practice", "slot")}
        return cls(**ids, at=datetime.fromisoformat(value["at"]))


def card_standing(
    evidence: CardEvidence | None,
    *,
    slot: UUID,
    subject: UUID,
    provisional: bool,
    call: UUID,
    practice: UUID,
    now: datetime,
    life: timedelta,
) -> Standing:
    """What a card is worth for ``slot`` in ``call`` of ``practice`` at ``now``.

    Arguments:
        subject: the patient of the slot, or the booking itself.
        life: how long evidence stands; older is worth nothing.
    """
    if evidence is None or (evidence.call, evidence.practice, evidence.slot) != (call, practice, slot):
        return UNKNOWN
    if not timedelta(0) <= now - evidence.at < life:
        return UNKNOWN
    factors, records = (Factor.REFERENCE, Factor.BIRTH_DATE), (evidence.record,)
    return Standing(Level.VERIFIED, subject, factors, False, records, slot, provisional)
