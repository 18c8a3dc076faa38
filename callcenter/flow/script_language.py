"""The steps that only an operator's script has: they ask somebody who sits at a screen, and talks with the caller.

What both channels have, such as ``verify`` and ``find``, is in ``flow.language``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from callcenter.kernel.labels import Category


class Shown(StrEnum):
    """What ``show`` shows."""

    INSTRUCTIONS = "instructions"


class Forgotten(StrEnum):
    """What ``forget`` ends."""

    PATIENT = "patient"


class Disposed(StrEnum):
    """What ``dispose`` closes."""

    CALL = "call"


class Disposition(StrEnum):
    """What became of a call, as the operator who had it says."""

    BOOKED = "booked"
    MOVED = "moved"
    CANCELLED = "cancelled"
    TOLD = "told"
    MESSAGE = "message"
    RENEWAL = "renewal"
    INFORMATION = "information"
    NOT_VERIFIED = "not_verified"
    EMERGENCY = "emergency"
    CALLBACK = "callback"
    HUNG_UP = "hung_up"
    WRONG_NUMBER = "wrong_number"
    UNWANTED = "unwanted"


class Urgency(StrEnum):
    """How soon a message is to be read."""

    NORMAL = "normal"
    URGENT = "urgent"


@dataclass(frozen=True, slots=True)
class Show:
    """Show the practice's instructions; they are acknowledged where they changed since this operator last did."""

    name: str
    line: int
    what: Shown
    then: str

    def outlets(self) -> Mapping[str, str]:
        return {"then": self.then}


@dataclass(frozen=True, slots=True)
class Way:
    """One option of a ``choose`` on a screen.

    Arguments:
        label: prompt of its words.
        to: the step that it leads to.
    """

    label: str
    to: str


@dataclass(frozen=True, slots=True)
class Pick:
    """A ``choose`` on a screen: options with words of their own, by key."""

    name: str
    line: int
    prompt: str
    options: Mapping[str, Way]

    def outlets(self) -> Mapping[str, str]:
        return {f"key {key}": way.to for key, way in self.options.items()}


@dataclass(frozen=True, slots=True)
class Reveal:
    """Let the operator see fields of the patient's file, one by one, once the gate has granted and recorded each."""

    name: str
    line: int
    fields: tuple[str, ...]
    then: str
    withheld: str

    def outlets(self) -> Mapping[str, str]:
        return {"then": self.then, "withheld": self.withheld}


@dataclass(frozen=True, slots=True)
class Declare:
    """Where the practice keeps its own agenda: the operator reads it there, and says what they have told of it."""

    name: str
    line: int
    categories: tuple[Category, ...]
    then: str
    withheld: str

    def outlets(self) -> Mapping[str, str]:
        return {"then": self.then, "withheld": self.withheld}


@dataclass(frozen=True, slots=True)
class Forget:
    """Somebody else is spoken of from here on: all evidence and all that was found end (P2)."""

    name: str
    line: int
    what: Forgotten
    then: str

    def outlets(self) -> Mapping[str, str]:
        return {"then": self.then}


@dataclass(frozen=True, slots=True)
class Dispose:
    """Have the operator say what became of the call."""

    name: str
    line: int
    what: Disposed
    then: str

    def outlets(self) -> Mapping[str, str]:
        return {"then": self.then}


ScriptStep = Show | Pick | Reveal | Declare | Forget | Dispose
