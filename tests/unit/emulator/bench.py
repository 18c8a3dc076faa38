"""A small application, an emulator in front of it, and a hand on the control interface, for the emulator's tests."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from callcenter.emulator import CallClock, Emulator, EmulatorSettings, NumberSettings
from callcenter.emulator.client import ControlClient
from callcenter.emulator.tape import Exchange

ACCOUNT = "AC" + "0" * 31 + "1"
TOKEN = "a token of tests"
CALLER = "+33639980001"
PRACTICE = "+33465710001"
SECOND = "+33472000000"


@dataclass(frozen=True)
class Reply:
    """What the application answers."""

    body: bytes | str = b""
    status: int = 200
    content_type: str = "text/xml"
    headers: Mapping[str, str] = field(default_factory=dict)


Form = Mapping[str, str]
Page = str | Reply | Callable[[Form], "str | Reply | Awaitable[str | Reply]"]


class Application:
    """Answers each path with its page; of a list of pages with the next one, the last for ever."""

    def __init__(self, pages: Mapping[str, Page | list[Page]]) -> None:
        self.pages = dict(pages)
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.unsigned: list[str] = []
        self.base_url = ""

    async def handle(self, request: web.Request) -> web.Response:
        form = await request.post()
        fields = {name: str(value) for name, value in (form or request.query).items()}
        self.requests.append((request.method, request.path, fields))
        if not request.path.startswith(("/audio", "/captions")):
            signature = request.headers.get("X-Twilio-Signature", "")
            if not RequestValidator(TOKEN).validate(self.base_url + request.path_qs, form, signature):
                self.unsigned.append(request.path_qs)
        page = self.pages.get(request.path, Reply(status=404))
        if isinstance(page, list):
            page = page.pop(0) if len(page) > 1 else page[0]
        if callable(page):
            page = page(fields)
            if not isinstance(page, str | Reply):
                page = await page
        reply = page if isinstance(page, Reply) else Reply(page)
        body = reply.body.encode() if isinstance(reply.body, str) else reply.body
        headers = {"Content-Type": reply.content_type, **reply.headers}
        return web.Response(status=reply.status, body=body, headers=headers)

    def asked(self, path: str) -> list[dict[str, str]]:
        """The fields of every request for a path."""
        return [fields for _, where, fields in self.requests if where == path]


class Bench:
    """The application, the emulator, a client, and JSON by hand."""

    def __init__(self, application: Application, emulator: Emulator, client: ControlClient) -> None:
        self.application = application
        self.emulator = emulator
        self.client = client

    async def call(self, called: str = PRACTICE, *, caller: str = CALLER, pace: str = "scripted") -> str:
        """Start a call and let it settle; its sid."""
        sid = await self.client.start(caller, called, "live" if pace == "live" else "scripted")
        if pace == "scripted":
            await self.client.settled(sid)
        return sid

    async def words(self, sid: str) -> list[str]:
        """What was heard once the call has settled."""
        return [heard.text for heard in (await self.client.settled(sid)).heard]

    async def closed(self, sid: str) -> dict[str, Any]:
        """The call once it is over and reported."""
        state = await self.get(f"/calls/{sid}?until=closed&wait=10")
        assert state["activity"] == "ended"
        return state

    async def get(self, path: str) -> dict[str, Any]:
        return await self.ask("GET", path)

    async def post(self, path: str, body: object) -> dict[str, Any]:
        return await self.ask("POST", path, json=body)

    async def ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """Ask the control interface; the answer with its status."""
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, f"{self.emulator.base_url}/emulator{path}", **options) as response,
        ):
            return dict(await response.json()) | {"http": response.status}

    def tape(self, kind: str) -> list[Exchange]:
        return [exchange for exchange in self.emulator.tape if exchange.kind == kind]


@asynccontextmanager
async def bench(
    pages: Mapping[str, Page | list[Page]],
    *,
    clock: CallClock | None = None,
    fallback: str | None = None,
    voice: str = "/voice",
    captions: str | None = None,
    served: tuple[str, ...] = (),
    senders: tuple[str, ...] = (),
    messaging: str | None = None,
    minds_stop: bool = False,
    smtp: int | None = None,
    api_keys: Mapping[str, str] | None = None,
    applications: Mapping[str, str] | None = None,
) -> AsyncIterator[Bench]:
    """An emulator whose numbers lead to a small application; every webhook's signature is checked by Twilio's SDK."""
    application = Application({"/status": Reply(status=204), **pages})
    server = web.Application()
    server.add_routes([web.route("*", "/{path:.*}", application.handle)])
    runner = web.AppRunner(server, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = application.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    number = NumberSettings(
        base + voice, base + fallback if fallback else None, base + "/status", base + messaging if messaging else None
    )
    numbers = {called: NumberSettings(f"{base}/voice-{called[1:]}") for called in served}
    settings = EmulatorSettings(
        ACCOUNT, TOKEN, number, numbers, port=0, captions_url=base + captions if captions else None,
        senders=frozenset(senders), minds_stop=minds_stop, smtp_port=smtp, api_keys=api_keys or {},
        applications={
            sid: NumberSettings(base + path, base + fallback if fallback else None, base + "/status")
            for sid, path in (applications or {}).items()
        },
    )  # fmt: skip
    emulator = Emulator(settings, clock)
    await emulator.start()
    try:
        async with ControlClient(emulator.base_url) as client:
            yield Bench(application, emulator, client)
    finally:
        await emulator.stop()
        await runner.cleanup()
    assert application.unsigned == []


def twiml(inside: str) -> str:
    """A document around some verbs."""
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{inside}</Response>'


def wav(seconds: float, rate: int = 8000) -> bytes:
    """A silent WAV file, mono, 16 bits."""
    data = b"\0\0" * round(seconds * rate)
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16,
                       b"data", len(data))  # fmt: skip
    return head + data


@asynccontextmanager
async def sdk(desk: Bench, token: str = TOKEN, account: str = ACCOUNT) -> AsyncIterator[Client]:
    """The real SDK, pointed at the emulator."""
    http = AsyncTwilioHttpClient()
    client = Client(account, token, http_client=http, environment={"_": ""})
    client.api.base_url = desk.emulator.base_url
    try:
        yield client
    finally:
        await http.close()


async def until(check: Any) -> None:
    """Wait for something that happens by itself."""
    async with asyncio.timeout(10):
        while not check():
            await asyncio.sleep(0.01)


async def telephone(desk: Bench, page: str, number: str) -> str:
    """A telephone that the application rings, that answers, and that runs a page; its sid."""
    async with sdk(desk) as client:
        order = await client.calls.create_async(to=number, from_=PRACTICE, url=desk.application.base_url + page)
    (leg,) = await desk.client.ringing(number, 5)
    assert order.sid == leg.sid
    await desk.client.answer(leg.sid)
    await desk.client.settled(leg.sid)
    return leg.sid


async def hears(desk: Bench, sid: str) -> list[str]:
    """The legs that one hears, once it has settled."""
    await desk.client.settled(sid)
    found = (await desk.get(f"/calls/{sid}"))["hears"]
    assert isinstance(found, list)
    return found
