"""A turn of the engine: from one question to the next, through a bounded number of steps, and never in a round (P7)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from functools import cache

from callcenter.flow.language import Flow, Queue, Step
from callcenter.flow.soundness import step_problem
from callcenter.flow.subflow_language import Leave, Run
from callcenter.flow.walking import STEPS_A_TURN
from callcenter.kernel.errors import Problem

Questions = tuple[type[Step], ...]


def turn_problems(flow: Flow, questions: Questions) -> Iterator[Problem]:
    """Rounds without a question, which would run for ever, and ways that are longer than a turn.

    Arguments:
        questions: kinds of steps that always ask.
    """
    silence = _Silence(flow, questions)
    yield from silence.rounds() or silence.long_turns()


def alone_onward(flow: Flow, step: Step) -> Mapping[str, str]:
    """Where a caller goes on from ``step`` without anybody's help, by outlet; into the sub-flow that it runs too.

    To the keys, behind a wait, they are sent by whoever talks with them.
    """
    outlets = dict(flow.onward(step.name))
    if isinstance(step, Queue):
        outlets.pop("keypad", None)
    return outlets


class _Silence:
    """The steps of a flow that may be gone through without a question."""

    def __init__(self, flow: Flow, questions: Questions) -> None:
        self._flow = flow
        self._questions = questions
        silent = [step for step in flow.steps.values() if not self._asks(step)]
        self._onward = {step.name: tuple(alone_onward(flow, step).values()) for step in silent}
        #: Each behind those that it leads to; steps on a round, or that lead to one, are not among them.
        self._ordered = self._order()

    def _asks(self, step: Step) -> bool:
        """Whether ``step`` always asks; a step that runs a sub-flow does if that one begins so."""
        while isinstance(step, Run):
            step = self._flow.steps[self._flow.subflows[step.subflow].start]
        return isinstance(step, self._questions)

    def _until_it_asks(self, name: str) -> int:
        """Steps that are entered up to the question of one that asks: those that run sub-flows, and the question."""
        passed, step = 1, self._flow.steps[name]
        while isinstance(step, Run):
            passed, step = passed + 1, self._flow.steps[self._flow.subflows[step.subflow].start]
        return passed

    def _order(self) -> list[str]:
        left = {name: sum(target in self._onward for target in targets) for name, targets in self._onward.items()}
        before: dict[str, list[str]] = {}
        for name, targets in self._onward.items():
            for target in targets:
                before.setdefault(target, []).append(name)
        ordered = [name for name, targets in left.items() if not targets]
        for done in ordered:
            for name in before.get(done, ()):
                left[name] -= 1
                if not left[name]:
                    ordered.append(name)
        return ordered

    # --- rounds

    def rounds(self) -> list[Problem]:
        """Rounds without a question: only answers may bring a flow back to a step."""
        problems: list[Problem] = []
        settled = set(self._ordered)
        for name in self._onward:
            cycle = None if name in settled else self._round(name)
            if cycle:
                settled.update(cycle)
                what = f"the steps {' → '.join([*cycle, name])} come round without a question"
                mend = "put a menu into the round, or lead out of it"
                problems.append(step_problem(self._flow, self._flow.steps[name], what, mend))
        return problems

    def _round(self, start: str) -> list[str] | None:
        """The shortest way from ``start`` back to it that passes no question."""
        before: dict[str, str] = {}
        waiting = deque([start])
        while waiting:
            name = waiting.popleft()
            for target in self._onward.get(name, ()):
                if target == start:
                    way = [name]
                    while way[-1] != start:
                        way.append(before[way[-1]])
                    return way[::-1]
                if target not in before:
                    before[target] = name
                    waiting.append(target)
        return None

    # --- turns

    def long_turns(self) -> Iterator[Problem]:
        """Ways without a question that are longer than a turn; there is no round."""
        stays, leaves = self._lengths()
        behind: dict[tuple[str | None, str], set[str]] = {}
        for step in self._flow.steps.values():
            if isinstance(step, Run):
                for outlet, target in step.ways.items():
                    behind.setdefault((step.subflow, outlet), set()).add(target)

        @cache
        def whole(name: str) -> int:
            """Steps from ``name`` on, through the ends of sub-flows too, whoever has run them."""
            within = self._flow.within(name)
            lengths = [stays.get(name) or self._until_it_asks(name)]
            for outlet, length in leaves.get(name, {}).items():
                lengths += [length + whole(target) for target in behind.get((within, outlet), ())]
            return max(lengths)

        asking = (step for step in self._flow.steps.values() if step.name not in self._onward)
        begun = dict.fromkeys((self._flow.start, self._flow.person))
        begun |= dict.fromkeys(target for step in asking for target in step.outlets().values())
        for name in begun:
            if whole(name) > STEPS_A_TURN:
                what = f"from step « {name} » on, more than {STEPS_A_TURN} steps may come without a question"
                mend = "put a menu between them, or say several prompts as one"
                yield step_problem(self._flow, self._flow.steps[name], what, mend)

    def _lengths(self) -> tuple[Mapping[str, int], Mapping[str, Mapping[str, int]]]:
        """The longest way from each silent step, its own and the last counted: as far as the sub-flow in which it
        stands, and to leaving that by each outlet.
        """
        stays: dict[str, int] = {}
        leaves: dict[str, dict[str, int]] = {}
        for name in self._ordered:
            step = self._flow.steps[name]
            longest, left = 1, {step.by: 1} if isinstance(step, Leave) else {}
            #: Steps that are passed, this one among them, before each that comes next.
            onward = [(1, target) for target in alone_onward(self._flow, step).values()]
            if isinstance(step, Run):
                start = self._flow.subflows[step.subflow].start
                # The step passes silently, so its sub-flow begins silently, and was measured before.
                longest = 1 + stays[start]
                onward = [(1 + length, step.ways[by]) for by, length in leaves[start].items()]
            for passed, target in onward:
                longest = max(longest, passed + (stays.get(target) or self._until_it_asks(target)))
                for by, length in leaves.get(target, {}).items():
                    left[by] = max(left.get(by, 0), passed + length)
            stays[name], leaves[name] = longest, left
        return stays, leaves
