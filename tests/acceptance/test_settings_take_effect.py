"""Settings that only a whole server shows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from callcenter.emulator.client import ControlClient
from callcenter.emulator.outcomes import Differed
from callcenter.emulator.transcript import load_transcript
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom
from callcenter.practice.changing import SettingsDesk
from callcenter.practice.practice_form import Setting
from callcenter.practice.setting_versions import Author, Period
from callcenter.staff.acts import StaffActs
from callcenter.store.schema import APP
from tests.acceptance.stage import IN_HASTE, PARIS, Stage, stage_settings, staged
from tests.acceptance.test_transcripts import FOLDER
from tests.acceptance.test_transcripts_negated import as_written_and_by_no_opposite
from tests.conftest import TODAY, Cluster


async def test_public_words_are_said_by_the_carriers_voice_that_was_chosen(
    cluster: Cluster, database_name: str, keys_file: Path, clock: DrivenClock, random: SeededRandom
) -> None:
    settings = stage_settings(keys_file)
    carrier = settings.carrier.model_copy(update={"voice": "Polly.Remi-Neural"})
    settings = settings.model_copy(update={"carrier": carrier})
    app, jobs = (made(user=APP, database=database_name) for made in (cluster.server.url, cluster.server.dsn))
    async with (
        staged(settings, app, jobs, clock, random, furnished=TODAY) as stage,
        ControlClient(stage.emulator.base_url) as client,
    ):
        sid = await client.start("+33639980001", "+33465710001", "scripted")
        await client.settled(sid)
        answers = [exchange.response_body for exchange in stage.emulator.tape if exchange.kind == "webhook"]
        await client.hang_up(sid)
        await client.closed(sid)
    assert answers
    assert all(b'voice="Polly.Remi-Neural"' in answer for answer in answers)
    assert not any(b"Polly.Lea" in answer for answer in answers)


async def put(stage: Stage, setting: Setting, value: object, ends: datetime | None = None) -> None:
    now = stage.clock.now()
    acts = StaffActs(stage.clock, SeededRandom(7))
    desk = SettingsDesk(stage.running.database, "cabinet-des-tilleuls", Author("anna", now), acts)
    await desk.put(setting, value, Period(now, ends))


async def heard(stage: Stage, *keys: str, before_the_last: Callable[[], Awaitable[None]] | None = None) -> str:
    """What a call hears in all; something may happen before its last key."""
    async with ControlClient(stage.emulator.base_url) as client:
        sid = await client.start("+33639980003", "+33465710001", "scripted")
        await client.settled(sid)
        for key in keys:
            if before_the_last is not None and key is keys[-1]:
                await before_the_last()
            await client.press(sid, key)
            await client.settled(sid)
        words = " ".join(spoken.text for spoken in (await client.settled(sid)).heard)
        await client.hang_up(sid)
        await client.closed(sid)
    return words


async def test_a_changed_setting_is_heard_on_the_next_call_and_not_in_the_one_that_is_under_way(stage: Stage) -> None:
    async def moves() -> None:
        await put(stage, Setting.ADDRESS, "14 rue des Acacias, 69003 Lyon")

    under_way = await heard(stage, "3", before_the_last=moves)
    assert "12 rue des Tilleuls" in under_way
    assert "14 rue des Acacias" not in under_way
    assert "14 rue des Acacias" in await heard(stage, "3")


async def test_the_message_of_the_day_is_said_after_the_emergency_line_until_it_ends(stage: Stage) -> None:
    ends = stage.clock.now() + timedelta(hours=1)
    await put(stage, Setting.MESSAGE_OF_THE_DAY, "Le cabinet a 45 minutes de retard.", ends)
    words = await heard(stage)
    assert words.index("composez le 15") < words.index("45 minutes de retard") < words.index("Rendez-vous, tapez 1")
    _, in_english = (await heard(stage, "5")).split("dial 15")
    assert in_english.index("45 minutes de retard") < in_english.index("Automated service")
    stage.clock.set(ends)
    assert "retard" not in await heard(stage)
    assert "retard" not in await heard(stage, "5")


RECEIVED = {
    "menu": ("Rendez-vous, tapez 1", ""),
    "direct": ("Une personne vous rappellera", "Rendez-vous, tapez 1"),
    "overflow": ("Une personne vous rappellera", "Rendez-vous, tapez 1"),
}


@pytest.mark.parametrize("mode", RECEIVED)
async def test_how_the_service_answers_is_the_practices_choice(stage: Stage, mode: str) -> None:
    if mode != "menu":
        await put(stage, Setting.ANSWER_MODE, mode)
    words = await heard(stage)
    expected, not_expected = RECEIVED[mode]
    assert "composez le 15 ou le 112" in words
    assert expected in words
    assert not not_expected or not_expected not in words


async def test_a_holiday_in_the_calendar_closes_and_names_the_next_opening(stage: Stage) -> None:
    today = stage.clock.now().astimezone(PARIS).date()
    await put(stage, Setting.RECEPTION, [{"answers": "closed", "dates": today.isoformat()}])
    words = await heard(stage)
    assert "Le cabinet est fermé. Prochaine ouverture : demain" in words or "Prochaine ouverture : vendredi" in words
    assert "le docteur Paul Vasseur" in words
    assert words.index("composez le 15") < words.index("Le cabinet est fermé")


#: Calls of a practice that has set something, as they are written below ``transcripts/set``.
SET: dict[str, tuple[Setting, object]] = {
    "answer_mode_direct": (Setting.ANSWER_MODE, "direct"),
    "external_agenda": (Setting.AGENDA, {"external": "https://agenda.example/"}),
    "voice_messages_off": (Setting.VOICE_MESSAGES, "off"),
}


@pytest.mark.parametrize("name", SET)
async def test_without_that_setting_the_call_goes_otherwise(stage: Stage, name: str) -> None:
    script = load_transcript(FOLDER / "set" / f"{name}.yaml")
    assert isinstance(await stage.perform(script, patience=replace(IN_HASTE, ring=2.0)), Differed)


@pytest.mark.parametrize("name", SET)
async def test_a_call_goes_as_the_practice_has_set_and_each_expectation_would_have_been_missed(
    stage: Stage, name: str
) -> None:
    await put(stage, *SET[name])
    await as_written_and_by_no_opposite(stage, FOLDER / "set" / f"{name}.yaml")


def test_every_setting_that_has_a_transcript_is_set() -> None:
    assert {path.stem for path in (FOLDER / "set").glob("*.yaml")} == set(SET)
