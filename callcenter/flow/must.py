"""A must-analysis of a graph: which facts hold at a node on every way to it.

An exit of a node establishes facts and ends others; where ways meet, what all of them bring is kept; the greatest fixed
point is what a node may rely on. (Dominators would say that every way visits a node, but not by which exit it
left, nor what has undone it since.)

A procedure is a part of the graph that nodes run and come back from. Each fact goes through an exit by itself, so that
what a procedure does to *any* set of facts is told by two of them, none and all: it is analysed once, whoever runs it
(Sharir and Pnueli's functional approach). All of it is linear in practice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce

from callcenter.flow.graph import NOTHING, Effect, Fact, Facts, Graph, Node, Passed, callees_first
from callcenter.flow.shortest import Search


@dataclass(frozen=True, slots=True)
class Passage:
    """What the ways from one node to another do to facts, together.

    Arguments:
        gives: the facts that hold there if none held before.
        keeps: the facts that hold there if all held before; ``gives`` among them.
    """

    gives: Facts
    keeps: Facts

    def of(self, facts: Facts) -> Facts:
        """The facts that hold there if ``facts`` held before."""
        return self.gives | (facts & self.keeps)

    def through(self, effect: Effect) -> Passage:
        """This one, then an exit."""
        return Passage(effect.beyond(self.gives), effect.beyond(self.keeps))

    def then(self, other: Passage) -> Passage:
        """This one, then ``other``."""
        return Passage(other.of(self.gives), other.of(self.keeps))

    def meeting(self, other: Passage) -> Passage:
        """What both bring: either may have been the way."""
        return Passage(self.gives & other.gives, self.keeps & other.keeps)


@dataclass(frozen=True, slots=True)
class _Part:
    """The main graph, or one procedure, as it is seen from its own start.

    Arguments:
        passages: to every node of it that is reached.
        leaves: what its ways do from start to leaving, by outlet.
        escapes: the same from its start to nodes of the main graph, by name.
    """

    passages: Mapping[str, Passage]
    leaves: Mapping[str, Passage]
    escapes: Mapping[str, Passage]


class Analysis:
    """What holds where, and ways that show it.

    Arguments:
        graph: that was analysed.
        holds: for every node that can be reached, the facts that hold on every way to it.
        order: the procedures, each behind those that it runs.
    """

    def __init__(self, graph: Graph, holds: Mapping[str, Facts], order: tuple[str, ...]) -> None:
        self.graph = graph
        self.holds = holds
        self._order = order
        self._searches: dict[Fact | None, Search] = {}

    def shortest(self, node: str, fact: Fact | None) -> tuple[Passed, ...] | None:
        """A shortest way to ``node`` on which ``fact`` does not hold on arrival; ``None`` if there is none.

        Arguments:
            fact: ``None`` for the shortest way at all.
        """
        if fact not in self._searches:
            self._searches[fact] = Search(self.graph, self._order, fact)
        return self._searches[fact].way((node, False))


def analyse(graph: Graph) -> Analysis:
    """What holds at every node of ``graph``.

    Raises:
        Recursion: procedures run each other in a circle.
    """
    order = callees_first(
        {
            name: [run for node in procedure.nodes if (run := graph.nodes[node].runs) is not None]
            for name, procedure in graph.procedures.items()
        }
    )
    everything = _facts_of(graph)
    parts: dict[str, _Part] = {}
    for name in order:
        procedure = graph.procedures[name]
        parts[name] = _part(graph, {procedure.start: Passage(NOTHING, everything)}, procedure.nodes, parts)
    inside = frozenset[str]().union(*(graph.procedures[name].nodes for name in order))
    # A root is reached with no facts, whatever else leads there.
    begun = dict.fromkeys(graph.roots, Passage(NOTHING, NOTHING))
    whole = _part(graph, begun, frozenset(graph.nodes.keys() - inside), parts)
    holds = {name: passage.gives for name, passage in whole.passages.items()}
    runners = _runners(graph)
    for name in reversed(order):
        arriving = [holds[runner] for runner in runners.get(name, ()) if runner in holds]
        if arriving:
            entry = reduce(frozenset.intersection, arriving)
            holds |= {node: passage.of(entry) for node, passage in parts[name].passages.items()}
    return Analysis(graph, holds, order)


def _facts_of(graph: Graph) -> Facts:
    """Every fact that an exit establishes: no other ever holds."""
    return NOTHING.union(*(leading.effect.establishes for node in graph.nodes.values() for leading in node.exits))


def _runners(graph: Graph) -> Mapping[str, list[str]]:
    """The nodes that run each procedure."""
    runners: dict[str, list[str]] = {}
    for node in graph.nodes.values():
        if node.runs is not None:
            runners.setdefault(node.runs, []).append(node.name)
    return runners


def _part(graph: Graph, starts: Mapping[str, Passage], inside: frozenset[str], parts: Mapping[str, _Part]) -> _Part:
    """The greatest fixed point of the nodes ``inside``, reached by ``starts``."""
    passages = dict(starts)
    leaves: dict[str, Passage] = {}
    escapes: dict[str, Passage] = {}
    waiting = deque(passages)
    while waiting:
        node = graph.nodes[waiting.popleft()]
        here = passages[node.name]
        if node.leaves is not None:
            _meet(leaves, node.leaves, here)
        for target, passage in _onward(node, here, parts):
            if target not in inside:
                _meet(escapes, target, passage)
            elif _meet(passages, target, passage):
                waiting.append(target)
    return _Part(passages, leaves, escapes)


def _meet(known: dict[str, Passage], name: str, passage: Passage) -> bool:
    """Let ``passage`` be another way to ``name``; whether less holds there than before."""
    before = known.get(name)
    met = passage if before is None else before.meeting(passage)
    known[name] = met
    return met != before


def _onward(node: Node, here: Passage, parts: Mapping[str, _Part]) -> Iterator[tuple[str, Passage]]:
    """Where the ways go on from ``node``, if it is reached by ``here``."""
    if node.runs is None:
        for leading in node.exits:
            yield leading.target, here.through(leading.effect)
        return
    run = parts[node.runs]
    for leading in node.exits:
        if leading.outlet in run.leaves:
            yield leading.target, here.then(run.leaves[leading.outlet]).through(leading.effect)
    for target, escape in run.escapes.items():
        yield target, here.then(escape)
