"""Record: what a caller says is kept, reported, fetched and deleted as at the carrier."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from callcenter.emulator.audio import length
from callcenter.emulator.outcomes import Differed, Passed
from callcenter.emulator.runner import run
from callcenter.emulator.transcript import load_transcript
from callcenter.emulator.voice import words_in
from callcenter.kernel.clock import DrivenClock
from callcenter.telephony.carrier import CarrierDown
from callcenter.telephony.rest import CarrierSettings, TwilioCarrier
from tests.unit.emulator.bench import ACCOUNT, CALLER, PRACTICE, SECOND, TOKEN, Bench, Form, Reply, bench, twiml

WORDS = "Bonjour, je voudrais décaler mon rendez-vous de mardi"  # 53 characters: 3.8 seconds
EVENTS = 'recordingStatusCallback="/recording" recordingStatusCallbackEvent="in-progress completed absent"'
CALLBACK = f'action="/recorded" {EVENTS}'


def record(attributes: str = CALLBACK) -> str:
    return twiml(f"<Say>après le bip</Say><Record {attributes}/><Say>rien</Say>")


def pages(attributes: str = CALLBACK, **more: Any) -> dict[str, Any]:
    return {"/voice": record(attributes), "/recorded": twiml("<Say>noté</Say>"), "/recording": "", **more}


@asynccontextmanager
async def account(desk: Bench, token: str = TOKEN) -> AsyncIterator[aiohttp.ClientSession]:
    """Plain HTTP at the account's recordings."""
    headers = {"Authorization": aiohttp.encode_basic_auth(ACCOUNT, token)}
    async with aiohttp.ClientSession(f"{desk.emulator.base_url}/2010-04-01/Accounts/{ACCOUNT}/", headers=headers) as s:
        yield s


async def status(session: aiohttp.ClientSession, path: str, method: str = "GET") -> int:
    async with session.request(method, path) as response:
        return response.status


async def left(desk: Bench, words: str = WORDS) -> str:
    """A message is left; the recording's sid."""
    sid = await desk.call()
    await desk.client.speak(sid, words)
    await desk.client.settled(sid)
    await desk.client.press(sid, "#")
    await desk.closed(sid)
    return desk.application.asked("/recorded")[-1]["RecordingSid"]


async def test_a_message_ended_by_a_key() -> None:
    async with bench(pages()) as desk:
        sid = await desk.call()
        state = await desk.get(f"/calls/{sid}")
        assert (state["verb"], state["listens_to_speech"]) == ("Record", True)
        await desk.client.speak(sid, WORDS)
        await desk.client.settled(sid)
        assert await desk.client.press(sid, "#") == "#"
        assert await desk.words(sid) == ["après le bip", "[bip]", "noté"]
        await desk.closed(sid)
        (asked,) = desk.application.asked("/recorded")
        url = f"{desk.emulator.base_url}/2010-04-01/Accounts/{ACCOUNT}/Recordings/{asked['RecordingSid']}"
        assert (asked["RecordingUrl"], asked["RecordingDuration"], asked["Digits"]) == (url, "4", "#")
        assert (asked["CallSid"], asked["CallStatus"]) == (sid, "in-progress")
        first, second = desk.application.asked("/recording")
        assert (first["RecordingStatus"], second["RecordingStatus"]) == ("in-progress", "completed")
        told = {"AccountSid": ACCOUNT, "CallSid": sid, "RecordingUrl": url, "RecordingSid": asked["RecordingSid"],
                "RecordingDuration": "4", "RecordingChannels": "1", "RecordingSource": "RecordVerb",
                "RecordingTrack": "inbound", "ErrorCode": "0"}  # fmt: skip
        assert told.items() <= second.items()
        assert "GMT" in second["RecordingStartTime"] or "+0000" in second["RecordingStartTime"]


async def test_a_message_ended_by_silence() -> None:
    async with bench(pages(f'{CALLBACK} timeout="4"')) as desk:
        sid = await desk.call()
        await desk.client.advance(sid, 3)  # thinking
        await desk.client.settled(sid)
        await desk.client.speak(sid, WORDS)
        await desk.client.settled(sid)
        await desk.client.advance(sid, 3.9)
        await desk.client.settled(sid)
        assert desk.application.asked("/recorded") == []
        await desk.client.speak(sid, "à jeudi")
        await desk.client.settled(sid)
        await desk.client.advance(sid, 4)
        await desk.closed(sid)
        (asked,) = desk.application.asked("/recorded")
        assert (asked["RecordingDuration"], "Digits" in asked) == ("8", False)  # 53 and 7 characters, 3.9 s between
        (listed,) = (await desk.get("/recordings"))["recordings"]
        assert (listed["text"], listed["call"], listed["status"]) == (f"{WORDS} à jeudi", sid, "completed")


async def test_a_message_as_long_as_is_allowed() -> None:
    async with bench(pages(f'{CALLBACK} maxLength="2" trim="do-not-trim"')) as desk:
        sid = await desk.call()
        await desk.client.speak(sid, WORDS)
        await desk.closed(sid)
        assert desk.application.asked("/recorded")[0]["RecordingDuration"] == "2"
        (listed,) = (await desk.get("/recordings"))["recordings"]
        assert (listed["text"], listed["seconds"]) == (WORDS[:28], 2.0)


async def test_without_trimming_silence_is_kept() -> None:
    async with bench(pages(f'{CALLBACK} trim="do-not-trim"')) as desk:
        sid = await desk.call()
        await desk.client.speak(sid, WORDS)
        await desk.client.settled(sid)
        await desk.client.advance(sid, 5)
        await desk.closed(sid)
        assert desk.application.asked("/recorded")[0]["RecordingDuration"] == "9"


async def test_silence_falls_to_the_next_verb_and_leaves_nothing() -> None:
    async with bench(pages()) as desk, account(desk) as session:
        sid = await desk.call()
        await desk.client.advance(sid, 5)
        assert await desk.words(sid) == ["après le bip", "[bip]", "rien"]
        await desk.closed(sid)
        assert desk.application.asked("/recorded") == []
        told = desk.application.asked("/recording")
        assert [form["RecordingStatus"] for form in told] == ["in-progress", "absent"]
        assert await status(session, f"Recordings/{told[0]['RecordingSid']}.wav") == 404


async def test_a_key_without_a_word_falls_to_the_next_verb_too() -> None:
    async with bench(pages()) as desk:
        sid = await desk.call()
        await desk.client.press(sid, "#")
        assert (await desk.words(sid))[-1] == "rien"
        assert desk.application.asked("/recorded") == []


async def test_hanging_up_ends_it_and_the_action_is_still_asked_before_the_end_is_told() -> None:
    async with bench(pages()) as desk, account(desk) as session:
        sid = await desk.call()
        await desk.client.speak(sid, WORDS)
        await desk.client.settled(sid)
        await desk.client.hang_up(sid)
        state = await desk.closed(sid)
        assert "noté" not in [heard["text"] for heard in state["heard"]]
        (asked,) = desk.application.asked("/recorded")
        assert (asked["Digits"], asked["CallStatus"], asked["RecordingDuration"]) == ("hangup", "completed", "4")
        paths = [path for _, path, _ in desk.application.requests]
        assert paths.index("/recorded") < paths.index("/status")
        assert desk.application.asked("/recording")[-1]["RecordingStatus"] == "completed"
        assert await status(session, f"Recordings/{asked['RecordingSid']}.wav") == 200


async def test_hanging_up_without_a_word_leaves_nothing() -> None:
    async with bench(pages()) as desk:
        sid = await desk.call()
        await desk.client.hang_up(sid)
        await desk.closed(sid)
        assert desk.application.asked("/recorded") == []
        assert desk.application.asked("/recording")[-1]["RecordingStatus"] == "absent"


async def test_an_action_that_fails_once_the_caller_has_left_is_an_alert_and_the_recording_is_kept() -> None:
    async with bench(pages(**{"/recorded": Reply(status=500)})) as desk:
        sid = await desk.call()
        await desk.client.speak(sid, WORDS)
        await desk.client.settled(sid)
        await desk.client.hang_up(sid)
        state = await desk.closed(sid)
        assert [alert["code"] for alert in state["alerts"]] == [11200]
        assert (await desk.get("/recordings"))["recordings"][0]["status"] == "completed"


async def test_the_file_is_not_there_yet_when_the_action_is_asked() -> None:
    seen: list[int] = []

    async with bench(pages()) as desk, account(desk) as session:

        async def early(form: Form) -> str:
            seen.append(await status(session, f"Recordings/{form['RecordingSid']}.wav"))
            async with session.get(f"Recordings/{form['RecordingSid']}.json") as response:
                assert (await response.json())["status"] == "processing"
            return twiml("<Say>noté</Say>")

        desk.application.pages["/recorded"] = early
        recording = await left(desk)
        assert [*seen, await status(session, f"Recordings/{recording}.wav")] == [404, 200]


async def test_only_the_keys_that_were_named_end_it_and_there_may_be_no_beep() -> None:
    async with bench(pages(f'{CALLBACK} finishOnKey="*" playBeep="false"')) as desk:
        sid = await desk.call()
        await desk.client.speak(sid, WORDS)
        await desk.client.settled(sid)
        assert await desk.client.press(sid, "1#") == ""
        assert await desk.client.press(sid, "*") == "*"
        assert await desk.words(sid) == ["après le bip", "noté"]


async def test_no_limit_of_silence() -> None:
    async with bench(pages(f'{CALLBACK} timeout="0" maxLength="60"')) as desk:
        sid = await desk.call()
        await desk.client.advance(sid, 59)
        assert (await desk.client.settled(sid)).activity == "waiting"
        await desk.client.advance(sid, 1)
        assert (await desk.words(sid))[-1] == "rien"


async def test_only_completed_is_told_if_nothing_else_was_asked_and_nothing_without_a_callback() -> None:
    async with bench(pages('action="/recorded" recordingStatusCallback="/recording"')) as desk:
        await left(desk)
        assert [form["RecordingStatus"] for form in desk.application.asked("/recording")] == ["completed"]
        desk.application.pages["/voice"] = record('action="/recorded"')
        await left(desk)
        assert len(desk.application.asked("/recording")) == 1


async def test_without_action_the_same_document_is_asked_again() -> None:
    async with bench({"/voice": [record(""), twiml("<Say>encore</Say>")]}) as desk:
        sid = await desk.call()
        await desk.client.speak(sid, WORDS)
        await desk.client.settled(sid)
        await desk.client.press(sid, "1")
        assert (await desk.words(sid))[-1] == "encore"
        assert desk.application.asked("/voice")[1]["Digits"] == "1"


@pytest.mark.parametrize("attribute", ['finishOnKey="A"', 'trim="both"', 'timeout="x"', 'playBeep="yes"', 'colour="b"'])
async def test_what_is_wrong_is_warned_about_and_the_default_used(attribute: str) -> None:
    async with bench(pages(f"{CALLBACK} {attribute}")) as desk:
        sid = await desk.call()
        assert [alert["code"] for alert in (await desk.get(f"/calls/{sid}"))["alerts"]] == [12200]
        await desk.client.speak(sid, WORDS)
        await desk.client.settled(sid)
        await desk.client.press(sid, "#")
        assert (await desk.words(sid))[-1] == "noté"


async def test_a_person_who_was_put_through_to_a_number_of_ours_leaves_a_message_there() -> None:
    inner = {f"/voice-{SECOND[1:]}": record(), "/dialled": twiml("<Say>suite</Say>")}
    async with bench(
        pages(**{"/voice": twiml(f'<Dial action="/dialled">{SECOND}</Dial>'), **inner}), served=(SECOND,)
    ) as desk:
        sid = await desk.call()
        await desk.client.speak(sid, WORDS)
        await desk.client.settled(sid)
        await desk.client.press(sid, "#")
        assert (await desk.words(sid))[-2:] == ["noté", "suite"]
        assert (await desk.get("/recordings"))["recordings"][0]["text"] == WORDS


# --- over REST


async def test_the_sound_is_what_was_said() -> None:
    async with bench(pages()) as desk, account(desk) as session:
        recording = await left(desk)
        for suffix in (".wav", ""):
            async with session.get(f"Recordings/{recording}{suffix}") as response:
                sound = await response.read()
                assert (response.status, response.content_type) == (200, "audio/x-wav")
                assert words_in(sound) == WORDS
                assert length(sound) == pytest.approx(len(WORDS) / 14, abs=0.01)
        assert await status(session, f"Recordings/{recording}.mp3") == 415


async def test_nobody_hears_it_without_the_accounts_credentials() -> None:
    async with bench(pages()) as desk, account(desk, "wrong") as stranger:
        recording = await left(desk)
        for path in (f"{recording}.wav", recording, f"{recording}.json"):
            assert await status(stranger, f"Recordings/{path}") == 401
        assert await status(stranger, f"Recordings/{recording}.json", "DELETE") == 401
        assert (await desk.get("/recordings"))["recordings"][0]["deleted"] is False


async def test_recordings_are_described_and_listed_by_call() -> None:
    async with bench(pages()) as desk, account(desk) as session:
        first, second = await left(desk), await left(desk, "autre chose")
        call = (await desk.get("/recordings"))["recordings"][1]["call"]
        async with session.get(f"Recordings/{second}.json") as response:
            body = await response.json()
        assert (body["call_sid"], body["status"], body["duration"], body["channels"]) == (call, "completed", "1", 1)
        for path, expected in (
            ("Recordings.json", [second, first]),
            (f"Recordings.json?CallSid={call}", [second]),
            (f"Calls/{call}/Recordings.json", [second]),
        ):
            async with session.get(path) as response:
                assert [one["sid"] for one in (await response.json())["recordings"]] == expected
        assert await status(session, f"Calls/{call}/Recordings/{first}.json") == 404
        assert await status(session, f"Calls/{call}/Recordings/{second}.json") == 200


async def test_recordings_are_listed_by_date() -> None:
    clock = DrivenClock(datetime(2026, 3, 9, 23, 30, tzinfo=UTC))
    async with bench(pages(), clock=clock) as desk, account(desk) as session:
        first = await left(desk)
        clock.set(datetime(2026, 3, 10, 8, tzinfo=UTC))
        second = await left(desk)
        for query, expected in (
            ({"DateCreated": "2026-03-09"}, [first]),
            ({"DateCreated>": "2026-03-09"}, [second, first]),
            ({"DateCreated>": "2026-03-10"}, [second]),
            ({"DateCreated>": "2026-03-10T00:00:00Z"}, [second]),
            ({"DateCreated<": "2026-03-10T00:00:00Z"}, [first]),
            ({"DateCreated>": "2026-03-09T23:00:00Z", "DateCreated<": "2026-03-10T07:59:59Z"}, [first]),
            ({"DateCreated>": "2026-03-11"}, []),
        ):
            async with session.get("Recordings.json", params=query) as response:
                assert [one["sid"] for one in (await response.json())["recordings"]] == expected, query
        for bad in ("yesterday", "2026-02-30", "2026-03-10T08:00:00", ""):
            async with session.get("Recordings.json", params={"DateCreated<": bad}) as response:
                assert (response.status, (await response.json())["code"]) == (400, 20001), bad


async def test_the_sdk_lists_them_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """As our own carrier asks: finished ones alone, between two moments, on as many pages as there are."""
    monkeypatch.setattr("callcenter.telephony.rest.RECORDINGS_PER_PAGE", 1)
    clock = DrivenClock(datetime(2026, 3, 9, 23, 30, tzinfo=UTC))
    async with bench(pages(), clock=clock) as desk:
        first = await left(desk)
        clock.set(datetime(2026, 3, 10, 8, tzinfo=UTC))
        second, third = await left(desk), await left(desk)
        speaking = await desk.call()
        await desk.client.speak(speaking, WORDS)
        settings = CarrierSettings(
            ACCOUNT, ACCOUNT, TOKEN, "+33757000000", "https://voix.example.fr/status", base_url=desk.emulator.base_url
        )
        async with TwilioCarrier(settings) as carrier:

            async def listed(after: datetime, before: datetime) -> list[str]:
                return [one.recording_sid for one in await carrier.recordings(after, before)]

            now, day = clock.now(), timedelta(days=1)
            assert await listed(now - day, now + day) == [third, second, first]
            assert await listed(now - timedelta(hours=1), now + day) == [third, second]
            assert await listed(now - day, now - timedelta(hours=1)) == [first]
            (one,) = await carrier.recordings(now - day, now - timedelta(hours=1))
            assert (one.seconds, one.begun_at.date()) == (4, date(2026, 3, 9))
            monkeypatch.setattr("callcenter.telephony.rest.MOST_PAGES", 2)
            with capture_logs() as logs:
                assert await listed(now - day, now + day) == [third]
            assert [entry["event"] for entry in logs] == ["recordings_not_all_listed"]
        async with TwilioCarrier(replace(settings, password="wrong")) as stranger:
            with pytest.raises(CarrierDown):
                await stranger.recordings(now - day, now)


async def test_a_recording_that_was_deleted_is_gone() -> None:
    async with bench(pages()) as desk, account(desk) as session:
        recording = await left(desk)
        assert await status(session, f"Recordings/{recording}.json", "DELETE") == 204
        for path in (f"{recording}.wav", f"{recording}.json"):
            assert await status(session, f"Recordings/{path}") == 404
        assert await status(session, f"Recordings/{recording}.json", "DELETE") == 404
        async with session.get("Recordings.json") as response:
            assert (await response.json())["recordings"] == []
        (kept,) = (await desk.get("/recordings"))["recordings"]
        assert (kept["sid"], kept["deleted"]) == (recording, True)


async def test_deletion_and_fetches_fail_so_many_times_or_for_ever() -> None:
    async with bench(pages()) as desk, account(desk) as session:
        recording = await left(desk)
        sound, itself = f"Recordings/{recording}.wav", f"Recordings/{recording}.json"
        await desk.post("/recordings/failures", {"of": "media", "status": 503, "count": 2})
        assert [await status(session, sound) for _ in range(3)] == [503, 503, 200]
        await desk.post("/recordings/failures", {"of": "deletion", "status": 500, "for_ever": True})
        assert [await status(session, itself, "DELETE") for _ in range(5)] == [500] * 5
        assert await status(session, sound) == 200
        await desk.ask("DELETE", "/recordings/failures?of=deletion")
        assert await status(session, itself, "DELETE") == 204


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"of": "everything"}, "media, deletion"),
        ({"status": 200}, "from 400 to 599"),
        ({"count": 2, "for_ever": True}, "exclude each other"),
        ({"for_ever": "yes"}, "true or false"),
        ({"colour": 1}, "unknown: colour"),
    ],
)
async def test_failures_that_cannot_be_set_up(body: object, words: str) -> None:
    async with bench(pages()) as desk:
        answer = await desk.post("/recordings/failures", body)
        assert (answer["http"], words in answer["error"]) == (400, True)


# --- in a transcript

SCRIPT = f"""\
title: un message
call: {{from: "{CALLER}", to: "{PRACTICE}"}}
steps:
  - hears: "bip"
  - says: "{WORDS}"
"""


@pytest.mark.parametrize("end", ['presses: "#"', "waits: 5"])
async def test_a_transcript_speaks_a_message(tmp_path: Path, end: str) -> None:
    file = tmp_path / "appel.yaml"
    file.write_text(f'{SCRIPT}  - {end}\n  - hears: "noté"\n  - ended: true\n', encoding="utf-8")
    async with bench(pages()) as desk:
        outcome = await run(load_transcript(file), base_url=desk.emulator.base_url)
        assert isinstance(outcome, Passed), str(outcome)
        assert (await desk.get("/recordings"))["recordings"][0]["text"] == WORDS
        desk.application.pages["/voice"] = twiml("<Say>bip</Say>")
        outcome = await run(load_transcript(file), base_url=desk.emulator.base_url)
        assert isinstance(outcome, Differed)
        assert outcome.step == 2


async def test_a_transcript_hangs_up_on_a_message(tmp_path: Path) -> None:
    file = tmp_path / "appel.yaml"
    file.write_text(f"{SCRIPT}  - hangs_up: true\n", encoding="utf-8")
    async with bench(pages()) as desk:
        outcome = await run(load_transcript(file), base_url=desk.emulator.base_url)
        assert isinstance(outcome, Passed), str(outcome)
        assert desk.application.asked("/recorded")[0]["Digits"] == "hangup"


async def test_live_a_message_takes_its_time_and_a_key_cuts_it_short() -> None:
    async with bench(pages(f'{CALLBACK} playBeep="false"', **{"/voice": twiml(f"<Record {CALLBACK}/>")})) as desk:
        sid = await desk.call(pace="live")
        await desk.client.settled(sid)
        await desk.client.speak(sid, WORDS * 50)
        await desk.client.press(sid, "#")
        await desk.closed(sid)
        (kept,) = (await desk.get("/recordings"))["recordings"]
        assert (len(kept["text"]) < len(WORDS * 50), desk.application.asked("/recorded")[0]["Digits"]) == (True, "#")
