"""A telephone that is called back over REST, once the caller has hung up: the transcript goes on there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from callcenter.emulator.client import ControlClient
from callcenter.emulator.outcomes import CouldNotRun, Differed, Outcome, Passed
from callcenter.emulator.runner import Follower, Patience, run
from callcenter.emulator.transcript import load_transcript
from callcenter.kernel.clock import DrivenClock
from tests.acceptance.negations import negated
from tests.unit.emulator.bench import ACCOUNT, CALLER, PRACTICE, SECOND, TOKEN, Bench, Form, bench, twiml

NOON = datetime(2026, 11, 26, 11, 0, tzinfo=UTC)
SCRIPT = f"""\
title: rappel sur un poste fixe
call: {{from: "{CALLER}", to: "{PRACTICE}"}}
steps:
  - hears: "on vous rappelle"
  - hangs_up: true
  - waits: 60
  - answers: {{on: "{SECOND}", hears: "tapez 1", presses: "1", as: domicile}}
  - continues_on: domicile
  - hears: "votre rendez-vous"
  - hears_not: "tapez 1"
  - waits: 5
  - hears: "encore"
  - presses: "2"
  - hears: "au revoir"
  - ended: true
ledger:
  - {{level: 1}}
  - {{level: 2}}
"""
HASTE = Patience(ring=1.0, no_text=0.02, text=0.02, ledger=0.0)


@asynccontextmanager
async def calls_back(clock: DrivenClock | None = None) -> AsyncIterator[Bench]:
    """An application that calls a landline back once the first caller has hung up."""

    def gather(action: str, words: str) -> str:
        return f'<Gather action="{action}" numDigits="1" timeout="5"><Say>{words}</Say></Gather>'

    pages: dict[str, Any] = {
        "/voice": twiml('<Say>on vous rappelle</Say><Pause length="2"/><Gather action="/none"/>'),
        "/called": twiml(gather("/proved", "tapez 1")),
        "/proved": twiml(gather("/done", "votre rendez-vous") + gather("/done", "encore")),
        "/done": lambda form: twiml(f"<Say>{'au revoir' if form['Digits'] == '2' else 'non'}</Say>"),
    }
    async with bench(pages, clock=clock) as desk:

        async def ended(form: Form) -> str:
            fields = {"To": SECOND, "From": PRACTICE, "Url": desk.application.base_url + "/called"}
            headers = {"Authorization": aiohttp.encode_basic_auth(ACCOUNT, TOKEN)}
            where = f"{desk.emulator.base_url}/2010-04-01/Accounts/{ACCOUNT}/Calls.json"
            async with aiohttp.ClientSession(headers=headers) as session, session.post(where, data=fields) as response:
                assert response.status == 201
            return ""

        desk.application.pages["/status"] = ended
        yield desk


async def records(desk: Bench, sid: str) -> list[dict[str, Any]]:
    """Of each call one record, that tells which it was."""
    return [{"level": 1 if (await desk.get(f"/calls/{sid}"))["direction"] == "inbound" else 2}]


async def play(desk: Bench, tmp_path: Path, text: str = SCRIPT, patience: Patience = HASTE) -> Outcome:
    file = tmp_path / "appel.yaml"
    file.write_text(text, encoding="utf-8")
    return await run(
        load_transcript(file),
        base_url=desk.emulator.base_url,
        ledger=lambda sid: records(desk, sid),
        patience=patience,
    )


async def test_the_transcript_goes_on_at_the_telephone_that_is_called_back(tmp_path: Path) -> None:
    clock = DrivenClock(NOON)
    async with calls_back(clock) as desk:
        outcome = await play(desk, tmp_path)
        assert isinstance(outcome, Passed), str(outcome)
        assert (clock.now() - NOON).total_seconds() > 65
        assert desk.application.asked("/proved")[0]["Digits"] == "1"


@pytest.mark.parametrize(
    ("old", "new", "step"),
    [
        ('hears: "tapez 1", presses', 'hears: "tapez 2", presses', 4),
        ('hears: "votre rendez-vous"', 'hears: "on vous rappelle"', 6),
        ('hears_not: "tapez 1"', 'hears_not: "votre rendez-vous"', 7),
        ('hears: "encore"', 'hears: "votre"', 9),
        ('presses: "2"', 'presses: "3"', 11),
        (f'on: "{SECOND}"', 'on: "+33472000009"', 4),
        ("level: 2", "level: 3", 13),
    ],
)
async def test_what_differs_there_is_noticed(tmp_path: Path, old: str, new: str, step: int) -> None:
    async with calls_back(DrivenClock(NOON)) as desk:
        assert old in SCRIPT
        outcome = await play(desk, tmp_path, SCRIPT.replace(old, new, 1), Patience(ring=0.2, ledger=0.0))
        assert isinstance(outcome, Differed), str(outcome)
        assert outcome.step == step


async def test_each_expectation_would_have_been_missed(tmp_path: Path) -> None:
    file = tmp_path / "appel.yaml"
    file.write_text(SCRIPT, encoding="utf-8")
    script, count = load_transcript(file), 0
    async with calls_back(DrivenClock(NOON)) as desk, ControlClient(desk.emulator.base_url) as client:
        follower = await Follower.calling(client, script, Patience(ring=0.05, no_text=0.02, text=0.02))
        for step in script.steps:
            if step.number == 4:
                await client.ringing(SECOND, 5)
            for opposite in negated(step):
                difference = await follower.follow([opposite])
                assert difference is not None, f"{step.line}: {opposite.action} was not noticed"
                count += 1
            difference = await follower.follow([step])
            assert difference is None, str(difference)
        await follower.hang_up()
    assert count == 9


async def test_nobody_waits_on_a_call_that_the_other_side_has_ended_before_that_was_noticed(tmp_path: Path) -> None:
    async with calls_back(DrivenClock(NOON)) as desk:
        desk.application.pages["/voice"] = twiml("<Say>on vous rappelle</Say>")
        ended = SCRIPT.replace("  - hangs_up: true\n", "  - ended: true\n", 1)
        assert isinstance(await play(desk, tmp_path, ended), Passed)
        outcome = await play(desk, tmp_path, ended.replace("  - ended: true\n", "", 1))
        assert isinstance(outcome, Differed)
        assert (outcome.step, outcome.heard) == (2, "l'appel était terminé")


async def test_without_a_shared_clock_time_passes_really_and_not_for_hours(tmp_path: Path) -> None:
    async with calls_back() as desk:
        assert (await desk.post("/clock", {"seconds": 1}))["moved"] is False
        head, _, _ = SCRIPT.partition("  - continues_on")
        short = head.replace("waits: 60", "waits: 0.01") + "ledger: [{level: 1}]\n"
        outcome = await play(desk, tmp_path, short)
        assert isinstance(outcome, Passed), str(outcome)
        outcome = await play(desk, tmp_path, short.replace("waits: 0.01", "waits: 3600"))
        assert isinstance(outcome, CouldNotRun)
        assert "horloge partagée" in outcome.reason


async def test_a_telephone_that_was_told_to_answer_or_not_to_needs_nobody(tmp_path: Path) -> None:
    head, _, _ = SCRIPT.partition("  - waits")
    text = head + "ledger: [{level: 1}]\n"
    async with calls_back(DrivenClock(NOON)) as desk:
        for manner, status in (("answers", "in-progress"), ("busy", "busy"), ("no-answer", "no-answer")):
            await desk.post("/lines", {"number": SECOND, "when_called": manner})
            assert isinstance(await play(desk, tmp_path, text), Passed)
            called = (await desk.get("/calls"))["calls"][-1]
            assert (called["to"], (await desk.client.settled(called["sid"])).status) == (SECOND, status)
