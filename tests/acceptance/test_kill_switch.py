"""``callcenter switch rescue``: calls go to the practices' own lines at once, whatever does or does not work."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from callcenter.calls.steps import Steps
from callcenter.cli import main
from callcenter.emulator.client import ControlClient
from callcenter.installation import switch_path
from callcenter.store.database import DatabaseDown
from tests.acceptance.on_the_line import JEANNE, RESCUE, TILLEULS
from tests.acceptance.stage import CONFIG, Stage

PORT = "+33261910001"


@pytest.fixture
def turned(stage: Stage) -> Iterator[Turn]:
    """Turns the switch by the command, and back in the end."""
    keys = stage.running.settings.keys_file
    runner = CliRunner(env={"CALLCENTER_KEYS_FILE": str(keys), "CALLCENTER_CONFIG": str(CONFIG)})

    def turn(*words: str) -> str:
        result = runner.invoke(main, ["switch", "rescue", *words, "--by", "Anna"])
        assert result.exit_code == 0, result.output
        return result.output

    yield turn
    switch_path(stage.running.settings).unlink(missing_ok=True)


class Turn:
    """A shape for the fixture."""

    def __call__(self, *words: str) -> str: ...


async def heard_by(stage: Stage, called: str) -> str:
    async with ControlClient(stage.emulator.base_url) as client:
        sid = await client.start(JEANNE, called, "scripted")
        state = await client.settled(sid)
        rings = "[sonne]" if await client.ringing(RESCUE, 0) else ""
        await client.hang_up(sid)
        await client.closed(sid)
    return " ".join(spoken.text for spoken in state.heard) + rings


async def test_p7_one_practices_calls_go_to_its_own_line_and_the_others_are_served(stage: Stage, turned: Turn) -> None:
    assert "ON for cabinet-des-tilleuls (by Anna)" in turned("on", "--practice", "cabinet-des-tilleuls")
    heard = await heard_by(stage, TILLEULS)
    assert "composez le 15" in heard
    assert "mettons en relation" in heard
    assert heard.endswith("[sonne]")
    assert "Rendez-vous, tapez 1" in await heard_by(stage, PORT)
    turned("off", "--practice", "cabinet-des-tilleuls")
    assert "Rendez-vous, tapez 1" in await heard_by(stage, TILLEULS)


async def test_p7_everybodys_calls_go_with_the_database_stopped_and_a_call_in_progress_too(
    stage: Stage, turned: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ControlClient(stage.emulator.base_url) as client:
        under_way = await client.start("+33639980003", TILLEULS, "scripted")
        await client.settled(under_way)

        async def fails(*_: object) -> None:
            raise DatabaseDown

        monkeypatch.setattr(Steps, "step", fails)
        assert "ON for every practice" in turned("on", "--all")
        await client.press(under_way, "1")
        state = await client.settled(under_way)
        assert "mettons en relation" in " ".join(spoken.text for spoken in state.heard)
        await client.hang_up(under_way)
        await client.closed(under_way)
    assert (await heard_by(stage, TILLEULS)).endswith("[sonne]")
    assert "rescue is off" in turned("off", "--all")


async def test_p7_lifting_it_for_everybody_leaves_what_was_switched_for_one(stage: Stage, turned: Turn) -> None:
    turned("on", "--practice", "cabinet-des-tilleuls")
    told = turned("on", "--all")
    assert "stays on for cabinet-des-tilleuls" in told
    assert "mettons en relation" in await heard_by(stage, PORT)
    assert "ON for cabinet-des-tilleuls" in turned("off", "--all")
    assert (await heard_by(stage, TILLEULS)).endswith("[sonne]")
    assert "Rendez-vous, tapez 1" in await heard_by(stage, PORT)
    assert "rescue is off" in turned("off", "--practice", "cabinet-des-tilleuls")


def test_whose_calls_must_be_said() -> None:
    result = CliRunner().invoke(main, ["switch", "rescue", "on"])
    assert result.exit_code == 2
    assert "--all, or --practice SLUG" in result.output
