"""P7: every way comes to an end, can reach a person, and asks for no proof on the way to one."""

from __future__ import annotations

import pytest

from callcenter.flow.language import (
    Act,
    Card,
    Channel,
    Choose,
    Connect,
    ConnectTo,
    Disclose,
    Do,
    End,
    Find,
    Flow,
    Go,
    Level,
    Lookup,
    MessageKind,
    Move,
    ProofKind,
    Prove,
    Queue,
    QueueFor,
    Reference,
    Say,
    Step,
    TakeMessage,
    Verify,
)
from callcenter.flow.subflow_language import Leave, Run, Subflow
from callcenter.flow.ways import graph_problems, leading_to, reached

BYE = End("bye", 90, "goodbye")
PERSON = TakeMessage("person", 91, MessageKind.CALLBACK, "bye", "bye")


def flow(*steps: Step, person: str = "person", parts: tuple[Subflow, ...] = ()) -> Flow:
    """A flow that begins with the first of ``steps``; a message, then an end, are there for whoever leads to them."""
    named = {step.name: step for step in (*steps, PERSON, BYE)}
    return Flow(
        "f", Channel.VOICE, "f.yaml", steps[0].name, person, named, "00", subflows={part.name: part for part in parts}
    )


def menu(name: str = "menu", zero: str = "person", one: str = "bye", silence: str = "person") -> Choose:
    return Choose(name, 1, "menu", {"1": one, "0": zero}, silence, silence)


def told(made: Flow) -> list[tuple[str, int, str, str]]:
    return [(one.file, one.line, one.what, one.mend) for one in graph_problems(made)]


def test_a_menu_with_a_person_by_0_is_accepted() -> None:
    assert told(flow(menu())) == []


def test_0_may_lead_to_a_person_through_steps_that_say_nothing() -> None:
    assert told(flow(menu(zero="on"), Go("on", 2, "further"), Go("further", 3, "person"))) == []


@pytest.mark.parametrize(
    "between", [(Say("on", 2, "words", "person"),), (Go("on", 2, "back"), Go("back", 3, "on"), Go("to", 4, "person"))]
)
def test_0_leads_to_nobody_else_before(between: tuple[Step, ...]) -> None:
    mend = "add the key « 0: person »"
    assert ("f.yaml", 1, "the menu « menu » does not lead to a person by 0", mend) in told(
        flow(menu(zero="on"), *between)
    )


def test_a_menu_on_the_way_to_a_person_needs_no_0() -> None:
    asked = Choose("person", 2, "menu", {"1": "bye"}, "bye", "bye")
    named = {step.name: step for step in (menu(), asked, BYE)}
    assert told(Flow("f", Channel.VOICE, "f.yaml", "menu", "person", named, "00")) == []


# --- ends


def test_what_leads_to_no_end_is_refused() -> None:
    went = flow(menu(one="round"), Choose("round", 2, "menu", {"1": "round", "0": "person"}, "round", "round"))
    assert told(went) == []  # by 0 there is a way
    stuck = {"menu": menu(one="a", zero="a", silence="a"), "a": Choose("a", 2, "menu", {"0": "a"}, "a", "a")}
    made = Flow("f", Channel.VOICE, "f.yaml", "menu", "a", stuck, "00")
    assert [(line, what, mend) for _, line, what, mend in told(made)] == [
        (1, "no way leads from step « menu » to an end", "lead to an end step"),
        (2, "no way leads from step « a » to an end", "lead to an end step"),
    ]


TALKED = End("talked", 80, None)
CONNECT = Connect("practice", 2, ConnectTo.PRACTICE, "talked", "person")
QUEUE = Queue("queue", 3, QueueFor.OPERATORS, "talked", "person", "person", "person")


@pytest.mark.parametrize("talks", [CONNECT, QUEUE])
def test_two_who_have_talked_need_no_goodbye(talks: Step) -> None:
    assert told(flow(menu(one=talks.name), talks, TALKED)) == []


@pytest.mark.parametrize(
    ("step", "outlet"),
    [
        (Connect("x", 2, ConnectTo.PRACTICE, "person", "talked"), "unanswered"),
        (Queue("x", 2, QueueFor.OPERATORS, "bye", "person", "talked", "person"), "callback"),
        (Say("x", 2, "words", "talked"), "then"),
    ],
)
def test_everybody_else_does(step: Step, outlet: str) -> None:
    what = f"the outlet « {outlet} » of step « x » leads to « talked », which ends without words"
    assert ("f.yaml", 2, what, "lead to an end with a prompt") in told(flow(menu(one="x"), step, TALKED))


@pytest.mark.parametrize("person", ["talked", "person"])
def test_a_call_neither_begins_nor_leads_to_a_person_in_silence(person: str) -> None:
    first: Step = menu(zero="talked", silence="talked") if person == "talked" else TALKED
    what = "the step « talked » ends the call of somebody who has talked to nobody, without words"
    assert ("f.yaml", 80, what, "give it a prompt") in told(flow(first, TALKED, person=person))


# --- the way to a person

PROOFS: list[Step] = [
    Verify("p", 5, Level.VERIFIED, "bye", "bye", "bye"),
    Prove("p", 5, ProofKind.RETURN_CALL, "bye", "bye"),
    Find("p", 5, Lookup.NEXT_APPOINTMENT, "bye", "bye", "bye"),
    Disclose("p", 5, "told", "bye", "bye"),
    Do("p", 5, Act.CANCEL_SLOT, "bye", "bye"),
    Reference("p", 5, "bye", "bye"),
    Card("p", 5, "bye", "bye"),
    Move("p", 5, "bye", "bye", "bye"),
]


@pytest.mark.parametrize("step", PROOFS, ids=lambda step: type(step).__name__)
def test_no_proof_is_asked_for_on_the_way_to_a_person(step: Step) -> None:
    made = flow(Choose("menu", 1, "menu", {"0": "p"}, "p", "p"), step, person="p")
    what = "step « p » stands on the way to a person (from « p »), which must ask for no proof"
    assert ("f.yaml", 5, what, "end the way to a person with a message or an end") in told(made)


def test_what_an_operator_has_typed_behind_a_wait_is_no_such_way() -> None:
    """Who is sent to their keys has met somebody."""
    waits = Queue("person", 2, QueueFor.OPERATORS, "bye", "message", "bye", "message", keypad="typed")
    typed = Verify("typed", 3, Level.VERIFIED, "person", "person", "person")
    message = TakeMessage("message", 4, MessageKind.CALLBACK, "bye", "bye")
    named = {step.name: step for step in (menu(), waits, typed, message, BYE)}
    made = Flow("f", Channel.VOICE, "f.yaml", "menu", "person", named, "00")
    assert told(made) == []
    assert reached(made, ["person"]) - reached(made, ["person"], alone=True) == {"typed"}


# --- what fails


@pytest.mark.parametrize("refused", ["bye", "words"])
def test_a_refusal_leads_to_a_person_or_to_a_way_to_one(refused: str) -> None:
    words = Say("words", 3, "words", "bye")
    asks = Verify("asks", 2, Level.VERIFIED, "words", refused, "menu")
    what = "no way leads to a person from the outlet « refused » of step « asks »"
    assert told(flow(menu(one="asks"), asks, words)) == [
        ("f.yaml", 2, what, "lead to « person », or to a menu"),
    ]


def test_a_wait_for_an_operator_is_a_person_too() -> None:
    waits = Queue("waits", 3, QueueFor.OPERATORS, "bye", "person", "bye", "person")
    assert told(flow(menu(one="asks"), Verify("asks", 2, Level.VERIFIED, "bye", "waits", "waits"), waits)) == []


def test_what_is_withheld_is_followed_by_a_person_and_no_word() -> None:
    find = Find("find", 2, Lookup.NEXT_APPOINTMENT, "bye", "bye", "words")
    what = "the outlet « withheld » of step « find » does not lead to « person » at once"
    assert told(flow(menu(one="find"), find, Say("words", 3, "words", "person"))) == [
        ("f.yaml", 2, what, "write « withheld: person »"),
    ]
    assert told(flow(menu(one="find"), find, Go("words", 3, "person"))) == []


def test_whoever_has_not_typed_a_code_of_our_own_call_is_put_through_to_nobody() -> None:
    assert told(flow(Prove("asks", 2, ProofKind.RETURN_CALL, "menu", "bye"), menu())) == []


# --- sub-flows


def through(first: str, second: str) -> Flow:
    """A sub-flow that two steps run, each of which goes on to another one."""
    inside = (Say("in", 5, "words", "left"), Leave("left", 6, "done"))
    part = Subflow("part", "part.yaml", "in", frozenset({"in", "left"}))
    runs = (Run("one", 2, "part", {"done": first}), Run("two", 3, "part", {"done": second}))
    corner = Say("corner", 7, "words", "bye")
    return flow(menu(one="one"), menu("other", one="two"), *runs, *inside, corner, parts=(part,))


def test_a_subflow_leads_where_everybody_leads_who_runs_it() -> None:
    assert {"in", "left", "one", "two"} <= leading_to(through("person", "person"), ["person"])
    led = leading_to(through("person", "corner"), ["person"])
    assert led & {"one", "two", "in", "left"} == {"one"}
    assert leading_to(through("person", "person"), ["bye"]) == through("person", "person").steps.keys()


def test_what_no_way_leads_to_is_refused() -> None:
    assert told(flow(menu(), Say("island", 8, "words", "bye"))) == [
        ("f.yaml", 8, "no way leads to step « island »", "lead to it, or remove it"),
    ]
