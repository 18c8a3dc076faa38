"""``callcenter flows explain``: why a step is safe, or the way that shows that it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from callcenter.disclosure.policy import load_policy
from callcenter.flow.check import CheckReport, explain_step
from callcenter.flow.explain import NoSuchStep, explain
from callcenter.flow.load import load_flow
from callcenter.flow.prompts import PromptBook
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
        "flows/subflows/appointment_on_file.yaml:19: step « read » of the flow « rappel », policy 2026-11-2\n"
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
    assert report.text in Path("failure_rejoins.txt").read_text("utf-8")
    assert report.text.startswith("failure_rejoins.yaml:12: refuted: step « read » says D03")


def test_a_step_that_is_not_there_is_answered_with_those_that_are() -> None:
    report = explained("accueil", "slotread")
    assert report.exit_code == 2
    assert "has no step « slotread »" in report.text
    assert "mend: name one of its steps, such as slot_read" in report.text
    flow = load_flow("flows/accueil.yaml", PromptBook.load("flows/prompts/fr.yaml"))
    with pytest.raises(NoSuchStep):
        explain(flow, "nowhere", PromptBook.load("flows/prompts/fr.yaml"), load_policy(POLICY))


def test_a_file_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    assert explained("absent", "menu").exit_code == 2
    broken = tmp_path / "f.yaml"
    broken.write_text("flow: [\n", "utf-8")
    report = explain_step(broken, "menu", book_path="flows/prompts/fr.yaml", policy_path=POLICY)
    assert report.exit_code == 1
    assert "not readable YAML" in report.text
    no_book = explain_step("flows/accueil.yaml", "menu", book_path=tmp_path / "none.yaml", policy_path=POLICY)
    assert no_book.exit_code == 2
