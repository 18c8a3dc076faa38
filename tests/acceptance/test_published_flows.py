"""Flows are published by command while calls go on: nobody on the line notices, the next caller does."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from callcenter import doctor_flows
from callcenter.calls import releases
from callcenter.cli import flow_versions, main
from callcenter.doctor import examine
from callcenter.emulator.client import ControlClient
from callcenter.settings import PROJECT
from callcenter.store.schema import APP
from tests.acceptance.stage import Stage
from tests.acceptance.test_doctor import at, wrong
from tests.acceptance.test_settings_take_effect import heard
from tests.conftest import Cluster
from tests.publishing import HOURS, OUR_HOURS, folder_of, loaded, refusing, reworded, taken_over

Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def run(cluster: Cluster, database_name: str, keys_file: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command on the stage's database."""
    for name in [name for name in os.environ if name.startswith("CALLCENTER_") or name == "DATABASE_URL"]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(PROJECT)
    url = cluster.server.url(user=APP, database=database_name, driver="postgresql")
    environment = {"DATABASE_URL": url, "CALLCENTER_KEYS_FILE": str(keys_file)}

    async def invoke(*arguments: str) -> Result:
        return await asyncio.to_thread(lambda: CliRunner().invoke(main, ["flows", *arguments], env=environment))

    return invoke


async def test_a_version_that_is_published_in_mid_call_is_heard_by_the_next_caller(
    stage: Stage, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow_versions, "SystemClock", lambda: stage.clock)
    folder = reworded(tmp_path)
    digest = loaded(folder).release.digest
    shipped = stage.running.flows.current.release.digest
    seen: list[str] = []

    async def publish() -> None:
        result = await run("publish", str(folder), "--by", "anna")
        assert (result.exit_code, result.stderr) == (0, "")
        assert result.stdout == (
            f"calls begin in {digest[:12]} from now on; those in progress end on the flows in which they began\n"
            f"the configured folder is another one ({shipped[:12]}), which was published before: no start takes it up, "
            "`callcenter flows publish` does\n"
        )
        await taken_over(stage.running.flows, digest)
        seen.append((await run("versions")).stdout)

    under_way = await heard(stage, "3", before_the_last=publish)
    assert (HOURS in under_way, OUR_HOURS in under_way) == (True, False)
    assert OUR_HOURS in await heard(stage, "3")
    current, _, before, _ = seen[0].splitlines()
    assert current.startswith(f"* {digest[:12]}")
    assert "by anna, 0 calls in progress, proven by this version" in current
    assert before.startswith(f"  {shipped[:12]}")
    assert "by serve, 1 call in progress, proven by this version" in before
    assert "already" in (await run("publish", str(folder))).stdout
    back = await run("use", shipped[:8], "--by", "benoit")
    assert (back.exit_code, shipped[:12] in back.stdout, "folder" in back.stdout) == (0, True, False)
    await taken_over(stage.running.flows, shipped)
    monkeypatch.setattr(flow_versions, "own_release", lambda _: "f" * 64)
    assert (await run("use", digest)).stdout.endswith(
        f", until a server starts: it publishes its folder ({'f' * 12}), which never was\n"
    )
    await run("use", shipped, "--by", "benoit")
    await taken_over(stage.running.flows, shipped)
    assert "by benoit, " in (await run("versions")).stdout.splitlines()[0]
    monkeypatch.setattr(releases, "prover_version", lambda: "another")
    assert "no proof by this version on file" in (await run("versions")).stdout.splitlines()[0]
    assert HOURS in await heard(stage, "3")


async def test_flows_that_are_refuted_change_nothing(stage: Stage, run: Run, tmp_path: Path) -> None:
    """An appointment that is read to whoever was not verified."""
    part = "accueil/appointments.yaml"
    folder = folder_of(tmp_path, (part, "refused: person", "refused: on_file"))
    before = await run("versions")
    result = await run("publish", str(folder))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "refuted" in result.stderr
    assert result.stderr.endswith("nothing is published\n")
    assert (await run("versions")).stdout == before.stdout
    unknown = await run("use", "ffffffff")
    assert (unknown.exit_code, "callcenter flows versions" in unknown.stderr) == (2, True)


async def test_the_doctor_says_what_this_version_does_not_prove(
    cluster: Cluster, database_name: str, stage: Stage, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = at(stage.running.settings, cluster.server.url(user=APP, database=database_name))
    folder = reworded(tmp_path)
    other, shipped = loaded(folder), stage.running.flows.current
    assert (await run("publish", str(folder))).exit_code == 0
    await taken_over(stage.running.flows, other.release.digest)
    says = {one.subject: one for one in await examine(settings)}["releases"]
    assert says.healthy
    assert says.says == (
        f"{other.release.digest[:12]} is current and proven; 2 retained; "
        f"the configured folder is another one ({shipped.release.digest[:12]}), which was published before: no start "
        "takes it up, `callcenter flows publish` does"
    )
    folder = reworded(tmp_path / "next", "Voici nos horaires : ")
    own = settings.flows.model_copy(update={"folder": folder, "prompts": folder / "prompts" / "fr.yaml"})
    upgraded = settings.model_copy(update={"flows": own})
    says = {one.subject: one for one in await examine(upgraded)}["releases"]
    assert says.says.endswith(f"; a server that starts publishes its folder ({loaded(folder).release.digest[:12]})")
    refusing(monkeypatch, shipped.entry.digest)
    says = {one.subject: one for one in await examine(settings)}["releases"]
    assert says.healthy, "an older one is a text, and nothing to mend"
    assert says.says.endswith(f"not proven by this version, and kept as texts: {shipped.release.digest[:12]}")
    refusing(monkeypatch, other.entry.digest)
    finding = wrong(await examine(settings))["releases"]
    assert "callcenter flows use" in finding
    assert "one that runs goes on with what it ran" in finding
    monkeypatch.undo()


async def test_the_doctor_counts_calls_whose_flow_is_not_run(
    cluster: Cluster, database_name: str, stage: Stage, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = at(stage.running.settings, cluster.server.url(user=APP, database=database_name))
    shipped = stage.running.flows.current
    async with ControlClient(stage.emulator.base_url) as client:
        sid = await client.start("+33639980003", "+33465710001", "scripted")
        await client.settled(sid)
        assert (await run("publish", str(reworded(tmp_path)))).exit_code == 0
        monkeypatch.setattr(doctor_flows, "SystemClock", lambda: stage.clock)
        assert "releases" not in wrong(await examine(settings))
        refusing(monkeypatch, shipped.entry.digest)
        assert wrong(await examine(settings))["releases"].startswith("1 of the calls in progress")
        await client.hang_up(sid)
        await client.closed(sid)
