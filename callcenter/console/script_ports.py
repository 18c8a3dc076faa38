"""What the script of an operator's call needs of the house: what stands on the screen, and an answer to it.

The script is a flow like the caller's own (``flows/operateur.yaml``): what may be seen is decided there and by the
gate, never by the page. As in ``console.ports``, every method finds out anew whose the session is. An answer to another
document than the one that stands has no effect: what comes back is the screen as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

#: What ``choice`` says of a screen at which the caller types: whether they have come back is to be looked at.
RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Option:
    """Something that can be chosen.

    Arguments:
        choice: what the form sends.
        label: in words.
        key: of the keyboard, ``0-9``, or empty: a form's buttons have none while somebody types.
    """

    choice: str
    label: str
    key: str = ""


class Kind(StrEnum):
    """What a field takes."""

    DATE = "date"
    TELEPHONE = "telephone"
    TEXT = "text"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class FormField:
    """What is typed into one field.

    Arguments:
        name: what the form calls it.
        label: in words.
        longest: characters that it takes at most.
        value: what stands in it: a draft, what was typed before it was found wrong, or a public fact such as the
            calling number. It may be about a patient, and is written to no log.
        options: of a choice, whose ``choice`` is what the field takes.
        fault: what to do about what was typed, beside the field; empty if nothing is wrong.
    """

    name: str
    kind: Kind
    label: str
    required: bool
    longest: int
    value: str = field(default="", repr=False)
    options: tuple[Option, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several ways on."""

    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """Something is typed.

    Arguments:
        options: the buttons; the first is the one that Enter presses, and sends the form.
    """

    fields: tuple[FormField, ...]
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class AtKeys:
    """The caller types on their own telephone. The page asks by itself, every few seconds, whether they have come back,
    by the choice :data:`RETURNED`; nothing changes until they have.

    Arguments:
        options: the operator waits no longer.
        back: they have come back: the choice :data:`RETURNED` goes on at once.
    """

    options: tuple[Option, ...]
    back: bool


@dataclass(frozen=True, slots=True)
class FileItem:
    """A field of a file that may be shown by itself, or a category that was told from the practice's own tool.

    Arguments:
        choice: what the form sends to have it shown, or to declare it.
        path: of the field, as in :class:`ShownValue`; empty where a category is declared.
        category: its code in the disclosure policy, such as « D02 ».
        category_name: the same in words.
        done: it was shown, or declared, here. What was shown is hidden after a while, and may be asked for again.
        key: of the keyboard, ``1-9``, or empty where there are more.
        withheld: it was asked for here, and is not told by telephone, for whatever reason.
    """

    choice: str
    path: str
    label: str
    category: str
    category_name: str
    done: bool
    key: str = ""
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class Files:
    """Fields that may be shown one by one, or categories to declare one by one, and the ways on.

    Arguments:
        link: of the practice's own agenda, to be opened in a window of its own; empty where the agenda is ours.
    """

    items: tuple[FileItem, ...]
    options: tuple[Option, ...]
    link: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing more is asked: the call can be closed."""


Ask = Choice | Form | AtKeys | Files | Done


@dataclass(frozen=True, slots=True)
class ShownValue:
    """A value about a patient, on the screen because a record of it was committed before.

    Arguments:
        path: the field's, as in :class:`FileItem`.
        until: when the house forgets it; the page hides it then by itself.
    """

    path: str
    label: str
    category: str
    category_name: str
    value: str = field(repr=False)
    until: datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of what this operator's part of the call has put on record.

    Arguments:
        kind: of the record, such as « disclosure ».
        details: keys and references of it, never a value: categories, decision, outcome.
    """

    at: datetime
    kind: str
    details: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Emergency:
    """An emergency is noted.

    Arguments:
        at: when.
        said: the words to say.
        line: by which the operator reaches the rescue service of the practice's sector; empty where none is set.
    """

    at: datetime
    said: tuple[str, ...]
    line: str = ""


@dataclass(frozen=True, slots=True)
class Screen:
    """How the script of one call stands.

    Arguments:
        call: the offer's identifier, as everywhere at the workplace.
        document: number of this screen, which goes with every answer to it.
        said: what to read or say, in order.
        shown: what may be seen at this moment.
        ask: what is wanted.
        timeline: what was put on record, oldest first.
        level: at which the caller is verified for this operator, 0 to 3.
        patient: the script knows which patient it is about; says nothing about who.
        live: the talk goes on; once it is over, only noting and the disposition remain.
        now: when it was looked at.
        emergency: it was noted in this talk that somebody's life is in danger.
        proving: the option that leads to proving who calls; empty where none does.
        worded: by language, then by the words of this screen, which are French: what addresses its operator. What is to
            be read to the caller is not among it, nor what somebody has written.
    """

    call: UUID
    document: int
    said: tuple[str, ...] = field(repr=False)
    shown: tuple[ShownValue, ...]
    ask: Ask
    timeline: tuple[Moment, ...]
    level: int
    patient: bool
    live: bool
    now: datetime
    emergency: Emergency | None = None
    proving: str = ""
    worded: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class Script(Protocol):
    """The script of the call that somebody has.

    Raises, all of them: Forbidden where the session is over, or one is no operator of the practice any more;
    Unavailable where a part does not answer. ``None`` where one has no such call, whoever else has it.
    """

    async def look(self, token: str, call: UUID) -> Screen | None:
        """How it stands; the first look begins it."""

    async def answer(
        self, token: str, call: UUID, document: int, choice: str, values: Mapping[str, str]
    ) -> Screen | None:
        """Answer the screen ``document``, and see what comes next.

        Arguments:
            choice: of the option or the item that was chosen.
            values: what was typed, by the fields' names.
        """

    async def draft(self, token: str, call: UUID, document: int, values: Mapping[str, str]) -> bool:
        """Keep what stands in the fields of ``document`` without answering it; false where it is not that screen's."""

    async def emergency(self, token: str, call: UUID) -> Emergency | None:
        """Note that somebody's life is in danger, tell the practice, and learn what to say."""
