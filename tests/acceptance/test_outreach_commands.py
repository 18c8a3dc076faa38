"""``callcenter practice notices`` and ``practice reminders``: what they keep, refuse and put on record."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from callcenter.cli import main
from tests.acceptance.outreach import TILLEULS, records, rows
from tests.acceptance.stage import Stage


@pytest.fixture
def config(stage: Stage, tmp_path: Path) -> Path:
    """The stage's house, as a configuration file."""
    settings = json.loads(stage.running.settings.model_dump_json(exclude_defaults=True))
    kept = {name: settings[name] for name in ("environment", "public_base_url", "keys_file", "mail")}
    carrier = {"account_sid": "AC" + "0" * 32, "auth_tokens": ["t"], "sms_sender": "+33199000001"}
    url = stage.running.addresses.app
    file = tmp_path / "house.yaml"
    file.write_text(yaml.safe_dump({**kept, "carrier": carrier, "database": {"url": url}}), encoding="utf-8")
    return file


async def run(config: Path, *arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, main, ["--config", str(config), "practice", *arguments])


async def test_who_is_told_is_added_listed_and_removed_on_record(stage: Stage, config: Path) -> None:
    added = await run(config, "notices", TILLEULS, "add", "06 39 98 00 91", "--channel", "sms", "--by", "camille")
    assert added.exit_code == 0, added.output
    called = await run(
        config,
        "notices",
        TILLEULS,
        "add",
        "+33465710055",
        "--channel",
        "call",
        "--deputy",
        "--practitioner",
        "claire moreau",
    )
    assert called.exit_code == 0, called.output
    listed = await run(config, "notices", TILLEULS, "list")
    assert [line.split()[:4] for line in listed.output.splitlines()] == [
        ["first", "sms", "all", "+33639980091"],
        ["deputy", "call", "urgent", "+33465710055"],
    ]
    again = await run(config, "notices", TILLEULS, "add", "0639980091", "--channel", "sms")
    assert again.exit_code == 2
    identifier = listed.output.splitlines()[0].split()[-1]
    assert (await run(config, "notices", TILLEULS, "remove", identifier)).exit_code == 0
    assert (await run(config, "notices", TILLEULS, "remove", identifier)).exit_code == 2
    (first, *_) = await records(stage, "notice_address.added")
    assert first["actor"] == {"kind": "staff", "id": "camille"}
    assert len(await records(stage, "notice_address.removed")) == 1


@pytest.mark.parametrize(
    ("address", "channel", "mend"),
    [
        ("+33465710001", "call", "leads back to us"),
        ("+33465710090", "call", "leads back to us"),
        ("0899123456", "call", "costs extra"),
        ("0465710055", "sms", "only a mobile"),
        ("personne", "email", "write NAME@HOST"),
    ],
)
async def test_nobody_is_told_where_they_cannot_be(
    stage: Stage, config: Path, address: str, channel: str, mend: str
) -> None:
    refused = await run(config, "notices", TILLEULS, "add", address, "--channel", channel)
    assert refused.exit_code == 2
    assert mend in refused.output
    assert await rows(stage, "SELECT id FROM notice_address") == []


async def test_what_a_patient_says_of_reminders_is_on_record(stage: Stage, config: Path) -> None:
    kept = await run(config, "reminders", TILLEULS, "oppose", "jeanne-martin-duval", "--by", "camille")
    assert kept.exit_code == 0, kept.output
    (choice,) = await rows(stage, "SELECT id, choice, channel, wording, made_at FROM reminder_choice")
    assert (choice.choice, choice.channel) == ("opposed", "staff")
    (record,) = await records(stage, "reminders.chosen")
    assert record["refs"] == [f"reminder_choice:{choice.id}"]
    unknown = await run(config, "reminders", TILLEULS, "oppose", "personne")
    assert unknown.exit_code == 2
