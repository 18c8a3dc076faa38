"""Calls that reach us over a line that is forwarded, while nothing of ours works: no line is made to ring itself."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from callcenter.calls.steps import Steps
from callcenter.emulator.client import ControlClient
from callcenter.emulator.lines import Forwarding
from callcenter.emulator.outcomes import Passed
from callcenter.emulator.runner import run
from callcenter.emulator.transcript import load_transcript
from callcenter.store.database import DatabaseDown
from tests.acceptance.on_the_line import JEANNE, RESCUE, TILLEULS
from tests.acceptance.stage import Stage

#: How a carrier may report the rescue number as the line that the call comes over.
SPELLINGS = [RESCUE, "0465710090", "0033465710090", "33465710090"]


@pytest.fixture(autouse=True)
def everything_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object) -> None:
        raise DatabaseDown

    monkeypatch.setattr(Steps, "step", fails)


async def last_heard(stage: Stage, caller: str, forwarded_from: str | None) -> tuple[str, bool]:
    """What is heard in the end, and whether the rescue number rings."""
    async with ControlClient(stage.emulator.base_url) as client:
        sid = await client.start(caller, TILLEULS, "scripted", forwarded_from)
        heard = " ".join(spoken.text for spoken in (await client.settled(sid)).heard)
        rings = bool(await client.ringing(RESCUE, 0))
        await client.hang_up(sid)
        await client.closed(sid)
    return heard, rings


@pytest.mark.parametrize("forwarded_from", [None, "+33472000000"])
async def test_p7_the_rescue_number_rings_when_everything_is_down(stage: Stage, forwarded_from: str | None) -> None:
    heard, rings = await last_heard(stage, JEANNE, forwarded_from)
    assert "composez le 15" in heard
    assert rings


@pytest.mark.parametrize("forwarded_from", SPELLINGS)
async def test_p7_a_call_forwarded_from_the_rescue_number_never_dials_it(stage: Stage, forwarded_from: str) -> None:
    heard, rings = await last_heard(stage, JEANNE, forwarded_from)
    assert "composez le 15" in heard
    assert heard.endswith("Au revoir.")
    assert not rings


async def test_p7_a_call_from_the_rescue_number_never_dials_it(stage: Stage) -> None:
    heard, rings = await last_heard(stage, RESCUE, None)
    assert heard.endswith("Au revoir.")
    assert not rings


async def test_a_transcript_may_say_over_which_line_the_call_comes(stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "forwarded.yaml"
    file.write_text(
        "title: renvoi depuis la ligne de secours\n"
        f'call: {{from: "{JEANNE}", to: "{TILLEULS}", forwarded_from: "{RESCUE}"}}\n'
        "steps:\n"
        '  - hears: "composez le 15"\n'
        '  - hears_not: "sonnerie"\n'
        "  - ended: true\n",
        encoding="utf-8",
    )
    outcome = await run(load_transcript(file), base_url=stage.emulator.base_url)
    assert isinstance(outcome, Passed), str(outcome)


@pytest.mark.parametrize("caller", ["kept", "replaced"])
@pytest.mark.parametrize("reported", [True, False])
async def test_p7_a_rescue_number_that_is_forwarded_to_us_does_not_go_round(
    stage: Stage, caller: Literal["kept", "replaced"], reported: bool
) -> None:
    """Somebody has set up the practice's way out to lead back in, and the carrier tells of it or does not."""
    async with ControlClient(stage.emulator.base_url) as client:
        await client.forward(Forwarding(RESCUE, TILLEULS, "always", caller, reported))
        sid = await client.start(JEANNE, TILLEULS, "scripted")
        await client.settled(sid)
        heard = " ".join(spoken.text for spoken in (await client.closed(sid)).heard)
    assert heard.count("composez le 15") >= 1
    incoming = [e for e in stage.emulator.tape if e.kind == "webhook" and e.url.endswith("/voice/incoming")]
    assert len(incoming) == 2, "the call that comes back is recognised at once"
