"""OB-03: three codes a call; five wrong codes about one patient in 24 hours, over however many calls. Past a limit no
code is sent and none is right, and the caller hears nothing of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom
from callcenter.store.schema import APP
from tests.acceptance.caller import JEANNE, calling
from tests.acceptance.stage import Stage, stage_settings, staged
from tests.conftest import TODAY, Cluster

CLAIM = ("1", "1", "14031962")
VERIFIED, TRY_AGAIN, FAILED = "entendre tranquillement", "Je n'ai pas pu vérifier", "La vérification n'a pas abouti"


def another(code: str) -> str:
    """A code that is not ``code``."""
    return f"{(int(code) + 1) % 10**6:06}"


async def wrong_codes(stage: Stage, count: int) -> None:
    """A call in which so many wrong codes are typed, at most three."""
    async with calling(stage, JEANNE) as caller:
        await caller.does(*CLAIM)
        (code,) = await caller.codes(JEANNE)
        heard = [await caller.does(another(code)) for _ in range(count)]
        assert [FAILED if FAILED in words else TRY_AGAIN for words in heard] == [TRY_AGAIN, TRY_AGAIN, FAILED][:count]


async def test_after_five_wrong_codes_in_two_calls_the_right_code_is_not_right(stage: Stage) -> None:
    await wrong_codes(stage, 3)
    async with calling(stage, JEANNE) as caller:
        await caller.does(*CLAIM)
        (code,) = await caller.codes(JEANNE)
        assert TRY_AGAIN in await caller.does(another(code))
        assert TRY_AGAIN in await caller.does(another(code))
        assert FAILED in await caller.does(code)


async def test_after_four_wrong_codes_the_right_code_is_still_right(stage: Stage) -> None:
    await wrong_codes(stage, 3)
    async with calling(stage, JEANNE) as caller:
        await caller.does(*CLAIM)
        (code,) = await caller.codes(JEANNE)
        assert TRY_AGAIN in await caller.does(another(code))
        assert VERIFIED in await caller.does(code)


async def test_after_five_wrong_codes_no_code_is_sent_for_a_day_and_the_words_are_the_same(stage: Stage) -> None:
    await wrong_codes(stage, 3)
    async with calling(stage, JEANNE) as second:
        await second.does(*CLAIM)
        (code,) = await second.codes(JEANNE)
        await second.does(another(code), another(code))
    for hours in (1, 23):
        stage.clock.set(TODAY + timedelta(hours=hours))
        async with calling(stage, JEANNE) as barred:
            await barred.does(*CLAIM, another(code), another(code))
            assert await barred.codes(JEANNE) == []
        assert barred.heard == second.heard


async def test_a_day_after_the_last_of_five_wrong_codes_a_code_is_sent_and_right(stage: Stage) -> None:
    await wrong_codes(stage, 3)
    await wrong_codes(stage, 2)
    await stage.furnish(TODAY + timedelta(hours=24, minutes=10))
    async with calling(stage, JEANNE) as caller:
        await caller.does(*CLAIM)
        (code,) = await caller.codes(JEANNE)
        assert VERIFIED in await caller.does(code)


async def test_five_wrong_codes_about_one_patient_are_none_about_another(stage: Stage) -> None:
    await wrong_codes(stage, 3)
    await wrong_codes(stage, 2)
    async with calling(stage, "+33639980002") as caller:
        await caller.does("1", "1", "17091984")
        (code,) = await caller.codes("+33639980002")
        assert VERIFIED in await caller.does(code)


async def test_a_call_gets_three_codes_then_a_person(
    cluster: Cluster, database_name: str, keys_file: Path, clock: DrivenClock, random: SeededRandom
) -> None:
    franck, claim = "+33639980102", ("1", "1", "20091976")  # without an appointment: verified, he is back at the menu
    settings = stage_settings(keys_file, verification={"evidence_minutes": 1})  # a call is too short for the usual ten
    app, jobs = (made(user=APP, database=database_name) for made in (cluster.server.url, cluster.server.dsn))
    async with (
        staged(settings, app, jobs, clock, random, furnished=TODAY) as stage,
        calling(stage, franck) as caller,
    ):
        for number in (1, 2, 3):
            await caller.does(*claim)
            codes = await caller.codes(franck)
            assert len(codes) == number
            assert "pas de rendez-vous à venir" in await caller.does(codes[-1])
            if number == 1:  # what was proved still stands; a call is too short to look each time
                assert "pas de rendez-vous à venir" in await caller.does("1", "1")
            stage.clock.advance(60)  # and now it does not
        heard = await caller.does(*claim)
        assert heard.startswith(FAILED)
        assert "Une personne vous rappellera" in heard
        assert len(await caller.codes(franck)) == 3
