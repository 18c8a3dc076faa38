"""The settings of a practice as forms: what each field holds, and what the fields say together.

A form is filled from a value as a practice's file would have it, and read back to one. Reading judges nothing: what
cannot be meant goes on as it was typed, and is refused by the same rules as in a file, with nothing of it lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from callcenter.console import calendar_forms
from callcenter.console.forms import Fields
from callcenter.console.practices_ports import Person
from callcenter.practice.practice_form import Setting

#: Of a form whose value is one field.
VALUE = "valeur"

Fill = Callable[[Any, Sequence[Person]], dict[str, str]]
Read = Callable[[Fields, Sequence[Person]], Any]
Act = Callable[[dict[str, str], str], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Form:
    """How a setting is shown and read.

    Arguments:
        kind: name of its macro in ``templates/setting_fields.html``.
        fill: the fields of a value.
        read: the value of fields.
        act: the fields after a button that changes their number, of a form that has such.
        longest: characters of its text.
    """

    kind: str
    fill: Fill
    read: Read
    act: Act | None = None
    longest: int = 0


def number_in(fields: Mapping[str, str], name: str) -> int | str:
    """A whole number, or what was typed in its place."""
    text = fields.get(name, "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text


def _one_line(text: str) -> str:
    """Words that are said, however their lines were broken to be read."""
    return " ".join(text.split())


def _words(kind: str, longest: int) -> Form:
    return Form(
        kind,
        lambda value, _: {VALUE: value},
        lambda fields, _: _one_line(fields.get(VALUE, "")),
        longest=longest,
    )


def _choice(kind: str = "choice") -> Form:
    return Form(kind, lambda value, _: {VALUE: value or ""}, lambda fields, _: fields.get(VALUE, ""))


def _subdivision() -> Form:
    return Form("subdivision", lambda value, _: {VALUE: value or ""}, lambda fields, _: fields.get(VALUE) or None)


def _lines() -> Form:
    """One number a line."""
    return Form(
        "lines",
        lambda value, _: {VALUE: "\n".join(value)},
        lambda fields, _: [line.strip() for line in fields.get(VALUE, "").splitlines() if line.strip()],
    )


def told_to(person: Person) -> str:
    """The field of a practitioner's instructions."""
    return f"pour-{person.id.hex}"


def _fill_instructions(value: Any, people: Sequence[Person]) -> dict[str, str]:
    whole: Mapping[str, Any] = {"practice": value} if isinstance(value, str) else value
    told = whole.get("practitioners", {})
    return {VALUE: whole.get("practice", ""), **{told_to(one): told.get(one.name, "") for one in people}}


def _read_instructions(fields: Fields, people: Sequence[Person]) -> Any:
    practice = _whole_lines(fields.get(VALUE, ""))
    told = {one.name: words for one in people if (words := _whole_lines(fields.get(told_to(one), "")))}
    return {"practice": practice, "practitioners": told} if told else practice


def _whole_lines(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines()).strip()


def _fill_agenda(value: Any, _: Sequence[Person]) -> dict[str, str]:
    external = value.get("external", "") if isinstance(value, Mapping) else None
    return {"ou": "internal" if external is None else "external", "adresse": external or ""}


def _read_agenda(fields: Fields, _: Sequence[Person]) -> Any:
    if fields.get("ou") == "external":
        return {"external": fields.get("adresse", "").strip()}
    return fields.get("ou", "")


def _fill_reminders(value: Any, _: Sequence[Person]) -> dict[str, str]:
    whole = value if isinstance(value, Mapping) else {"mode": value}
    return {"mode": whole["mode"], "heures": str(whole.get("hours_before", 24))}


def _read_reminders(fields: Fields, _: Sequence[Person]) -> Any:
    if fields.get("mode") == "off":
        return "off"
    return {"mode": fields.get("mode", ""), "hours_before": number_in(fields, "heures")}


def _fill_escalation(value: Any, _: Sequence[Person]) -> dict[str, str]:
    return {"minutes": str(value["after_minutes"]), **_ticked("nuit", value["at_night"])}


def _read_escalation(fields: Fields, _: Sequence[Person]) -> Any:
    return {"after_minutes": number_in(fields, "minutes"), "at_night": "nuit" in fields}


def _fill_waiting(value: Any, _: Sequence[Person]) -> dict[str, str]:
    bounds = {"minutes": str(value["longest_minutes"]), "personnes": str(value["most"])}
    return {**bounds, **_ticked("rappels", value["callbacks"])}


def _read_waiting(fields: Fields, _: Sequence[Person]) -> Any:
    return {
        "callbacks": "rappels" in fields,
        "longest_minutes": number_in(fields, "minutes"),
        "most": number_in(fields, "personnes"),
    }


def booked(person: Person, what: str = "") -> str:
    """A field of a practitioner who is booked by telephone."""
    return f"p-{person.id.hex}{'-' if what else ''}{what}"


def _fill_booking(value: Any, people: Sequence[Person]) -> dict[str, str]:
    fields = {"offres": str(value["offers"]), "ouverts": str(value["open_per_caller"])}
    keys = {name: key for key, name in enumerate(value["practitioners"], start=1)}
    for one in people:
        rule = value["practitioners"].get(one.name)
        shown = rule or {"new_patients": True, "slot_minutes": 15, "first_day_ahead": 1, "days_ahead": 30}
        fields |= _ticked(booked(one), rule is not None) | _ticked(booked(one, "nouveaux"), shown["new_patients"])
        fields |= {
            booked(one, "touche"): str(keys.get(one.name, "")),
            booked(one, "duree"): str(shown["slot_minutes"]),
            booked(one, "premier"): str(shown["first_day_ahead"]),
            booked(one, "dernier"): str(shown["days_ahead"]),
        }
    return fields


def _read_booking(fields: Fields, people: Sequence[Person]) -> Any:
    """Whoever has no key comes behind those who have one, by name."""
    chosen = [one for one in people if booked(one) in fields]
    chosen.sort(key=lambda one: key if isinstance(key := number_in(fields, booked(one, "touche")), int) else 99)
    practitioners = {
        one.name: {
            "new_patients": booked(one, "nouveaux") in fields,
            "slot_minutes": number_in(fields, booked(one, "duree")),
            "first_day_ahead": number_in(fields, booked(one, "premier")),
            "days_ahead": number_in(fields, booked(one, "dernier")),
        }
        for one in chosen
    }
    return {
        "practitioners": practitioners,
        "offers": number_in(fields, "offres"),
        "open_per_caller": number_in(fields, "ouverts"),
    }


def _ticked(name: str, whether: bool) -> dict[str, str]:
    return {name: "1"} if whether else {}


#: Zones in which there are practices of France and of its neighbours; another one that stands is offered besides.
ZONES = (
    *("Europe/Paris", "Europe/Brussels", "Europe/Luxembourg", "Europe/Zurich", "Europe/Monaco"),
    *("America/Guadeloupe", "America/Martinique", "America/Cayenne", "America/Miquelon"),
    *("Indian/Reunion", "Indian/Mayotte", "Pacific/Noumea", "Pacific/Tahiti", "Pacific/Wallis"),
)

FORMS: Mapping[Setting, Form] = {
    Setting.NAME: _words("line", 120),
    Setting.SPOKEN_NAME: _words("line", 120),
    Setting.ADDRESS: _words("line", 300),
    Setting.ACCESS: _words("text", 600),
    Setting.TIMEZONE: _choice("zone"),
    Setting.HOLIDAY_SUBDIVISION: _subdivision(),
    Setting.NUMBERS: Form("numbers", calendar_forms.fill_numbers, calendar_forms.read_numbers, calendar_forms.act),
    Setting.RESCUE_NUMBER: _words("telephone", 30),
    Setting.OTHER_LINES: _lines(),
    Setting.HOURS: Form("hours", calendar_forms.fill_hours, calendar_forms.read_hours, calendar_forms.act_hours),
    Setting.RECEPTION: Form("rules", calendar_forms.fill_rules, calendar_forms.read_rules, calendar_forms.act),
    Setting.ANSWER_MODE: _choice(),
    Setting.MESSAGE_OF_THE_DAY: _words("text", 300),
    Setting.INSTRUCTIONS: Form("instructions", _fill_instructions, _read_instructions, longest=4000),
    Setting.CLOSING_CONDUCT: _words("text", 1000),
    Setting.OUT_OF_HOURS_NUMBER: _words("telephone", 30),
    Setting.EMERGENCY_LINE: _words("telephone", 30),
    Setting.VOICE: _choice(),
    Setting.AGENDA: Form("agenda", _fill_agenda, _read_agenda),
    Setting.VOICE_MESSAGES: _choice(),
    Setting.REMINDERS: Form("reminders", _fill_reminders, _read_reminders),
    Setting.ESCALATION: Form("escalation", _fill_escalation, _read_escalation),
    Setting.BOOKING: Form("booking", _fill_booking, _read_booking),
    Setting.WAITING: Form("waiting", _fill_waiting, _read_waiting),
    Setting.BREAK_GLASS: _choice(),
}


def local_zone(fields: Fields, zone: ZoneInfo) -> tuple[str, ...]:
    """The zones to choose from."""
    standing = (fields.get(VALUE, ""), zone.key)
    return (*(one for one in dict.fromkeys(standing) if one and one not in ZONES), *ZONES)
