"""A flow's file, read and checked: YAML in, a :class:`Flow` out, or every problem with its line.

Shape is checked here; what a flow must be beyond its shape is in ``flow.soundness`` and ``flow.ways``, and what it may
disclose is in ``flow.proof``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator

from callcenter.flow.forms import Form, StepForm
from callcenter.flow.language import (
    Act,
    Ask,
    AskKind,
    Book,
    Branch,
    Card,
    Channel,
    Choose,
    Connect,
    ConnectTo,
    Direction,
    Disclose,
    Do,
    End,
    Find,
    Flow,
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
from callcenter.flow.prompts import PromptBook
from callcenter.flow.said import prompt_keys
from callcenter.flow.script_load import SCRIPT_FORMS, PickForm
from callcenter.flow.script_soundness import script_problems
from callcenter.flow.script_ways import script_graph_problems
from callcenter.flow.soundness import local_problems
from callcenter.flow.ways import graph_problems
from callcenter.kernel.documents import DISK, Document, Texts, from_pydantic, read_yaml
from callcenter.kernel.errors import DataProblems, Problem

_Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
#: A part of the flow's own folder, or ``FLOW/PART`` for one of another flow's.
_PartName = Annotated[str, StringConstraints(pattern=r"^([a-z][a-z0-9_]*/)?[a-z][a-z0-9_]*$", max_length=120)]


def load_flow(path: str | Path, book: PromptBook, texts: Texts = DISK) -> Flow:
    """The flow in the file at ``path``, with its prompts in ``book``.

    Arguments:
        texts: where the file, and what it names, is read.

    Raises:
        DataProblems: all that is wrong, by line.
    """
    document = read_yaml(path, texts)
    try:
        header = _Header.model_validate(document.data)
    except ValidationError as error:
        raise DataProblems(from_pydantic(error, document)) from error
    steps, problems = _read_steps(header.steps, document)
    parts, part_of = _read_parts(header, document, steps, problems, texts)
    flow = Flow(
        name=header.flow,
        channel=header.channel,
        file=document.file,
        start=header.start,
        person=header.person,
        steps=steps,
        digest=_digest([document, *parts], steps, header.channel, book),
        part_of=part_of,
        direction=header.direction,
        withheld=header.withheld,
    )
    problems += _name_problems(header, document)
    problems += local_problems(flow, _names(header, parts), book, document, header.emergency)
    problems += script_problems(flow, book, document, header.emergency)
    graph = script_graph_problems if flow.channel is Channel.CONSOLE else graph_problems
    problems = problems or graph(flow)
    if problems:
        raise DataProblems(sorted(problems, key=lambda problem: (problem.line, problem.what)))
    return flow


def _read_parts(
    header: _Header, document: Document, steps: dict[str, Step], problems: list[Problem], texts: Texts
) -> tuple[list[Document], dict[str, str]]:
    """Add the steps of the flow's parts to ``steps``; the parts, and in which file each of these steps stands."""
    folder = Path(document.file).parent
    parts: list[Document] = []
    part_of: dict[str, str] = {}
    lent: set[str] = set()
    for index, name in enumerate(header.parts):
        try:
            own = name if "/" in name else f"{header.flow}/{name}"
            part = read_yaml(folder / f"{own}.yaml", texts)
            form = _Part.model_validate(part.data)
        except DataProblems as error:
            problems += error.problems
            continue
        except ValidationError as error:
            problems += from_pydantic(error, part)
            continue
        parts.append(part)
        read, wrong = _read_steps(form.steps, part)
        problems += wrong
        for twice in sorted(read.keys() & steps.keys()):
            where = part_of.get(twice, document.file)
            what = f"the step « {twice} » stands in {Path(where).name} already"
            problems.append(part.problem(("steps", twice), what, "name one of both otherwise"))
        steps.update(read)
        part_of.update(dict.fromkeys(read, part.file))
        if "/" in name:
            lent.update(read)
        if header.parts.index(name) != index:
            what = f"the part « {name} » is named twice"
            problems.append(document.problem(("parts", index), what, "name it once"))
    _leave_what_is_not_walked(header, steps, lent)
    return parts, {step: file for step, file in part_of.items() if step in steps}


def _leave_what_is_not_walked(header: _Header, steps: dict[str, Step], lent: set[str]) -> None:
    """Drop what no way of this flow leads to from the parts of other flows: it is theirs, and is checked there."""
    walked: set[str] = set()
    waiting = [header.start, header.person, header.withheld, *(name for name in steps if name not in lent)]
    while waiting:
        name = waiting.pop()
        if name in steps and name not in walked:
            walked.add(name)
            waiting.extend(steps[name].outlets().values())
    for name in lent - walked:
        steps.pop(name, None)


def _names(header: _Header, parts: Sequence[Document]) -> frozenset[str]:
    """Every step that the files name, those included whose form was refused."""
    return frozenset(header.steps).union(*(part.data["steps"] for part in parts))


def _digest(documents: Sequence[Document], steps: Mapping[str, Step], channel: Channel, book: PromptBook) -> str:
    keys = sorted(key for key in prompt_keys(steps.values(), channel) if key in book)
    prompts = {key: [book[key].digest, *(told[key].digest for told in book.translations.values())] for key in keys}
    return hashlib.sha256(
        json.dumps([[document.text for document in documents], prompts], ensure_ascii=False).encode()
    ).hexdigest()


def _name_problems(header: _Header, document: Document) -> list[Problem]:
    stem = Path(document.file).stem
    if header.flow == stem:
        return []
    return [document.problem(("flow",), f"the flow « {header.flow} » stands in a file « {stem} »", "name both alike")]


def _read_steps(written: Mapping[str, dict[str, Any]], document: Document) -> tuple[dict[str, Step], list[Problem]]:
    steps: dict[str, Step] = {}
    problems: list[Problem] = []
    for name, content in written.items():
        where = ("steps", name)
        verbs = [verb for verb in _FORMS if verb in content]
        if len(verbs) != 1:
            what = f"the step « {name} » does {'several things' if verbs else 'nothing that is known'}"
            problems.append(document.problem(where, what, f"write exactly one of {', '.join(_FORMS)}"))
            continue
        try:
            form = _form_of(verbs[0], content).model_validate(content)
        except ValidationError as error:
            problems += from_pydantic(error, document, *where)
        else:
            steps[name] = form.step(name, document.line(*where))
    return steps, problems


def _form_of(verb: str, content: Mapping[str, Any]) -> type[StepForm]:
    """The form of a step; a choice is spoken, or stands on a screen."""
    return PickForm if verb == "choose" and "options" in content else _FORMS[verb]


# --- the forms of the file


class _Header(Form):
    flow: _Name
    channel: Annotated[Channel, Field(strict=False)]
    emergency: str | None = None
    start: str
    person: str
    withheld: str = ""
    parts: list[_PartName] = Field(default_factory=list)
    direction: Annotated[Direction, Field(strict=False)] = Direction.INCOMING
    steps: Annotated[dict[_Name, dict[str, Any]], Field(min_length=1)]


class _Part(Form):
    steps: Annotated[dict[_Name, dict[str, Any]], Field(min_length=1)]


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
    into: _Name
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


#: By the verb that stands for the kind of a step.
_FORMS: Mapping[str, type[StepForm]] = {
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
    **SCRIPT_FORMS,
}
