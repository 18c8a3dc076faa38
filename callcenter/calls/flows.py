"""A release of flows, loaded: each with its prompts, by digest, and only those that are proven (P9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from callcenter.calls.release import FLOWS, SHORT, Gathered, Release, released
from callcenter.disclosure.policy import Policy, load_policy
from callcenter.flow.causes import Cause, causes
from callcenter.flow.language import Channel, Direction, Flow, ProofKind, Prove
from callcenter.flow.load import load_flow
from callcenter.flow.prompts import PromptBook
from callcenter.flow.proof import Proven, Refuted, prove
from callcenter.flow.said import QUEUE_PROMPTS
from callcenter.flow.sinks import house_problems, sink_fault
from callcenter.flow.verdicts import others_in_words, way_in_words
from callcenter.kernel.documents import Kept
from callcenter.kernel.errors import DataProblems, IntegrityError, NotFound, Problem, Unavailable


class NoSuchFlow(NotFound):
    """No release holds the flow in which the call began."""


class FlowRefused(Unavailable):
    """The flow in which the call began is not proven by this version: it is not run."""


@dataclass(frozen=True, slots=True)
class Playable:
    """A proven flow, the words that it is run with (two releases may say the same thing differently), and its proof."""

    flow: Flow
    book: PromptBook
    proof: Proven | None = None


@dataclass(frozen=True, slots=True)
class Flows:
    """A release that was loaded and proven.

    Arguments:
        entry: the flow that an incoming call begins in.
        outgoing: the flow that a return call begins in, ``None`` when there is none: then none is placed.
        callback: the flow that a call begins in to whoever waited and asked to be rung back, or ``None``.
        operator: the flow that an operator's script begins in, or ``None`` when there is none: then none is begun.
        by_digest: every flow that a call or a script may be in.
        book: the prompts of all of them.
        policy: what was proven against, and what the gate decides by.
        release: the texts of all this.
        proofs: of the flows, by digest.
    """

    entry: Flow
    by_digest: Mapping[str, Flow]
    book: PromptBook
    policy: Policy
    release: Release
    outgoing: Flow | None = None
    callback: Flow | None = None
    operator: Flow | None = None
    proofs: Mapping[str, Proven] = field(default_factory=dict)

    def playable(self, digest: str) -> Playable | None:
        """The flow with this digest, if it is of this release."""
        flow = self.by_digest.get(digest)
        return None if flow is None else Playable(flow, self.book, self.proofs.get(digest))


def load_flows(folder: Path, entry: str, prompts: Path, policy_file: Path) -> Flows:
    """Load the flows of ``folder`` and prove each against the policy.

    Arguments:
        folder: ``*.yaml`` files of flows.
        entry: name of the flow that an incoming call begins in.
        prompts, policy_file: files.

    Raises:
        DataProblems: a file cannot be used, or a flow is not proven; with the shortest path that shows it.
    """
    read, spoken = Gathered(), Gathered()
    book, policy = PromptBook.load(prompts, spoken), load_policy(policy_file)
    flows = [load_flow(file, book, read) for file in read.listed(str(folder))]
    release = released(entry, folder, read, prompts, spoken)
    return _proven(flows, book, policy, release, str(folder))


def load_release(release: Release, policy: Policy) -> Flows:
    """The same, of a release that is retained: no file is read.

    Raises:
        DataProblems: this version does not prove it.
    """
    texts = Kept(release.texts)
    book = PromptBook.load(release.prompts, texts)
    flows = [load_flow(file, book, texts) for file in texts.listed(FLOWS)]
    return _proven(flows, book, policy, release, f"release {release.digest[:SHORT]}")


def load_one(release: Release, name: str, digest: str, policy: Policy) -> Playable:
    """One flow of a release that is retained: others of it may have become unprovable.

    Arguments:
        digest: that it must have.

    Raises:
        DataProblems: this version does not prove it.
        IntegrityError: it is another flow.
    """
    texts = Kept(release.texts)
    book = PromptBook.load(release.prompts, texts)
    flow = load_flow(f"{FLOWS}/{name}.yaml", book, texts)
    if not _is_named(flow, digest):
        raise IntegrityError(f"the flow « {name} » of the release {release.digest[:SHORT]} is not {digest[:SHORT]}")
    verdict = prove(flow, book, policy)
    problems = [*house_problems(book, policy), *_unproven([flow], [verdict])]
    if problems:
        raise DataProblems(problems)
    return Playable(flow, book, verdict if isinstance(verdict, Proven) else None)


def _is_named(flow: Flow, digest: str) -> bool:
    """Whether it is the flow that a call or a record names."""
    return flow.digest == digest


def _proven(flows: Sequence[Flow], book: PromptBook, policy: Policy, release: Release, place: str) -> Flows:
    """The flows of a release, each proven, and which of them begins what.

    Arguments:
        place: where they were read, for whoever has to mend something.
    """
    verdicts = [prove(flow, book, policy) for flow in flows]
    problems, entry = [*house_problems(book, policy), *_unproven(flows, verdicts)], release.entry
    by_name = {flow.name: flow for flow in flows}
    if entry not in by_name:
        problems.append(Problem(place, 0, f"there is no flow « {entry} »", "name an existing flow as entry"))
    elif by_name[entry].channel is not Channel.VOICE:
        what = f"the flow « {entry} » is not for calls"
        problems.append(Problem(place, 0, what, "name one of the channel voice as entry"))
    elif by_name[entry].direction is Direction.OUTGOING:
        what = f"the flow « {entry} » is for calls that we place"
        problems.append(Problem(place, 0, what, "name one for incoming calls as entry"))
    outgoing = _begun_by(ProofKind.RETURN_CALL, flows, place, problems)
    callback = _begun_by(ProofKind.PRESENCE, flows, place, problems)
    operator = _shown_to_operators(flows, place, problems)
    problems += _unsaid(flows, book)
    if problems:
        raise DataProblems(problems)
    by_digest = {flow.digest: flow for flow in flows}
    proofs = {flow.digest: one for flow, one in zip(flows, verdicts, strict=True) if isinstance(one, Proven)}
    return Flows(by_name[entry], by_digest, book, policy, release, outgoing, callback, operator, proofs)


def _begun_by(kind: ProofKind, flows: Sequence[Flow], place: str, problems: list[Problem]) -> Flow | None:
    """The flow for calls that we place which begins by asking for ``kind``; several are a problem."""
    found = [flow for flow in flows if flow.direction is Direction.OUTGOING and _asks(flow) is kind]
    if len(found) > 1:
        names = ", ".join(f"« {flow.name} »" for flow in found)
        what = f"several flows are for calls that we place, and begin with « prove: {kind} »: {names}"
        problems.append(Problem(place, 0, what, "keep one"))
    return found[0] if found else None


def _shown_to_operators(flows: Sequence[Flow], place: str, problems: list[Problem]) -> Flow | None:
    """The flow of the channel console; several are a problem."""
    found = [flow for flow in flows if flow.channel is Channel.CONSOLE]
    if len(found) > 1:
        names = ", ".join(f"« {flow.name} »" for flow in found)
        problems.append(Problem(place, 0, f"several flows are for operators: {names}", "keep one"))
    return found[0] if found else None


def _unsaid(flows: Sequence[Flow], book: PromptBook) -> list[Problem]:
    """Words of a wait that the book has not, or could not say.

    Whoever waits in a flow that cannot be read any more hears the current release's (``calls.waiting_room``), even if
    nobody waits in any flow of it.
    """
    if all(flow.channel is Channel.CONSOLE for flow in flows):
        return []
    problems: list[Problem] = []
    for key in QUEUE_PROMPTS:
        if key not in book:
            problems.append(Problem(book.file, 0, f"the prompt « {key} » is missing", "write it: it is said by itself"))
        elif fault := sink_fault(None, book[key]):
            problems.append(Problem(book.file, book[key].line, fault.what, fault.mend))
    return problems


def _asks(flow: Flow) -> ProofKind | None:
    start = flow.steps[flow.start]
    return start.by if isinstance(start, Prove) else None


def _unproven(flows: Sequence[Flow], verdicts: Sequence[Proven | Refuted]) -> list[Problem]:
    """What stands against running these flows, by their verdicts: one problem for each cause."""
    problems: list[Problem] = []
    for flow, verdict in zip(flows, verdicts, strict=True):
        if not isinstance(verdict, Refuted):
            continue
        for cause in causes(flow, verdict.counterexamples):
            example = cause.first
            problems.append(Problem(example.file, example.line, _in_words(cause), example.mend))
        if verdict.more:
            what = f"the flow is refuted: {verdict.more} more steps"
            problems.append(Problem(flow.file, 0, what, "mend those above first: these may be of the same causes"))
    return problems


def _in_words(cause: Cause) -> str:
    way = way_in_words(cause.first.path) + others_in_words(cause)
    return f"the flow is refuted: {cause.first.what}; the shortest way there:\n{way.rstrip()}"
