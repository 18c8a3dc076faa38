"""Whole calls, as a secretary could read them: what is heard after every key, and what stands in the ledger.

They are played in ``test_transcripts_negated.py``, each expectation beside its opposite.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from callcenter.emulator.steps import Answers, Ends, HangsUp, Hears, HearsNot, HearsWhom, Operates, Presses, Says, Waits
from callcenter.emulator.transcript import load_transcript

FOLDER = Path(__file__).parent / "transcripts"
TRANSCRIPTS = sorted(FOLDER.glob("*.yaml"))
#: Those below a folder need more than a house that runs; the tests that play them say what.
ALL_TRANSCRIPTS = sorted(FOLDER.rglob("*.yaml"))

every_transcript = pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda path: path.stem)


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
