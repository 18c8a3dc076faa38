"""The must-analysis on graphs of thousands of nodes: right there too, and no way written out that nobody asked for.

No clock is looked at: what is counted is how many lines of the analysis are run, which grows as the graph does.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from random import Random
from types import FrameType
from typing import Any

import pytest

from callcenter.flow import graph, must, shortest
from callcenter.flow.graph import Effect, Exit, Fact, Graph, Node, Procedure
from callcenter.flow.must import analyse
from tests.unit.flow.product import is_a_way

FACTS = tuple(f"f{index}" for index in range(12))
SIZE = 5_000


class Lines:
    """How many lines of the analysis were run."""

    count = 0


@contextmanager
def counted() -> Iterator[Lines]:
    """Count lines meanwhile; another tracer, such as one of coverage, is given back its place."""
    lines, before, files = Lines(), sys.gettrace(), (graph.__file__, must.__file__, shortest.__file__)

    def local(frame: FrameType, kind: str, argument: Any) -> Any:
        lines.count += kind == "line"
        return local

    def entered(frame: FrameType, kind: str, argument: Any) -> Any:
        return local if frame.f_code.co_filename in files else None

    sys.settrace(entered)
    try:
        yield lines
    finally:
        sys.settrace(before)


# --- graphs


def flat(size: int) -> Graph:
    """Ways forward and back at random, in which facts come and go."""
    chance = Random(size)
    nodes: dict[str, Node] = {}
    for at in range(size):
        targets = [
            min(at + 1, size - 1),
            *(chance.randrange(max(0, at - 50), size) for _ in range(chance.randrange(3))),
        ]
        nodes[f"n{at}"] = Node(f"n{at}", tuple(Exit(str(to), f"n{to}", some_effect(chance)) for to in targets))
    return Graph(nodes, ("n0",))


def some_effect(chance: Random) -> Effect:
    if chance.random() < 0.7:
        return Effect(establishes=frozenset(chance.sample(FACTS, 2)))
    return Effect(ends=frozenset(chance.sample(FACTS, chance.randrange(2))))


def chain(size: int) -> Graph:
    """One way, as deep as there are nodes, and from its end back to each."""
    names = [f"n{at}" for at in range(size)]
    nodes = {
        name: Node(name, (Exit("then", then, Effect(frozenset({FACTS[at % 12]}), frozenset({FACTS[(at + 6) % 12]}))),))
        for at, (name, then) in enumerate(pairwise(names))
    }
    nodes[names[-1]] = Node(names[-1], tuple(Exit(name, name) for name in names))
    return Graph(nodes, ("n0",))


def wide(size: int) -> Graph:
    """One node with thousands of exits, whose ways all meet again."""
    chance = Random(size)
    spokes = [f"n{at}" for at in range(size - 2)]
    nodes = {name: Node(name, (Exit("then", "last", some_effect(chance)),)) for name in spokes}
    nodes["first"] = Node("first", tuple(Exit(name, name, some_effect(chance)) for name in spokes))
    nodes["last"] = Node("last", (Exit("then", "first"),))
    return Graph(nodes, ("first",))


def ladder(size: int) -> Graph:
    """Ways of unlike length that meet again and again, so that what holds is taken back as late as it can be."""
    nodes: dict[str, Node] = {}
    for at in range(0, size - 3, 3):
        gone = Effect(ends=frozenset({FACTS[at // 3 % len(FACTS)]}))
        nodes[f"n{at}"] = Node(f"n{at}", (Exit("short", f"n{at + 3}"), Exit("long", f"n{at + 1}", gone)))
        nodes[f"n{at + 1}"] = Node(f"n{at + 1}", (Exit("then", f"n{at + 2}"),))
        nodes[f"n{at + 2}"] = Node(f"n{at + 2}", (Exit("then", f"n{at + 3}"),))
    last = f"n{len(nodes)}"
    nodes[last] = Node(last, (Exit("then", last),))
    nodes["start"] = Node("start", (Exit("then", "n0", Effect(frozenset(FACTS))),))
    return Graph(nodes, ("start",))


def nested(size: int, depth: int = 40) -> Graph:
    """Each procedure runs the next one twice: the innermost is run from two to the power of ``depth`` places.

    In each, ``first`` is its start, a line of idle nodes follows, then come ``once`` and ``twice``, which run the next
    one. ``seen I`` holds once procedure I was entered; ``fresh`` does until the innermost was.
    """
    nodes = {"main": Node("main", (Exit("then", "outside", Effect(frozenset({"fresh"}))),))}
    nodes["outside"] = Node("outside", (Exit("left", "after"),), runs="p0")
    nodes["after"] = Node("after")
    procedures: dict[str, Procedure] = {}
    idle = size // depth - 4
    for at in range(depth):
        seen = Effect(frozenset({f"seen {at}"}), frozenset({"fresh"} if at == depth - 1 else ()))
        line = [f"first {at}", *(f"idle {at} {number}" for number in range(idle)), f"once {at}", f"twice {at}"]
        for number, name in enumerate(line):
            then = line[number + 1] if number + 1 < len(line) else f"leaving {at}"
            runs = f"p{at + 1}" if name.startswith(("once", "twice")) and at + 1 < depth else None
            nodes[name] = Node(name, (Exit("left", then, Effect() if number else seen),), runs=runs)
        nodes[f"leaving {at}"] = Node(f"leaving {at}", leaves="left")
        procedures[f"p{at}"] = Procedure(f"p{at}", line[0], frozenset([*line, f"leaving {at}"]))
    return Graph(nodes, ("main",), procedures)


# --- right there too


def lengths_by_fact(graph: Graph, fact: Fact) -> dict[tuple[str, bool], int]:
    """Without procedures, each fact goes its way alone: how many nodes are passed to each node with it, and without."""
    found = {(root, False): 1 for root in graph.roots}
    waiting = deque(found)
    while waiting:
        name, held = waiting.popleft()
        for one in graph.nodes[name].exits:
            there = (one.target, fact in one.effect.establishes or (held and fact not in one.effect.ends))
            if there not in found:
                found[there] = found[name, held] + 1
                waiting.append(there)
    return found


@pytest.mark.parametrize(
    "made", [flat(SIZE), chain(SIZE), wide(SIZE), ladder(SIZE)], ids=["flat", "chain", "wide", "ladder"]
)
def test_p9_five_thousand_nodes_are_judged_as_fact_by_fact(made: Graph) -> None:
    analysis = analyse(made)
    fails = 0
    for fact in FACTS:
        lengths = lengths_by_fact(made, fact)
        for name in made.nodes:
            lacking = lengths.get((name, False))
            reached = lacking is not None or (name, True) in lengths
            assert (name in analysis.holds) == reached
            if reached:
                assert (fact in analysis.holds[name]) == (lacking is None)
        for name in Random(fact).sample(sorted(made.nodes), 2):
            way, lacking = analysis.shortest(name, fact), lengths.get((name, False))
            assert (way and len(way)) == lacking
            fails += way is not None
            assert way is None or (way[-1].node == name and fact not in way[-1].facts and is_a_way(made, way))
    assert fails >= len(FACTS) / 2


@pytest.mark.parametrize("size", [SIZE, 2 * SIZE])
def test_p9_a_procedure_that_is_run_from_a_million_million_places_is_analysed_once(size: int) -> None:
    depth = 40
    made = nested(size, depth)
    assert size * 0.9 < len(made.nodes) <= size + 3
    analysis = analyse(made)
    entered = [frozenset(f"seen {at}" for at in range(count)) for count in range(depth + 1)]
    for at in range(depth - 1):
        at_first = frozenset({"fresh"} if at == 0 else ())  # nobody comes there a second time
        assert analysis.holds[f"first {at}"] == entered[at] | at_first
        assert analysis.holds[f"once {at}"] == entered[at + 1] | at_first
        assert analysis.holds[f"twice {at}"] == analysis.holds[f"leaving {at}"] == entered[depth]
    assert analysis.holds["after"] == entered[depth]
    assert analysis.holds["outside"] == {"fresh"}
    idle = len([name for name in made.procedures["p0"].nodes if name.startswith("idle")])
    down = analysis.shortest(f"first {depth - 1}", None)
    assert down is not None
    assert len(down) == 3 + (depth - 1) * (idle + 2)
    assert "fresh" in down[-1].facts
    again = analysis.shortest(f"first {depth - 1}", "fresh")
    assert again is not None
    assert len(again) == len(down) + (idle + 4) + 1  # once through the innermost one, and by the second run into it
    assert again[-1].facts == entered[depth]
    assert is_a_way(made, down)
    assert is_a_way(made, again)
    assert analysis.shortest("after", "seen 39") is None


# --- and without more work than there are nodes


@pytest.mark.parametrize("make", [flat, chain, wide, ladder, nested])
def test_p9_twice_as_many_nodes_are_about_twice_the_work(make: Callable[[int], Graph]) -> None:
    work: list[int] = []
    for size in (SIZE // 5, 2 * SIZE // 5):
        made = make(size)
        with counted() as lines:
            analyse(made).shortest(next(iter(made.nodes)), FACTS[0])
        assert lines.count > size  # or nothing was counted
        work.append(lines.count)
    assert work[1] < 2.6 * work[0]
