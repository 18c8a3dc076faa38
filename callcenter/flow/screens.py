"""What an operator meets in their script, and what comes back from it: plain values that know no page.

A screen is asked again as often as it is answered wrongly: an operator is a person at work, not a caller who is lost.
No screen holds a word about a patient: a field that was revealed is kept and shown by whoever runs the script.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from callcenter.flow.conversation import Line, Started
from callcenter.kernel.labels import Category


@dataclass(frozen=True, slots=True)
class Filled:
    """The operator has answered a screen.

    Arguments:
        choice: which of its options (:attr:`Option.choice`, :attr:`FileItem.choice`).
        values: what was typed, by the field's name; as it was typed.
    """

    choice: str
    values: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Returned:
    """The caller, who was to type something, is back in the talk, however that ended."""


ScriptEvent = Started | Filled | Returned


# --- options and fields

#: The option that every form has: the operator goes on without it.
LEAVE = "leave"
#: The option by which a form is sent.
SEND = "send"
#: The option by which a list of what may be revealed or declared is left.
ONWARD = "then"


@dataclass(frozen=True, slots=True)
class Option:
    """One button.

    Arguments:
        choice: what comes back in :class:`Filled`.
        label: its words.
        key: of the keyboard, ``0-9``, or empty: a form's buttons have none while somebody types.
    """

    choice: str
    label: Line
    key: str = ""


class FieldKind(StrEnum):
    """What a field of a form takes."""

    #: A birth date, ``05031948`` or ``05/03/1948``.
    DATE = "date"
    #: Ten digits, or a number with its country behind ``+`` or ``00``; blanks and dots are left aside.
    TELEPHONE = "telephone"
    #: Words, of one line if it is at most 200 characters long.
    TEXT = "text"
    #: One of its options.
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of a form.

    Arguments:
        name: under which it comes back.
        label: its words.
        required: it may not be left empty.
        longest: characters.
        value: that it holds: typed before, or a public fact such as the calling number.
        options: of a choice; empty otherwise.
        fault: what to do about what was typed, beside the field; ``None`` if nothing is wrong.
    """

    name: str
    kind: FieldKind
    label: Line
    required: bool
    longest: int
    value: str = field(default="", repr=False)
    options: tuple[Option, ...] = ()
    fault: Line | None = None


# --- screens


@dataclass(frozen=True, slots=True)
class Choice:
    """One key of several.

    Arguments:
        lines: what to read or say, in order: what was said on the way here, then the screen's own.
        way: how many of the lines were said on the way, as of every screen.
    """

    lines: tuple[Line, ...]
    options: tuple[Option, ...]
    way: int = 0


@dataclass(frozen=True, slots=True)
class Form:
    """Fields to fill in. The first option is the one that the enter key takes; it sends the form."""

    lines: tuple[Line, ...]
    fields: tuple[FormField, ...]
    options: tuple[Option, ...]
    way: int = 0


@dataclass(frozen=True, slots=True)
class AtKeys:
    """The caller is at their own keys; that they are back comes as :class:`Returned`.

    Arguments:
        options: the operator waits no longer.
    """

    lines: tuple[Line, ...]
    options: tuple[Option, ...]
    way: int = 0


@dataclass(frozen=True, slots=True)
class FileItem:
    """Something of the patient's file that may be revealed, or was told from the practice's own agenda.

    Arguments:
        choice: what comes back in :class:`Filled`: ``reveal:PATH`` or ``declare:CODE``.
        path: of the field to reveal; empty where a category is declared.
        category: what it tells.
        label: its words, which tell nothing.
        done: it was revealed, or declared, at this step. What was shown is hidden again after a while: it may be asked
            for once more.
        key: of the keyboard, ``1-9``, or empty where there are more.
        withheld: it was asked for at this step, and is not told by telephone: it is offered no more.
    """

    choice: str
    path: str
    category: Category
    label: Line
    done: bool
    key: str = ""
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class Files:
    """Fields that may be revealed one by one, or categories to declare one by one.

    Arguments:
        link: to the practice's own agenda, where that is what is read; empty otherwise.
    """

    lines: tuple[Line, ...]
    items: tuple[FileItem, ...]
    options: tuple[Option, ...]
    link: str = ""
    way: int = 0


@dataclass(frozen=True, slots=True)
class Finished:
    """The script is over."""

    lines: tuple[Line, ...]
    way: int = 0


Screen = Choice | Form | AtKeys | Files | Finished
