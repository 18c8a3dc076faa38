"""P7: with the database stopped, at whatever moment of a call, the caller hears an apology and the emergency line, and
is put through to the practice's rescue number; nothing about a patient is in those words."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from structlog.testing import capture_logs

from callcenter.audit.sealing_key import create_sealing_key
from callcenter.cli import main
from callcenter.demo import ledger_reader
from callcenter.emulator.outcomes import Differed, Passed
from callcenter.emulator.runner import Patience
from callcenter.emulator.steps import Transcript
from callcenter.emulator.transcript import load_transcript
from callcenter.installation import switch_path
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom, SystemRandom
from callcenter.store.schema import APP, SEALER
from callcenter.telephony.fallback import APOLOGY, EMERGENCY, NOBODY_ANSWERED, TRANSFER
from tests.acceptance.caller import JEANNE, Caller, calling
from tests.acceptance.negations import negated
from tests.acceptance.stage import CONFIG, Stage, free_port, stage_settings, staged
from tests.acceptance.test_transcripts import FOLDER
from tests.conftest import ROOT, Cluster, running_cluster

STOPPED = FOLDER / "outage" / "database_stopped.yaml"
RESCUE = "+33465710090"

#: The call that is cut short, answer by answer.
CODE = "the code"
GOOD_CALL = ("1", "1", "14031962", CODE, "1", "3", "*", "2", "1", "2")

#: What an outage may not say: whom it is about, what was found, or that anything was.
PATIENT_WORDS = ("14 heures", "9 heures", "décembre", "mardi", "jeudi", "Jeanne", "Martin", "Moreau", "Lefèvre", "1962")


class Outage:
    """Stops the database of one stage for everybody, and lets it come back.

    Arguments:
        engine: as somebody who may do so, connected elsewhere.
        name: of the database.
    """

    def __init__(self, engine: AsyncEngine, name: str) -> None:
        self._engine = engine
        self._name = name

    async def begins(self) -> None:
        async with self._engine.connect() as connection:
            await connection.execute(text(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS false"))
            ended = text("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = :name")
            async with asyncio.timeout(20):  # one that began before the door was shut may show only now
                while (await connection.execute(ended, {"name": self._name})).all():
                    await asyncio.sleep(0.01)

    async def ends(self) -> None:
        async with self._engine.connect() as connection:
            await connection.execute(text(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS true"))


@pytest.fixture
async def outage(stage: Stage, cluster: Cluster, database_name: str) -> AsyncIterator[Outage]:
    url = cluster.server.url(user=ROOT, database="postgres")
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    outage = Outage(engine, database_name)
    yield outage
    await outage.ends()
    await engine.dispose()


# --- from the first moment


async def test_p7_the_call_goes_as_written_with_the_database_stopped(stage: Stage, outage: Outage) -> None:
    outcome = await stopped_for(stage, outage, load_transcript(STOPPED), Patience(text=0.05, no_text=0.05))
    assert isinstance(outcome, Passed), str(outcome)


async def test_each_expectation_of_that_call_would_have_been_missed(stage: Stage, outage: Outage) -> None:
    script = load_transcript(STOPPED)
    negations = [(step, opposite) for step in script.steps for opposite in negated(step)]
    assert len(negations) > len(script.steps) - 2
    for step, opposite in negations:
        changed = replace(script, steps=(*script.steps[: step.number - 1], opposite), ledger=None)
        # A telephone that should ring is waited for; one that should not would ring before anything else happens.
        outcome = await stopped_for(stage, outage, changed, Patience(ring=0.5 if step.number == 5 else 10.0))
        assert isinstance(outcome, Differed), f"line {step.line}: {opposite.action} was not noticed"
        assert outcome.step == step.number, str(outcome)


async def stopped_for(stage: Stage, outage: Outage, script: Transcript, patience: Patience) -> Any:
    """Run a transcript while the database is stopped; it is back when the ledger is read."""

    async def ledger(sid: str) -> list[dict[str, Any]]:
        await outage.ends()
        records: list[dict[str, Any]] = await ledger_reader(stage.running.database)(sid)
        return records

    await outage.begins()
    outcome = await stage.perform(script, ledger=ledger, patience=patience)
    await outage.ends()
    return outcome


# --- in the middle


@pytest.mark.parametrize("answered", range(len(GOOD_CALL)))
async def test_p7_the_database_stops_in_the_middle_of_a_call(stage: Stage, outage: Outage, answered: int) -> None:
    async with calling(stage, JEANNE) as caller:
        for answer in GOOD_CALL[:answered]:
            await caller.does(await keys(caller, answer))
        last, asked = await keys(caller, GOOD_CALL[answered]), len(caller.exchanges())
        await outage.begins()
        heard = await caller.does(last)
        await is_put_through(caller, heard)
    (static,) = [exchange for exchange in caller.exchanges()[asked:] if exchange.kind != "status"]
    assert (static.kind, static.status) == ("webhook", 200)
    assert [word for word in PATIENT_WORDS if word in static.text or word in heard] == []
    async with calling(stage, "+33639980099") as stranger:
        pass
    assert stranger.exchanges()[0].response_body == static.response_body


async def keys(caller: Caller, answer: str) -> str:
    return (await caller.codes(JEANNE))[-1] if answer == CODE else answer


async def is_put_through(caller: Caller, heard: str) -> None:
    """The rescue number rings, is answered, and the call ends when it hangs up."""
    assert heard.startswith(f"{APOLOGY} {EMERGENCY} {TRANSFER}")
    (leg,) = await caller.client.ringing(RESCUE, wait=10)
    assert leg.parent == caller.sid
    await caller.client.answer(leg.sid)
    assert (await caller.client.settled(caller.sid)).heard[-1].text == f"[en communication avec {RESCUE}]"
    await caller.client.hang_up(leg.sid)
    caller.state = await caller.client.settled(caller.sid)
    assert caller.ended
    assert caller.heard[-1].text == NOBODY_ANSWERED


async def test_p7_the_server_itself_is_stopped(keys_file: Path, clock: DrivenClock, random: SeededRandom) -> None:
    async with running_cluster() as cluster:
        await cluster.create("stopped")
        app, jobs = cluster.server.url(user=APP, database="stopped"), cluster.server.dsn(user=APP, database="stopped")
        async with staged(stage_settings(keys_file), app, jobs, clock, random) as stage:
            async with calling(stage, JEANNE) as caller:
                await caller.does("1")
                await cluster.server.stop()
                await is_put_through(caller, await caller.does("14031962"))
            async with calling(stage, JEANNE) as another:
                await is_put_through(another, another.words)
            await cluster.server.start()
            async with calling(stage, JEANNE) as served:
                assert "déjà pris" in await served.does("1")


async def test_p7_the_kill_switch_is_turned_and_heeded_while_the_database_is_stopped(
    stage: Stage, outage: Outage
) -> None:
    keys_file, switch = str(stage.running.settings.keys_file), switch_path(stage.running.settings)
    await outage.begins()
    command = ["switch", "rescue", "on", "--all", "--by", "Anna"]
    try:
        turned = CliRunner(env={"CALLCENTER_KEYS_FILE": keys_file, "CALLCENTER_CONFIG": str(CONFIG)}).invoke(
            main, command
        )
        assert turned.exit_code == 0, turned.output
        with capture_logs() as logs:
            async with calling(stage, JEANNE) as caller:
                await is_put_through(caller, caller.words)
        alerts = {one["kind"] for one in logs if one["event"] == "alert"}
        assert "rescue_switched" in alerts
        assert "unavailable" not in alerts, "the database was asked first"
    finally:
        switch.unlink(missing_ok=True)


# --- afterwards


async def test_a_call_after_the_outage_goes_as_written(stage: Stage, outage: Outage) -> None:
    await outage.begins()
    async with calling(stage, JEANNE) as caller:
        assert APOLOGY in caller.words
    await outage.ends()
    outcome = await stage.play(FOLDER / "verified_by_sms.yaml")
    assert isinstance(outcome, Passed), str(outcome)


async def test_the_server_ends_while_its_database_is_stopped(
    cluster: Cluster, database_name: str, keys_file: Path, outage: Outage, tmp_path: Path
) -> None:
    create_sealing_key(tmp_path / "sealer.key", SystemRandom())
    environment = {
        "CALLCENTER_DATABASE__SEALER_URL": cluster.server.url(user=SEALER, database=database_name, driver="postgresql"),
        "CALLCENTER_SEALER_KEY_FILE": str(tmp_path / "sealer.key"),
        "DATABASE_URL": cluster.server.url(user=APP, database=database_name, driver="postgresql"),
        "CALLCENTER_KEYS_FILE": str(keys_file),
        "CALLCENTER_WEBHOOKS__PORT": "0",
        "CALLCENTER_PRIVATE__PORT": "0",
        "CALLCENTER_CONSOLE__PORT": str(free_port()),
    }
    server = await asyncio.create_subprocess_exec(
        Path(sys.executable).parent / "callcenter",
        *("--config", str(CONFIG), "serve"),
        cwd=CONFIG.parents[1],
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert server.stdout is not None
        async with asyncio.timeout(60):
            while b"Ctrl-C ends" not in (line := await server.stdout.readline()):
                assert line, "the server did not come up"
        await outage.begins()
        await asyncio.sleep(0.5)  # job worker and sealer notice, and try to say so to the database
        server.terminate()
        assert await asyncio.wait_for(server.wait(), timeout=20) == 0
    finally:
        if server.returncode is None:
            server.kill()
            await server.wait()
