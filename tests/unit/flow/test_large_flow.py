"""A flow of five thousand steps, with sub-flows, is proven, refuted, explained and walked like any other.

No test measures time here: what grew with the square of the steps would not end within a test's limit.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from callcenter.disclosure.policy import load_policy
from callcenter.flow.explain import explain
from callcenter.flow.language import Channel, Choose, Disclose, End, Find, Flow, Level, Lookup, Say, Step, Verify
from callcenter.flow.prompts import PromptBook
from callcenter.flow.proof import SHOWN, Proven, Refuted, prove
from callcenter.flow.subflow_language import Leave, Run, Subflow
from callcenter.flow.verdicts import describe
from callcenter.flow.ways import graph_problems

ROOT = Path(__file__).parents[3]
BOOK = PromptBook.load(ROOT / "flows" / "prompts" / "fr.yaml")
POLICY = load_policy(ROOT / "config" / "disclosure-policy.yaml")
PRACTICES = 500


def large() -> Flow:
    """A chain of menus, each with its own way to an appointment: ten steps each, and two that run one sub-flow."""
    steps: dict[str, Step] = {}

    def add(step: Step) -> None:
        steps[step.name] = step

    add(Say("welcome", 1, "welcome", "menu0"))
    for at in range(PRACTICES):
        onward = f"menu{(at + 1) % PRACTICES}"
        add(Choose(f"menu{at}", at, "main_menu", {"1": f"who{at}", "2": onward, "0": "person"}, "person", "person"))
        add(Verify(f"who{at}", at, Level.VERIFIED, f"find{at}", "person", "person"))
        add(Find(f"find{at}", at, Lookup.NEXT_APPOINTMENT, f"read{at}", f"run{at}", "person"))
        add(Disclose(f"read{at}", at, "appointment_summary", f"again{at}", "person"))
        add(Run(f"again{at}", at, "listens", {"heard": f"menu{at}"}))
        add(Run(f"run{at}", at, "listens", {"heard": f"said{at}"}))
        add(Say(f"said{at}", at, "no_appointment", f"last{at}"))
        add(Choose(f"last{at}", at, "after_menu", {"1": onward, "2": "goodbye", "0": "person"}, "person", "person"))
        add(Say(f"word{at}", at, "no_appointment", f"word_more{at}"))
        add(Say(f"word_more{at}", at, "no_appointment", f"menu{at}"))
        steps[f"last{at}"] = replace(
            steps[f"last{at}"], keys={"1": onward, "2": "goodbye", "3": f"word{at}", "0": "person"}
        )
    add(Choose("listening", 2, "privacy", {"1": "heard", "0": "person"}, "person", "person"))
    add(Leave("heard", 3, "heard"))
    add(End("person", 4, "goodbye"))
    add(End("goodbye", 5, "goodbye"))
    listens = Subflow("listens", "listens.yaml", "listening", frozenset({"listening", "heard"}))
    return Flow(
        "large",
        Channel.VOICE,
        "large.yaml",
        "welcome",
        "person",
        steps,
        "digest",
        emergency="welcome",
        subflows={"listens": listens},
    )


def test_p9_a_flow_of_five_thousand_steps_is_proven() -> None:
    flow = large()
    assert len(flow.steps) > 5000
    assert graph_problems(flow) == []
    verdict = prove(flow, BOOK, POLICY)
    assert isinstance(verdict, Proven)
    assert len(verdict.summary) == 2 * PRACTICES


def test_p9_its_one_fault_is_found_at_the_end_of_a_shortest_way() -> None:
    flow = large()
    last = PRACTICES - 1
    who = flow.steps[f"who{last}"]
    assert isinstance(who, Verify)
    flow = replace(flow, steps={**flow.steps, who.name: replace(who, refused=f"find{last}")})
    verdict = prove(flow, BOOK, POLICY)
    assert isinstance(verdict, Refuted)
    assert [example.path[-1].step for example in verdict.counterexamples] == [f"find{last}", f"read{last}"]
    # Through every menu once: no key leads nearer.
    assert [hop.step for hop in verdict.counterexamples[0].path] == [
        "welcome",
        *(f"menu{at}" for at in range(PRACTICES)),
        f"who{last}",
        f"find{last}",
    ]


def test_of_many_faults_the_first_are_shown_and_the_others_counted() -> None:
    flow = large()
    bare = {name: replace(step, refused=step.verified) for name, step in flow.steps.items() if isinstance(step, Verify)}
    verdict = prove(replace(flow, steps={**flow.steps, **bare}), BOOK, POLICY)
    assert isinstance(verdict, Refuted)
    assert len(verdict.counterexamples) == SHOWN
    assert verdict.more == 2 * PRACTICES - SHOWN
    long = max(verdict.counterexamples, key=lambda example: len(example.path))
    assert len(describe(replace(long, path=long.path * 20)).splitlines()) == 2 + 40 + 1 + 1


def test_where_the_emergency_line_is_missing_only_what_comes_first_is_refuted() -> None:
    flow = replace(large(), emergency="another")
    verdict = prove(flow, BOOK, POLICY)
    assert isinstance(verdict, Refuted)
    assert [example.path[-1].step for example in verdict.counterexamples] == ["welcome"]


def test_a_step_in_its_midst_is_explained() -> None:
    explanation = explain(large(), "read250", BOOK, POLICY)
    guards = {reason.need.fact: [guard.step for guard in reason.guards] for reason in explanation.reasons}
    assert guards["level>=2"] == ["who250"]
    assert guards["bound:appointment"] == ["find250"]
