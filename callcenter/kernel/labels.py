"""The categories of what callcenter may say (D00-D20) and the label that each data field carries.

The codes are those of the disclosure policy (``config/disclosure-policy.yaml``), which alone says at which level, to
whom and on which channel a category opens. Labels come from the field that a prompt names, never from its author.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Category(StrEnum):
    """What a piece of information is about."""

    PUBLIC = "D00"
    RECORD_EXISTS = "D01"
    APPOINTMENT_EXISTS = "D02"
    APPOINTMENT_TIME = "D03"
    PRACTITIONER = "D04"
    SPECIALITY = "D05"
    PLACE = "D06"
    GENERIC_PREPARATION = "D07"
    SPECIFIC_PREPARATION = "D08"
    DOCUMENT_AVAILABLE = "D09"
    RESULT_CONTENT = "D10"
    DOCUMENT = "D11"
    RENEWAL_STATUS = "D12"
    MEDICAL = "D13"
    PAST_APPOINTMENTS = "D14"
    CONTACT_DETAILS = "D15"
    BILLING = "D16"
    ACCESS_HISTORY = "D17"
    NATIONAL_IDENTIFIER = "D18"
    DECEASED = "D19"
    THIRD_PERSON = "D20"


#: Every field that a prompt may name, with the category of what it tells. A field that is not here cannot be said.
FIELD_LABELS: Mapping[str, Category] = MappingProxyType(
    {
        "practice.name": Category.PUBLIC,
        "practice.spoken_name": Category.PUBLIC,
        # For operators: no flow that callers hear may name these two (``flow.script_soundness``).
        "practice.agenda": Category.PUBLIC,
        "practice.agenda_link": Category.PUBLIC,
        "practice.address": Category.PUBLIC,
        "practice.access": Category.PUBLIC,
        "practice.opening_hours": Category.PUBLIC,
        "practice.is_open": Category.PUBLIC,
        "practice.answer_mode": Category.PUBLIC,
        "practice.next_opening": Category.PUBLIC,
        "practice.closing_conduct": Category.PUBLIC,
        "practice.out_of_hours_number": Category.PUBLIC,
        "practice.message_of_the_day": Category.PUBLIC,
        # About nobody's file, and for operators alone: no flow of a voice may name it (``flow.words.SCREEN_FIELDS``).
        "practice.instructions": Category.PUBLIC,
        "caller.number_withheld": Category.PUBLIC,
        "call.arrival": Category.PUBLIC,
        "practice.voice_messages": Category.PUBLIC,
        "request.practitioners": Category.PUBLIC,
        "queue.others": Category.PUBLIC,
        "queue.range": Category.PUBLIC,
        "call.return_code": Category.PUBLIC,
        "appointment.starts_at": Category.APPOINTMENT_TIME,
        "appointment.practitioner": Category.PRACTITIONER,
        "appointment.speciality": Category.SPECIALITY,
        "appointment.place": Category.PLACE,
        # A free slot is nobody's. Its reference is told to whoever has just booked it, and to nobody else.
        "offer.key": Category.PUBLIC,
        "offer.practitioner": Category.PUBLIC,
        "offer.starts_at": Category.PUBLIC,
        "booking.reference": Category.PUBLIC,
        # Of text messages: no prompt may name these but the one text in which each is known (``flow.sinks``). A code
        # tells nothing about anybody, and is a secret all the same.
        "text.number": Category.PUBLIC,
        "text.stop_number": Category.PUBLIC,
        "text.stop_word": Category.PUBLIC,
        "code.digits": Category.PUBLIC,
        "code.minutes": Category.PUBLIC,
        # What a reference leads to.
        "slot.starts_at": Category.APPOINTMENT_TIME,
        "slot.place": Category.PLACE,
    }
)

#: What may be opened of a file in an emergency, apart: no prompt may name these, so that no flow can say them.
EMERGENCY_LABELS: Mapping[str, Category] = MappingProxyType(
    {
        "patient.identity": Category.RECORD_EXISTS,
        "patient.telephones": Category.CONTACT_DETAILS,
        "appointments.next": Category.APPOINTMENT_TIME,
        "appointments.practitioners": Category.PRACTITIONER,
    }
)

#: What a category tells besides itself: an appointment's time tells that there is one.
IMPLIED: Mapping[Category, frozenset[Category]] = MappingProxyType(
    {
        Category.APPOINTMENT_TIME: frozenset({Category.APPOINTMENT_EXISTS}),
        Category.PRACTITIONER: frozenset({Category.APPOINTMENT_EXISTS}),
        Category.SPECIALITY: frozenset({Category.APPOINTMENT_EXISTS}),
        Category.PLACE: frozenset({Category.APPOINTMENT_EXISTS}),
    }
)


def with_implied(categories: frozenset[Category]) -> frozenset[Category]:
    """``categories`` and what they tell besides themselves."""
    implied = (IMPLIED.get(category, frozenset()) for category in categories)
    return categories.union(*implied)
