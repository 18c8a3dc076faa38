"""Whole calls, as a secretary could read them: what is heard after every key, and what stands in the ledger."""

from __future__ import annotations

from pathlib import Path

import pytest

from callcenter.emulator.outcomes import Passed
from tests.acceptance.stage import Stage

TRANSCRIPTS = sorted((Path(__file__).parent / "transcripts").glob("*.yaml"))


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda path: path.stem)
async def test_the_call_goes_as_written(stage: Stage, transcript: Path) -> None:
    outcome = await stage.play(transcript)
    assert isinstance(outcome, Passed), str(outcome)
