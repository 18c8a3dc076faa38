"""An appointment told by a text message: date and time, to a telephone of the patient's on file, and nothing else.

The words, the gate and the record are here, whatever brings the message about. Whoever asks must commit the transaction
before the text leaves: the record comes first (P1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from callcenter.audit.ledger import Value, Writing
from callcenter.calls.outreach import number_to_show
from callcenter.disclosure.exits import Receipt, Spoken, release
from callcenter.disclosure.gate import Gate, Granted, Inquiry, Reason, Refused, Situation
from callcenter.disclosure.policy import Policy
from callcenter.flow.prompts import Prompt
from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.labels import Category
from callcenter.kernel.levels import Channel
from callcenter.kernel.protected import Protected
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.numbers import E164
from callcenter.practice.values import Appointment, Contact, PatientFlags

#: The text's key in the book of prompts, and of its step in a record.
KEY = "text.appointment"
#: What kind of reminder this is: date and hour, and nothing else. An opposition and a consent name it, since they stand
#: for the kind, whatever the words; a record names the words themselves, by their digest. Changes with what is told.
WORDING = "2026-11-2"
#: The word by which a messaging service lets people refuse.
_STOP = "STOP"


def told_by(words: Prompt) -> frozenset[Category]:
    """What such a text tells of the patient: the policy lets it be pushed to a telephone on file (``flow.sinks``).

    That it comes at all tells that there is an appointment, whatever its words.
    """
    return words.categories - {Category.PUBLIC} | {Category.APPOINTMENT_EXISTS}


def appointment_words(words: Prompt, at: datetime, number: E164, sender: str) -> str:
    """The text.

    Arguments:
        at: in the practice's zone.
        number: at which the practice answers.
        sender: whom texts come from: a number and a messaging service receive STOP, a name does not.
    """
    values = {
        "appointment.starts_at": at,
        "text.number": written(number),
        "text.stop_number": written(sender) if sender.startswith("+") else None,
        "text.stop_word": _STOP if sender.startswith("MG") else None,
    }
    return words.render(values)


def number_to_name(facts: PracticeFacts) -> E164:
    """The number that a text names: one that we answer, or a line of the practice's own where it has none to show."""
    return number_to_show(facts) or facts.rescue_number


def written(number: str) -> str:
    """A French number (E.164) as people write it: ``04 65 71 00 01``."""
    if not number.startswith("+33"):
        return number
    digits = f"0{number[3:]}"
    return " ".join(digits[at : at + 2] for at in range(0, len(digits), 2))


@dataclass(frozen=True, slots=True)
class AppointmentText:
    """A text that the gate has let out. Send it by ``calls.delivery.deliver_spoken`` once the transaction is over."""

    to: Protected[str]
    words: Spoken


async def tell_by_text(
    writing: Writing,
    policy: Policy,
    facts: PracticeFacts,
    appointment: Appointment,
    flags: PatientFlags,
    contact: Contact | None,
    now: datetime,
    *,
    words: Prompt,
    sender: str,
    actor: Mapping[str, Value],
    sealed: bool,
    barred: Reason | None = None,
) -> AppointmentText | Reason:
    """Ask the gate whether ``appointment`` may be told by text, and have its decision on record.

    Arguments:
        writing: the ledger's pen of the transaction that is committed before the text leaves.
        flags: of the appointment's patient, as they stand in this transaction.
        contact: a telephone of theirs that may get a text, or ``None`` when there is none.
        words: the book's, for such a text.
        sender: whom texts come from, as the carrier is told.
        actor: who sends it, for the record.
        sealed: what the practice has on record is sealed in time.
        barred: what else stands against it, such as the patient's opposition.
    """
    local = now.astimezone(facts.timezone)
    gate = Gate(policy, Channel.SMS, writing, actor, {"name": KEY}, local.date(), sealed=sealed)
    references = (f"appointment:{appointment.id}", f"appointment.starts_at:{appointment.id}")
    inquiry = Inquiry(told_by(words), frozenset(), references, {"key": KEY, "sha256": words.digest}, KEY)
    if contact is None:
        barred = barred or Reason.NO_TELEPHONE
    situation = situation_of(appointment.patient_id, flags, sensitive=appointment.sensitive_to_come)
    match await gate.push(inquiry, situation, barred):
        case Granted(receipt) if contact is not None:
            return AppointmentText(contact.phone, released_words(receipt, words, appointment, facts, sender))
        case Refused(reason):
            return reason
        case _:
            return Reason.NO_TELEPHONE


def released_words(
    receipt: Receipt, words: Prompt, appointment: Appointment, facts: PracticeFacts, sender: str
) -> Spoken:
    """The text in words that may leave, once the transaction of ``receipt`` is committed.

    Arguments:
        words: as the gate was asked for them.
    """

    def phrase(opened: Mapping[str, object]) -> str:
        match opened["appointment.starts_at"]:
            case datetime() as starts_at:
                return appointment_words(words, starts_at.astimezone(facts.timezone), number_to_name(facts), sender)
            case _:
                raise CallcenterError("the gate granted an appointment's time, and did not hand it out")

    at: Protected[object] = appointment.starts_at.map(lambda at: at)
    return release(receipt, words.key, {"appointment.starts_at": at}, phrase, words.language)


def situation_of(patient: UUID, flags: PatientFlags, *, sensitive: bool) -> Situation:
    """What the gate goes by where an appointment is told by text.

    Arguments:
        sensitive: one of the appointments to come is: that withholds all of them, here as on the telephone.
    """
    return Situation(
        patient=patient,
        birth_date=flags.birth_date,
        deceased=flags.deceased,
        homonym=flags.homonym,
        doubtful=flags.doubtful,
        fictitious=flags.fictitious,
        contact_restricted=flags.contact_restricted,
        sensitive=sensitive,
        practice_has_sensitive=False,  # no practitioner is named
    )
