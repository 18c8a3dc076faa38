"""The script of a call as its template shows it: names of its forms' fields, and the numbers that choose."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from callcenter.console import paths
from callcenter.console.script_ports import Ask, AtKeys, Choice, Done, Emergency, Files, Form, Screen

#: Of a form: which screen it answers, what was chosen, and before the name of each field that is typed.
DOCUMENT = "document"
CHOICE = "choix"
TYPED = "saisie-"

#: Of a screen whose caller is at their keys: whether they have come back.
RETURNED = "returned"
#: In the order of the keyboard.
DIGITS = "1234567890"
#: A choice among more is a list to open.
MOST_BESIDE_ONE_ANOTHER = 15
#: Characters; what is longer takes several lines.
ONE_LINE = 200
#: Below it nothing is said of what was proved: that a file fits what a caller says tells who is a patient (P6).
TOLD_FROM_LEVEL = 2


def values_of(screen: Screen | None, emergency: Emergency | None = None) -> dict[str, Any]:
    """What the template is given.

    Arguments:
        emergency: noted with this very request.
    """
    return {
        "screen": screen,
        "kind": "" if screen is None else _kind(screen.ask),
        "numbers": {} if screen is None else _numbers(screen.ask),
        "emergency": emergency or (screen.emergency if screen else None),
        "numbered": numbered,
        "web_address": web_address,
        "document_field": DOCUMENT,
        "choice_field": CHOICE,
        "typed_field": TYPED,
        "returned": RETURNED,
        "one_line": ONE_LINE,
        "most_beside": MOST_BESIDE_ONE_ANOTHER,
        "told_from": TOLD_FROM_LEVEL,
        "script_path": _at(paths.WORKPLACE_SCRIPT),
        "draft_path": _at(paths.WORKPLACE_DRAFT),
        "emergency_path": _at(paths.WORKPLACE_EMERGENCY),
    }


def numbered(keys: Iterable[str]) -> dict[str, str]:
    """The number on the keyboard of each of several options: its own where its key is a digit, the next that is free
    otherwise, and none once they are used up."""
    wanted = list(keys)
    own = {key for key in wanted if key in DIGITS and len(key) == 1}
    free = (digit for digit in DIGITS if digit not in own)
    return {key: key if key in own else next(free, "") for key in wanted}


def web_address(link: str | None) -> str | None:
    """A link that leads to a site and does nothing else; ``None`` for any other, whoever has written it."""
    if link is None or urlsplit(link).scheme not in ("https", "http"):
        return None
    return link


def _kind(ask: Ask) -> str:
    match ask:
        case Choice():
            return "choice"
        case Form():
            return "form"
        case AtKeys():
            return "at_keys"
        case Files():
            return "files"
        case Done():
            return "done"


def _numbers(ask: Ask) -> Mapping[str, str]:
    """Numbers of what is pressed; in a form one types, so that its buttons have none."""
    match ask:
        case Choice() | AtKeys():
            return numbered(option.key for option in ask.options)
        case Files():
            return numbered([*(item.key for item in ask.items), *(option.key for option in ask.options)])
        case Form() | Done():
            return {}


def _at(path: str) -> Callable[[UUID], str]:
    """Makes addresses of a call."""

    def of(call: UUID) -> str:
        return path.format(call=call)

    return of
