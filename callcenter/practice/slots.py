"""How a practice lets its practitioners be booked by telephone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Bookable:
    """How one practitioner is booked.

    Arguments:
        new_patients: whether they take patients whom they have never seen.
        slot_minutes: how long a slot is.
        first_day_ahead: 0 for today, 1 for tomorrow: the first day that is offered.
        days_ahead: the last one.
    """

    new_patients: bool = True
    slot_minutes: int = 15
    first_day_ahead: int = 1
    days_ahead: int = 30


@dataclass(frozen=True, slots=True)
class BookingPlan:
    """Who can be booked by telephone; nobody at a practice that has not said so.

    Arguments:
        practitioners: by name, without the title.
        offers: slots that one call is offered.
        open_per_caller: bookings to come that one calling number, or one callback number, may have.
    """

    practitioners: Mapping[str, Bookable] = field(default_factory=dict)
    offers: int = 3
    open_per_caller: int = 2
