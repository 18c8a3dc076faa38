"""The drill of docs/going-live.md: a backup of an installation that works, restored on another machine, which works."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from callcenter.audit.reading import Record, records_of_call
from callcenter.audit.sealing_key import create_sealing_key
from callcenter.backup.checking import open_backup, read_through
from callcenter.backup.locks import RecoveryKey, RecoveryLock, create_recovery_key
from callcenter.backup.making import make_backup
from callcenter.backup.restoring import restore_backup
from callcenter.backup.telling import told
from callcenter.doctor import examine
from callcenter.emulator.outcomes import Passed
from callcenter.installation import reach_database
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom, SystemRandom
from callcenter.practice.demo_file import demo_id
from callcenter.settings import Settings
from callcenter.store.database import Database
from callcenter.store.embedded import EmbeddedPostgres, places_for
from callcenter.store.schema import APP, OWNER
from tests.acceptance.stage import Stage, stage_settings, staged
from tests.conftest import TODAY, Cluster

TRANSCRIPTS = Path(__file__).parent / "transcripts"
TILLEULS = demo_id("practice", "cabinet-des-tilleuls")


def on_cluster(settings: Settings, cluster: Cluster, name: str) -> Settings:
    """As an installation reaches a database of its own, with the login of migrations beside the server's."""
    urls = {
        "url": SecretStr(cluster.server.url(user=APP, database=name)),
        "owner_url": SecretStr(cluster.server.url(user=OWNER, database=name)),
    }
    return settings.model_copy(update={"database": settings.database.model_copy(update=urls)})


@pytest.fixture
async def elsewhere(tmp_path: Path) -> AsyncIterator[Settings]:
    """Another machine: no keys, and an embedded PostgreSQL that has never run."""
    with tempfile.TemporaryDirectory(prefix="callcenter-elsewhere-") as folder:
        settings = stage_settings(tmp_path / "elsewhere" / "keys.json")
        database = settings.database.model_copy(update={"folder": Path(folder)})
        yield settings.model_copy(update={"database": database})
        await EmbeddedPostgres(places_for(Path(folder))).forget()


async def records(database: Database) -> dict[str, list[Record]]:
    """What is on record of every call, checked against its chain."""
    async with database.practice(TILLEULS) as tx:
        calls = (
            await tx.connection.execute(text("SELECT DISTINCT call_id FROM audit_record WHERE call_id IS NOT NULL"))
        ).scalars()
        return {str(call): await records_of_call(tx, call) for call in calls}


async def test_an_installation_comes_back_whole_and_takes_calls(
    stage: Stage,
    cluster: Cluster,
    database_name: str,
    keys_file: Path,
    elsewhere: Settings,
    tmp_path: Path,
) -> None:
    assert isinstance(await stage.play(TRANSCRIPTS / "next_appointments.yaml"), Passed)
    before = await records(stage.running.database)
    private, public = create_recovery_key(tmp_path / "recovery.key", SystemRandom())

    here = on_cluster(stage.running.settings, cluster, database_name)
    here = here.model_copy(update={"sealer_key_file": tmp_path / "sealer.key"})
    create_sealing_key(tmp_path / "sealer.key", SystemRandom())
    made = await make_backup(here, tmp_path / "medium", RecoveryLock.read(public), SystemRandom(), print)

    backup = open_backup(made.folder, RecoveryKey.read(private))
    await read_through(backup, print)
    clock = DrivenClock(TODAY)
    restored = await restore_backup(elsewhere, backup, clock, SystemRandom(), "drill", print)
    print(told(made.manifest, restored))

    assert elsewhere.keys_file is not None
    assert elsewhere.keys_file.read_bytes() == keys_file.read_bytes()
    async with reach_database(elsewhere) as addresses:
        database = Database(addresses.app, pool_size=2)
        assert await records(database) == before
        await database.close()
        async with staged(elsewhere, addresses.app, addresses.jobs, clock, SeededRandom(7), furnished=TODAY) as there:
            assert isinstance(await there.play(TRANSCRIPTS / "cancel.yaml"), Passed)
            assert [one for one in await examine(elsewhere) if not one.healthy] == []
