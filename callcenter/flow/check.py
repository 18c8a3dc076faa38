"""``callcenter flows check``: load flows, prove them, and say the verdicts to people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from callcenter.disclosure.policy import Policy, load_policy
from callcenter.flow.facts import known
from callcenter.flow.load import load_flow
from callcenter.flow.prompts import PromptBook
from callcenter.flow.proof import Counterexample, Hop, Proven, Refuted, prove
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


def check(paths: Sequence[str | Path], *, book_path: str | Path, policy_path: str | Path) -> CheckReport:
    """Check the flows at ``paths`` against the prompts and the policy.

    Arguments:
        paths: files of flows; a folder stands for the ``*.yaml`` directly in it.
        book_path: file of the prompts.
        policy_path: file of the disclosure policy.
    """
    try:
        book, policy = PromptBook.load(book_path), load_policy(policy_path)
    except DataProblems as error:
        return CheckReport("".join(f"{problem}\n" for problem in error.problems), Verdict.UNCHECKED)
    files = [file for path in paths for file in _files(Path(path))]
    if not files:
        return CheckReport("no flow to check\n    mend: name a file or a folder of flows\n", Verdict.UNCHECKED)
    verdicts = [_check_one(file, book, policy) for file in files]
    return CheckReport("".join(text for text, _ in verdicts), max(verdict for _, verdict in verdicts))


def _files(path: Path) -> list[Path]:
    return sorted(path.glob("*.yaml")) if path.is_dir() else [path]


def _check_one(file: Path, book: PromptBook, policy: Policy) -> tuple[str, Verdict]:
    if not file.is_file():
        return f"{Problem(str(file), 0, 'there is no such file', 'check the path')}\n", Verdict.UNCHECKED
    try:
        flow = load_flow(file, book)
    except DataProblems as error:
        return "".join(_refused(problem) for problem in error.problems), Verdict.REFUSED
    match prove(flow, book, policy):
        case Proven(summary=summary):
            against = f"policy {policy.version} (sha256 {policy.digest[:12]})"
            return f"{flow.file}: proven: {len(summary)} guarded steps, {against}\n", Verdict.PROVEN
        case Refuted(counterexamples=counterexamples):
            return "".join(describe(example) for example in counterexamples), Verdict.REFUSED


def _refused(problem: Problem) -> str:
    place = f"{problem.file}:{problem.line}" if problem.line else problem.file
    return f"{place}: refused: {problem.what}\n    mend: {problem.mend}\n"


def describe(example: Counterexample) -> str:
    """A counterexample in words: file, line, what; the shortest way, with what was known at each step; the mend."""
    return (
        f"{example.file}:{example.line}: refuted: {example.what}\n"
        f"    the shortest way there, and what is known of the caller on it:\n{way_in_words(example.path)}"
        f"    mend: {example.mend}\n"
    )


def way_in_words(path: Sequence[Hop]) -> str:
    """A way, one step a line: where it stands, by which outlet it is left, and what is known on arrival."""
    places = [f"{hop.file}:{hop.line}" for hop in path]
    steps = [f"{hop.step} –{hop.outlet}→" if hop.outlet else hop.step for hop in path]
    wide, long = max(map(len, places)), max(map(len, steps))
    return "".join(
        f"      {place:<{wide}}  {step:<{long}}  {known(hop.facts)}\n"
        for place, step, hop in zip(places, steps, path, strict=True)
    )
