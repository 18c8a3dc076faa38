"""The ways through an operator's script: each comes to an end, and a message and the end are near from everywhere.

The step that the file calls ``person`` is where every refusal leads; the one that it calls ``withheld`` is where all
leads that is not told to a caller who is verified (``person`` where it names none). From both a message can be taken
and the call closed by one key each. What is withheld is worded by the engine, the same whatever its cause (P6).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from callcenter.flow.language import End, Find, Flow, Go, Step, TakeMessage, Verify
from callcenter.flow.script_files import WITHHELD
from callcenter.flow.script_language import Declare, Dispose, Pick, Reveal
from callcenter.flow.soundness import step_problem
from callcenter.flow.turns import turn_problems
from callcenter.flow.ways import end_problems, leading_to, unreached_problems
from callcenter.kernel.errors import Problem

#: Steps at which the operator always has the word. Live evidence answers ``verify`` without a question, and ``book``
#: and ``move`` ask nothing where no slot is free.
QUESTIONS: tuple[type[Step], ...] = (Pick, TakeMessage, Reveal, Declare, Dispose)
#: The key that leads on from every choice: to a step of refusals, or to the end of the call.
WAY_OUT = "0"
#: Outlets behind which nothing is told: nobody may tell from what follows why.
_REFUSALS: Mapping[type[Step], tuple[str, ...]] = {
    Verify: ("refused", "unavailable"),
    Find: (WITHHELD,),
    Reveal: (WITHHELD,),
    Declare: (WITHHELD,),
}


def script_graph_problems(flow: Flow) -> list[Problem]:
    """What is wrong with the ways through a script whose steps are right by themselves."""
    problems = [*end_problems(flow), *turn_problems(flow, QUESTIONS), *unreached_problems(flow)]
    problems += _closing_problems(flow)
    for name in dict.fromkeys((flow.person, _withheld(flow))):
        problems += _offering_problems(flow, flow.steps[name])
    leads = leading_to(flow, [flow.person])
    for step in flow.steps.values():
        problems += _refusal_problems(flow, step)
        problems += _way_out_problems(flow, step, leads)
    return problems


def _closing_problems(flow: Flow) -> Iterator[Problem]:
    """Every call is closed with what became of it, once, and nothing follows."""
    for name, outlet, target in flow.edges():
        step = flow.steps[name]
        if isinstance(step, Dispose) != isinstance(flow.steps[target], End):
            if isinstance(step, Dispose):
                what = f"the outlet « {outlet} » of step « {name} » goes on with a call that is closed"
                yield step_problem(flow, step, what, "lead to an end step")
            else:
                what = f"the outlet « {outlet} » of step « {name} » ends a call of which nobody says what became of it"
                yield step_problem(flow, step, what, "lead to a dispose step")
    if isinstance(flow.steps[flow.start], End | Dispose):
        yield step_problem(flow, flow.steps[flow.start], "a script begins with its end", "begin with a choice")


def _withheld(flow: Flow) -> str:
    return flow.withheld or flow.person


def _offering_problems(flow: Flow, person: Step) -> Iterator[Problem]:
    """What is wrong with a step to which refusals lead."""
    if not isinstance(person, Pick):
        what = f"the step « {person.name} », to which every refusal leads, is no choice"
        yield step_problem(flow, person, what, "write a choose step with « options »")
        return
    led = {type(_at_once(flow, way.to)) for way in person.options.values()}
    if TakeMessage not in led:
        what = f"no option of « {person.name} », to which every refusal leads, takes a message"
        yield step_problem(flow, person, what, "add an option that leads to a take_message step")
    if Dispose not in led:
        what = f"no option of « {person.name} », to which every refusal leads, closes the call"
        yield step_problem(flow, person, what, f"add the option « {WAY_OUT} », which leads to a dispose step")


def _refusal_problems(flow: Flow, step: Step) -> Iterator[Problem]:
    """What stands between a refusal and its step would tell why something is withheld, or what was wrong."""
    for outlet in _REFUSALS.get(type(step), ()):
        to = _withheld(flow) if outlet == WITHHELD else flow.person
        if _at_once(flow, step.outlets()[outlet]).name != to:
            what = f"the outlet « {outlet} » of step « {step.name} » does not lead to « {to} » at once"
            yield step_problem(flow, step, what, f"write « {outlet}: {to} »")


def _way_out_problems(flow: Flow, step: Step, leads: frozenset[str]) -> Iterator[Problem]:
    """A message and the end are near: by one key from every choice, and by some way from everywhere.

    Arguments:
        leads: the steps from which a way leads to the person step.
    """
    if isinstance(step, Pick):
        way, refused = step.options.get(WAY_OUT), (flow.person, _withheld(flow))
        led = None if way is None else _at_once(flow, way.to)
        if led is None or not (isinstance(led, Dispose) or (step.name not in refused and led.name in refused)):
            where = "a dispose step" if step.name in refused else f"« {flow.person} », or to a dispose step,"
            what = f"the choice « {step.name} » does not lead to {where} by {WAY_OUT}"
            yield step_problem(flow, step, what, f"add the option « {WAY_OUT} »")
    if not isinstance(step, Dispose | End) and step.name not in leads:
        what = f"no way leads from step « {step.name} » to « {flow.person} », where a message can be taken"
        yield step_problem(flow, step, what, f"lead to « {flow.person} », or to a choice")


def _at_once(flow: Flow, name: str) -> Step:
    """The step ``name``, or the one to which go steps lead from there: they show nothing."""
    seen: set[str] = set()
    step = flow.steps[name]
    while isinstance(step, Go) and step.name not in seen:
        seen.add(step.name)
        step = flow.steps[step.to]
    return step
