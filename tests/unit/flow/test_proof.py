"""The proof, against an exhaustive search written apart; and what it says of a few flows by hand."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from hypothesis import event, given, settings
from hypothesis import strategies as st

from callcenter.disclosure.policy import Never, Policy, Requirement, Rule, SmsRule
from callcenter.flow.language import (
    Act,
    Card,
    Choose,
    Connect,
    ConnectTo,
    Disclose,
    Do,
    End,
    Find,
    Flow,
    Go,
    Lookup,
    Move,
    Reference,
    Say,
    Step,
    Verify,
)
from callcenter.flow.load import load_flow
from callcenter.flow.prompts import Prompt, PromptBook
from callcenter.flow.proof import Counterexample, Proven, Refuted, guaranteed, prove
from callcenter.flow.template import parse
from callcenter.kernel.labels import Category
from callcenter.kernel.levels import Channel, Level

FLOWS = Path(__file__).parents[3] / "flows"

NEEDS = {
    Category.RECORD_EXISTS: 2,
    Category.APPOINTMENT_EXISTS: 2,
    Category.APPOINTMENT_TIME: 2,
    Category.SPECIALITY: 3,
}


def _requirement(category: Category) -> Requirement:
    if category is Category.PUBLIC:
        return Level.UNKNOWN
    return Level(NEEDS[category]) if category in NEEDS else Never()


POLICY = Policy(
    "test",
    {
        category: Rule(category.value, 3, {Channel.VOICE: _requirement(category)}, SmsRule.NEVER)
        for category in Category
    },
)
TEXTS = {
    "time": "{{ appointment.starts_at | spoken_time }}",
    "speciality": "{{ appointment.speciality }}",
    "place": "{{ appointment.place }}",
    "slot": "{{ slot.starts_at | spoken_time }}",
    "condition": "{% if appointment.speciality %}Bonjour.{% endif %}",
    "public": "{{ practice.name }}",
}
BOOK = PromptBook("book", {key: Prompt(key, text, parse(text)[0]) for key, text in TEXTS.items()})

# --- random flows of up to eight steps, a to h; the person step is the last

NAMES = "abcdefgh"
KINDS = [
    "say",
    "choose",
    "verify",
    "verify",
    "find",
    "find",
    "disclose",
    "do",
    "go",
    "end",
    "reference",
    "card",
    "move",
    "connect",
]
CAREFUL = {
    0: ["say", "verify", "reference"],
    1: ["verify", "card"],
    2: ["find", "reference", "card", "connect"],
    3: ["disclose", "do", "choose", "card", "connect"],
    4: ["disclose", "find", "do", "end"],
}


def _step(
    draw: st.DrawFn, kind: str, name: str, line: int, good: st.SearchStrategy[str], bad: st.SearchStrategy[str]
) -> Step:
    """One step: ``good`` draws where it goes on, ``bad`` where it leads when something was refused or not there."""
    match kind:
        case "say":
            return Say(name, line, "public", draw(good))
        case "choose":
            return Choose(name, line, "public", {"1": draw(good), "0": draw(bad)}, draw(bad), draw(bad))
        case "verify":
            level = draw(st.sampled_from([Level.VERIFIED, Level.STRONG]))
            return Verify(name, line, level, draw(good), draw(bad), draw(bad))
        case "find":
            return Find(name, line, draw(st.sampled_from(Lookup)), draw(good), draw(bad), draw(bad))
        case "disclose":
            said = draw(st.sampled_from(["time", "time", "time", "slot", "slot", "speciality", "place", "condition"]))
            return Disclose(name, line, said, draw(good), draw(bad))
        case "do":
            return Do(name, line, draw(st.sampled_from(Act)), draw(good), draw(bad))
        case "go":
            return Go(name, line, draw(good))
        case "reference":
            return Reference(name, line, draw(good), draw(bad))
        case "card":
            return Card(name, line, draw(good), draw(bad))
        case "move":
            return Move(name, line, draw(good), draw(bad), draw(bad))
        case "connect":
            return Connect(name, line, ConnectTo.PRACTICE, draw(bad), draw(good))
        case _:
            return End(name, line, "public")


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    """Any graph at all; or a careful one, which mostly goes straight on and leads what fails to an end."""
    names = NAMES[: draw(st.integers(2, len(NAMES)))]
    anywhere = st.sampled_from(names)
    careful = draw(st.booleans())
    steps: dict[str, Step] = {}
    for index, name in enumerate(names):
        kinds, good, bad = KINDS, anywhere, anywhere
        if careful:
            kinds = CAREFUL.get(index, KINDS) if name != names[-1] else ["end"]
            following = names[min(index + 1, len(names) - 1)]
            good = st.sampled_from([following] * 6 + [names[draw(st.integers(0, index))]])
            bad = st.sampled_from([names[-1]] * 12 + [following])
        steps[name] = _step(draw, draw(st.sampled_from(kinds)), name, index + 1, good, bad)
    return Flow("random", Channel.VOICE, "random.yaml", names[0], names[-1], steps, "digest")


# --- the oracle: every state that a caller can be in, by search; what is wrong there, by hand

Bound = frozenset[str]  # of « appointment », « slot », « card »
Standing = tuple[str, int, Bound]  # step, level, what is bound
NONE: Bound = frozenset()


def _wrongs(step: Step, level: int, bound: Bound) -> Iterator[str]:
    if isinstance(step, Disclose) and step.prompt == "slot":
        if "card" not in bound:
            yield "card"
        if "slot" not in bound:
            yield "bound"
    elif isinstance(step, Disclose):
        if step.prompt == "place":
            yield "never"
        if level < (2 if step.prompt == "time" else 3):
            yield "level"
        if "appointment" not in bound:
            yield "bound"
    by_reference = isinstance(step, Card | Move) or (isinstance(step, Do) and step.act is Act.CANCEL_SLOT)
    if by_reference and "slot" not in bound:
        yield "bound"
    if isinstance(step, Find | Do) and not by_reference and level < 2:
        yield "level"
    acts_on_it = isinstance(step, Do) or (isinstance(step, Find) and step.what is Lookup.FOLLOWING_APPOINTMENT)
    if acts_on_it and not by_reference and "appointment" not in bound:
        yield "bound"


#: Steps that ask the caller: at any of them, the engine may find the call too long.
ASKING = (Choose, Verify, Reference, Card, Move)


def _onward(flow: Flow, step: Step, level: int, bound: Bound) -> Iterator[tuple[str, Standing]]:
    yield from zip(step.outlets(), _led(step, level, bound), strict=True)
    if isinstance(step, ASKING):
        yield "limit", (flow.person, 0, NONE)


def _led(step: Step, level: int, bound: Bound) -> Iterator[Standing]:
    for outlet, target in step.outlets().items():
        if isinstance(step, Connect):
            yield target, 0, NONE
        elif isinstance(step, Verify) and outlet == "verified":
            yield target, max(level, step.level), NONE
        elif isinstance(step, Verify):
            yield target, 0, bound - {"appointment"}  # who was refused may have claimed to be somebody else
        elif isinstance(step, Reference) and outlet == "refused":
            yield target, level, bound - {"slot", "card"}
        elif isinstance(step, Card) and outlet == "refused":
            yield target, level, bound - {"card"}
        elif isinstance(step, Find) and outlet == "found":
            yield target, level, bound | {"appointment"}
        elif isinstance(step, Reference) and outlet == "known":
            yield target, level, (bound | {"slot"}) - {"card"}
        elif isinstance(step, Card) and outlet == "proved":
            yield target, level, bound | {"card"}
        elif isinstance(step, Do) and step.act is Act.CANCEL_APPOINTMENT and outlet == "done":
            yield target, level, bound - {"appointment"}
        elif isinstance(step, Do) and step.act is Act.CANCEL_SLOT and outlet == "done":
            yield target, level, bound - {"slot", "card"}
        else:
            yield target, level, bound


def searched(flow: Flow) -> tuple[Mapping[Standing, int], Mapping[tuple[str, str], int]]:
    """How many hops lead to every state, and to every wrong (step, what) at the least."""
    hops: dict[Standing, int] = {(flow.start, 0, NONE): 0}
    wrongs: dict[tuple[str, str], int] = {}
    border = list(hops)
    while border:
        beyond: list[Standing] = []
        for name, level, bound in border:
            step, distance = flow.steps[name], hops[name, level, bound]
            for wrong in _wrongs(step, level, bound):
                wrongs.setdefault((name, wrong), distance)
            for _, state in _onward(flow, step, level, bound):
                if state not in hops:
                    hops[state] = distance + 1
                    beyond.append(state)
        border = beyond
    return hops, wrongs


def _wrong_of(example: Counterexample) -> str:
    if "never told" in example.what:
        return "never"
    if "needs an appointment card" in example.what:
        return "card"
    return "level" if "needs level" in example.what else "bound"


def check_is_a_way(flow: Flow, example: Counterexample) -> None:
    """The path is one that a caller can walk, with the levels that it says, to a state that is wrong as it says."""
    assert example.path[0].step == flow.start
    level, bound = 0, NONE
    for hop, following in zip(example.path, example.path[1:], strict=False):
        assert hop.level == level
        step = flow.steps[hop.step]
        target, level, bound = dict(_onward(flow, step, level, bound))[hop.outlet]
        assert target == following.step
    last = example.path[-1]
    assert (last.outlet, last.level) == ("", level)
    assert _wrong_of(example) in list(_wrongs(flow.steps[last.step], level, bound))


@given(flows())
@settings(max_examples=600, deadline=None)
def test_p9_a_flow_is_proven_exactly_if_no_way_through_it_is_wrong(flow: Flow) -> None:
    _, wrongs = searched(flow)
    verdict = prove(flow, BOOK, POLICY)
    event(f"proven: {len(verdict.summary)} steps guarded" if isinstance(verdict, Proven) else "refuted")
    match verdict:
        case Proven(summary=summary):
            assert wrongs == {}
            hops, _ = searched(flow)
            reached = {name for name, _, _ in hops}
            needy = {name for name in reached if isinstance(flow.steps[name], Disclose | Find | Do | Card | Move)}
            assert {guarded.step for guarded in summary} == needy
        case Refuted(counterexamples=examples):
            assert {example.path[-1].step for example in examples} == {name for name, _ in wrongs}
            for example in examples:
                check_is_a_way(flow, example)
                assert len(example.path) - 1 == wrongs[example.path[-1].step, _wrong_of(example)]
                assert example.line == flow.steps[example.path[-1].step].line


@given(flows())
@settings(max_examples=300, deadline=None)
def test_what_is_guaranteed_is_what_every_way_brings(flow: Flow) -> None:
    hops, _ = searched(flow)
    holds = guaranteed(flow)
    assert holds.keys() == {name for name, _, _ in hops}
    for name, facts in holds.items():
        states = [(level, bound) for step, level, bound in hops if step == name]
        lowest = min(level for level, _ in states)
        assert {fact for fact in facts if fact.startswith("level")} == {f"level>={n}" for n in range(1, lowest + 1)}
        for fact, what in (("bound:appointment", "appointment"), ("bound:slot", "slot"), ("card:slot", "card")):
            assert (fact in facts) == all(what in bound for _, bound in states)


# --- by hand


def flow_of(*steps: Step) -> Flow:
    ends = (End("person", 99, "public"), End("end", 98, "public"))
    return Flow(
        "hand", Channel.VOICE, "hand.yaml", steps[0].name, "person", {s.name: s for s in steps + ends}, "digest"
    )


def refutation(flow: Flow) -> Counterexample:
    verdict = prove(flow, BOOK, POLICY)
    assert isinstance(verdict, Refuted)
    assert verdict.flow == "hand"
    [example] = verdict.counterexamples
    return example


VERIFY = Verify("verify", 1, Level.VERIFIED, "find", "person", "person")
FIND = Find("find", 2, Lookup.NEXT_APPOINTMENT, "read", "end", "person")


def test_a_proof_names_its_flow_its_policy_and_what_each_step_may_rely_on() -> None:
    verdict = prove(flow_of(VERIFY, FIND, Disclose("read", 3, "time", "end", "person")), BOOK, POLICY)
    assert isinstance(verdict, Proven)
    assert (verdict.flow, verdict.digest, verdict.policy) == ("hand", "digest", "test")
    find, read = verdict.summary
    assert (find.step, find.needs, find.holds) == ("find", ("level>=2",), ("level>=1", "level>=2", "possession"))
    assert (read.step, read.needs) == ("read", ("level>=2", "bound:appointment"))
    assert read.holds == ("bound:appointment", "level>=1", "level>=2", "possession")


def test_an_if_on_a_field_needs_the_fields_level() -> None:
    example = refutation(flow_of(VERIFY, FIND, Disclose("read", 3, "condition", "end", "person")))
    assert "says D05 (D05), which needs level 3; it can be reached with level 2" in example.what


def test_what_is_never_told_is_refuted_at_any_level() -> None:
    strong = Verify("verify", 1, Level.STRONG, "find", "person", "person")
    example = refutation(flow_of(strong, FIND, Disclose("read", 3, "place", "end", "person")))
    assert "says D06 (D06), which is never told by voice" in example.what
    assert [(hop.step, hop.outlet, hop.level) for hop in example.path] == [
        ("verify", "verified", 0),
        ("find", "found", 3),
        ("read", "", 3),
    ]


def test_what_is_said_itself_is_named_before_what_it_implies() -> None:
    example = refutation(flow_of(Disclose("read", 3, "time", "end", "person")))
    assert "says D03 (D03)" in example.what


def test_a_step_that_no_way_reaches_refutes_nothing() -> None:
    assert isinstance(prove(flow_of(Go("a", 1, "end"), Disclose("b", 2, "place", "end", "end")), BOOK, POLICY), Proven)


def test_the_engine_may_lead_to_the_person_step_from_anywhere_so_nothing_holds_there() -> None:
    verify = Verify("verify", 1, Level.VERIFIED, "find", "end", "end")
    find = Find("find", 2, Lookup.NEXT_APPOINTMENT, "read", "end", "end")
    read = Disclose("read", 3, "time", "end", "end")
    steps = {step.name: step for step in (verify, find, read, End("end", 4, "public"))}
    assert isinstance(prove(Flow("f", Channel.VOICE, "f", "verify", "end", steps, "digest"), BOOK, POLICY), Proven)
    verdict = prove(Flow("f", Channel.VOICE, "f", "verify", "read", steps, "digest"), BOOK, POLICY)
    assert isinstance(verdict, Refuted)
    [example] = verdict.counterexamples
    assert [(hop.step, hop.outlet) for hop in example.path] == [("verify", "limit"), ("read", "")]


def test_p7_of_all_that_is_said_before_the_emergency_line_the_first_alone_is_refuted() -> None:
    steps = [
        Go("on", 1, "first"),
        Say("first", 2, "public", "second"),
        Say("second", 3, "public", "third"),
        Disclose("third", 4, "time", "urgent", "urgent"),
        Say("urgent", 5, "emergency", "end"),
    ]
    verdict = prove(replace(flow_of(*steps), emergency="emergency"), BOOK, POLICY)
    assert isinstance(verdict, Refuted)
    example, behind = verdict.counterexamples
    assert (behind.path[-1].step, behind.fact) == ("third", "level>=2")  # it is refuted for what it tells alone
    assert [hop.step for hop in example.path] == ["on", "first"]
    assert (example.file, example.line, example.fact) == ("hand.yaml", 2, "heard:emergency")
    assert example.what == (
        "step « first » is met by callers, which needs the emergency line « emergency » before it; "
        "it can be reached without"
    )


def test_p9_the_shipped_flow_is_proven_and_not_without_its_verify_step(tmp_path: Path) -> None:
    book = PromptBook.load(FLOWS / "prompts" / "fr.yaml")
    text = (FLOWS / "accueil.yaml").read_text(encoding="utf-8")
    as_the_time = dict.fromkeys((Category.PRACTITIONER, Category.PLACE), POLICY.rules[Category.APPOINTMENT_TIME])
    policy = Policy("d", {**POLICY.rules, **as_the_time})
    assert isinstance(prove(load_flow(FLOWS / "accueil.yaml", book), book, policy), Proven)
    for folder in ("accueil", "subflows"):
        shutil.copytree(FLOWS / folder, tmp_path / folder)
    file = tmp_path / "accueil.yaml"
    file.write_text(text.replace("1: appointments,", "1: appointments, 7: on_file,"), encoding="utf-8")
    verdict = prove(load_flow(file, book), book, policy)
    assert isinstance(verdict, Refuted)
    first = min(verdict.counterexamples, key=lambda example: len(example.path))
    assert [hop.step for hop in first.path] == [
        "welcome",
        "arrival",
        "english_offer",
        "message_of_the_day",
        "notice",
        "menu",
        "on_file",
        "next_appointment",
    ]
