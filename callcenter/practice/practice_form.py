"""The settings of a practice as people write them, in files and on the command line, and as they are kept.

One form for both: a setting is kept as it was written, and read by the same rules each time. Hours are written as
``lundi: [08:30-12:00, 14:00-18:30]``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, time
from enum import StrEnum
from typing import Annotated, Any, Self
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from callcenter.practice.facts import Agenda, AgendaKind, Door, PracticeFacts
from callcenter.practice.instructions import LONGEST_INSTRUCTIONS, Instructions
from callcenter.practice.numbers import E164, NumberProblem, parse_diallable, parse_number, parse_served
from callcenter.practice.opening import Interval, Opening
from callcenter.practice.reception import AnswerMode, Answers, Reception, Rule, WaitingRules
from callcenter.practice.sending import EscalationSettings, ReminderMode, ReminderSettings
from callcenter.practice.slots import Bookable, BookingPlan
from callcenter.practice.values import BreakGlass, EntryKind, VoiceMessages, VoiceMode
from callcenter.speech.moments import WEEKDAYS

#: A message of the day is heard before every menu: characters.
LONGEST_MESSAGE_OF_THE_DAY = 300

_INTERVAL = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])\s*[-–]\s*([01]?[0-9]|2[0-3]):([0-5][0-9])")
_DATES = re.compile(r"(\d{4}-\d{2}-\d{2})(?:\s*(?:\.\.|…)\s*(\d{4}-\d{2}-\d{2}))?")


class Setting(StrEnum):
    """A setting of a practice, by the name under which it is written, kept and changed."""

    NAME = "name"
    SPOKEN_NAME = "spoken_name"
    ADDRESS = "address"
    ACCESS = "access"
    TIMEZONE = "timezone"
    HOLIDAY_SUBDIVISION = "holiday_subdivision"
    NUMBERS = "numbers"
    RESCUE_NUMBER = "rescue_number"
    OTHER_LINES = "other_lines"
    HOURS = "hours"
    RECEPTION = "reception"
    ANSWER_MODE = "answer_mode"
    MESSAGE_OF_THE_DAY = "message_of_the_day"
    INSTRUCTIONS = "instructions"
    CLOSING_CONDUCT = "closing_conduct"
    OUT_OF_HOURS_NUMBER = "out_of_hours_number"
    EMERGENCY_LINE = "emergency_line"
    VOICE = "voice"
    AGENDA = "agenda"
    VOICE_MESSAGES = "voice_messages"
    REMINDERS = "reminders"
    ESCALATION = "escalation"
    BOOKING = "booking"
    WAITING = "waiting"
    BREAK_GLASS = "break_glass"

    @property
    def immediate(self) -> bool:
        """Whether it can only be changed at once: the number plan stands in the directory, which has no future."""
        return self in (Setting.NUMBERS, Setting.RESCUE_NUMBER, Setting.OTHER_LINES)

    @property
    def passing(self) -> bool:
        """Whether it must say until when it holds: nobody remembers to take it away."""
        return self is Setting.MESSAGE_OF_THE_DAY


# --- readers


def _number(parse: Callable[[str], str | NumberProblem]) -> AfterValidator:
    def read(text: str) -> str:
        number = parse(text)
        if isinstance(number, NumberProblem):
            raise ValueError(number.value)
        return number

    return AfterValidator(read)


def _read_interval(text: object) -> Interval:
    match = _INTERVAL.fullmatch(str(text))
    if match is None:
        raise ValueError("hours are written from-to, such as 08:30-12:00")
    from_hour, from_minute, to_hour, to_minute = map(int, match.groups())
    begins, ends = time(from_hour, from_minute), time(to_hour, to_minute)
    return begins, ends


def _read_weekday(text: object) -> int:
    if text not in WEEKDAYS:
        raise ValueError(f"days are called {', '.join(WEEKDAYS)}")
    return WEEKDAYS.index(str(text))


def _read_zone(text: object) -> ZoneInfo:
    try:
        return ZoneInfo(str(text))
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of zones, or a name too long for a file
        raise ValueError("there is no such time zone") from None


def _read_dates(text: object) -> tuple[date, date]:
    match = _DATES.fullmatch(str(text))
    if match is None:
        raise ValueError("dates are written 2026-12-24, or 2026-12-24..2027-01-02")
    try:
        first = date.fromisoformat(match[1])
        last = date.fromisoformat(match[2] or match[1])
    except ValueError:
        raise ValueError("there is no such date") from None
    if last < first:
        raise ValueError("the last day lies before the first")
    return first, last


def words(most: int, *, may_be_empty: bool = False) -> AfterValidator:
    """Words that are said: on one line, not empty, and short enough for a caller and for the carrier's 64 KiB.

    Arguments:
        most: characters.
    """

    def read(text: str) -> str:
        if not text.strip() and not may_be_empty:
            raise ValueError("it is empty")
        if len(text) > most:
            raise ValueError(f"it is longer than {most} characters")
        if any(unicodedata.category(character) in ("Cc", "Cs", "Co", "Cn") for character in text):
            raise ValueError("it has a line break or another control character")
        return text

    return AfterValidator(read)


#: Control characters that lines may hold.
_OF_LINES = ("\n", "\t")


def _read_lines(text: str) -> str:
    """Words in several lines, wherever they were typed: a browser ends lines in its own way."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if any(unicodedata.category(one) in ("Cc", "Cs", "Co", "Cn") and one not in _OF_LINES for one in lines):
        raise ValueError("it has a control character")
    return lines


def _read_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.password:
        raise ValueError("an external agenda has an address https://…, without a name or password in it")
    return text


#: A weekday, 0 for Monday, written in French.
Weekday = Annotated[int, BeforeValidator(_read_weekday)]
_IntervalField = Annotated[Interval, BeforeValidator(_read_interval)]
#: A line of a practice, or of somebody in it, that we do not answer.
Line = Annotated[str, _number(parse_number)]
_MaybeLine = Annotated[str, _number(lambda text: parse_number(text) if text.strip() else "")]
_Intervals = tuple[_IntervalField, ...]


class FormModel(BaseModel):
    """What is written by people: unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class _DoorForm(FormModel):
    entry: EntryKind
    practitioner: Annotated[str, words(120)] | None = None


def _whole_door(value: object) -> object:
    """A door that is only its entry, in its full form."""
    return {"entry": value} if isinstance(value, str) else value


class _RuleForm(FormModel):
    answers: Answers
    days: tuple[Weekday, ...] = ()
    dates: Annotated[tuple[date, date], BeforeValidator(_read_dates)] | None = None
    holidays: bool = False
    hours: _IntervalField | None = None

    def rule(self) -> Rule:
        return Rule(self.answers, frozenset(self.days), self.dates, self.holidays, self.hours)


class _AgendaForm(FormModel):
    external: Annotated[str, words(500), AfterValidator(_read_url)]


def _whole_agenda(value: object) -> object:
    return None if value == AgendaKind.INTERNAL.value else value


def _read_switch(value: object) -> object:
    """YAML reads a bare ``on`` or ``off`` as yes or no."""
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else value


_Lines = Annotated[str, AfterValidator(_read_lines)]


class _InstructionsForm(FormModel):
    practice: _Lines = ""
    practitioners: dict[Annotated[str, words(120)], _Lines] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _short_enough(self) -> Self:
        if len(self.instructions().text) > LONGEST_INSTRUCTIONS:
            raise ValueError(f"it is longer than {LONGEST_INSTRUCTIONS} characters")
        return self

    def instructions(self) -> Instructions:
        return Instructions(self.practice, {name: told for name, told in self.practitioners.items() if told})


def _whole_instructions(value: object) -> object:
    """Instructions that are only those of the practice, in their full form."""
    return {"practice": value} if isinstance(value, str) else value


class _RemindersForm(FormModel):
    mode: ReminderMode
    hours_before: int = Field(24, ge=2, le=72)


def _whole_reminders(value: object) -> object:
    """Reminders that are only their mode, in their full form; YAML reads a bare « off » as false."""
    value = ReminderMode.OFF.value if value is False else value
    return {"mode": value} if isinstance(value, str) else value


class _EscalationForm(FormModel):
    after_minutes: int = Field(15, ge=5, le=240)
    at_night: bool = True


class _WaitingForm(FormModel):
    callbacks: bool = True
    longest_minutes: int = Field(15, ge=1, le=60)
    most: int = Field(20, ge=0, le=200)


class _BookableForm(FormModel):
    new_patients: bool = True
    slot_minutes: Annotated[int, Field(ge=5, le=240)] = 15
    first_day_ahead: Annotated[int, Field(ge=0, le=60)] = 1
    days_ahead: Annotated[int, Field(ge=0, le=90)] = 30

    @model_validator(mode="after")
    def _first_before_last(self) -> Self:
        if self.first_day_ahead > self.days_ahead:
            raise ValueError("the first day lies behind the last: lower first_day_ahead or raise days_ahead")
        return self

    def bookable(self) -> Bookable:
        return Bookable(self.new_patients, self.slot_minutes, self.first_day_ahead, self.days_ahead)


class _BookingForm(FormModel):
    #: Each has a key of the telephone, from 1 on.
    practitioners: dict[Annotated[str, words(120)], _BookableForm] = Field(default_factory=dict, max_length=9)
    offers: Annotated[int, Field(ge=1, le=10)] = 3
    open_per_caller: Annotated[int, Field(ge=1, le=20)] = 2

    def plan(self) -> BookingPlan:
        practitioners = {name: form.bookable() for name, form in self.practitioners.items()}
        return BookingPlan(practitioners, self.offers, self.open_per_caller)


#: A number plan: each number that we answer, and where it leads.
Numbers = dict[Annotated[str, _number(parse_served)], Annotated[_DoorForm, BeforeValidator(_whole_door)]]


class PracticeForm(FormModel):
    """Every setting of a practice, as written."""

    name: Annotated[str, words(120)]
    spoken_name: Annotated[str, words(120)]
    address: Annotated[str, words(300)]
    access: Annotated[str, words(600, may_be_empty=True)] = ""
    timezone: Annotated[ZoneInfo, BeforeValidator(_read_zone)] = ZoneInfo("Europe/Paris")
    holiday_subdivision: str | None = None
    numbers: Numbers = Field(max_length=100)
    rescue_number: Line
    other_lines: tuple[Line, ...] = Field((), max_length=100)
    hours: dict[Weekday, Annotated[_Intervals, Field(max_length=6)]] = {}
    reception: tuple[_RuleForm, ...] = Field((), max_length=100)
    answer_mode: AnswerMode = AnswerMode.MENU
    message_of_the_day: Annotated[str, words(LONGEST_MESSAGE_OF_THE_DAY, may_be_empty=True)] = ""
    instructions: Annotated[_InstructionsForm, BeforeValidator(_whole_instructions)] = _InstructionsForm()
    closing_conduct: Annotated[str, words(1000)]
    out_of_hours_number: Annotated[str, _number(parse_diallable)]
    emergency_line: _MaybeLine = ""
    voice: VoiceMode = VoiceMode.LOCAL
    agenda: Annotated[_AgendaForm | None, BeforeValidator(_whole_agenda)] = None
    voice_messages: Annotated[VoiceMessages, BeforeValidator(_read_switch)] = VoiceMessages.ON
    reminders: Annotated[_RemindersForm, BeforeValidator(_whole_reminders)] = _RemindersForm(mode=ReminderMode.OFF)
    escalation: _EscalationForm = _EscalationForm()
    booking: _BookingForm = Field(default_factory=_BookingForm)
    waiting: _WaitingForm = _WaitingForm()
    break_glass: Annotated[BreakGlass, BeforeValidator(_read_switch)] = BreakGlass.OFF

    def facts(
        self, *, id: UUID, organisation_id: UUID, slug: str, revision: int = 0, instructions_revision: int = 0
    ) -> PracticeFacts:
        """The practice that has these settings.

        Arguments:
            instructions_revision: which made the instructions that show.
        """
        instructions = self.instructions.instructions()
        return PracticeFacts(
            id=id,
            organisation_id=organisation_id,
            slug=slug,
            name=self.name,
            spoken_name=self.spoken_name,
            address=self.address,
            access=self.access,
            opening=Opening(self.timezone, self.hours, self.holiday_subdivision),
            reception=Reception(tuple(form.rule() for form in self.reception), self.answer_mode),
            message_of_the_day=self.message_of_the_day,
            instructions=instructions,
            instructions_revision=instructions_revision if instructions.text else 0,
            rescue_number=E164(self.rescue_number),
            closing_conduct=self.closing_conduct,
            out_of_hours_number=self.out_of_hours_number,
            emergency_line=self.emergency_line,
            voice=self.voice,
            agenda=Agenda() if self.agenda is None else Agenda(AgendaKind.EXTERNAL, self.agenda.external),
            booking=self.booking.plan(),
            numbers={E164(number): Door(door.entry, door.practitioner) for number, door in self.numbers.items()},
            other_lines=frozenset(map(E164, self.other_lines)),
            voice_messages=self.voice_messages,
            reminders=ReminderSettings(self.reminders.mode, self.reminders.hours_before),
            escalation=EscalationSettings(self.escalation.after_minutes, self.escalation.at_night),
            waiting=WaitingRules(self.waiting.callbacks, self.waiting.longest_minutes, self.waiting.most),
            break_glass=self.break_glass,
            revision=revision,
        )


def as_written(facts: PracticeFacts) -> Mapping[Setting, Any]:
    """The settings of ``facts`` as a file would have them: what :class:`PracticeForm` reads back, and JSON can keep."""
    return {
        Setting.NAME: facts.name,
        Setting.SPOKEN_NAME: facts.spoken_name,
        Setting.ADDRESS: facts.address,
        Setting.ACCESS: facts.access,
        Setting.TIMEZONE: facts.timezone.key,
        Setting.HOLIDAY_SUBDIVISION: facts.opening.holiday_subdivision,
        Setting.NUMBERS: {number: _written_door(door) for number, door in facts.numbers.items()},
        Setting.RESCUE_NUMBER: facts.rescue_number,
        Setting.OTHER_LINES: sorted(facts.other_lines),
        Setting.HOURS: {
            WEEKDAYS[day]: [_written_interval(interval) for interval in intervals]
            for day, intervals in facts.hours.items()
        },
        Setting.RECEPTION: [_written_rule(rule) for rule in facts.reception.rules],
        Setting.ANSWER_MODE: facts.reception.mode.value,
        Setting.MESSAGE_OF_THE_DAY: facts.message_of_the_day,
        Setting.INSTRUCTIONS: _written_instructions(facts.instructions),
        Setting.CLOSING_CONDUCT: facts.closing_conduct,
        Setting.OUT_OF_HOURS_NUMBER: facts.out_of_hours_number,
        Setting.EMERGENCY_LINE: facts.emergency_line,
        Setting.VOICE: facts.voice.value,
        Setting.AGENDA: facts.agenda.kind.value if facts.agenda.url is None else {"external": facts.agenda.url},
        Setting.VOICE_MESSAGES: facts.voice_messages.value,
        Setting.REMINDERS: _written_reminders(facts.reminders),
        Setting.ESCALATION: {
            "after_minutes": facts.escalation.after_minutes,
            "at_night": facts.escalation.at_night,
        },
        Setting.BOOKING: _written_booking(facts.booking),
        Setting.WAITING: {
            "callbacks": facts.waiting.callbacks,
            "longest_minutes": facts.waiting.longest_minutes,
            "most": facts.waiting.most,
        },
        Setting.BREAK_GLASS: facts.break_glass.value,
    }


def _written_door(door: Door) -> Any:
    if door.practitioner is None:
        return door.entry.value
    return {"entry": door.entry.value, "practitioner": door.practitioner}


def _written_instructions(instructions: Instructions) -> Any:
    if not instructions.practitioners:
        return instructions.practice
    return {"practice": instructions.practice, "practitioners": dict(instructions.practitioners)}


def _written_reminders(reminders: ReminderSettings) -> Any:
    if reminders.mode is ReminderMode.OFF:
        return reminders.mode.value
    return {"mode": reminders.mode.value, "hours_before": reminders.hours_before}


def _written_booking(plan: BookingPlan) -> dict[str, Any]:
    practitioners = {
        name: {
            "new_patients": rule.new_patients,
            "slot_minutes": rule.slot_minutes,
            "first_day_ahead": rule.first_day_ahead,
            "days_ahead": rule.days_ahead,
        }
        for name, rule in plan.practitioners.items()
    }
    return {"practitioners": practitioners, "offers": plan.offers, "open_per_caller": plan.open_per_caller}


def _written_interval(interval: Interval) -> str:
    begins, ends = interval
    return f"{begins:%H:%M}-{ends:%H:%M}"


def _written_rule(rule: Rule) -> dict[str, Any]:
    written: dict[str, Any] = {"answers": rule.answers.value}
    if rule.days:
        written["days"] = [WEEKDAYS[day] for day in sorted(rule.days)]
    if rule.dates is not None:
        written["dates"] = "..".join(day.isoformat() for day in rule.dates)
    if rule.holidays:
        written["holidays"] = True
    if rule.hours is not None:
        written["hours"] = _written_interval(rule.hours)
    return written
