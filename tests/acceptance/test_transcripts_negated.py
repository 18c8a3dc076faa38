"""Each transcript is played as it is written. That proves something only if it could have failed: on the way each
expectation is turned into its opposite, and each time the runner reports a difference, at that very step."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from callcenter.demo import ledger_reader
from callcenter.emulator.client import ControlClient
from callcenter.emulator.ledger_rows import compare
from callcenter.emulator.outcomes import Differed, Passed
from callcenter.emulator.runner import Follower, Patience
from callcenter.emulator.steps import (
    Answers,
    Ends,
    HangsUp,
    Hears,
    HearsNot,
    Mails,
    NoMails,
    NoRings,
    NoTexts,
    Rejects,
    Rings,
    Step,
    Texts,
    Transcript,
)
from callcenter.emulator.transcript import load_transcript
from tests.acceptance.desks import staff_desks
from tests.acceptance.negations import negated, negated_ledgers
from tests.acceptance.stage import Stage
from tests.acceptance.test_transcripts import FOLDER, every_transcript
from tests.conftest import TODAY

#: Messages are waited for by looking at the jobs: the runner itself need not wait.
AT_ONCE = Patience(text=0.02, no_text=0.02, ring=0.02, ledger=0.0)
#: More than these are not sent about one patient in a day (OB-03).
CODES_A_DAY = 9


@every_transcript
async def test_the_call_goes_as_written_and_each_expectation_would_have_been_missed(
    stage: Stage, transcript: Path
) -> None:
    await as_written_and_by_no_opposite(stage, transcript)


async def as_written_and_by_no_opposite(stage: Stage, transcript: Path) -> None:
    """Take a call whose every expectation is first turned into its opposite, which is noticed at that step.

    The opposites only look: the call goes as if they had not been there.
    """
    script = load_transcript(transcript)
    await stage.furnish(script.at or stage.clock.now())
    async with (
        ControlClient(stage.emulator.base_url) as client,
        stage.on_duty(script),
        staff_desks(stage.running, stage.clock) as desks,
    ):
        seen, count = await client.last_message(), 0
        follower = await Follower.calling(client, script, AT_ONCE, upkeep=stage.upkeep(script), desks=desks)
        for step in script.steps:
            if isinstance(step.action, Texts | NoTexts | Mails | NoMails | NoRings):
                await stage.messages_sent()
            if isinstance(step.action, Answers | Rings | Rejects):
                await client.ringing(step.action.on, 10)
            if isinstance(step.action, Ends):
                await client.closed(follower.line)  # whoever was left in a talk is let go by the application
            for opposite in negated(step):
                count += 1
                difference = await follower.follow([opposite])
                assert difference is not None, f"{transcript.name}:{step.line}: {opposite.action} was not noticed"
                assert (difference.step, difference.line) == (step.number, step.line)
            difference = await follower.follow([step])
            assert difference is None, f"{transcript.name}: {difference}"
        state = await follower.hang_up()
        assert (state.activity, state.callbacks_pending) == ("ended", 0), transcript.name
    assert count > 3
    found = await records(stage, script, follower.calls)
    for what, rows in negated_ledgers(script.ledger or ()):
        assert compare(replace(script, ledger=rows), found) is not None, f"{transcript.name}: {what} was not noticed"
    difference = await stage.reached_after_all(script, seen)
    assert difference is None, f"{transcript.name}: {difference}"


async def records(stage: Stage, script: Transcript, calls: Sequence[str]) -> list[dict[str, Any]]:
    """The records of some calls, once they are those that its transcript expects."""
    read = ledger_reader(stage.running.database)
    for _ in range(1_000):
        found = [record for sid in calls for record in await read(sid)]
        if (difference := compare(script, found)) is None:
            return found
        await asyncio.sleep(0.01)
    raise AssertionError(f"{script.title}: {difference}")


# --- whole runs: what differs ends the run, and is what it returns


def step_of(script: Transcript, wanted: Callable[[Step], bool]) -> Step:
    return next(step for step in script.steps if wanted(step))


@pytest.mark.parametrize("kind", [Hears, HearsNot, Texts, HangsUp, NoTexts, Ends])
async def test_a_run_ends_at_the_first_difference(stage: Stage, kind: type[Any]) -> None:
    script = load_transcript(FOLDER / ("twins.yaml" if kind in (NoTexts, Ends) else "verified_by_sms.yaml"))
    step = step_of(script, lambda step: isinstance(step.action, kind))
    opposite = next(iter(negated(step)))
    steps = tuple(opposite if other is step else other for other in script.steps)
    patience = Patience(text=0.1 if kind is NoTexts else 10.0, no_text=10.0 if kind is Texts else 0.02, ledger=0.0)
    outcome = await stage.perform(replace(script, steps=steps), patience=patience)
    assert isinstance(outcome, Differed), str(outcome)
    assert (outcome.step, outcome.line) == (step.number, step.line)


async def test_a_run_ends_with_what_differs_in_the_ledger(stage: Stage) -> None:
    script = load_transcript(FOLDER / "verified_by_sms.yaml")
    for day, (what, rows) in enumerate(negated_ledgers(script.ledger or ())):
        if day % CODES_A_DAY == 0:
            script = replace(script, at=TODAY + timedelta(days=2 * (day // CODES_A_DAY)))
        outcome = await stage.perform(replace(script, ledger=rows), patience=replace(AT_ONCE, text=10.0))
        assert isinstance(outcome, Differed), f"{what}: {outcome}"
        assert outcome.step == len(script.steps) + 1
    outcome = await stage.perform(replace(script, at=TODAY + timedelta(days=7)))
    assert isinstance(outcome, Passed), str(outcome)


@pytest.mark.parametrize(
    ("other", "found"),
    [({"to": "+33639980002"}, "aucun SMS"), ({"pattern": re.compile("ordonnance")}, "« Code ")],
)
async def test_a_message_to_somebody_else_or_of_other_words_is_not_the_one_expected(
    stage: Stage, other: dict[str, Any], found: str
) -> None:
    script = load_transcript(FOLDER / "verified_by_sms.yaml")
    sent = step_of(script, lambda step: isinstance(step.action, Texts))
    changed = replace(sent, action=replace(sent.action, **other))
    steps = (*script.steps[: sent.number - 1], changed)
    outcome = await stage.perform(replace(script, steps=steps), patience=replace(AT_ONCE, text=1.0))
    assert isinstance(outcome, Differed)
    assert (outcome.step, outcome.heard[: len(found)]) == (sent.number, found)


async def test_what_a_message_brought_is_what_is_typed(stage: Stage) -> None:
    script = load_transcript(FOLDER / "verified_by_sms.yaml")
    sent = step_of(script, lambda step: isinstance(step.action, Texts))
    minutes = replace(sent, action=replace(sent.action, pattern=re.compile(r"valable (\d+) min")))
    steps = tuple(minutes if step is sent else step for step in script.steps)
    outcome = await stage.perform(replace(script, steps=steps))
    assert isinstance(outcome, Differed)
    assert outcome.step > sent.number + 1
