"""The proof that a flow cannot disclose without sufficient verification, nor ask before the emergency line (P9, P7).

A must-analysis (``flow.must``) of the flow's steps: each outlet establishes facts and ends others (``flow.effects``),
and each step needs some (``flow.needs``). A flow whose needs are not met is refuted by the shortest way that shows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from callcenter.disclosure.policy import Policy
from callcenter.flow.effects import AT_THE_LIMIT, LIMIT, effect
from callcenter.flow.facts import EMERGENCY, LEVELS, PROVED, level_in
from callcenter.flow.graph import Exit, Fact, Facts, Graph, Node, Passed, Procedure
from callcenter.flow.language import (
    Ask,
    Book,
    Card,
    Channel,
    Choose,
    Flow,
    Level,
    Move,
    Prove,
    ReachOut,
    Reference,
    Step,
    TakeMessage,
    Verify,
)
from callcenter.flow.must import Analysis, analyse
from callcenter.flow.needs import Need, needs, needs_emergency
from callcenter.flow.prompts import PromptBook
from callcenter.flow.script_language import Declare, Pick, Reveal, Show
from callcenter.flow.subflow_language import INTO, Leave, Run

# --- verdicts


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of a way.

    Arguments:
        step: name of the step.
        outlet: by which it is left; empty for the last one, « run » into a sub-flow, « limit » where the engine leads
            to the person step, once a call has grown too long.
        file, line: where the step stands.
        facts: that are known on arrival, on this way.
    """

    step: str
    outlet: str
    file: str
    line: int
    facts: Facts

    @property
    def level(self) -> Level:
        """The level that is known on arrival, on this way."""
        return level_in(self.facts)


@dataclass(frozen=True, slots=True)
class Counterexample:
    """One step whose need is not met, and the shortest way that shows it.

    Arguments:
        file, line: where the step stands.
        fact: that it lacks; ``None`` if nothing could make it safe.
        what: is wrong with it, in words.
        path: from the start to the step.
        mend: what to do about it, in words.
    """

    file: str
    line: int
    fact: Fact | None
    what: str
    path: tuple[Hop, ...]
    mend: str


@dataclass(frozen=True, slots=True)
class Guarded:
    """One step that needs something to be known of the caller, and what it may rely on."""

    step: str
    needs: tuple[Fact, ...]
    holds: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Proven:
    """No way through the flow can disclose without sufficient verification.

    Arguments:
        flow: its name.
        digest: of the flow and its prompts, which alone the proof is about.
        policy: version of the policy against which it was proven.
        summary: every step that needs something.
    """

    flow: str
    digest: str
    policy: str
    summary: tuple[Guarded, ...]


@dataclass(frozen=True, slots=True)
class Refuted:
    """Some way could disclose without sufficient verification.

    Arguments:
        counterexamples: one for each step that is in need, in the flow's order; of the first ones only.
        more: steps in need of which none is shown.
    """

    flow: str
    counterexamples: tuple[Counterexample, ...]
    more: int = 0


# --- the graph of a flow


#: Counterexamples that a refutation shows: each is a whole way through the flow.
SHOWN = 20
#: Steps at which a call, or a script, may turn out to have grown too long, and is led to the person step: they ask, and
#: wait for the answer (``flow.engine``, ``flow.script_engine``). Whoever leaves a message, is put through or waits for
#: an operator is led nowhere, nor is an operator who closes the call.
LED_FROM: Mapping[Channel, tuple[type[Step], ...]] = {
    Channel.VOICE: (Choose, Ask, Verify, ReachOut, Prove, Book, Reference, Card, Move),
    Channel.CONSOLE: (Show, Pick, Verify, Reveal, Declare, TakeMessage, Book, Move),
}


def graph_of(flow: Flow) -> Graph:
    """The steps of ``flow`` as nodes, with what their outlets do to what is known."""
    return Graph(
        {step.name: _node(step, flow) for step in flow.steps.values()},
        (flow.start,),
        {part.name: Procedure(part.name, part.start, part.steps) for part in flow.subflows.values()},
    )


def _node(step: Step, flow: Flow) -> Node:
    exits = [Exit(outlet, target, effect(step, outlet, flow)) for outlet, target in step.outlets().items()]
    if isinstance(step, LED_FROM[flow.channel]):
        exits.append(Exit(LIMIT, flow.person, AT_THE_LIMIT))
    runs = step.subflow if isinstance(step, Run) else None
    return Node(step.name, tuple(exits), runs, step.by if isinstance(step, Leave) else None)


def guaranteed(flow: Flow) -> Mapping[str, Facts]:
    """For every step that can be reached, what is known on every way to it."""
    return analyse(graph_of(flow)).holds


# --- the proof


def prove(flow: Flow, book: PromptBook, policy: Policy, most: int | None = SHOWN) -> Proven | Refuted:
    """Whether no way through ``flow`` can disclose without what ``policy`` requires, or ask before the emergency line.

    Arguments:
        flow: as ``flow.load`` made it; every prompt that it names is in ``book``.
        most: counterexamples of a refutation; ``None`` for all.
    """
    analysis = analyse(_told_once(flow, graph_of(flow)))
    guarded: list[Guarded] = []
    refuted: list[tuple[Step, Need]] = []
    for step in flow.steps.values():
        if step.name not in analysis.holds:
            continue
        holds, wanted = analysis.holds[step.name], needs(step, flow, book, policy)
        if unmet := _unmet(wanted, holds):
            refuted.append((step, unmet))
        elif facts := tuple(need.fact for need in wanted if need.fact and need.fact in PROVED):
            guarded.append(Guarded(step.name, facts, tuple(sorted(holds & PROVED))))
    if refuted:
        shown = tuple(_counterexample(flow, step, unmet, analysis) for step, unmet in refuted[:most])
        return Refuted(flow.name, shown, len(refuted) - len(shown))
    return Proven(flow.name, flow.digest, policy.version, tuple(guarded))


def counterexample_of(flow: Flow, step: Step, wanted: Sequence[Need], analysis: Analysis) -> Counterexample | None:
    """The shortest way that shows the first of the needs that ``step`` has and that is not met."""
    unmet = _unmet(wanted, analysis.holds[step.name])
    return None if unmet is None else _counterexample(flow, step, unmet, analysis)


def _unmet(wanted: Sequence[Need], holds: Facts) -> Need | None:
    return next((need for need in wanted if need.fact is None or need.fact not in holds), None)


def _told_once(flow: Flow, graph: Graph) -> Graph:
    """The same, where a step that lacks the emergency line is refuted, and not all that comes behind it too."""

    def leaving(exit_: Exit) -> Exit:
        return replace(exit_, effect=replace(exit_.effect, establishes=exit_.effect.establishes | {EMERGENCY}))

    nodes = {
        name: replace(node, exits=tuple(map(leaving, node.exits))) if needs_emergency(flow.steps[name], flow) else node
        for name, node in graph.nodes.items()
    }
    return replace(graph, nodes=nodes)


def _counterexample(flow: Flow, step: Step, need: Need, analysis: Analysis) -> Counterexample:
    path = way(flow, analysis.shortest(step.name, need.fact) or ())
    arrives = ""
    if need.fact in LEVELS:
        arrives = f"; it can be reached with level {path[-1].level.value}"
    elif need.fact is not None:
        arrives = "; it can be reached without"
    what = f"step « {step.name} » {need.why}{arrives}"
    return Counterexample(flow.file_of(step.name), step.line, need.fact, what, path, need.mend)


def way(flow: Flow, passed: Sequence[Passed]) -> tuple[Hop, ...]:
    """A way through ``flow``, with where each of its steps stands."""
    hops: list[Hop] = []
    for at, one in enumerate(passed):
        step = flow.steps[one.node]
        outlet = one.outlet or (INTO if at < len(passed) - 1 else "")
        hops.append(Hop(step.name, outlet, flow.file_of(step.name), step.line, one.facts))
    return tuple(hops)
