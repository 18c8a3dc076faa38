"""Verdicts of one cause are told once; what has a cause of its own is never put under another's."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from callcenter.cli import main
from callcenter.disclosure.policy import load_policy
from callcenter.flow.causes import causes
from callcenter.flow.language import Choose, Disclose, Find, Flow, Level, Lookup, Step, Verify
from callcenter.flow.prompts import PromptBook
from callcenter.flow.proof import Refuted, prove
from tests.unit.flow.test_proof import flow_of

ROOT = Path(__file__).parents[3]
FLOWS = ROOT / "flows"
BOOK = PromptBook.load(FLOWS / "prompts" / "fr.yaml")
POLICY_FILE = ROOT / "config" / "disclosure-policy.yaml"
POLICY = load_policy(POLICY_FILE)


def told(flow: Flow) -> dict[str, list[str]]:
    """By the first step of each cause, those behind it."""
    verdict = prove(flow, BOOK, POLICY)
    assert isinstance(verdict, Refuted)
    found = causes(flow, verdict.counterexamples)
    assert sum(1 + len(cause.behind) for cause in found) == len(verdict.counterexamples)
    return {cause.first.path[-1].step: [one.path[-1].step for one in cause.behind] for cause in found}


def find(name: str, found: str) -> Find:
    return Find(name, 1, Lookup.NEXT_APPOINTMENT, found, "end", "person")


def menu(**keys: str) -> Choose:
    return Choose("menu", 1, "main_menu", {key[1:]: to for key, to in keys.items()}, "person", "person")


def read(name: str, then: str) -> Disclose:
    return Disclose(name, 1, "appointment_summary", then, "person")


def test_what_comes_behind_a_step_that_lacks_a_fact_lacks_it_because_that_did() -> None:
    steps: tuple[Step, ...] = (menu(_1="find"), find("find", "read"), read("read", "again"), read("again", "end"))
    assert told(flow_of(*steps)) == {"find": ["read", "again"]}


def test_two_ways_that_nothing_guards_are_two_causes() -> None:
    steps = (menu(_1="find", _2="other"), find("find", "read"), find("other", "read"), read("read", "end"))
    assert told(flow_of(*steps)) == {"find": [], "other": ["read"]}


def test_what_another_way_leads_to_unguarded_is_a_cause_of_its_own() -> None:
    """« read » is shown behind « find »; with that mended, whoever was refused still hears it."""
    steps = (
        menu(_1="find", _2="who"),
        Verify("who", 1, Level.VERIFIED, "far", "far", "person"),
        find("far", "read"),
        find("find", "read"),
        read("read", "end"),
    )
    assert told(flow_of(*steps)) == {"find": [], "far": ["read"]}


def test_a_fact_that_is_ended_on_the_way_is_missed_for_another_reason() -> None:
    steps = (
        menu(_1="find"),
        find("find", "who"),
        Verify("who", 1, Level.VERIFIED, "later", "later", "person"),
        find("later", "end"),
    )
    assert set(told(flow_of(*steps))) == {"find", "later"}


def checked(tmp_path: Path, *how: str) -> str:
    """What the command says of the shipped flows where whoever is refused is led on all the same."""
    for file in FLOWS.rglob("*.yaml"):
        copy = tmp_path / file.relative_to(FLOWS)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(file.read_text("utf-8").replace("refused: person", "refused: on_file"), "utf-8")
    given = ("--prompts", str(FLOWS / "prompts" / "fr.yaml"), "--policy", str(POLICY_FILE))
    result = CliRunner().invoke(main, ["flows", "check", str(tmp_path / "accueil.yaml"), *given, *how])
    assert result.exit_code == 1
    return result.output


def test_p9_one_mistake_in_the_shipped_flow_is_one_verdict_and_all_of_them_where_they_are_asked_for(
    tmp_path: Path,
) -> None:
    text = checked(tmp_path)
    assert text.count(": refuted: ") == 1
    assert text.endswith(
        "    and 6 more of the same cause: « read », « read_again », « following_appointment », « read_following », "
        "« confirm », « cancel » (`flows check --all` shows each)\n"
    )
    assert checked(tmp_path, "--all").count(": refuted: step « ") == 7
