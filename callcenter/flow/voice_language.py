"""The steps that only a caller's telephone has: they ask by keys, and are heard.

What both channels have, such as ``verify`` and ``find``, is in ``flow.language``; an operator's own in
``flow.script_language``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from callcenter.kernel.levels import Level


class AskKind(StrEnum):
    """What ``ask`` accepts from the keypad."""

    TELEPHONE = "telephone"


class ReachKind(StrEnum):
    """By what ``reach_out`` has the telephone on file reached."""

    REMINDER = "reminder"
    RETURN_CALL = "return_call"


class ProofKind(StrEnum):
    """What ``prove`` asks for."""

    #: The code that was given out in another call.
    RETURN_CALL = "return_call"
    #: That somebody is there, by a key: a voicemail presses none. Who that is, is not proved by it.
    PRESENCE = "presence"


class ConnectTo(StrEnum):
    """To whom ``connect`` puts a call through."""

    PRACTICE = "practice"


class QueueFor(StrEnum):
    """For whom ``queue`` lets a caller wait."""

    OPERATORS = "operators"


class Pace(StrEnum):
    """How fast the caller is spoken to, and how much time they are given."""

    SLOW = "slow"
    NORMAL = "normal"
    FAST = "fast"


@dataclass(frozen=True, slots=True)
class Choose:
    """A menu: one key. Repeated a bounded number of times on silence and on nonsense; ``*`` repeats it."""

    name: str
    line: int
    prompt: str
    keys: Mapping[str, str]
    silence: str
    nonsense: str

    def outlets(self) -> Mapping[str, str]:
        return {f"key {key}": step for key, step in self.keys.items()} | {
            "silence": self.silence,
            "nonsense": self.nonsense,
        }


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask for digits that the caller knows; they are kept under ``into`` for a later step of the flow."""

    name: str
    line: int
    prompt: str
    kind: AskKind
    into: str
    then: str
    silence: str
    nonsense: str

    def outlets(self) -> Mapping[str, str]:
        return {"then": self.then, "silence": self.silence, "nonsense": self.nonsense}


@dataclass(frozen=True, slots=True)
class Disclose:
    """Say a prompt that names patient data, after the gate has granted it and the record is written."""

    name: str
    line: int
    prompt: str
    then: str
    withheld: str

    def outlets(self) -> Mapping[str, str]:
        return {"then": self.then, "withheld": self.withheld}


@dataclass(frozen=True, slots=True)
class ReachOut:
    """Ask who it is about, as ``verify`` does, and have the telephone on file reached afterwards, if there is one.

    Needs no verification and tells nothing: what is done about it is done once nobody listens, by a job.
    """

    name: str
    line: int
    kind: ReachKind
    then: str
    refused: str

    def outlets(self) -> Mapping[str, str]:
        return {"then": self.then, "refused": self.refused}


@dataclass(frozen=True, slots=True)
class Prove:
    """Ask, in a call that we have placed, for the code that was given out in another call, or for a sign of life."""

    name: str
    line: int
    by: ProofKind
    proved: str
    refused: str

    @property
    def level(self) -> Level:
        return Level.VERIFIED if self.by is ProofKind.RETURN_CALL else Level.UNKNOWN

    def outlets(self) -> Mapping[str, str]:
        return {"proved": self.proved, "refused": self.refused}


@dataclass(frozen=True, slots=True)
class Speak:
    """Speak to the caller in another way from here on.

    Arguments:
        language: of the prompts, or ``None`` to leave it.
        pace: or ``None`` to leave it.
        relay: the caller is on the line through a relay service (UX-03).
    """

    name: str
    line: int
    language: str | None
    pace: Pace | None
    relay: bool
    then: str

    def outlets(self) -> Mapping[str, str]:
        return {"then": self.then}


@dataclass(frozen=True, slots=True)
class Connect:
    """Put the call through to the practice's own telephone. Whoever talks there is another person: all proof dies."""

    name: str
    line: int
    to: ConnectTo
    connected: str
    unanswered: str

    def outlets(self) -> Mapping[str, str]:
        return {"connected": self.connected, "unanswered": self.unanswered}


@dataclass(frozen=True, slots=True)
class Queue:
    """Let the caller wait for an operator. Asks for no proof; whatever was proved ends with whom they talked to.

    Who waits may ask to leave a message instead, at any moment, or to be rung back in the place that they have. Where
    there is such a way, the operator may send them out of the talk to type something; back at this step, they are led
    to the same operator again.
    """

    name: str
    line: int
    whom: QueueFor
    connected: str
    message: str
    callback: str
    unanswered: str
    keypad: str | None = None

    def outlets(self) -> Mapping[str, str]:
        typed = {} if self.keypad is None else {"keypad": self.keypad}
        return {
            "connected": self.connected,
            "message": self.message,
            "callback": self.callback,
            "unanswered": self.unanswered,
            **typed,
        }


@dataclass(frozen=True, slots=True)
class Reference:
    """Ask for the eight digits of a booking or of a printed card; they bind what they lead to."""

    name: str
    line: int
    known: str
    refused: str

    def outlets(self) -> Mapping[str, str]:
        return {"known": self.known, "refused": self.refused}


@dataclass(frozen=True, slots=True)
class Card:
    """Ask for the birth date that goes with the reference: both together open that slot, and nothing else."""

    name: str
    line: int
    proved: str
    refused: str

    def outlets(self) -> Mapping[str, str]:
        return {"proved": self.proved, "refused": self.refused}
