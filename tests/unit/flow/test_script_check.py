"""``callcenter flows check`` on scripts: unsafe ones are refused, each in the words that stand beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from callcenter.flow.check import Verdict, check
from callcenter.flow.load import load_flow
from callcenter.flow.prompts import Prompt, PromptBook
from callcenter.flow.template import parse
from callcenter.kernel.errors import DataProblems

UNSAFE = Path(__file__).parent / "unsafe_scripts"
#: From the folder of the unsafe ones: the words name the file.
PROMPTS, POLICY = "../../../../flows/prompts/fr.yaml", "../../../../config/disclosure-policy.yaml"

BOOK = replace(PromptBook.load(UNSAFE / PROMPTS), file=PROMPTS)

#: What must be among them, whatever else is.
NAMED = {
    "reveal_without_verify",
    "reveal_without_find",
    "reveal_after_another_patient",
    "find_after_another_patient",
    "reveal_after_cancel",
    "reveal_after_move",
    "move_without_find",
    "declare_without_verify",
    "level_3_at_level_2",
    "withheld_with_words",
    "refused_elsewhere",
    "end_without_disposition",
    "no_message",
    "what_only_callers_answer",
    "what_only_operators_answer",
}

#: What mends some of them: what stood there, what stands there instead, and the steps that nothing leads to then.
MENDED = {
    "reveal_without_verify": ("see_again, to: find", "see_again, to: identify", ()),
    "reveal_without_find": ("verified: file,", "verified: find,", ()),
    "reveal_after_another_patient": ("then: again}", "then: identify}", ("again",)),
    "find_after_another_patient": ("then: again}", "then: identify}", ("again",)),
    "reveal_after_cancel": ("done: again,", "done: find,", ("again",)),
    "reveal_after_move": ("moved: again,", "moved: find,", ("again",)),
    "declare_without_verify": ("see_again, to: told", "see_again, to: identify", ("told",)),
    "level_3_at_level_2": ("level: 2", "level: 3", ()),
    "withheld_with_words": ("withheld: sorry", "withheld: instead", ("sorry",)),
    "refused_elsewhere": ("refused: menu", "refused: instead", ()),
    "end_without_disposition": ("see_again, to: closed", "see_again, to: close", ()),
    "on_after_the_end": ("then: more}", "then: closed}", ("more",)),
    "choice_without_way_out": ("to: identify}}", "to: identify}, 0: {label: operator.close, to: close}}", ()),
    "round_without_question": ("found: back,", "found: instead,", ("back",)),
    "corner": ("hours, then: close}", "hours, then: instead}", ()),
}


@pytest.fixture(autouse=True)
def book_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PromptBook, "load", lambda path: BOOK)


@pytest.mark.parametrize("name", sorted(NAMED | {file.stem for file in UNSAFE.glob("*.yaml")}))
def test_p9_an_unsafe_script_is_refused_in_these_words(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(UNSAFE)
    report = check([f"{name}.yaml"], book_path=PROMPTS, policy_path=POLICY)
    assert report.text == Path(f"{name}.txt").read_text(encoding="utf-8")
    assert report.verdict is Verdict.REFUSED


def test_every_golden_text_has_its_script() -> None:
    assert {file.stem for file in UNSAFE.glob("*.txt")} == {file.stem for file in UNSAFE.glob("*.yaml")}


@pytest.mark.parametrize("name", sorted(MENDED))
def test_mending_as_told_makes_a_script_proven(name: str, tmp_path: Path) -> None:
    """So what is refused there is refused for that alone."""
    old, new, left = MENDED[name]
    text = (UNSAFE / f"{name}.yaml").read_text(encoding="utf-8")
    assert text.count(old) == 1
    kept = [line for line in text.replace(old, new).splitlines() if line.strip().partition(":")[0] not in left]
    file = tmp_path / f"{name}.yaml"
    file.write_text("\n".join(kept), encoding="utf-8")
    report = check([file], book_path=UNSAFE / PROMPTS, policy_path=UNSAFE / POLICY)
    assert report.verdict is Verdict.PROVEN, report.text


def test_what_is_for_operators_is_disclosed_to_no_verified_caller_either(tmp_path: Path) -> None:
    words = "{{ appointment.starts_at | spoken_date }}, {{ practice.agenda_link }}"
    both = Prompt("both", words, parse(words)[0])
    book = replace(BOOK, prompts={**BOOK.prompts, "both": both}, translations={})
    file = tmp_path / "voice.yaml"
    file.write_text(
        "flow: voice\nchannel: voice\nemergency: welcome\nstart: welcome\nperson: person\nsteps:\n"
        "  welcome: {say: welcome, then: who}\n"
        "  who: {verify: {level: 2}, verified: find, refused: person, unavailable: person}\n"
        "  find: {find: next_appointment, found: read, none: person, withheld: person}\n"
        "  read: {disclose: both, then: person, withheld: person}\n"
        "  person: {take_message: callback, taken: goodbye, abandoned: goodbye}\n"
        "  goodbye: {end: goodbye}\n",
        encoding="utf-8",
    )
    with pytest.raises(DataProblems) as refused:
        load_flow(file, book)
    [problem] = refused.value.problems
    assert problem.what == "step « read » names « practice.agenda_link » to callers, which is for operators"
    file.write_text(file.read_text("utf-8").replace("disclose: both", "disclose: appointment_summary"), "utf-8")
    assert load_flow(file, book).steps.keys() >= {"read"}
