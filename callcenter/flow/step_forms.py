"""The forms of a flow's steps, as they stand in its file: one for each verb."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from callcenter.flow.forms import Form, StepForm
from callcenter.flow.language import (
    Act,
    Ask,
    AskKind,
    Book,
    Branch,
    Card,
    Choose,
    Connect,
    ConnectTo,
    Disclose,
    Do,
    End,
    Find,
    Go,
    Level,
    Lookup,
    MessageKind,
    Move,
    Moved,
    Pace,
    ProofKind,
    Prove,
    Queue,
    QueueFor,
    ReachKind,
    ReachOut,
    Reference,
    Say,
    Speak,
    Step,
    Switch,
    TakeMessage,
    Verify,
)
from callcenter.flow.script_load import SCRIPT_FORMS, PickForm
from callcenter.flow.subflow_language import Leave, Run

#: Of a flow, a step, a sub-flow, an outlet of one.
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]


class _SayForm(StepForm):
    say: str
    then: str

    def step(self, name: str, line: int) -> Step:
        return Say(name, line, self.say, self.then)


class _ChooseForm(StepForm):
    choose: str
    keys: Annotated[dict[str, str], Field(min_length=1)]
    silence: str
    nonsense: str | None = None

    def step(self, name: str, line: int) -> Step:
        return Choose(name, line, self.choose, self.keys, self.silence, self.nonsense or self.silence)


class _AskForm(StepForm):
    ask: str
    kind: Annotated[AskKind, Field(strict=False)]
    into: Name
    then: str
    silence: str
    nonsense: str | None = None

    def step(self, name: str, line: int) -> Step:
        nonsense = self.nonsense or self.silence
        return Ask(name, line, self.ask, self.kind, self.into, self.then, self.silence, nonsense)


class _LevelForm(Form):
    # A level of 1 opens nothing and is silent about success: an outlet for it would tell who is known here (SM-04).
    level: Annotated[int, Field(ge=Level.VERIFIED, le=Level.STRONG)]


class _VerifyForm(StepForm):
    verify: _LevelForm
    verified: str
    refused: str
    unavailable: str

    def step(self, name: str, line: int) -> Step:
        return Verify(name, line, Level(self.verify.level), self.verified, self.refused, self.unavailable)


class _FindForm(StepForm):
    find: Annotated[Lookup, Field(strict=False)]
    found: str
    none: str
    withheld: str

    def step(self, name: str, line: int) -> Step:
        return Find(name, line, self.find, self.found, self.none, self.withheld)


class _DiscloseForm(StepForm):
    disclose: str
    then: str
    withheld: str

    def step(self, name: str, line: int) -> Step:
        return Disclose(name, line, self.disclose, self.then, self.withheld)


class _DoForm(StepForm):
    do: Annotated[Act, Field(strict=False)]
    done: str
    failed: str

    def step(self, name: str, line: int) -> Step:
        return Do(name, line, self.do, self.done, self.failed)


class _TakeMessageForm(StepForm):
    take_message: Annotated[MessageKind, Field(strict=False)]
    taken: str
    abandoned: str

    def step(self, name: str, line: int) -> Step:
        return TakeMessage(name, line, self.take_message, self.taken, self.abandoned)


class _BranchForm(StepForm):
    branch: str
    yes: str | None = None
    no: str | None = None
    cases: Annotated[dict[str, str], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.cases is None) == (self.yes is None or self.no is None):
            raise ValueError("a branch has « yes » and « no », or « cases »")
        return self

    def step(self, name: str, line: int) -> Step:
        if self.cases is not None:
            return Switch(name, line, self.branch, self.cases)
        return Branch(name, line, self.branch, self.yes or "", self.no or "")


class _MannerForm(Form):
    language: str | None = None
    pace: Annotated[Pace, Field(strict=False)] | None = None
    relay: Literal[True] | None = None


class _SpeakForm(StepForm):
    speak: _MannerForm
    then: str

    def step(self, name: str, line: int) -> Step:
        manner = self.speak
        return Speak(name, line, manner.language, manner.pace, manner.relay is True, self.then)


class _GoForm(StepForm):
    go: str

    def step(self, name: str, line: int) -> Step:
        return Go(name, line, self.go)


class _ConnectForm(StepForm):
    connect: Annotated[ConnectTo, Field(strict=False)]
    connected: str
    unanswered: str

    def step(self, name: str, line: int) -> Step:
        return Connect(name, line, self.connect, self.connected, self.unanswered)


class _QueueForm(StepForm):
    queue: Annotated[QueueFor, Field(strict=False)]
    connected: str
    message: str
    callback: str
    unanswered: str
    keypad: str | None = None

    def step(self, name: str, line: int) -> Step:
        return Queue(name, line, self.queue, self.connected, self.message, self.callback, self.unanswered, self.keypad)


class _EndForm(StepForm):
    end: str | None

    def step(self, name: str, line: int) -> Step:
        return End(name, line, self.end)


class _ReachOutForm(StepForm):
    reach_out: Annotated[ReachKind, Field(strict=False)]
    then: str
    refused: str

    def step(self, name: str, line: int) -> Step:
        return ReachOut(name, line, self.reach_out, self.then, self.refused)


class _ProveForm(StepForm):
    prove: Annotated[ProofKind, Field(strict=False)]
    proved: str
    refused: str

    def step(self, name: str, line: int) -> Step:
        return Prove(name, line, self.prove, self.proved, self.refused)


class _BookForm(StepForm):
    book: Literal["slot"]
    booked: str
    none: str
    refused: str
    abandoned: str

    def step(self, name: str, line: int) -> Step:
        return Book(name, line, self.booked, self.none, self.refused, self.abandoned)


class _ReferenceForm(StepForm):
    reference: Literal["slot"]
    known: str
    refused: str

    def step(self, name: str, line: int) -> Step:
        return Reference(name, line, self.known, self.refused)


class _CardForm(StepForm):
    card: Literal["slot"]
    proved: str
    refused: str

    def step(self, name: str, line: int) -> Step:
        return Card(name, line, self.proved, self.refused)


class _MoveForm(StepForm):
    move: Annotated[Moved, Field(strict=False)]
    moved: str
    none: str
    abandoned: str

    def step(self, name: str, line: int) -> Step:
        return Move(name, line, self.moved, self.none, self.abandoned, self.move)


class _RunForm(StepForm):
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[Name, str]

    run: Name

    def step(self, name: str, line: int) -> Step:
        return Run(name, line, self.run, dict(self.__pydantic_extra__))


class _LeaveForm(StepForm):
    leave: Name

    def step(self, name: str, line: int) -> Step:
        return Leave(name, line, self.leave)


#: By the verb that stands for the kind of a step.
FORMS: Mapping[str, type[StepForm]] = {
    "say": _SayForm,
    "choose": _ChooseForm,
    "ask": _AskForm,
    "verify": _VerifyForm,
    "find": _FindForm,
    "disclose": _DiscloseForm,
    "do": _DoForm,
    "take_message": _TakeMessageForm,
    "branch": _BranchForm,
    "speak": _SpeakForm,
    "go": _GoForm,
    "end": _EndForm,
    "connect": _ConnectForm,
    "queue": _QueueForm,
    "reach_out": _ReachOutForm,
    "prove": _ProveForm,
    "book": _BookForm,
    "reference": _ReferenceForm,
    "card": _CardForm,
    "move": _MoveForm,
    "run": _RunForm,
    "leave": _LeaveForm,
    **SCRIPT_FORMS,
}


def form_of(verb: str, content: Mapping[str, Any]) -> type[StepForm]:
    """The form of a step; a choice is spoken, or stands on a screen."""
    return PickForm if verb == "choose" and "options" in content else FORMS[verb]
