"""Forms with as many rows as somebody needs: opening hours, who answers when, numbers. A button adds a row, takes one
away or moves it, and the page comes back with everything else as it was typed; no script is needed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from callcenter.console.practices_ports import Person
from callcenter.speech.moments import WEEKDAYS

#: Of a button.
GESTURE = "geste"
#: How many rows there are.
ROWS = "rangs"
MOST_ROWS = 100
#: Stretches of a day, and those that are shown of one that has fewer.
MOST_STRETCHES, SHOWN_STRETCHES = 6, 2

_CLOCK = re.compile(r"([01]?\d|2[0-4])\s*[hH:]\s*([0-5]\d)?")


def clock(text: str) -> str:
    """« 8h30 » and « 8 » as « 08:30 » and « 08:00 »; what is no time as it was typed."""
    written = text.strip()
    if match := _CLOCK.fullmatch(written if not written.isdigit() else f"{written}h"):
        return f"{int(match[1]) % 24:02}:{match[2] or '00'}"
    return written


def rows(fields: Mapping[str, str], name: str = ROWS, most: int = MOST_ROWS) -> int:
    """How many rows a form has."""
    text = fields.get(name, "")
    return min(int(text), most) if text.isascii() and text.isdigit() and len(text) < 4 else 0


# --- opening hours


def fill_hours(value: Mapping[str, Sequence[str]], _: Sequence[Person]) -> dict[str, str]:
    fields = {}
    for day in WEEKDAYS:
        stretches = value.get(day, ())
        fields[f"{day}-{ROWS}"] = str(max(len(stretches), SHOWN_STRETCHES))
        for at, stretch in enumerate(stretches):
            fields[f"{day}-{at}-de"], _dash, fields[f"{day}-{at}-a"] = stretch.partition("-")
    return fields


def read_hours(fields: Mapping[str, str], _: Sequence[Person]) -> Any:
    """A stretch of which one end is missing is no stretch, and is told so."""
    week = {}
    for day in WEEKDAYS:
        ends = [
            (clock(fields.get(f"{day}-{at}-de", "")), clock(fields.get(f"{day}-{at}-a", "")))
            for at in range(rows(fields, f"{day}-{ROWS}", MOST_STRETCHES))
        ]
        if stretches := [f"{begins}-{until}" for begins, until in ends if begins or until]:
            week[day] = stretches
    return week


def act_hours(fields: dict[str, str], gesture: str) -> dict[str, str]:
    """One more stretch of a day, or every other working day like Monday."""
    what, _, day = gesture.partition("-")
    if what == "ajouter" and day in WEEKDAYS:
        name = f"{day}-{ROWS}"
        return {**fields, name: str(min(rows(fields, name, MOST_STRETCHES) + 1, MOST_STRETCHES))}
    if what == "copier":
        like = {key.removeprefix(WEEKDAYS[0]): text for key, text in fields.items() if key.startswith(WEEKDAYS[0])}
        others = WEEKDAYS[1:5]
        kept = {key: text for key, text in fields.items() if key.partition("-")[0] not in others}
        return {**kept, **{f"{other}{key}": text for other in others for key, text in like.items()}}
    return fields


# --- who answers when


def fill_rules(value: Sequence[Mapping[str, Any]], _: Sequence[Person]) -> dict[str, str]:
    fields = {ROWS: str(len(value))}
    for at, rule in enumerate(value):
        fields[f"{at}-repond"] = rule["answers"]
        fields |= {f"{at}-{day}": "1" for day in rule.get("days", ())}
        first, _dots, last = rule.get("dates", "").partition("..")
        fields |= {f"{at}-du": first, f"{at}-au": last or first}
        fields |= {f"{at}-feries": "1"} if rule.get("holidays") else {}
        fields[f"{at}-de"], _dash, fields[f"{at}-a"] = rule.get("hours", "").partition("-")
    return fields


def read_rules(fields: Mapping[str, str], _: Sequence[Person]) -> Any:
    return [_rule(fields, at) for at in range(rows(fields))]


def _rule(fields: Mapping[str, str], at: int) -> dict[str, Any]:
    def told(name: str) -> str:
        return fields.get(f"{at}-{name}", "").strip()

    rule: dict[str, Any] = {"answers": told("repond")}
    if days := [day for day in WEEKDAYS if f"{at}-{day}" in fields]:
        rule["days"] = days
    if told("du") or told("au"):
        rule["dates"] = f"{told('du') or told('au')}..{told('au') or told('du')}"
    if f"{at}-feries" in fields:
        rule["holidays"] = True
    if told("de") or told("a"):
        rule["hours"] = f"{clock(told('de'))}-{clock(told('a'))}"
    return rule


# --- numbers


def fill_numbers(value: Mapping[str, Any], people: Sequence[Person]) -> dict[str, str]:
    fields = {ROWS: str(len(value) + 1)}
    by_name = {one.name: one.id.hex for one in people}
    for at, (number, door) in enumerate(value.items()):
        whole = {"entry": door} if isinstance(door, str) else door
        fields |= {f"{at}-numero": number, f"{at}-entree": whole["entry"]}
        fields[f"{at}-praticien"] = by_name.get(whole.get("practitioner", ""), "")
    return fields


def read_numbers(fields: Mapping[str, str], people: Sequence[Person]) -> Any:
    by_key = {one.id.hex: one.name for one in people}
    plan: dict[str, Any] = {}
    for at in range(rows(fields)):
        number = fields.get(f"{at}-numero", "").strip()
        entry, name = fields.get(f"{at}-entree", ""), by_key.get(fields.get(f"{at}-praticien", ""))
        if number:
            plan[number] = entry if name is None else {"entry": entry, "practitioner": name}
    return plan


# --- rows


def act(fields: dict[str, str], gesture: str) -> dict[str, str]:
    """One more row at the end, one taken away, or one moved by one place."""
    what, _, place = gesture.partition("-")
    count = rows(fields)
    if what == "ajouter":
        return {**fields, ROWS: str(min(count + 1, MOST_ROWS))}
    order = list(range(count))
    if not (place.isascii() and place.isdigit() and int(place) < count):
        return fields
    at = int(place)
    match what:
        case "retirer":
            del order[at]
        case "monter" if at > 0:
            order[at - 1], order[at] = order[at], order[at - 1]
        case "descendre" if at < count - 1:
            order[at + 1], order[at] = order[at], order[at + 1]
    return _in_order(fields, order)


def _in_order(fields: Mapping[str, str], order: Sequence[int]) -> dict[str, str]:
    """The rows of ``fields`` in another order."""
    moved = {key: text for key, text in fields.items() if not key.partition("-")[0].isdigit()}
    moved[ROWS] = str(len(order))
    for to, at in enumerate(order):
        own = f"{at}-"
        moved |= {f"{to}-{key.removeprefix(own)}": text for key, text in fields.items() if key.startswith(own)}
    return moved
