"""Which slots of a practitioner are free, and how a practice lets them be booked by telephone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from callcenter.practice.opening import Opening
from callcenter.practice.reception import Answers, Reception

#: What is taken of a day: from, to (excluded), aware.
Taken = tuple[datetime, datetime]


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


@dataclass(frozen=True, slots=True)
class Consulting:
    """When a practice sees patients: its opening hours, but for when its calendar says that it is closed."""

    opening: Opening
    reception: Reception

    def first_free(
        self, rule: Bookable, now: datetime, after: datetime, taken: Sequence[Taken], minutes: int | None = None
    ) -> datetime | None:
        """The first slot of ``rule`` that begins after ``after`` and overlaps nothing of ``taken``, in UTC.

        Arguments:
            now: aware; from its day on the days are counted.
            after: aware.
            minutes: how long must be free from there on, where that is longer than a slot.
        """
        return next(self.free(rule, now, after, taken, minutes), None)

    def free(
        self, rule: Bookable, now: datetime, after: datetime, taken: Sequence[Taken], minutes: int | None = None
    ) -> Iterator[datetime]:
        """All such slots, in their order."""
        lasts = timedelta(minutes=max(rule.slot_minutes, minutes or 0))
        for starts in self._slots(rule, now, lasts):
            ends = starts + lasts
            if starts > after and not any(begins < ends and starts < until for begins, until in taken):
                yield starts

    def window(self, rule: Bookable, now: datetime) -> Taken:
        """From when until when slots of ``rule`` lie."""
        today = now.astimezone(self.opening.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        last = today + timedelta(days=rule.days_ahead + 1)
        return max(now, today + timedelta(days=rule.first_day_ahead)).astimezone(UTC), last.astimezone(UTC)

    def _slots(self, rule: Bookable, now: datetime, lasts: timedelta) -> Iterator[datetime]:
        today = now.astimezone(self.opening.zone).date()
        length = timedelta(minutes=rule.slot_minutes)
        for ahead in range(rule.first_day_ahead, rule.days_ahead + 1):
            day = today + timedelta(days=ahead)
            for opens, closes in self.opening.of_day(day):
                starts = datetime.combine(day, opens, self.opening.zone).astimezone(UTC)
                closing = datetime.combine(day, closes, self.opening.zone).astimezone(UTC)
                while starts + lasts <= closing:
                    if self.reception.answers(starts, self.opening) is not Answers.CLOSED:
                        yield starts
                    starts += length
