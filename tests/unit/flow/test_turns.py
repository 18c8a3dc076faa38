"""A turn of the engine has a bounded number of steps: longer ways without a question are refused."""

from __future__ import annotations

import pytest

from callcenter.flow.language import Channel, Choose, End, Flow, Say, Step
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


#: The last one of a turn is the question that it comes to.
WHOLE = [
    chain(STEPS_A_TURN - 1),
    through_a_subflow(10, 10, STEPS_A_TURN - 23),
    behind_a_question_in_a_subflow(10, STEPS_A_TURN - 12),
]
TOO_LONG = [
    chain(STEPS_A_TURN),
    through_a_subflow(10, 10, STEPS_A_TURN - 22),
    behind_a_question_in_a_subflow(10, STEPS_A_TURN - 11),
]


@pytest.mark.parametrize("whole", WHOLE)
def test_p7_what_fits_in_a_turn_is_accepted(whole: Flow) -> None:
    assert list(turn_problems(whole, QUESTIONS)) == []


@pytest.mark.parametrize("long", TOO_LONG)
def test_p7_what_is_longer_than_a_turn_is_refused_by_its_first_step(long: Flow) -> None:
    [problem] = turn_problems(long, QUESTIONS)
    first = "say100" if "asked" in long.steps else long.start
    assert problem.what == f"from step « {first} » on, more than 50 steps may come without a question"


@pytest.mark.parametrize("whole", WHOLE)
async def test_p7_what_is_accepted_is_walked(whole: Flow) -> None:
    call = Call(whole)
    await call.ring()
    if call.state.step == "asked":
        await call.press("1")
    assert call.state.step == "menu"


def test_a_subflow_that_is_gone_through_twice_is_no_round() -> None:
    own: list[Step] = [Run("run", 0, "part", {"done": "again"}), Run("again", 0, "part", {"done": "menu"})]
    assert list(turn_problems(flow(own, [Leave("left", 0, "done")], "run", "left"), QUESTIONS)) == []
