"""What a flow is, once parsed: steps with named outlets, as plain frozen values.

The YAML form is read by ``flow.load``; ``flow.proof`` reasons on these values and ``flow.engine`` walks them. Every
step names its outlets itself, so that a proof and a picture need nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from callcenter.flow.script_language import ScriptStep
from callcenter.flow.subflow_language import Run, RunStep, Subflow
from callcenter.kernel.levels import Channel as Channel
from callcenter.kernel.levels import Level as Level


class Lookup(StrEnum):
    """What ``find`` may look for in the patient's record."""

    NEXT_APPOINTMENT = "next_appointment"
    FOLLOWING_APPOINTMENT = "following_appointment"


class Act(StrEnum):
    """What ``do`` may do to what ``find`` bound."""

    CONFIRM_APPOINTMENT = "confirm_appointment"
    CANCEL_APPOINTMENT = "cancel_appointment"
    #: What a reference leads to, whoever it is for: it needs no proof (OB-13).
    CANCEL_SLOT = "cancel_slot"


class MessageKind(StrEnum):
    """What ``take_message`` takes."""

    CALLBACK = "callback"
    VOICE = "voice"
    RENEWAL = "renewal"
    CERTIFICATE = "certificate"


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


class Moved(StrEnum):
    """What ``move`` moves."""

    SLOT = "slot"
    APPOINTMENT = "appointment"


class Direction(StrEnum):
    """Who has called whom."""

    INCOMING = "incoming"
    OUTGOING = "outgoing"


@dataclass(frozen=True, slots=True)
class Say:
    """Say a public prompt, then go on."""

    name: str
    line: int
    prompt: str
    then: str

    def outlets(self) -> Mapping[str, str]:
        return {"then": self.then}


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
class Verify:
    """Ensure a level for one patient: live evidence answers at once, otherwise the questions are asked."""

    name: str
    line: int
    level: Level
    verified: str
    refused: str
    unavailable: str

    def outlets(self) -> Mapping[str, str]:
        return {"verified": self.verified, "refused": self.refused, "unavailable": self.unavailable}


@dataclass(frozen=True, slots=True)
class Find:
    """Look in the verified patient's record. Its outlets tell something: both need the level of D01 and D02."""

    name: str
    line: int
    what: Lookup
    found: str
    none: str
    withheld: str

    def outlets(self) -> Mapping[str, str]:
        return {"found": self.found, "none": self.none, "withheld": self.withheld}


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
class Do:
    """Act on what ``find`` bound."""

    name: str
    line: int
    act: Act
    done: str
    failed: str

    def outlets(self) -> Mapping[str, str]:
        return {"done": self.done, "failed": self.failed}


@dataclass(frozen=True, slots=True)
class TakeMessage:
    """Take a message for people: a request to be called back, a spoken message, a renewal or a certificate.

    Needs no verification and tells nothing.
    """

    name: str
    line: int
    kind: MessageKind
    taken: str
    abandoned: str

    def outlets(self) -> Mapping[str, str]:
        return {"taken": self.taken, "abandoned": self.abandoned}


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
class Branch:
    """Go one of two ways by a *public* yes/no field. Branching on a record is a disclosure: ``find`` does that."""

    name: str
    line: int
    on: str
    yes: str
    no: str

    def outlets(self) -> Mapping[str, str]:
        return {"yes": self.yes, "no": self.no}


@dataclass(frozen=True, slots=True)
class Switch:
    """Go one of several ways by a *public* field that has a few known values; each has its way."""

    name: str
    line: int
    on: str
    cases: Mapping[str, str]

    def outlets(self) -> Mapping[str, str]:
        return {f"case {value}": step for value, step in self.cases.items()}


class Pace(StrEnum):
    """How fast the caller is spoken to, and how much time they are given."""

    SLOW = "slow"
    NORMAL = "normal"
    FAST = "fast"


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
class Go:
    """Go to another step."""

    name: str
    line: int
    to: str

    def outlets(self) -> Mapping[str, str]:
        return {"go": self.to}


@dataclass(frozen=True, slots=True)
class End:
    """Say a last public prompt and end the call; ``None`` where two have talked, and nothing is left to say."""

    name: str
    line: int
    prompt: str | None

    def outlets(self) -> Mapping[str, str]:
        return {}


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
class Book:
    """Book a free slot: with whom, when, for whom born when, at which number. Needs no proof and reads no file."""

    name: str
    line: int
    booked: str
    none: str
    refused: str
    abandoned: str

    def outlets(self) -> Mapping[str, str]:
        return {"booked": self.booked, "none": self.none, "refused": self.refused, "abandoned": self.abandoned}


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


@dataclass(frozen=True, slots=True)
class Move:
    """Offer other slots for the one that a reference leads to, or for the appointment that was found, and move it."""

    name: str
    line: int
    moved: str
    none: str
    abandoned: str
    what: Moved = Moved.SLOT

    def outlets(self) -> Mapping[str, str]:
        return {"moved": self.moved, "none": self.none, "abandoned": self.abandoned}


Step = (
    Say
    | Choose
    | Ask
    | Verify
    | Find
    | Disclose
    | Do
    | TakeMessage
    | Branch
    | Switch
    | Speak
    | Go
    | End
    | Connect
    | Queue
    | ReachOut
    | Prove
    | Book
    | Reference
    | Card
    | Move
    | ScriptStep
    | RunStep
)


@dataclass(frozen=True, slots=True)
class Flow:
    """One flow, parsed.

    Arguments:
        name: its name, also the file's.
        channel: by which it speaks.
        file: where it was read, as the user gave it.
        start: the first step.
        person: the step that leads to a person; the engine goes there when a bound is reached.
        withheld: of a script: the step to which what is withheld leads; ``person`` where the file names none.
        steps: by name, in the file's order; those of its sub-flows among them.
        digest: SHA-256 (hexadecimal) of the flow's and its prompts' text; in every record.
        part_of: file of each step that stands in a part or a sub-flow, apart from the flow's own file.
        direction: whether callers ring us, or we ring them.
        emergency: key of the prompt with the emergency line; empty where no caller rings us.
        subflows: by name.
    """

    name: str
    channel: Channel
    file: str
    start: str
    person: str
    steps: Mapping[str, Step]
    digest: str
    part_of: Mapping[str, str] = field(default_factory=dict)
    direction: Direction = Direction.INCOMING
    withheld: str = ""
    emergency: str = ""
    subflows: Mapping[str, Subflow] = field(default_factory=dict)

    def within(self, step: str) -> str | None:
        """The sub-flow in which ``step`` stands; ``None`` for the flow's own."""
        return next((part.name for part in self.subflows.values() if step in part.steps), None)

    def onward(self, step: str) -> Mapping[str, str]:
        """Where a way goes on from ``step``, by outlet; into the sub-flow that it runs, as « run »."""
        left = self.steps[step]
        into = {"run": self.subflows[left.subflow].start} if isinstance(left, Run) else {}
        return {**into, **left.outlets()}

    def file_of(self, step: str) -> str:
        """The file in which ``step`` stands."""
        return self.part_of.get(step, self.file)

    def edges(self) -> Iterator[tuple[str, str, str]]:
        """Every (step, outlet, next step)."""
        for step in self.steps.values():
            for outlet, target in step.outlets().items():
                yield step.name, outlet, target
