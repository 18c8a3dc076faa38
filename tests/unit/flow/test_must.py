"""The must-analysis, against an exhaustive search of the product that was written apart (``product``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from hypothesis import event, given, settings

from callcenter.flow.graph import Effect, Exit, Graph, Node, Passed, Procedure, Recursion
from callcenter.flow.must import Analysis, analyse
from tests.unit.flow.graphs import FACTS, graph, graphs
from tests.unit.flow.product import Product, is_a_way

#: Random graphs. Those of hypothesis are fewer: they are there to be made small where one disagrees.
SEEDS = 4000
TRAITS = {
    "a fact holds on every way",
    "a fact holds on some ways only",
    "a fact holds inside a procedure",
    "a fact fails inside a procedure",
    "a fact holds behind a procedure",
    "a fact fails behind a procedure",
    "a procedure is run from several places",
    "three runs are open at once",
    "a way escapes from a procedure",
    "something is never reached",
    "a procedure is entered, and no way leaves it",
}


# --- random graphs


def disagreements(made: Graph, analysis: Analysis, product: Product) -> list[str]:
    """All that ``analysis`` says otherwise than ``product``, in words."""
    holds = product.holds()
    found = [] if dict(analysis.holds) == holds else [f"holds: {dict(analysis.holds)} instead of {holds}"]
    for node in made.nodes:
        for fact in (None, *FACTS, "unheard of"):
            way, length = analysis.shortest(node, fact), product.shortest(node, fact)
            if way is None:
                wrong = "" if length is None else f"none instead of one of {length}"
            elif length is None:
                wrong = f"{way} instead of none"
            elif len(way) != length:
                wrong = f"{way} instead of one of {length}"
            elif way[-1].node != node or fact in way[-1].facts or not is_a_way(made, way):
                wrong = f"{way}, which is none"
            else:
                wrong = ""
            if wrong:
                found.append(f"shortest way to {node} without {fact}: {wrong}")
    return found


def traits(made: Graph, product: Product) -> dict[str, bool]:
    """What makes a graph worth looking at, and whether it is so of this one."""
    holds, states = product.holds(), product.lengths
    inside = {name for procedure in made.procedures.values() for name in procedure.nodes}
    varied = {at.node for at in states if at.facts != holds[at.node]}
    run = Counter(node.runs for node in made.nodes.values() if node.runs and node.name in holds)
    behind = {one.target for node in made.nodes.values() if node.runs for one in node.exits} & holds.keys()
    return {
        "a fact holds on every way": any(holds.values()),
        "a fact holds on some ways only": bool(varied),
        "a fact holds inside a procedure": any(holds[name] for name in inside & holds.keys()),
        "a fact fails inside a procedure": bool(varied & inside),
        "a fact holds behind a procedure": any(holds[name] for name in behind),
        "a fact fails behind a procedure": bool(varied & behind),
        "a procedure is run from several places": max(run.values(), default=0) > 1,
        "three runs are open at once": any(len(at.back) == 3 for at in states),
        "a way escapes from a procedure": any(
            one.target not in inside for name in inside & holds.keys() for one in made.nodes[name].exits
        ),
        "something is never reached": len(holds) < len(made.nodes),
        "a procedure is entered, and no way leaves it": any(
            not any(made.nodes[name].leaves for name in procedure.nodes & holds.keys())
            for procedure in made.procedures.values()
            if procedure.start in holds
        ),
    }


def test_p9_what_holds_and_each_shortest_way_are_what_an_exhaustive_search_finds() -> None:
    seen: Counter[str] = Counter()
    for seed in range(SEEDS):
        made = graph(Random(seed).randrange)
        product = Product(made)
        seen.update(trait for trait, is_so in traits(made, product).items() if is_so)
        wrong = disagreements(made, analyse(made), product)
        assert not wrong, "\n".join([f"seed {seed}: {made}", *wrong])
    # Agreement on graphs of which nothing could be said wrongly would be worth nothing.
    assert {trait: times for trait, times in seen.items() if times >= SEEDS / 20}.keys() == TRAITS


@settings(max_examples=300, deadline=None)
@given(graphs())
def test_p9_the_same_on_graphs_that_shrink(made: Graph) -> None:
    product = Product(made)
    for trait, is_so in traits(made, product).items():
        if is_so:
            event(trait)
    wrong = disagreements(made, analyse(made), product)
    assert not wrong, "\n".join([str(made), *wrong])


# --- the judge sees


def as_if_all_ways_met(analysis: Analysis, product: Product) -> None:
    """What any way brings is taken for what all bring."""
    analysis.holds = {
        node: frozenset().union(*(at.facts for at in product.lengths if at.node == node)) for node in analysis.holds
    }


def as_if_nothing_held(analysis: Analysis, product: Product) -> None:
    analysis.holds = dict.fromkeys(analysis.holds, frozenset())


def as_if_all_were_reached(analysis: Analysis, product: Product) -> None:
    analysis.holds = dict.fromkeys(product.graph.nodes, frozenset(FACTS)) | dict(analysis.holds)


#: What is done to a shortest way: each makes of it something that none is.
SPOILT: dict[str, Callable[[tuple[Passed, ...]], tuple[Passed, ...] | None]] = {
    "is not found": lambda way: None,
    "is longer": lambda way: (way[0], *way),
    "leaves something out": lambda way: way[1:] or None,
    "is left by another outlet": lambda way: tuple(replace(one, outlet=f"{one.outlet}x") for one in way),
    "tells facts that do not hold": lambda way: tuple(replace(one, facts=one.facts | {"made up"}) for one in way),
    "ends elsewhere": lambda way: (*way[:-1], replace(way[-1], node="nowhere")),
}


@pytest.mark.parametrize("spoil", [as_if_all_ways_met, as_if_nothing_held, as_if_all_were_reached])
def test_p9_an_analysis_that_is_wrong_about_what_holds_is_found_out(
    spoil: Callable[[Analysis, Product], None],
) -> None:
    wrong = 0
    for seed in range(200):
        made = graph(Random(seed).randrange)
        analysis, product = analyse(made), Product(made)
        spoil(analysis, product)
        wrong += bool(disagreements(made, analysis, product))
    assert wrong > 20


@pytest.mark.parametrize("how", SPOILT)
def test_p9_a_shortest_way_that_is_none_is_found_out(how: str) -> None:
    for seed in range(50):
        made = graph(Random(seed).randrange)
        analysis = analyse(made)
        wrong = disagreements(made, Spoilt(analysis, SPOILT[how]), Product(made))
        assert wrong, made


class Spoilt(Analysis):
    """An analysis whose ways are not what they should be."""

    def __init__(self, true: Analysis, spoil: Callable[[tuple[Passed, ...]], tuple[Passed, ...] | None]) -> None:
        self.holds = true.holds
        self._true = true
        self._spoil = spoil

    def shortest(self, node: str, fact: str | None) -> tuple[Passed, ...] | None:
        way = self._true.shortest(node, fact)
        return None if way is None else self._spoil(way)


# --- recursion


def circle(made: Graph) -> bool:
    """Whether any procedure can come to run itself, by trying all sequences of runs."""
    runs = {
        name: {made.nodes[node].runs for node in procedure.nodes} - {None}
        for name, procedure in made.procedures.items()
    }
    chains = {(name,) for name in runs}
    for _ in runs:
        chains = {(*chain, then) for chain in chains for then in runs[chain[-1]]}  # type: ignore[misc]
    return bool(chains)  # longer than there are procedures: one stands in it twice


def test_p9_procedures_that_run_each_other_in_a_circle_are_refused_and_no_others() -> None:
    refused = 0
    for seed in range(1500):
        made = graph(Random(seed).randrange, circles=True)
        if circle(made):
            with pytest.raises(Recursion) as raised:
                analyse(made)
            told = raised.value.circle
            assert str(raised.value) == f"the procedures {' → '.join(told)} run each other in a circle"
            assert len(told) > 1
            assert told[0] == told[-1]
            assert len(set(told)) == len(told) - 1
            for outer, inner in pairwise(told):
                assert inner in {made.nodes[node].runs for node in made.procedures[outer].nodes}
            refused += 1
        else:
            wrong = disagreements(made, analyse(made), Product(made))
            assert not wrong, "\n".join([f"seed {seed}: {made}", *wrong])
    assert 300 < refused < 1200


# --- by hand


def test_p9_of_equally_short_ways_the_one_by_the_first_exit_is_told() -> None:
    level = Effect(frozenset({"level"}))
    nodes = [
        Node("menu", (Exit("1", "left"), Exit("2", "right"), Exit("3", "sure", level))),
        Node("left", (Exit("then", "told"),)),
        Node("right", (Exit("then", "told"),)),
        Node("sure", (Exit("then", "told"),)),
        Node("told"),
    ]
    none: frozenset[str] = frozenset()
    analysis = analyse(Graph({node.name: node for node in nodes}, ("menu",)))
    assert analysis.holds["told"] == none
    assert analysis.shortest("told", "level") == (
        Passed("menu", "1", none),
        Passed("left", "then", none),
        Passed("told", "", none),
    )


def test_p9_a_way_tells_where_it_goes_into_a_procedure_and_how_it_comes_back() -> None:
    nodes = [
        Node("start", (Exit("then", "run"),)),
        Node("run", (Exit("yes", "told", Effect(ends=frozenset({"sure"}))), Exit("no", "end")), runs="asks"),
        Node("ask", (Exit("1", "back", Effect(frozenset({"asked", "sure"}))), Exit("2", "not"), Exit("0", "end"))),
        Node("back", leaves="yes"),
        Node("not", leaves="no"),
        Node("told"),
        Node("end"),
    ]
    asks = Procedure("asks", "ask", frozenset({"ask", "back", "not"}))
    analysis = analyse(Graph({node.name: node for node in nodes}, ("start",), {"asks": asks}))
    none, both = frozenset[str](), frozenset({"asked", "sure"})
    assert analysis.holds == {
        "start": none, "run": none, "ask": none, "back": both, "not": none, "told": {"asked"}, "end": none,
    }  # fmt: skip
    assert analysis.shortest("told", "asked") is None
    assert analysis.shortest("told", "sure") == (
        Passed("start", "then", none),
        Passed("run", "", none),
        Passed("ask", "1", none),
        Passed("back", "yes", both),
        Passed("told", "", frozenset({"asked"})),
    )
    assert analysis.shortest("end", None) == (
        Passed("start", "then", none),
        Passed("run", "", none),
        Passed("ask", "0", none),
        Passed("end", "", none),
    )


def test_p9_a_way_through_a_procedure_is_as_long_as_all_that_is_passed_in_it() -> None:
    """Six nodes by the procedure, and as many round it: the first exit decides. One less round it, and it does not."""

    def outlet(around: int) -> str:
        nodes = [
            Node("start", (Exit("through", "run"), Exit("round", "n0"))),
            Node("run", (Exit("left", "told"),), runs="asks"),
            Node("ask", (Exit("then", "ask more"),)),
            Node("ask more", (Exit("then", "back"),)),
            Node("back", leaves="left"),
            *(Node(f"n{at}", (Exit("then", f"n{at + 1}" if at + 1 < around else "told"),)) for at in range(around)),
            Node("told"),
        ]
        asks = Procedure("asks", "ask", frozenset({"ask", "ask more", "back"}))
        way = analyse(Graph({node.name: node for node in nodes}, ("start",), {"asks": asks})).shortest("told", None)
        assert way is not None
        assert len(way) == min(6, around + 2)
        return way[0].outlet

    assert outlet(around=5) == "through"
    assert outlet(around=4) == "through"
    assert outlet(around=3) == "round"


def test_p9_a_way_out_of_a_procedure_in_a_procedure_brings_what_both_did() -> None:
    nodes = [
        Node("start", (Exit("then", "outer run", Effect(frozenset({"first", "lost"}))),)),
        Node("outer run", (Exit("left", "told"),), runs="outer"),
        Node("outer", (Exit("then", "inner run", Effect(frozenset({"second"}))),)),
        Node("inner run", (Exit("left", "back"),), runs="inner"),
        Node("back", leaves="left"),
        Node("inner", (Exit("0", "away", Effect(frozenset({"third"}), frozenset({"lost"}))), Exit("1", "inside"))),
        Node("inside", leaves="left"),
        Node("told"),
        Node("away"),
    ]
    procedures = {
        "outer": Procedure("outer", "outer", frozenset({"outer", "inner run", "back"})),
        "inner": Procedure("inner", "inner", frozenset({"inner", "inside"})),
    }
    analysis = analyse(Graph({node.name: node for node in nodes}, ("start",), procedures))
    assert analysis.holds["away"] == {"first", "second", "third"}
    assert analysis.holds["told"] == {"first", "lost", "second"}
    way = analysis.shortest("away", "lost")
    assert way is not None
    assert [one.node for one in way] == ["start", "outer run", "outer", "inner run", "inner", "away"]
    assert analysis.shortest("away", "third") is None
