"""Flows that come from the database while calls go on: none is run that is not proven, or is not what was published."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import text

from callcenter.app.publishing import follow
from callcenter.calls import flows, release
from callcenter.calls.flows import FlowRefused
from callcenter.calls.release import Gathered, Release, released
from callcenter.calls.shelf import Shelf
from callcenter.flow.load import load_flow
from callcenter.flow.prompts import PromptBook
from callcenter.kernel.clock import DrivenClock
from callcenter.settings import PROJECT
from tests.attack.defence import FOILED, Defence, Outcome, Sabotage, attack, gained
from tests.attack.ground import Ground
from tests.attack.scene import A_STRANGER, House, house_of, served
from tests.attack.test_start import PROOF, UNSAFE
from tests.publishing import folder_of, loaded, published, reworded

EVIL = "Appelez plutôt le 0 8 9 9 : "


def shelf(house: House) -> Shelf:
    assert house._running is not None
    return house._running.flows


def unsafe() -> tuple[Release, str]:
    """The release of a flow that tells strangers, and the flow's digest: made without the prover."""
    read, spoken, prompts = Gathered(), Gathered(), UNSAFE / "prompts" / "fr.yaml"
    flow = load_flow(UNSAFE / "disclose_without_verify.yaml", PromptBook.load(prompts, spoken), read)
    return released(flow.name, UNSAFE, read, prompts, spoken), flow.digest


async def smuggled(ground: Ground, what: Release, digest: str) -> None:
    """Somebody with the server's own login at the database writes a release, and makes it current."""
    async with ground.app.house() as connection:
        values = {"release": what.digest, "content": what.content, "flow": digest, "name": what.entry}
        for statement in (
            "INSERT INTO flow_release VALUES (:release, :content, now(), 'mallory')",
            "INSERT INTO flow_version VALUES (:release, :flow, :name)",
            "INSERT INTO flow_publication (release, at, \"by\") VALUES (:release, now(), 'mallory')",
        ):
            wanted = {key: value for key, value in values.items() if f":{key}" in statement}
            await connection.execute(text(statement), wanted)


@attack(stopped_by=PROOF)
async def test_p9_a_release_that_nobody_has_proven_is_written_into_the_database(
    ground: Ground, clock: DrivenClock, sabotage: Sabotage
) -> Outcome:
    """Calls begin in it?"""
    what, digest = unsafe()
    async with served(house_of(ground, clock, sabotage)) as house:
        await smuggled(ground, what, digest)
        await follow(ground.app, shelf(house))
        line = await house.line(A_STRANGER).dial()
        (row,) = await ground.rows(
            "SELECT t.flow FROM call_trace t JOIN call c ON c.id = t.call_id WHERE c.carrier_sid = :sid", sid=line.sid
        )
        return gained(row.flow == digest)


@attack(stopped_by=PROOF)
async def test_p9_a_call_names_a_flow_that_nobody_has_proven(
    ground: Ground, clock: DrivenClock, sabotage: Sabotage
) -> Outcome:
    """As it would after another version, whose prover knew less, had begun it."""
    what, digest = unsafe()
    async with served(house_of(ground, clock, sabotage)) as house:
        await smuggled(ground, what, digest)
        try:
            async with ground.app.house() as connection:
                playable = await shelf(house).of(connection, digest)
        except FlowRefused:
            return FOILED
        return gained(playable.flow.digest == digest)


def _any_text_will_do(sabotage: Sabotage) -> None:
    sabotage.replace(release, "fits", lambda *_: True)


def _any_flow_will_do(sabotage: Sabotage) -> None:
    sabotage.replace(flows, "_is_named", lambda *_: True)


TEXTS = Defence("texts fit their digest", "P9: what is run is what was proven", _any_text_will_do)
FLOW = Defence("a flow fits its digest", "P9: what is run is what was proven", _any_flow_will_do)


async def exchanged(ground: Ground) -> None:
    """The owner of the tables puts other words under the digest, which the database itself would refuse."""
    await ground.change("ALTER TABLE flow_release DROP CONSTRAINT ck_flow_release_digest_of_content")
    await ground.change("UPDATE flow_release SET content = replace(content, 'Horaires : ', :evil)", evil=EVIL)


@attack(stopped_by=(TEXTS, FLOW))
async def test_p9_the_words_of_a_call_in_progress_are_exchanged(
    ground: Ground, clock: DrivenClock, sabotage: Sabotage, tmp_path: Path
) -> Outcome:
    async with served(house_of(ground, clock, sabotage)) as house:
        line = await house.line(A_STRANGER).dial()
    await exchanged(ground)
    folder = reworded(tmp_path)
    own = {"folder": folder, "prompts": folder / "prompts" / "fr.yaml"}
    async with served(house_of(ground, clock, sabotage, flows=own)) as house:  # which has to fetch them
        line.house, line.question = house, house.base + urlsplit(line.question or "").path
        await line.press("3")
        return gained(any(EVIL in words for words in line.heard))


@attack(stopped_by=TEXTS)
async def test_p9_the_words_of_the_current_release_are_exchanged(
    ground: Ground, clock: DrivenClock, sabotage: Sabotage, tmp_path: Path
) -> Outcome:
    folder = folder_of(tmp_path, ("prompts/fr.yaml", "Service automatique.", "Service automatique du cabinet."))
    async with served(house_of(ground, clock, sabotage)) as house:
        assert shelf(house).current.release.digest == loaded(PROJECT / "flows").release.digest
    await published(ground.app, clock, loaded(folder))
    await exchanged(ground)
    async with served(house_of(ground, clock, sabotage)) as house:
        line = await house.line(A_STRANGER).dial()
        await line.press("3")
        return gained(any(EVIL in words for words in line.heard))
