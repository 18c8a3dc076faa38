"""The command line: whatever goes wrong, a sentence says what and what to do, with exit 2 and without a value."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from callcenter.app import CannotListen
from callcenter.cli import main
from callcenter.cli import practice as practice_commands
from callcenter.demo import PortTaken, on_free_ports
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.randomness import SeededRandom, new_id
from callcenter.practice.demo import seed
from callcenter.practice.directory import Directory
from callcenter.practice.inbox import Inbox
from callcenter.practice.practitioners import practitioner_names
from callcenter.practice.values import Urgency
from callcenter.practice.voice_messages import Sound, VoiceMessages
from callcenter.settings import PROJECT
from callcenter.store.database import Database
from callcenter.store.keys import load_keys
from callcenter.store.schema import APP
from callcenter.store.sealed import Sealer
from tests.acceptance.stage import stage_settings
from tests.conftest import Cluster

SECRET = "JEANNE-14031962"
Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in a thread of its own, since it makes a loop of its own."""
    for name in [name for name in os.environ if name.startswith("CALLCENTER_") or name == "DATABASE_URL"]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(PROJECT)

    def invoke(*arguments: str, **environment: str) -> Result:
        return CliRunner().invoke(main, [*arguments], env=environment)

    return invoke


def refused(result: Result, *parts: str) -> None:
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Traceback" not in result.stderr
    for part in parts:
        assert part in result.stderr


def test_a_server_does_not_take_the_demos_configuration_by_itself(run: Run) -> None:
    refused(run("serve"), "no configuration is named", "CALLCENTER_CONFIG", "make demo")


NOWHERE = "postgresql://u:p@127.0.0.1:1/x"


def test_a_database_that_is_not_there_is_a_sentence(run: Run) -> None:
    refused(run("db", "migrate", DATABASE_URL=NOWHERE, CALLCENTER_DATABASE__OWNER_URL=NOWHERE), "start PostgreSQL")
    refused(
        run("--config", "config/demo.yaml", "db", "migrate", DATABASE_URL=NOWHERE),
        *("database.owner_url", "mend: set CALLCENTER_DATABASE__OWNER_URL"),
    )


def test_a_configuration_that_is_wrong_is_a_sentence(run: Run) -> None:
    refused(run("doctor", DATABASE_URL="nonsense"), "environment variable DATABASE_URL", "postgresql://")
    refused(run("doctor", CALLCENTER_CARRIER__AUTH_TOKENS="plain"), "it is not JSON")
    refused(run("--config", "nowhere.yaml", "flows", "check"), "nowhere.yaml: it cannot be read")


def test_a_port_that_cannot_be_is_a_sentence(run: Run) -> None:
    refused(run("emulator", "--port", "99999"), "99999 is not in the range")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused(run("emulator", "--port", port), f"cannot listen on 127.0.0.1:{port}", "another port")


async def test_only_a_port_that_cannot_be_had_is_told_as_one(keys_file: Path) -> None:
    settings = stage_settings(keys_file)
    with pytest.raises(PortTaken, match=f"{settings.console.port}, {settings.private.port} or "):
        async with on_free_ports(settings):
            raise CannotListen("cannot listen on 127.0.0.1:1")
    with pytest.raises(FileNotFoundError):
        async with on_free_ports(settings):
            raise FileNotFoundError


def test_the_flows_are_found_from_any_folder(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("--config", str(PROJECT / "config" / "demo.yaml"), "flows", "check").exit_code == 0


@pytest.mark.parametrize("level", ["warning", "debug"])
def test_what_nobody_expected_is_named_by_type_and_place_and_never_by_value(
    run: Run, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    async def breaks(*_: object) -> None:
        kept_in_a_local = SECRET
        raise ZeroDivisionError(kept_in_a_local)

    monkeypatch.setattr(practice_commands, "_list", breaks)
    result = run("practice", "list", CALLCENTER_LOG__LEVEL=level)
    refused(result, "ZeroDivisionError at ", "callcenter doctor", "CALLCENTER_LOG__LEVEL=debug")
    assert SECRET not in result.output
    assert ("test_commands.py" in result.stderr) == (level == "debug")


# --- an import


async def test_an_import_says_what_left_the_file_and_what_it_cancelled(
    run: Run, cluster: Cluster, database_name: str, keys_file: Path, tmp_path: Path
) -> None:
    environment = await waiting(cluster, database_name, keys_file, 0)

    async def imported(kind: str, rows: str, *options: str) -> Result:
        file = tmp_path / f"{kind}.csv"
        file.write_text(rows, encoding="utf-8")
        told = ("practice", "import", str(file), "--practice", "cabinet-des-tilleuls", "--kind", kind, *options)
        return await asyncio.to_thread(run, *told, **environment)

    moved = "patient;phone\njeanne-martin-duval;+33639981998\n"
    for options, done in ((("--dry-run",), "would be"), ((), "were")):
        result = await imported("contacts", moved, *options)
        assert result.stdout == f"1 rows: 1 {done} added, 0 {done} updated, 1 {done} removed\n"
    agenda = "external_id;patient;practitioner;starts_at\njeanne/9;jeanne-martin-duval;Claire Moreau;02/01/2150 09:00\n"
    assert "cancelled" not in (await imported("appointments", agenda, "--dry-run")).stdout
    result = await imported("appointments", agenda, "--complete")
    assert re.fullmatch(r"1 rows: 1 were added, 0 were updated, [1-9][0-9]+ were cancelled\n", result.stdout)
    refused(await imported("patients", "external_id\n", "--complete"), "import it without --complete")


# --- the inbox


async def waiting(cluster: Cluster, name: str, keys_file: Path, count: int) -> dict[str, str]:
    """A database in which ``count`` people wait to be called back; returns the commands' environment."""
    database = Database(cluster.server.url(user=APP, database=name), pool_size=1)
    sealer = Sealer(load_keys(keys_file), SeededRandom(1))
    await seed(database, sealer, SystemClock(), SeededRandom(1))
    async with database.house() as connection:
        facts = await Directory.by_slug(connection, "cabinet-des-tilleuls", SystemClock().now())
    random = SeededRandom(2)
    async with database.practice(facts.id) as tx:
        for _ in range(count):
            await Inbox(sealer).leave(
                tx,
                id=new_id(random),
                reason="appointment",
                number="+33639980001",
                call_reference=None,
                now=SystemClock().now(),
            )
    await database.close()
    url = cluster.server.url(user=APP, database=name, driver="postgresql")
    return {"DATABASE_URL": url, "CALLCENTER_KEYS_FILE": str(keys_file)}


async def test_a_request_that_was_answered_leaves_the_list(
    run: Run, cluster: Cluster, database_name: str, keys_file: Path
) -> None:
    environment = await waiting(cluster, database_name, keys_file, 2)

    async def inbox(*arguments: str) -> Result:
        return await asyncio.to_thread(run, "inbox", *arguments, **environment)

    first, second = (await inbox()).stdout.splitlines()
    done = first.split()[-1]
    assert "+33639980001" in first
    told = await inbox("--done", done, "--by", "accueil-2")
    assert (told.exit_code, told.stdout) == (0, "Cabinet des Tilleuls : demande traitée par accueil-2\n")
    assert (await inbox()).stdout.splitlines() == [second]
    refused(await inbox("--done", done, "--by", "accueil-2"), "does not wait to be called back")
    refused(await inbox("--done", done), "--by NAME go together")
    refused(await inbox("--by", "accueil-2"), "--by NAME go together")
    refused(await inbox("--done", done, "--by", " "), "--by NAME go together")
    assert (await inbox("--practice", "maison-de-sante-du-port")).stdout == "personne n'attend d'être rappelé\n"


async def test_the_list_of_one_practitioner_and_of_what_is_urgent(
    run: Run, cluster: Cluster, database_name: str, keys_file: Path
) -> None:
    environment = await waiting(cluster, database_name, keys_file, 1)
    database = Database(cluster.server.url(user=APP, database=database_name), pool_size=1)
    async with database.house() as connection:
        facts = await Directory.by_slug(connection, "cabinet-des-tilleuls", SystemClock().now())
    async with database.practice(facts.id) as tx:
        for number, (whom, urgency) in enumerate([("Claire Moreau", Urgency.URGENT), ("Nadia Benali", Urgency.NORMAL)]):
            await Inbox(Sealer(load_keys(keys_file), SeededRandom(3))).leave(
                tx,
                id=new_id(SeededRandom(40 + number)),
                reason="prescription",
                number=f"+3363998002{number}",
                call_reference=None,
                now=SystemClock().now(),
                practitioner=(await practitioner_names(tx))[whom],
                urgency=urgency,
            )
    await database.close()

    async def inbox(*arguments: str) -> list[str]:
        result = await asyncio.to_thread(run, "inbox", *arguments, **environment)
        assert result.exit_code == 0, result.output
        return list(result.stdout.splitlines())

    assert len(await inbox()) == 3
    for name in ("Moreau", "claire moreau", "Dr Claire Moreau"):
        (line,) = await inbox("--practitioner", name)
        assert "URGENT ordonnance, pour Dr Claire Moreau" in line
    (line,) = await inbox("--practitioner", "Benali", "--practice", "cabinet-des-tilleuls")
    assert "+33639980021" in line
    (line,) = await inbox("--urgent")
    assert "+33639980020" in line
    assert await inbox("--urgent", "--practitioner", "Benali") == [
        "rien n'attend qui réponde à ces critères ; sans eux, `callcenter inbox` montre tout"
    ]
    unknown = await asyncio.to_thread(run, "inbox", "--practitioner", "Dupont", **environment)
    refused(unknown, "no practitioner is called « Dupont »; there are ")
    assert "Dr Nadia Benali (cabinet-des-tilleuls)" in unknown.stderr
    one = await asyncio.to_thread(run, "inbox", "--urgent", "--done", line.split()[-1], "--by", "a", **environment)
    refused(one, "choose what is listed")


async def test_a_list_that_is_cut_says_how_many_more_wait(
    run: Run, cluster: Cluster, database_name: str, keys_file: Path
) -> None:
    environment = await waiting(cluster, database_name, keys_file, 503)
    lines = (await asyncio.to_thread(run, "inbox", **environment)).stdout.splitlines()
    assert len(lines) == 501
    assert lines[-1] == "Cabinet des Tilleuls : et 3 de plus"


# --- the ledger


async def test_a_call_that_is_not_known_is_told_apart_from_no_call_at_all(
    run: Run, cluster: Cluster, database_name: str, keys_file: Path
) -> None:
    environment = await waiting(cluster, database_name, keys_file, 0)

    async def show(*arguments: str) -> Result:
        return await asyncio.to_thread(run, "audit", "show", *arguments, **environment)

    refused(await show("--last"), "no call has come in yet", "callcenter practice list")
    for option, name in (("--sid", "CA" + "7" * 32), ("--call", "00000000-0000-4000-8000-000000000007")):
        refused(await show(option, name), f"no call is known as {name}", "audit show --last")


async def test_p1_a_spoken_message_is_opened_on_record_and_never_over_a_file(
    run: Run, cluster: Cluster, database_name: str, keys_file: Path, tmp_path: Path
) -> None:
    environment = await waiting(cluster, database_name, keys_file, 1)
    message, opened = await spoken(cluster, database_name, keys_file)

    async def inbox(*arguments: str) -> Result:
        return await asyncio.to_thread(run, "inbox", *arguments, **environment)

    line = next(line for line in (await inbox()).stdout.splitlines() if line.endswith(str(message)))
    assert "message vocal, pour le cabinet, depuis 0 min, voix 5 s : à écouter" in line
    file = tmp_path / "message.wav"
    file.write_text("something else")
    refused(await inbox("--play", str(message), "--to", str(file), "--by", "accueil-2"), "is there already")
    assert (file.read_text(), await opened()) == ("something else", 1)  # on record before it is known who gets it
    file.unlink()
    told = await inbox("--play", str(message), "--to", str(file), "--by", "accueil-2")
    assert (told.exit_code, "message vocal dans" in told.stdout) == (0, True)
    assert (file.read_bytes(), file.stat().st_mode & 0o777, await opened()) == (b"RIFF sound", 0o600, 2)
    refused(await inbox("--play", str(new_id(SeededRandom(9))), "--to", "x.wav", "--by", "a"), "has no sound to open")
    refused(await inbox("--play", str(message), "--by", "accueil-2"), "--to FILE go together")
    refused(await inbox("--play", str(message), "--to", str(tmp_path / "x.wav")), "--by NAME go together")
    refused(await inbox("--play", str(message), "--to", "x", "--done", str(message), "--by", "a"), "exclude each other")


async def spoken(cluster: Cluster, name: str, keys_file: Path) -> tuple[UUID, Callable[[], Awaitable[int]]]:
    """A spoken message whose sound is here, and how many records tell that it was opened."""
    url = cluster.server.url(user=APP, database=name)
    sealer, random, now = Sealer(load_keys(keys_file), SeededRandom(1)), SeededRandom(3), SystemClock().now()
    database, message, voice, call = Database(url, pool_size=1), new_id(random), new_id(random), new_id(random)
    async with database.house() as connection:
        facts = await Directory.by_slug(connection, "cabinet-des-tilleuls", now)
        insert = (
            "INSERT INTO call (id, practice_id, carrier_sid, status, started_at) VALUES (:id, :practice, :sid, 3, :now)"
        )
        values = {"id": call, "practice": facts.id, "sid": f"CA{call.hex}", "now": now}
        await connection.execute(text(insert), values)
    async with database.practice(facts.id) as tx:
        await Inbox(sealer).leave(
            tx, id=message, reason="unspecified", number=None, call_reference=call, now=now, kind="voice"
        )
        voices, sid = VoiceMessages(sealer), f"RE{voice.hex}"
        await voices.add(tx, id=voice, message_id=message, call=call, recording_sid=sid, seconds=5, now=now)
        await voices.keep(tx, voice, Sound(b"RIFF sound", "audio/wav"), now)
    await database.close()

    async def opened() -> int:
        found = Database(url, pool_size=1)
        query = text("SELECT count(*) FROM audit_record WHERE convert_from(body, 'UTF8') LIKE '%message.voice_opened%'")
        async with found.practice(facts.id) as tx:
            count = int((await tx.connection.execute(query)).scalar_one())
        await found.close()
        return count

    return message, opened
