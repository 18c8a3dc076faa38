"""Screens made of prompts, and what was typed into a form read as values.

A wrong answer is asked for again with what to do about it beside the field, and keeps what was typed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from callcenter.flow.conversation import Line
from callcenter.flow.outcomes import ScriptScene
from callcenter.flow.screens import LEAVE, SEND, FieldKind, Form, FormField, Option
from callcenter.flow.walking import FlowStuck
from callcenter.speech import typed

#: Words of a message, and of a note: characters.
LONGEST_TEXT = 1000
_LONGEST_DATE, _LONGEST_TELEPHONE = 10, 20

SEND_PROMPT, LEAVE_PROMPT = "script.send", "script.leave"
MISSING_PROMPT, TEXT_PROMPT, CHOICE_PROMPT = "script.missing", "script.text_wrong", "script.choice_wrong"
DATE_PROMPT, TELEPHONE_PROMPT = "script.date_wrong", "script.telephone_wrong"
FORM_PROMPTS = (
    SEND_PROMPT,
    LEAVE_PROMPT,
    MISSING_PROMPT,
    TEXT_PROMPT,
    CHOICE_PROMPT,
    DATE_PROMPT,
    TELEPHONE_PROMPT,
)

# What no one types: everything but tab and line feed below the blank, and the deletion.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class NotOffered(FlowStuck):
    """The screen has no such option: an answer to another screen, or a forged one. Nothing follows from it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A field of a form, before it is shown.

    Arguments:
        name: under which it comes back.
        label: prompt of its words.
        options: of a choice, in order.
        missing: prompt of what to do where it is left empty.
    """

    name: str
    kind: FieldKind
    label: str
    required: bool = True
    options: tuple[Option, ...] = ()
    missing: str = MISSING_PROMPT

    @property
    def longest(self) -> int:
        """Characters that may be typed."""
        match self.kind:
            case FieldKind.DATE:
                return _LONGEST_DATE
            case FieldKind.TELEPHONE:
                return _LONGEST_TELEPHONE
            case FieldKind.TEXT | FieldKind.CHOICE:
                return LONGEST_TEXT


@dataclass(frozen=True, slots=True)
class Faulty:
    """What was typed cannot be used: prompts of what to do, by the field's name."""

    faults: Mapping[str, str]


def form(
    scene: ScriptScene,
    lines: Sequence[Line],
    fields: Iterable[Asked],
    values: Mapping[str, str],
    faults: Mapping[str, str] | None = None,
    *,
    may_leave: bool = True,
) -> Form:
    """The form of ``fields``, holding ``values``."""

    def field(asked: Asked) -> FormField:
        fault = (faults or {}).get(asked.name)
        return FormField(
            asked.name,
            asked.kind,
            scene.line(asked.label),
            asked.required,
            asked.longest,
            values.get(asked.name, "")[: asked.longest],
            asked.options,
            None if fault is None else scene.line(fault),
        )

    send, leave = Option(SEND, scene.line(SEND_PROMPT)), Option(LEAVE, scene.line(LEAVE_PROMPT))
    return Form(tuple(lines), tuple(map(field, fields)), (send, leave) if may_leave else (send,))


def read(fields: Iterable[Asked], values: Mapping[str, str], today: date) -> Mapping[str, str] | Faulty:
    """What was typed, by the field's name, as values: dates in ISO form, numbers in E.164, texts without blanks around.

    Arguments:
        today: the practice's date of today: a birth date is not after it.
    """
    good: dict[str, str] = {}
    faults: dict[str, str] = {}
    for asked in fields:
        written = values.get(asked.name, "").replace("\r\n", "\n").strip()
        if not written:
            good[asked.name] = ""
            if asked.required:
                faults[asked.name] = asked.missing
            continue
        value, wrong = _READ[asked.kind](asked, written, today)
        if value is None:
            faults[asked.name] = wrong
        else:
            good[asked.name] = value
    return Faulty(faults) if faults else good


def _date(asked: Asked, written: str, today: date) -> tuple[str | None, str]:
    born = typed.birth_date(_eight_digits(written), today)
    return (born.isoformat() if isinstance(born, date) else None), DATE_PROMPT


def _eight_digits(written: str) -> str:
    """``5/3/1948``, ``05.03.1948`` and ``05 03 1948`` as ``05031948``; a year has four digits (MA-05)."""
    parts = re.split(r"[\s./-]+", written)
    return "".join([parts[0].zfill(2), parts[1].zfill(2), parts[2]]) if len(parts) == 3 else written


def _telephone(asked: Asked, written: str, today: date) -> tuple[str | None, str]:
    digits = re.sub(r"[\s.()-]", "", written)
    number = typed.telephone(f"00{digits[1:]}" if digits.startswith("+") else digits)
    return (number if isinstance(number, str) else None), TELEPHONE_PROMPT


def _text(asked: Asked, written: str, today: date) -> tuple[str | None, str]:
    return (None if len(written) > asked.longest or _CONTROL.search(written) else written), TEXT_PROMPT


def _choice(asked: Asked, written: str, today: date) -> tuple[str | None, str]:
    return (written if written in {option.choice for option in asked.options} else None), CHOICE_PROMPT


_READ: Mapping[FieldKind, Callable[[Asked, str, date], tuple[str | None, str]]] = {
    FieldKind.DATE: _date,
    FieldKind.TELEPHONE: _telephone,
    FieldKind.TEXT: _text,
    FieldKind.CHOICE: _choice,
}


def as_written(number: str) -> str:
    """A number as one writes it: ``+33465710001`` as ``0465710001``, of other countries as it is."""
    return f"0{number[3:]}" if number.startswith("+33") else number


def calling(scene: ScriptScene) -> str:
    """The calling number as one writes it, to stand in a field; empty if it is withheld, or costs whoever rings it."""
    number = scene.world.caller.number
    return "" if number is None or typed.is_surtaxed(number) else as_written(number)


def named(name: str) -> Line:
    """A public name as it is written, which no prompt could word better."""
    return Line("name", name)
