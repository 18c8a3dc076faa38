"""A backup in other hands, and a restore that goes back in time: what was sent, erased or ended must stay so (T86)."""

from __future__ import annotations

import base64
import itertools
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from callcenter import installation
from callcenter.backup import checking, making, restoring
from callcenter.backup.aftermath import PutAside
from callcenter.backup.checking import Backup, NotLocked, open_backup
from callcenter.backup.locks import Passphrase
from callcenter.backup.making import make_backup
from callcenter.backup.manifest import NAME, Manifest, ManifestChanged
from callcenter.backup.programs import found
from callcenter.backup.restoring import restore_backup
from callcenter.installation import DatabaseFit
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SystemRandom
from callcenter.notices.reminders import SEND_REMINDER
from callcenter.settings import Settings
from callcenter.store.database import Database
from callcenter.store.restoring import RestoreUnfinished
from callcenter.store.roles import create_database
from callcenter.store.schema import APP, OWNER
from tests.attack.defence import Defence, Outcome, Sabotage, attack, gained, replaced, unanimous
from tests.attack.ground import Ground, ground_on
from tests.attack.repositories import furnish_outreach
from tests.attack.scene import START, TILLEULS, TILLEULS_LINE, house_settings
from tests.conftest import ROOT, Cluster

WORDS = Passphrase("quatre mots sans rapport", cost=16)
KEPT_OF = "attacked_kept"
_numbers = itertools.count(1)


def silent(_: str) -> None:
    """Whoever is told how far it is."""


def settings_of(cluster: Cluster, name: str, keys_file: Path) -> Settings:
    settings = house_settings(keys_file, {})
    urls = {
        "url": SecretStr(cluster.server.url(user=APP, database=name)),
        "owner_url": SecretStr(cluster.server.url(user=OWNER, database=name)),
    }
    return settings.model_copy(update={"database": settings.database.model_copy(update=urls)})


# --- the medium


class Plain:
    """Writes a file as it is."""

    def __init__(self, file: object, key: bytes, name: str) -> None:
        self.write = file.write  # type: ignore[attr-defined]

    def close(self) -> None:
        """Nothing waits."""


SEALED = replaced("the backup is sealed", "T86", making, "SealedWriter", Plain)


@attack(stopped_by=SEALED)
async def test_a_stolen_medium_opens_database_and_keys(
    ground: Ground, cluster: Cluster, keys_file: Path, tmp_path: Path
) -> Outcome:
    """Somebody takes the disk with the backups home, and looks for the keys, and for rows."""
    settings = settings_of(cluster, ground.name, keys_file)
    made = await make_backup(settings, tmp_path, WORDS, SystemRandom(), silent)
    index = json.loads(keys_file.read_text())["index"]
    wanted = {index.encode(), base64.b64decode(index), index.encode().hex().encode()}
    files = [path.read_bytes() for path in made.folder.iterdir()]
    return unanimous(
        {
            "keys": gained([one for one in files if any(key in one for key in wanted)]),
            "database": gained([path for path in made.folder.iterdir() if TILLEULS_LINE in as_sql(path)]),
        }
    )


def as_sql(path: Path) -> str:
    """What ``pg_restore`` reads in a file; nothing, if it is no dump."""
    newest = max(found("pg_restore"), key=lambda one: one.major)
    return subprocess.run([newest.path, "--file=-", path], capture_output=True, text=True, check=False).stdout


@pytest.fixture(scope="session")
async def kept(
    cluster: Cluster, told: str, keys_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Backup]:
    """A backup of an installation in which Jeanne's call has taken place, texts are about to leave, and somebody of
    staff has signed in."""
    async with ground_on(cluster, told, KEPT_OF, keys_file) as ground:
        await furnish_outreach(ground, DrivenClock(START))
        await ground.change(
            "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW('reminders', :task, 0, NULL, NULL, "
            "cast(:arguments AS jsonb), NULL)::procrastinate_job_to_defer_v1])",
            task=SEND_REMINDER,
            arguments=json.dumps({"practice": str(TILLEULS), "reminder": str(TILLEULS)}),
        )
        await ground.change(_SIGNED_IN, now=START)
        settings = settings_of(cluster, KEPT_OF, keys_file)
        made = await make_backup(settings, tmp_path_factory.mktemp("medium"), WORDS, SystemRandom(), silent)
    yield open_backup(made.folder, WORDS)
    await cluster.drop(KEPT_OF)


def take_any(manifest: Manifest, key: bytes) -> None:
    """Believe what a manifest says."""


@attack(stopped_by=replaced("the manifest is marked", "T86", Manifest, "check_mark", take_any))
async def test_an_old_backup_is_passed_off_as_todays(kept: Backup, tmp_path: Path) -> Outcome:
    """Somebody who may write on the medium puts last year's in the place of last night's."""
    copy = tmp_path / "callcenter-today"
    shutil.copytree(kept.folder, copy)
    later = (kept.manifest.made_at + timedelta(days=365)).isoformat()
    (copy / NAME).write_text((copy / NAME).read_text().replace(kept.manifest.made_at.isoformat(), later))
    try:
        return gained(open_backup(copy, WORDS).manifest.made_at > kept.manifest.made_at)
    except ManifestChanged:
        return gained(None)


def whatever_it_is(*_: object) -> None:
    """Take a manifest's word for its lock."""


@attack(stopped_by=replaced("what is in clear is expected so", "T86", checking, "require_expected", whatever_it_is))
async def test_an_invented_backup_in_clear_stands_where_a_locked_one_was(
    ground: Ground, cluster: Cluster, keys_file: Path, tmp_path: Path
) -> Outcome:
    """Somebody who may write on the medium has made it: whoever restores it names the key of the one that was there,
    or is asked for nothing, because the manifest says that nothing is needed."""
    made = await make_backup(settings_of(cluster, ground.name, keys_file), tmp_path, None, SystemRandom(), silent)
    came = {}
    for name, opener in {"with a passphrase": WORDS, "with nothing": None}.items():
        came[name] = gained(None)
        with suppress(NotLocked):
            came[name] = gained(open_backup(made.folder, opener))
    return unanimous(came)


# --- the restore


@asynccontextmanager
async def restored(cluster: Cluster, kept: Backup, keys_file: Path, later: timedelta) -> AsyncIterator[Settings]:
    """Another installation, into which the backup was restored so much later."""
    name = f"attacked_back_{next(_numbers)}"
    async with cluster.root.connect() as connection:
        await create_database(connection, name)
    settings = settings_of(cluster, name, keys_file)
    try:
        await restore_backup(settings, kept, DrivenClock(START + later), SystemRandom(), "tests", silent)
        yield settings
    finally:
        await cluster.drop(name)


async def left(cluster: Cluster, settings: Settings, query: str) -> int:
    """How many rows the superuser finds."""
    assert settings.database.url is not None
    url = settings.database.url.get_secret_value().replace(APP, ROOT, 1)
    database = Database(url, pool_size=1)
    try:
        async with database.house() as connection:
            return int((await connection.execute(text(query))).scalar_one())
    finally:
        await database.close()


async def nothing_aside(*_: object) -> PutAside:
    """Let everything go on."""
    return PutAside({}, 0, 0, 0)


async def none_passed_over(*_: object) -> int:
    """Let reminders leave."""
    return 0


def _goes_on(sabotage: Sabotage) -> None:
    sabotage.replace(restoring, "put_aside", nothing_aside)
    sabotage.replace(restoring, "pass_over", none_passed_over)


PUT_ASIDE = Defence("what was about to happen is put aside", "T86", _goes_on)


@attack(stopped_by=PUT_ASIDE)
async def test_a_restore_sends_again_and_lets_in_again(cluster: Cluster, kept: Backup, keys_file: Path) -> Outcome:
    """The texts have left since, and the session was ended: the database of the backup knows of neither."""
    async with restored(cluster, kept, keys_file, timedelta(hours=2)) as settings:
        return unanimous({name: gained(await left(cluster, settings, query)) for name, query in _WOULD_GO_ON.items()})


async def nothing_erased(*_: object) -> dict[str, int]:
    """Keep everything."""
    return {}


@attack(stopped_by=replaced("what has had its time goes first", "T86", restoring, "erase_what_is_over", nothing_erased))
async def test_a_restore_brings_back_what_was_erased(cluster: Cluster, kept: Backup, keys_file: Path) -> Outcome:
    """A year later, upkeep has long erased what was answered and sent on that day."""
    async with restored(cluster, kept, keys_file, timedelta(days=366)) as settings:
        return unanimous({name: gained(await left(cluster, settings, query)) for name, query in _ERASED.items()})


async def unplugged(*_: object) -> None:
    """The machine loses its current."""
    raise TimeoutError


async def take_it_as_it_is(_: object) -> None:
    """Ask nothing of the database."""


@attack(stopped_by=replaced("nobody serves before the end", "T86", installation, "refuse_unfinished", take_it_as_it_is))
async def test_a_server_serves_while_the_restore_has_not_ended(
    cluster: Cluster, kept: Backup, keys_file: Path, monkeypatch: pytest.MonkeyPatch
) -> Outcome:
    """The rows are there, and whatever is to be put aside or erased still is, too."""
    name = f"attacked_back_{next(_numbers)}"
    async with cluster.root.connect() as connection:
        await create_database(connection, name)
    settings = settings_of(cluster, name, keys_file)
    monkeypatch.setattr(restoring, "put_aside", unplugged)
    try:
        with pytest.raises(TimeoutError):
            await restore_backup(settings, kept, DrivenClock(START), SystemRandom(), "tests", silent)
        database = Database(cluster.server.url(user=APP, database=name), pool_size=1)
        try:
            return gained(await (await DatabaseFit.of(database)).check_schema())
        except RestoreUnfinished:
            return gained(None)
        finally:
            await database.close()
    finally:
        await cluster.drop(name)


#: What would go on by itself, or open something.
_WOULD_GO_ON = {
    "a job": "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')",
    "a reminder": "SELECT count(*) FROM reminder WHERE outcome IN ('due', 'sending')",
    "a notice": "SELECT count(*) FROM message_notice WHERE outcome IN ('due', 'sending')",
    "a session": "SELECT count(*) FROM staff_session WHERE revoked_at IS NULL",
}
#: What upkeep has erased by then.
_ERASED = {
    "answers": "SELECT count(*) FROM call_session s JOIN call c ON c.id = s.id WHERE c.ended_at IS NOT NULL",
    "traces": "SELECT count(*) FROM call_trace",
    "notices": "SELECT count(*) FROM message_notice",
}
_SIGNED_IN = """
    WITH account AS (
        INSERT INTO staff_account (id, organisation_id, login, display_name, languages, made_at)
        SELECT gen_random_uuid(), id, 'kept', 'Télésecrétaire', ARRAY['fr'], :now FROM organisation LIMIT 1
        RETURNING id
    )
    INSERT INTO staff_session (token_mark, id, staff_id, stage, made_at, seen_at, ends_at)
    SELECT repeat('0', 64), gen_random_uuid(), id, 'full', :now, :now, :now + interval '12 hours' FROM account
"""
