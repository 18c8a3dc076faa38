"""Serving the page: its files, what it offers by name, and the two routes that it reads besides the control interface.

For demonstration and tests only: whoever reaches it can call from any number and reads every message.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from aiohttp import web

from callcenter.emulator.browser.feed import Feed
from callcenter.emulator.browser.guard import guard
from callcenter.emulator.browser.history import History
from callcenter.emulator.control import PREFIX
from callcenter.emulator.mailbox import Mailbox
from callcenter.emulator.messages import Messages
from callcenter.emulator.settings import EmulatorSettings, NamedNumber
from callcenter.emulator.switchboard import Switchboard
from callcenter.emulator.tape import Tape

STATIC = Path(__file__).with_name("static")
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

#: Nothing but our own files; no script can make markup of a text, whatever the text (Trusted Types).
POLICY = "; ".join(
    (
        "default-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    content_type: str
    tag: str


@cache
def _files() -> dict[str, _File]:
    """The page's files by name; a name that is not here is not there."""
    read = {path.name: (path.read_bytes(), TYPES[path.suffix]) for path in STATIC.iterdir() if path.suffix in TYPES}
    return {name: _File(body, kind, f'"{sha256(body).hexdigest()[:16]}"') for name, (body, kind) in read.items()}


class PhonePage:
    """The page in the browser, at ``/``.

    Arguments:
        settings: the telephones and lines that it offers.
        switchboard, messages, mailbox, tape: what it shows.
    """

    def __init__(
        self, settings: EmulatorSettings, switchboard: Switchboard, messages: Messages, mailbox: Mailbox, tape: Tape
    ) -> None:
        self._settings = settings
        self._feed = Feed(switchboard, messages, mailbox)
        self._history = History(switchboard, tape)

    def join(self, application: web.Application) -> None:
        """Become a part of the emulator's server."""
        application.middlewares.insert(0, guard(self._settings.host))
        application.add_routes(
            [
                web.get("/", self._index),
                web.get("/page/{name}", self._file),
                web.get(PREFIX + "/presets", self._presets),
                *self._feed.routes(),
                *self._history.routes(),
            ]
        )
        application.on_shutdown.append(self._feed.end)

    async def _index(self, request: web.Request) -> web.Response:
        return _served(request, _files()["index.html"])

    async def _file(self, request: web.Request) -> web.Response:
        file = _files().get(request.match_info["name"])
        if file is None:
            raise web.HTTPNotFound
        return _served(request, file)

    async def _presets(self, request: web.Request) -> web.Response:
        """What the page offers: telephones and lines by name, and whether mails are taken."""
        return web.json_response(
            {
                "telephones": [_named(number) for number in self._settings.telephones],
                "lines": [_named(number) for number in self._settings.lines],
                "mails": self._settings.smtp_port is not None,
            }
        )


def _served(request: web.Request, file: _File) -> web.Response:
    headers = HEADERS | {"ETag": file.tag}
    if request.headers.get("If-None-Match") == file.tag:
        return web.Response(status=304, headers=headers)
    return web.Response(body=file.body, content_type=file.content_type, charset="utf-8", headers=headers)


def _named(number: NamedNumber) -> dict[str, str]:
    return {"number": number.number, "name": number.name, "hint": number.hint}
