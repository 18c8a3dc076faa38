"""Another key file than the one that a database was filled with is noticed before anything is sealed with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from callcenter.app import run_server
from callcenter.doctor import examine
from callcenter.installation import Addresses
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.demo import seed
from callcenter.practice.key_fit import check_keys
from callcenter.speech.voices import SilentVoice
from callcenter.store.database import Database
from callcenter.store.key_marks import WrongKeys
from callcenter.store.keys import Keyring, create_keys
from callcenter.store.schema import APP
from callcenter.store.sealed import Sealer
from tests.acceptance.stage import stage_settings
from tests.conftest import Cluster


@pytest.fixture
def keys(tmp_path: Path) -> Keyring:
    return create_keys(tmp_path / "keys.json", SystemRandom())


@pytest.fixture
def others(tmp_path: Path) -> Keyring:
    return create_keys(tmp_path / "others.json", SystemRandom())


def sealer_of(keys: Keyring) -> Sealer:
    return Sealer(keys, SystemRandom())


async def marks(database: Database) -> list[tuple[str, str]]:
    async with database.house() as connection:
        return sorted(tuple(row) for row in await connection.execute(text("SELECT key, mark FROM key_mark")))


async def test_the_keys_of_the_first_start_are_those_of_every_later_one(
    database: Database, keys: Keyring, others: Keyring
) -> None:
    await check_keys(database, sealer_of(keys))
    standing = await marks(database)
    assert [key for key, _ in standing] == ["seal key k1", "the index key"]
    await check_keys(database, sealer_of(keys))
    with pytest.raises(WrongKeys, match="restore the key file from your backup"):
        await check_keys(database, sealer_of(others))
    with pytest.raises(WrongKeys):
        await check_keys(database, sealer_of(replace(keys, index=others.index, _derived={})))
    assert await marks(database) == standing


async def test_a_new_seal_key_is_marked_and_an_old_one_must_be_kept(
    database: Database, keys: Keyring, others: Keyring
) -> None:
    await check_keys(database, sealer_of(keys))
    both = replace(keys, current="k2", seals={**keys.seals, "k2": others.seals["k1"]}, _derived={})
    await check_keys(database, sealer_of(both))
    assert [key for key, _ in await marks(database)] == ["seal key k1", "seal key k2", "the index key"]
    with pytest.raises(WrongKeys, match="lacks seal key k1"):
        await check_keys(database, sealer_of(replace(both, seals={"k2": others.seals["k1"]}, _derived={})))


@pytest.mark.parametrize("wrong", ["seals", "index"])
async def test_a_database_filled_before_keys_were_marked_knows_its_own(
    database: Database, keys: Keyring, others: Keyring, clock: DrivenClock, wrong: str
) -> None:
    await seed(database, sealer_of(keys), clock, SystemRandom())
    changed: dict[str, Any] = {wrong: getattr(others, wrong), "_derived": {}}
    with pytest.raises(WrongKeys):
        await check_keys(database, sealer_of(replace(keys, **changed)))
    assert await marks(database) == []
    await check_keys(database, sealer_of(keys))
    assert len(await marks(database)) == 2


@pytest.mark.parametrize("statement", ["UPDATE key_mark SET mark = mark", "DELETE FROM key_mark"])
async def test_the_server_never_changes_a_mark(database: Database, keys: Keyring, statement: str) -> None:
    await check_keys(database, sealer_of(keys))
    with pytest.raises(DBAPIError, match="permission denied"):
        async with database.house() as connection:
            await connection.execute(text(statement))


async def test_no_server_starts_on_another_key_file_and_doctor_says_what_to_do(
    database: Database,
    cluster: Cluster,
    database_name: str,
    keys: Keyring,
    others: Keyring,
    clock: DrivenClock,
    tmp_path: Path,
) -> None:
    await seed(database, sealer_of(keys), clock, SystemRandom())
    await check_keys(database, sealer_of(keys))
    app, jobs = (
        cluster.server.url(user=APP, database=database_name),
        cluster.server.dsn(user=APP, database=database_name),
    )
    settings = stage_settings(tmp_path / "others.json", database={"url": app})
    with pytest.raises(WrongKeys):
        async with run_server(settings, Addresses(app, jobs, None), clock=clock, voice=SilentVoice()):
            pass
    (bad,) = [finding for finding in await examine(settings) if not finding.healthy]
    assert bad.subject == "keys and data"
    assert "restore the key file from your backup" in bad.says
    healthy = await examine(stage_settings(tmp_path / "keys.json", database={"url": app}))
    assert all(finding.healthy for finding in healthy)
