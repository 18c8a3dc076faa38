"""`callcenter phone --script FILE` against a running house: 0 as expected, 1 with a difference, 2 could not run."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from callcenter.store.schema import APP
from tests.acceptance.stage import CONFIG, Stage, free_port
from tests.conftest import Cluster

PROJECT = CONFIG.parents[1]
COMMAND = Path(sys.executable).parent / "callcenter"
WRITTEN = (Path(__file__).parent / "transcripts" / "verified_by_sms.yaml").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Phone:
    """The command, set up for the house on stage."""

    emulator: str
    environment: dict[str, str]

    async def runs(self, script: Path, emulator: str | None = None) -> tuple[int | None, str]:
        """The exit code and what was said."""
        arguments = ["--config", str(CONFIG), "phone", "--emulator", emulator or self.emulator, "--script", str(script)]
        process = await asyncio.create_subprocess_exec(
            COMMAND,
            *arguments,
            cwd=PROJECT,
            env={**os.environ, **self.environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            said, _ = await asyncio.wait_for(process.communicate(), timeout=60)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return process.returncode, said.decode()


@pytest.fixture
def phone(stage: Stage, cluster: Cluster, database_name: str, keys_file: Path) -> Phone:
    database = cluster.server.url(user=APP, database=database_name, driver="postgresql")
    environment = {"DATABASE_URL": database, "CALLCENTER_KEYS_FILE": str(keys_file)}
    return Phone(stage.emulator.base_url, environment)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "appel.yaml"
    path.write_text(WRITTEN, encoding="utf-8")
    return path


def rewritten(script: Path, old: str, new: str) -> Path:
    assert old in WRITTEN
    script.write_text(WRITTEN.replace(old, new), encoding="utf-8")
    return script


async def test_0_when_all_was_as_expected(phone: Phone, script: Path) -> None:
    code, said = await phone.runs(script)
    assert (code, said.splitlines()[-1]) == (0, "Jeanne entend son prochain rendez-vous: as expected")
    assert "🔊 Votre prochain rendez-vous" in said  # it is told as it happens


async def test_1_with_the_first_difference(phone: Phone, script: Path) -> None:
    code, said = await phone.runs(rewritten(script, 'hears: "14 heures 30"', 'hears: "15 heures"'))
    assert code == 1, said
    assert "attendu : entendre « 15 heures »" in said
    assert "constaté : on a entendu « Votre prochain rendez-vous : mardi 1er décembre, 14 heures 30." in said


async def test_2_when_the_transcript_cannot_be_used(phone: Phone, script: Path) -> None:
    code, said = await phone.runs(rewritten(script, 'hears: "14 heures 30"', 'listens: "14 heures 30"'))
    assert (code, "there is no step 'listens'" in said) == (2, True)


async def test_2_when_no_carrier_answers(phone: Phone, script: Path) -> None:
    code, said = await phone.runs(script, f"http://127.0.0.1:{free_port()}")
    assert (code, "could not run" in said) == (2, True)


async def test_2_when_there_are_no_keys(phone: Phone, script: Path, tmp_path: Path) -> None:
    without = Phone(phone.emulator, {**phone.environment, "CALLCENTER_KEYS_FILE": str(tmp_path / "none.json")})
    code, said = await without.runs(script)
    assert (code, "start the demo first" in said) == (2, True)
