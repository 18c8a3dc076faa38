"""HTTP/1.1 as a light load generator speaks it: signed requests as bytes, over connections that are kept.

A full client costs more than the bare server that it would measure.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self, cast
from urllib.parse import urlencode

from callcenter.emulator.signature import HEADER, sign

#: Longer than any step may take; a request that takes it is a failed one.
PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class Received:
    """A whole response."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Site:
    """A server, and how requests to it are made.

    Arguments:
        port: on 127.0.0.1.
        token: signs every POST, as the carrier's auth token does.
    """

    port: int
    token: str

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        return f"http://{self.host}"

    def post(self, target: str, form: Mapping[str, str]) -> bytes:
        """A signed webhook."""
        body = urlencode(form).encode()
        head = (
            f"POST {target} HTTP/1.1\r\nHost: {self.host}\r\n"
            "User-Agent: TwilioProxy/1.1\r\nAccept: */*\r\n"
            "Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n"
            f"{HEADER}: {sign(self.token, self.base_url + target, form.items())}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def get(self, target: str) -> bytes:
        """A fetch of a sound."""
        return f"GET {target} HTTP/1.1\r\nHost: {self.host}\r\nUser-Agent: TwilioProxy/1.1\r\n\r\n".encode()


class Line(asyncio.Protocol):
    """One kept connection, with one request at a time on it."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Received] | None = None
        self._buffer = bytearray()
        self._bodiless = False

    @classmethod
    async def to(cls, site: Site) -> Self:
        """Connect."""
        _, line = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", site.port)
        return line

    async def ask(self, request: bytes) -> Received:
        """Send a request and wait for the whole response.

        Raises:
            ConnectionError: the server closed before it had answered.
            TimeoutError: it did not answer.
        """
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError("the connection is closed")
        self._waiting = asyncio.get_running_loop().create_future()
        self._bodiless = request.startswith(b"HEAD ")
        self._buffer.clear()
        self._transport.write(request)
        return await asyncio.wait_for(self._waiting, PATIENCE)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 or self._waiting is None or self._waiting.done():
            return
        head = bytes(self._buffer[:end]).lower()
        _, found, rest = head.partition(b"content-length:")
        length = 0 if self._bodiless or not found else int(rest.partition(b"\r\n")[0])
        if len(self._buffer) >= end + 4 + length:
            body = bytes(self._buffer[end + 4 : end + 4 + length])
            self._waiting.set_result(Received(int(head[9:12]), body))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(exc or ConnectionResetError("the server closed the connection"))


class Lines:
    """The kept connections to one server: as many as are asked for at once."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._free: list[Line] = []

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Line]:
        """A connection for one request; one on which something went wrong is not used again."""
        line = self._free.pop() if self._free else await Line.to(self._site)
        try:
            yield line
        except BaseException:
            line.close()
            raise
        self._free.append(line)

    def close(self) -> None:
        """Close them all."""
        while self._free:
            self._free.pop().close()
