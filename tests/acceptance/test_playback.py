"""Whether what was told was heard, and how often its sound can be had: by a carrier that does not do as it should."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qsl

import aiohttp
import pytest
from aiohttp import web

from callcenter.calls.audio import AudioShelf
from callcenter.calls.steps import Steps
from callcenter.emulator.signature import HEADER, sign
from callcenter.emulator.tape import Exchange
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom
from callcenter.practice.changing import NothingToChange, SettingsDesk
from callcenter.practice.practice_form import Setting
from callcenter.practice.setting_versions import Author, Period
from callcenter.speech.voices import SilentVoice, VoiceUnavailable
from callcenter.staff.acts import StaffActs
from callcenter.store.database import DatabaseDown
from callcenter.store.schema import APP
from callcenter.telephony import audio
from tests.acceptance.on_the_line import OnTheLine, calling
from tests.acceptance.stage import Stage, stage_settings, staged
from tests.conftest import Cluster


class FrailVoice(SilentVoice):
    """A voice that can be broken."""

    broken = False

    async def synthesise(self, text: str, language: str = "fr", speed: float = 1.0) -> bytes:
        if self.broken:
            raise VoiceUnavailable("its process is gone")
        return await super().synthesise(text, language, speed)


@pytest.fixture
def voice() -> FrailVoice:
    return FrailVoice()


@pytest.fixture
async def stage(
    cluster: Cluster, database_name: str, keys_file: Path, clock: DrivenClock, random: SeededRandom, voice: FrailVoice
) -> AsyncIterator[Stage]:
    app, jobs = (made(user=APP, database=database_name) for made in (cluster.server.url, cluster.server.dsn))
    async with staged(stage_settings(keys_file), app, jobs, clock, random, voice) as stage:
        yield stage


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=True)) as session:
        yield session


def sends_break_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the connection is lost after some of the sound."""
    real = audio._send

    async def torn(request: web.Request, response: web.StreamResponse, sound: bytes) -> None:
        await real(request, response, sound[:100])
        assert request.transport is not None
        request.transport.abort()
        raise ConnectionResetError

    monkeypatch.setattr(audio, "_send", torn)


async def goes_on(line: OnTheLine, http: aiohttp.ClientSession) -> None:
    """The carrier asks for what follows the sound, whatever became of it."""
    settings = line.stage.running.settings
    bodies = [exchange.response_body.decode() for exchange in line.stage.emulator.tape if exchange.kind == "webhook"]
    (url,) = re.findall(r"<Play>.*<Redirect[^>]*>([^<]*)<", next(body for body in bodies if "<Play>" in body))
    fields = {"CallSid": line.sid, "CallStatus": "in-progress"}
    proof = sign(settings.carrier.auth_tokens[0].get_secret_value(), url, tuple(fields.items()))
    async with http.post(url, data=fields, headers={HEADER: proof}) as answer:
        assert answer.status == 200
        assert b"<Gather" in await answer.read()


async def outcome(line: OnTheLine) -> str:
    """How the sound was heard, as the call's records have it."""
    return str((await line.told())[-1]["playback"])


async def set_voice(stage: Stage, voice: str) -> None:
    """Let the practice's next call hear words about a patient by this voice."""
    now = stage.clock.now()
    desk = SettingsDesk(
        stage.running.database, "cabinet-des-tilleuls", Author("anna", now), StaffActs(stage.clock, SeededRandom(5))
    )
    with suppress(NothingToChange):
        await desk.put(Setting.VOICE, voice, Period(now))


async def test_a_sound_that_was_fetched_whole_and_waited_for_was_heard_in_full(stage: Stage) -> None:
    async with calling(stage) as line:
        await line.verify()
        await line.press("1")
        assert await outcome(line) == "full"


@pytest.mark.parametrize("carrier_goes_on", [True, False])
async def test_a_voice_that_is_broken_delivers_nothing(
    stage: Stage, voice: FrailVoice, http: aiohttp.ClientSession, carrier_goes_on: bool
) -> None:
    async with calling(stage) as line:
        await line.verify()
        voice.broken = True
        await line.press("1")
        if carrier_goes_on:
            await goes_on(line, http)
        await line.hang_up()
        assert await outcome(line) == "not_delivered"
        assert await line.records("disclosure.redelivered") == []


@pytest.mark.parametrize(("carrier_goes_on", "heard"), [(True, "unknown"), (False, "interrupted")])
async def test_a_sound_that_broke_off_was_not_heard_in_full(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, http: aiohttp.ClientSession, carrier_goes_on: bool, heard: str
) -> None:
    async with calling(stage) as line:
        await line.verify()
        sends_break_off(monkeypatch)
        await line.press("1")
        if carrier_goes_on:
            await goes_on(line, http)
        await line.hang_up()
        assert await outcome(line) == heard


async def test_a_last_byte_that_is_lost_takes_the_note_of_completeness_back(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, http: aiohttp.ClientSession
) -> None:
    async with calling(stage) as line:
        await line.verify()
        real = web.StreamResponse.write_eof

        async def lost(response: web.StreamResponse, data: bytes = b"") -> None:
            if response.content_type == "audio/wav":
                raise ConnectionResetError
            await real(response, data)

        monkeypatch.setattr(web.StreamResponse, "write_eof", lost)
        await line.press("1")
        monkeypatch.undo()
        await goes_on(line, http)
        assert await outcome(line) == "unknown"


@pytest.mark.parametrize(("reached", "heard"), [(True, "full"), (False, "unknown")])
async def test_the_carriers_voice_does_not_tell_how_far_it_came(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, reached: bool, heard: str
) -> None:
    async def fails(*_: object) -> None:
        raise DatabaseDown

    await set_voice(stage, "carrier")
    async with calling(stage) as line:
        await line.verify()
        if not reached:
            monkeypatch.setattr(Steps, "_go_on", fails)
        assert "14 heures 30" in await line.press("1")
        await line.hang_up()
        assert await outcome(line) == heard


async def statuses(http: aiohttp.ClientSession, url: str, times: int) -> list[int]:
    """What as many fetches at once are answered."""

    async def one() -> int:
        async with http.get(url) as answer:
            await answer.read()
            return answer.status

    return sorted(await asyncio.gather(*(one() for _ in range(times))))


async def test_a_sound_is_fetched_whole_three_times_at_most_also_side_by_side(
    stage: Stage, http: aiohttp.ClientSession
) -> None:
    async with calling(stage) as line:
        await line.verify()
        await line.press("1")
        (url,) = line.sounds()
        assert await statuses(http, url, 10) == [200] * 2 + [404] * 8
        assert len(await line.records("disclosure.redelivered")) == 2


async def test_a_fetch_that_broke_off_gives_its_place_back_but_is_on_record(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, http: aiohttp.ClientSession
) -> None:
    async with calling(stage) as line:
        await line.verify()
        with monkeypatch.context() as broken:
            sends_break_off(broken)
            await line.press("1")
        (url,) = set(line.sounds())
        assert await statuses(http, url, 10) == [200] * 3 + [404] * 7
        assert len(await line.records("disclosure.redelivered")) == 3


async def test_fetches_that_break_off_again_and_again_end(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, http: aiohttp.ClientSession
) -> None:
    async with calling(stage) as line:
        await line.verify()
        sends_break_off(monkeypatch)
        await line.press("1")
        (url,) = set(line.sounds())
        for _ in range(8):
            with pytest.raises(aiohttp.ClientError):
                await statuses(http, url, 1)
        assert await statuses(http, url, 1) == [404]


async def test_a_process_that_died_keeps_its_places_as_long_as_the_address_lives(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, http: aiohttp.ClientSession
) -> None:
    async with calling(stage) as line:
        await line.verify()

        async def died(*_: object) -> None:
            """Before it could tell how the fetch ended."""

        monkeypatch.setattr(AudioShelf, "_end", died)
        await line.press("1")
        (url,) = line.sounds()
        assert await statuses(http, url, 2) == [200, 200]
        assert await statuses(http, url, 1) == [404]
        stage.clock.advance(5 * 60)
        assert await statuses(http, url, 1) == [404]


async def again(stage: Stage, http: aiohttp.ClientSession, asked: Exchange) -> bytes:
    """A webhook as it was recorded, sent once more."""
    fields = parse_qsl(asked.request_body.decode(), keep_blank_values=True)
    async with http.post(asked.url, data=fields, headers={HEADER: asked.request_headers[HEADER]}) as answer:
        assert answer.status == 200
        return await answer.read()


@pytest.mark.parametrize(("voice_of", "times"), [("carrier", 2), ("local", 0)])
async def test_p1_words_in_an_answer_that_is_repeated_are_on_record_each_time(
    stage: Stage, http: aiohttp.ClientSession, voice_of: str, times: int
) -> None:
    await set_voice(stage, voice_of)
    async with calling(stage) as line:
        await line.verify()
        await line.press("1")
        webhooks = [exchange for exchange in stage.emulator.tape if exchange.kind == "webhook"]
        before = await line.records()
        (told,) = [exchange for exchange in webhooks if b"<Redirect" in exchange.response_body]
        assert (b"14 heures 30" in told.response_body) == (voice_of == "carrier")
        for _ in range(2):
            assert await again(stage, http, told) == told.response_body
        after = await line.records()
        assert after[: len(before)] == before
        assert [record["event"] for record in after[len(before) :]] == ["disclosure.redelivered"] * times
        (disclosure,) = [record["id"] for record in before if "D03" in record.get("categories", ())]
        assert {record["of"] for record in after[len(before) :]} <= {disclosure}


async def test_p1_a_late_webhook_that_is_led_back_to_words_puts_them_on_record_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, http: aiohttp.ClientSession
) -> None:
    async def fails(*_: object) -> None:
        raise DatabaseDown

    await set_voice(stage, "carrier")
    async with calling(stage) as line:
        await line.verify()
        with monkeypatch.context() as broken:
            broken.setattr(Steps, "_go_on", fails)
            await line.press("1")
        first = next(exchange for exchange in stage.emulator.tape if b"Digits=1&" in exchange.request_body + b"&")
        late = dataclasses.replace(first, request_body=first.request_body.replace(b"Digits=1", b"Digits=3"))
        fields = tuple(parse_qsl(late.request_body.decode(), keep_blank_values=True))
        token = stage.running.settings.carrier.auth_tokens[0].get_secret_value()
        async with http.post(late.url, data=fields, headers={HEADER: sign(token, late.url, fields)}) as answer:
            assert "14 heures 30" in await answer.text()
        assert [record["event"] for record in await line.records()][-2:] == ["webhook.late", "disclosure.redelivered"]


async def test_p4_the_stream_of_a_call_goes_on_behind_its_end(stage: Stage, http: aiohttp.ClientSession) -> None:
    async with calling(stage) as line:
        await line.verify()
        await line.press("1")
        await line.hang_up()
        assert await statuses(http, line.sounds()[0], 1) == [200]
        records = await line.records()
    assert [record["event"] for record in records[-2:]] == ["call.ended", "disclosure.redelivered"]
    assert [record["seq"] for record in records] == list(range(len(records)))
    assert "records" not in records[-2]  # its place in the stream says how many came before; nothing says « the last »
