"""When a practice is open, who answers and who can be booked, in time.

What it has set until this evening says nothing about next week: every moment is judged by what will hold then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from callcenter.practice.opening import LOOK_AHEAD_DAYS, Interval, Opening
from callcenter.practice.reception import Answers, Reception
from callcenter.practice.slots import BookingPlan

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """What holds from a moment on.

    Arguments:
        since: aware.
        booking: who can be booked then; nobody while the agenda is not ours.
    """

    since: datetime
    opening: Opening
    reception: Reception = field(default_factory=Reception)
    booking: BookingPlan = field(default_factory=BookingPlan)


@dataclass(frozen=True, slots=True)
class Timetable:
    """What holds now, and what will without any further change.

    Arguments:
        now: whatever its ``since``, it holds until the first of ``later``.
        later: in their order; each holds until the next.
    """

    now: Stretch
    later: tuple[Stretch, ...] = ()

    @property
    def zone(self) -> ZoneInfo:
        return self.now.opening.zone

    def at(self, moment: datetime) -> Stretch:
        """What holds at ``moment`` (aware)."""
        return next((one for one in reversed(self.later) if one.since <= moment), self.now)

    def answers(self, moment: datetime) -> Answers:
        """Who answers at ``moment`` (aware)."""
        standing = self.at(moment)
        return standing.reception.answers(moment, standing.opening)

    def next_answered(self, moment: datetime) -> datetime | None:
        """When somebody, or a menu, answers again, strictly after ``moment`` (aware), in the practice's zone.

        ``None`` if nobody does within the days that are looked at.
        """
        local = moment.astimezone(self.zone)
        for ahead in range(LOOK_AHEAD_DAYS):
            day = local.date() + timedelta(days=ahead)
            for begins in sorted(self._beginnings(day)):
                if begins > local and self.answers(begins) is not Answers.CLOSED:
                    return begins.astimezone(self.zone)
        return None

    def of_day(self, day: date) -> Iterator[tuple[Stretch, Interval]]:
        """The opening hours of ``day``, each with what holds for some of it, in their order; none on a public holiday.

        An interval may begin before what it stands in does, or end behind it.
        """
        for standing in self._holding(day):
            for interval in standing.opening.of_day(day):
                yield standing, interval

    def week(self, moment: datetime) -> Mapping[int, tuple[Interval, ...]]:
        """By weekday, 0 for Monday, the hours of the next of its days from that of ``moment`` (aware) on, as on no
        public holiday: what a week's hours are while some of them are only this week's."""
        today = moment.astimezone(self.zone).date()
        days = (today + timedelta(days=ahead) for ahead in range(7))
        return {day.weekday(): hours for day in days if (hours := self._hours(day))}

    # --- within

    def _holding(self, day: date) -> list[Stretch]:
        """What holds for some of ``day``, in its order."""
        begins, ends = (datetime.combine(day + timedelta(days=n), time(0), self.zone) for n in (0, 1))
        return [self.at(begins), *(one for one in self.later if begins < one.since < ends)]

    def _hours(self, day: date) -> tuple[Interval, ...]:
        """The hours of ``day``, whatever they come from."""
        hours: list[Interval] = []
        holding = self._holding(day)
        for number, standing in enumerate(holding):
            since = self._time(standing) if number else time(0)
            until = self._time(holding[number + 1]) if number + 1 < len(holding) else time.max
            for opens, closes in standing.opening.weekly.get(day.weekday(), ()):
                begins, ends = max(opens, since), min(closes, until)
                if begins >= ends:
                    continue
                if hours and hours[-1][1] == begins:
                    hours[-1] = hours[-1][0], ends
                else:
                    hours.append((begins, ends))
        return tuple(hours)

    def _time(self, standing: Stretch) -> time:
        return standing.since.astimezone(self.zone).time()

    def _beginnings(self, day: date) -> set[datetime]:
        """The moments of ``day`` at which who answers may change."""
        holding = self._holding(day)
        moments = {
            datetime.combine(day, begins, standing.opening.zone)
            for standing in holding
            for begins in standing.reception.beginnings(day, standing.opening)
        }
        # What another setting brings is the beginning of something only where nobody answered just before.
        return moments | {
            standing.since for standing in holding[1:] if self.answers(standing.since - _INSTANT) is Answers.CLOSED
        }
