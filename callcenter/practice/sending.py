"""What a practice has callcenter send by itself: reminders of appointments, and calls about unread urgent messages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ReminderMode(StrEnum):
    """Who is reminded of an appointment (OU-02)."""

    OFF = "off"
    #: Everybody who does not oppose it.
    OPT_OUT = "opt_out"
    #: Whoever has consented to it.
    CONSENT = "consent"


@dataclass(frozen=True, slots=True)
class ReminderSettings:
    """Reminders of a practice.

    Arguments:
        hours_before: how long before the appointment; earlier where that falls into the night or on a Sunday.
    """

    mode: ReminderMode = ReminderMode.OFF
    hours_before: int = 24


@dataclass(frozen=True, slots=True)
class EscalationSettings:
    """What is done about an urgent message that nobody reads.

    Arguments:
        after_minutes: how long each is waited for: the reader, the practitioner who was rung, the deputy.
        at_night: whether anybody is rung between 21 and 7 o'clock.
    """

    after_minutes: int = 15
    at_night: bool = True
