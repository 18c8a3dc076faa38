"""What a sub-flow must be, and whoever runs it: one way in, named ways out, and no circle of sub-flows."""

from __future__ import annotations

from collections.abc import Iterator

from callcenter.flow.graph import Recursion, callees_first
from callcenter.flow.language import Flow, Step
from callcenter.flow.soundness import step_problem
from callcenter.flow.subflow_language import Leave, Run, Subflow
from callcenter.kernel.errors import Problem

#: Sub-flows that run one another, at most.
DEEPEST = 16


def leaves_of(flow: Flow, subflow: Subflow) -> frozenset[str]:
    """The outlets by which ``subflow`` is left."""
    return frozenset(step.by for name in subflow.steps if isinstance(step := flow.steps[name], Leave))


def subflow_problems(flow: Flow) -> Iterator[Problem]:
    """What is wrong with the sub-flows of ``flow``, and with the steps that run them."""
    for step in flow.steps.values():
        within = flow.within(step.name)
        if isinstance(step, Leave) and within is None:
            what = f"step « {step.name} » goes back, but stands in no sub-flow"
            yield step_problem(flow, step, what, "lead to a step, or to an end")
        if isinstance(step, Run) and step.subflow in flow.subflows:
            yield from _run_problems(flow, step, flow.subflows[step.subflow])
        yield from _border_problems(flow, step, within)
    for subflow in flow.subflows.values():
        if not leaves_of(flow, subflow):
            what = f"no step of the sub-flow « {subflow.name} » goes back to whoever runs it"
            yield Problem(subflow.file, 0, what, "add a step « leave: OUTLET », or write the steps into the flow")
    yield from _circle_problems(flow)


def _run_problems(flow: Flow, step: Run, subflow: Subflow) -> Iterator[Problem]:
    leaves = leaves_of(flow, subflow)
    for outlet in sorted(leaves - step.ways.keys()):
        what = f"step « {step.name} » says nowhere to go when « {subflow.name} » is left by « {outlet} »"
        yield step_problem(flow, step, what, f"write « {outlet}: STEP »")
    for outlet in sorted(step.ways.keys() - leaves):
        what = f"step « {step.name} » names « {outlet} », by which « {subflow.name} » is never left"
        known = ", ".join(sorted(leaves)) or "none"
        yield step_problem(flow, step, what, f"take it out: the outlets are {known}")


def _border_problems(flow: Flow, step: Step, within: str | None) -> Iterator[Problem]:
    """Into a sub-flow by running it, and out of it by leaving; but a person is reached from everywhere (P7)."""
    ways_out = {flow.person, flow.withheld}
    for outlet, target in step.outlets().items():
        there = flow.within(target)
        if target not in flow.steps or there == within or (there is None and target in ways_out):
            continue
        what = f"the outlet « {outlet} » of step « {step.name} » leads to « {target} »"
        if there is not None:
            yield step_problem(flow, step, f"{what} in the midst of the sub-flow « {there} »", f"use « run: {there} »")
        else:
            what = f"{what}, out of the sub-flow « {within} »"
            yield step_problem(flow, step, what, f"lead to a leave step, or to « {flow.person} »")


def _circle_problems(flow: Flow) -> Iterator[Problem]:
    runs = {
        name: [step.subflow for one in subflow.steps if isinstance(step := flow.steps[one], Run)]
        for name, subflow in flow.subflows.items()
    }
    try:
        order = callees_first(runs)
    except Recursion as error:
        what = f"the sub-flows {' → '.join(error.circle)} run each other in a circle"
        yield Problem(flow.subflows[error.circle[0]].file, 0, what, "let one of them do without the other")
        return
    depth: dict[str, int] = {}
    for name in order:
        depth[name] = 1 + max((depth[run] for run in runs.get(name, ())), default=0)
        if depth[name] == DEEPEST + 1:
            what = f"from « {name} » on, sub-flows run each other more than {DEEPEST} deep"
            yield Problem(flow.subflows[name].file, 0, what, "let one of them do without another")
