"""How long records of the ledger are kept: a class for each kind, a length for each class. No I/O.

The lengths are the ones that the CNIL names for traces of access (six months to a year, up to three years where it is
said why), and for the register of what was told the time in which somebody may ask for it. The practice, as controller,
decides; what a setting may say stands in ``settings.sections.RetentionSettings``.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from callcenter.audit.ledger import EventKind


class RecordClass(StrEnum):
    """What a record is kept for, which says for how long."""

    #: That somebody tried to prove who they are, and how it went (LG-02).
    ATTEMPTS = "attempts"
    #: That somebody of the staff has looked at something (LG-01, LG-02).
    LOOKS = "looks"
    #: What was done, and how calls went: traces of operation (LG-02).
    OPERATION = "operation"
    #: What was told to whom, and what that stood on: proof, a control, the right of access (LG-08; RGPD 15, 5.2).
    DISCLOSURES = "disclosures"
    #: What a person has chosen or opposed.
    CONSENT = "consent"
    #: What has happened to data (RGPD 33.5).
    INCIDENTS = "incidents"
    #: What explains the log itself to whoever verifies it: never erased.
    ALWAYS = "always"


#: By the event, as records write it; those of the house's log too, whose kinds ``staff.records.Act`` has.
CLASS_OF: Mapping[str, RecordClass] = {
    event: of_class
    for of_class, events in {
        RecordClass.ATTEMPTS: (
            EventKind.VERIFICATION_CLAIMED,
            EventKind.CHALLENGE_OPENED,
            EventKind.VERIFICATION_REFUSED,
            EventKind.VERIFICATION_FAILED,
            EventKind.CODE_SENT,
            EventKind.CODE_UNCONFIRMED,
            EventKind.CODE_NOT_SENT,
            EventKind.LOCK_RELEASE_ASKED,
            EventKind.LOCK_RELEASED,
            EventKind.REFERENCE_RIGHT,
            EventKind.REFERENCE_WRONG,
        ),
        RecordClass.LOOKS: (
            EventKind.INSTRUCTIONS_READ,
            EventKind.VOICE_OPENED,
            EventKind.MESSAGE_READ,
            EventKind.LOCK_REASON_READ,
            EventKind.GLASS_READ,
            EventKind.CALL_REVIEWED,
            EventKind.CALL_PRINTED,
            EventKind.CALL_NOTES_READ,
            EventKind.PATIENT_SEARCHED,
            EventKind.PATIENT_FOLLOWED,
            EventKind.LISTED,
            EventKind.LIST_EXPORTED,
        ),
        RecordClass.OPERATION: (
            EventKind.CALL_STARTED,
            EventKind.CALL_ENDED,
            EventKind.CALL_PUT_THROUGH,
            EventKind.CALL_NOT_PUT_THROUGH,
            EventKind.CALL_CAME_BACK,
            EventKind.CALL_WAITS,
            EventKind.CALL_WAITED,
            EventKind.SCRIPT_BEGUN,
            EventKind.CALL_DISPOSED,
            EventKind.CALL_EMERGENCY,
            EventKind.WEBHOOK_LATE,
            EventKind.APPOINTMENT_CONFIRMED,
            EventKind.APPOINTMENT_CANCELLED,
            EventKind.APPOINTMENT_NOT_CHANGED,
            EventKind.APPOINTMENT_MOVED,
            EventKind.BOOKING_MADE,
            EventKind.BOOKING_CANCELLED,
            EventKind.BOOKING_MOVED,
            EventKind.BOOKING_NOT_CHANGED,
            EventKind.BOOKING_HANDLED,
            EventKind.MESSAGE_TAKEN,
            EventKind.MESSAGE_HANDLED,
            EventKind.MESSAGE_ERASED,
            EventKind.MESSAGE_ANSWERED,
            EventKind.MESSAGE_ACKNOWLEDGED,
            EventKind.FOLLOW_UP_TAKEN,
            EventKind.FOLLOW_UP_GIVEN_BACK,
            EventKind.FOLLOW_UP_DONE,
            EventKind.VOICE_LEFT,
            EventKind.VOICE_KEPT,
            EventKind.VOICE_LOST,
            EventKind.VOICE_DELETED_AT_CARRIER,
            EventKind.VOICE_ERASED,
            EventKind.NOTICE_ADDRESS_ADDED,
            EventKind.NOTICE_ADDRESS_REMOVED,
            EventKind.OUTREACH_ASKED,
            EventKind.OUTREACH_RINGS,
            EventKind.CARRIER_DIFFERS,
            EventKind.CARRIER_SETTLED,
            "staff.account_changed",
            "staff.invited",
            "staff.invitation_used",
            "staff.signed_in",
            "staff.refused",
            "staff.tries_forgotten",
            "staff.stepped_up",
            "staff.password_changed",
            "staff.factor_added",
            "staff.factor_removed",
            "staff.factors_reset",
            "staff.locked",
            "staff.unlocked",
            "staff.session_revoked",
            "staff.telephone_changed",
            "queue.rule_chosen",
            "carrier.list_compared",
        ),
        RecordClass.DISCLOSURES: (
            EventKind.DISCLOSURE,
            EventKind.PLAYBACK,
            EventKind.REDELIVERED,
            EventKind.HIDDEN,
            EventKind.VERIFICATION_SUCCEEDED,
            # Whether what was granted has left: how a reminder or a call was heard.
            EventKind.REMINDER_NOT_SENT,
            EventKind.OUTREACH_NOT_DONE,
            EventKind.OUTREACH_UNCONFIRMED,
            EventKind.GLASS_BROKEN,
            EventKind.GLASS_REVIEWED,
            EventKind.EXTRACT_ASKED,
            EventKind.EXTRACT_READ,
            EventKind.EXTRACT_RELEASED,
            EventKind.EXTRACT_DECLINED,
            EventKind.LEDGER_EXPORTED,
            EventKind.LEDGER_PROVEN,
            EventKind.LEDGER_COSIGNED,
            EventKind.LEDGER_HEAD_TAKEN,
            # By what rules it was told, and whether whoever told or looked was allowed to.
            EventKind.SETTINGS_CHANGED,
            EventKind.PRACTITIONER_CHANGED,
            "flows.published",
            "staff.account_made",
            "staff.role_given",
            "staff.role_taken",
            "staff.closed",
            "staff.undertaking_signed",
            "staff.trained",
            "staff.practitioner_named",
            "staff.practitioner_no_more",
            "portfolio.made",
            "portfolio.practice_added",
            "portfolio.practice_removed",
        ),
        RecordClass.CONSENT: (EventKind.REMINDERS_CHOSEN,),
        RecordClass.INCIDENTS: (
            EventKind.INCIDENT_DECLARED,
            EventKind.INCIDENT_TOLD,
            EventKind.INCIDENT_NOTICE,
            EventKind.INCIDENT_NOTICE_READ,
            EventKind.CALL_HELD,
            EventKind.CALL_HOLD_LIFTED,
            "incident.read",
            "incident.written",
            "incident.exported",
            "incident.closed",
        ),
        # Why bodies are missing, which key signs, why the log is shorter than a head that somebody holds, what stood
        # where another record was refused.
        RecordClass.ALWAYS: (
            EventKind.ERASURE,
            EventKind.RECORD_REFUSED,
            "key.prepared",
            EventKind.KEY_ROTATED,
            "key.retired",
            "installation.restored",
        ),
    }.items()
    for event in map(str, events)
}

#: Months that a class is kept for, unless it is set otherwise.
USUAL: Mapping[RecordClass, int] = {
    RecordClass.ATTEMPTS: 12,
    RecordClass.LOOKS: 12,
    RecordClass.OPERATION: 12,
    RecordClass.DISCLOSURES: 36,
    RecordClass.CONSENT: 36,
    RecordClass.INCIDENTS: 60,
}


@dataclass(frozen=True, slots=True)
class RetentionTerms:
    """How long each class is kept.

    Arguments:
        months: of every class but ``ALWAYS``.
    """

    months: Mapping[RecordClass, int] = field(default_factory=lambda: USUAL)

    def cut_off(self, of_class: RecordClass, now: datetime) -> datetime | None:
        """Records of this class that were written before it have had their time; ``None``: they are never erased.

        Arguments:
            now: aware.
        """
        if of_class is RecordClass.ALWAYS:
            return None
        year, month = divmod(now.year * 12 + now.month - 1 - self.months[of_class], 12)
        return now.replace(year=year, month=month + 1, day=min(now.day, monthrange(year, month + 1)[1]))


def events_of(of_class: RecordClass) -> list[str]:
    """The events of one class."""
    return [event for event, its in CLASS_OF.items() if its is of_class]
