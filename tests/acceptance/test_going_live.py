"""docs/going-live.md, rehearsed by the commands that it names: an installation from nothing to its first call.

The logins are those of the page: one that may create roles, one that row-level security binds.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
import yaml
from aiohttp import web
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from callcenter.backup.locks import create_recovery_key
from callcenter.emulator import Emulator, EmulatorSettings, NumberSettings
from callcenter.emulator.client import ControlClient
from callcenter.kernel.randomness import SystemRandom
from callcenter.store.embedded import EmbeddedPostgres, places_for
from tests.acceptance.page import Shell, parts
from tests.acceptance.stage import free_port
from tests.conftest import ROOT

PROJECT = Path(__file__).resolve().parents[2]
INSTALL, SERVER, SEALS, DATABASE = "callcenter_install", "callcenter_server", "callcenter_seals", "callcenter_live"
PRACTICE, RESCUE, PATIENT_MOBILE = "+33465710001", "+33465710090", "+33639980001"
TOKEN = "a-token-of-the-tests"
CALLCENTER = str(Path(sys.executable).with_name("callcenter"))


@dataclass(frozen=True)
class Installation:
    """One machine, as the page sets it up; every command runs as it would there."""

    server: EmbeddedPostgres
    folder: Path
    config: Path
    environment: Mapping[str, str]

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = [CALLCENTER, "--config", str(self.config), *arguments]
        environment = {**os.environ, **self.environment, **more}
        return subprocess.run(
            command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    async def administer(self, *statements: str, database: str = "postgres") -> None:
        engine = create_async_engine(self.server.url(user=ROOT, database=database), isolation_level="AUTOCOMMIT")
        try:
            async with engine.connect() as connection:
                for statement in statements:
                    await connection.execute(text(statement))
        finally:
            await engine.dispose()


@asynccontextmanager
async def a_machine(tmp_path: Path) -> AsyncIterator[Installation]:
    """With a PostgreSQL that holds nothing yet."""
    with tempfile.TemporaryDirectory(prefix="callcenter-live-") as folder:
        server = EmbeddedPostgres(places_for(Path(folder)), fsync=False)
        await server.start()
        try:
            webhooks, private, emulator = free_port(), free_port(), free_port()
            settings = {
                "environment": "test",
                "public_base_url": f"http://127.0.0.1:{webhooks}",
                "webhooks": {"port": webhooks},
                "private": {"port": private},
                "console": {"port": free_port()},
                "keys_file": str(tmp_path / "keys.json"),
                "carrier": {
                    "account_sid": "AC" + "0" * 32,
                    "auth_tokens": ["from-the-environment"],
                    "base_url": f"http://127.0.0.1:{emulator}",
                    "sms_sender": "+33199000001",
                },
            }
            config = tmp_path / "live.yaml"
            config.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
            environment = {
                "DATABASE_URL": server.url(user=SERVER, database=DATABASE, driver="postgresql"),
                "CALLCENTER_DATABASE__SEALER_URL": server.url(user=SEALS, database=DATABASE, driver="postgresql"),
                "CALLCENTER_CARRIER__AUTH_TOKENS": json.dumps([TOKEN]),
            }
            yield Installation(server, tmp_path, config, environment)
        finally:
            await server.stop()
            await server.forget()


@pytest.fixture
async def installation(tmp_path: Path) -> AsyncIterator[Installation]:
    async with a_machine(tmp_path) as installation:
        yield installation


@dataclass(frozen=True)
class Enrolled:
    """An installation with a practice; no test leaves anything in it on which another depends.

    Arguments:
        examined: by the doctor, before the practice came.
    """

    live: Installation
    examined: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
async def enrolled(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Enrolled]:
    async with a_machine(tmp_path_factory.mktemp("live")) as installation:
        await prepare(installation)
        examined = installation.run("doctor")
        enrol(installation)
        yield Enrolled(installation, examined)


async def prepare(live: Installation) -> None:
    """Sections 1 to 3 of the page."""
    await live.administer(f"CREATE ROLE {INSTALL} LOGIN CREATEROLE", f"CREATE DATABASE {DATABASE} OWNER {INSTALL}")
    assert live.run("keys", "create", str(live.folder / "keys.json")).returncode == 0
    owner = live.server.url(user=INSTALL, database=DATABASE, driver="postgresql")
    migrated = live.run("db", "migrate", CALLCENTER_DATABASE__OWNER_URL=owner)
    assert (migrated.returncode, migrated.stderr) == (0, "")
    await live.administer(
        f"CREATE ROLE {SERVER} LOGIN IN ROLE callcenter_app", f"CREATE ROLE {SEALS} LOGIN IN ROLE callcenter_sealer"
    )


def enrol(live: Installation) -> None:
    description = PROJECT / "config" / "demo" / "practices" / "cabinet-des-tilleuls.yaml"
    enrolled = live.run("practice", "enrol", str(description), "--organisation", "Télésecrétariat")
    assert enrolled.returncode == 0, enrolled.stderr
    assert PRACTICE in enrolled.stdout
    patients = live.folder / "patients.csv"
    patients.write_text(
        "identifiant;nom de naissance;prénom;date de naissance;sexe\njeanne;MARTIN-DUVAL;Jeanne;14/03/1962;F\n",
        encoding="utf-8",
    )
    contacts = live.folder / "contacts.csv"
    entered = (datetime.now(UTC) - timedelta(days=100)).strftime("%d/%m/%Y")  # long on file, lately confirmed (OB-07)
    contacts.write_text(f"patient;téléphone;saisi le\njeanne;{PATIENT_MOBILE};{entered}\n", encoding="utf-8")
    for kind, file in (("patients", patients), ("contacts", contacts)):
        imported = live.run("practice", "import", str(file), "--practice", "cabinet-des-tilleuls", "--kind", kind)
        assert imported.returncode == 0, imported.stderr
        assert "1 were added" in imported.stdout


@asynccontextmanager
async def serving(live: Installation) -> AsyncIterator[ControlClient]:
    """``callcenter serve`` in its own process, and a carrier that calls it; it ends in order when asked to."""
    settings = yaml.safe_load(live.config.read_text(encoding="utf-8"))
    base = settings["public_base_url"]
    number = NumberSettings(f"{base}/voice/incoming", f"{base}/voice/fallback", f"{base}/voice/status")
    port = int(settings["carrier"]["base_url"].rsplit(":", 1)[1])
    emulator = Emulator(EmulatorSettings(settings["carrier"]["account_sid"], TOKEN, number, port=port))
    command = [CALLCENTER, "--config", str(live.config), "serve"]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=PROJECT, env={**os.environ, **live.environment}, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert (await asyncio.wait_for(process.stdout.readline(), 30)).startswith(b"webhooks http")
        await emulator.start()
        async with ControlClient(emulator.base_url) as client:
            yield client
    finally:
        await emulator.stop()
        if process.returncode is None:
            process.terminate()
        assert await asyncio.wait_for(process.wait(), 30) == 0


async def test_a_new_installation_serves_its_first_call(enrolled: Enrolled) -> None:
    installation, empty = enrolled.live, enrolled.examined
    assert empty.returncode == 1
    assert "practice enrol" in empty.stdout
    assert empty.stdout.count("ok ") >= 5, empty.stdout
    healthy = installation.run("doctor")
    assert (healthy.returncode, "login: callcenter_server" in healthy.stdout) == (0, True), healthy.stdout
    async with serving(installation) as client:
        sid = await client.start(PATIENT_MOBILE, PRACTICE, "scripted")
        await client.settled(sid)
        for keys in ("1", "1", "14031962"):  # appointments, one that is made already, the birth date
            await client.press(sid, keys)
            await client.settled(sid)
        (message,) = await client.inbox(PATIENT_MOBILE, after=0, wait=10)
        await client.press(sid, "".join(filter(str.isdigit, message.body))[:6])
        state = await client.settled(sid)
        assert "pas de rendez-vous à venir" in " ".join(heard.text for heard in state.heard)
        await client.hang_up(sid)
        await client.closed(sid)
    shown = installation.run("audit", "show", "--last")
    assert "granted D01+D02 at V2" in shown.stdout, shown.stdout + shown.stderr
    key = installation.run("audit", "key", "cabinet-des-tilleuls")
    written = r"callcenter/[0-9a-f-]{36}\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+\n# fingerprint, [a-z ]+:(?: \d{5}){8}\n"
    assert re.fullmatch(written, key.stdout), key.stdout + key.stderr


# --- the page itself, from its first line to its last

PAGE = PROJECT / "docs" / "going-live.md"
ACCOUNT = "AC" + "12" * 16
#: What its reader writes under the keys that the page says to edit.
OWN = {
    "public_base_url": "https://telephone.example.net",
    "console.public_url": "https://console.example.net",
    "carrier.account_sid": ACCOUNT,
    "carrier.sms_sender": "CABINET",
    "hosting": {"holder": "Hébergeur des essais", "activities": [1, 2, 3, 4, 5, 6], "expiry": "2099-12-31"},
}


def reader(live: Installation) -> Shell:
    """Somebody with the page in hand, and with what they write in the places that it leaves open."""
    folder = live.folder
    description = PROJECT / "config" / "demo" / "practices" / "cabinet-des-tilleuls.yaml"
    own_words = description.read_text(encoding="utf-8").replace("slug: cabinet-des-tilleuls", "slug: cabinet")
    (folder / "cabinet.yaml").write_text(own_words, encoding="utf-8")
    files = {
        "patients": "identifiant;nom de naissance;prénom;date de naissance;sexe\nj1;MARTIN-DUVAL;Jeanne;14/03/1962;F\n",
        "contacts": f"patient;téléphone;saisi le\nj1;{PATIENT_MOBILE};01/09/2026\n",
        "appointments": "identifiant;patient;praticien;début\nr1;j1;Dr Claire Moreau;14/03/2099 14:30\n",
    }
    for name, content in files.items():
        (folder / f"{name}.csv").write_text(content, encoding="utf-8")
    address = live.server.url(user="LOGIN", database="NAME", driver="postgresql")
    address = address.replace("LOGIN", r"\1").replace("NAME", r"\2")
    written = {
        r"make setup": "true",
        r'sudo install -d -m 700 -o "\$USER"': "install -d -m 700",
        r"/etc/callcenter": str(folder / "etc"),
        r"\.venv/bin/callcenter": CALLCENTER,
        r"postgresql://(\w+):…@…/(\w+)": f"'{address}'",
        r"\[\"…\"\]": f'["{"0123456789abcdef" * 2}"]',
        r"/mnt/backups": str(folder / "backups"),
        r" (cabinet\.yaml|\w+\.csv) ": rf" {folder}/\1 ",
        r"Télésecrétariat …": "Télésecrétariat des essais",
    }
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("CALLCENTER_", "DATABASE_URL"))}
    return Shell(PROJECT, bare, written)


def edit(config: Path, keys: list[str]) -> None:
    """Write what is one's own under ``keys``."""
    settings = yaml.safe_load(config.read_text(encoding="utf-8").replace("/etc/callcenter", str(config.parent)))
    for key in keys:
        *groups, name = key.split(".")
        group = settings
        for part in groups:
            group = group[part]
        group[name] = OWN[key]
    config.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")


def serves(shell: Shell, line: str, **more: str) -> None:
    """A server begins, and ends when it is told to."""
    command = ["/bin/bash", "-c", f"exec {shell.line(line)}"]
    environment = {**shell.environment, **more}
    with subprocess.Popen(command, cwd=shell.folder, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        began = server.stdout.readline()
        server.terminate()
        assert (began.startswith("webhooks http"), server.wait(30)) == (True, 0)


async def test_the_page_can_be_followed_in_its_order(installation: Installation) -> None:
    shell, config = reader(installation), installation.folder / "etc" / "production.yaml"
    # No test reaches the carrier: where a command asks it, an emulator's address stands in.
    settings = yaml.safe_load(installation.config.read_text(encoding="utf-8"))
    beside_it = {
        "CALLCENTER_ENVIRONMENT": "test",
        "CALLCENTER_CARRIER__BASE_URL": settings["carrier"]["base_url"],
        "CALLCENTER_WEBHOOKS__PORT": str(settings["webhooks"]["port"]),
        "CALLCENTER_PRIVATE__PORT": str(settings["private"]["port"]),
        "CALLCENTER_CONSOLE__PORT": str(settings["console"]["port"]),
    }
    found: list[tuple[int, list[str]]] = []
    for part in parts(PAGE):
        if part.kind == "edit":
            refused = shell.run(".venv/bin/callcenter flows check")
            assert refused.returncode == 2
            assert "account_sid" in refused.stderr
            assert "hosting.holder" in refused.stderr
            assert part.text.splitlines() == list(OWN)
            edit(config, part.text.splitlines())
        elif part.kind == "sql":
            await installation.administer(part.text.replace("…", "secret"))
        elif part.text.endswith("callcenter serve"):
            serves(shell, part.text, **beside_it)
        elif part.text.endswith("callcenter doctor"):
            looked = shell.run(part.text, **beside_it)
            found.append((looked.returncode, [line for line in looked.stdout.splitlines() if line.startswith("BAD")]))
        else:
            done = shell.run(part.text)
            assert done.returncode == 0, f"{part.text}\n{done.stdout}{done.stderr}"
    shown = shell.run(".venv/bin/callcenter staff show admin1")
    assert re.search(r"^admin1 +Administrateur 1 +open +train", shown.stdout), shown.stdout
    (first, lacking), last = found
    assert (first, [line.split(":")[0] for line in lacking], last) == (1, ["BAD  practices"], (0, []))


async def test_a_backup_comes_back_with_the_logins_of_the_page(enrolled: Enrolled) -> None:
    """Section 7: a backup, and a database beside it into which it comes back."""
    live, drill = enrolled.live, "callcenter_drill"
    medium = live.folder / "medium"
    key, public = create_recovery_key(live.folder / "recovery.key", SystemRandom())
    owner = live.server.url(user=INSTALL, database=DATABASE, driver="postgresql")
    made = live.run("backup", "--to", str(medium), "--recovery-key", str(public), CALLCENTER_DATABASE__OWNER_URL=owner)
    assert (made.returncode, made.stderr) == (0, ""), made.stderr
    (folder,) = medium.iterdir()
    assert str(folder) in made.stdout
    await live.administer(f"CREATE DATABASE {drill} OWNER {INSTALL}")
    elsewhere = {
        "DATABASE_URL": live.server.url(user=SERVER, database=drill, driver="postgresql"),
        "CALLCENTER_DATABASE__OWNER_URL": live.server.url(user=INSTALL, database=drill, driver="postgresql"),
        "CALLCENTER_KEYS_FILE": str(live.folder / "drill" / "keys.json"),
    }
    restore = ("restore", str(folder), "--recovery-key", str(key))
    nobody = live.server.url(user="nobody_here", database=drill, driver="postgresql")
    too_early = live.run(*restore, **{**elsewhere, "DATABASE_URL": nobody})
    assert (too_early.returncode, "IN ROLE callcenter_app" in too_early.stderr) == (2, True), too_early.stderr
    restored = live.run(*restore, **elsewhere)
    assert (restored.returncode, restored.stderr) == (0, ""), restored.stderr
    assert "Before you serve:" in restored.stdout
    engine = create_async_engine(live.server.url(user=SERVER, database=drill))
    try:
        async with engine.connect() as connection:
            served = (await connection.execute(text("SELECT number FROM directory_number"))).scalars()
            assert PRACTICE in list(served)
    finally:
        await engine.dispose()


# --- when the machine is down


@asynccontextmanager
async def elsewhere(document: str) -> AsyncIterator[str]:
    """A host of static documents, such as a TwiML Bin; its address."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=document, content_type="text/xml")

    application = web.Application()
    application.add_routes([web.post("/bin", answer)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        port = free_port()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{port}/bin"
    finally:
        await runner.cleanup()


async def test_p7_with_the_whole_machine_down_the_rescue_number_rings(enrolled: Enrolled) -> None:
    printed = enrolled.live.run("fallback", PRACTICE)
    assert printed.returncode == 0, printed.stderr
    down = f"http://127.0.0.1:{free_port()}/voice/incoming"
    async with elsewhere(printed.stdout) as address:
        emulator = Emulator(EmulatorSettings("AC" + "0" * 32, TOKEN, NumberSettings(down, address)))
        await emulator.start()
        try:
            async with ControlClient(emulator.base_url) as client:
                sid = await client.start(PATIENT_MOBILE, PRACTICE, "scripted")
                (rings,) = await client.ringing(RESCUE, 10)
                await client.answer(rings.sid)
                state = await client.settled(sid)
                await client.hang_up(sid)
        finally:
            await emulator.stop()
    heard = " ".join(spoken.text for spoken in state.heard)
    assert "composez le 15" in heard
    assert heard.endswith(f"[en communication avec {RESCUE}]")


async def test_a_number_that_is_not_served_has_no_document_of_last_resort(enrolled: Enrolled) -> None:
    refused = enrolled.live.run("fallback", "+33465710009")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "practice list" in refused.stderr


async def test_p5_the_tables_of_an_installation_bind_their_owner_too(enrolled: Enrolled) -> None:
    installation = enrolled.live
    engine = create_async_engine(installation.server.url(user=ROOT, database=DATABASE))
    async with engine.connect() as connection:
        owners = text("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
        assert (await connection.execute(owners)).scalars().all() == ["callcenter_owner"]
    await engine.dispose()
    again = installation.run(
        "db",
        "migrate",
        CALLCENTER_DATABASE__OWNER_URL=installation.server.url(user=INSTALL, database=DATABASE, driver="postgresql"),
    )
    assert again.returncode == 0, again.stderr


async def test_a_login_that_may_not_is_told_what_to_grant(enrolled: Enrolled) -> None:
    installation = enrolled.live
    await installation.administer("CREATE ROLE somebody LOGIN")
    owner = installation.server.url(user="somebody", database=DATABASE, driver="postgresql")
    refused = installation.run("db", "migrate", CALLCENTER_DATABASE__OWNER_URL=owner)
    assert refused.returncode == 2
    assert "GRANT callcenter_owner TO somebody" in refused.stderr


async def test_a_server_without_its_schema_does_not_start(enrolled: Enrolled) -> None:
    await enrolled.live.administer("CREATE DATABASE callcenter_bare")
    bare = enrolled.live.server.url(user=SERVER, database="callcenter_bare", driver="postgresql")
    refused = enrolled.live.run("serve", DATABASE_URL=bare)
    assert refused.returncode == 2
    assert "callcenter db migrate" in refused.stderr
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(yaml.safe_load(enrolled.live.config.read_text())["public_base_url"])
