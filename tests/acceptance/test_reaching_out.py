"""What is done at the telephone on file for whoever asks: within bounds, and in the same words beyond them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest

from callcenter.calls.outreach import ASKED_BY_CALLER, REACHED
from callcenter.emulator.client import ControlClient
from callcenter.flow.language import ReachKind
from callcenter.practice.practice_form import Setting
from tests.acceptance.on_the_line import BORN, JEANNE, calling
from tests.acceptance.outreach import change, outside, paris, put, records
from tests.acceptance.stage import Stage

LANDLINE, EMILES_BIRTHDAY, NOBODYS_BIRTHDAY = "+33465710099", "02111948", "02111949"
NOON = paris(2026, 11, 26, 12, 0)
CODE = re.compile(r"\d \d \d \d")


async def reminder_wanted(stage: Stage) -> str:
    """« Renvoyer le rappel », from Jeanne's mobile; what she hears."""
    async with calling(stage) as line:
        return await line.press("1", "4", BORN)


async def return_call_wanted(stage: Stage, birthday: str = EMILES_BIRTHDAY) -> str:
    """A return call to Émile's landline, asked for from there; what is heard, without the code."""
    async with calling(stage, LANDLINE) as line:
        return CODE.sub("code", await line.press("1", "5", birthday))


async def rings(stage: Stage) -> bool:
    """Whether the landline rings, once nothing more is to be done."""
    await stage.messages_sent()
    async with ControlClient(stage.emulator.base_url) as client:
        legs = await client.ringing(LANDLINE, 0)
        for leg in legs:
            await client.hang_up(leg.sid)
    return bool(legs)


async def why_not(stage: Stage) -> list[str]:
    """The reasons on record for which nothing was done."""
    return [str(record["reason"]) for record in await records(stage, "outreach.not_done")]


# --- a reminder again


async def test_a_second_reminder_of_the_day_is_the_same_words_and_no_text(stage: Stage) -> None:
    await stage.furnish(NOON)
    async with outside(stage) as seen:
        first, after_first = await reminder_wanted(stage), len(await seen.texts(JEANNE))
        stage.clock.advance(timedelta(hours=23).total_seconds())
        second, after_second = await reminder_wanted(stage), len(await seen.texts(JEANNE))
        assert (first, after_first, after_second) == (second, REACHED[ReachKind.REMINDER], 1)
        assert await why_not(stage) == ["too_often"]
        stage.clock.advance(timedelta(hours=2).total_seconds())
        await reminder_wanted(stage)
        assert len(await seen.texts(JEANNE)) == 2


async def test_sp07_a_restricted_contact_is_sent_nothing_and_hears_the_same_words(stage: Stage) -> None:
    await stage.furnish(NOON)
    async with outside(stage) as seen:
        heard = await reminder_wanted(stage)
        await change(stage, "DELETE FROM outreach")
        await change(stage, "UPDATE patient SET contact_restricted = true WHERE external_id = 'jeanne-martin-duval'")
        before = len(await seen.texts(JEANNE))
        assert (await reminder_wanted(stage), len(await seen.texts(JEANNE))) == (heard, before)
    refused = [one["reason"] for one in await records(stage, "disclosure") if one["decision"] == "refused"]
    assert refused == ["contact_restricted"]


# --- a return call


async def test_sp07_the_line_of_a_restricted_contact_does_not_ring(stage: Stage) -> None:
    await stage.furnish(NOON)
    heard = await return_call_wanted(stage)
    assert await rings(stage)
    await change(stage, "UPDATE patient SET contact_restricted = true WHERE external_id = 'emile-dangelo-le-goeff'")
    assert await return_call_wanted(stage) == heard
    assert (await rings(stage), await why_not(stage)) == (False, ["restricted"])


@pytest.mark.parametrize(
    ("moment", "rung"),
    [
        (paris(2026, 11, 26, 7, 50), False),
        (paris(2026, 11, 26, 8, 0), True),
        (paris(2026, 11, 26, 19, 50), True),
        (paris(2026, 11, 26, 20, 0), False),
    ],
)
async def test_ou04_no_line_rings_by_night(stage: Stage, moment: datetime, rung: bool) -> None:
    await stage.furnish(moment)
    await return_call_wanted(stage)
    assert await rings(stage) is rung
    assert await why_not(stage) == ([] if rung else ["hours"])


async def test_one_calling_number_asks_five_times_a_day(stage: Stage) -> None:
    """For nobody's birth date, so that neither the patient's nor the line's own bound is reached."""
    await stage.furnish(NOON)
    for _ in range(ASKED_BY_CALLER):
        await return_call_wanted(stage, NOBODYS_BIRTHDAY)
    assert (await rings(stage), await why_not(stage)) == (False, ["nobody"] * ASKED_BY_CALLER)
    stage.clock.advance(1)
    await return_call_wanted(stage)
    assert (await rings(stage), (await why_not(stage)).count("too_often")) == (False, 1)
    stage.clock.advance(timedelta(hours=24).total_seconds())
    await return_call_wanted(stage)
    assert await rings(stage)


async def test_a_line_of_the_practices_own_does_not_ring(stage: Stage) -> None:
    """It is on file of a patient who works there, say: a call to it would be one to ourselves, or to colleagues."""
    await stage.furnish(NOON)
    await put(stage, Setting.OTHER_LINES, [LANDLINE])
    async with calling(stage, "anonymous") as line:
        await line.press("1", "5", EMILES_BIRTHDAY, f"0{LANDLINE.removeprefix('+33')}")
    assert (await rings(stage), await why_not(stage)) == (False, ["not_ours_to_ring"])


async def test_a_line_that_nobody_answers_rings_once(stage: Stage) -> None:
    await stage.furnish(NOON)
    await return_call_wanted(stage)
    assert await rings(stage)
    assert not await rings(stage)
    assert len(await records(stage, "outreach.rings")) == 1
