"""What the telephones' page reads of the emulator: files, stream, exchanges, sounds; and who may read them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from callcenter.emulator import Emulator, EmulatorSettings, NamedNumber, NumberSettings
from callcenter.emulator.client import ControlClient
from tests.unit.emulator.bench import ACCOUNT, CALLER, PRACTICE, TOKEN, Bench, Reply, bench, twiml, wav

SOUND = wav(0.5)
MENU = twiml('<Gather action="/next" numDigits="1"><Say language="fr-FR">tapez</Say><Play>/audio/a.wav</Play></Gather>')
PAGES = {
    "/voice": MENU,
    "/next": twiml("<Say>merci</Say><Hangup/>"),
    "/audio/a.wav": Reply(SOUND, content_type="audio/wav"),
}


async def exchanges(desk: Bench, sid: str, query: str = "") -> list[dict[str, Any]]:
    return list((await desk.get(f"/calls/{sid}/exchanges{query}"))["exchanges"])


@asynccontextmanager
async def fetched(desk: Bench, path: str, **options: Any) -> AsyncIterator[aiohttp.ClientResponse]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(desk.emulator.base_url + path, **options) as response,
    ):
        yield response


async def test_a_calls_exchanges_are_told_with_parameters_and_document_and_no_other_calls() -> None:
    async with bench(PAGES) as desk:
        sid = await desk.call()
        other = await desk.call()
        await desk.client.press(sid, "7")
        await desk.closed(sid)
        told = await exchanges(desk, sid)
        assert [(one["kind"], one["method"], one["status"]) for one in told] == [
            ("webhook", "POST", 200),
            ("audio", "GET", 200),
            ("webhook", "POST", 200),
            ("status", "POST", 204),
        ]
        assert [one["number"] for one in told] == [1, 2, 3, 4]
        assert ["Digits", "7"] in told[2]["parameters"]
        assert ["CallSid", sid] in told[0]["parameters"]
        assert told[2]["url"].endswith("/next")
        assert all(one["seconds"] >= 0 for one in told)
        assert "X-Twilio-Signature" in dict(told[0]["request_headers"])
        assert len(await exchanges(desk, other)) == 2
        assert [one["number"] for one in await exchanges(desk, sid, "?after=3")] == [4]


async def test_a_document_is_told_as_it_came_and_as_a_tree() -> None:
    async with bench(PAGES) as desk:
        first, audio = (await exchanges(desk, await desk.call()))[:2]
        assert first["body"] == MENU
        assert first["document"] == {
            "name": "Response",
            "attributes": [],
            "content": [
                {
                    "name": "Gather",
                    "attributes": [["action", "/next"], ["numDigits", "1"]],
                    "content": [
                        {"name": "Say", "attributes": [["language", "fr-FR"]], "content": ["tapez"]},
                        {"name": "Play", "attributes": [], "content": ["/audio/a.wav"]},
                    ],
                }
            ],
        }
        assert (audio["body"], audio["document"], audio["size"]) == (None, None, len(SOUND))


@pytest.mark.parametrize(
    "body", ["<Response><Say>", "no document", "", "<a>" * 100 + "</a>" * 100], ids=["cut", "text", "empty", "deep"]
)
async def test_what_is_no_document_is_told_as_it_came_only(body: str) -> None:
    async with bench({"/voice": body}) as desk:
        sid = await desk.call()
        await desk.closed(sid)
        (first, *_) = await exchanges(desk, sid)
        assert (first["body"], first["document"]) == (body, None)


async def test_an_answer_that_never_came_is_told_as_that() -> None:
    async with bench({"/voice": twiml("<Redirect>http://127.0.0.1:9/nobody</Redirect>")}) as desk:
        sid = await desk.call()
        await desk.closed(sid)
        failed = (await exchanges(desk, sid))[1]
        assert failed["status"] is None
        assert "ClientConnectorError" in failed["error"]


async def test_a_sound_is_given_as_it_was_heard_then() -> None:
    sounds = [Reply(wav(0.1), content_type="audio/wav"), Reply(wav(0.2), content_type="audio/wav")]
    pages = {**PAGES, "/next": twiml("<Play>/audio/a.wav</Play><Gather/>"), "/audio/a.wav": sounds}
    async with bench(pages) as desk:
        sid = await desk.call()
        await desk.client.press(sid, "1")
        await desk.client.settled(sid)
        heard = (await desk.get(f"/calls/{sid}"))["heard"]
        assert [one["kind"] for one in heard] == ["say", "play", "play"]
        for place, expected in ((1, wav(0.1)), (2, wav(0.2))):
            async with fetched(desk, f"/emulator/calls/{sid}/sounds/{place}") as response:
                assert (response.status, response.content_type) == (200, "audio/wav")
                assert response.headers["Cache-Control"] == "no-store"
                assert await response.read() == expected


@pytest.mark.parametrize("place", ["0", "9", "-1", "x", "²"])
async def test_where_no_sound_was_heard_there_is_none(place: str) -> None:
    async with bench(PAGES) as desk:
        answer = await desk.get(f"/calls/{await desk.call()}/sounds/{place}")
        assert (answer["http"], '"heard"' in answer["error"]) == (404, True)


@pytest.mark.parametrize("path", ["/calls/CAnone/exchanges", "/calls/CAnone/sounds/0"])
async def test_a_call_that_is_not_there_has_no_history(path: str) -> None:
    async with bench(PAGES) as desk:
        answer = await desk.get(path)
        assert (answer["http"], "no such call" in answer["error"]) == (404, True)


async def test_a_call_tells_which_language_it_speaks_and_what_was_entered_when() -> None:
    async with bench(PAGES) as desk:
        sid = await desk.call()
        await desk.client.press(sid, "12")
        state = await desk.closed(sid)
        assert [heard["language"] for heard in state["heard"]] == ["fr-FR", "", ""]
        assert [{name: one[name] for name in ("kind", "text", "after", "taken")} for one in state["entered"]] == [
            {"kind": "keys", "text": "1", "after": 2, "taken": True},
            {"kind": "keys", "text": "2", "after": 2, "taken": False},
        ]


class Stream:
    """The events that a page is sent."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def next(self) -> tuple[str, dict[str, Any]]:
        lines: dict[str, str] = {}
        while True:
            line = (await self._response.content.readline()).decode().rstrip("\n")
            if not line and "event" in lines:
                return lines["event"], json.loads(lines["data"])
            name, _, value = line.partition(": ")
            lines[name] = value

    async def until(self, name: str, reached: Any) -> dict[str, Any]:
        """The first event of a name that tells what is looked for."""
        while True:
            event, data = await self.next()
            if event == name and reached(data):
                return data


async def test_the_stream_tells_all_that_is_then_only_what_is_new() -> None:
    async with bench(PAGES) as desk, fetched(desk, "/emulator/events") as response:
        assert response.content_type == "text/event-stream"
        stream = Stream(response)
        assert await stream.next() == ("snapshot", {"calls": [], "messages": [], "mails": [], "ringing": []})
        sid = await desk.call()
        first = await stream.until("call", lambda call: call["heard_count"] == 2 and call["activity"] == "waiting")
        assert first["sid"] == sid
        await desk.client.press(sid, "1")
        told = [await stream.until("call", lambda call: call["entered"])]
        while told[-1]["activity"] != "ended":  # in one event or in several: each thing is told once
            told.append(await stream.until("call", lambda _: True))
        assert [heard["text"] for event in told for heard in event["heard"]] == ["merci"]
        assert [entered["text"] for event in told for entered in event["entered"]] == ["1"]
        assert (told[0]["heard_from"], told[0]["entered_from"]) == (2, 0)
        async with fetched(desk, "/emulator/events") as again:
            _, snapshot = await Stream(again).next()
            assert [len(call["heard"]) for call in snapshot["calls"]] == [3]


async def test_the_stream_tells_of_messages_and_of_telephones_that_ring() -> None:
    pages = {"/voice": twiml("<Dial>+33465710090</Dial>")}
    async with bench(pages) as desk, fetched(desk, "/emulator/events") as response:
        stream = Stream(response)
        await stream.next()
        await desk.call()
        (ringing,) = (await stream.until("ringing", lambda data: data["ringing"]))["ringing"]
        assert ringing["number"] == "+33465710090"
        form = {"From": PRACTICE, "To": CALLER, "Body": "bonjour"}
        headers = {"Authorization": aiohttp.encode_basic_auth(ACCOUNT, TOKEN)}
        url = f"{desk.emulator.base_url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
        async with aiohttp.ClientSession() as session, session.post(url, data=form, headers=headers) as sent:
            assert sent.status == 201
        message = await stream.until("message", lambda _: True)
        assert (message["to"], message["body"]) == (CALLER, "bonjour")
        await desk.client.answer(ringing["sid"])
        assert (await stream.until("ringing", lambda _: True))["ringing"] == []


async def test_the_emulator_ends_at_once_though_a_page_is_open() -> None:
    async with bench(PAGES) as desk, fetched(desk, "/emulator/events") as response:
        await Stream(response).next()
        await desk.emulator.stop()
        assert await response.content.read() == b""


async def test_the_page_and_its_files_come_with_a_policy_that_lets_nothing_else_in() -> None:
    async with bench(PAGES) as desk:
        for path, kind in (("/", "text/html"), ("/page/app.js", "text/javascript"), ("/page/base.css", "text/css")):
            async with fetched(desk, path) as response:
                assert (response.status, response.content_type) == (200, kind)
                policy = response.headers["Content-Security-Policy"].split("; ")
                assert "default-src 'self'" in policy
                assert "require-trusted-types-for 'script'" in policy
                assert not any("unsafe" in rule for rule in policy)
                tag = response.headers["ETag"]
            async with fetched(desk, path, headers={"If-None-Match": tag}) as response:
                assert (response.status, await response.read()) == (304, b"")


@pytest.mark.parametrize("name", ["nothing.js", "__init__.py", "..%2Fpage.py", "%2e%2e%2fpage.py"])
async def test_there_is_no_other_file(name: str) -> None:
    async with bench(PAGES) as desk:
        url = aiohttp.client.URL(f"{desk.emulator.base_url}/page/{name}", encoded=True)
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            assert response.status == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:8090"}, 200),
        ({"Host": "[::1]:8090"}, 200),
        ({"Host": "emulator.example.org"}, 403),
        ({"Origin": "https://example.org"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "127.0.0.1:8090", "Origin": "http://127.0.0.1:8090"}, 200),
        ({"Host": "127.0.0.1:8090", "Origin": "http://127.0.0.1:8091"}, 403),
    ],
)
async def test_no_other_sites_page_may_use_the_emulator(headers: dict[str, str], status: int) -> None:
    async with bench(PAGES) as desk:
        for path in ("/", "/emulator/calls", "/emulator/messages"):
            async with fetched(desk, path, headers=headers) as response:
                assert response.status == status
                if status == 403:
                    assert "emulator" in (await response.json())["error"]


async def test_the_page_is_told_names_and_whether_there_are_mails() -> None:
    settings = EmulatorSettings(
        ACCOUNT, TOKEN, NumberSettings("http://127.0.0.1:9/"), port=0,
        telephones=(NamedNumber(CALLER, "Jeanne", "tapez 1"),), lines=(NamedNumber(PRACTICE, "Le cabinet"),),
    )  # fmt: skip
    emulator = Emulator(settings)
    await emulator.start()
    try:
        async with ControlClient(emulator.base_url) as client:
            told = await client._get("/presets", {})
    finally:
        await emulator.stop()
    assert told["telephones"] == [{"number": CALLER, "name": "Jeanne", "hint": "tapez 1"}]
    assert told["lines"] == [{"number": PRACTICE, "name": "Le cabinet", "hint": ""}]
    assert told["mails"] is False
