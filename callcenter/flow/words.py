"""The words of one prompt: three kinds of parts, the fields that they name, and how they are rendered from values.

The text of a prompt is read in ``flow.template``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from types import MappingProxyType
from typing import Protocol

from callcenter.kernel.errors import CallcenterError
from callcenter.speech import english, french


class PromptError(CallcenterError):
    """A prompt cannot be said with the values that it was given."""


# --- fields and filters


class Speech(Protocol):
    """How values are said in one language."""

    def spoken_date(self, value: date, *, today: date | None = None) -> str: ...

    def spoken_time(self, value: time) -> str: ...

    def spoken_datetime(self, value: datetime, today: date) -> str: ...

    def written_slot(self, at: datetime, today: date) -> str: ...

    def written_day(self, value: date) -> str: ...

    def written_time(self, value: time) -> str: ...

    def spoken_name(self, name: str) -> str: ...

    def spoken_phone(self, number: str) -> str: ...


#: Languages in which prompts may be written, and how values are said in each.
SPEECH: Mapping[str, Speech] = MappingProxyType({"fr": french, "en": english})


def _say_moment(speech: Speech, value: datetime, today: date | None) -> str:
    if today is None:
        return f"{speech.spoken_date(value.date())}, {speech.spoken_time(value.time())}"
    return speech.spoken_datetime(value, today)


#: Filters for a date and time; the last argument is the practice's date of today, if it is known.
MOMENT_FILTERS: Mapping[str, Callable[[Speech, datetime, date | None], str]] = MappingProxyType(
    {
        "spoken_datetime": _say_moment,
        "spoken_date": lambda speech, value, today: speech.spoken_date(value.date(), today=today),
        "spoken_time": lambda speech, value, today: speech.spoken_time(value.time()),
        "written_day": lambda speech, value, today: speech.written_day(value.date()),
        "written_time": lambda speech, value, today: speech.written_time(value.time()),
    }
)
#: Filters for a text.
TEXT_FILTERS: Mapping[str, Callable[[Speech, str], str]] = MappingProxyType(
    {
        "spoken_name": lambda speech, value: speech.spoken_name(value),
        "spoken_phone": lambda speech, value: speech.spoken_phone(value),
    }
)

#: Fields that are yes or no: for ``if`` and ``branch`` only.
YES_NO_FIELDS = frozenset({"practice.is_open", "caller.number_withheld", "practice.voice_messages"})
#: Fields with a few known values: for ``branch`` with ``cases`` only.
CASE_FIELDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "practice.agenda": frozenset({"internal", "external"}),
        "call.arrival": frozenset({"practice", "direct", "menu", "overflow", "professionals", "closed"}),
        "practice.answer_mode": frozenset({"direct", "menu", "overflow"}),
    }
)
#: Fields that operators read: no flow in which callers hear something may name one.
SCREEN_FIELDS = frozenset({"practice.instructions"})
#: Fields that may have no value: an appointment at the practice's address has no place of its own.
MAYBE_FIELDS = frozenset({"appointment.place", "slot.place"})
#: Fields that are a date and time: said through one of the filters for it.
MOMENT_FIELDS = frozenset({"appointment.starts_at", "slot.starts_at"})


# --- parts


@dataclass(frozen=True, slots=True)
class Words:
    """Literal text."""

    text: str


@dataclass(frozen=True, slots=True)
class Value:
    """A field's value, through a filter or as it is."""

    field: str
    filter: str | None


@dataclass(frozen=True, slots=True)
class When:
    """Parts that are said only if a field has a value other than no and empty, and those that are said otherwise."""

    field: str
    parts: tuple[Part, ...]
    otherwise: tuple[Part, ...] = ()


Part = Words | Value | When


def fields_of(parts: Sequence[Part]) -> frozenset[str]:
    """Every field that ``parts`` name, conditions included: an ``if`` on a field tells something of it, either way."""
    fields: set[str] = set()
    for part in parts:
        match part:
            case Value(field):
                fields.add(field)
            case When(field, inner, otherwise):
                fields |= {field} | fields_of(inner) | fields_of(otherwise)
    return frozenset(fields)


def unguarded(parts: Sequence[Part], guards: frozenset[str] = frozenset()) -> Iterator[str]:
    """Every field whose value is said outside an ``if`` of its own."""
    for part in parts:
        match part:
            case Value(field) if field not in guards:
                yield field
            case When(field, inner, otherwise):
                yield from unguarded(inner, guards | {field})
                yield from unguarded(otherwise, guards - {field})


def told_by_absence(parts: Sequence[Part]) -> Iterator[str]:
    """Every field for whose absence there are words."""
    for part in parts:
        if isinstance(part, When):
            if part.otherwise:
                yield part.field
            yield from told_by_absence((*part.parts, *part.otherwise))


def always_said(parts: Sequence[Part]) -> str:
    """The literal words that are said whatever the values are."""
    return _tidy(" ".join(part.text for part in parts if isinstance(part, Words)))


def render(parts: Sequence[Part], values: Mapping[str, object], today: date | None, language: str = "fr") -> str:
    """The words, with white space collapsed.

    Arguments:
        language: in which dates, times, names and numbers are said.
        values: by field; every field outside an ``if`` of its own needs one.
        today: the practice's date of today; near it, a date is said without its year.

    Raises:
        PromptError: a value is missing or of another kind than its filter takes. The value is not in the message.
    """
    return _tidy("".join(_rendered(parts, values, today, SPEECH[language])))


def _rendered(parts: Sequence[Part], values: Mapping[str, object], today: date | None, speech: Speech) -> Iterator[str]:
    for part in parts:
        match part:
            case Words(text):
                yield text
            case Value(field, name):
                yield _spoken(field, name, values.get(field), today, speech)
            case When(field, inner, otherwise):
                yield from _rendered(inner if values.get(field) else otherwise, values, today, speech)


def _spoken(field: str, name: str | None, value: object, today: date | None, speech: Speech) -> str:
    match value:
        case datetime() if name is not None and name in MOMENT_FILTERS:
            return MOMENT_FILTERS[name](speech, value, today)
        case str() if name is None:
            return value
        case str() if name is not None and name in TEXT_FILTERS:
            return TEXT_FILTERS[name](speech, value)
    raise PromptError(f"the field {field} has no value that can be said here")


def _tidy(text: str) -> str:
    """Collapse the white space of an author's layout; the no-break spaces of French typography stay."""
    return re.sub(r"[ \t\r\n]+", " ", text).strip(" ")
