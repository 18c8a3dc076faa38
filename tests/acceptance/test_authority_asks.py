"""The authority asks for proof: from the practice's export to a verdict where there is nothing of callcenter.

Whoever verifies has a Python of their own, `cryptography`, the one file, and what they wrote down at their last visit.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import venv
from base64 import b64encode
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from sqlalchemy.ext.asyncio import create_async_engine

from callcenter.audit import verify
from callcenter.cli import main
from callcenter.emulator.outcomes import Passed
from callcenter.practice.demo_file import demo_id
from callcenter.store.schema import APP, SEALER
from tests.acceptance.stage import Stage
from tests.conftest import ROOT, Cluster
from tests.exporting import Meddler, unguard
from tests.sealing import a_key, seal_once

TRANSCRIPTS = Path(__file__).parent / "transcripts"
SLUG = "cabinet-des-tilleuls"
TILLEULS = demo_id("practice", SLUG)
#: What `cryptography` needs, and is installed with.
INSTALLED = ("cryptography", "cffi", "pycparser")


@dataclass(frozen=True, slots=True)
class Authority:
    """A desk with a Python, `cryptography` and ``verify.py``.

    Arguments:
        desk: its folder.
        python: of its own.
    """

    desk: Path
    python: Path

    def verifies(self, file: Path, *more: str) -> tuple[int, str]:
        """The status and the report."""
        command = [self.python, "-I", "verify.py", file, "--trust", "practice.vkey", *more]
        done = subprocess.run(command, cwd=self.desk, env={}, capture_output=True, text=True, check=False, timeout=120)
        assert done.stderr == ""
        return done.returncode, done.stdout

    def has(self, module: str) -> bool:
        done = subprocess.run([self.python, "-I", "-c", f"import {module}"], env={}, capture_output=True, check=False)
        return done.returncode == 0


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    desk = tmp_path_factory.mktemp("authority")
    venv.create(desk / "python", with_pip=False)
    (site,) = (desk / "python" / "lib").glob("python3*/site-packages")
    for name in INSTALLED:
        for file in metadata.files(name) or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                (site / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(str(file.locate()), site / file)
    shutil.copy(verify.__file__, desk / "verify.py")
    return Authority(desk, desk / "python" / "bin" / "python")


@dataclass(frozen=True, slots=True)
class Practice:
    """Whoever answers for the practice, at the command line of the installation."""

    config: Path
    urls: dict[str, str]
    stage: Stage

    async def types(self, *arguments: object, ends_with: int = 0) -> str:
        given = ["--config", str(self.config), "audit", *map(str, arguments)]
        done = await asyncio.to_thread(CliRunner().invoke, main, given)
        assert done.exit_code == ends_with, done.output
        return done.stdout

    async def is_called(self, transcript: str) -> None:
        """Somebody calls; what is on record of it is sealed within seconds."""
        assert isinstance(await self.stage.play(TRANSCRIPTS / transcript), Passed)
        assert await seal_once(self.urls[SEALER], a_key(), self.stage.clock) == []

    async def edited(self, file: Path, change: str, ends_with: int) -> None:
        """The log as a file, once the database's owner has done this with nothing in the way."""
        engine = create_async_engine(self.urls[ROOT])
        try:
            async with engine.begin() as connection:
                await unguard(connection)
                await Meddler(connection).do(change)
        finally:
            await engine.dispose()
        await self.types("export", SLUG, "-o", file, ends_with=ends_with)


@pytest.fixture
def practice(stage: Stage, cluster: Cluster, database_name: str, keys_file: Path, tmp_path: Path) -> Practice:
    seed = b64encode(a_key().private.private_bytes_raw()).decode()
    (tmp_path / "sealer.key").write_text(json.dumps({"sealer": seed}))
    (tmp_path / "sealer.key").chmod(0o600)
    urls = {role: cluster.server.url(user=role, database=database_name) for role in (APP, SEALER, ROOT)}
    settings = {
        "environment": "test",
        "public_base_url": "http://127.0.0.1:8080",
        "keys_file": str(keys_file),
        "sealer_key_file": str(tmp_path / "sealer.key"),
        "carrier": {"account_sid": "AC" + "0" * 32, "auth_tokens": ["t"], "sms_sender": "+33199000001"},
        "database": {"url": urls[APP]},
        "console": {"public_url": "https://console.example.org/"},
    }
    (tmp_path / "house.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    return Practice(tmp_path / "house.yaml", urls, stage)


def test_the_authority_has_nothing_of_callcenter(authority: Authority) -> None:
    assert authority.has("cryptography")
    assert not any(map(authority.has, ("callcenter", "sqlalchemy", "aiohttp", "pip")))


async def test_p4_the_authority_asks_for_proof(authority: Authority, practice: Practice, tmp_path: Path) -> None:
    # At the first visit the key is written down, and how far the log was.
    await practice.is_called("next_appointments.yaml")
    shown = await practice.types("key", SLUG)
    (key,) = [line for line in shown.splitlines() if line.startswith(f"callcenter/{TILLEULS}+")]
    (authority.desk / "practice.vkey").write_text(f"{key}\n")
    await practice.types("export", SLUG, "-o", tmp_path / "first.ccaudit")
    status, report = authority.verifies(tmp_path / "first.ccaudit", "--keep", "first.checkpoint")
    assert (status, report.splitlines()[0][:7]) == (0, "intact:")

    # Months later there was a complaint.
    await practice.is_called("cancel.yaml")
    await practice.types("export", SLUG, "-o", tmp_path / "second.ccaudit")
    status, report = authority.verifies(tmp_path / "second.ccaudit", "--since", "first.checkpoint")
    assert (status, "the log continues the checkpoint that you hold" in report) == (0, True)
    told = [json.loads(line) for line in (tmp_path / "second.ccaudit").read_text().splitlines()]
    disclosures = [one for one in told if one.get("event") == "disclosure" and one["decision"] == "granted"]
    assert disclosures, "who was told what is what was asked for"
    evidence = {record for one in disclosures for record in one["evidence_records"]}
    proved = {one["id"] for one in told if one.get("event") == "verification.succeeded"}
    assert evidence
    assert evidence <= proved, "what each disclosure leans on is in the same file"
    _nobody_is_named(tmp_path / "second.ccaudit")


#: A disclosure that is made a refusal; all of them taken out.
MADE_A_REFUSAL = (
    "UPDATE audit_record SET body = convert_to(replace(convert_from(body, 'UTF8'), '\"granted\"', '\"refused\"'), "
    f"'UTF8') WHERE practice_id = '{TILLEULS}' AND event = 'disclosure'"
)
TAKEN_OUT = f"DELETE FROM audit_record WHERE practice_id = '{TILLEULS}' AND event = 'disclosure'"


@pytest.mark.parametrize(
    ("change", "said", "found"),
    [
        pytest.param(MADE_A_REFUSAL, 1, verify.What.ROOT, id="refused"),
        pytest.param(TAKEN_OUT, 0, verify.What.ERASED, id="taken out"),
    ],
)
async def test_p4_what_the_owner_of_the_database_has_changed_is_found_there(
    authority: Authority, practice: Practice, tmp_path: Path, change: str, said: int, found: verify.What
) -> None:
    """Whether the export itself says that something is odd (1) or not (0): what is believed is the authority's."""
    await practice.is_called("next_appointments.yaml")
    key = a_key().verifier_key(f"callcenter/{TILLEULS}")
    (authority.desk / "practice.vkey").write_text(f"{key}\n")
    await practice.edited(tmp_path / "edited.ccaudit", change, said)
    status, report = authority.verifies(tmp_path / "edited.ccaudit")
    assert (status, found.value in report) == (1, True)


def _nobody_is_named(file: Path) -> None:
    """What leaves tells who was told what by references: names stay with the practice (RGPD article 5, 1, c)."""
    words = file.read_text()
    assert [word for word in ("Martin-Duval", "Jeanne", "3639980001", "1962", "Lefèvre") if word in words] == []
