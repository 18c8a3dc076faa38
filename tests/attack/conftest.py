"""What attacks are tried on. ``sabotage`` comes first: a defence is off before anything that it would defend starts."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.demo import seed
from callcenter.practice.slot_references import reference_index
from callcenter.practice.voice_messages import Sound, VoiceMessages
from callcenter.store.keys import create_keys
from tests.attack.defence import Sabotage, Standing
from tests.attack.extract_cases import plant_extract
from tests.attack.ground import Ground, ground_on
from tests.attack.repositories import (
    ask_for_outreach,
    furnish_outreach,
    plant_call_in_progress,
    plant_callback,
    plant_glass,
    plant_notice,
    plant_reason,
    plant_releases,
)
from tests.attack.scene import A_STRANGER, CARD, FIRST_VISIT, START, TILLEULS, House, Line, house_of, served
from tests.attack.script_cases import plant_script
from tests.conftest import TEMPLATE, Cluster

PEOPLE, TOLD = "attacked_people", "attacked_told"


@pytest.fixture
def sabotage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Sabotage:
    """The defences that the test's case leaves out are off."""
    standing: Standing = request.param
    sabotage = Sabotage(monkeypatch, standing=tuple(defence.name for defence in standing.left))
    for defence in standing.off:
        defence.off(sabotage)
    return sabotage


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock(START)


@pytest.fixture(scope="session")
def keys_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("attacked") / "keys.json"
    create_keys(path, SystemRandom())
    return path


@pytest.fixture(scope="session")
async def people(cluster: Cluster, keys_file: Path) -> AsyncIterator[str]:
    """Name of a database with the demonstration's people, to be copied."""
    async with ground_on(cluster, TEMPLATE, PEOPLE, keys_file) as ground:
        await seed(ground.app, ground.sealer, DrivenClock(START), SystemRandom())
    yield PEOPLE
    await cluster.drop(PEOPLE)


@pytest.fixture(scope="session")
async def told(cluster: Cluster, people: str, keys_file: Path) -> AsyncIterator[str]:
    """Name of a database in which Jeanne has been verified, has heard her appointment and has left a message;
    her telephone has been reached, and is about to be, for somebody who asked for it."""
    clock = DrivenClock(START)
    with pytest.MonkeyPatch.context() as patch:
        async with (
            ground_on(cluster, people, TOLD, keys_file) as ground,
            served(house_of(ground, clock, Sabotage(patch))) as house,
        ):
            await jeannes_call(house)
            await ask_for_outreach(ground, clock.now())
            await plant_callback(ground, clock.now())
            await plant_reason(ground, clock.now())
            await plant_script(ground, clock.now())
            await plant_extract(ground, clock.now())
            await plant_releases(ground, clock.now())
            await plant_glass(ground, clock.now())
            await plant_notice(ground, clock.now())
            await plant_call_in_progress(ground, clock.now())
    yield TOLD
    await cluster.drop(TOLD)


async def jeannes_call(house: House) -> Line:
    """Calls that leave a row in every table about patients, but of what is done about her telephone afterwards.

    Returns the one in which she proves who she is.
    """
    await strangers_calls(house)
    line = await house.line().dial()
    await line.claim()
    await line.guess_wrong()
    await line.press(await line.code(), "1", "0", "4", "1#")
    await line.hang_up()
    await jeannes_messages(house)
    return line


async def jeannes_messages(house: House) -> None:
    """Two messages that she speaks: the sound of one is here, that of the other still at the carrier."""
    voices = VoiceMessages(house.ground.sealer)
    for kept in (True, False):
        line = await house.line().dial()
        await line.press("2", "1")
        sid = await line.speak()
        await line.hang_up()
        async with house.ground.app.practice(TILLEULS) as tx:
            voice = await voices.of_recording(tx, sid)
            assert voice is not None
            if kept:
                await voices.keep(tx, voice, Sound(b"RIFF what Jeanne said", "audio/wav"), house.clock.now())


async def strangers_calls(house: House) -> None:
    """Two slots of Dr Moreau are taken, one booked and one held; a reference is guessed at; Jeanne has a card."""
    card = reference_index(house.ground.sealer, TILLEULS, CARD)
    printed = "UPDATE appointment SET reference_index = :card WHERE id = :id"
    await house.ground.change(printed, card=card, id=FIRST_VISIT)
    guessing = await house.line(A_STRANGER).dial()
    await guessing.press("1", "3", "00000000")
    await guessing.hang_up()
    booking = await house.line(A_STRANGER).dial()
    await booking.press("1", "2", "1", "1", "1", "01021985", "1#")
    await booking.hang_up()
    holding = await house.line(A_STRANGER).dial()
    await holding.press("1", "2", "1", "1")
    await holding.hang_up()


_numbers = itertools.count(1)


@pytest.fixture
async def ground(cluster: Cluster, people: str, keys_file: Path, sabotage: Sabotage) -> AsyncIterator[Ground]:
    """A database of one's own, with the demonstration's people."""
    name = f"attacked_{next(_numbers)}"
    async with ground_on(cluster, people, name, keys_file, sabotage.statements) as ground:
        yield ground
    await cluster.drop(name)


@pytest.fixture
async def told_ground(cluster: Cluster, told: str, keys_file: Path, sabotage: Sabotage) -> AsyncIterator[Ground]:
    """A database of one's own, in which Jeanne's call has taken place."""
    name = f"attacked_{next(_numbers)}"
    async with ground_on(cluster, told, name, keys_file, sabotage.statements) as ground:
        await furnish_outreach(ground, DrivenClock(START))
        yield ground
    await cluster.drop(name)


@pytest.fixture
async def house(ground: Ground, clock: DrivenClock, sabotage: Sabotage) -> AsyncIterator[House]:
    """The server, running."""
    async with served(house_of(ground, clock, sabotage)) as house:
        yield house
