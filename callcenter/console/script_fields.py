"""The script of a call as its template shows it: names of its forms' fields, and the numbers that choose."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from callcenter.console import paths
from callcenter.console.script_ports import (
    RETURNED,
    Ask,
    AtKeys,
    Choice,
    Done,
    Emergency,
    FileItem,
    Files,
    Form,
    Option,
    Screen,
)

#: Of a form: which screen it answers, what was chosen, and before the name of each field that is typed.
DOCUMENT = "document"
CHOICE = "choix"
TYPED = "saisie-"

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
        "link": None if screen is None else web_address(screen.ask.link if isinstance(screen.ask, Files) else ""),
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


def numbered(options: Iterable[Option], items: Iterable[FileItem] = ()) -> dict[str, str]:
    """The number on the keyboard of each of several options, by its ``choice``: its own, or the next that is free; none
    once they are used up.

    Arguments:
        items: of a file, which come before them.
    """
    wanted = {item.choice: item.key for item in items} | {option.choice: option.key for option in options}
    own = set(wanted.values())  # and the empty one, which is no digit
    free = (digit for digit in DIGITS if digit not in own)
    return {choice: key or next(free, "") for choice, key in wanted.items()}


def web_address(link: str) -> str | None:
    """A link that leads to a site and does nothing else; ``None`` for any other, whoever has written it."""
    return link if urlsplit(link).scheme in ("https", "http") else None


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
            return numbered(ask.options)
        case Files():
            return numbered(ask.options, ask.items)
        case Form() | Done():
            return {}


def _at(path: str) -> Callable[[UUID], str]:
    """Makes addresses of a call."""

    def of(call: UUID) -> str:
        return path.format(call=call)

    return of
