"""Settings that only a whole server shows."""

from __future__ import annotations

from pathlib import Path

from callcenter.emulator.client import ControlClient
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom
from callcenter.store.schema import APP
from tests.acceptance.stage import stage_settings, staged
from tests.conftest import TODAY, Cluster


async def test_public_words_are_said_by_the_carriers_voice_that_was_chosen(
    cluster: Cluster, database_name: str, keys_file: Path, clock: DrivenClock, random: SeededRandom
) -> None:
    settings = stage_settings(keys_file)
    carrier = settings.carrier.model_copy(update={"voice": "Polly.Remi-Neural"})
    settings = settings.model_copy(update={"carrier": carrier})
    app, jobs = (made(user=APP, database=database_name) for made in (cluster.server.url, cluster.server.dsn))
    async with (
        staged(settings, app, jobs, clock, random, furnished=TODAY) as stage,
        ControlClient(stage.emulator.base_url) as client,
    ):
        sid = await client.start("+33639980001", "+33465710001", "scripted")
        await client.settled(sid)
        answers = [exchange.response_body for exchange in stage.emulator.tape if exchange.kind == "webhook"]
        await client.hang_up(sid)
        await client.closed(sid)
    assert answers
    assert all(b'voice="Polly.Remi-Neural"' in answer for answer in answers)
    assert not any(b"Polly.Lea" in answer for answer in answers)
