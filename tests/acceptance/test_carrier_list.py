"""Whole calls, and the night after them: what the carrier lists is what we know; the commands tell of what is not."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from sqlalchemy import text

from callcenter.app.configured import carrier_settings
from callcenter.calls.carrier_findings import last_due, open_findings
from callcenter.calls.carrier_list import CarrierComparison
from callcenter.cli import main, reconcile
from callcenter.emulator.outcomes import Passed
from callcenter.kernel.randomness import SystemRandom
from callcenter.telephony.rest import TwilioCarrier
from callcenter.telephony.urls import Urls
from tests.acceptance.stage import Stage
from tests.integration.comparing import FORGED, Cries

TRANSCRIPTS = Path(__file__).parent / "transcripts"
#: Long ago, whenever these tests are run: commands go by the machine's clock.
DAY = "2024-01-10"


async def test_after_calls_in_and_out_the_two_agree(stage: Stage) -> None:
    """The practice's own telephone answers; a line on file is rung back, and its code typed there."""
    for name in ("practice_answers", "return_call"):
        assert isinstance(await stage.play(TRANSCRIPTS / f"{name}.yaml"), Passed)
    running = stage.running
    async with running.database.house() as connection:
        began = (await connection.execute(text("SELECT started_at FROM call"))).scalars().all()
    assert len(began) == 3  # the line that was rung back is a call, too
    stage.clock.set(max(began) + timedelta(days=2))
    cries, known = Cries(), 0
    async with TwilioCarrier(carrier_settings(running.settings, Urls.below(running.webhooks))) as carrier:
        comparison = CarrierComparison(running.database, stage.clock, SystemRandom(), carrier.call_list, cries)
        for day in {one.date() for one in began}:
            assert day <= last_due(stage.clock.now())
            known += (await comparison.compare(day)).ours
    async with running.database.house() as connection:
        assert await open_findings(connection, None, 10) == []
    assert known == len(began)


@pytest.fixture
def config(stage: Stage, tmp_path: Path) -> Path:
    """The stage's house, as a configuration file."""
    settings = json.loads(stage.running.settings.model_dump_json(exclude_defaults=True))
    kept = {name: settings[name] for name in ("environment", "public_base_url", "keys_file", "mail")}
    carrier = {**settings["carrier"], "auth_tokens": ["a-token-of-the-tests"]}
    url = stage.running.addresses.app
    file = tmp_path / "house.yaml"
    file.write_text(yaml.safe_dump({**kept, "carrier": carrier, "database": {"url": url}}), encoding="utf-8")
    return file


async def run(config: Path, *arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, main, ["--config", str(config), "audit", *arguments])


async def test_a_day_is_compared_and_settled_by_hand(
    stage: Stage, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noon = datetime.fromisoformat(f"{DAY}T12:00:00+00:00")
    async with stage.running.database.house() as connection:
        row = {"sid": FORGED, "now": noon}
        await connection.execute(text(_KNOWN), row)
    found = await run(config, "reconcile", "--day", DAY, "--by", "camille")
    assert found.exit_code == 1, found.output
    assert (
        f"{DAY}: calls to our numbers on the carrier's list: 0; legs that we know: 1; new differences: 1"
        in found.output
    )
    (line,) = [line for line in found.output.splitlines() if FORGED in line]
    assert "the carrier never had it" in line
    finding = re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", line)[0]
    refused = await run(config, "settle", "--cause", "test")
    assert (refused.exit_code, "say which" in refused.output) == (2, True)
    settled = await run(config, "settle", finding, "--cause", "test", "--by", "camille")
    assert (settled.exit_code, settled.output) == (0, "1 settled: test\n")
    again = await run(config, "settle", "--day", DAY, "--cause", "test")
    assert (again.exit_code, "nothing of that is open" in again.output) == (2, True)
    async with stage.running.database.house() as connection:
        await connection.execute(text(_MANY), {"day": noon.date(), "now": noon})
    monkeypatch.setattr(reconcile, "SHOWN", 2)
    shown = await run(config, "reconcile", "--day", DAY)
    assert "2 or more open: " in shown.output
    all_of_it = await run(config, "settle", "--day", DAY, "--cause", "outage")
    assert (all_of_it.exit_code, all_of_it.output) == (0, "5 settled: outage\n")
    after = await run(config, "reconcile", "--day", DAY)
    assert after.exit_code == 0, after.output
    future = await run(config, "reconcile", "--day", "2999-01-01")
    assert (future.exit_code, "may still go on" in future.output) == (2, True)


_KNOWN = (
    "INSERT INTO call (id, practice_id, carrier_sid, status, started_at) "
    "SELECT gen_random_uuid(), id, :sid, 3, :now FROM practice ORDER BY id LIMIT 1"
)
_MANY = (
    "INSERT INTO carrier_finding (id, practice_id, sid, kind, day, found_at) "
    "SELECT gen_random_uuid(), (SELECT id FROM practice ORDER BY id LIMIT 1), 'CA' || md5(n::text), "
    "'call_unknown', cast(:day AS date), :now FROM generate_series(1, 5) n"
)
