"""Backups of a real database, and what a restore refuses, puts aside and erases."""

from __future__ import annotations

import asyncio
import errno
import itertools
import stat
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner, Result
from pydantic import SecretStr
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from callcenter.app.key_changing import KeyChange
from callcenter.audit.key_changes import LEAST
from callcenter.audit.logs import HOUSE_LOG, origin_of
from callcenter.audit.sealing_key import content_of, create_sealing_key, load_sealing_key
from callcenter.audit.signing import SealingKey
from callcenter.audit.verify import Verdict, VerifierKey, What, verify_export
from callcenter.backup import making, programs, restoring
from callcenter.backup.checking import Backup, NotLocked, NotOpened, OtherKeys, open_backup, read_through
from callcenter.backup.folders import BackupRefused, NoRoom
from callcenter.backup.locks import Passphrase, WrongOpener
from callcenter.backup.making import Made, make_backup
from callcenter.backup.manifest import NAME, ManifestChanged, NotABackup
from callcenter.backup.programs import NoProgram, Program, ProgramFailed, for_dump, for_restore
from callcenter.backup.restoring import NotEmpty, OlderServer, Restored, RowsMissing, TooNew, restore_backup
from callcenter.backup.sealed_files import SealedFileDamaged, SealedWriter
from callcenter.backup.snapshots import HiddenRows, NothingToBackUp, rows_of, snapshot_of
from callcenter.backup.telling import told
from callcenter.cli import main
from callcenter.installation import DatabaseFit, prepare_database, sealer_key_path
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import CallcenterError, ConfigurationError
from callcenter.kernel.randomness import SeededRandom, SystemRandom
from callcenter.practice.demo_file import demo_id
from callcenter.practice.key_fit import check_keys
from callcenter.settings import Settings
from callcenter.staff.records import Act
from callcenter.store.database import Database
from callcenter.store.key_marks import WrongKeys
from callcenter.store.keys import create_keys, load_keys
from callcenter.store.migrations import migrate
from callcenter.store.restoring import RestoreUnfinished
from callcenter.store.roles import create_database
from callcenter.store.schema import APP, OWNER, SEALER
from callcenter.store.sealed import Sealer
from tests.acceptance.stage import stage_settings
from tests.conftest import TODAY, Cluster
from tests.exporting import Archive, Copy, archive_on
from tests.sealing import seal_once

TILLEULS = demo_id("practice", "cabinet-des-tilleuls")
WORDS = Passphrase("quatre mots sans rapport", cost=16)
_numbers = itertools.count(1)


def silent(_: str) -> None:
    """Whoever is told how far it is."""


@dataclass(frozen=True)
class Scene:
    """An installation with the demonstration's people, and the means to restore it beside itself."""

    cluster: Cluster
    folder: Path
    here: Settings
    random: SystemRandom

    async def make(self, lock: Passphrase | None = WORDS) -> Made:
        return await make_backup(self.here, self.folder / "medium", lock, self.random, silent)

    @asynccontextmanager
    async def elsewhere(self, *, revision: str | None = None) -> AsyncIterator[Settings]:
        """Another installation: no keys yet, and a database that is empty, or at a revision."""
        name = f"restored_{next(_numbers)}"
        async with self.cluster.root.connect() as connection:
            await create_database(connection, name)
        try:
            settings = on_cluster(stage_settings(self.folder / name / "keys.json"), self.cluster, name)
            if revision is not None:
                async with as_owner(settings) as owner, owner.house() as connection:
                    await migrate(connection, revision)
            yield settings
        finally:
            await self.cluster.drop(name)

    async def restore(self, backup: Backup, settings: Settings, *, later: timedelta = timedelta()) -> Restored:
        return await restore_backup(settings, backup, DrivenClock(TODAY + later), self.random, "tests", silent)


def on_cluster(settings: Settings, cluster: Cluster, name: str) -> Settings:
    """With a database of its own, and the login of migrations beside the server's."""
    urls = {
        "url": SecretStr(cluster.server.url(user=APP, database=name)),
        "owner_url": SecretStr(cluster.server.url(user=OWNER, database=name)),
    }
    return settings.model_copy(update={"database": settings.database.model_copy(update=urls)})


@asynccontextmanager
async def as_owner(settings: Settings) -> AsyncIterator[Database]:
    assert settings.database.owner_url is not None
    database = Database(settings.database.owner_url.get_secret_value(), pool_size=1)
    yield database
    await database.close()


@asynccontextmanager
async def as_app(settings: Settings) -> AsyncIterator[Database]:
    assert settings.database.url is not None
    database = Database(settings.database.url.get_secret_value(), pool_size=1)
    yield database
    await database.close()


@pytest.fixture
async def scene(cluster: Cluster, peopled_name: str, tmp_path: Path) -> Scene:
    create_keys(tmp_path / "keys.json", SeededRandom(1))  # those of the demonstration's people
    return Scene(
        cluster, tmp_path, on_cluster(stage_settings(tmp_path / "keys.json"), cluster, peopled_name), SystemRandom()
    )


async def served_from(settings: Settings) -> bool:
    """Whether a server would begin on that database."""
    async with as_app(settings) as database:
        try:
            await (await DatabaseFit.of(database)).check_schema()
        except RestoreUnfinished:
            return False
    return True


async def count(database: Database, statement: str) -> int:
    async with database.house() as connection:
        return int((await connection.execute(text(statement))).scalar_one())


# --- making one


async def test_a_backup_says_what_it_holds_and_its_files_are_nobody_elses(scene: Scene) -> None:
    made = await scene.make()
    assert sorted(path.name for path in made.folder.iterdir()) == ["database.dump.sealed", "keys.json.sealed", NAME]
    assert {stat.S_IMODE(path.stat().st_mode) for path in made.folder.iterdir()} == {0o600}
    assert made.folder.name == f"callcenter-{made.manifest.made_at:%Y%m%dT%H%M%SZ}"
    async with as_owner(scene.here) as owner:
        assert made.manifest.rows["patient"] == await count(owner, "SELECT count(*) FROM patient") > 0
        tables = await count(owner, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    assert len(made.manifest.rows) == tables
    backup = open_backup(made.folder, WORDS)
    await read_through(backup, silent)
    with pytest.raises(NotOpened):
        open_backup(made.folder, None)
    with pytest.raises(WrongOpener):
        open_backup(made.folder, Passphrase("d'autres mots sans rapport", cost=16))


async def test_a_backup_in_clear_is_one_that_every_postgresql_reads(scene: Scene) -> None:
    made = await scene.make(lock=None)
    assert (made.folder / "keys.json").read_bytes() == (scene.folder / "keys.json").read_bytes()
    listed = subprocess.run(
        [for_restore(made.manifest.server).path, "--list", made.folder / "database.dump"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "TABLE DATA public patient" in listed.stdout
    await read_through(open_backup(made.folder, None, in_clear=True), silent)
    for opener, asked in ((None, False), (WORDS, False), (WORDS, True)):
        with pytest.raises(NotLocked, match="--in-clear"):
            open_backup(made.folder, opener, in_clear=asked)
    (scene.folder / "words").write_text(WORDS.words, encoding="utf-8")
    for how, says in (
        ([], "put it there"),
        (["--passphrase-file", scene.folder / "words"], "put it there"),
        (["--passphrase-file", scene.folder / "words", "--in-clear"], "exclude one another"),
    ):
        refused = await typed("restore", made.folder, *how)
        assert (refused.exit_code, says in refused.output) == (2, True), refused.output
    looked = await typed("backup", "verify", made.folder)
    assert (looked.exit_code, "NOT LOCKED" in looked.output) == (0, True), looked.output


async def test_the_wrong_keys_are_not_kept_with_a_database(scene: Scene) -> None:
    (scene.folder / "keys.json").unlink()
    create_keys(scene.folder / "keys.json", SystemRandom())
    async with as_owner(scene.here) as owner, owner.house() as connection:
        await connection.execute(text("DELETE FROM key_mark"))
    with pytest.raises(WrongKeys):
        await scene.make()
    assert not (scene.folder / "medium").exists()


async def test_p4_a_key_that_is_put_away_while_a_backup_is_made_is_not_missing_in_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the moment before, the database would be gone on with by the old key alone."""

    async def dumped(*_: object) -> None:
        (scene.folder / "sealer.key").unlink()
        create_sealing_key(scene.folder / "sealer.key", SystemRandom())

    (scene.folder / "sealer.key").unlink(missing_ok=True)
    create_sealing_key(scene.folder / "sealer.key", SystemRandom())
    monkeypatch.setattr(making, "_dump", dumped)
    with pytest.raises(BackupRefused, match="make it again"):
        await scene.make()
    assert list((scene.folder / "medium").iterdir()) == []


async def test_rows_that_would_be_lacking_silently_are_noticed_first(scene: Scene) -> None:
    async with as_owner(scene.here) as owner, owner.house() as connection:
        await connection.execute(text("DROP POLICY message_owner ON message"))
    with pytest.raises(HiddenRows, match="message"):
        await scene.make()
    assert not (scene.folder / "medium").exists()


async def test_what_cannot_be_read_leaves_nothing_on_the_medium(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong, seen in (
        ({"update": {"owner_url": None}}, ConfigurationError),
        ({"update": {"owner_url": scene.here.database.url}}, CallcenterError),
    ):
        database = scene.here.database.model_copy(**wrong)
        with pytest.raises(seen, match="owner"):
            await replace(scene, here=scene.here.model_copy(update={"database": database})).make()
    monkeypatch.setattr(making, "_DUMP", (*making._DUMP, "--table=nothing_of_that_name"))
    with pytest.raises(ProgramFailed, match="no matching tables"):
        await scene.make()
    assert list((scene.folder / "medium").iterdir()) == []
    monkeypatch.setattr(making, "_DUMP", making._DUMP[:-1])
    monkeypatch.setattr(making, "SealedWriter", FullDisk)
    with pytest.raises(NoRoom, match="free some space"):
        await scene.make()
    assert list((scene.folder / "medium").iterdir()) == []
    async with scene.elsewhere() as empty:
        assert empty.database.owner_url is not None
        with pytest.raises(NothingToBackUp):
            async with snapshot_of(empty.database.owner_url.get_secret_value()):
                raise AssertionError


async def test_a_backup_that_is_interrupted_leaves_nothing_and_no_program_behind(scene: Scene) -> None:
    begun = asyncio.Event()

    def say(line: str) -> None:
        if "table" in line:
            begun.set()

    task = asyncio.create_task(make_backup(scene.here, scene.folder / "medium", WORDS, scene.random, say))
    await asyncio.wait_for(begun.wait(), 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list((scene.folder / "medium").iterdir()) == []
    async with as_owner(scene.here) as owner:
        async with asyncio.timeout(20):
            while await count(owner, _DUMPS):
                await asyncio.sleep(0.01)


_DUMPS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name ~ 'pg_dump|backup'"
)


class FullDisk(SealedWriter):
    """Writes on a disk on which nothing but the beginning has room."""

    def write(self, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


# --- bringing it back


async def test_everything_comes_back_as_it_was_counted_and_goes_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def written_meanwhile(*arguments: Any) -> AsyncIterator[bytes]:
        """Rows that come while the dump goes on are in the next one."""
        async with as_owner(scene.here) as owner, owner.house() as connection:
            await connection.execute(text("INSERT INTO key_mark (key, mark) VALUES ('later', repeat('0', 64))"))
        async for piece in programs.output_of(*arguments):
            yield piece

    monkeypatch.setattr(making, "output_of", written_meanwhile)
    async with as_owner(scene.here) as owner, owner.house() as connection:
        for statement in _CHECKPOINTS:
            await connection.execute(text(statement))
    (scene.folder / "sealer.key").write_bytes(b"what signs the ledger")
    made = await scene.make()
    assert [(head.log, head.size, head.note) for head in made.manifest.heads] == [(str(UUID(int=0)), 7, "seven")]
    async with scene.elsewhere() as there:
        restored = await scene.restore(open_backup(made.folder, WORDS), there)
        assert there.keys_file is not None
        assert [path.name for path in restored.keys] == ["keys.json", "sealer.key"]
        for path in restored.keys:
            assert path.read_bytes() == (scene.folder / path.name).read_bytes()
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        said = told(made.manifest, restored)
        assert "later checkpoint" in said
        assert "of the same size: tell them to keep both" in said
        assert said.index("Then serve, and only then: callcenter doctor.") > said.index("Before you serve:")
        assert "- callcenter doctor" not in said
        assert await served_from(there)
        async with as_owner(there) as owner, owner.house() as connection:
            assert {name: rows for name, rows in (await rows_of(connection)).items() if rows} == {
                **{name: rows for name, rows in made.manifest.rows.items() if rows},
                "house_record": made.manifest.rows["house_record"] + 1,
                "house_outbox": made.manifest.rows["house_outbox"] + 1,  # to be sealed, like every record
            }
            noted = (await connection.execute(text("SELECT body FROM house_record ORDER BY body DESC"))).scalars().all()
            assert [one for one in noted if Act.RESTORED.value in one and made.manifest.made_at.isoformat() in one]
        async with as_app(there) as app:
            await check_keys(app, Sealer(load_keys(there.keys_file), SystemRandom()))
            with pytest.raises(DBAPIError, match="permission denied"):  # rights have come back too (P4)
                async with app.practice(TILLEULS) as tx:
                    await tx.connection.execute(text("DELETE FROM audit_record"))
            with pytest.raises(DBAPIError, match=r"app\.practice|for type uuid"):  # and so has row-level security (P5)
                await count(app, "SELECT count(*) FROM patient")
        with pytest.raises(NotEmpty, match="overwrites nothing"):
            await scene.restore(open_backup(made.folder, WORDS), there)


#: As a ledger that is sealed keeps its checkpoints.
_CHECKPOINTS = (
    f"INSERT INTO audit_checkpoint VALUES ('{UUID(int=0)}', 3, 'three', now())",
    f"INSERT INTO audit_checkpoint VALUES ('{UUID(int=0)}', 7, 'seven', now())",
)


async def test_what_is_there_already_is_never_overwritten(scene: Scene) -> None:
    backup = open_backup((await scene.make()).folder, WORDS)
    with pytest.raises(NotEmpty, match="overwrites nothing"):
        await scene.restore(backup, scene.here)
    async with scene.elsewhere() as there:
        assert there.keys_file is not None
        create_keys(there.keys_file, SystemRandom())
        others = there.keys_file.read_bytes()
        with pytest.raises(NotEmpty, match="other keys"):
            await scene.restore(backup, there)
        assert there.keys_file.read_bytes() == others
        async with as_owner(there) as owner:
            assert await count(owner, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0


async def test_a_restore_that_stops_on_the_way_serves_nobody_and_goes_on_when_it_is_repeated(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, backup = open_backup((await scene.make()).folder, WORDS), None
    async with scene.elsewhere() as there:
        assert there.database.owner_url is not None
        async with restoring._alone(there.database.owner_url.get_secret_value()):
            with pytest.raises(NotEmpty, match="somebody else"):
                await scene.restore(first, there)
        for step in ("_load", "_compare", "bring_up_to_date", "put_aside", "erase_what_is_over"):
            with monkeypatch.context() as stops:
                stops.setattr(restoring, step, interrupted)
                with pytest.raises(Interrupted):
                    await scene.restore(first, there)
            assert not await served_from(there)
            with pytest.raises(RestoreUnfinished):
                await prepare_database(there)
        backup = replace(first, manifest=replace(first.manifest, made_at=first.manifest.made_at + timedelta(days=1)))
        with pytest.raises(NotEmpty, match="another backup"):
            await scene.restore(backup, there)
        restored = await scene.restore(first, there)
        assert restored.keys == ()  # they had come before
        assert await served_from(there)


class Interrupted(Exception):
    """Somebody has pulled the plug."""


async def interrupted(*_: object, **__: object) -> None:
    raise Interrupted


async def test_an_older_schema_is_brought_to_this_version_and_a_newer_one_refused(scene: Scene) -> None:
    newest = await scene.make()
    with pytest.raises(TooNew, match="install that version"):
        await scene.restore(
            replace(open_backup(newest.folder, WORDS), manifest=replace(newest.manifest, revision="9999")), scene.here
        )
    async with scene.elsewhere(revision="0035") as older:
        assert older.keys_file is not None
        create_keys(older.keys_file, SystemRandom())
        made = await make_backup(older, scene.folder / "medium", WORDS, scene.random, silent)
    assert made.manifest.revision == "0035"
    async with scene.elsewhere() as there:
        await scene.restore(open_backup(made.folder, WORDS), there)
        assert await served_from(there)


async def test_a_backup_that_is_not_as_it_was_made_is_refused_before_anything_is_changed(scene: Scene) -> None:
    made = await scene.make()
    for name in made.manifest.files:
        whole = (made.folder / name).read_bytes()
        (made.folder / name).write_bytes(whole[:-1])
        with pytest.raises(SealedFileDamaged):
            open_backup(made.folder, WORDS)
        (made.folder / name).write_bytes(whole)
    written = (made.folder / NAME).read_text()
    (made.folder / NAME).write_text(written.replace('"revision": "', '"revision": "1'))
    with pytest.raises(ManifestChanged):
        open_backup(made.folder, WORDS)
    (made.folder / NAME).write_text(written.replace('"keys.json"', '"other.json"'))
    with pytest.raises(NotABackup):
        open_backup(made.folder, WORDS)
    (made.folder / NAME).write_text(written)
    backup = open_backup(made.folder, WORDS)
    with pytest.raises(OtherKeys):
        replace(backup, manifest=replace(backup.manifest, key_marks={})).keyring()
    async with scene.elsewhere() as there:
        with pytest.raises(OlderServer, match="PostgreSQL 99 or newer"):
            await scene.restore(replace(backup, manifest=replace(backup.manifest, server=990001)), there)
        fewer = replace(backup, manifest=replace(backup.manifest, rows={**backup.manifest.rows, "patient": 1}))
        with pytest.raises(RowsMissing, match="patient"):
            await scene.restore(fewer, there)
        assert not await served_from(there)


# --- the commands


async def typed(*arguments: str | Path) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, main, [str(one) for one in arguments])


async def test_verify_says_by_its_exit_code_whether_a_backup_is_whole(scene: Scene) -> None:
    made, words = await scene.make(), scene.folder / "words"
    words.write_text(WORDS.words + "\n", encoding="utf-8")
    opened = await typed("backup", "verify", made.folder, "--passphrase-file", words)
    assert (opened.exit_code, "keys and database open" in opened.output) == (0, True), opened.output
    assert "locked with a passphrase" in opened.output
    assert (await typed("backup", "verify", made.folder, "--digests-only")).exit_code == 0
    words.write_text("d'autres mots sans rapport", encoding="utf-8")
    assert (await typed("backup", "verify", made.folder, "--passphrase-file", words)).exit_code == 2
    assert (await typed("backup", "verify", scene.folder)).exit_code == 2
    sealed = made.folder / "keys.json.sealed"
    sealed.write_bytes(sealed.read_bytes()[:-1] + b"?")
    damaged = await typed("backup", "verify", made.folder, "--digests-only")
    assert (damaged.exit_code, "take another backup" in damaged.output) == (1, True)


async def test_a_backup_says_how_it_is_locked_or_is_not_made(tmp_path: Path) -> None:
    key = tmp_path / "recovery.key"
    assert (await typed("backup", "key", key)).exit_code == 0
    assert (await typed("backup", "key", key)).exit_code == 2  # never overwritten
    (tmp_path / "short").write_text("azerty", encoding="utf-8")
    for how, says in (
        ([], "nothing says how the backup is locked"),
        (["--in-clear", "--recovery-key", key], "exclude one another"),
        (["--passphrase-file", tmp_path / "short"], "16 characters"),
        (["--recovery-key", tmp_path / "short"], "not a recovery key"),
    ):
        refused = await typed("backup", "--to", tmp_path / "medium", *how)
        assert (refused.exit_code, says in refused.output) == (2, True), refused.output
    assert "--to is missing" in (await typed("backup", "--in-clear")).output
    assert not (tmp_path / "medium").exists()


# --- the programs


def test_the_program_of_the_servers_own_version_is_taken_or_the_next_newer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    there = [Program(Path(f"/{major}"), f"(PostgreSQL) {major}.1", major) for major in (18, 15, 17)]
    monkeypatch.setattr(programs, "found", lambda name: there)
    assert [for_dump(server).major for server in (140001, 150001, 160004, 180004)] == [15, 15, 17, 18]
    assert for_restore(170002).major == 17
    for asked, missing in ((for_dump, 19), (for_restore, 16)):
        with pytest.raises(NoProgram, match=f"postgresql-client-{missing}"):
            asked(missing * 10000)


def test_the_packages_own_programs_are_found() -> None:
    for name in ("pg_dump", "pg_restore"):
        assert 18 in {one.major for one in programs.found(name)}


async def test_p4_a_backup_of_a_change_of_the_key_is_gone_on_with_where_the_change_was(
    scene: Scene, clock: DrivenClock
) -> None:
    """Made between « rotate » and « retire », and restored when the old key is long put away: both are in it. Whoever
    has either verifies what comes of it; whoever holds a head from after the backup finds that the log goes on
    otherwise."""

    @asynccontextmanager
    async def ledger(settings: Settings, clock: DrivenClock) -> AsyncIterator[tuple[Archive, KeyChange, Path]]:
        path = sealer_key_path(settings)
        async with as_app(settings) as app:
            name = str(make_url(settings.database.url.get_secret_value()).database)  # type: ignore[union-attr]
            archive = archive_on(scene.cluster, name, app, clock)

            async def seal() -> None:
                assert await seal_once(archive.urls[SEALER], path, clock) == []

            def put(key: SealingKey) -> None:
                path.write_bytes(content_of(key))

            yield archive, KeyChange(app, clock, SystemRandom(), "camille", put, seal, looks=0), path

    def verified(copy: Copy, trust: VerifierKey, since: str | None = None) -> tuple[Verdict, set[What]]:
        report = verify_export(iter(copy.lines), [trust], since)
        return report.verdict, {one.what for one in report.findings}

    intact, origin = (Verdict.INTACT, set[What]()), origin_of(TILLEULS)
    (scene.folder / "sealer.key").unlink(missing_ok=True)
    create_sealing_key(scene.folder / "sealer.key", SystemRandom())
    async with ledger(scene.here, clock) as (archive, change, path):
        await archive.call()
        await change.seal()
        await change.rotate(load_sealing_key(path))
        await change.seal()
        old, following = load_sealing_key(path).keys(origin)
        held = verify_export(iter((await archive.export()).lines), [old]).keep
        made = await scene.make()
        clock.advance(LEAST.total_seconds())
        await change.retire(load_sealing_key(path))
        await archive.call()
        await change.seal()
        later = verify_export(iter((await archive.export()).lines), [following]).keep
    async with scene.elsewhere() as there:
        await scene.restore(open_backup(made.folder, WORDS), there)
        async with ledger(there, clock) as (archive, change, path):
            assert load_sealing_key(path).keys(origin) == [old, following]
            await archive.call()
            await archive.call()
            await change.seal()
            copy = await archive.export()
            for trust in (old, following):
                assert verified(copy, trust, held) == intact
            assert verified(copy, following, later) == (Verdict.TAMPERED, {What.FORK})
            assert (await change.rotate(load_sealing_key(path))).written == 0  # it is on record already
            await change.retire(load_sealing_key(path))  # its week is over
            await archive.call()
            await change.seal()
            assert load_sealing_key(path).keys(origin) == [following]
            for log in (TILLEULS, HOUSE_LOG):
                copy = await archive.export(log)
                for key in (old, following):
                    since = held if log == TILLEULS else None
                    assert verified(copy, VerifierKey(origin_of(log), key.public), since) == intact
