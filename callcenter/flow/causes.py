"""Which verdicts on a flow have one cause: behind a step that lacks a fact, others lack it because it did.

That is not seen from the ways that are shown, which may pass each other by: the flow is analysed once more as if the
first step were mended, and what has the fact then is of the same cause; then as if the next one were mended too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from callcenter.flow.graph import Exit, Fact, Graph, Node
from callcenter.flow.language import Flow
from callcenter.flow.must import analyse
from callcenter.flow.proof import Counterexample, graph_of


@dataclass(frozen=True, slots=True)
class Cause:
    """What is to be mended at one place.

    Arguments:
        first: the step at which it shows first, by the length of the ways.
        behind: the others that have what they lack once ``first``, and whatever is nearer to the start, are mended as
            they say; in the flow's order.
    """

    first: Counterexample
    behind: tuple[Counterexample, ...] = ()


def causes(flow: Flow, examples: Sequence[Counterexample]) -> tuple[Cause, ...]:
    """The causes of what refutes ``flow``, in the order of their first verdicts.

    Arguments:
        examples: as the proof gives them; each stands under exactly one cause.
    """
    graph = graph_of(flow)
    found = [Cause(example) for example in examples if example.fact is None]
    for fact in dict.fromkeys(example.fact for example in examples if example.fact is not None):
        found += _of_one_fact(graph, fact, [example for example in examples if example.fact == fact])
    return tuple(sorted(found, key=lambda cause: examples.index(cause.first)))


def _of_one_fact(graph: Graph, fact: Fact, examples: Sequence[Counterexample]) -> Iterator[Cause]:
    left = sorted(examples, key=lambda example: len(example.path))  # whoever is nearest to the start comes first
    while left:
        first, *others = left
        graph = _mended(graph, _at(first), fact)
        holds = analyse(graph).holds if others else {}
        left = [example for example in others if fact not in holds[_at(example)]]
        yield Cause(first, tuple(example for example in examples if example in others and example not in left))


def _mended(graph: Graph, name: str, fact: Fact) -> Graph:
    """The same, if ``fact`` held on every way to the node ``name``: it holds behind each exit that does not end it."""

    def leaving(exit_: Exit) -> Exit:
        kept = exit_.effect.beyond(frozenset({fact}))
        return replace(exit_, effect=replace(exit_.effect, establishes=exit_.effect.establishes | (kept & {fact})))

    node: Node = graph.nodes[name]
    nodes: Mapping[str, Node] = {**graph.nodes, name: replace(node, exits=tuple(map(leaving, node.exits)))}
    return replace(graph, nodes=nodes)


def _at(example: Counterexample) -> str:
    return example.path[-1].step
