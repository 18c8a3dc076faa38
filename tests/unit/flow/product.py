"""The product of a graph: every state (who waits for its way back, node, facts) that a way can come to, one by one.

What judges ``flow.must``. It shares nothing with it but the values that say what a graph is: it follows single ways,
hop by hop, and knows of no summary and of no meet.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from callcenter.flow.graph import Effect, Exit, Fact, Facts, Graph, Passed


@dataclass(frozen=True, slots=True)
class At:
    """One state.

    Arguments:
        back: the run nodes whose procedures are not left yet, the innermost last.
        node: that the way has come to.
        facts: that hold on arrival.
    """

    back: tuple[str, ...]
    node: str
    facts: Facts


@dataclass(slots=True)
class Product:
    """All states, each with the least number of nodes that a way to it passes, the last one included."""

    graph: Graph
    lengths: dict[At, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        waiting = deque(starts(self.graph))
        self.lengths = dict.fromkeys(waiting, 1)
        while waiting:
            here = waiting.popleft()
            for _, there in hops(self.graph, here):
                if there not in self.lengths:
                    self.lengths[there] = self.lengths[here] + 1
                    waiting.append(there)

    def holds(self) -> dict[str, Facts]:
        """What holds on every way to a node, for every node that any way comes to."""
        met: dict[str, Facts] = {}
        for state in self.lengths:
            met[state.node] = met.get(state.node, state.facts) & state.facts
        return met

    def shortest(self, node: str, fact: Fact | None) -> int | None:
        """The length of a shortest way to ``node`` on which ``fact`` does not hold; ``None`` if there is none."""
        return min(
            (length for at, length in self.lengths.items() if at.node == node and fact not in at.facts), default=None
        )


def starts(graph: Graph) -> list[At]:
    """Where ways begin."""
    return [At((), root, frozenset()) for root in dict.fromkeys(graph.roots)]


def hops(graph: Graph, here: At) -> Iterator[tuple[str, At]]:
    """Every state that follows ``here``, with the outlet that leads to it: empty for the way into a procedure."""
    node = graph.nodes[here.node]
    if node.runs is not None:
        yield "", At((*here.back, node.name), graph.procedures[node.runs].start, here.facts)
    elif node.leaves is None:
        for one in node.exits:
            yield one.outlet, _beyond(graph, one, here.back, here.facts)
    elif here.back:
        *outer, ran = here.back
        for one in graph.nodes[ran].exits:
            if one.outlet == node.leaves:
                yield node.leaves, _beyond(graph, one, tuple(outer), here.facts)


def _beyond(graph: Graph, taken: Exit, back: tuple[str, ...], facts: Facts) -> At:
    """The state behind an exit: where it leads out of all procedures, nobody is come back to any more."""
    inside = any(taken.target in procedure.nodes for procedure in graph.procedures.values())
    return At(back if inside else (), taken.target, _behind(taken.effect, facts))


def _behind(effect: Effect, facts: Facts) -> Facts:
    return frozenset(fact for fact in facts if fact not in effect.ends).union(effect.establishes)


def is_a_way(graph: Graph, way: Sequence[Passed]) -> bool:
    """Whether somebody can walk ``way`` from a root, hop by hop, with the facts that it tells."""
    if not way or way[-1].outlet:
        return False
    here = {state for state in starts(graph) if (state.node, state.facts) == (way[0].node, way[0].facts)}
    for passed, then in pairwise(way):
        here = {
            there
            for state in here
            for outlet, there in hops(graph, state)
            if (outlet, there.node, there.facts) == (passed.outlet, then.node, then.facts)
        }
    return bool(here)
