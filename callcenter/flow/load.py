"""A flow's file, read and checked: YAML in, a :class:`Flow` out, or every problem with its line.

Shape is checked here; what a flow must be beyond its shape is in ``flow.soundness`` and ``flow.ways``, and what it may
disclose is in ``flow.proof``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StringConstraints, ValidationError

from callcenter.flow.forms import Form
from callcenter.flow.language import Channel, Direction, Flow, Step
from callcenter.flow.prompts import PromptBook
from callcenter.flow.said import prompt_keys
from callcenter.flow.script_soundness import script_problems
from callcenter.flow.script_ways import script_graph_problems
from callcenter.flow.soundness import local_problems
from callcenter.flow.step_forms import FORMS, Name, form_of
from callcenter.flow.subflow_load import read_subflows
from callcenter.flow.subflow_soundness import subflow_problems
from callcenter.flow.ways import graph_problems
from callcenter.kernel.documents import DISK, Document, Texts, from_pydantic, read_yaml
from callcenter.kernel.errors import DataProblems, Problem

#: Channels that have flows: a text message answers no question.
CHANNELS = (Channel.VOICE, Channel.CONSOLE)
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
    if header.channel not in CHANNELS:
        what = f"no flow is of the channel « {header.channel} »: what it says would be proven for another one"
        raise DataProblems([document.problem(("channel",), what, f"write one of {', '.join(CHANNELS)}")])
    steps, problems = _read_steps(header.steps, document)
    parts, part_of = _read_parts(header, document, steps, problems, texts)
    subflows = read_subflows(
        Path(document.file).parent,
        header.channel,
        steps,
        lambda step: part_of.get(step, document.file),
        _read_steps,
        problems,
        texts,
    )
    for read in subflows:
        problems += _add(read.steps, read.document, steps, part_of, document)
    documents = [document, *parts, *(read.document for read in subflows)]
    flow = Flow(
        name=header.flow,
        channel=header.channel,
        file=document.file,
        start=header.start,
        person=header.person,
        steps=steps,
        digest=_digest(documents, steps, header.channel, book),
        part_of=part_of,
        direction=header.direction,
        withheld=header.withheld,
        emergency=header.emergency or "",
        subflows={read.subflow.name: read.subflow for read in subflows},
    )
    problems += _name_problems(header, document)
    problems += local_problems(flow, _names(documents), book, document, header.emergency)
    problems += script_problems(flow, book, document, header.emergency)
    problems += subflow_problems(flow)
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
        problems += _add(read, part, steps, part_of, document)
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


def _add(
    read: Mapping[str, Step], where: Document, steps: dict[str, Step], part_of: dict[str, str], document: Document
) -> list[Problem]:
    """Add what was read in another file to ``steps``; the names that stand twice."""
    problems = []
    for twice in sorted(read.keys() & steps.keys()):
        first = Path(part_of.get(twice, document.file))
        what = f"the step « {twice} » stands in {first.name} already"
        problems.append(where.problem(("steps", twice), what, "name one of both otherwise"))
    steps.update(read)
    part_of.update(dict.fromkeys(read, where.file))
    return problems


def _names(documents: Sequence[Document]) -> frozenset[str]:
    """Every step that the files name, those included whose form was refused."""
    return frozenset[str]().union(*(document.data["steps"] for document in documents))


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
        verbs = [verb for verb in FORMS if verb in content]
        if len(verbs) != 1:
            what = f"the step « {name} » does {'several things' if verbs else 'nothing that is known'}"
            problems.append(document.problem(where, what, f"write exactly one of {', '.join(FORMS)}"))
            continue
        try:
            form = form_of(verbs[0], content).model_validate(content)
        except ValidationError as error:
            problems += from_pydantic(error, document, *where)
        else:
            steps[name] = form.step(name, document.line(*where))
    return steps, problems


# --- the forms of the file


class _Header(Form):
    flow: Name
    channel: Annotated[Channel, Field(strict=False)]
    emergency: str | None = None
    start: str
    person: str
    withheld: str = ""
    parts: list[_PartName] = Field(default_factory=list)
    direction: Annotated[Direction, Field(strict=False)] = Direction.INCOMING
    steps: Annotated[dict[Name, dict[str, Any]], Field(min_length=1)]


class _Part(Form):
    steps: Annotated[dict[Name, dict[str, Any]], Field(min_length=1)]
