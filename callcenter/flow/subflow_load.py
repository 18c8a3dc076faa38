"""The files of sub-flows, read: those that a flow's steps run, and those that these run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from callcenter.flow.forms import Form
from callcenter.flow.language import Channel, Step
from callcenter.flow.step_forms import Name
from callcenter.flow.subflow_language import Run, Subflow
from callcenter.kernel.documents import Document, from_pydantic, read_yaml
from callcenter.kernel.errors import DataProblems, Problem

#: The folder of sub-flows, beside the flows.
FOLDER = "subflows"

Read = Callable[[Mapping[str, dict[str, Any]], Document], tuple[dict[str, Step], list[Problem]]]


@dataclass(frozen=True, slots=True)
class ReadSubflow:
    """One sub-flow as it was read.

    Arguments:
        steps: by name.
    """

    subflow: Subflow
    document: Document
    steps: Mapping[str, Step]


def read_subflows(
    folder: Path,
    channel: Channel,
    steps: Mapping[str, Step],
    file_of: Callable[[str], str],
    read_steps: Read,
    problems: list[Problem],
) -> list[ReadSubflow]:
    """Every sub-flow that ``steps`` run, or that one of them runs, in the order in which they are met.

    Arguments:
        folder: of the flow.
        channel: of the flow.
        file_of: where a step of the flow stands.
        read_steps: reads what stands under « steps ».
        problems: to which is added whatever is wrong.
    """
    found: dict[str, ReadSubflow | None] = {}
    waiting = [(step, file_of(step.name)) for step in steps.values() if isinstance(step, Run)]
    while waiting:
        step, where = waiting.pop(0)
        if step.subflow in found:
            continue
        file = folder / FOLDER / f"{step.subflow}.yaml"
        if not file.is_file():
            what = f"step « {step.name} » runs « {step.subflow} », for which there is no file {FOLDER}/{file.name}"
            problems.append(Problem(where, step.line, what, "write the file, or name another sub-flow"))
            found[step.subflow] = None
            continue
        found[step.subflow] = read = _read(file, channel, read_steps, problems)
        if read is not None:
            inner = (one for one in read.steps.values() if isinstance(one, Run))
            waiting += [(one, read.document.file) for one in inner]
    return [read for read in found.values() if read is not None]


def _read(file: Path, channel: Channel, read_steps: Read, problems: list[Problem]) -> ReadSubflow | None:
    try:
        document = read_yaml(file)
        form = _SubflowForm.model_validate(document.data)
    except DataProblems as error:
        problems += error.problems
        return None
    except ValidationError as error:
        problems += from_pydantic(error, document)
        return None
    steps, wrong = read_steps(form.steps, document)
    problems += wrong
    if form.subflow != file.stem:
        what = f"the sub-flow « {form.subflow} » stands in a file « {file.stem} »"
        problems.append(document.problem(("subflow",), what, "name both alike"))
    if form.channel is not channel:
        what = f"the sub-flow « {form.subflow} » is of the channel {form.channel}, and is run by a flow of {channel}"
        problems.append(document.problem(("channel",), what, "run one of the flow's own channel"))
    if form.start not in form.steps:
        what = f"« start » names a step « {form.start} » that does not exist"
        problems.append(document.problem(("start",), what, "name one of the sub-flow's steps"))
    subflow = Subflow(file.stem, document.file, form.start, frozenset(steps))
    return ReadSubflow(subflow, document, steps)


class _SubflowForm(Form):
    subflow: Name
    channel: Annotated[Channel, Field(strict=False)]
    start: str
    steps: Annotated[dict[Name, dict[str, Any]], Field(min_length=1)]
