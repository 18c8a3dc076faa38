"""Why a step is safe: what it needs, which outlets establish that on every way to it, and the shortest of them all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from callcenter.disclosure.policy import Policy
from callcenter.flow.facts import level_in
from callcenter.flow.graph import Exit, Fact, Facts, Graph, Node
from callcenter.flow.language import Flow, Level, Step
from callcenter.flow.must import analyse
from callcenter.flow.needs import Need, needs, told_by
from callcenter.flow.prompts import PromptBook
from callcenter.flow.proof import Counterexample, Hop, counterexample_of, graph_of, way
from callcenter.kernel.errors import NotFound
from callcenter.kernel.labels import Category


class NoSuchStep(NotFound):
    """The flow has no step of that name, or no way leads to it.

    Arguments:
        step: as it was asked for.
    """

    def __init__(self, step: str) -> None:
        super().__init__(f"no step « {step} »")
        self.step = step


@dataclass(frozen=True, slots=True)
class GuardingOutlet:
    """An outlet that establishes what a step needs.

    Arguments:
        step, outlet: by which every way passes, or by another guard.
        file, line: where the step stands.
    """

    step: str
    outlet: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that a step needs, and why it has it.

    Arguments:
        need: with what the step does that needs it.
        guards: one of these is passed on every way to the step, and nothing behind it undoes it. Empty: unmet.
    """

    need: Need
    guards: tuple[GuardingOutlet, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a step may do what it does, or the way that shows that it may not.

    Arguments:
        tells: categories of what it tells about a patient.
        holds: what is known on every way to it.
        reasons: for each need.
        shortest: the shortest way to it.
        refuted: why it is not safe; ``None`` where it is.
    """

    step: Step
    tells: frozenset[Category]
    holds: Facts
    reasons: tuple[Reason, ...]
    shortest: tuple[Hop, ...]
    refuted: Counterexample | None

    @property
    def level(self) -> Level:
        """The level that is known on every way."""
        return level_in(self.holds)


def explain(flow: Flow, name: str, book: PromptBook, policy: Policy) -> Explanation:
    """Why the step ``name`` of ``flow`` is safe.

    Raises:
        NoSuchStep: there is none, or no way leads to it.
    """
    graph = graph_of(flow)
    analysis = analyse(graph)
    if name not in analysis.holds:
        raise NoSuchStep(name)
    step, holds = flow.steps[name], analysis.holds[name]
    wanted = needs(step, flow, book, policy)
    guards = _Guards(flow, graph)
    reasons = tuple(Reason(need, guards.of(name, need.fact) if need.fact in holds else ()) for need in wanted)
    return Explanation(
        step,
        told_by(step, book),
        holds,
        reasons,
        way(flow, analysis.shortest(name, None) or ()),
        counterexample_of(flow, step, wanted, analysis),
    )


class _Guards:
    """Goes back from a step to the outlets that establish a fact, through sub-flows as they were run."""

    def __init__(self, flow: Flow, graph: Graph) -> None:
        self._flow = flow
        self._graph = graph
        self._before: dict[str, list[tuple[Node, Exit]]] = {}
        for node in graph.nodes.values():
            for leading in node.exits:
                self._before.setdefault(leading.target, []).append((node, leading))
        #: By the first step of each sub-flow, the steps that run it.
        self._runs: dict[str, list[str]] = {}
        for node in graph.nodes.values():
            if node.runs is not None:
                self._runs.setdefault(graph.procedures[node.runs].start, []).append(node.name)

    def of(self, name: str, fact: Fact | None) -> tuple[GuardingOutlet, ...]:
        """The outlets that establish ``fact`` on the ways to ``name``, in the flow's order."""
        found: dict[tuple[str, str], GuardingOutlet] = {}
        #: A step, and the steps that run the sub-flows which were gone into backwards.
        waiting: list[tuple[str, tuple[str, ...]]] = [(name, ())]
        seen = set(waiting)
        while waiting:
            here, through = waiting.pop()
            for guard, further in self._back(here, through, fact):
                if guard is not None:
                    found[guard.step, guard.outlet] = guard
                elif further not in seen:
                    seen.add(further)
                    waiting.append(further)
        order = {step: at for at, step in enumerate(self._flow.steps)}
        return tuple(sorted(found.values(), key=lambda guard: (order[guard.step], guard.outlet)))

    def _back(
        self, here: str, through: tuple[str, ...], fact: Fact | None
    ) -> Iterator[tuple[GuardingOutlet | None, tuple[str, tuple[str, ...]]]]:
        for node, leading in self._before.get(here, ()):
            if fact in leading.effect.establishes:
                yield self._guard(node, leading), (here, through)
            elif node.runs is None:
                yield None, (node.name, through)
            else:
                for left in self._leaving(node.runs, leading.outlet):
                    yield None, (left, (*through, node.name))
        for run in self._runs.get(here, ()):
            if not through:
                yield None, (run, ())
            elif run == through[-1]:
                yield None, (run, through[:-1])

    def _guard(self, node: Node, leading: Exit) -> GuardingOutlet:
        return GuardingOutlet(
            node.name, leading.outlet, self._flow.file_of(node.name), self._flow.steps[node.name].line
        )

    def _leaving(self, procedure: str, outlet: str) -> list[str]:
        inside = self._graph.procedures[procedure].nodes
        return [name for name in inside if self._graph.nodes[name].leaves == outlet]
