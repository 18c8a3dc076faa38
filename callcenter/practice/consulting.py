"""Which slots of a practitioner are free."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from callcenter.practice.names import normalise_name
from callcenter.practice.reception import Answers
from callcenter.practice.slots import Bookable
from callcenter.practice.timetable import Stretch, Timetable

#: What is taken of a day: from, to (excluded), aware.
Taken = tuple[datetime, datetime]

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Consulting:
    """When a practitioner sees patients: in the opening hours, but for when the practice's calendar says that it is
    closed, as they will be on the day itself.

    Arguments:
        name: theirs, as the practice's plans have it.
        rule: by which they are booked now. How far ahead is its to say; how long a slot is, and whether they are booked
            at all, the day's.
    """

    timetable: Timetable
    name: str
    rule: Bookable

    def first_free(self, now: datetime, after: datetime, taken: Sequence[Taken], lasting: int = 0) -> datetime | None:
        """The first slot that begins after ``after`` and overlaps nothing of ``taken``, in UTC.

        Arguments:
            now: aware; from its day on the days are counted.
            after: aware.
            lasting: minutes that must be free from there on, where that is longer than a slot.
        """
        return next(self.free(now, after, taken, lasting), None)

    def free(self, now: datetime, after: datetime, taken: Sequence[Taken], lasting: int = 0) -> Iterator[datetime]:
        """All such slots, in their order."""
        for starts, ends in self._slots(now, lasting):
            if starts > after and not any(begins < ends and starts < until for begins, until in taken):
                yield starts

    def minutes(self, starts: datetime, lasting: int = 0) -> int:
        """How long what begins at ``starts`` (aware) takes; ``lasting`` as for :meth:`first_free`."""
        rule = self._rule(self.timetable.at(starts)) or self.rule
        return max(rule.slot_minutes, lasting)

    def window(self, now: datetime) -> Taken:
        """From when until when slots lie."""
        today = now.astimezone(self.timetable.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        last = today + timedelta(days=self.rule.days_ahead + 1)
        return max(now, today + timedelta(days=self.rule.first_day_ahead)).astimezone(UTC), last.astimezone(UTC)

    def _slots(self, now: datetime, lasting: int) -> Iterator[Taken]:
        today = now.astimezone(self.timetable.zone).date()
        for ahead in range(self.rule.first_day_ahead, self.rule.days_ahead + 1):
            day = today + timedelta(days=ahead)
            for standing, (opens, closes) in self.timetable.of_day(day):
                rule = self._rule(standing)
                if rule is None:
                    continue
                zone, length = standing.opening.zone, timedelta(minutes=rule.slot_minutes)
                lasts = max(length, timedelta(minutes=lasting))
                starts = datetime.combine(day, opens, zone).astimezone(UTC)
                closing = datetime.combine(day, closes, zone).astimezone(UTC)
                while starts + lasts <= closing:
                    if self._is_seen(standing, starts, starts + lasts):
                        yield starts, starts + lasts
                    starts += length

    def _rule(self, standing: Stretch) -> Bookable | None:
        if standing is self.timetable.now:
            return self.rule
        name = normalise_name(self.name)
        return next((rule for who, rule in standing.booking.practitioners.items() if normalise_name(who) == name), None)

    def _is_seen(self, standing: Stretch, starts: datetime, ends: datetime) -> bool:
        """Whether patients are seen from ``starts`` on by what stands then, and at the end by what stands at that."""
        if self.timetable.at(starts) is not standing or self.timetable.answers(starts) is Answers.CLOSED:
            return False
        last, behind = ends - _INSTANT, self.timetable.at(ends - _INSTANT)
        return behind is standing or (
            self._rule(behind) is not None and self.timetable.answers(last) is not Answers.CLOSED
        )
