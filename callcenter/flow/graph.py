"""Graphs whose exits establish facts and end others, with procedures that nodes run and come back from.

Plain values, which know nothing of callers or calls: ``flow.must`` says what holds in a graph, ``flow.shortest`` how a
fact comes to be missing, ``flow.proof`` what nodes, exits and facts are in a flow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from callcenter.kernel.errors import CallcenterError

Fact = str
Facts = frozenset[Fact]

NOTHING: Facts = frozenset()


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


def callees_first(runs: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """The procedures, each behind those that it runs.

    Arguments:
        runs: by name, those that a procedure runs.

    Raises:
        Recursion: some run each other in a circle.
    """
    try:
        return tuple(TopologicalSorter(runs).static_order())
    except CycleError as error:
        raise Recursion(tuple(reversed(error.args[1]))) from None
