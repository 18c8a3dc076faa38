"""What a flow is, once parsed: steps with named outlets, as plain frozen values.

The YAML form is read by ``flow.load``; ``flow.proof`` reasons on these values and ``flow.engine`` walks them. Every
step names its outlets itself, so that a proof and a picture need nothing else. The steps of one channel alone stand in
modules of their own; those of a caller's telephone are named here too, beside what both channels have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from callcenter.flow.script_language import ScriptStep
from callcenter.flow.subflow_language import INTO, Leave, Run, RunStep, Subflow
from callcenter.flow.voice_language import Ask as Ask
from callcenter.flow.voice_language import AskKind as AskKind
from callcenter.flow.voice_language import Card as Card
from callcenter.flow.voice_language import Choose as Choose
from callcenter.flow.voice_language import Connect as Connect
from callcenter.flow.voice_language import ConnectTo as ConnectTo
from callcenter.flow.voice_language import Disclose as Disclose
from callcenter.flow.voice_language import Pace as Pace
from callcenter.flow.voice_language import ProofKind as ProofKind
from callcenter.flow.voice_language import Prove as Prove
from callcenter.flow.voice_language import Queue as Queue
from callcenter.flow.voice_language import QueueFor as QueueFor
from callcenter.flow.voice_language import ReachKind as ReachKind
from callcenter.flow.voice_language import ReachOut as ReachOut
from callcenter.flow.voice_language import Reference as Reference
from callcenter.flow.voice_language import Speak as Speak
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
        """Where a way goes on from ``step``, by outlet; into the sub-flow that it runs too."""
        left = self.steps[step]
        into = {INTO: self.subflows[left.subflow].start} if isinstance(left, Run) else {}
        return {**into, **left.outlets()}

    def behind(self, left: Leave) -> frozenset[str]:
        """Where those go on who run the sub-flow that ``left`` leaves."""
        subflow = self.within(left.name)
        runs = (step for step in self.steps.values() if isinstance(step, Run) and step.subflow == subflow)
        return frozenset(step.ways[left.by] for step in runs)

    def file_of(self, step: str) -> str:
        """The file in which ``step`` stands."""
        return self.part_of.get(step, self.file)

    def edges(self) -> Iterator[tuple[str, str, str]]:
        """Every (step, outlet, next step)."""
        for step in self.steps.values():
            for outlet, target in step.outlets().items():
                yield step.name, outlet, target
