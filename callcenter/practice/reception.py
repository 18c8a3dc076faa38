"""Who answers the telephone of a practice, by day and hour.

A practice's calendar is a list of rules; the first that fits decides. Where none fits, its opening hours do: the
answering service while it is open, the closing message otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from callcenter.practice.opening import Interval, Opening


class Answers(StrEnum):
    """Who answers."""

    #: The practice itself: its own telephone rings, and the answering service takes what nobody answers there.
    PRACTICE = "practice"
    #: The answering service, in the way that the practice's ``answer_mode`` says.
    SERVICE = "service"
    #: The menu, whatever the ``answer_mode``.
    MENU = "menu"
    #: Nobody: the closing message, and what can be done without anybody.
    CLOSED = "closed"


class AnswerMode(StrEnum):
    """How the answering service answers."""

    #: Greeting, emergency line, notice, then a person.
    DIRECT = "direct"
    #: Greeting, emergency line, notice, then the menu.
    MENU = "menu"
    #: As ``direct``, for callers who have waited at the practice already.
    OVERFLOW = "overflow"


@dataclass(frozen=True, slots=True)
class WaitingRules:
    """How callers wait for an operator.

    Arguments:
        callbacks: whoever waits may ask to be rung back in the place that they have.
        longest_minutes: after which whoever waits is asked for a message.
        most: how many wait at once; whoever comes then is asked for a message at once.
    """

    callbacks: bool = True
    longest_minutes: int = 15
    most: int = 20


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the calendar. Every condition that it has must hold.

    Arguments:
        answers: who answers then.
        days: weekdays, 0 for Monday; empty for every day.
        dates: first and last day; ``None`` for always.
        holidays: only on public holidays.
        hours: local time, from and to (excluded; 00:00 for midnight); ``None`` for the whole day.
    """

    answers: Answers
    days: frozenset[int] = frozenset()
    dates: tuple[date, date] | None = None
    holidays: bool = False
    hours: Interval | None = None

    def fits(self, at: datetime, opening: Opening) -> bool:
        """Whether this rule decides at ``at`` (aware)."""
        local = at.astimezone(opening.zone)
        return (
            (not self.days or local.weekday() in self.days)
            and (self.dates is None or self.dates[0] <= local.date() <= self.dates[1])
            and (not self.holidays or opening.is_holiday(local.date()))
            and (self.hours is None or _within(local.time(), self.hours))
        )


_MIDNIGHT = time(0)


def _within(at: time, hours: Interval) -> bool:
    begins, ends = hours
    return begins <= at and (at < ends or ends == _MIDNIGHT)


@dataclass(frozen=True, slots=True)
class Reception:
    """The calendar.

    Arguments:
        rules: in order of precedence.
        mode: how the answering service answers.
    """

    rules: tuple[Rule, ...] = ()
    mode: AnswerMode = AnswerMode.MENU

    def answers(self, at: datetime, opening: Opening) -> Answers:
        """Who answers at ``at`` (aware)."""
        for rule in self.rules:
            if rule.fits(at, opening):
                return rule.answers
        return Answers.SERVICE if opening.is_open(at) else Answers.CLOSED

    def beginnings(self, day: date, opening: Opening) -> set[time]:
        """The times of ``day`` at which who answers may change."""
        bounds = {bound for rule in self.rules if rule.hours is not None for bound in rule.hours}
        return bounds | {time(0)} | {bound for interval in opening.of_day(day) for bound in interval}
