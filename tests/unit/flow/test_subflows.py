"""Sub-flows: read, walked through and come back from; a way to a person forgets them; each is proven once."""

from __future__ import annotations

from pathlib import Path

import pytest

from callcenter.disclosure.policy import load_policy
from callcenter.flow.check import check
from callcenter.flow.engine import LEAD_TO_A_PERSON, FlowStuck
from callcenter.flow.graph import Procedure
from callcenter.flow.language import Channel, Choose, End, Flow, Say, Step
from callcenter.flow.load import load_flow
from callcenter.flow.prompts import PromptBook
from callcenter.flow.proof import Proven, graph_of, guaranteed, prove
from callcenter.flow.state import State
from callcenter.flow.subflow_language import Leave, Run, Subflow
from callcenter.flow.subflow_soundness import DEEPEST, subflow_problems
from callcenter.kernel.errors import DataProblems, Problem
from tests.unit.flow.doubles import Call

ROOT = Path(__file__).parents[3]
UNSAFE = Path(__file__).parent / "unsafe"
PROMPTS = UNSAFE / "prompts" / "fr.yaml"
BOOK = PromptBook.load(PROMPTS)
POLICY = load_policy(ROOT / "config" / "disclosure-policy.yaml")


# --- walking


def end(name: str) -> End:
    return End(name, 0, name)


def flow(own: tuple[Step, ...], *subflows: tuple[str, tuple[Step, ...]]) -> Flow:
    inner = [step for _, steps in subflows for step in steps]
    named = {step.name: step for step in (*own, *inner, end("bye"))}
    parts = {
        name: Subflow(name, f"{name}.yaml", steps[0].name, frozenset(step.name for step in steps))
        for name, steps in subflows
    }
    return Flow("essai", Channel.VOICE, "essai.yaml", own[0].name, "person", named, "00", subflows=parts)


PERSON = Say("person", 0, "person", "bye")
QUESTION = Choose("question", 0, "question", {"1": "yes", "2": "inner", "0": "person"}, "person", "person")
ASKS = ("asks", (QUESTION, Leave("yes", 0, "yes"), Run("inner", 0, "deeper", {"done": "no"}), Leave("no", 0, "no")))
DEEPER = (
    "deeper",
    (
        Say("deep", 0, "deep", "menu"),
        Choose("menu", 0, "menu", {"1": "done", "0": "person"}, "person", "person"),
        Leave("done", 0, "done"),
    ),
)
FIRST = Run("first", 0, "asks", {"yes": "heard_yes", "no": "heard_no"})
SECOND = Run("second", 0, "asks", {"yes": "bye", "no": "bye"})
TWICE = flow(
    (FIRST, Say("heard_yes", 0, "yes", "second"), Say("heard_no", 0, "no", "second"), SECOND, PERSON), ASKS, DEEPER
)


async def test_a_way_goes_through_a_subflow_and_on_by_the_outlet_that_it_was_left_by() -> None:
    call = Call(TWICE)
    await call.ring()
    assert call.state.returns == ("first",)
    await call.press("1")
    assert call.state.returns == ("second",)
    assert call.visited == [("question", "key 1"), ("first", "yes"), ("heard_yes", "then")]
    await call.press("1")
    assert call.state.returns == ()
    assert call.visited[-2:] == [("question", "key 1"), ("second", "yes")]


async def test_a_subflow_runs_another_and_each_comes_back_to_whoever_ran_it() -> None:
    call = Call(TWICE)
    await call.ring()
    await call.press("2")
    assert call.state.returns == ("first", "inner")
    await call.press("1")
    assert call.visited[-4:] == [("menu", "key 1"), ("inner", "done"), ("first", "no"), ("heard_no", "then")]
    assert call.state.returns == ("second",)


async def test_whoever_is_led_to_a_person_does_not_come_back() -> None:
    call = Call(TWICE)
    await call.ring()
    await call.press("2")
    await call.press("0")
    assert call.visited[-2:] == [("menu", "key 0"), ("person", "then")]
    assert call.state.returns == ()


async def test_a_call_that_has_grown_too_long_is_led_out_of_every_subflow() -> None:
    stays = Say("person", 0, "person", "menu_of_person")
    menu = Choose("menu_of_person", 0, "menu", {"1": "bye"}, "bye", "bye")
    call = Call(
        flow(
            (FIRST, Say("heard_yes", 0, "yes", "second"), Say("heard_no", 0, "no", "second"), SECOND, stays, menu),
            ASKS,
            DEEPER,
        )
    )
    await call.ring()
    call.state = State(
        "question", call.state.phase, turns=LEAD_TO_A_PERSON, started_at=call.state.started_at, returns=("first",)
    )
    await call.press("*")
    assert call.state.step == "menu_of_person"
    assert call.state.returns == ()


async def test_a_way_back_that_nothing_led_to_is_refused() -> None:
    call = Call(flow((Leave("alone", 0, "done"), PERSON)))
    with pytest.raises(FlowStuck, match="goes back, and nothing led there"):
        await call.ring()


# --- reading

HEAD = "flow: f\nchannel: voice\nemergency: welcome\nstart: welcome\nperson: person\nsteps:\n"
WELCOME = "  welcome: {say: welcome, then: menu}\n"
MENU = "  menu: {choose: menu, keys: {1: who, 0: person}, silence: person}\n"
WHO = "  who: {run: asks_who, known: find, unknown: menu}\n"
FIND = "  find: {find: next_appointment, found: read, none: goodbye, withheld: person}\n"
READ = "  read: {disclose: appointment, then: goodbye, withheld: person}\n"
REST = "  person: {take_message: callback, taken: goodbye, abandoned: goodbye}\n  goodbye: {end: goodbye}\n"
SOUND = HEAD + WELCOME + MENU + WHO + FIND + READ + REST
SUBFLOW = (UNSAFE / "subflows" / "asks_who.yaml").read_text("utf-8")


def loaded(folder: Path, text: str = SOUND, subflow: str = SUBFLOW, name: str = "asks_who") -> Flow:
    (folder / "subflows").mkdir(exist_ok=True)
    (folder / "subflows" / f"{name}.yaml").write_text(subflow, "utf-8")
    file = folder / "f.yaml"
    file.write_text(text, "utf-8")
    return load_flow(file, BOOK)


def refusal(folder: Path, text: str = SOUND, subflow: str = SUBFLOW, name: str = "asks_who") -> list[str]:
    with pytest.raises(DataProblems) as refused:
        loaded(folder, text, subflow, name)
    assert all(problem.mend for problem in refused.value.problems)
    return [problem.what for problem in refused.value.problems]


def test_a_flow_holds_its_subflows_steps_and_where_they_stand(tmp_path: Path) -> None:
    read = loaded(tmp_path)
    subflow = read.subflows["asks_who"]
    assert (subflow.start, subflow.steps) == ("identify", frozenset({"identify", "is_known", "is_unknown"}))
    assert read.steps["who"] == Run("who", 9, "asks_who", {"known": "find", "unknown": "menu"})
    assert read.within("identify") == "asks_who"
    assert read.within("who") is None
    assert read.file_of("is_known") == str(tmp_path / "subflows" / "asks_who.yaml")
    assert read.onward("who") == {"run": "identify", "known": "find", "unknown": "menu"}


def test_p9_what_a_subflow_proves_is_proved_behind_it_by_the_outlet_that_says_so(tmp_path: Path) -> None:
    read = loaded(tmp_path)
    assert isinstance(prove(read, BOOK, POLICY), Proven)
    holds = guaranteed(read)
    assert "level>=2" in holds["find"]
    assert "level>=2" not in holds["menu"]


def test_p9_the_proof_sees_each_subflow_as_a_procedure(tmp_path: Path) -> None:
    graph = graph_of(loaded(tmp_path))
    subflow = frozenset({"identify", "is_known", "is_unknown"})
    assert graph.procedures == {"asks_who": Procedure("asks_who", "identify", subflow)}
    assert {node.name: node.runs for node in graph.nodes.values() if node.runs} == {"who": "asks_who"}
    assert {node.name: node.leaves for node in graph.nodes.values() if node.leaves} == {
        "is_known": "known",
        "is_unknown": "unknown",
    }


def test_a_flow_is_another_one_when_its_subflow_is(tmp_path: Path) -> None:
    before = loaded(tmp_path).digest
    assert loaded(tmp_path, subflow=SUBFLOW + "# another day\n").digest != before
    assert loaded(tmp_path).digest == before


def test_what_is_wrong_with_a_subflows_file_is_told(tmp_path: Path) -> None:
    assert refusal(tmp_path, subflow=SUBFLOW.replace("subflow: asks_who", "subflow: another")) == [
        "the sub-flow « another » stands in a file « asks_who »"
    ]
    assert (
        "is of the channel console, and is run by a flow of voice"
        in refusal(tmp_path, subflow=SUBFLOW.replace("channel: voice", "channel: console"))[0]
    )
    assert "« start » names a step « nobody » that does not exist" in refusal(
        tmp_path, subflow=SUBFLOW.replace("start: identify", "start: nobody")
    )
    assert "the step « menu » stands in f.yaml already" in refusal(
        tmp_path, subflow=SUBFLOW + "  menu: {go: is_known}\n"
    )
    assert refusal(tmp_path, subflow="subflow: asks_who\n")
    assert refusal(tmp_path, subflow="subflow: [\n")


def test_a_subflow_must_be_left_somewhere_by_somebody_who_reaches_that(tmp_path: Path) -> None:
    never = SUBFLOW.replace("is_known: {leave: known}", "is_known: {go: person}").replace(
        "{leave: unknown}", "{go: person}"
    )
    what = refusal(tmp_path, SOUND.replace(", known: find, unknown: menu", ""), never)
    assert "no step of the sub-flow « asks_who » goes back to whoever runs it" in what
    with pytest.raises(DataProblems) as refused:
        loaded(tmp_path, SOUND, never)
    assert "take it out: the outlets are none" in {problem.mend for problem in refused.value.problems}
    what = "no step of the sub-flow « asks_who » goes back to whoever runs it"
    mend = "add a step « leave: OUTLET », or write the steps into the flow"
    assert Problem(str(tmp_path / "subflows" / "asks_who.yaml"), 0, what, mend) in refused.value.problems
    unreached = SUBFLOW + "  lost: {leave: lost}\n"
    assert refusal(tmp_path, SOUND.replace("unknown: menu", "unknown: menu, lost: menu"), unreached) == [
        "no way leads to step « lost »"
    ]


def test_each_way_into_the_midst_of_a_subflow_is_refused_wherever_the_others_lead(tmp_path: Path) -> None:
    text = SOUND.replace("keys: {1: who,", "keys: {1: who, 2: is_known, 3: who, 4: is_unknown,")
    what = refusal(tmp_path, text)
    assert [key for key in "1234" if any(f"outlet « key {key} » of step « menu »" in one for one in what)] == ["2", "4"]


def test_p7_ways_of_a_subflow_end_whoever_runs_it(tmp_path: Path) -> None:
    """From one of two steps that run it, no way leads on to an end: that is so for the sub-flow's own steps too."""
    corner = "  corner: {choose: menu, keys: {1: corner, 0: corner}, silence: corner}\n"
    text = SOUND.replace("keys: {1: who,", "keys: {1: who, 2: who_else,") + corner
    text += "  who_else: {run: asks_who, known: corner, unknown: corner}\n"
    what = refusal(tmp_path, text)
    assert "no way leads from step « corner » to an end" in what
    assert "no way leads from step « is_known » to an end" in what


def test_p7_a_round_through_a_subflow_that_may_ask_nothing_is_refused(tmp_path: Path) -> None:
    assert any(
        "come round without a question" in what
        for what in refusal(tmp_path, SOUND.replace("unknown: menu", "unknown: who"))
    )
    asks = (
        SUBFLOW.replace("start: identify", "start: choice")
        + "  choice: {choose: menu, keys: {1: identify, 0: person}, silence: person}\n"
    )
    assert loaded(tmp_path, SOUND.replace("unknown: menu", "unknown: who"), asks)


def test_a_subflow_that_no_flow_runs_is_named(tmp_path: Path) -> None:
    loaded(tmp_path)
    arguments = {"book_path": PROMPTS, "policy_path": ROOT / "config" / "disclosure-policy.yaml"}
    assert check([tmp_path], **arguments).exit_code == 0
    (tmp_path / "subflows" / "lonely.yaml").write_text(SUBFLOW, "utf-8")
    report = check([tmp_path], **arguments)
    assert report.exit_code == 1
    assert f"{tmp_path / 'subflows' / 'lonely.yaml'}: refused: no flow runs it" in report.text


@pytest.mark.parametrize(("levels", "told"), [(16, 0), (17, 1)])
def test_subflows_run_one_another_sixteen_deep_at_most(levels: int, told: int) -> None:
    own = (Run("begin", 0, "part1", {"done": "bye"}), PERSON)
    parts = [
        (f"part{at}", (Run(f"run{at}", 0, f"part{at + 1}", {"done": f"left{at}"}), Leave(f"left{at}", 0, "done")))
        for at in range(1, levels)
    ]
    deep = flow(own, *parts, (f"part{levels}", (Leave("last", 0, "done"),)))
    problems = [problem.what for problem in subflow_problems(deep)]
    assert problems == ["from « part1 » on, sub-flows run each other more than 16 deep"] * told


def _deep(depth: int, *, inmost: str = "") -> Flow:
    """Sub-flows that run each the next.

    Arguments:
        inmost: one that the last of them runs, and that is not there.
    """
    steps: list[Step] = [Run("run", 1, "s1", {"done": "bye"}), End("bye", 2, "goodbye")]
    parts: dict[str, Subflow] = {}
    for at in range(1, depth + 1):
        left = Leave(f"left{at}", 3, "done")
        then = f"s{at + 1}" if at < depth else inmost
        inside = [Run(f"in{at}", 4, then, {"done": left.name}), left] if then else [left]
        steps += inside
        parts[f"s{at}"] = Subflow(f"s{at}", f"s{at}.yaml", inside[0].name, frozenset(step.name for step in inside))
    named = {step.name: step for step in steps}
    return Flow("f", Channel.VOICE, "f.yaml", "run", "bye", named, "00", subflows=parts)


def test_subflows_run_one_another_so_deep_and_no_deeper() -> None:
    assert list(subflow_problems(_deep(DEEPEST))) == []
    mend = "let one of them do without another"
    assert list(subflow_problems(_deep(DEEPEST + 2))) == [
        Problem("s2.yaml", 0, "from « s2 » on, sub-flows run each other more than 16 deep", mend)
    ]


def test_one_that_is_not_there_is_no_problem_of_depth() -> None:
    """The load says that it is missing."""
    assert list(subflow_problems(_deep(3, inmost="missing"))) == []
