"""What is public about a practice, and how it is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from callcenter.practice.instructions import Instructions
from callcenter.practice.numbers import E164
from callcenter.practice.opening import Interval, Opening
from callcenter.practice.reception import AnswerMode, Answers, Reception, WaitingRules
from callcenter.practice.sending import EscalationSettings, ReminderSettings
from callcenter.practice.slots import BookingPlan
from callcenter.practice.timetable import Stretch, Timetable
from callcenter.practice.values import BreakGlass, EntryKind, VoiceMessages, VoiceMode
from callcenter.speech import english, french


@dataclass(frozen=True, slots=True)
class _Words:
    """What is said of a practice that keeps no weekly hours."""

    no_hours: str
    no_next_opening: str


_EVER = datetime.min.replace(tzinfo=UTC)
_FRENCH = _Words("sur rendez-vous seulement", "pas encore fixée")
_ENGLISH = _Words("by appointment only", "not known yet")


class AgendaKind(StrEnum):
    """Whose agenda holds the appointments."""

    INTERNAL = "internal"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class Agenda:
    """Where appointments are made.

    Arguments:
        url: of the practice's own tool, for operators; ``None`` for an internal one.
    """

    kind: AgendaKind = AgendaKind.INTERNAL
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Door:
    """Where a called number leads within its practice.

    Arguments:
        practitioner: name of whose number it is, without the title; ``None`` for the practice's.
    """

    entry: EntryKind = EntryKind.MAIN
    practitioner: str | None = None


class Arrival(StrEnum):
    """How a call is received: which way of the flow it begins."""

    PRACTICE = "practice"
    DIRECT = "direct"
    MENU = "menu"
    OVERFLOW = "overflow"
    PROFESSIONALS = "professionals"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class PracticeFacts:
    """A practice at one moment, as anybody may know it; its instructions are for operators alone.

    Arguments:
        opening: its hours, time zone and public holidays.
        reception: who answers when.
        message_of_the_day: said before every menu; empty for none.
        instructions: what operators are told first; callers never are.
        instructions_revision: which made the instructions that show, so that whoever has read them is not asked again;
            0 where there are none.
        rescue_number: E.164 of a line of the practice that is not forwarded to us.
        closing_conduct: what to do while it is closed, who stands in (EM-05).
        out_of_hours_number: E.164 or short number of the region's out-of-hours service (EM-04).
        emergency_line: E.164 of the rescue service of its sector, for operators, whose own 15 would lead elsewhere;
            empty where none is set.
        agenda: where its appointments are made.
        reminders, escalation: what is sent by itself.
        booking: who can be booked by telephone; nobody in an external agenda.
        numbers: the E.164 numbers that we answer for it, and where each leads.
        other_lines: E.164 lines of the practice besides ``numbers`` and ``rescue_number``.
        voice_messages: whether callers may leave spoken messages.
        break_glass: whether a supervisor may open one fact of a file in an emergency.
        waiting: how callers wait for an operator.
        later: how it will be open and booked when what holds for a while has ended, and what is planned has begun: for
            whatever looks ahead, which asks :attr:`timetable` and never ``opening`` and ``reception``.
        revision: of its settings; 0 before they are kept.
    """

    id: UUID
    organisation_id: UUID
    slug: str
    name: str
    spoken_name: str
    address: str
    access: str
    opening: Opening
    rescue_number: E164
    closing_conduct: str
    out_of_hours_number: str
    voice: VoiceMode
    numbers: Mapping[E164, Door]
    other_lines: frozenset[E164]
    reception: Reception = field(default_factory=Reception)
    message_of_the_day: str = ""
    agenda: Agenda = field(default_factory=Agenda)
    voice_messages: VoiceMessages = VoiceMessages.ON
    break_glass: BreakGlass = BreakGlass.OFF
    emergency_line: str = ""
    reminders: ReminderSettings = field(default_factory=ReminderSettings)
    escalation: EscalationSettings = field(default_factory=EscalationSettings)
    booking: BookingPlan = field(default_factory=BookingPlan)
    waiting: WaitingRules = field(default_factory=WaitingRules)
    instructions: Instructions = field(default_factory=Instructions)
    later: tuple[Stretch, ...] = ()
    instructions_revision: int = field(default=0, compare=False)
    revision: int = field(default=0, compare=False)

    @property
    def timezone(self) -> ZoneInfo:
        return self.opening.zone

    @property
    def timetable(self) -> Timetable:
        """When it is open, who answers and who can be booked, now and later."""
        plan = self.booking if self.agenda.kind is AgendaKind.INTERNAL else BookingPlan()
        return Timetable(Stretch(_EVER, self.opening, self.reception, plan), self.later)

    @property
    def hours(self) -> Mapping[int, tuple[Interval, ...]]:
        return self.opening.weekly

    @property
    def own_lines(self) -> frozenset[E164]:
        """Every line that is the practice's, so that a call from it says nothing about a patient."""
        return self.other_lines | self.numbers.keys() | {self.rescue_number}

    def is_open(self, at: datetime) -> bool:
        """Whether somebody answers for the practice at ``at`` (aware)."""
        return self.timetable.answers(at) is not Answers.CLOSED

    def next_opening(self, at: datetime) -> datetime | None:
        """When somebody answers again after ``at`` (aware), in its own zone; ``None`` if that is not in sight."""
        return self.timetable.next_answered(at)

    def door(self, number: str) -> Door:
        """Where ``number`` (E.164) leads; a number that is ours no longer leads to the practice."""
        return self.numbers.get(E164(number), Door())

    def arrival(self, number: str, at: datetime) -> Arrival:
        """How a call to ``number`` (E.164) is received at ``at`` (aware)."""
        entry = self.door(number).entry
        answers = self.timetable.answers(at)
        match entry:
            case EntryKind.PROFESSIONALS:
                return Arrival.PROFESSIONALS
            case EntryKind.CLOSED:
                return Arrival.CLOSED
            case EntryKind.OVERFLOW if answers is not Answers.CLOSED:
                return Arrival.OVERFLOW
            case _:
                return self._received(answers)

    def _received(self, answers: Answers) -> Arrival:
        match answers:
            case Answers.PRACTICE:
                return Arrival.PRACTICE
            case Answers.MENU:
                return Arrival.MENU
            case Answers.CLOSED:
                return Arrival.CLOSED
            case Answers.SERVICE:
                return _BY_MODE[self.reception.mode]

    def public(self, at: datetime, language: str = "fr") -> Mapping[str, str | bool]:
        """Every ``practice.*`` field that a prompt may name, ready to be said at ``at`` (aware) in ``language``.

        What the practice wrote itself stays in its own words.
        """
        speech, words = (english, _ENGLISH) if language == "en" else (french, _FRENCH)
        upcoming = self.next_opening(at)
        today = at.astimezone(self.timezone).date()
        return {
            "practice.name": self.name,
            "practice.spoken_name": self.spoken_name,
            "practice.agenda": self.agenda.kind.value,
            "practice.agenda_link": self.agenda.url or "",
            "practice.address": self.address,
            "practice.access": self.access,
            "practice.opening_hours": speech.spoken_hours(self.timetable.week(at)) or words.no_hours,
            "practice.is_open": self.is_open(at),
            "practice.answer_mode": self.reception.mode.value,
            "practice.next_opening": speech.spoken_datetime(upcoming, today) if upcoming else words.no_next_opening,
            "practice.closing_conduct": self.closing_conduct,
            "practice.out_of_hours_number": speech.spoken_phone(self.out_of_hours_number),
            "practice.message_of_the_day": self.message_of_the_day,
            "practice.instructions": self.instructions.text,
            "practice.voice_messages": self.voice_messages is VoiceMessages.ON,
        }


_BY_MODE: Mapping[AnswerMode, Arrival] = {
    AnswerMode.DIRECT: Arrival.DIRECT,
    AnswerMode.MENU: Arrival.MENU,
    AnswerMode.OVERFLOW: Arrival.OVERFLOW,
}


@dataclass(frozen=True, slots=True)
class Fallback:
    """Whom a caller of one number reaches when nothing else works.

    Arguments:
        slug: short name of the practice that it belongs to.
    """

    rescue_number: E164
    slug: str
