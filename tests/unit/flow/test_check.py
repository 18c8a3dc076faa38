"""``callcenter flows check``: unsafe flows are refused, each in the words that stand beside it."""

from __future__ import annotations

import re
from pathlib import Path
from shutil import copy, copytree

import pytest

from callcenter.flow.check import CheckReport, Verdict, check

ROOT = Path(__file__).parents[3]
UNSAFE = Path(__file__).parent / "unsafe"
POLICY = ROOT / "config" / "disclosure-policy.yaml"
PROMPTS = "prompts/fr.yaml"

#: What must be among the unsafe flows, whatever else is.
NAMED = {
    "disclose_without_verify",
    "failure_rejoins",
    "label_in_if",
    "find_before_verify",
    "do_without_find",
    "level_3_at_level_2",
    "category_never",
    "menu_without_silence",
    "cycle_without_question",
    "emergency_after_question",
    "unknown_step",
    "withheld_missing",
    "label_in_else",
    "label_in_filter",
    "label_in_loop",
    "label_in_variable",
    "label_in_whisper",
    "label_in_whisper_of_the_house",
    "label_in_wait_view",
    "label_in_text",
    "label_before_a_key",
    "none_that_tells",
    "question_without_silence",
    "our_call_without_proof",
    "our_call_as_a_text",
    "slot_before_it_is_offered",
    "practitioner_of_a_reference",
}


def policy_that_never_opens_the_place(folder: Path) -> Path:
    before, place, after = POLICY.read_text(encoding="utf-8").partition("  D06:\n")
    file = folder / "policy.yaml"
    file.write_text(before + place + after.replace("voice: 2", "voice: never", 1), encoding="utf-8")
    return file


def unsafe_prompts(name: str) -> str:
    """The words of the unsafe flows, but for those that one of them has of its own: these stand in their lines."""
    words, own = (UNSAFE / PROMPTS).read_text(encoding="utf-8"), UNSAFE / f"prompts/{name}.yaml"
    lines = own.read_text(encoding="utf-8").splitlines()[1:] if own.is_file() else []
    for line in lines:
        key = line.partition(":")[0]
        words, times = re.subn(rf"^{re.escape(key)}:.*$", lambda _, line=line: line, words, flags=re.MULTILINE)
        assert times == 1, key
    return words


@pytest.mark.parametrize("name", sorted(NAMED | {file.stem for file in UNSAFE.glob("*.yaml")}))
def test_p9_an_unsafe_flow_is_refused_in_these_words(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    policy = policy_that_never_opens_the_place(tmp_path) if name == "category_never" else POLICY
    (tmp_path / PROMPTS).parent.mkdir()
    (tmp_path / PROMPTS).write_text(unsafe_prompts(name), encoding="utf-8")
    copy(UNSAFE / f"{name}.yaml", tmp_path)
    copytree(UNSAFE / "subflows", tmp_path / "subflows")
    monkeypatch.chdir(tmp_path)
    report = check([f"{name}.yaml"], book_path=PROMPTS, policy_path=policy)
    assert report.text == (UNSAFE / f"{name}.txt").read_text(encoding="utf-8")
    assert report.verdict is Verdict.REFUSED
    assert report.exit_code == 1


def test_every_golden_text_has_its_flow() -> None:
    assert {file.stem for file in UNSAFE.glob("*.txt")} == {file.stem for file in UNSAFE.glob("*.yaml")}


def checked(*paths: Path, book: Path = UNSAFE / PROMPTS, policy: Path = POLICY) -> CheckReport:
    return check(paths, book_path=book, policy_path=policy)


def test_p9_the_shipped_flows_are_proven() -> None:
    report = check([ROOT / "flows"], book_path=ROOT / "flows" / PROMPTS, policy_path=POLICY)
    assert report.exit_code == 0
    assert f"{ROOT / 'flows' / 'accueil.yaml'}: proven: 11 guarded steps, policy 2026-11-3 (sha256 " in report.text


def test_mending_as_told_makes_a_flow_proven(tmp_path: Path) -> None:
    text = (UNSAFE / "disclose_without_verify.yaml").read_text(encoding="utf-8").replace("1: read", "1: identify")
    mended = tmp_path / "disclose_without_verify.yaml"
    verify = "  identify: {verify: {level: 2}, verified: find, refused: person, unavailable: person}\n"
    find = "  find: {find: next_appointment, found: read, none: goodbye, withheld: person}\n"
    mended.write_text(text + verify, encoding="utf-8")
    assert checked(mended).exit_code == 1  # « find » is still missing
    mended.write_text(text + verify + find, encoding="utf-8")
    assert checked(mended).exit_code == 0, checked(mended).text


def test_a_category_opens_again_where_the_policy_opens_it() -> None:
    assert checked(UNSAFE / "category_never.yaml").exit_code == 0


def test_the_worst_verdict_counts_and_all_are_told(tmp_path: Path) -> None:
    absent = tmp_path / "absent.yaml"
    report = checked(UNSAFE / "category_never.yaml", UNSAFE / "level_3_at_level_2.yaml", absent)
    assert report.exit_code == 2
    assert "proven" in report.text
    assert "refuted" in report.text
    assert f"{absent}: there is no such file" in report.text
    assert checked(UNSAFE / "category_never.yaml", UNSAFE / "level_3_at_level_2.yaml").exit_code == 1


def test_a_flow_that_is_not_even_readable_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_text("flow: [\n", encoding="utf-8")
    report = checked(file)
    assert report.exit_code == 1
    assert f"{file}:2: refused: it is not readable YAML" in report.text


def test_without_prompts_policy_or_flows_nothing_can_be_checked(tmp_path: Path) -> None:
    flow, broken = UNSAFE / "category_never.yaml", tmp_path / "broken.yaml"
    broken.write_text("prompts: {x: 3}\n", encoding="utf-8")
    for report in (checked(flow, book=broken), checked(flow, policy=broken), checked(tmp_path / "empty")):
        assert report.exit_code == 2
        assert "mend:" in report.text
    (tmp_path / "folder").mkdir()
    assert checked(tmp_path / "folder").exit_code == 2
    assert checked().exit_code == 2
