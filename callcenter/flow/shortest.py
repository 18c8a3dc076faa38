"""The shortest ways through a graph on which one fact does not hold: what shows that it is missing.

Whether the fact holds is all that differs between two ways to a node; a procedure is searched once for each of the two,
whoever runs it, and no way is ever written out but the one that is asked for.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count

from callcenter.flow.graph import NOTHING, Effect, Exit, Fact, Graph, Passed

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


class Search:
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
