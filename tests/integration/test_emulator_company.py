"""Transcripts of several telephones: who waits, who is joined with whom, who is on hold, who refuses, who calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from callcenter.emulator.client import ControlClient
from callcenter.emulator.company import Company
from callcenter.emulator.outcomes import Differed, Outcome, Passed
from callcenter.emulator.runner import Follower, Patience, run
from callcenter.emulator.steps import Calls, ContinuesOn, Presses, Rejects
from callcenter.emulator.transcript import TranscriptError, load_transcript
from callcenter.kernel.clock import DrivenClock
from tests.acceptance.negations import negated
from tests.unit.emulator.bench import CALLER, PRACTICE, SECOND, Bench, Form, bench, sdk, twiml

# The SDK still signs in by the object and the parameter that aiohttp has deprecated.
pytestmark = [
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
]

OTHER = "+33639980002"
SCRIPT = f"""\
title: le secrétariat prend l'appel, met en attente, appelle le médecin
call: {{from: "{CALLER}", to: "{PRACTICE}"}}
clients: [secretariat, medecin]
steps:
  - hears: "vous êtes le numéro 1"
  - hears_whom: []
  - waits: 12
  - hears: "vous êtes le numéro 1"
  - calls: {{from: "{OTHER}", to: "{PRACTICE}", as: autre}}
  - continues_on: autre
  - hears: "vous êtes le numéro 2"
  - hangs_up: true
  - continues_on: caller
  - waits: 12
  - answers: {{on: "client:secretariat", hears: "conférence salle", as: secretaire}}
  - hears_whom: [secretaire]
  - continues_on: secretaire
  - hears_whom: [caller]
  - says: "Cabinet, bonjour"
  - continues_on: caller
  - hears: "Cabinet, bonjour"
  - held: false
  - says: "je voudrais parler au médecin"
  - continues_on: secretaire
  - hears: "parler au médecin"
  - presses: "8"
  - continues_on: caller
  - held: true
  - hears: "un instant"
  - hears_whom: []
  - rejects: {{on: "+33472000000"}}
  - answers: {{on: "client:medecin", as: medecin}}
  - continues_on: medecin
  - hears_whom: [secretaire]
  - hangs_up: true
  - continues_on: caller
  - held: true
  - hangs_up: secretaire
  - hears: "au revoir"
  - ended: true
"""
HASTE = Patience(ring=2.0, ledger=0.0)


@asynccontextmanager
async def practice() -> AsyncIterator[Bench]:
    """An application that queues callers, rings the secretary for them, and does what its secretary presses."""
    rung: list[str] = []

    async def wait(form: Form) -> str:
        if form["CallSid"] not in rung and int(form["QueueTime"]) > 20:
            rung.append(form["CallSid"])
            async with sdk(desk) as client:
                where = client.conferences("salle").participants
                await client.calls(form["CallSid"]).update_async(url=base + "/room")
                await where.create_async(
                    from_=PRACTICE, to="client:secretariat", label="s", end_conference_on_exit=True
                )
        return twiml(f"<Say>vous êtes le numéro {form['QueuePosition']}</Say><Pause length='10'/>")

    pages: dict[str, Any] = {
        "/voice": twiml('<Enqueue waitUrl="/wait">file</Enqueue>'),
        "/wait": wait,
        "/room": twiml(
            '<Dial><Conference participantLabel="p" statusCallback="/told" statusCallbackEvent="join" waitUrl="">salle'
            "</Conference></Dial><Say>au revoir</Say>"
        ),
        "/hold": twiml("<Say>un instant</Say>"),
        "/told": "",
    }
    async with bench(pages, clock=DrivenClock(datetime(2026, 11, 26, 11, 0, tzinfo=UTC))) as desk:
        base = desk.application.base_url
        yield desk


async def press_eight(desk: Bench) -> None:
    """What a secretary's page would ask of the application: hold the caller, invite two others."""
    async with sdk(desk) as client:
        (room,) = await client.conferences.list_async(friendly_name="salle", status="in-progress")
        held = client.conferences(room.sid).participants("p")
        await held.update_async(hold=True, hold_url=desk.application.base_url + "/hold")
        for to in (SECOND, "client:medecin"):
            await client.conferences(room.sid).participants.create_async(from_=PRACTICE, to=to)


def transcript(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "appel.yaml"
    file.write_text(text, encoding="utf-8")
    return file


async def play(desk: Bench, tmp_path: Path, text: str = SCRIPT, patience: Patience = HASTE) -> Outcome:
    """Run a transcript; when the secretary presses 8, the application does what its page would ask."""

    done: list[Any] = []

    def narrate(line: str) -> None:
        if "[8]" in line:
            done.append(asyncio.ensure_future(press_eight(desk)))

    script = load_transcript(transcript(tmp_path, text))
    outcome = await run(script, base_url=desk.emulator.base_url, patience=patience, narrate=narrate)
    for task in done:
        await task
    return outcome


async def test_it_goes_as_written(tmp_path: Path) -> None:
    async with practice() as desk:
        outcome = await play(desk, tmp_path)
        assert isinstance(outcome, Passed), str(outcome)
        assert (await desk.get("/clients"))["clients"] == []


@pytest.mark.parametrize(
    ("old", "new", "step"),
    [
        ("hears_whom: []", "hears_whom: [caller]", 2),
        ("hears_whom: [secretaire]", "hears_whom: []", 12),
        ("hears_whom: [caller]", "hears_whom: [caller, autre]", 14),
        ("held: false", "held: true", 18),
        ("held: true", "held: false", 24),
        ('rejects: {on: "+33472000000"}', 'rejects: {on: "+33472000009"}', 27),
        ("clients: [secretariat, medecin]", "clients: [secretariat]", 28),
    ],
)
async def test_what_differs_is_noticed(tmp_path: Path, old: str, new: str, step: int) -> None:
    async with practice() as desk:
        assert old in SCRIPT
        outcome = await play(desk, tmp_path, SCRIPT.replace(old, new, 1), Patience(ring=0.4, ledger=0.0))
        assert isinstance(outcome, Differed), str(outcome)
        assert outcome.step == step, str(outcome)


async def test_each_expectation_would_have_been_missed(tmp_path: Path) -> None:
    script, count = load_transcript(transcript(tmp_path, SCRIPT)), 0
    async with practice() as desk, ControlClient(desk.emulator.base_url) as client:
        follower = await Follower.calling(client, script, Patience(ring=0.1, no_text=0.02, text=0.02))

        def awaits(seconds: float) -> None:
            follower._patience = Patience(ring=seconds, no_text=0.02, text=0.02)
            follower._company = Company(client, seconds)

        for step in script.steps:
            if not isinstance(step.action, Calls | ContinuesOn | Rejects):
                for opposite in negated(step):
                    difference = await follower.follow([opposite])
                    assert difference is not None, f"{step.line}: {opposite.action} was not noticed"
                    count += 1
            if isinstance(step.action, Presses):
                await press_eight(desk)
            awaits(5.0)
            assert await follower.follow([step]) is None, f"{step.line}: {step.action}"
            awaits(0.1)
        await follower.hang_up()
    assert count > 15


@pytest.mark.parametrize(
    ("written", "mend"),
    [
        ("clients: secretariat", "clients: [secretariat]"),
        ("clients: ['a b']", "no identity"),
        ("steps: [{calls: {from: '1', to: '2'}}]", "as: autre"),
        ("steps: [{calls: {from: '1', to: '2', as: caller}}]", "no name"),
        ("steps: [{calls: true}]", "calls: {from"),
        ("steps: [{rejects: {on: '1', reason: tired}}]", "busy, no-answer, failed"),
        ("steps: [{rejects: {reason: busy}}]", "on: "),
        ("steps: [{hears_whom: [personne]}]", "as: personne"),
        ("steps: [{hears_whom: caller}]", "hears_whom: [caller]"),
        ("steps: [{held: maybe}]", "held: true"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, written: str, mend: str) -> None:
    text = f"title: t\ncall: {{from: '1', to: '2'}}\n{written}\n"
    if not written.startswith("steps"):
        text += "steps: [{ended: true}]\n"
    with pytest.raises(TranscriptError) as wrong:
        load_transcript(transcript(tmp_path, text))
    (problem,) = wrong.value.problems
    assert mend in problem
