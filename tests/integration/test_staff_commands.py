"""``callcenter staff``: what it does, refuses and puts on record."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import yaml
from argon2.profiles import CHEAPEST
from click.testing import CliRunner, Result
from sqlalchemy import text

from callcenter.cli import main
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.randomness import SystemRandom, new_id
from callcenter.practice.enrolment import write_organisation
from callcenter.routing.rules import Rule, rule_of
from callcenter.routing.values import Strategy
from callcenter.staff.invitations import Accepted
from callcenter.staff.records import is_theirs, records_of
from callcenter.staff.room import StaffLimits, StaffRoom
from callcenter.staff.values import day_of
from callcenter.store.database import Database
from callcenter.store.keys import create_keys, load_keys
from callcenter.store.schema import APP
from callcenter.store.sealed import Sealer
from tests.conftest import Cluster
from tests.staff import PARTY, PASSWORD

HOUSE = "Accueil Ouest"


@pytest.fixture(scope="module")
async def database(cluster: Cluster) -> AsyncIterator[Database]:
    """One for all tests of this file: an organisation with a practice, and each test's accounts."""
    await cluster.create("staff_commands")
    database = Database(cluster.server.url(user=APP, database="staff_commands"), pool_size=2)
    organisation = new_id(SystemRandom())
    practice = {"id": new_id(SystemRandom()), "organisation": organisation}
    async with database.house() as connection:
        await write_organisation(connection, organisation, HOUSE)
        await connection.execute(
            text(
                "INSERT INTO practice (id, organisation_id, slug, rescue_number) "
                "VALUES (:id, :organisation, 'cabinet-du-port', '+33199000009')"
            ),
            practice,
        )
    yield database
    await database.close()
    await cluster.drop("staff_commands")


@pytest.fixture(scope="module")
def config(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("commands")
    create_keys(folder / "keys.json", SystemRandom())
    carrier = {"account_sid": "AC" + "0" * 32, "auth_tokens": ["t"], "sms_sender": "+33199000001"}
    url = cluster.server.url(user=APP, database="staff_commands")
    settings = {
        "environment": "test",
        "public_base_url": "http://127.0.0.1:8080",
        "keys_file": str(folder / "keys.json"),
        "carrier": carrier,
        "database": {"url": url},
        "console": {"public_url": "https://console.example.org/"},
    }
    (folder / "house.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    return folder / "house.yaml"


class Commands:
    """Types ``callcenter staff``."""

    def __init__(self, config: Path) -> None:
        self._config = config

    async def type(self, *arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, main, ["--config", str(self._config), "staff", *arguments])

    async def done(self, *arguments: str) -> str:
        result = await self.type(*arguments)
        assert result.exit_code == 0, result.output
        return result.output

    async def refused(self, *arguments: str) -> str:
        result = await self.type(*arguments)
        assert result.exit_code == 2, result.output
        return result.output


@pytest.fixture
def staff(config: Path, database: Database) -> Commands:
    return Commands(config)


def _invitation(output: str) -> str:
    found = re.search(r"https://console\.example\.org/invitation/([0-9a-f]{64})$", output, re.MULTILINE)
    assert found, output
    return found[1]


async def _accepted(database: Database, config: Path, token: str) -> bool:
    sealer = Sealer(load_keys(config.with_name("keys.json")), SystemRandom())
    limits = StaffLimits(parameters=CHEAPEST)
    room = StaffRoom.on(database, database, sealer, SystemClock(), SystemRandom(), PARTY, limits)
    try:
        return isinstance(await room.invitations.accept(token, PASSWORD), Accepted)
    finally:
        room.close()


async def test_an_account_from_its_making_to_its_end(staff: Commands, database: Database, config: Path) -> None:
    made = await staff.done(
        *("create", "superviseur1", "--name", "Superviseur 1", "--organisation", HOUSE, "--role", "supervisor"),
        *("--language", "fr", "--language", "en", "--by", "camille"),
    )
    assert "superviseur1: made, supervisor for everything" in made
    assert "callcenter staff sign superviseur1 YYYY-MM-DD" in made
    token = _invitation(made)
    assert "callcenter staff trained superviseur1 YYYY-MM-DD" in made
    assert re.search(r"^superviseur1 .* not yet open +no undertaking", await staff.done("list"), re.MULTILINE)
    assert not await _accepted(database, config, token)  # SM-02
    today = day_of(datetime.now(UTC))
    assert "undertaking signed" in await staff.done("sign", "superviseur1", today.isoformat())
    assert await _accepted(database, config, token)
    listed = await staff.done("list")
    lapsed = r"^superviseur1 +Superviseur 1 +open +training lapsed: reveals nothing; fr, en$"
    assert re.search(lapsed, listed, re.MULTILINE)
    await staff.done("trained", "superviseur1", (today + timedelta(days=15)).isoformat())
    assert "15 days left" in await staff.done("list")
    shown = await staff.done("show", "superviseur1", "--records")
    assert "supervisor for everything" in shown
    assert "no application, 0 passkeys; 0 printed codes left" in shown
    assert re.search(r"Z  staff\.account_made +by camille$", shown, re.MULTILINE)
    assert "last page" in await staff.done("sessions", "superviseur1")
    assert "1 sessions ended" in await staff.done("sessions", "superviseur1", "--revoke")
    assert "signed in nowhere" in await staff.done("sessions", "superviseur1")
    assert "locked" in await staff.done("lock", "superviseur1")
    assert "locked already" in await staff.done("lock", "superviseur1")
    assert re.search(r"^superviseur1 .* locked ", await staff.done("list"), re.MULTILINE)
    assert "locked" in await staff.refused("reset", "superviseur1")
    assert "unlocked" in await staff.done("unlock", "superviseur1")
    assert "what was tried is forgotten" in await staff.done("unlock", "superviseur1")
    forgotten = (await staff.done("show", "superviseur1", "--records")).count("staff.tries_forgotten")
    assert _invitation(await staff.done("reset", "superviseur1")) != token
    # Whoever knew the password that is gone may have used up its owner's tries of a day.
    assert (await staff.done("show", "superviseur1", "--records")).count("staff.tries_forgotten") == forgotten + 1
    assert "closed" in await staff.done("close", "superviseur1")
    assert "no role" in await staff.done("show", "superviseur1")


async def test_a_contract_ends_on_a_day_that_can_be_changed(staff: Commands) -> None:
    new = ("--name", "Télésecrétaire 9", "--organisation", HOUSE, "--role", "operator")
    await staff.done("create", "operatrice9", *new, "--until", "2026-12-31")
    today = day_of(datetime.now(UTC))
    await staff.done("sign", "operatrice9", today.isoformat())
    yesterday = today - timedelta(days=1)
    assert await staff.done("until", "operatrice9", today.isoformat()) == f"operatrice9: last day {today}\n"
    assert re.search(rf"^operatrice9 .* open .*; fr; last day {today}$", await staff.done("list"), re.MULTILINE)
    over = await staff.done("until", "operatrice9", yesterday.isoformat(), "--by", "camille")
    assert over == f"operatrice9: last day {yesterday}, which is over: nothing opens any more\n"
    shown = await staff.done("show", "operatrice9", "--records")
    assert re.search(r"^operatrice9 .* expired ", shown, re.MULTILINE)
    assert re.search(r"Z  staff\.account_changed +by camille$", shown, re.MULTILINE)
    assert await staff.done("until", "operatrice9", "--no-end") == "operatrice9: no last day\n"
    assert "last day: none" in await staff.done("show", "operatrice9")
    await staff.done("close", "operatrice9")
    assert "closed, for good" in await staff.refused("until", "operatrice9", today.isoformat())


async def test_languages_are_said_anew_and_each_is_once(staff: Commands) -> None:
    new = ("--name", "Télésecrétaire 6", "--organisation", HOUSE, "--role", "operator")
    await staff.done("create", "operatrice6", *new)
    assert await staff.done("languages", "operatrice6", "fr", "ar", "fr") == "operatrice6: speaks fr, ar\n"
    assert re.search(r"^operatrice6 .*; fr, ar$", await staff.done("list"), re.MULTILINE)
    assert "codes of two small letters" in await staff.refused("languages", "operatrice6", "fr", "French")
    assert re.search(r"^operatrice6 .*; fr, ar$", await staff.done("list"), re.MULTILINE)
    await staff.done("close", "operatrice6")
    assert "closed, for good" in await staff.refused("languages", "operatrice6", "fr")


async def test_roles_are_given_and_taken_by_portfolio(staff: Commands) -> None:
    create = ("create", "operatrice7", "--name", "Télésecrétaire 7", "--organisation", HOUSE, "--role", "operator")
    assert "no portfolio « Port »" in await staff.refused(*create, "--portfolio", "Port")
    await staff.done("portfolio", "create", "Port", "--organisation", HOUSE)
    member = ("Port", "cabinet-du-port", "--organisation", HOUSE)
    assert await staff.done("portfolio", "add", *member) == "cabinet-du-port: in « Port »\n"
    assert await staff.done("portfolio", "add", *member) == "cabinet-du-port: in « Port », as before\n"
    await staff.done(*create, "--portfolio", "Port")
    listed = await staff.done("portfolio", "list")
    assert re.search(rf"^{HOUSE} +Port +1 practices$", listed, re.MULTILINE)
    granted = ("operatrice7", "--role", "supervisor", "--portfolio", "Port")
    assert "supervisor for Port" in await staff.done("grant", *granted)
    assert "had that role" in await staff.done("grant", *granted)
    assert "no longer" in await staff.done("take", *granted)
    assert "no such role" in await staff.refused("take", *granted)
    assert "out of « Port »" in await staff.done("portfolio", "remove", *member)
    assert "not in « Port »" in await staff.refused("portfolio", "remove", *member)
    assert "cabinet-ailleurs" in await staff.refused("portfolio", "add", "Port", "cabinet-ailleurs", *member[2:])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("show", "nobody"), "callcenter staff list"),
        (("create", "X", "--name", "X", "--organisation", HOUSE, "--role", "operator"), "3 to 40"),
        (("create", "abc", "--name", "X", "--organisation", "Nobody", "--role", "operator"), "practice enrol"),
        (("create", "abc", "--name", "X", "--organisation", "Nobody", "--role", "operator"), f"there are « {HOUSE} »"),
        (("portfolio", "add", "None", "cabinet-du-port", "--organisation", HOUSE), "portfolio list"),
        (("sign", "nobody", "yesterday"), "yesterday"),
        (("until", "nobody", "2027-01-31"), "callcenter staff list"),
        (("until", "nobody"), "a day or --no-end"),
        (("until", "nobody", "2027-01-31", "--no-end"), "a day or --no-end"),
        (("until", "nobody", "31/01/2027"), "%Y-%m-%d"),
        (("languages", "nobody", "fr"), "callcenter staff list"),
        (("languages", "nobody"), "LANGUAGE"),
        (
            ("create", "abc", "--name", "X", "--organisation", HOUSE, "--role", "operator", "--language", "f"),
            "such as fr",
        ),
    ],
)
async def test_what_cannot_be_done_says_what_to_do(staff: Commands, arguments: tuple[str, ...], says: str) -> None:
    assert says in await staff.refused(*arguments)


async def test_a_failed_create_leaves_no_account_behind(staff: Commands) -> None:
    new = ("--name", "Télésecrétaire 8", "--organisation", HOUSE, "--role", "operator")
    await staff.refused("create", "operatrice8", *new, "--portfolio", "No such")
    assert "operatrice8" not in await staff.done("list")
    await staff.done("create", "operatrice8", *new)
    assert "has that login already" in await staff.refused("create", "operatrice8", *new)


async def test_an_organisation_chooses_whom_its_calls_are_offered_to_first(staff: Commands, database: Database) -> None:
    def said(first: str, ends: str) -> str:
        return f"{HOUSE}: calls are offered {first}; {ends}\n"

    usual = said("to whoever has been free for longest", "wrapping up ends after 20 s")
    assert await staff.done("queue", HOUSE) == usual
    chosen = said("in turn", "wrapping up ends after 20 s")
    assert await staff.done("queue", HOUSE, "--offers", "round_robin", "--by", "camille") == chosen
    assert await staff.done("queue", HOUSE, "--wrap-up", "0", "--by", "dominique") == said("in turn", "nobody wraps up")
    assert await staff.done("queue", HOUSE, "--wrap-up", "0") == said("in turn", "nobody wraps up")  # on record once
    async with database.house() as connection:
        whose = (await connection.execute(text("SELECT id FROM organisation"))).scalar_one()
        assert await rule_of(connection, whose) == Rule(Strategy.ROUND_ROBIN, 0)
        kept = await records_of(connection, whose)
        assert all([await is_theirs(connection, whose, record.id) for record in kept]), "they may have it proved"
        assert not any([await is_theirs(connection, uuid4(), record.id) for record in kept]), "and nobody else"
    records = [record.body for record in kept]
    assert [(one["event"], one["actor"]["id"], one["offers"], one["wrap_up_seconds"]) for one in records] == [
        ("queue.rule_chosen", "camille", "round_robin", 20),
        ("queue.rule_chosen", "dominique", "round_robin", 0),
    ]
    assert "1800" in await staff.refused("queue", HOUSE, "--wrap-up", "1801")
    assert "is not one of" in await staff.refused("queue", HOUSE, "--offers", "favourites")
    assert f"there are « {HOUSE} »" in await staff.refused("queue", "Accueil Est")
