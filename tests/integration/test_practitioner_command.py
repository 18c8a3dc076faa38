"""``callcenter staff practitioner``: whose messages an account reads, put on record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from callcenter.cli import main
from callcenter.kernel.clock import DrivenClock, SystemClock
from callcenter.kernel.randomness import SystemRandom
from callcenter.staff.practitioners import Practises, practises
from callcenter.staff.records import records_of
from callcenter.staff.values import Role, day_of
from callcenter.store.database import Database
from callcenter.store.keys import create_keys, load_keys
from callcenter.store.schema import APP
from callcenter.store.sealed import Sealer
from tests.conftest import Cluster
from tests.integration.mailroom import BY, TILLEULS, Mailroom, Somebody, mailroom


@pytest.fixture
def config(cluster: Cluster, database_name: str, tmp_path: Path) -> Path:
    create_keys(tmp_path / "keys.json", SystemRandom())
    settings = {
        "environment": "test",
        "public_base_url": "http://127.0.0.1:8080",
        "keys_file": str(tmp_path / "keys.json"),
        "carrier": {"account_sid": "AC" + "0" * 32, "auth_tokens": ["t"], "sms_sender": "+33199000001"},
        "database": {"url": cluster.server.url(user=APP, database=database_name)},
        "console": {"public_url": "https://console.example.org/"},
    }
    (tmp_path / "house.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    return tmp_path / "house.yaml"


@pytest.fixture
async def room(database: Database, config: Path) -> AsyncIterator[Mailroom]:
    sealer = Sealer(load_keys(config.with_name("keys.json")), SystemRandom())
    async with mailroom(database, sealer, DrivenClock(SystemClock().now()), SystemRandom()) as room:
        yield room


async def typed(config: Path, *arguments: str) -> Result:
    given = ["--config", str(config), "staff", "practitioner", *arguments]
    return await asyncio.to_thread(CliRunner().invoke, main, given)


async def who_is(room: Mailroom, one: Somebody) -> list[Practises]:
    async with room.database.house() as connection:
        return list(await practises(connection, one.staff, day_of(room.clock.now())))


async def test_an_account_is_a_practitioner_until_it_is_none(config: Path, room: Mailroom) -> None:
    doctor = await room.account(Role.PRACTITIONER)
    login, slug = doctor.account.login, "cabinet-des-tilleuls"
    named = await typed(config, login, slug, "moreau", "--by", "camille")
    assert named.output == f"{login}: Dr Claire Moreau of {slug}\n"
    claire, nadia = await room.called("Claire Moreau"), await room.called("Nadia Benali")
    assert await who_is(room, doctor) == [Practises(TILLEULS, claire, of_practice=False)]
    other = await typed(config, login, slug, "Nadia Benali", "--of-practice", "--by", "camille")
    assert other.output == f"{login}: Dr Nadia Benali of {slug}, and messages for the whole practice\n"
    assert await who_is(room, doctor) == [Practises(TILLEULS, nadia, of_practice=True)]
    gone = await typed(config, login, slug, "--none", "--by", "camille")
    assert gone.output == f"{login}: no practitioner of {slug} any more\n"
    assert await who_is(room, doctor) == []
    async with room.database.house() as connection:
        records = [record.body for record in await records_of(connection, doctor.staff)]
    told = [(body["event"], body["actor"]["id"], body["refs"]) for body in records if "practitioner" in body["event"]]
    assert told == [
        ("staff.practitioner_named", "camille", [f"practitioner:{claire}"]),
        ("staff.practitioner_named", "camille", [f"practitioner:{nadia}"]),
        ("staff.practitioner_no_more", "camille", [f"practitioner:{nadia}"]),
    ]


async def test_a_name_is_no_right_without_the_role(config: Path, room: Mailroom) -> None:
    operator = await room.operator()
    login = operator.account.login
    assert (await typed(config, login, "cabinet-des-tilleuls", "moreau", "--by", "camille")).exit_code == 0
    assert await who_is(room, operator) == []
    await room.room.administration.grant(operator.account, Role.PRACTITIONER, room.whole, BY)
    assert len(await who_is(room, operator)) == 1


REFUSED = (
    (("LOGIN", "cabinet-des-tilleuls", "personne"), "there are Dr Antoine Lefèvre, Dr Claire Moreau"),
    (("LOGIN", "cabinet-des-tilleuls", "--none"), "is no practitioner of cabinet-des-tilleuls"),
    (("LOGIN", "nowhere", "moreau"), "nowhere"),
    (("nobody", "cabinet-des-tilleuls", "moreau"), "No account has that login"),
    (("LOGIN", "cabinet-des-tilleuls"), "NAME or --none, one of them"),
    (("LOGIN", "cabinet-des-tilleuls", "moreau", "--none"), "NAME or --none, one of them"),
    (("LOGIN", "cabinet-des-tilleuls", "--none", "--of-practice"), "goes with NAME"),
)


async def test_what_cannot_be_is_refused_with_the_mend(config: Path, room: Mailroom) -> None:
    doctor = await room.account(Role.PRACTITIONER)
    for arguments, why in REFUSED:
        given = [doctor.account.login if one == "LOGIN" else one for one in arguments]
        refused = await typed(config, *given, "--by", "camille")
        assert refused.exit_code == 2, arguments
        assert why in " ".join(refused.output.split())
    assert await who_is(room, doctor) == []
