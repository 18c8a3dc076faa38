"""``callcenter flows check``: load flows, prove them, and say the verdicts to people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import IntEnum
from pathlib import Path

from callcenter.disclosure.policy import Policy, load_policy
from callcenter.flow.causes import Cause, causes
from callcenter.flow.explain import NoSuchStep, explain
from callcenter.flow.language import Flow
from callcenter.flow.load import load_flow
from callcenter.flow.prompts import PromptBook, WordsRefused
from callcenter.flow.proof import SHOWN, Proven, Refuted, prove
from callcenter.flow.sinks import house_problems
from callcenter.flow.subflow_load import FOLDER
from callcenter.flow.verdicts import describe, explanation_in_words, others_in_words
from callcenter.kernel.errors import DataProblems, Problem


class Verdict(IntEnum):
    """What a check came to; also the command's exit code."""

    PROVEN = 0
    REFUSED = 1
    UNCHECKED = 2


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The verdicts on some flows.

    Arguments:
        text: for people; ends with a newline.
        verdict: the worst of them.
    """

    text: str
    verdict: Verdict

    @property
    def exit_code(self) -> int:
        """0 all proven, 1 some flow refuted or refused, 2 something could not be checked."""
        return int(self.verdict)


def check(
    paths: Sequence[str | Path], *, book_path: str | Path, policy_path: str | Path, whole: bool = False
) -> CheckReport:
    """Check the flows at ``paths`` against the prompts and the policy.

    Arguments:
        paths: files of flows; a folder stands for the ``*.yaml`` directly in it.
        book_path: file of the prompts.
        policy_path: file of the disclosure policy.
        whole: tell every step that is refuted with its way, those of one cause too.
    """
    grounds = read_grounds(book_path, policy_path)
    if isinstance(grounds, CheckReport):
        return grounds
    files = [file for path in paths for file in _files(Path(path))]
    if not files:
        return CheckReport("no flow to check\n    mend: name a file or a folder of flows\n", Verdict.UNCHECKED)
    run: set[str] = set()
    verdicts = [_check_one(file, grounds, run, whole) for file in files]
    if all(verdict is Verdict.PROVEN for _, verdict in verdicts):
        verdicts += [_lonely(file) for path in paths for file in _subflows(Path(path)) if file.stem not in run]
    verdicts = [
        *((_refused(problem), Verdict.REFUSED) for problem in house_problems(grounds.book, grounds.policy)),
        *verdicts,
    ]
    return CheckReport("".join(text for text, _ in verdicts), max(verdict for _, verdict in verdicts))


@dataclass(frozen=True, slots=True)
class Grounds:
    """What flows are proven with: their words, and the policy."""

    book: PromptBook
    policy: Policy


def read_grounds(book_path: str | Path, policy_path: str | Path) -> Grounds | CheckReport:
    """The prompts and the policy in these files, or what is wrong with them.

    Words that may not be said are refused, whatever flow says them; without words, nothing can be checked.
    """
    try:
        return Grounds(PromptBook.load(book_path), load_policy(policy_path))
    except WordsRefused as error:
        return _all_refused(error)
    except DataProblems as error:
        return CheckReport("".join(f"{problem}\n" for problem in error.problems), Verdict.UNCHECKED)


def read_flow(file: Path, book: PromptBook) -> Flow | CheckReport:
    """The flow in ``file``, or what is wrong with it."""
    if not file.is_file():
        beside = ", ".join(sorted(one.stem for one in file.parent.glob("*.yaml")))
        mend = f"name one that is there: {beside}" if beside else "check the path"
        return CheckReport(f"{Problem(str(file), 0, 'there is no such file', mend)}\n", Verdict.UNCHECKED)
    try:
        return load_flow(file, book)
    except DataProblems as error:
        return _all_refused(error)


def _all_refused(error: DataProblems) -> CheckReport:
    return CheckReport("".join(_refused(problem) for problem in error.problems), Verdict.REFUSED)


def _files(path: Path) -> list[Path]:
    return sorted(path.glob("*.yaml")) if path.is_dir() else [path]


def _subflows(path: Path) -> list[Path]:
    return sorted((path / FOLDER).glob("*.yaml")) if path.is_dir() else []


def _lonely(file: Path) -> tuple[str, Verdict]:
    """A sub-flow is proven where it is run: one that nobody runs would not be proven at all."""
    return _refused(Problem(str(file), 0, "no flow runs it", "run it, or remove the file")), Verdict.REFUSED


def _check_one(file: Path, grounds: Grounds, run: set[str], whole: bool) -> tuple[str, Verdict]:
    """The verdict on one flow; the sub-flows that it runs are added to ``run``."""
    flow, policy = read_flow(file, grounds.book), grounds.policy
    if isinstance(flow, CheckReport):
        return flow.text, flow.verdict
    run.update(flow.subflows)
    match prove(flow, grounds.book, policy, None if whole else SHOWN):
        case Proven(summary=summary):
            against = f"policy {policy.version} (sha256 {policy.digest[:12]})"
            return f"{flow.file}: proven: {len(summary)} guarded steps, {against}\n", Verdict.PROVEN
        case Refuted(counterexamples=counterexamples, more=more):
            found = [Cause(one) for one in counterexamples] if whole else causes(flow, counterexamples)
            told = "".join(describe(cause.first) + others_in_words(cause) for cause in found)
            return told + (f"{flow.file}: refuted: {more} more steps\n" if more else ""), Verdict.REFUSED


def _refused(problem: Problem) -> str:
    place = f"{problem.file}:{problem.line}" if problem.line else problem.file
    return f"{place}: refused: {problem.what}\n    mend: {problem.mend}\n"


def explain_step(path: str | Path, name: str, *, book_path: str | Path, policy_path: str | Path) -> CheckReport:
    """Why the step ``name`` of the flow at ``path`` is safe, or the shortest way that shows that it is not.

    Arguments:
        path: file of the flow.
        book_path: file of the prompts.
        policy_path: file of the disclosure policy.
    """
    file, grounds = Path(path), read_grounds(book_path, policy_path)
    if isinstance(grounds, CheckReport):
        return grounds
    flow = read_flow(file, grounds.book)
    if isinstance(flow, CheckReport):
        return flow
    try:
        explained = explain(flow, name, grounds.book, grounds.policy)
    except NoSuchStep:
        near = get_close_matches(name, flow.steps, n=3)
        what = f"the flow « {flow.name} » has no step « {name} » to which a way leads"
        mend = f"name one of its steps, such as {', '.join(near)}" if near else f"its steps: {', '.join(flow.steps)}"
        return CheckReport(f"{Problem(str(file), 0, what, mend)}\n", Verdict.UNCHECKED)
    if explained.refuted is not None:
        return CheckReport(describe(explained.refuted), Verdict.REFUSED)
    return CheckReport(explanation_in_words(flow, explained, grounds.policy), Verdict.PROVEN)
