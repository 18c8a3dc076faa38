"""``callcenter practice show``: what holds for a while is never told as if it were the rule."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from callcenter.cli import main
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.demo import FOLDER
from callcenter.practice.demo_file import read_demonstration
from callcenter.practice.enrolment import write_organisation, write_practice, write_practitioners
from callcenter.practice.setting_versions import Author
from callcenter.store.database import Database
from callcenter.store.keys import create_keys
from callcenter.store.schema import APP
from tests.conftest import Cluster

SLUG = "cabinet-des-tilleuls"


@pytest.fixture
async def config(cluster: Cluster, database_name: str, database: Database, tmp_path: Path) -> Path:
    """Of an installation with the Tilleuls."""
    demonstration = read_demonstration(FOLDER)
    async with database.house() as connection:
        await write_organisation(connection, demonstration.organisation_id, demonstration.organisation)
    described = demonstration.practices[SLUG]
    async with database.practice(described.facts.id) as tx:
        await write_practice(tx.connection, described.facts, Author("tests", SystemClock().now()))
        await write_practitioners(tx, described.practitioners)
    create_keys(tmp_path / "keys.json", SystemRandom())
    settings = {
        "environment": "test",
        "public_base_url": "http://127.0.0.1:8080",
        "keys_file": str(tmp_path / "keys.json"),
        "carrier": {"account_sid": "AC" + "0" * 32, "auth_tokens": ["t"], "sms_sender": "+33199000001"},
        "database": {"url": cluster.server.url(user=APP, database=database_name)},
    }
    (tmp_path / "house.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    return tmp_path / "house.yaml"


async def typed(config: Path, *arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, main, ["--config", str(config), "practice", *arguments])


async def test_what_follows_stands_under_what_ends(config: Path) -> None:
    now = "2091-03-01T09:00"
    for address, period in (
        ("14 rue des Acacias", ("--from", "2091-02-01", "--until", "2091-04-01")),
        ("16 rue des Acacias", ("--from", "2091-05-01")),
    ):
        done = await typed(config, "set", SLUG, "address", address, *period, "--by", "tests")
        assert done.exit_code == 0, done.output
    shown = (await typed(config, "show", SLUG, "--at", now)).output.splitlines()
    at = shown.index('address: "14 rue des Acacias"')
    assert shown[at + 1] == '  from 2091-04-01 00:00 on: "12 rue des Tilleuls, 69003 Lyon"'
    assert [line for line in shown if line.startswith("  from")] == [shown[at + 1]]
    later = (await typed(config, "show", SLUG, "--at", "2091-06-01")).output
    assert 'address: "16 rue des Acacias"' in later
    assert "  from" not in later
