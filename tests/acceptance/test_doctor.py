"""``callcenter doctor``: whatever is wrong, it answers, and each answer says what to do."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import SecretStr
from sqlalchemy import text

from callcenter import doctor
from callcenter.console.carrier_file import carrier_file
from callcenter.doctor import Finding, examine
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.randomness import SeededRandom, new_id
from callcenter.practice.demo import seed
from callcenter.settings import Settings
from callcenter.store.database import Database
from callcenter.store.jobs import defer
from callcenter.store.keys import load_keys
from callcenter.store.schema import APP, OWNER
from callcenter.store.sealed import Sealer
from tests.acceptance.stage import stage_settings
from tests.conftest import ROOT, Cluster

EVERYTHING = [
    "keys",
    "flows",
    "voice",
    "hosting",
    "carrier",
    "mail",
    "softphone",
    "database",
    "login",
    "schema",
    "keys and data",
    "releases",
    "practices",
    "jobs",
    "ledger",
    "sealer",
    "anchors",
    "old records",
    "refused records",
    "recordings",
    "queue",
    "glass",
    "carrier's list",
]


_numbers = itertools.count(1)


def at(settings: Settings, url: str) -> Settings:
    return settings.model_copy(update={"database": settings.database.model_copy(update={"url": SecretStr(url)})})


@pytest.fixture
async def database_name(cluster: Cluster) -> AsyncIterator[str]:
    """A database that holds nothing yet, as an installation begins."""
    name = f"doctor_{next(_numbers)}"
    await cluster.create(name)
    yield name
    await cluster.drop(name)


@pytest.fixture
def settings(cluster: Cluster, database_name: str, keys_file: Path) -> Settings:
    return at(stage_settings(keys_file), cluster.server.url(user=APP, database=database_name))


def wrong(findings: list[Finding]) -> dict[str, str]:
    return {finding.subject: finding.says for finding in findings if not finding.healthy}


async def test_a_healthy_installation_is_looked_at_in_whole(
    settings: Settings, database: Database, keys_file: Path
) -> None:
    await seed(database, Sealer(load_keys(keys_file), SeededRandom(1)), SystemClock(), SeededRandom(1))
    findings = await examine(settings)
    assert ([finding.subject for finding in findings], wrong(findings)) == (EVERYTHING, {})
    says = {finding.subject: finding.says for finding in findings}
    assert says["keys"] == "1 seal key, « k1 » in use"
    assert says["practices"] == "2 practices, 4 numbers"
    assert says["jobs"] == "0 workers alive, no job is late or has failed"


@pytest.mark.parametrize(
    ("user", "says"), [(ROOT, "does not bind"), (OWNER, OWNER), ("nobody_here", "refuses the login")]
)
async def test_p5_a_wrong_login_is_one_finding_with_its_mend(
    cluster: Cluster, database_name: str, settings: Settings, user: str, says: str
) -> None:
    found = wrong(await examine(at(settings, cluster.server.url(user=user, database=database_name))))
    assert len(found) == 1
    assert says in next(iter(found.values()))


async def test_a_database_that_is_not_there_is_one_finding_with_its_mend(cluster: Cluster, settings: Settings) -> None:
    assert "start PostgreSQL" in wrong(await examine(at(settings, "postgresql://u:p@127.0.0.1:1/x")))["database"]
    nowhere = cluster.server.url(user=APP, database="no_such_database")
    assert "no database of that name" in wrong(await examine(at(settings, nowhere)))["database"]
    empty = cluster.server.url(user=APP, database="postgres")
    found = wrong(await examine(at(settings, empty)))
    assert list(found) == ["schema"]
    assert "callcenter db migrate" in found["schema"]


async def test_the_carriers_own_file_that_is_missing_is_one_finding_with_its_mend(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings.softphone is not None
    twilio = settings.model_copy(update={"softphone": settings.softphone.model_copy(update={"kind": "twilio"})})
    monkeypatch.setattr(doctor, "carrier_file", lambda: carrier_file(tmp_path))
    found = {finding.subject: finding for finding in await examine(twilio)}["softphone"]
    assert not found.healthy
    assert "make softphone" in found.says


async def test_keys_that_are_not_there_do_not_hide_the_rest(settings: Settings, tmp_path: Path) -> None:
    found = wrong(await examine(settings.model_copy(update={"keys_file": tmp_path / "none.json"})))
    assert list(found) == ["keys", "keys and data", "practices"]
    assert "practice enrol" in found["practices"]


async def test_a_check_that_breaks_is_a_finding_without_values(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(_: Path) -> None:
        raise ZeroDivisionError("JEANNE-14031962")

    monkeypatch.setattr(doctor, "load_keys", breaks)
    says = wrong(await examine(settings))["keys"]
    assert "ZeroDivisionError at test_doctor.py:" in says
    assert "JEANNE" not in says


async def test_jobs_that_nobody_works_on_are_said(settings: Settings, database: Database) -> None:
    async with database.house() as connection:
        await defer(connection, "send_code", practice=new_id(SeededRandom(1)))
    assert "jobs" not in wrong(await examine(settings))
    async with database.house() as connection:
        await connection.execute(text("UPDATE procrastinate_events SET at = at - interval '3 minutes'"))
    assert "1 job (text messages, upkeep)" in wrong(await examine(settings))["jobs"]


async def test_jobs_that_failed_are_said_by_task_while_they_are_kept(settings: Settings, database: Database) -> None:
    """A job that is tried again has not failed yet, and what failed long ago is no news."""
    jobs = {"digests": ("failed", "failed"), "send_code": ("succeeded", "todo"), "send_notice": ("failed",)}
    for task, ends in jobs.items():
        for end in ends:
            await work_on(database, task, end)
    found = wrong(await examine(settings))["jobs"]
    assert found.startswith("3 jobs failed in the last 72 hours (digests 2, send_notice 1): the log of ")
    assert found.endswith("see whether whoever waited for it was reached")
    async with database.house() as connection:
        earlier = "UPDATE procrastinate_events SET at = at - interval '73 hours' WHERE type = 'failed'"
        await connection.execute(text(earlier))
    assert "jobs" not in wrong(await examine(settings))


async def work_on(database: Database, task: str, end: str) -> None:
    """A worker has taken a job, and it has come to this end."""
    async with database.house() as connection:
        await defer(connection, task, practice=new_id(SeededRandom(1)))
        for status in ("doing", end):
            state = {"status": status, "before": "todo" if status == "doing" else "doing", "task": task}
            await connection.execute(_WORK, state)


_WORK = text(
    "UPDATE procrastinate_jobs SET status = cast(:status AS procrastinate_job_status) "
    "WHERE task_name = :task AND status = cast(:before AS procrastinate_job_status)"
)


@asynccontextmanager
async def account(status: int, body: dict[str, str]) -> AsyncIterator[str]:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response(body, status=status)

    application = web.Application()
    application.router.add_get("/2010-04-01/Accounts/{sid}.json", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (200, {"status": "active"}, None),
        (200, {"status": "suspended"}, "suspended"),
        (401, {"code": "20003"}, "correct carrier.account_sid"),
        (404, {"code": "20404"}, "does not know the account"),
        (503, {}, "does not answer"),
    ],
)
async def test_the_carrier_is_asked_whether_it_lets_us_in(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, status: int, body: dict[str, str], says: str | None
) -> None:
    monkeypatch.setattr(doctor, "is_loopback", lambda _: False)  # as if the server below were a carrier's
    async with account(status, body) as url:
        carrier = settings.carrier.model_copy(update={"base_url": url})
        found = wrong(await examine(settings.model_copy(update={"carrier": carrier}))).get("carrier")
    assert (found is None) == (says is None)
    assert says is None or says in str(found)
