"""WebSockets of pages, within bounds: how many there are, what one may send and how fast, how much waits for it.

A message is a JSON object with a ``type``. What is wrong with one is answered with an ``error`` and changes nothing; a
page that goes beyond the bounds is put off.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Literal, Protocol

import structlog
from aiohttp import WebSocketError, WSCloseCode, WSMsgType, web

from callcenter.emulator.errors import Refusal
from callcenter.emulator.reading import Body
from callcenter.emulator.timeline import Changes

log = structlog.get_logger(__name__)

HEARTBEAT = 10.0  # seconds; a page that has not answered half of that later is lost
LARGEST = 32 * 1024  # bytes of a message: a description of sound has some thousand
MOST = 64  # pages together
BURST, PACE = 400, 100.0  # messages at once, and for long a second: a page that joins ten others sends some dozens
MOST_WAITING = 2000  # messages that a page has not read yet
TOGETHER = 0.02  # seconds in which changes are gathered: a call changes several times at every step

MALFORMED = 31100  # Malformed request: what the carrier's softphones are told of such

Message = Mapping[str, object]
Departure = Literal["left", "put off", "lost"]


class Fault(Refusal):
    """What a page is refused, with the carrier's code.

    Arguments:
        code: the carrier's error code.
        message: what is wrong.
    """

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        super().__init__(message)


class Line:
    """The way to one page: messages go in their order, and nobody waits for a page that does not read them.

    ``ended`` is set once it is to be put off.
    """

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[Message | None] = asyncio.Queue(MOST_WAITING)
        self._socket = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=LARGEST, compress=False)
        self._reason = ""
        self.ended = False

    def tell(self, message: Message) -> None:
        """Send something; nothing once it has ended."""
        if self.ended:
            return
        if self._waiting.full():
            self.end("this page does not read what it is told")
        else:
            self._waiting.put_nowait(message)

    def refuse(self, code: int, message: str, **more: object) -> None:
        """Send an error."""
        self.tell({"type": "error", "code": code, "message": message, **more})

    def end(self, reason: str = "") -> None:
        """Put the page off, once it has been sent what waits for it."""
        if self.ended:
            return
        self.ended, self._reason = True, reason
        if self._waiting.full():
            self._waiting.get_nowait()
        self._waiting.put_nowait(None)

    async def open(self, request: web.Request) -> web.WebSocketResponse:
        """Become a WebSocket."""
        await self._socket.prepare(request)
        return self._socket

    async def write(self) -> None:
        """Send what waits, until the end."""
        while (message := await self._waiting.get()) is not None:
            await self._socket.send_str(json.dumps(message))
        code = WSCloseCode.POLICY_VIOLATION if self._reason else WSCloseCode.GOING_AWAY
        await self._socket.close(code=code, message=self._reason.encode()[:120], drain=False)


class Session(Protocol):
    """What a page does over its WebSocket."""

    def take(self, kind: str, body: Body) -> None:
        """A message has come.

        Raises:
            Refusal: it is refused.
        """

    def gone(self, how: Departure) -> None:
        """It left by itself, was put off, or was lost without a word."""


class Sockets:
    """All WebSockets of pages, whatever they do."""

    def __init__(self) -> None:
        self._lines: set[Line] = set()

    async def serve(self, request: web.Request, begin: Callable[[Line], Session]) -> web.StreamResponse:
        """Serve one until it is gone.

        Arguments:
            begin: makes what the page does.
        """
        if len(self._lines) >= MOST:
            return web.json_response({"error": f"{MOST} pages are connected: close some"}, status=503)
        line = Line()
        self._lines.add(line)
        how: Departure = "lost"
        try:
            socket = await line.open(request)
            writer = asyncio.ensure_future(line.write())
            session = begin(line)
            try:
                how = await _listen(socket, line, session)
            finally:
                writer.cancel()
                await asyncio.gather(writer, return_exceptions=True)
                session.gone(how)
        finally:
            self._lines.discard(line)
        return socket

    async def end(self, _: web.Application) -> None:
        """Put every page off: the emulator stops."""
        for line in self._lines:
            line.end()


async def _listen(socket: web.WebSocketResponse, line: Line, session: Session) -> Departure:
    loop = asyncio.get_running_loop()
    left, at = float(BURST), loop.time()
    while True:
        message = await socket.receive()
        if message.type is WSMsgType.CLOSE:
            return "left"
        if message.type is not WSMsgType.TEXT:
            # Put off by us for what it sent (bytes, too much), or by end(); otherwise gone without a word.
            ours = message.type is WSMsgType.BINARY or isinstance(message.data, WebSocketError) or line.ended
            return "put off" if ours else "lost"
        now = loop.time()
        left, at = min(float(BURST), left + (now - at) * PACE) - 1, now
        if left < 0:
            line.end("too many messages")
            left = 0.0
            continue
        _take(message.data, line, session)


def _take(text: str, line: Line, session: Session) -> None:
    number: dict[str, object] = {}
    try:
        body = _object(text)
        asked = body.whole("request", 0, least=0, most=1_000_000_000)
        number = {"request": asked} if asked else {}
        session.take(body.text("type", "what the message is for"), body)
    except Refusal as refusal:
        line.refuse(refusal.code if isinstance(refusal, Fault) else MALFORMED, str(refusal), **number)


def _object(text: str) -> Body:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refusal("a message is JSON") from error
    if not isinstance(given, dict):
        raise Refusal("a message is a JSON object")
    return Body(given)


async def follow(changes: Changes, look: Callable[[], None]) -> None:
    """Look again whenever something has changed."""
    while True:
        revision = changes.revision
        try:
            look()
        except Exception as error:  # the next look must come
            log.error("emulator.look_failed", error=type(error).__name__, exc_info=error)
        await changes.beyond(revision, HEARTBEAT)
        await asyncio.sleep(TOGETHER)
