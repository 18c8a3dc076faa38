"""The ways through a flow: each comes to an end, none goes round in silence, and all can reach a person (P7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from callcenter.flow.language import (
    Ask,
    Card,
    Choose,
    Connect,
    Disclose,
    Do,
    End,
    Find,
    Flow,
    Go,
    Move,
    Prove,
    Queue,
    ReachOut,
    Reference,
    Step,
    TakeMessage,
    Verify,
)
from callcenter.flow.soundness import step_problem
from callcenter.flow.subflow_language import Leave
from callcenter.flow.turns import alone_onward, turn_problems
from callcenter.kernel.errors import Problem

#: Steps at which a caller always has the word. Not ``verify``: live evidence answers it without a question.
QUESTIONS: tuple[type[Step], ...] = (Choose, Ask, TakeMessage, ReachOut, Prove)
#: Outlets by which something has failed or been refused: none may lead into a corner.
FALLBACKS = frozenset(
    {"silence", "nonsense", "refused", "unavailable", "withheld", "failed", "abandoned", "unanswered"}
)


def graph_problems(flow: Flow) -> list[Problem]:
    """What is wrong with the ways through a flow whose steps are right by themselves."""
    person_path = reached(flow, [flow.person], alone=True)
    problems = [*end_problems(flow), *_wordless_problems(flow)]
    problems += [*turn_problems(flow, QUESTIONS), *_person_problems(flow, person_path)]
    problems += unreached_problems(flow)
    heard = reached(flow, [flow.start, flow.person])
    people = {step.name for step in flow.steps.values() if isinstance(step, Queue)} | {flow.person}
    leads = leading_to(flow, people)
    for step in flow.steps.values():
        if step.name in heard and step.name not in person_path:
            problems += _way_to_person_problems(flow, step, leads)
    return problems


def unreached_problems(flow: Flow) -> Iterator[Problem]:
    """Steps to which no way leads."""
    heard = reached(flow, [flow.start, flow.person])
    for step in flow.steps.values():
        if step.name not in heard:
            yield step_problem(flow, step, f"no way leads to step « {step.name} »", "lead to it, or remove it")


def reached(flow: Flow, roots: Iterable[str], *, alone: bool = False) -> frozenset[str]:
    """Every step to which a way leads from ``roots``.

    Arguments:
        alone: only by ways on which the caller has met nobody.
    """
    seen: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend((alone_onward(flow, flow.steps[name]) if alone else flow.onward(name)).values())
    return frozenset(seen)


def leading_to(flow: Flow, goals: Iterable[str]) -> frozenset[str]:
    """Every step from which a way leads to one of ``goals``, whoever has run the sub-flow in which it stands."""
    leads = set(goals)
    before: dict[str, list[str]] = {}
    awaited: dict[str, set[str]] = {}
    for step in flow.steps.values():
        onward = set(flow.onward(step.name).values())
        if isinstance(step, Leave):
            onward = awaited[step.name] = set(flow.behind(step))
        for target in onward:
            before.setdefault(target, []).append(step.name)
    waiting = list(leads)
    while waiting:
        target = waiting.pop()
        for name in before.get(target, ()):
            awaited.get(name, set()).discard(target)
            if name not in leads and not awaited.get(name):
                leads.add(name)
                waiting.append(name)
    return frozenset(leads)


def end_problems(flow: Flow) -> Iterator[Problem]:
    """Steps from which no way leads to an end."""
    leads = leading_to(flow, [step.name for step in flow.steps.values() if isinstance(step, End)])
    for step in flow.steps.values():
        if step.name not in leads:
            yield step_problem(flow, step, f"no way leads from step « {step.name} » to an end", "lead to an end step")


def _wordless_problems(flow: Flow) -> Iterator[Problem]:
    """Only two who have talked need no goodbye: everybody else would take a call that ends in silence for a fault."""
    wordless = {step.name for step in flow.steps.values() if isinstance(step, End) and step.prompt is None}
    led = {(target, name, outlet) for name, outlet, target in flow.edges() if target in wordless}
    for target, name, outlet in sorted(led):
        if not (isinstance(flow.steps[name], Connect | Queue) and outlet == "connected"):
            what = f"the outlet « {outlet} » of step « {name} » leads to « {target} », which ends without words"
            yield step_problem(flow, flow.steps[name], what, "lead to an end with a prompt")
    for name in sorted(wordless & {flow.start, flow.person}):
        what = f"the step « {name} » ends the call of somebody who has talked to nobody, without words"
        yield step_problem(flow, flow.steps[name], what, "give it a prompt")


def _person_problems(flow: Flow, person_path: frozenset[str]) -> Iterator[Problem]:
    """The way to a person asks for no proof: whoever could not be verified must be able to walk it to its end."""
    for name in person_path:
        step = flow.steps[name]
        if isinstance(step, Verify | Prove | Find | Disclose | Do | Reference | Card | Move):
            what = (
                f"step « {name} » stands on the way to a person (from « {flow.person} »), which must ask for no proof"
            )
            yield step_problem(flow, step, what, "end the way to a person with a message or an end")


def _way_to_person_problems(flow: Flow, step: Step, leads: frozenset[str]) -> Iterator[Problem]:
    """P7 for one step outside the way to a person; the menus on that way are on it already and need no ``0``.

    Arguments:
        leads: the steps from which a way leads to a person.
    """
    if isinstance(step, Choose) and not ("0" in step.keys and _is_person(flow, step.keys["0"])):
        what = f"the menu « {step.name} » does not lead to a person by 0"
        yield step_problem(flow, step, what, f"add the key « 0: {flow.person} »")
    for outlet, target in step.outlets().items():
        if outlet == "withheld" and not _is_person(flow, target):
            # Words between the refusal and the person would tell that something is withheld.
            what = f"the outlet « withheld » of step « {step.name} » does not lead to « {flow.person} » at once"
            yield step_problem(flow, step, what, f"write « withheld: {flow.person} »")
        elif isinstance(step, Prove):
            continue  # whoever has not typed the code is told nothing, and is put through to nobody
        elif outlet in FALLBACKS and target not in leads:
            what = f"no way leads to a person from the outlet « {outlet} » of step « {step.name} »"
            yield step_problem(flow, step, what, f"lead to « {flow.person} », or to a menu")


def _is_person(flow: Flow, name: str) -> bool:
    """Whether ``name`` is the person step, perhaps through go steps, which say nothing."""
    seen: set[str] = set()
    while name != flow.person and name not in seen:
        seen.add(name)
        step = flow.steps[name]
        if isinstance(step, Go):
            name = step.to
    return name == flow.person
