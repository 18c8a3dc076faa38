"""A turn of the engine has a bounded number of steps: longer ways without a question are refused."""

from __future__ import annotations

import pytest

from callcenter.flow.language import Branch, Channel, Choose, End, Flow, Say, Step
from callcenter.flow.subflow_language import Leave, Run, Subflow
from callcenter.flow.turns import turn_problems
from callcenter.flow.walking import STEPS_A_TURN
from callcenter.flow.ways import QUESTIONS
from tests.unit.flow.doubles import Call


def said(first: int, count: int, then: str) -> list[Step]:
    """``count`` steps that say something, one after another, then ``then``."""
    names = [f"say{at}" for at in range(first, first + count)]
    return [Say(name, 0, "words", after) for name, after in zip(names, [*names[1:], then], strict=True)]


def flow(own: list[Step], inner: list[Step], start: str, subflow_start: str = "") -> Flow:
    menu = Choose("menu", 0, "menu", {"1": "bye"}, "bye", "bye")
    steps = {step.name: step for step in [*own, *inner, menu, End("bye", 0, "bye")]}
    subflows = {}
    if inner:
        subflows["part"] = Subflow("part", "part.yaml", subflow_start, frozenset(step.name for step in inner))
    return Flow("f", Channel.VOICE, "f.yaml", start, "menu", steps, "00", subflows=subflows)


def chain(count: int) -> Flow:
    return flow(said(0, count, "menu"), [], "say0")


def through_a_subflow(before: int, inside: int, behind: int) -> Flow:
    own = [*said(0, before, "run"), Run("run", 0, "part", {"done": "say200"}), *said(200, behind, "menu")]
    return flow(own, [*said(100, inside, "left"), Leave("left", 0, "done")], "say0", "say100")


def behind_a_question_in_a_subflow(inside: int, behind: int) -> Flow:
    own = [Run("run", 0, "part", {"done": "say200"}), *said(200, behind, "menu")]
    asked = Choose("asked", 0, "menu", {"1": "say100"}, "bye", "bye")
    return flow(own, [asked, *said(100, inside, "left"), Leave("left", 0, "done")], "run", "asked")


def as_far_as_a_question_in_a_subflow(before: int, inside: int) -> Flow:
    own = [*said(0, before, "run"), Run("run", 0, "part", {"done": "menu"})]
    asked = Choose("asked", 0, "menu", {"1": "left"}, "left", "left")
    return flow(own, [*said(100, inside, "asked"), asked, Leave("left", 0, "done")], "say0", "say100")


#: The last one of a turn is the question that it comes to, or its end.
WHOLE = [
    chain(STEPS_A_TURN - 1),
    flow(said(0, STEPS_A_TURN - 1, "bye"), [], "say0"),
    as_far_as_a_question_in_a_subflow(10, STEPS_A_TURN - 12),
    through_a_subflow(10, 10, STEPS_A_TURN - 23),
    behind_a_question_in_a_subflow(10, STEPS_A_TURN - 12),
]
TOO_LONG = [
    chain(STEPS_A_TURN),
    flow(said(0, STEPS_A_TURN, "bye"), [], "say0"),
    as_far_as_a_question_in_a_subflow(10, STEPS_A_TURN - 11),
    through_a_subflow(10, 10, STEPS_A_TURN - 22),
    behind_a_question_in_a_subflow(10, STEPS_A_TURN - 11),
]


@pytest.mark.parametrize("whole", WHOLE)
def test_p7_what_fits_in_a_turn_is_accepted(whole: Flow) -> None:
    assert list(turn_problems(whole, QUESTIONS)) == []


@pytest.mark.parametrize("long", TOO_LONG)
def test_p7_what_is_longer_than_a_turn_is_refused_by_its_first_step(long: Flow) -> None:
    [problem] = turn_problems(long, QUESTIONS)
    first = "say100" if long.start == "run" else long.start
    assert problem.what == f"from step « {first} » on, more than 50 steps may come without a question"
    assert problem.mend == "put a menu between them, or say several prompts as one"
    assert (problem.file, problem.line) == ("f.yaml", 0)


@pytest.mark.parametrize("whole", WHOLE)
async def test_p7_what_is_accepted_is_walked(whole: Flow) -> None:
    call = Call(whole)
    await call.ring()
    if call.state.step == "asked":
        await call.press("1")
    assert call.state.step == "menu" or call.ended


def test_a_round_is_told_by_its_shortest_way_and_what_only_leads_to_it_is_none() -> None:
    own: list[Step] = [
        Say("to_it", 0, "words", "one"),
        Branch("one", 0, "practice.is_open", "long", "two"),
        Say("long", 0, "words", "two"),
        Say("two", 0, "words", "one"),
    ]
    problems = list(turn_problems(flow(own, [], "to_it"), QUESTIONS))
    assert next(problem.what for problem in problems) == "the steps one → two → one come round without a question"
    assert not any("to_it" in problem.what for problem in problems)


def test_a_subflow_that_is_gone_through_twice_is_no_round() -> None:
    own: list[Step] = [Run("run", 0, "part", {"done": "again"}), Run("again", 0, "part", {"done": "menu"})]
    assert list(turn_problems(flow(own, [Leave("left", 0, "done")], "run", "left"), QUESTIONS)) == []


def test_a_round_through_a_subflow_that_begins_with_a_question_has_a_question() -> None:
    asked = Choose("asked", 0, "menu", {"1": "left", "0": "out"}, "bye", "bye")
    inner = [asked, Leave("left", 0, "done"), Leave("out", 0, "out")]
    own: list[Step] = [Run("run", 0, "part", {"done": "run", "out": "bye"})]
    assert list(turn_problems(flow(own, inner, "run", "asked"), QUESTIONS)) == []


def test_a_subflow_that_begins_with_a_question_is_passed_into_step_by_step() -> None:
    """Two steps that run sub-flows, and the question in the inner one, are three steps of the turn."""
    asked = Choose("asked", 0, "menu", {"1": "left", "0": "bye"}, "bye", "bye")
    inner = [Run("inner", 0, "two", {"done": "left_one"}), Leave("left_one", 0, "done")]
    deepest = [asked, Leave("left", 0, "done")]
    for count, accepted in ((STEPS_A_TURN - 3, True), (STEPS_A_TURN - 2, False)):
        steps = [*said(0, count, "outer"), Run("outer", 0, "one", {"done": "bye"})]
        named = {step.name: step for step in [*steps, *inner, *deepest, End("bye", 0, "bye")]}
        parts = {
            "one": Subflow("one", "one.yaml", "inner", frozenset({"inner", "left_one"})),
            "two": Subflow("two", "two.yaml", "asked", frozenset({"asked", "left"})),
        }
        whole = Flow("f", Channel.VOICE, "f.yaml", "say0", "bye", named, "00", subflows=parts)
        assert (list(turn_problems(whole, QUESTIONS)) == []) is accepted


def test_nested_subflows_are_measured_without_following_every_way_through_them() -> None:
    """Ten levels, each of which runs the next five times: ten million ways, and a few dozen steps."""
    steps: list[Step] = [End("bye", 0, "bye")]
    subflows: dict[str, Subflow] = {}
    for level in range(10):
        runs = [f"run{level}_{at}" for at in range(5)]
        left = f"left{level}"
        own: list[Step] = [
            Run(name, 0, f"part{level + 1}", {"done": after})
            for name, after in zip(runs, [*runs[1:], left], strict=True)
        ]
        own.append(Leave(left, 0, "done"))
        steps += own
        subflows[f"part{level}"] = Subflow(f"part{level}", "p.yaml", runs[0], frozenset(step.name for step in own))
    steps.append(Leave("last", 0, "done"))
    subflows["part10"] = Subflow("part10", "p.yaml", "last", frozenset({"last"}))
    steps.append(Run("begin", 0, "part0", {"done": "bye"}))
    deep = Flow("f", Channel.VOICE, "f.yaml", "begin", "bye", {s.name: s for s in steps}, "00", subflows=subflows)
    [problem] = turn_problems(deep, QUESTIONS)
    assert "more than 50 steps may come without a question" in problem.what
