"""What the pages of a practice's settings need of the house: how a practice stands, and changes of it.

As in ``console.ports``, every method finds out anew whose the session is. Whoever may not change a practice is told
that there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from callcenter.practice.facts import Arrival, PracticeFacts
from callcenter.practice.practice_form import Setting
from callcenter.practice.setting_versions import Period


@dataclass(frozen=True, slots=True)
class Named:
    """A practice in a list.

    Arguments:
        slug: its short name.
    """

    id: UUID
    name: str
    slug: str


@dataclass(frozen=True, slots=True)
class Practices:
    """The practices whose settings somebody may change.

    Arguments:
        shown: the first of those that were asked for, by name.
        found: how many were found.
        all: how many there are.
    """

    shown: tuple[Named, ...]
    found: int
    all: int


@dataclass(frozen=True, slots=True)
class Past:
    """One version of a setting.

    Arguments:
        before: what the version made before it says, ``None`` where there is none; ``first`` then.
        begins, ends: when it holds, aware; ``begins`` is ``None`` for since ever.
        made_by: the name of whoever made it.
        withdrawn: revision by which it was taken back.
        may_withdraw: it holds, or will, and may be taken back.
    """

    setting: Setting
    revision: int
    value: Any
    before: Any
    first: bool
    begins: datetime | None
    ends: datetime | None
    made_at: datetime
    made_by: str
    note: str
    withdrawn: int | None
    may_withdraw: bool


@dataclass(frozen=True, slots=True)
class Person:
    """A practitioner of the practice.

    Arguments:
        name: without the title.
        has_line: an operator may ask for them at a line of theirs; which one, no page tells.
    """

    id: UUID
    name: str
    title: str
    speciality: str
    sensitive: bool
    has_line: bool

    @property
    def titled(self) -> str:
        return f"{self.title} {self.name}".strip()


@dataclass(frozen=True, slots=True)
class Afterwards:
    """What a setting will say when what it says now has ended.

    Arguments:
        since: aware.
        value: as written.
    """

    since: datetime
    value: Any


@dataclass(frozen=True, slots=True)
class Standing:
    """How a practice stands for somebody who may change it.

    Arguments:
        now: when it was looked at.
        facts: what holds then.
        written: by setting, as written.
        afterwards: what will be said by settings that change by themselves.
        touched: by setting, by which revision it was changed last.
        people: its practitioners.
        coming: versions that begin later, the next one first.
        may: what one may change.
        manages: one may change practitioners and numbers too.
    """

    now: datetime
    facts: PracticeFacts
    written: Mapping[Setting, Any]
    afterwards: Mapping[Setting, Afterwards]
    touched: Mapping[Setting, int]
    people: tuple[Person, ...]
    coming: tuple[Past, ...]
    may: frozenset[Setting]
    manages: bool


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody wants to set.

    Arguments:
        value: as a practice's file would have it.
        period: ``None`` for from now on, for good.
        seen: by which revision the setting had been changed last when they began.
        note: why.
    """

    setting: Setting
    value: Any
    period: Period | None
    seen: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why something is refused, as the command says it.

    Arguments:
        path: where, as a practice's file has it, from the setting's name on.
    """

    path: tuple[str, ...]
    what: str


@dataclass(frozen=True, slots=True)
class Saved:
    """It stands now."""

    revision: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing has changed."""

    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Same:
    """It stands so already."""


@dataclass(frozen=True, slots=True)
class Clash:
    """Somebody else has changed the setting meanwhile; nothing was overwritten."""


Outcome = Saved | Refused | Same | Clash


@dataclass(frozen=True, slots=True)
class Heard:
    """What whoever calls would hear first.

    Arguments:
        number: that they call, E.164.
        at: when, in the practice's zone.
        arrival: how they are received.
        lines: the words, in order.
        then: what follows them: ``question``, ``waiting``, ``ringing``, ``recording`` or ``end``.
        sound: opaque, opens the sound of them for minutes, for whoever asked alone.
    """

    number: str
    at: datetime
    arrival: Arrival
    lines: tuple[str, ...]
    then: str
    sound: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True)
class PersonChange:
    """What somebody wants to set of a practitioner.

    Arguments:
        line: as typed; empty leaves the one on file, unless ``without_line``.
        loses_mark: it was said expressly that a *sensitive* mark goes.
    """

    title: str
    speciality: str
    sensitive: bool
    line: str = field(repr=False, default="")
    without_line: bool = False
    loses_mark: bool = False


@dataclass(frozen=True, slots=True)
class PersonAdded:
    """Somebody who is to be a practitioner of the practice.

    Arguments:
        name: without the title.
        line: as typed; empty for none.
    """

    name: str
    title: str
    speciality: str
    sensitive: bool
    line: str = field(repr=False, default="")


class PracticeSettings(Protocol):
    """The settings of practices.

    Raises, all of them that name a practice: NotFound where there is none that one may change, and Unavailable where a
    part does not answer.
    """

    async def practices(self, token: str, search: str = "") -> Practices:
        """Those whose settings one may change, and in whose name ``search`` stands."""

    async def look(self, token: str, practice: UUID) -> Standing:
        """How it stands."""

    async def history(self, token: str, practice: UUID, setting: Setting | None = None) -> tuple[Past, ...]:
        """What was set, the latest first."""

    async def put(self, token: str, practice: UUID, change: Change) -> Outcome:
        """Give a setting another value."""

    async def withdraw(self, token: str, practice: UUID, setting: Setting, revision: int) -> Outcome:
        """Take back a version: what lies under it shows again."""

    async def preview(
        self,
        token: str,
        practice: UUID,
        number: str | None,
        at: datetime | None,
        unsaved: Mapping[Setting, Any] | None = None,
        ends: datetime | None = None,
    ) -> Heard | Refused:
        """What callers hear first.

        Arguments:
            number: that they call, E.164; ``None`` for the first of the practice.
            at: naive, in the practice's zone; ``None`` for now.
            unsaved: values that are tried and not saved.
            ends: until when those would hold, aware; ``None`` for an open end.
        """

    async def sound(self, token: str, practice: UUID, sound: str) -> bytes | None:
        """The sound of a preview as a WAV file; ``None`` for one that is too old, or not theirs."""

    async def change_person(self, token: str, practice: UUID, person: UUID, change: PersonChange) -> Outcome:
        """Change what is on file about a practitioner; only for those who manage the practice."""

    async def add_person(self, token: str, practice: UUID, person: PersonAdded) -> Outcome:
        """Put a practitioner on file; only for those who manage the practice."""
