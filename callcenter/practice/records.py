"""Patients, contacts and appointments as a practice's own software exports them: each cell is read once, here.

The descriptions below are also the reference for staff: ``docs/import.md`` is made from them.

What was written in a cell is never repeated in an error: it is about a patient, and errors reach logs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from callcenter.practice.names import UnmappedCharacter, normalise_name
from callcenter.practice.numbers import E164, NumberProblem, parse_number
from callcenter.practice.values import AppointmentStatus, IdentityStatus, Sex

#: Nobody was born earlier than this many years ago.
_OLDEST_YEARS = 130

#: Nothing in a practice's file is earlier or later: exports write « no date » as year 1 or 9999.
_YEARS = range(1800, 2200)

_FRENCH_DATE = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")
_ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_SHORT_YEAR = re.compile(r"[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{2}")
_MOMENT_WITHOUT_TIME = re.compile(r"[0-9/.-]+")
_MOMENT = re.compile(
    r"(?P<date>[0-9/.-]+)(?:[T ]+(?P<hour>[0-9]{1,2})[:hH](?P<minute>[0-9]{2})(?::[0-9]{2}(?:\.[0-9]+)?)?)?"
)
_OFFSET = re.compile(r"(?:Z|[+-][0-9]{2}:?[0-9]{2})$")
_MINUTES = re.compile(r"0{0,9}[0-9]{1,4}")
_CONTROL = re.compile(r"[\x00-\x1f]")
_REFERENCE = re.compile(r"[0-9]{8}")
_PLACE_CODE = re.compile(r"(?:[0-9]{2}|2[AB])[0-9]{3}")

_YES = frozenset({"oui", "o", "1", "true", "vrai", "x", "yes"})
_NO = frozenset({"non", "n", "0", "false", "faux", "no"})
_SEXES = {"M": Sex.MALE, "H": Sex.MALE, "F": Sex.FEMALE, "I": Sex.UNDETERMINED}
_STATUSES = {
    "planifie": AppointmentStatus.PLANNED,
    "prevu": AppointmentStatus.PLANNED,
    "confirme": AppointmentStatus.CONFIRMED,
    "annule": AppointmentStatus.CANCELLED,
} | {status.value: status for status in AppointmentStatus}


@dataclass(frozen=True, slots=True)
class Reading:
    """What cells are read against.

    Arguments:
        zone: the practice's time zone, in which times without an offset are meant.
        now: aware.
        own_lines: the practice's lines, which are no patient's.
    """

    zone: ZoneInfo
    now: datetime
    own_lines: frozenset[E164]


def _refusal(what: str, mend: str) -> PydanticCustomError:
    return PydanticCustomError("cell", "{what}", {"what": what, "mend": mend})


def _reading(info: ValidationInfo) -> Reading:
    context = info.context
    if not isinstance(context, Reading):
        raise TypeError("records are read against a Reading")
    return context


def read_date(text: str) -> date:
    """A date as ``JJ/MM/AAAA`` or ``AAAA-MM-JJ``; raises for any other, for two-digit years and impossible days."""
    french, iso = _FRENCH_DATE.fullmatch(text), _ISO_DATE.fullmatch(text)
    if french:
        day, month, year = map(int, french.groups())
    elif iso:
        year, month, day = map(int, iso.groups())
    elif _SHORT_YEAR.fullmatch(text):
        raise _refusal("has a year of two digits", "write the year with four digits")  # MA-05
    else:
        raise _refusal("is not a date", "write it as JJ/MM/AAAA or AAAA-MM-JJ")
    if year not in _YEARS:
        raise _refusal("has a year before 1800 or after 2199", "correct it, or empty the cell if there is no date")
    try:
        return date(year, month, day)
    except ValueError:
        raise _refusal("is a date that does not exist", "correct day and month, in the order JJ/MM/AAAA") from None


def _read_birth_date(value: str, info: ValidationInfo) -> date:
    born, today = read_date(value), _reading(info).now.astimezone(_reading(info).zone).date()
    if born > today:
        raise _refusal("is a birth date in the future", "correct it")
    if born.year < today.year - _OLDEST_YEARS:
        raise _refusal(f"is more than {_OLDEST_YEARS} years ago", "correct the year")
    return born


def _read_moment(value: str, info: ValidationInfo) -> datetime:
    """A date, with its time or at midnight; local in the practice's zone unless it has an offset."""
    offset = _OFFSET.search(value) if "T" in value or ":" in value else None
    match = _MOMENT.fullmatch(value[: offset.start()] if offset else value)
    if match is None:
        raise _refusal("is not a date and time", "write it as JJ/MM/AAAA HH:MM or AAAA-MM-JJTHH:MM")
    hour, minute = int(match["hour"] or 0), int(match["minute"] or 0)
    if hour > 23 or minute > 59:
        raise _refusal("has a time that does not exist", "write hours from 0 to 23 and minutes from 0 to 59")
    day = read_date(match["date"])
    if offset:
        return _with_offset(day, hour, minute, offset[0])
    return _localised(datetime(day.year, day.month, day.day, hour, minute, tzinfo=_reading(info).zone))


def _with_offset(day: date, hour: int, minute: int, offset: str) -> datetime:
    try:
        return datetime.fromisoformat(f"{day.isoformat()}T{hour:02}:{minute:02}{offset}").astimezone(UTC)
    except ValueError:
        raise _refusal("has an offset that does not exist", "write it as +01:00, or leave it out") from None


def _read_start(value: str, info: ValidationInfo) -> datetime:
    if _MOMENT_WITHOUT_TIME.fullmatch(value):
        raise _refusal("has no time", "write it as JJ/MM/AAAA HH:MM or AAAA-MM-JJTHH:MM")
    return _read_moment(value, info)


def _localised(local: datetime) -> datetime:
    """``local`` in UTC, unless its clock time happens never or twice on the day when the clocks change."""
    first, second = (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return first
    raise _refusal("falls in the hour of the clock change", "write it with its offset, such as 2026-10-25T02:30+01:00")


def _read_past_moment(value: str, info: ValidationInfo) -> datetime:
    moment = _read_moment(value, info)
    if moment > _reading(info).now:
        raise _refusal("lies in the future", "correct it: nothing can be entered or confirmed in advance")
    return moment


def _read_flag(value: str) -> bool:
    word = value.casefold()
    if word not in _YES | _NO:
        raise _refusal("is neither yes nor no", "write oui or non")
    return word in _YES


def _read_phone(value: str, info: ValidationInfo) -> E164:
    number = parse_number(value)
    if isinstance(number, NumberProblem):
        raise _refusal(f"cannot be used: {number.value}", "correct the number, with its ten digits or its + prefix")
    if number in _reading(info).own_lines:
        raise _refusal("is a line of the practice itself", "remove it, or write the patient's own number")
    return number


def _read_sex(value: str) -> Sex:
    try:
        return _SEXES[value.upper()]
    except KeyError:
        raise _refusal("is not a sex as identity documents have it", "write M, F or I (undetermined)") from None


def _read_appointment_status(value: str) -> AppointmentStatus:
    try:
        return _STATUSES[value.casefold().replace("é", "e")]
    except KeyError:
        raise _refusal("is not a status", "write planned, confirmed or cancelled") from None


def _read_identity_status(value: str) -> IdentityStatus:
    try:
        return IdentityStatus(value.upper())
    except ValueError:
        raise _refusal("is not an identity status", "write PROV, RECUP, VALI or QUAL") from None


def _check_name(value: str) -> str:
    try:
        normalise_name(value)
    except UnmappedCharacter as error:
        raise _refusal(f"cannot be compared: {error}", "write it as on the identity document, without digits") from None
    return value


def _check_place_code(value: str) -> str:
    if not _PLACE_CODE.fullmatch(value):
        raise _refusal("is not an INSEE place code", "write five characters, such as 01004, 2A004 or 99109")
    return value


def _read_duration(value: str) -> int:
    if not _MINUTES.fullmatch(value) or not 1 <= int(value) <= 24 * 60:
        raise _refusal("is not a duration", "write whole minutes, from 1 to 1440")
    return int(value)


def _read_reference(value: str) -> str:
    digits = re.sub(r"[\s.-]", "", value)
    if not _REFERENCE.fullmatch(digits):
        raise _refusal("is not a reference", "write the eight digits of the printed card, or empty the cell")
    return digits


def _text(value: str) -> str:
    if _CONTROL.search(value):
        raise _refusal("has a line break or another control character", "write it on one line")
    if len(value) > 200:
        raise _refusal("is longer than 200 characters", "shorten it")
    return value


def _with(read: Callable[..., object]) -> BeforeValidator:
    return BeforeValidator(read)


def _written(how: str) -> FieldInfo:
    """How a cell is written, for staff."""
    info: FieldInfo = Field(description=how)
    return info


def _one_of(words: Iterable[str]) -> str:
    return " / ".join(f"`{word}`" for word in words)


_DATE = "`JJ/MM/AAAA` or `AAAA-MM-JJ`"
_START = "`JJ/MM/AAAA HH:MM` or `AAAA-MM-JJTHH:MM`, in the practice's time zone unless it has an offset"
_CARD = "the eight digits of a printed card, which are not kept; empty: what stands"
_STATUS = f"{_one_of(_STATUSES)}; empty: what stands, or planned"
_PLACE = "INSEE code of five characters, such as `01004`, `2A004` or `99109`"

Text = Annotated[str, AfterValidator(_text), _written("text on one line, at most 200 characters")]
Name = Annotated[Text, AfterValidator(_check_name), _written("as on the identity document, without digits")]
Flag = Annotated[bool, _with(_read_flag), _written(f"yes {_one_of(sorted(_YES))}, no {_one_of(sorted(_NO))}")]
PastMoment = Annotated[
    datetime, _with(_read_past_moment), _written(f"{_DATE}, with its time if known; not in the future")
]


class _Record(BaseModel):
    """One line of a file. It shows none of its values."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    __str__ = __repr__


class PatientRecord(_Record):
    """The traits of a patient (ID-01) and the flags. Used names are never filled from birth names.

    Arguments:
        external_id: the practice's own key of the patient.
        first_name: the first of ``first_names``, which are all that the birth certificate has.
    """

    external_id: Text
    birth_name: Name
    first_name: Name
    first_names: Annotated[
        str,
        AfterValidator(_text),
        _written("all of the birth certificate, separated by commas; empty: the first alone"),
    ] = ""
    used_name: Name | None = None
    used_first_name: Name | None = None
    birth_date: Annotated[
        date, _with(_read_birth_date), _written(f"{_DATE}; not in the future, at most {_OLDEST_YEARS} years ago")
    ]
    sex: Annotated[Sex, _with(_read_sex), _written(f"{_one_of(_SEXES)} (undetermined)")]
    birth_place_code: Annotated[str, AfterValidator(_check_place_code), _written(_PLACE)] | None = None
    identity_status: Annotated[IdentityStatus, _with(_read_identity_status), _written(_one_of(IdentityStatus))] = (
        IdentityStatus.PROVISIONAL
    )
    birth_date_fictive: Flag = False
    deceased: Flag = False
    homonym: Flag = False
    doubtful: Flag = False
    fictitious: Flag = False
    contact_restricted: Flag = False

    @property
    def all_first_names(self) -> str:
        return self.first_names or self.first_name

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if self.doubtful and self.identity_status is not IdentityStatus.PROVISIONAL:
            raise _refusal("a doubtful identity is not provisional", "set the identity status to PROV (ID-03)")
        if self.fictitious and self.identity_status is not IdentityStatus.PROVISIONAL:
            raise _refusal("a fictitious identity is not provisional", "set the identity status to PROV (ID-03)")
        if self.fictitious and (self.doubtful or self.homonym):
            raise _refusal("a fictitious identity is also doubtful or a homonym", "keep one of these marks (ID-03)")
        _check_name(self.all_first_names.replace(",", " "))
        every = normalise_name(self.all_first_names.replace(",", " "))  # MA-03: a comma separates
        if not f"{every} ".startswith(f"{normalise_name(self.first_name)} "):
            raise _refusal("the first name is not the first of the first names", "correct one of the two")
        return self


class ContactRecord(_Record):
    """A telephone of a patient.

    Arguments:
        patient: the practice's own key of the patient.
        entered_at, confirmed_at: aware; ``None`` when the file does not say.
    """

    patient: Text
    phone: Annotated[
        E164,
        _with(_read_phone),
        _written("ten digits, or `+` and the country's prefix; no line of the practice itself"),
    ]
    entered_at: PastMoment | None = None
    confirmed_at: PastMoment | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.entered_at and self.confirmed_at and self.confirmed_at < self.entered_at:
            raise _refusal("the telephone was confirmed before it was entered", "correct one of the two dates")
        return self


class AppointmentRecord(_Record):
    """An appointment.

    Arguments:
        external_id: the practice's own key of the appointment.
        patient: the practice's own key of the patient.
        practitioner: name, with or without the title.
        starts_at: aware, in UTC.
        status: ``None`` when the file does not say.
        reference: of the printed card; ``None`` when the file does not say.
    """

    external_id: Text
    patient: Text
    practitioner: Text
    starts_at: Annotated[datetime, _with(_read_start), _written(_START)]
    duration_minutes: Annotated[int, _with(_read_duration), _written("whole minutes, from 1 to 1440")] = 15
    place: Annotated[Text, _written("as said; empty: the practice's address")] | None = None
    status: Annotated[AppointmentStatus, _with(_read_appointment_status), _written(_STATUS)] | None = None
    reference: Annotated[str, _with(_read_reference), _written(_CARD)] | None = None
