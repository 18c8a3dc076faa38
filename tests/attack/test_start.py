"""Starting the server in a way that it must not run in."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from callcenter.app import faces
from callcenter.calls import flows
from callcenter.disclosure.gate import Gate
from callcenter.installation import DatabaseFit
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import CallcenterError, ConfigurationError, DataProblems
from callcenter.settings import Settings, reading
from callcenter.store import keys
from callcenter.store.schema import APP, OWNER
from tests.attack.defence import FOILED, Defence, Outcome, Sabotage, attack, gained, replaced
from tests.attack.ground import Ground
from tests.attack.scene import HER_WORDS, PROJECT, House, house_of, served

UNSAFE = PROJECT / "tests" / "unit" / "flow" / "unsafe"


async def runs(house: House) -> Outcome:
    """Whether this server starts, and answers a call."""
    try:
        async with served(house):
            return gained((await house.line().dial()).question)
    except CallcenterError:
        return FOILED


# --- flows


def _nothing_is_proven(sabotage: Sabotage) -> None:
    sabotage.replace(flows, "_unproven", lambda *_: [])


PROOF = Defence("only proven flows run", "P9: a flow is proven before it runs", _nothing_is_proven)


def flow_of(name: str, folder: Path) -> dict[str, Any]:
    """The settings of a server that would run the unsafe flow of that name, alone."""
    (folder / f"{name}.yaml").write_bytes((UNSAFE / f"{name}.yaml").read_bytes())
    return {"folder": folder, "entry": name, "prompts": UNSAFE / "prompts" / "fr.yaml"}


@attack(stopped_by=PROOF)
async def test_p9_a_flow_that_tells_strangers_is_run(
    ground: Ground, clock: DrivenClock, sabotage: Sabotage, tmp_path: Path
) -> Outcome:
    return await runs(house_of(ground, clock, sabotage, flows=flow_of("disclose_without_verify", tmp_path)))


GATE = replaced("the gate decides on values", "P2: no level without evidence", Gate, "_refusal", lambda *_: None)


@attack(stopped_by=(PROOF, GATE))
async def test_p9_a_flow_tells_more_than_a_code_by_text_message_opens(
    ground: Ground, clock: DrivenClock, sabotage: Sabotage, tmp_path: Path
) -> Outcome:
    """The speciality needs V3. Were the proof wrong about a flow, the gate would still refuse."""
    try:
        async with served(house_of(ground, clock, sabotage, flows=flow_of("level_3_at_level_2", tmp_path))) as house:
            line = await house.line().dial()
            await line.verify()
            return gained("médecine générale" in line.all_heard)
    except DataProblems:
        return FOILED


# --- what production must not show


class _Careless(Settings):
    def _fit_for_production(self) -> Settings:
        return self


def _production_takes_any_settings(sabotage: Sabotage) -> None:
    sabotage.replace(reading, "Settings", _Careless)


def _captions_everywhere(sabotage: Sabotage) -> None:
    sabotage.replace(faces, "Environment", SimpleNamespace(PRODUCTION=None))


FIT_FOR_PRODUCTION = Defence(
    "settings fit for production", "production gives no captions", _production_takes_any_settings
)
NO_CAPTIONS = Defence("no captions under the roof", "production gives no captions", _captions_everywhere)


@attack(stopped_by=(FIT_FOR_PRODUCTION, NO_CAPTIONS))
async def test_production_shows_what_patients_are_told(
    ground: Ground, clock: DrivenClock, sabotage: Sabotage
) -> Outcome:
    """Captions are the words of our own voice, on the private port, for the demo's telephone."""
    production = {
        "environment": "production",
        "captions": True,
        "public_base_url": "https://tel.example.org",
        "hosting": {"holder": "Hébergeur", "activities": (1, 2, 3, 4, 5, 6), "expiry": "2027-12-31"},
        "database": {"url": "postgresql://x@localhost/x"},
    }
    try:
        house = house_of(ground, clock, sabotage, **production)
    except ConfigurationError:
        return FOILED
    async with served(house):
        line = await house.line().dial()
        await line.verify()
        await line.press("1")
        token = line.audio[0].rpartition("/")[2]
        return gained(HER_WORDS in (await house.private(f"/captions/{token}")).text)


# --- a database and keys that protect nothing


ATTACKERS = {
    "as superuser": "ALTER ROLE {login} SUPERUSER",
    "without row security": "ALTER ROLE {login} BYPASSRLS",
    "as the owner": "GRANT {owner} TO {login}",
    "as the sealer": "GRANT callcenter_sealer TO {login}",
    "as one who makes roles": "ALTER ROLE {login} CREATEROLE",
}


def _any_login_will_do(sabotage: Sabotage) -> None:
    async def unchecked(_: DatabaseFit) -> str:
        """Whoever it is."""
        return "anybody"

    sabotage.replace(DatabaseFit, "check_login", unchecked)


BOUND_LOGIN = Defence("a login that row security binds", "P5: no row crosses a practice", _any_login_will_do)


@pytest.mark.parametrize("statement", ATTACKERS.values(), ids=ATTACKERS)
@attack(stopped_by=BOUND_LOGIN)
async def test_p5_the_server_is_given_a_login_that_sees_every_practice(
    ground: Ground, clock: DrivenClock, sabotage: Sabotage, statement: str
) -> Outcome:
    login = f"too_much_{ground.name}"
    await ground.change(f"CREATE ROLE {login} LOGIN IN ROLE {APP}")
    await ground.change(statement.format(login=login, owner=OWNER))
    try:
        return await runs(house_of(ground, clock, sabotage, login=login))
    finally:
        await ground.change(f"DROP ROLE {login}")


def _keys_may_lie_open(sabotage: Sabotage) -> None:
    sabotage.replace(keys, "stat", SimpleNamespace(S_IMODE=lambda _: 0o600))


KEYS_APART = Defence("keys for their owner alone", "a stolen database opens nothing", _keys_may_lie_open)


@attack(stopped_by=KEYS_APART)
async def test_the_key_file_lies_open_to_other_accounts(
    ground: Ground, clock: DrivenClock, sabotage: Sabotage, tmp_path: Path
) -> Outcome:
    open_to_all = tmp_path / "keys.json"
    open_to_all.write_bytes(ground.keys_file.read_bytes())
    open_to_all.chmod(0o644)
    return await runs(house_of(ground, clock, sabotage, keys_file=open_to_all))
