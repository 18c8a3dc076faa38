"""``callcenter flows explain``: why a step is safe, or the way that shows that it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from callcenter.disclosure.policy import load_policy
from callcenter.flow.check import CheckReport, check, explain_step
from callcenter.flow.explain import NoSuchStep, explain
from callcenter.flow.language import Channel, Choose, End, Find, Flow, Level, Lookup, Step, Verify
from callcenter.flow.load import load_flow
from callcenter.flow.prompts import PromptBook
from callcenter.flow.proof import Hop
from callcenter.flow.subflow_language import Leave, Run, Subflow
from callcenter.flow.verdicts import way_in_words
from callcenter.kernel.labels import Category

ROOT = Path(__file__).parents[3]
FLOWS = ROOT / "flows"
UNSAFE = Path(__file__).parent / "unsafe"
POLICY = ROOT / "config" / "disclosure-policy.yaml"


def explained(flow: str, step: str) -> CheckReport:
    return explain_step(f"flows/{flow}.yaml", step, book_path="flows/prompts/fr.yaml", policy_path=POLICY)


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_a_step_in_a_subflow_is_safe_because_of_what_was_proved_before_it() -> None:
    report = explained("rappel", "read")
    assert report.exit_code == 0
    told, _, shortest = report.text.partition("  the shortest way here:\n")
    assert told == (
        "flows/subflows/appointment_on_file.yaml:19: step « read » of the flow « rappel », policy 2026-11-3\n"
        "  tells: D03 (date et heure du rendez-vous), D04 (nom du praticien)\n"
        "  known of the caller on every way here: level 2, an appointment is found\n"
        "  it says D03 (date et heure du rendez-vous), which needs level 2\n"
        "    every way here passes one of these, and nothing after it undoes it:\n"
        "      flows/rappel.yaml:11  code –proved→\n"
        "  it names « appointment », which a find step must have found\n"
        "    every way here passes one of these, and nothing after it undoes it:\n"
        "      flows/subflows/appointment_on_file.yaml:8  next_appointment –found→\n"
    )
    assert shortest.splitlines()[0].split() == ["flows/rappel.yaml:11", "code", "–proved→", "level", "0"]
    assert shortest.splitlines()[-1].split()[:2] == ["flows/subflows/appointment_on_file.yaml:19", "read"]


def test_every_outlet_that_may_be_the_one_is_named() -> None:
    flow = load_flow("flows/operateur.yaml", PromptBook.load("flows/prompts/fr.yaml"))
    book, policy = PromptBook.load("flows/prompts/fr.yaml"), load_policy(POLICY)
    explanation = explain(flow, "move", book, policy)
    assert explanation.refuted is None
    assert explanation.tells == {Category.APPOINTMENT_EXISTS}
    guards = {
        reason.need.fact: [(guard.step, guard.outlet) for guard in reason.guards] for reason in explanation.reasons
    }
    assert guards == {
        "level>=2": [("identify", "verified")],
        "bound:appointment": [("find", "found"), ("following", "found")],
    }


def test_a_step_that_tells_nothing_needs_nothing_but_the_emergency_line() -> None:
    report = explained("accueil", "menu")
    assert "  tells: nothing about a patient\n" in report.text
    assert "      flows/accueil.yaml:11  welcome –then→\n" in report.text
    assert "  it needs nothing to be known of the caller\n" in explained("operateur", "reason").text


def test_a_step_that_is_not_safe_is_refuted_as_by_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(UNSAFE)
    report = explain_step("failure_rejoins.yaml", "read", book_path="prompts/fr.yaml", policy_path=POLICY)
    assert report.exit_code == 1
    whole = check(["failure_rejoins.yaml"], book_path="prompts/fr.yaml", policy_path=POLICY, whole=True)
    assert report.text in whole.text
    assert report.text.startswith("failure_rejoins.yaml:12: refuted: step « read » says D03")


def test_what_a_step_lacks_has_no_guards_though_some_ways_bring_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(UNSAFE)
    book = PromptBook.load("prompts/fr.yaml")
    explanation = explain(load_flow("failure_rejoins.yaml", book), "read", book, load_policy(POLICY))
    assert explanation.refuted is not None
    guards = {reason.need.fact: len(reason.guards) for reason in explanation.reasons}
    assert guards["level>=2"] == 0


# --- guards beyond sub-flows


def flow_of(main: list[Step], **subflows: list[Step]) -> Flow:
    """A flow with no emergency line, whose sub-flows begin with their first steps."""
    ends: list[Step] = [End("end", 90, "goodbye"), End("person", 91, "goodbye")]
    return Flow(
        "hand",
        Channel.VOICE,
        "hand.yaml",
        main[0].name,
        "person",
        {step.name: step for step in [*main, *ends, *(step for steps in subflows.values() for step in steps)]},
        "digest",
        subflows={
            name: Subflow(name, f"{name}.yaml", steps[0].name, frozenset(step.name for step in steps))
            for name, steps in subflows.items()
        },
    )


def choice(name: str, one: str, two: str) -> Choose:
    return Choose(name, 1, "main_menu", {"1": one, "2": two}, "end", "end")


def verify(name: str, verified: str, otherwise: str) -> Verify:
    return Verify(name, 1, Level.VERIFIED, verified, otherwise, otherwise)


def find(name: str) -> Find:
    return Find(name, 1, Lookup.NEXT_APPOINTMENT, "end", "end", "end")


def guards_of(flow: Flow, step: str) -> list[tuple[str, str]]:
    book, policy = PromptBook.load("flows/prompts/fr.yaml"), load_policy(POLICY)
    [reason] = explain(flow, step, book, policy).reasons
    assert reason.need.fact == "level>=2"
    return [(guard.step, guard.outlet) for guard in reason.guards]


def test_of_a_subflow_what_its_outlet_goes_by_is_the_guard_and_nothing_else_in_it() -> None:
    who: list[Step] = [
        verify("identify", "known", "once_more"),
        verify("once_more", "late", "late"),
        Leave("known", 1, "known"),
        Leave("late", 1, "late"),
    ]
    flow = flow_of([Run("run", 1, "who", {"known": "find", "late": "end"}), find("find")], who=who)
    assert guards_of(flow, "find") == [("identify", "verified")]


def test_through_subflows_in_subflows_the_way_back_is_by_the_step_that_ran_them() -> None:
    flow = flow_of(
        [
            choice("menu", "verify_a", "verify_b"),
            verify("verify_a", "run_a", "end"),
            Run("run_a", 1, "outer", {"left": "find_a"}),
            find("find_a"),
            verify("verify_b", "run_b", "end"),
            Run("run_b", 1, "outer", {"left": "find_b"}),
            find("find_b"),
        ],
        outer=[choice("outer_asks", "outer_runs", "end"), Run("outer_runs", 1, "middle", {"left": "outer_left"}),
               Leave("outer_left", 1, "left")],
        middle=[choice("middle_asks", "middle_runs", "end"), Run("middle_runs", 1, "inner", {"left": "middle_left"}),
                Leave("middle_left", 1, "left")],
        inner=[choice("inner_asks", "inner_left", "end"), Leave("inner_left", 1, "left")],
    )  # fmt: skip
    assert guards_of(flow, "find_a") == [("verify_a", "verified")]
    assert guards_of(flow, "find_b") == [("verify_b", "verified")]


def test_a_step_that_is_not_there_is_answered_with_those_that_are() -> None:
    report = explained("accueil", "slotread")
    assert report.exit_code == 2
    assert "has no step « slotread »" in report.text
    assert "mend: name one of its steps, such as slot_read" in report.text
    assert "mend: its steps: welcome, arrival, " in explained("accueil", "zzz").text
    assert "mend: name one that is there: accueil, operateur, rappel, " in explained("acueil", "read").text
    flow = load_flow("flows/accueil.yaml", PromptBook.load("flows/prompts/fr.yaml"))
    with pytest.raises(NoSuchStep) as refused:
        explain(flow, "nowhere", PromptBook.load("flows/prompts/fr.yaml"), load_policy(POLICY))
    assert refused.value.step == "nowhere"
    assert str(refused.value) == "no step « nowhere »"


def test_a_file_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    assert explained("absent", "menu").exit_code == 2
    broken = tmp_path / "f.yaml"
    broken.write_text("flow: [\n", "utf-8")
    report = explain_step(broken, "menu", book_path="flows/prompts/fr.yaml", policy_path=POLICY)
    assert report.exit_code == 1
    assert "not readable YAML" in report.text
    no_book = explain_step("flows/accueil.yaml", "menu", book_path=tmp_path / "none.yaml", policy_path=POLICY)
    assert no_book.exit_code == 2


def test_of_a_way_that_is_longer_than_forty_steps_the_middle_is_left_out() -> None:
    path = [Hop(f"s{at}", "then", "f.yaml", at, frozenset()) for at in range(41)]
    assert len(way_in_words(path[:40]).splitlines()) == 40
    shown = way_in_words(path).splitlines()
    assert shown[19].split() == ["f.yaml:19", "s19", "–then→", "level", "0"]
    assert shown[20] == "      … 1 steps more …"
    assert shown[21].split() == ["f.yaml:21", "s21", "–then→", "level", "0"]
    assert len(shown) == 41
    assert way_in_words([]) == ""
