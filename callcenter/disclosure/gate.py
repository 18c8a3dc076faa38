"""The gate: decides on values what may be told, writes the decision down, and alone turns protected values into words.

Deny by default. Flags only lower (docs/disclosure-policy.md). A refusal is recorded like a grant. What the caller then
hears is the flow's outlet ``withheld``, worded the same whatever the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import InitVar, dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from callcenter.audit.ledger import Entry, EventKind, Value, Writing
from callcenter.disclosure.policy import Never, Policy
from callcenter.identity.evidence import Standing
from callcenter.kernel.age import is_adult
from callcenter.kernel.errors import Forbidden
from callcenter.kernel.labels import EMERGENCY_LABELS, FIELD_LABELS, Category, with_implied
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
    """

    categories: frozenset[Category]
    optional: frozenset[Category]
    references: tuple[str, ...]
    prompt: Mapping[str, str]
    step: str
    control: Control = Control.ENFORCED


_GRANTED = object()


@dataclass(frozen=True, slots=True)
class Receipt:
    """The gate's grant, made by it alone. Worth something only while the transaction that wrote its record is open.

    Arguments:
        record: of the ledger.
        patient: whom the grant is about.
        categories: what was granted.
    """

    record: UUID
    patient: UUID
    categories: frozenset[Category]
    writing: Writing
    proof: InitVar[object]

    def __post_init__(self, proof: object) -> None:
        if proof is not _GRANTED:
            raise TypeError("a Receipt is made by the gate alone, once the grant is in the ledger")


@dataclass(frozen=True, slots=True)
class GlassReceipt:
    """What the gate gives where the glass is broken. No other exit takes it, and this one takes no other.

    Arguments:
        as of :class:`Receipt`.
    """

    record: UUID
    patient: UUID
    categories: frozenset[Category]
    writing: Writing
    proof: InitVar[object]

    def __post_init__(self, proof: object) -> None:
        if proof is not _GRANTED:
            raise TypeError("a GlassReceipt is made by the gate alone, once the grant is in the ledger")


@dataclass(frozen=True, slots=True)
class Granted:
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Refused:
    reason: Reason


Decision = Granted | Refused

_RELEASED = object()


class Spoken:
    """Words about a patient that the gate has let out. Opaque: only what carries them to the caller asks for them."""

    carries_patient_data = True  # kernel.logs redacts by it
    __slots__ = ("_words", "categories", "language", "prompt", "record")
    __hash__ = None  # type: ignore[assignment]  # words are not compared

    def __init__(self, words: str, prompt: str, receipt: Receipt, language: str, *, proof: object) -> None:
        if proof is not _RELEASED:
            raise TypeError("Spoken words are made by the gate alone")
        self._words = words
        self.language = language
        self.prompt = prompt
        self.record = receipt.record
        self.categories = receipt.categories

    def __repr__(self) -> str:
        return f"<Spoken {self.prompt}>"


class Shown:
    """One field of a file that the gate has let out for a screen. Opaque: only what keeps it sealed asks for it."""

    carries_patient_data = True  # kernel.logs redacts by it
    __slots__ = ("_value", "category", "path", "record")
    __hash__ = None  # type: ignore[assignment]  # values are not compared

    def __init__(self, value: str, path: str, category: Category, receipt: Receipt, *, proof: object) -> None:
        if proof is not _RELEASED:
            raise TypeError("a Shown value is made by the gate alone")
        self._value = value
        self.path = path
        self.category = category
        self.record = receipt.record

    def __repr__(self) -> str:
        return f"<Shown {self.path}>"


def value_of(shown: Shown) -> str:
    """The value itself, for the screen. Only ``calls.script_session``, which seals it, may import this (TID251)."""
    return shown._value  # noqa: SLF001 - as in words_of


Line = tuple[str, str]


class Uncovered:
    """Lines of a file, each with what it is called, that the gate has let out through broken glass. Opaque."""

    carries_patient_data = True  # kernel.logs redacts by it
    __slots__ = ("_lines", "path", "record")
    __hash__ = None  # type: ignore[assignment]  # values are not compared

    def __init__(self, lines: tuple[Line, ...], path: str, receipt: GlassReceipt, *, proof: object) -> None:
        if proof is not _RELEASED:
            raise TypeError("an Uncovered value is made by the gate alone")
        self._lines = lines
        self.path = path
        self.record = receipt.record

    def __repr__(self) -> str:
        return f"<Uncovered {self.path}>"


def lines_of(uncovered: Uncovered) -> tuple[Line, ...]:
    """The lines themselves, for the page. Only ``app.by_glass``, after its transaction, may import this (TID251)."""
    return uncovered._lines  # noqa: SLF001 - as in words_of


def words_of(spoken: Spoken) -> str:
    """The words themselves, for the voice. Only ``calls.documents`` may import this (ruff TID251)."""
    return spoken._words  # noqa: SLF001 - the one way out; its importers are named in pyproject.toml


class Gate:
    """Decides for one call, at one moment.

    Arguments:
        policy: the matrix of categories.
        channel: by which it would be told.
        writing: the ledger's pen of this transaction.
        actor: who tells, for the record.
        flow: name and digest of the flow, for the record.
        today: the practice's date, for ages.
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
        trained: bool = True,
    ) -> None:
        self._policy = policy
        self._channel = channel
        self._writing = writing
        self._actor = actor
        self._flow = flow
        self._today = today
        self._trained = trained

    async def decide(self, inquiry: Inquiry, standing: Standing, situation: Situation) -> Decision:
        """Grant or refuse, and write it down."""
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
        checks = (*self._marks(situation), (not opens, Reason.NEVER))
        return next((reason for applies, reason in checks if applies), barred)

    async def check(self, inquiry: Inquiry, standing: Standing, situation: Situation) -> Refused | None:
        """Refuse and write it down, or leave it to the caller to write what was done: for acts, which tell nothing new
        but must not be done for somebody to whom nothing may be told."""
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
        needed = self._policy.strictest(categories, self._channel)
        return not isinstance(needed, Never) and standing.level >= needed

    def _level_reason(self, categories: frozenset[Category]) -> Reason:
        never = isinstance(self._policy.strictest(categories, self._channel), Never)
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


def release(
    receipt: Receipt,
    prompt: str,
    values: Mapping[str, Protected[object]],
    phrase: Callable[[Mapping[str, object]], str],
    language: str = "fr",
) -> Spoken:
    """Words about a patient, from protected values and a receipt that covers them.

    Arguments:
        receipt: the gate's grant, of the transaction that is still open.
        prompt: key of the words.
        values: by field path. One whose category the receipt does not cover is absent (``None``) for ``phrase``.
        phrase: makes the words from the opened values.
        language: in which it makes them.

    Raises:
        Forbidden: the receipt is of a transaction that is over, or of another patient.
    """
    return Spoken(phrase(_opened(receipt, values)), prompt, receipt, language, proof=_RELEASED)


def show(receipt: Receipt, path: str, value: Protected[object], phrase: Callable[[object], str]) -> Shown:
    """One field of a file for an operator's screen, from its protected value and a receipt that covers it.

    Arguments:
        receipt: the gate's grant, of the transaction that is still open.
        path: of the field; its category is what the receipt must cover.
        phrase: writes the opened value.

    Raises:
        Forbidden: the receipt is of a transaction that is over, of another patient, or does not cover the field.
    """
    opened = _opened(receipt, {path: value})[path]
    if opened is None:
        raise Forbidden("a receipt of the gate was used for a field that it does not cover")
    return Shown(phrase(opened), path, value.category, receipt, proof=_RELEASED)


def uncover(receipt: GlassReceipt, path: str, value: Protected[tuple[Line, ...]]) -> Uncovered:
    """Lines of a file for the page of a supervisor who has broken the glass.

    Arguments:
        receipt: the gate's own grant for it, of the transaction that is still open.
        path: what it is (``kernel.labels.EMERGENCY_LABELS``).

    Raises:
        Forbidden: the receipt is another one, or does not cover it, or its transaction is over.
    """
    covered = value.category in receipt.categories and EMERGENCY_LABELS.get(path) == value.category
    if not (isinstance(receipt, GlassReceipt) and receipt.writing.is_open and covered):
        raise Forbidden("broken glass opens what its own receipt covers, in its own transaction")
    if value.subject != receipt.patient:
        raise Forbidden("a receipt of the gate was used for another patient")
    return Uncovered(expose(value), path, receipt, proof=_RELEASED)


def _opened(receipt: Receipt, values: Mapping[str, Protected[object]]) -> dict[str, object]:
    """What the receipt covers; the rest is absent."""
    if not isinstance(receipt, Receipt):
        raise Forbidden("what breaks the glass opens nothing else")
    if not receipt.writing.is_open:
        raise Forbidden("a receipt of the gate was used after its transaction")
    opened: dict[str, object] = {}
    for path, value in values.items():
        if value.subject != receipt.patient:
            raise Forbidden("a receipt of the gate was used for another patient")
        covered = value.category in receipt.categories and FIELD_LABELS.get(path) == value.category
        opened[path] = expose(value) if covered else None
    return opened
