"""A softphone without a browser: a token, a WebSocket, and what the emulator says over it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import VoiceGrant

from tests.unit.emulator.bench import ACCOUNT, Bench

KEY, SECRET = "SK" + "1" * 32, "un secret de trente-deux octets !"
DESK = "AP" + "d" * 32
#: A description as short as one may be: the emulator passes it on without reading it.
SDP = "v=0\r\n"


def token(
    identity: str = "op_7",
    *,
    incoming: bool = False,
    application: str | None = DESK,
    secret: str = SECRET,
    account: str = ACCOUNT,
    seconds: int = 600,
    parameters: Mapping[str, str] | None = None,
    nbf: int | None = None,
    at: float | None = None,
) -> str:
    """A token as an application makes it with the carrier's own library, now or at another second since 1970."""
    now = int(time.time() if at is None else at)
    grant = VoiceGrant(
        incoming_allow=incoming or None,
        outgoing_application_sid=application,
        outgoing_application_params=dict(parameters or {}),
    )
    made = AccessToken(account, KEY, secret, [grant], identity=identity, nbf=now - 1 if nbf is None else nbf,
                       valid_until=now + seconds)  # fmt: skip
    return str(made.to_jwt())


class Softphone:
    """An open WebSocket.

    Arguments:
        socket: the connection.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.links: dict[str, list[dict[str, Any]]] = {}
        self._told: list[dict[str, Any]] = []

    async def say(self, kind: str, **more: object) -> None:
        """Send a message."""
        await self.socket.send_json({"type": kind, **more})

    async def told(self, kind: str, **wanted: object) -> dict[str, Any]:
        """The next message of this kind that holds these; others wait for their turn."""
        async with asyncio.timeout(10):
            while True:
                for message in self._told:
                    if message["type"] == kind and wanted.items() <= message.items():
                        self._told.remove(message)
                        return message
                await self._receive()

    async def linked(self, call: str, *, sends: bool | None = None, hears: bool | None = None) -> list[dict[str, Any]]:
        """The links of a call, once there is one and all are so; with neither, once there is none."""
        wanted = {name: value for name, value in (("sends", sends), ("hears", hears)) if value is not None}
        async with asyncio.timeout(10):
            while True:
                links = self.links.get(call, [])
                if all(wanted.items() <= link.items() for link in links) and bool(links) is bool(wanted):
                    return links
                await self._receive()

    async def call(self, **parameters: str) -> str:
        """Call the application; the leg's sid, once it is open."""
        await self.say("connect", parameters=parameters)
        sid = str((await self.told("calling"))["call"])
        await self.told("call", call=sid, state="open")
        return sid

    async def closed(self) -> int:
        """Wait until it is put off; the code that it is told."""
        async with asyncio.timeout(10):
            with suppress(ConnectionError):
                while True:
                    await self._receive()
        return self.socket.close_code or 0

    async def lose(self) -> None:
        """Cut the connection without a word."""
        transport = self.socket._response.connection.transport
        transport.abort()
        await asyncio.sleep(0)

    async def _receive(self) -> None:
        message = await self.socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise ConnectionError(f"put off with {self.socket.close_code}: {self._told}")
        told = message.json()
        if told["type"] == "sound":
            self.links[told["call"]] = told["links"]
        self._told.append(told)


@asynccontextmanager
async def connected(
    desk: Bench, path: str = "/softphone", origin: str | None = "http://localhost:8081"
) -> AsyncIterator[Softphone]:
    """A WebSocket over which nothing has been said yet."""
    headers = {"Origin": origin} if origin is not None else {}
    address = desk.emulator.base_url + path
    async with aiohttp.ClientSession() as session, session.ws_connect(address, headers=headers) as socket:
        yield Softphone(socket)


@asynccontextmanager
async def softphone(desk: Bench, given: str | None = None, **options: Any) -> AsyncIterator[Softphone]:
    """A softphone that a token has opened."""
    async with connected(desk) as phone:
        await phone.say("open", token=token(**options) if given is None else given)
        await phone.told("opened")
        yield phone
