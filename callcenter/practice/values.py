"""What the practice room hands out: plain values, and values about patients as ``Protected``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum, StrEnum
from uuid import UUID

from callcenter.kernel.protected import Protected


class EntryKind(StrEnum):
    """Through which door of the practice a called number leads."""

    MAIN = "main"
    OVERFLOW = "overflow"
    PROFESSIONALS = "professionals"
    CLOSED = "closed"


class VoiceMode(StrEnum):
    """Whose voice says what concerns a patient: ours, or the carrier's."""

    LOCAL = "local"
    CARRIER = "carrier"


class VoiceMessages(StrEnum):
    """Whether callers may leave spoken messages."""

    ON = "on"
    OFF = "off"


class BreakGlass(StrEnum):
    """Whether a supervisor may open a fact of a file in an emergency, where nobody can be verified (decision 53)."""

    ON = "on"
    OFF = "off"


def lets_glass_be_broken(said: object) -> bool:
    """Whether a practice lets its glass be broken: not until it says so.

    Arguments:
        said: its setting as read, or as written down, ``None`` for nothing: YAML reads a bare ``on`` as yes.
    """
    return said is True or said == BreakGlass.ON


class IdentityStatus(StrEnum):
    """How far an identity is established (RNIV EXI SI 07, ID-02): provisional, retrieved, validated, qualified."""

    PROVISIONAL = "PROV"
    RETRIEVED = "RECUP"
    VALIDATED = "VALI"
    QUALIFIED = "QUAL"


class Sex(StrEnum):
    """The trait *sexe* of the RNIV: male, female, undetermined."""

    MALE = "M"
    FEMALE = "F"
    UNDETERMINED = "I"


class AppointmentStatus(StrEnum):
    """Where an appointment stands."""

    PLANNED = "planned"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


class Change(Enum):
    """What became of an act on a row that may have changed meanwhile."""

    DONE = "done"
    NOT_POSSIBLE = "not possible"


@dataclass(frozen=True, slots=True)
class PatientFlags:
    """What forbids or restricts a disclosure (MA-04, MA-06, SP-06, SP-07), and the birth date for the age.

    Arguments:
        birth_date: D01.
        birth_date_fictive: the date is a convention for an unknown one, so no evidence.
        homonym, doubtful, fictitious: the identity needs a person (ID-03).
    """

    birth_date: Protected[date]
    birth_date_fictive: bool
    deceased: bool
    homonym: bool
    doubtful: bool
    fictitious: bool
    contact_restricted: bool

    @property
    def gets_no_message(self) -> bool:
        """SP-07, and whoever has a dead patient's telephone now: a code there would only tell of a record."""
        return self.contact_restricted or self.deceased


@dataclass(frozen=True, slots=True)
class Candidate:
    """A patient whose birth date and telephone on file are those of a claim.

    Arguments:
        contact_id: the contact that holds this telephone.
        shared: two or more adults of the practice have it.
    """

    patient_id: UUID
    contact_id: UUID
    shared: bool
    flags: PatientFlags

    @property
    def birth_date(self) -> Protected[date]:
        return self.flags.birth_date


@dataclass(frozen=True, slots=True)
class Contact:
    """A telephone of a patient.

    Arguments:
        phone: E.164, D15.
        receives_sms: it is a French mobile.
        entered_at: since when it is on file (OB-07: no code to a fresh one).
        confirmed_at: when the patient last said that it is theirs (numbers are reassigned).
        shared: two or more adults of the practice have it.
    """

    id: UUID
    phone: Protected[str]
    receives_sms: bool
    entered_at: datetime
    confirmed_at: datetime
    shared: bool


@dataclass(frozen=True, slots=True)
class Appointment:
    """One appointment of a patient.

    Arguments:
        practitioner_sensitive: the speciality tells something (D05).
        sensitive_to_come: so does that of one of the appointments among which this one was the next, or its own.
        starts_at: aware, in the zone of the connection (UTC): D03.
        practitioner: title and name as written, D04.
        speciality: D05.
        place: D06; ``None`` when it is the practice's address.
    """

    id: UUID
    patient_id: UUID
    practitioner_id: UUID
    practitioner_sensitive: bool
    sensitive_to_come: bool
    status: AppointmentStatus
    starts_at: Protected[datetime]
    practitioner: Protected[str]
    speciality: Protected[str]
    place: Protected[str] | None


class Urgency(StrEnum):
    """How soon a message must be read. Never the caller's to choose (decision 0020)."""

    NORMAL = "normal"
    URGENT = "urgent"


class VoiceState(StrEnum):
    """Where the sound of a spoken message is."""

    #: Still at the carrier only.
    WAITING = "waiting"
    #: Here, sealed.
    KEPT = "kept"
    #: It could not be had: there is none, or it is no sound that we keep.
    LOST = "lost"
    #: It was here, and its time is over.
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class SpokenMessage:
    """What stands beside a message that was spoken, for staff.

    Arguments:
        seconds: how long it lasts.
        at_carrier: the carrier has not confirmed yet that it has deleted its own copy.
        alerted: that has lasted so long that somebody must look after it.
    """

    state: VoiceState
    seconds: int
    at_carrier: bool
    alerted: bool


@dataclass(frozen=True, slots=True)
class WaitingMessage:
    """A message for the practice's people, for the staff who will call back.

    Arguments:
        reason: key of the reason.
        number: E.164, as the caller typed it or called from: their own, not from a file, hence not ``Protected``;
            it is personal data all the same and must not be logged. ``None``: at most the spoken message tells it.
        call_reference: the call in which it was left.
        kind: what was asked for (``callback``, ``voice``, ``renewal``, ``certificate``).
        practitioner: whom it is for, title and name as written; ``None`` for the practice.
        voice: what was spoken, or ``None``.
        language: in which the caller was spoken to (ISO 639-1).
        relayed: the caller spoke through a relay service.
    """

    id: UUID
    reason: str
    number: str | None
    call_reference: UUID | None
    created_at: datetime
    kind: str = "callback"
    practitioner: str | None = None
    urgency: Urgency = Urgency.NORMAL
    voice: SpokenMessage | None = None
    language: str = "fr"
    relayed: bool = False
