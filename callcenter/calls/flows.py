"""The flows that this process may run: each with its prompts, by digest, and only those that are proven (P9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from callcenter.disclosure.policy import Policy, load_policy
from callcenter.flow.language import Channel, Direction, Flow, ProofKind, Prove
from callcenter.flow.load import load_flow
from callcenter.flow.prompts import PromptBook
from callcenter.flow.proof import Counterexample, Proven, Refuted, prove
from callcenter.flow.sinks import house_problems
from callcenter.kernel.errors import DataProblems, NotFound, Problem


class NoSuchFlow(NotFound):
    """This process does not hold the flow in which the call began."""


@dataclass(frozen=True, slots=True)
class Flows:
    """What was loaded and proven at start.

    Arguments:
        entry: the flow that an incoming call begins in.
        outgoing: the flow that a return call begins in, ``None`` when there is none: then none is placed.
        callback: the flow that a call begins in to whoever waited and asked to be rung back, or ``None``.
        operator: the flow that an operator's script begins in, or ``None`` when there is none: then none is begun.
        by_digest: every flow that a call or a script may be in.
        book: the prompts of all of them.
        policy: what was proven against, and what the gate decides by.
    """

    entry: Flow
    by_digest: Mapping[str, Flow]
    book: PromptBook
    policy: Policy
    outgoing: Flow | None = None
    callback: Flow | None = None
    operator: Flow | None = None

    def of(self, digest: str) -> Flow:
        """The flow with this digest.

        Raises:
            NoSuchFlow: it is not here, or no longer.
        """
        if digest not in self.by_digest:
            raise NoSuchFlow
        return self.by_digest[digest]


def load_flows(folder: Path, entry: str, prompts: Path, policy_file: Path) -> Flows:
    """Load the flows of ``folder`` and prove each against the policy.

    Arguments:
        folder: ``*.yaml`` files of flows.
        entry: name of the flow that an incoming call begins in.
        prompts, policy_file: files.

    Raises:
        DataProblems: a file cannot be used, or a flow is not proven; with the shortest path that shows it.
    """
    book, policy = PromptBook.load(prompts), load_policy(policy_file)
    flows = [load_flow(file, book) for file in sorted(folder.glob("*.yaml"))]
    problems = house_problems(book, policy)
    problems += [problem for flow in flows for problem in _unproven(flow, book, policy)]
    by_name = {flow.name: flow for flow in flows}
    if entry not in by_name:
        problems.append(Problem(str(folder), 0, f"there is no flow « {entry} »", "name an existing flow as entry"))
    elif by_name[entry].channel is not Channel.VOICE:
        what = f"the flow « {entry} » is not for calls"
        problems.append(Problem(str(folder), 0, what, "name one of the channel voice as entry"))
    elif by_name[entry].direction is Direction.OUTGOING:
        what = f"the flow « {entry} » is for calls that we place"
        problems.append(Problem(str(folder), 0, what, "name one for incoming calls as entry"))
    outgoing = _begun_by(ProofKind.RETURN_CALL, flows, folder, problems)
    callback = _begun_by(ProofKind.PRESENCE, flows, folder, problems)
    operator = _shown_to_operators(flows, folder, problems)
    if problems:
        raise DataProblems(problems)
    by_digest = {flow.digest: flow for flow in flows}
    return Flows(by_name[entry], by_digest, book, policy, outgoing, callback, operator)


def _begun_by(kind: ProofKind, flows: Sequence[Flow], folder: Path, problems: list[Problem]) -> Flow | None:
    """The flow for calls that we place which begins by asking for ``kind``; several are a problem."""
    found = [flow for flow in flows if flow.direction is Direction.OUTGOING and _asks(flow) is kind]
    if len(found) > 1:
        names = ", ".join(f"« {flow.name} »" for flow in found)
        what = f"several flows are for calls that we place, and begin with « prove: {kind} »: {names}"
        problems.append(Problem(str(folder), 0, what, "keep one"))
    return found[0] if found else None


def _shown_to_operators(flows: Sequence[Flow], folder: Path, problems: list[Problem]) -> Flow | None:
    """The flow of the channel console; several are a problem."""
    found = [flow for flow in flows if flow.channel is Channel.CONSOLE]
    if len(found) > 1:
        names = ", ".join(f"« {flow.name} »" for flow in found)
        problems.append(Problem(str(folder), 0, f"several flows are for operators: {names}", "keep one"))
    return found[0] if found else None


def _asks(flow: Flow) -> ProofKind | None:
    start = flow.steps[flow.start]
    return start.by if isinstance(start, Prove) else None


def _unproven(flow: Flow, book: PromptBook, policy: Policy) -> list[Problem]:
    match prove(flow, book, policy):
        case Proven():
            return []
        case Refuted(counterexamples=examples):
            return [Problem(example.file, example.line, _path_of(example), example.mend) for example in examples]


def _path_of(example: Counterexample) -> str:
    path = "".join(f"{hop.step} –{hop.outlet}→ " if hop.outlet else hop.step for hop in example.path)
    return f"the flow is refuted: {example.what} (path: {path})"
