"""A must-analysis of a graph: which facts hold at a node on every way to it, and the shortest way on which one fails.

An exit of a node establishes facts and ends others; where ways meet, what all of them bring is kept; the greatest fixed
point is what a node may rely on. (Dominators would say that every way visits a node, but not by which exit it
left, nor what has undone it since.) Nothing here knows of callers or calls: ``flow.proof`` says what nodes, exits and
facts are.

A procedure is a part of the graph that nodes run and come back from. Each fact goes through an exit by itself, so that
what a procedure does to *any* set of facts is told by two of them, none and all: it is analysed once, whoever runs it
(Sharir and Pnueli's functional approach). All of it is linear in practice: no way is ever written out but the one that
is asked for.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from graphlib import CycleError, TopologicalSorter
from itertools import count

from callcenter.kernel.errors import CallcenterError

Fact = str
Facts = frozenset[Fact]

NOTHING: Facts = frozenset()


# --- the graph


@dataclass(frozen=True, slots=True)
class Effect:
    """What an exit does to the facts that hold: it ends some, then establishes some."""

    establishes: Facts = NOTHING
    ends: Facts = NOTHING

    def beyond(self, facts: Facts) -> Facts:
        """The facts that hold behind the exit, if ``facts`` held before it."""
        return (facts - self.ends) | self.establishes


@dataclass(frozen=True, slots=True)
class Exit:
    """One way out of a node.

    Arguments:
        outlet: its name; several exits of a node may have one.
        target: name of the node that it leads to. An exit from a procedure's node to the main graph forgets the way
            back.
        effect: on the facts.
    """

    outlet: str
    target: str
    effect: Effect = Effect()


@dataclass(frozen=True, slots=True)
class Node:
    """One node.

    Arguments:
        name: unique in the whole graph.
        exits: in the order in which equally short ways are preferred.
        runs: name of the procedure that is gone through first; the way goes on by the exit whose outlet it was left by.
        leaves: of a node of a procedure: the outlet by which it goes back to whoever ran it.
    """

    name: str
    exits: tuple[Exit, ...] = ()
    runs: str | None = None
    leaves: str | None = None


@dataclass(frozen=True, slots=True)
class Procedure:
    """A part of the graph that nodes run.

    Arguments:
        start: its first node.
        nodes: names of all its nodes, ``start`` among them.
    """

    name: str
    start: str
    nodes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Graph:
    """All nodes.

    Arguments:
        nodes: by name: those of procedures too.
        roots: nodes of the main graph that are reached with no facts.
        procedures: by name. None runs itself, at any depth.
    """

    nodes: Mapping[str, Node]
    roots: tuple[str, ...]
    procedures: Mapping[str, Procedure] = field(default_factory=dict)


class Recursion(CallcenterError):
    """A procedure runs itself.

    Arguments:
        circle: names of procedures, each of which runs the next; the first is the last.
    """

    def __init__(self, circle: tuple[str, ...]) -> None:
        super().__init__(f"the procedures {' → '.join(circle)} run each other in a circle")
        self.circle = circle


@dataclass(frozen=True, slots=True)
class Passed:
    """One node of a way.

    Arguments:
        node: its name.
        outlet: by which it is left; empty for the last one, and for one that goes into the procedure that it runs.
        facts: that hold on arrival, on this way.
    """

    node: str
    outlet: str
    facts: Facts


# --- what holds


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


def analyse(graph: Graph) -> Analysis:
    """What holds at every node of ``graph``.

    Raises:
        Recursion: procedures run each other in a circle.
    """
    order = _callees_first(graph)
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


def _callees_first(graph: Graph) -> tuple[str, ...]:
    """The procedures, each behind those that it runs."""
    runs = {
        name: [run for node in procedure.nodes if (run := graph.nodes[node].runs) is not None]
        for name, procedure in graph.procedures.items()
    }
    try:
        return tuple(TopologicalSorter(runs).static_order())
    except CycleError as error:
        raise Recursion(tuple(reversed(error.args[1]))) from None


# --- the shortest way


#: A node, and whether the fact that is looked for holds on arrival.
_Standing = tuple[str, bool]


@dataclass(frozen=True, slots=True)
class _Led:
    """How a way came to a standing.

    Arguments:
        before: the standing that it comes from.
        leading: the exit that was taken; ``None``: into the procedure that the node runs.
        through: of a procedure that was gone through: the standings in which it was begun and left.
    """

    before: _Standing
    leading: Exit | None
    through: tuple[_Standing, _Standing] | None = None


@dataclass(frozen=True, slots=True)
class _Reach:
    """The shortest ways from one start.

    Arguments:
        lengths: nodes passed before each standing.
        led: how its shortest way came there; nothing for the start itself.
    """

    lengths: Mapping[_Standing, int]
    led: Mapping[_Standing, _Led]


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
        self._searches: dict[Fact | None, _Search] = {}

    def shortest(self, node: str, fact: Fact | None) -> tuple[Passed, ...] | None:
        """A shortest way to ``node`` on which ``fact`` does not hold on arrival; ``None`` if there is none.

        Arguments:
            fact: ``None`` for the shortest way at all.
        """
        if fact not in self._searches:
            self._searches[fact] = _Search(self.graph, self._order, fact)
        return self._searches[fact].way((node, False))


class _Search:
    """The shortest ways to everywhere, as far as one fact is concerned: whether it holds is all that differs."""

    def __init__(self, graph: Graph, order: tuple[str, ...], fact: Fact | None) -> None:
        self._graph = graph
        self._fact = fact
        self._inside: dict[_Standing, _Reach] = {}
        #: By the standing at which a procedure is begun: the nearest standings in which it is left, by outlet.
        self._leaving: dict[_Standing, dict[str, list[tuple[int, _Standing]]]] = {}
        for procedure in (graph.procedures[name] for name in order):
            for begun in ((procedure.start, False), (procedure.start, True)):
                reach = self._reach([begun], procedure.nodes)
                self._inside[begun] = reach
                self._leaving[begun] = self._left(reach)
        self._whole = self._reach([(root, False) for root in graph.roots], None)

    def way(self, goal: _Standing) -> tuple[Passed, ...] | None:
        """The shortest way from a root to ``goal``."""
        if goal not in self._whole.lengths:
            return None
        passed: list[Passed] = []
        facts = NOTHING
        for node, outlet, effect in self._hops(self._whole, goal):
            passed.append(Passed(node, outlet, facts))
            facts = effect.beyond(facts)
        return (*passed, Passed(goal[0], "", facts))

    def _reach(self, starts: Iterable[_Standing], inside: frozenset[str] | None) -> _Reach:
        """The shortest ways from ``starts``: among the nodes ``inside``, or everywhere."""
        ticks = count()
        lengths: dict[_Standing, int] = {}
        led: dict[_Standing, _Led] = {}
        border: list[tuple[int, int, _Standing, _Led | None]] = [(0, next(ticks), start, None) for start in starts]
        while border:
            length, _, here, leading = heapq.heappop(border)
            if here in lengths:
                continue
            lengths[here] = length
            if leading is not None:
                led[here] = leading
            for more, there, how in self._onward(here, everywhere=inside is None):
                if there not in lengths and (inside is None or there[0] in inside):
                    heapq.heappush(border, (length + more, next(ticks), there, how))
        return _Reach(lengths, led)

    def _onward(self, here: _Standing, *, everywhere: bool) -> Iterator[tuple[int, _Standing, _Led]]:
        """Where the ways go on, and how many nodes are passed until there.

        Arguments:
            everywhere: into a procedure too, and not only through it.
        """
        node, holds = self._graph.nodes[here[0]], here[1]
        if node.runs is None:
            for leading in node.exits:
                yield 1, (leading.target, self._beyond(leading, holds)), _Led(here, leading)
            return
        begun = (self._graph.procedures[node.runs].start, holds)
        if everywhere:
            yield 1, begun, _Led(here, None)
        for leading in node.exits:
            for length, left in self._leaving[begun].get(leading.outlet, ()):
                there = (leading.target, self._beyond(leading, left[1]))
                # The node that runs, those inside, and the one that leaves.
                yield length + 2, there, _Led(here, leading, (begun, left))

    def _beyond(self, leading: Exit, holds: bool) -> bool:
        if self._fact in leading.effect.establishes:
            return True
        return holds and self._fact not in leading.effect.ends

    def _left(self, reach: _Reach) -> dict[str, list[tuple[int, _Standing]]]:
        """The nearest standings in which a procedure is left: with the fact, and without, by outlet."""
        nearest: dict[tuple[str, bool], tuple[int, _Standing]] = {}
        for standing, length in reach.lengths.items():  # in the order of their lengths
            outlet = self._graph.nodes[standing[0]].leaves
            if outlet is not None:
                nearest.setdefault((outlet, standing[1]), (length, standing))
        left: dict[str, list[tuple[int, _Standing]]] = {}
        for (outlet, _), found in nearest.items():
            left.setdefault(outlet, []).append(found)
        return left

    def _hops(self, reach: _Reach, goal: _Standing) -> list[tuple[str, str, Effect]]:
        """Node, outlet and effect of all that is passed before ``goal``."""
        hops: list[list[tuple[str, str, Effect]]] = []
        here = goal
        while here in reach.led:
            how = reach.led[here]
            hops.append(self._passed(how))
            here = how.before
        return [hop for part in reversed(hops) for hop in part]

    def _passed(self, how: _Led) -> list[tuple[str, str, Effect]]:
        name, _ = how.before
        if how.leading is None:
            return [(name, "", Effect())]
        if how.through is None:
            return [(name, how.leading.outlet, how.leading.effect)]
        begun, left = how.through
        inside = self._hops(self._inside[begun], left)
        return [(name, "", Effect()), *inside, (left[0], how.leading.outlet, how.leading.effect)]
