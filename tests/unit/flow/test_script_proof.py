"""The proof of scripts, against an exhaustive search written apart (P9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hypothesis import event, given, settings
from hypothesis import strategies as st

from callcenter.disclosure.policy import Never, Policy, Requirement, Rule, SmsRule
from callcenter.flow.language import Act, Do, End, Find, Flow, Go, Lookup, Move, Moved, Step, Verify
from callcenter.flow.prompts import PromptBook
from callcenter.flow.proof import Counterexample, Proven, Refuted, guaranteed, prove
from callcenter.flow.script_language import (
    Declare,
    Dispose,
    Disposed,
    Forget,
    Forgotten,
    Pick,
    Reveal,
    Show,
    Shown,
    Way,
)
from callcenter.kernel.labels import Category
from callcenter.kernel.levels import Channel, Level

#: On the screen; by voice nothing is ever told here, so that a proof for the wrong channel would be seen.
NEEDS = {
    Category.RECORD_EXISTS: 2,
    Category.APPOINTMENT_EXISTS: 2,
    Category.APPOINTMENT_TIME: 2,
    Category.SPECIALITY: 3,
    Category.PAST_APPOINTMENTS: 3,
}


def _requirement(category: Category) -> Requirement:
    if category is Category.PUBLIC:
        return Level.UNKNOWN
    return Level(NEEDS[category]) if category in NEEDS else Never()


POLICY = Policy(
    "test",
    {
        category: Rule(
            category.value, 3, {Channel.CONSOLE: _requirement(category), Channel.VOICE: Never()}, SmsRule.NEVER
        )
        for category in Category
    },
)
BOOK = PromptBook("book", {})
TIME, SPECIALITY, PLACE = "appointment.starts_at", "appointment.speciality", "appointment.place"
#: What needs which level; 4 stands for never.
FIELDS = {(TIME,): 2, (TIME, SPECIALITY): 3, (SPECIALITY, TIME): 3, (TIME, PLACE): 4}
CATEGORIES = {
    (Category.APPOINTMENT_TIME,): 2,
    (Category.APPOINTMENT_EXISTS, Category.PAST_APPOINTMENTS): 3,
    (Category.APPOINTMENT_TIME, Category.RESULT_CONTENT): 4,
}

# --- random scripts of up to eight steps, a to h; the person step is the last

NAMES = "abcdefgh"
KINDS = [
    "show",
    "pick",
    "verify",
    "verify",
    "find",
    "find",
    "reveal",
    "reveal",
    "declare",
    "do",
    "move",
    "forget",
    "go",
    "dispose",
    "end",
]
CAREFUL = {
    0: ["show", "verify"],
    1: ["verify", "find"],
    2: ["find", "declare"],
    3: ["reveal", "reveal", "do", "move", "forget"],
    4: ["reveal", "declare", "find", "forget", "end"],
}


def _step(
    draw: st.DrawFn, kind: str, name: str, line: int, good: st.SearchStrategy[str], bad: st.SearchStrategy[str]
) -> Step:
    """One step: ``good`` draws where it goes on, ``bad`` where it leads when something was refused or not there."""
    match kind:
        case "show":
            return Show(name, line, Shown.INSTRUCTIONS, draw(good))
        case "pick":
            return Pick(name, line, "p", {"1": Way("l", draw(good)), "0": Way("l", draw(bad))})
        case "verify":
            level = draw(st.sampled_from([Level.VERIFIED, Level.STRONG]))
            return Verify(name, line, level, draw(good), draw(bad), draw(bad))
        case "find":
            return Find(name, line, draw(st.sampled_from(Lookup)), draw(good), draw(bad), draw(bad))
        case "reveal":
            return Reveal(name, line, draw(st.sampled_from([*FIELDS, (TIME,), (TIME,)])), draw(good), draw(bad))
        case "declare":
            told = draw(st.sampled_from([*CATEGORIES, *[(Category.APPOINTMENT_TIME,)] * 2]))
            return Declare(name, line, told, draw(good), draw(bad))
        case "do":
            acts = st.sampled_from([Act.CANCEL_APPOINTMENT, Act.CONFIRM_APPOINTMENT])
            return Do(name, line, draw(acts), draw(good), draw(bad))
        case "move":
            return Move(name, line, draw(good), draw(bad), draw(good), Moved.APPOINTMENT)
        case "forget":
            return Forget(name, line, Forgotten.PATIENT, draw(good))
        case "go":
            return Go(name, line, draw(good))
        case "dispose":
            return Dispose(name, line, Disposed.CALL, draw(bad))
        case _:
            return End(name, line, "p")


@st.composite
def scripts(draw: st.DrawFn) -> Flow:
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
    return Flow("random", Channel.CONSOLE, "random.yaml", names[0], names[-1], steps, "digest")


# --- the oracle: every state that a script can be in, by search; what is wrong there, by hand

Standing = tuple[str, int, bool]  # step, level, whether an appointment is bound


def _wrongs(step: Step, level: int, *, bound: bool) -> Iterator[str]:
    match step:
        case Reveal():
            yield from _level_wrong(FIELDS[step.fields], level)
        case Declare():
            yield from _level_wrong(CATEGORIES[step.categories], level)
        case Find() | Do() | Move():
            yield from _level_wrong(2, level)
        case _:
            pass
    following = isinstance(step, Find) and step.what is Lookup.FOLLOWING_APPOINTMENT
    if (following or isinstance(step, Reveal | Do | Move)) and not bound:
        yield "bound"


def _level_wrong(needed: int, level: int) -> Iterator[str]:
    if needed > Level.STRONG:
        yield "never"
    elif level < needed:
        yield "level"


#: Steps that ask the operator: at any of them, the engine may find the script too long. Nobody is led from its close.
ASKING = (Show, Pick, Verify, Reveal, Declare, Move)


def _onward(flow: Flow, step: Step, level: int, *, bound: bool) -> Iterator[Standing]:
    if isinstance(step, ASKING):
        yield flow.person, 0, False
    for outlet, target in step.outlets().items():
        if isinstance(step, Verify) and outlet == "verified":
            yield target, max(level, step.level), False
        elif isinstance(step, Verify):
            yield target, 0, False  # who was refused may have claimed to be somebody else
        elif isinstance(step, Find) and outlet == "found":
            yield target, level, True
        elif isinstance(step, Forget):
            yield target, 0, False
        elif (isinstance(step, Do) and step.act is Act.CANCEL_APPOINTMENT and outlet == "done") or (
            isinstance(step, Move) and outlet == "moved"
        ):
            yield target, level, False
        else:
            yield target, level, bound


def searched(flow: Flow) -> tuple[Mapping[Standing, int], Mapping[tuple[str, str], int]]:
    """How many hops lead to every state, and to every wrong (step, what) at the least."""
    hops: dict[Standing, int] = {(flow.start, 0, False): 0}
    wrongs: dict[tuple[str, str], int] = {}
    border = list(hops)
    while border:
        beyond: list[Standing] = []
        for name, level, bound in border:
            step, distance = flow.steps[name], hops[name, level, bound]
            for wrong in _wrongs(step, level, bound=bound):
                wrongs.setdefault((name, wrong), distance)
            for state in _onward(flow, step, level, bound=bound):
                if state not in hops:
                    hops[state] = distance + 1
                    beyond.append(state)
        border = beyond
    return hops, wrongs


def _wrong_of(example: Counterexample) -> str:
    if "never told" in example.what:
        return "never"
    return "level" if "needs level" in example.what else "bound"


@given(scripts())
@settings(max_examples=400, deadline=None)
def test_p9_a_script_is_proven_exactly_if_no_way_through_it_is_wrong(flow: Flow) -> None:
    hops, wrongs = searched(flow)
    verdict = prove(flow, BOOK, POLICY)
    event(f"proven: {len(verdict.summary)} steps guarded" if isinstance(verdict, Proven) else "refuted")
    match verdict:
        case Proven(summary=summary):
            assert wrongs == {}
            reached = {name for name, _, _ in hops}
            guarded = (Reveal, Declare, Find, Do, Move)
            assert {one.step for one in summary} == {name for name in reached if isinstance(flow.steps[name], guarded)}
        case Refuted(counterexamples=examples):
            assert {example.path[-1].step for example in examples} == {name for name, _ in wrongs}
            for example in examples:
                last = example.path[-1]
                assert len(example.path) - 1 == wrongs[last.step, _wrong_of(example)]
                standing = [(level, bound) for name, level, bound in hops if name == last.step and level == last.level]
                step = flow.steps[last.step]
                assert any(_wrong_of(example) in _wrongs(step, level, bound=bound) for level, bound in standing)


@given(scripts())
@settings(max_examples=200, deadline=None)
def test_what_is_guaranteed_is_what_every_way_brings(flow: Flow) -> None:
    hops, _ = searched(flow)
    holds = guaranteed(flow)
    assert holds.keys() == {name for name, _, _ in hops}
    for name, facts in holds.items():
        states = [(level, bound) for step, level, bound in hops if step == name]
        lowest = min(level for level, _ in states)
        assert {fact for fact in facts if fact.startswith("level")} == {f"level>={n}" for n in range(1, lowest + 1)}
        assert ("bound:appointment" in facts) == all(bound for _, bound in states)
