"""``docs/transcripts.md``: every row of its table of steps is one that the loader takes, and no step is missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from callcenter.emulator.steps import Operates
from callcenter.emulator.transcript import TranscriptError, load_transcript
from callcenter.flow.script_disposing import DISPOSITION
from callcenter.flow.script_language import Disposition

PAGE = Path(__file__).resolve().parents[2] / "docs" / "transcripts.md"

#: What the words in capitals stand for, and what a writer gives under the keys in braces.
WORDS = {"REGEX": "bonjour", "KEYS": "1", "SECONDS": 2, "TEXT": "le secrétariat", "NAME": "second", "true": True}
WORDS |= {"NAMES": ["caller", "second"], "false": False}
KEYS = {"to": "+33465710001", "from": "+33639980001", "on": "+33472000000", "body": "Bonjour", "as": "code"}
KEYS |= {
    "login": "operatrice1",
    "sees": "Que souhaite",
    "sees_not": "14 h",
    "chooses": "1",
    "fills": {"text": "un mot"},
    "emergency": True,
}
KEYS |= {"match": r"(\d{6})", "hears": "tapez 1", "presses": "1", "reason": "busy"}

#: A telephone that has been answered, so that it can be hung up.
ANSWERED = {"answers": {"on": "+33472000000", "as": "second"}}

_EXAMPLE = re.compile(r"`(?P<step>[a-z_]+): (?:\{(?P<keys>[^}]+)\}|(?P<word>\w+))`")


def examples() -> list[tuple[str, object]]:
    """Every way to write a step that the first column has, with values in place of its words."""
    table = PAGE.read_text(encoding="utf-8").split("| step | means |\n|---|---|\n")[1].split("\n\n")[0]
    found = []
    for row in table.splitlines():
        ways = list(_EXAMPLE.finditer(row.split("|")[1]))
        assert ways, f"no step can be read in {row}"
        for way in ways:
            keys = {key: KEYS[key] for key in way["keys"].split(", ")} if way["keys"] else None
            found.append((way["step"], keys or WORDS[way["word"]]))
    return found


def transcript(folder: Path, *steps: dict[str, object]) -> Path:
    call = {"from": "+33639980001", "to": "+33465710001"}
    file = folder / "call.yaml"
    on_duty = [{"login": "operatrice1", "telephone": "+33465710071"}]
    whole = {"title": "Essai", "call": call, "on_duty": on_duty, "steps": list(steps)}
    file.write_text(yaml.safe_dump(whole), encoding="utf-8")
    return file


@pytest.mark.parametrize(("step", "value"), examples(), ids=lambda part: part if isinstance(part, str) else "")
def test_a_step_is_taken_as_the_page_writes_it(tmp_path: Path, step: str, value: object) -> None:
    loaded = load_transcript(transcript(tmp_path, ANSWERED, {step: value}))
    assert len(loaded.steps) == 2


def test_the_page_has_every_step_and_no_other(tmp_path: Path) -> None:
    with pytest.raises(TranscriptError) as refused:
        load_transcript(transcript(tmp_path, {"nothing": "of the kind"}))
    known = re.search(r"write one of (.+)$", str(refused.value), re.MULTILINE)
    assert known is not None
    assert {step for step, _ in examples()} == set(known[1].split(", "))


def test_what_plays_an_ending_is_there_and_every_wait_that_is_played_is_told() -> None:
    tests = PAGE.parents[1] / "tests" / "acceptance"
    there = {file.stem for file in [*tests.glob("test_*.py"), *(tests / "transcripts").glob("*.yaml")]}
    table = PAGE.read_text(encoding="utf-8").split("| What happens | Played by |\n|---|---|\n")[1]
    told = {name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[2])}
    assert told <= there, f"nothing is called {told - there}"
    waits = {name for name in there if name.startswith("waits_")}
    assert waits <= told, f"the table does not tell of {waits - told}"


def test_each_outcome_that_an_operator_may_choose_is_played_as_the_page_tells() -> None:
    table = PAGE.read_text(encoding="utf-8").split("| Outcome | Played by |\n|---|---|\n")[1].split("\n\n")[0]
    told = {}
    for row in table.splitlines():
        outcome, *names = re.findall(r"`(\w+)`", row)
        told[outcome] = set(names)
    assert told.keys() == set(Disposition), "an outcome that no transcript plays, or that nobody may choose"
    played: dict[str, set[str]] = {outcome: set() for outcome in told}
    for file in (PAGE.parents[1] / "tests" / "acceptance" / "transcripts").rglob("*.yaml"):
        for step in load_transcript(file).steps:
            chosen = dict(step.action.fills).get(DISPOSITION) if isinstance(step.action, Operates) else None
            if chosen is not None:
                played[chosen].add(file.stem)
    assert played == told
