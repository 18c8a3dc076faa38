"""Whole calls, as a secretary could read them: what is heard after every key, and what stands in the ledger."""

from __future__ import annotations

from pathlib import Path

import pytest

from callcenter.emulator.outcomes import Passed
from callcenter.emulator.steps import Answers, Ends, HangsUp, Hears, HearsNot, HearsWhom, Operates, Presses, Says, Waits
from callcenter.emulator.transcript import load_transcript
from tests.acceptance.stage import Stage

FOLDER = Path(__file__).parent / "transcripts"
TRANSCRIPTS = sorted(FOLDER.glob("*.yaml"))
#: Those below a folder need more than a house that runs; the tests that play them say what.
ALL_TRANSCRIPTS = sorted(FOLDER.rglob("*.yaml"))

every_transcript = pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda path: path.stem)
#: Run by the runner as people run it, one of each kind of call. All of them, these too, are followed step by step by
#: ``test_transcripts_negated``, as they are written and otherwise.
AS_PEOPLE_DO = (
    "message_by_silence",
    "operator_tells",
    "practice_unanswered",
    "reminder_again",
    "return_call",
    "twins",
    "verified_by_sms",
    "waits_and_talks",
)


@pytest.mark.parametrize("name", AS_PEOPLE_DO)
async def test_the_runner_takes_the_call_as_written(stage: Stage, name: str) -> None:
    outcome = await stage.play(FOLDER / f"{name}.yaml")
    assert isinstance(outcome, Passed), str(outcome)


@pytest.mark.parametrize("transcript", ALL_TRANSCRIPTS, ids=lambda path: path.stem)
def test_each_action_is_followed_by_what_is_heard_and_the_ledger_is_written_out(transcript: Path) -> None:
    script = load_transcript(transcript)
    heard = False
    for step in script.steps:
        if isinstance(step.action, Presses | Waits | Says | Answers | HangsUp):
            assert heard, f"{transcript.name}:{step.line}: nothing was expected to be heard before this"
            heard = isinstance(step.action, Says)  # whoever speaks is not interrupted, and ends by themselves
            heard = heard or (isinstance(step.action, Answers) and step.action.pattern is not None)
        nothing_was_heard = isinstance(step.action, HearsNot) and step.action.pattern.pattern == "."
        heard = heard or isinstance(step.action, Hears | HearsWhom | Operates | Ends) or nothing_was_heard
    assert script.ledger is not None, f"{transcript.name} says nothing of the ledger"
    assert script.at is not None, f"{transcript.name} takes place at no time"


def test_each_call_has_a_title_of_its_own() -> None:
    assert len(ALL_TRANSCRIPTS) == len({load_transcript(path).title for path in ALL_TRANSCRIPTS})
