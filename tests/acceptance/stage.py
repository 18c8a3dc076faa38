"""The stage of a whole call: server, database, emulator, all real and on this machine; only time is driven."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callcenter.app import Addresses, Running, keys_path, run_server
from callcenter.demo import emulator_settings, ledger_reader
from callcenter.emulator import Emulator
from callcenter.emulator.outcomes import Outcome
from callcenter.emulator.runner import run
from callcenter.emulator.transcript import load_transcript
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import Random, SeededRandom
from callcenter.practice.demo import seed
from callcenter.settings import Settings, load_settings
from callcenter.speech.voices import SilentVoice, Voice
from callcenter.store.database import Database
from callcenter.store.keys import load_keys
from callcenter.store.sealed import Sealer

CONFIG = Path(__file__).resolve().parents[2] / "config" / "demo.yaml"


def free_port() -> int:
    """A TCP port of 127.0.0.1 that is free now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def stage_settings(keys_file: Path, **overrides: Any) -> Settings:
    """The demo's settings on free ports, in the test environment."""
    webhooks, private, emulator = free_port(), free_port(), free_port()
    values = {
        "environment": "test",
        "public_base_url": f"http://127.0.0.1:{webhooks}",
        "webhooks": {"port": webhooks},
        "private": {"port": private},
        "keys_file": keys_file,
        "carrier": {
            "account_sid": "AC" + "0" * 32,
            "auth_tokens": ["a-token-of-the-tests"],
            "base_url": f"http://127.0.0.1:{emulator}",
            "sms_sender": "+33199000001",
        },
    }
    return load_settings(CONFIG, {**values, **overrides})


@dataclass(frozen=True, slots=True)
class Stage:
    """A house that runs, with a carrier beside it."""

    running: Running
    emulator: Emulator
    clock: DrivenClock

    async def play(self, transcript: Path) -> Outcome:
        """Run a transcript: the clock stands where it says, and the agendas are made for that day."""
        script = load_transcript(transcript)
        if script.at is not None:
            self.clock.set(script.at)
        await seed(self.running.database, self.running.sealer, self.clock, SeededRandom(2))
        return await run(
            script, base_url=self.emulator.base_url, ledger=ledger_reader(self.running.database), clock=self.clock
        )


@asynccontextmanager
async def staged(
    settings: Settings, app_url: str, jobs_dsn: str, clock: DrivenClock, random: Random, voice: Voice | None = None
) -> AsyncIterator[Stage]:
    """Put everything on stage, and take it down."""
    addresses = Addresses(app_url, jobs_dsn, None)
    database = Database(app_url, pool_size=2)
    await seed(database, Sealer(load_keys(keys_path(settings)), random), clock, random)
    await database.close()
    port = int((settings.carrier.base_url or "").rsplit(":", 1)[1])
    emulator = Emulator(emulator_settings(settings, port), clock)
    await emulator.start()
    try:
        async with run_server(settings, addresses, clock=clock, random=random, voice=voice or SilentVoice()) as running:
            yield Stage(running, emulator, clock)
    finally:
        await emulator.stop()
