"""What runs beside the listeners survives whatever it meets, and ends in order."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from procrastinate.manager import JobManager
from sqlalchemy import text
from structlog.testing import capture_logs

from callcenter.app import last_resort, run_server
from callcenter.background import in_background, keep_going
from callcenter.installation import Addresses
from callcenter.store.database import Database, DatabaseDown
from callcenter.store.schema import APP
from callcenter.telephony.alerts import AlertKind
from callcenter.telephony.fallback import StaticAnswers
from tests.acceptance.stage import stage_settings
from tests.conftest import Cluster
from tests.unit.telephony.doubles import SECRET, alerts_and_metrics


async def test_p7_background_work_goes_on_after_every_error_and_each_is_an_alert() -> None:
    troubles: list[Exception] = [DatabaseDown(), RuntimeError(SECRET), KeyError(SECRET)]
    left, done = list(troubles), asyncio.Event()

    async def work() -> None:
        if left:
            raise left.pop(0)
        done.set()

    alerts, metrics = alerts_and_metrics()
    with capture_logs() as logs:
        async with in_background(keep_going(work, alerts, AlertKind.STATIC_STALE, seconds=0)):
            await asyncio.wait_for(done.wait(), 10)
    assert [log["error"] for log in logs] == [type(trouble).__name__ for trouble in troubles]
    assert SECRET not in str(logs)
    assert metrics.alerts.labels(kind="static_stale")._value.get() == 3


async def test_background_work_that_fails_for_good_does_not_spoil_the_end() -> None:
    async def dies() -> None:
        raise RuntimeError(SECRET)

    with capture_logs() as logs:
        async with in_background(dies()):
            await asyncio.sleep(0)
    assert [(log["event"], log["error"]) for log in logs] == [("background_work_failed", "RuntimeError")]


async def test_p7_static_documents_follow_the_directory_again_once_a_fault_is_mended(
    cluster: Cluster,
    database_name: str,
    keys_file: Path,
    owner_database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(last_resort, "REFRESH_SECONDS", 0.02)
    refreshed = asyncio.Event()
    refresh = StaticAnswers.refresh

    def watched(self: StaticAnswers, entries: object) -> object:
        refreshed.set()
        return refresh(self, entries)  # type: ignore[arg-type]  # as it was handed

    monkeypatch.setattr(StaticAnswers, "refresh", watched)
    addresses = Addresses(
        cluster.server.url(user=APP, database=database_name), cluster.server.dsn(user=APP, database=database_name), None
    )
    with capture_logs() as logs:
        async with run_server(stage_settings(keys_file), addresses):
            async with owner_database.house() as connection:
                await connection.execute(text(f"REVOKE ALL ON directory_number FROM {APP}"))
            for _ in range(500):
                if any(log.get("kind") == "static_stale" for log in logs):
                    break
                await asyncio.sleep(0.02)
            refreshed.clear()
            async with owner_database.house() as connection:
                await connection.execute(text(f"GRANT SELECT ON directory_number TO {APP}"))
            await asyncio.wait_for(refreshed.wait(), 10)
    assert {log["error"] for log in logs if log.get("kind") == "static_stale"} == {"ProgrammingError"}


async def test_a_server_that_is_stopped_while_its_workers_begin_ends_in_order(
    cluster: Cluster, database_name: str, keys_file: Path, owner_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    register, registered = JobManager.register_worker, asyncio.Event()

    async def slow(self: JobManager) -> int:
        try:
            await registered.wait()
        except asyncio.CancelledError:
            # Lost, as by a pool that hands out a connection in that moment.
            await registered.wait()
        return await register(self)

    monkeypatch.setattr(JobManager, "register_worker", slow)
    addresses = Addresses(
        cluster.server.url(user=APP, database=database_name), cluster.server.dsn(user=APP, database=database_name), None
    )
    async with asyncio.timeout(60), run_server(stage_settings(keys_file), addresses):
        asyncio.get_running_loop().call_later(2, registered.set)
    async with owner_database.house() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM procrastinate_workers")) == 0
