"""The sealer in a server: it runs where jobs run, with a login and a key of its own, and says how it goes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter import doctor
from callcenter.app import Running, run_server, sealing
from callcenter.audit.anchors import latest_head
from callcenter.audit.ledger import Entry, EventKind, note
from callcenter.audit.logs import origin_of
from callcenter.audit.sealer import LogSealer, resign
from callcenter.audit.sealing_key import KeyFile, content_of, create_sealing_key
from callcenter.audit.watching import LONGEST, waiting
from callcenter.doctor import Finding, examine
from callcenter.installation import Addresses, require_sealing
from callcenter.kernel.clock import DrivenClock, SystemClock
from callcenter.kernel.errors import ConfigurationError
from callcenter.kernel.randomness import SeededRandom, SystemRandom
from callcenter.practice.demo_file import demo_id
from callcenter.settings import Settings
from callcenter.speech.voices import SilentVoice
from callcenter.store.database import Database
from callcenter.store.keys import create_keys
from callcenter.store.roles import WrongLogin
from callcenter.store.schema import APP, SEALER
from callcenter.telephony.alerts import Alerts
from callcenter.telephony.metrics import Metrics
from tests.acceptance.stage import stage_settings
from tests.conftest import ROOT, Cluster
from tests.sealing import Cries, a_key, seal_once, verified

TILLEULS = demo_id("practice", "cabinet-des-tilleuls")
ENTRY = Entry(EventKind.CALL_STARTED, {"kind": "ivr", "id": "callcenter"})


@pytest.fixture
def database_name(peopled_name: str) -> str:
    return peopled_name


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of a server with the keys of the demonstration that is copied."""
    create_keys(tmp_path / "keys.json", SeededRandom(1))
    return stage_settings(tmp_path / "keys.json")


@pytest.fixture
def addresses(cluster: Cluster, database_name: str) -> Addresses:
    app, sealer = (cluster.server.url(user=user, database=database_name) for user in (APP, SEALER))
    return Addresses(app, cluster.server.dsn(user=APP, database=database_name), None, sealer)


async def metric(running: Running, name: str) -> float:
    async with aiohttp.ClientSession() as session, session.get(f"{running.private}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return float(next(line for line in lines if line.startswith(name + " ")).split()[1])


async def test_a_server_seals_what_is_written_and_says_when(
    settings: Settings, addresses: Addresses, database: Database, cluster: Cluster, clock: DrivenClock, tmp_path: Path
) -> None:
    key = create_sealing_key(tmp_path / "sealer.key", SystemRandom())
    async with run_server(settings, addresses, clock=clock, voice=SilentVoice()) as running:
        async with database.practice(TILLEULS) as tx:
            await note(tx, ENTRY, clock, SystemRandom())
        async with asyncio.timeout(60):
            while await metric(running, "callcenter_ledger_unsealed_seconds") > 0:
                await asyncio.sleep(0.05)
        assert await metric(running, "callcenter_ledger_sealed_timestamp_seconds") == clock.now().timestamp()
    root = Database(cluster.server.url(user=ROOT, database=database.engine.url.database or ""), pool_size=1)
    try:
        async with root.engine.connect() as connection:
            states = await verified(connection, key)
    finally:
        await root.close()
    assert states[TILLEULS].leaves >= 1
    assert {state.waiting for state in states.values()} == {0}


async def test_while_more_waits_than_one_round_takes_the_next_begins_at_once(
    addresses: Addresses, database: Database, clock: DrivenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an outage, or a migration: at one batch a second what has piled up would keep practices from telling."""
    monkeypatch.setattr(sealing, "EVERY", 3_600.0)
    async with database.practice(TILLEULS) as tx:
        for _ in range(7):
            await note(tx, ENTRY, clock, SystemRandom())
    cries = Cries()
    running = asyncio.create_task(sealing.Sealing(str(addresses.sealer), LogSealer(a_key(), clock, cries, 2)).run())
    try:
        async with asyncio.timeout(60):
            while await waiting(database):
                await asyncio.sleep(0.02)
    finally:
        running.cancel()
        await asyncio.wait([running])
    assert cries.heard == []


async def test_a_sealer_without_the_next_key_gives_the_election_back_to_one_that_has_it(
    addresses: Addresses, database: Database, clock: DrivenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "EVERY", 0.02)
    given_back = []

    async def resigns(connection: AsyncConnection) -> None:
        given_back.append(connection)
        await resign(connection)

    monkeypatch.setattr(sealing, "resign", resigns)
    old, cries = a_key(), Cries()
    both = old.changing(SystemRandom())
    (said,) = both.under_way(origin_of(TILLEULS)).values()
    async with database.practice(TILLEULS) as tx:
        await note(tx, Entry(EventKind.KEY_ROTATED, ENTRY.actor, None, said), clock, SystemRandom())
    without = asyncio.create_task(sealing.Sealing(str(addresses.sealer), LogSealer(old, clock, cries)).run())
    running = [without]
    try:
        async with asyncio.timeout(60):
            while len(given_back) < 3:
                await asyncio.sleep(0.02)
            running.append(
                asyncio.create_task(sealing.Sealing(str(addresses.sealer), LogSealer(both, clock, Cries())).run())
            )
            while await waiting(database):
                await asyncio.sleep(0.02)
    finally:
        for one in running:
            one.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    ((log, why),) = cries.heard  # once, however often it has come back
    assert (log, "not in this sealer's file" in why) == (TILLEULS, True)


async def test_a_server_that_runs_takes_the_next_key_from_its_file(
    addresses: Addresses, database: Database, clock: DrivenClock, tmp_path: Path
) -> None:
    path = tmp_path / "sealer.key"
    key = create_sealing_key(path, SystemRandom())
    alerts = Alerts(Metrics(CollectorRegistry()))
    async with sealing.sealing(str(addresses.sealer), KeyFile.read(path), clock, alerts):
        fresh = tmp_path / "fresh"
        fresh.write_bytes(content_of(key.changing(SystemRandom())))
        fresh.chmod(0o600)
        fresh.replace(path)
        signatures = 0
        async with asyncio.timeout(60):
            while signatures != 2:  # a round may have begun before
                async with database.practice(TILLEULS) as tx:
                    await note(tx, ENTRY, clock, SystemRandom())
                while await waiting(database):
                    await asyncio.sleep(0.02)
                async with database.practice(TILLEULS) as tx:
                    signatures = (await latest_head(tx) or (0, ""))[1].count("— callcenter/")


async def test_the_session_that_is_elected_is_ended_soon_once_its_network_is_cut(
    addresses: Addresses, clock: DrivenClock
) -> None:
    """The server notices, by TCP: 5 seconds of silence and three questions, before anything is refused."""
    database = sealing.Sealing(str(addresses.sealer), LogSealer(a_key(), clock, Cries())).database()
    # What the session asked for: what is shown of it is nothing where it came by a socket of the machine.
    asked = text("SELECT name, reset_val::int AS value FROM pg_settings WHERE name ~ '^tcp_' AND source = 'client'")
    try:
        async with database.house() as connection:
            found = {row.name: row.value for row in await connection.execute(asked)}
    finally:
        await database.close()
    idle, interval, count = (found[f"tcp_keepalives_{what}"] for what in ("idle", "interval", "count"))
    assert 0 < idle + interval * count < LONGEST.total_seconds()
    assert 0 < found["tcp_user_timeout"] < LONGEST.total_seconds() * 1_000


async def test_no_server_seals_without_the_key_or_by_a_login_that_may_do_more(
    settings: Settings, addresses: Addresses, clock: DrivenClock, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match=r"sealer\.key"):
        async with run_server(settings, addresses, clock=clock, voice=SilentVoice()):
            pass
    create_sealing_key(tmp_path / "sealer.key", SystemRandom())
    serves = Addresses(addresses.app, addresses.jobs, None, addresses.app)
    with pytest.raises(WrongLogin, match=f"IN ROLE {SEALER}"):
        async with run_server(settings, serves, clock=clock, voice=SilentVoice()):
            pass


async def test_a_process_that_leaves_jobs_to_others_needs_no_key_and_seals_nothing(
    settings: Settings, addresses: Addresses, database: Database, clock: DrivenClock
) -> None:
    sessions = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = :sealer")
    server = run_server(settings, addresses, clock=clock, voice=SilentVoice(), jobs=False)
    async with server, database.house() as connection:
        assert (await connection.execute(sessions, {"sealer": SEALER})).scalar_one() == 0


def test_where_jobs_are_worked_on_it_is_said_what_sealing_needs(addresses: Addresses) -> None:
    require_sealing(addresses)
    with pytest.raises(ConfigurationError, match="CALLCENTER_DATABASE__SEALER_URL"):
        require_sealing(Addresses(addresses.app, addresses.jobs, None))


async def test_doctor_says_whether_records_are_sealed_in_time_and_whether_it_could_be_done_here(
    addresses: Addresses, settings: Settings, database: Database, cluster: Cluster, tmp_path: Path
) -> None:
    assert settings.keys_file == tmp_path / "keys.json"
    managed = {"url": addresses.app, "sealer_url": addresses.sealer}
    named = stage_settings(tmp_path / "keys.json", database=managed)

    async def found(subject: str) -> Finding:
        return next(one for one in await examine(named) if one.subject == subject)

    assert "keys create" in (await found("sealer")).says
    key = create_sealing_key(tmp_path / "sealer.key", SystemRandom())
    assert (await found("sealer")).says == f"{SEALER}, with the key that has signed 0 logs"
    async with database.practice(TILLEULS) as tx:
        await note(tx, ENTRY, SystemClock(), SystemRandom())
    assert "wait for the first `callcenter serve`" in (await found("ledger")).says
    assert await seal_once(str(addresses.sealer), key, SystemClock()) == []
    assert "with the key that has signed 1 log" in (await found("sealer")).says
    (tmp_path / "sealer.key").write_bytes(content_of(key.changing(SystemRandom())))
    said = await doctor._sealer(addresses, named)
    assert said.endswith("the next key signs too, until `callcenter audit key retire`")
    assert (await found("ledger")).healthy
    async with database.practice(TILLEULS) as tx:
        await note(tx, ENTRY, SystemClock(), SystemRandom())
    root = Database(cluster.server.url(user=ROOT, database=database.engine.url.database or ""), pool_size=1)
    later = []
    try:
        for seconds in (99, -99):
            async with root.house() as connection:
                await connection.execute(text("ALTER TABLE audit_outbox DISABLE TRIGGER audit_outbox_unchanged"))
                written = f"UPDATE audit_outbox SET written_at = now() - interval '{seconds} seconds'"
                await connection.execute(text(written))
            later.append(await found("ledger"))
    finally:
        await root.close()
    late, ahead = later
    (tmp_path / "sealer.key").unlink()
    create_sealing_key(tmp_path / "sealer.key", SystemRandom())
    assert "was not signed by the key" in (await found("sealer")).says
    assert (late.healthy, "nothing about patients is told" in late.says) == (False, True)
    assert (ahead.healthy, "the clock of the database was put back" in ahead.says) == (False, True)
