"""Random graphs for ``flow.must``: facts that come and go, loops, procedures in procedures, dead corners."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hypothesis import strategies as st

from callcenter.flow.graph import Effect, Exit, Graph, Node, Procedure

FACTS = ("a", "b", "c")
OUTLETS = ("x", "y")
#: Procedures run procedures to this depth.
DEPTH = 3

#: A number below the given one.
Chance = Callable[[int], int]


def _up_to(most: int) -> st.SearchStrategy[int]:
    return st.integers(0, most)


_NUMBERS: Mapping[int, st.SearchStrategy[int]] = {below: _up_to(below - 1) for below in range(1, 60)}


@st.composite
def graphs(draw: st.DrawFn, *, circles: bool = False) -> Graph:
    """A graph that hypothesis draws, and makes smaller where a test fails."""
    return graph(lambda below: draw(_NUMBERS[below]), circles=circles)


def graph(chance: Chance, *, circles: bool = False) -> Graph:
    """One graph. A node leads rather to a later one than back, or few facts would ever hold behind a join.

    Arguments:
        circles: a procedure may run any, itself too; otherwise only those behind it.
    """
    depth = max(min(chance(DEPTH + 4), DEPTH), 1 if circles else 0)
    main = [f"m{index}" for index in range(2 + chance(4))]
    bodies = [[f"p{at}_{index}" for index in range(1 + chance(4))] for at in range(depth)]
    nodes: dict[str, Node] = {}
    for at, names in enumerate([main, *bodies]):
        runs = [f"p{number}" for number in range(0 if circles else at, depth)]
        for index, name in enumerate(names):
            nodes[name] = _node(chance, names, index, runs, main if at else ())
    procedures = {f"p{at}": Procedure(f"p{at}", names[0], frozenset(names)) for at, names in enumerate(bodies)}
    roots = (("m0",), ("m0",), ("m0",), ("m1", "m0", "m1"))[chance(4)]
    return Graph(nodes, roots, procedures)


def _node(chance: Chance, names: Sequence[str], index: int, runs: Sequence[str], main: Sequence[str]) -> Node:
    """One node, where ``names`` are those of its part, and ``main`` those of the main graph if it is of a procedure."""
    leaves = (3 if index == len(names) - 1 else 1) if main else 0
    kinds = [*["plain"] * 2, *["runs"] * ((2 if index else 6) if runs else 0), *["leaves"] * leaves]
    kind = kinds[chance(len(kinds))]
    if kind == "leaves":
        return Node(names[index], leaves=OUTLETS[chance(len(OUTLETS))])
    later = list(names[index + 1 :])
    onward = [*later[:1], *later[:1], *later, *later, *names, *main[:1]]
    # Whoever runs a procedure mostly says where each of its outlets leads; one that it does not name ends the way.
    wanted = len(OUTLETS) + chance(2) if kind == "runs" else chance(4)
    exits = tuple(
        Exit(OUTLETS[(at + chance(4) // 3) % len(OUTLETS)], onward[chance(len(onward))], _effect(chance))
        for at in range(wanted)
    )
    return Node(names[index], exits, runs=runs[chance(min(2, len(runs)))] if kind == "runs" else None)


def _effect(chance: Chance) -> Effect:
    """Most exits of a real flow do nothing to facts, and more of them establish some than end some."""
    match chance(6):
        case 0 | 1:
            return Effect(establishes=_facts(chance))
        case 2:
            return Effect(ends=_facts(chance))
        case 3:
            return Effect(establishes=_facts(chance), ends=_facts(chance))
        case _:
            return Effect()


def _facts(chance: Chance) -> frozenset[str]:
    return frozenset(fact for fact in FACTS if not chance(2))
