"""The gate: decides on values what may be told, and writes the decision down. Its receipts alone turn protected values
into words (``disclosure.exits``).

Deny by default. Flags only lower (docs/disclosure-policy.md). A refusal is recorded like a grant. What the caller then
hears is the flow's outlet ``withheld``, worded the same whatever the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from callcenter.audit.ledger import Entry, EventKind, Value, Writing
from callcenter.disclosure.exits import _GRANTED, GlassReceipt, Receipt
from callcenter.disclosure.policy import Never, Policy
from callcenter.identity.evidence import Standing
from callcenter.kernel.age import is_adult
from callcenter.kernel.labels import Category, with_implied
from callcenter.kernel.levels import Channel, Level
from callcenter.kernel.protected import Protected, expose

#: What an appointment through a contact that several adults share may tell: that there is one, when and where.
SHARED_CONTACT_OPENS = frozenset(
    {Category.RECORD_EXISTS, Category.APPOINTMENT_EXISTS, Category.APPOINTMENT_TIME, Category.PLACE}
)
#: What an appointment card tells about its own slot.
CARD_OPENS = SHARED_CONTACT_OPENS


class Reason(StrEnum):
    """Why the gate refused. In the ledger only; the caller never learns it."""

    LEVEL = "level"
    NEVER = "never"
    OTHER_PATIENT = "other_patient"
    DECEASED = "deceased"
    HOMONYM = "homonym"
    DOUBTFUL = "doubtful"
    FICTITIOUS = "fictitious"
    CONTACT_RESTRICTED = "contact_restricted"
    MINOR = "minor"
    SENSITIVE = "sensitive"
    SHARED_CONTACT = "shared_contact"
    UNVERIFIED = "unverified"
    CHANGED = "changed"
    OPPOSED = "opposed"
    NO_CONSENT = "no_consent"
    NO_TELEPHONE = "no_telephone"
    OTHER_SLOT = "other_slot"
    CARD = "card"
    #: The agenda is ours: what is told of it is shown by us, and declared by nobody.
    NOT_DECLARED = "not_declared"
    #: Whoever would show it has let their training lapse: they take messages, and reveal nothing (SM-02).
    UNTRAINED = "untrained"
    #: What is told is not sealed in time, so that it could be taken off the record unseen (P4). Nobody may override it.
    UNSEALED = "unsealed"
    #: Looked for in an emergency, and no file fits, or several do. Told in the same words as what a file withholds.
    NOBODY = "no_file"


class Control(StrEnum):
    """Who keeps from telling more than is granted: ourselves, or whoever has it on a screen that is not ours.

    The two are never mixed, on a screen or in a report.
    """

    ENFORCED = "enforced"
    DECLARED = "declared"


class Purpose(StrEnum):
    """Why something is told (HL7 v3 ActReason)."""

    PATIENT_REQUEST = "PATRQT"
    PATIENT_ADMINISTRATION = "PATADMIN"
    EMERGENCY = "ETREAT"


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known of the patient and of the matter, as far as it lowers what may be told.

    Arguments:
        patient: whom it is about.
        birth_date: theirs; opened here, for their age.
        deceased, homonym, doubtful, fictitious, contact_restricted: marks of the file.
        sensitive: the matter is a sensitive practitioner's, or another one of the patient's that would be asked for
            next is: withheld only then, it would tell whose it is.
        practice_has_sensitive: the practice has one: then no practitioner's name is said at V2, so that silence
            tells nothing.
        slot: the appointment or booking that it is about, where a card is the proof.
    """

    patient: UUID
    birth_date: Protected[date]
    deceased: bool
    homonym: bool
    doubtful: bool
    fictitious: bool
    contact_restricted: bool
    sensitive: bool
    practice_has_sensitive: bool
    slot: UUID | None = None


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What is about to be told.

    Arguments:
        categories: what must be granted, all of it.
        optional: what may be left out instead of refused.
        references: of the data concerned, ``appointment:<uuid>`` or ``appointment.starts_at:<uuid>``; never values.
        prompt: key and digest of the words, empty when only a branch tells it.
        step: of the flow.
        control: « declared » where an operator tells it from the practice's own tool.
        seconds: for how long it stands on a screen at most, as it is set at that moment; ``None`` of what is said.
    """

    categories: frozenset[Category]
    optional: frozenset[Category]
    references: tuple[str, ...]
    prompt: Mapping[str, str]
    step: str
    control: Control = Control.ENFORCED
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Granted:
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Refused:
    reason: Reason


Decision = Granted | Refused


class Gate:
    """Decides for one call, at one moment.

    Arguments:
        policy: the matrix of categories.
        channel: by which it would be told.
        writing: the ledger's pen of this transaction.
        actor: who tells, for the record.
        flow: name and digest of the flow, for the record.
        today: the practice's date, for ages.
        sealed: what the practice has on record is sealed in time (P4); false: nothing is told.
        trained: whoever tells it may; false of an operator whose training has lapsed (SM-02).
    """

    def __init__(
        self,
        policy: Policy,
        channel: Channel,
        writing: Writing,
        actor: Mapping[str, Value],
        flow: Mapping[str, str],
        today: date,
        *,
        sealed: bool,
        trained: bool = True,
    ) -> None:
        self._policy = policy
        self._channel = channel
        self._writing = writing
        self._actor = actor
        self._flow = flow
        self._today = today
        self._sealed = sealed
        self._trained = trained

    async def decide(self, inquiry: Inquiry, standing: Standing, situation: Situation) -> Decision:
        """Grant or refuse, and write it down."""
        if not self._sealed:
            return await self.refuse(Reason.UNSEALED, inquiry, standing)
        refused = await self.check(inquiry, standing, situation)
        if refused is not None:
            return refused
        granted = self._granted(inquiry, standing, situation)
        record = await self._write("granted", granted, inquiry, standing, standing.subject)
        return Granted(Receipt(record, situation.patient, granted, self._writing, _GRANTED))

    async def push(self, inquiry: Inquiry, situation: Situation, barred: Reason | None) -> Decision:
        """Grant or refuse what a text tells a contact on file without a question, and write it down (OU-01, OU-02).

        Nobody has proved anything: the telephone on file stands for the patient, so that only what the policy lets a
        text say by itself, and what a contact that is shared may learn, is ever granted.

        Arguments:
            barred: what stands against it beside the patient's marks, such as their opposition.
        """
        reason = self._push_refusal(inquiry, situation, barred)
        decision = "granted" if reason is None else "refused"
        proof: dict[str, Value] = {
            "level": int(Level.UNKNOWN),
            "level_required": "push",
            "evidence": [],
            "evidence_records": [],
            "purpose": Purpose.PATIENT_ADMINISTRATION.value,
        }
        record = await self._write_down(decision, inquiry.categories, inquiry, proof, situation.patient, reason)
        if reason is not None:
            return Refused(reason)
        return Granted(Receipt(record, situation.patient, inquiry.categories, self._writing, _GRANTED))

    async def break_glass(
        self, inquiry: Inquiry, situation: Situation | None, recipient: str
    ) -> GlassReceipt | Refused:
        """Grant or refuse what a supervisor opens where a life is in danger, and write it down (RGPD 9.2 c).

        Nobody has proved anything. What a mark of the file withholds from a verified patient is withheld here too: who
        forges an emergency asks for exactly that. A sensitive appointment withholds the file as a whole, or what is
        withheld of it alone would tell (SM-04).

        Arguments:
            situation: ``None`` where no file fits, or several do: refused by a record of the same form.
            recipient: who asks, by the closed list.
        """
        categories = inquiry.categories
        reason = self._glass_refusal(categories, situation)
        proof: dict[str, Value] = {
            "level": int(Level.UNKNOWN),
            "level_required": "break_glass",
            "evidence": [],
            "evidence_records": [],
            "purpose": Purpose.EMERGENCY.value,
            "recipient": recipient,
        }
        patient = None if situation is None else situation.patient
        decision = "granted" if reason is None else "refused"
        record = await self._write_down(decision, categories, inquiry, proof, patient, reason)
        if reason is not None or situation is None:
            return Refused(reason or Reason.NOBODY)
        return GlassReceipt(record, situation.patient, categories, self._writing, _GRANTED)

    def _glass_refusal(self, categories: frozenset[Category], situation: Situation | None) -> Reason | None:
        # P6: what does not depend on whom it is about comes first, or its reason would tell that there is somebody.
        if not self._sealed:
            return Reason.UNSEALED
        if not self._trained:
            return Reason.UNTRAINED
        if not self._policy.in_emergency(categories):
            return Reason.NEVER
        if situation is None:
            return Reason.NOBODY
        checks = (
            *self._marks(situation),
            (situation.practice_has_sensitive and Category.PRACTITIONER in categories, Reason.SENSITIVE),
        )
        return next((reason for applies, reason in checks if applies), None)

    def _push_refusal(self, inquiry: Inquiry, situation: Situation, barred: Reason | None) -> Reason | None:
        opens = self._policy.may_push(inquiry.categories) and inquiry.categories <= SHARED_CONTACT_OPENS
        checks = ((not self._sealed, Reason.UNSEALED), *self._marks(situation), (not opens, Reason.NEVER))
        return next((reason for applies, reason in checks if applies), barred)

    async def check(self, inquiry: Inquiry, standing: Standing, situation: Situation) -> Refused | None:
        """Refuse and write it down, or leave it to the caller to write what was done: for acts, which tell nothing new
        but must not be done for somebody to whom nothing may be told. They go on while the ledger is behind."""
        reason = self._refusal(inquiry, standing, situation)
        return None if reason is None else await self.refuse(reason, inquiry, standing)

    async def refuse(self, reason: Reason, inquiry: Inquiry, standing: Standing) -> Refused:
        """Refuse for ``reason``, and write it down."""
        await self._write("refused", inquiry.categories, inquiry, standing, standing.subject, reason)
        return Refused(reason)

    async def _write(
        self,
        decision: str,
        categories: frozenset[Category],
        inquiry: Inquiry,
        standing: Standing,
        patient: UUID | None,
        reason: Reason | None = None,
    ) -> UUID:
        proof: dict[str, Value] = {
            "level": int(standing.level),
            "level_required": self._level_required(categories),
            "evidence": [factor.value for factor in standing.factors],
            "evidence_records": [str(record) for record in standing.records],
            "purpose": Purpose.PATIENT_REQUEST.value,
        }
        return await self._write_down(decision, categories, inquiry, proof, patient, reason)

    async def _write_down(
        self,
        decision: str,
        categories: frozenset[Category],
        inquiry: Inquiry,
        proof: Mapping[str, Value],
        patient: UUID | None,
        reason: Reason | None,
    ) -> UUID:
        content: dict[str, Value] = {
            **proof,
            "decision": decision,
            "categories": sorted(category.value for category in categories),
            "refs": list(inquiry.references),
            "prompt": dict(inquiry.prompt) or None,
            "step": inquiry.step,
            "flow": dict(self._flow) or None,
            "channel": self._channel.value,
            "control": inquiry.control.value,
            "policy": self._policy.version,
            "policy_digest": self._policy.digest,
            "recipient": proof.get("recipient", "patient"),
        }
        if reason:
            content["reason"] = reason.value
        elif inquiry.seconds is not None:
            content["seconds"] = inquiry.seconds
        return await self._writing.add(Entry(EventKind.DISCLOSURE, self._actor, patient, content))

    def _refusal(self, inquiry: Inquiry, standing: Standing, situation: Situation) -> Reason | None:
        checks = (
            (not self._trained, Reason.UNTRAINED),
            (standing.patient is None, Reason.UNVERIFIED),
            (standing.patient != situation.patient, Reason.OTHER_PATIENT),
            (standing.slot is not None and standing.slot != situation.slot, Reason.OTHER_SLOT),
            (standing.slot is not None and not inquiry.categories <= CARD_OPENS, Reason.CARD),
            (not self._opens(inquiry.categories, standing), self._level_reason(inquiry.categories)),
            *self._marks(situation),
            (standing.shared and not inquiry.categories <= SHARED_CONTACT_OPENS, Reason.SHARED_CONTACT),
            (situation.practice_has_sensitive and Category.PRACTITIONER in inquiry.categories, Reason.SENSITIVE),
        )
        return next((reason for applies, reason in checks if applies), None)

    def _marks(self, situation: Situation) -> tuple[tuple[bool, Reason], ...]:
        """What stands against telling anything, by whatever channel."""
        return (
            (situation.deceased, Reason.DECEASED),
            (situation.homonym, Reason.HOMONYM),
            (situation.doubtful, Reason.DOUBTFUL),
            (situation.fictitious, Reason.FICTITIOUS),
            (situation.contact_restricted, Reason.CONTACT_RESTRICTED),
            # Until representatives are built, nothing is said about a minor.
            (not is_adult(expose(situation.birth_date), self._today), Reason.MINOR),
            (situation.sensitive, Reason.SENSITIVE),
        )

    def _level_required(self, categories: frozenset[Category]) -> Value:
        needed = self._policy.strictest(categories, self._channel)
        return "never" if isinstance(needed, Never) else int(needed)

    def _opens(self, categories: frozenset[Category], standing: Standing) -> bool:
        if not categories:  # a record of it would say that nothing was told
            return False
        needed = self._policy.strictest(categories, self._channel)
        return not isinstance(needed, Never) and standing.level >= needed

    def _level_reason(self, categories: frozenset[Category]) -> Reason:
        never = not categories or isinstance(self._policy.strictest(categories, self._channel), Never)
        return Reason.NEVER if never else Reason.LEVEL

    def _granted(self, inquiry: Inquiry, standing: Standing, situation: Situation) -> frozenset[Category]:
        """What is granted: all that must be, and of the optional what nothing stands against."""
        optional = {
            category
            for category in inquiry.optional
            if self._opens(with_implied(frozenset({category})), standing)
            and not (standing.shared and category not in SHARED_CONTACT_OPENS)
            and not (standing.slot is not None and category not in CARD_OPENS)
            and not (situation.practice_has_sensitive and category is Category.PRACTITIONER)
        }
        return inquiry.categories | optional
