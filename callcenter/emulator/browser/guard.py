"""Who may use the emulator from a browser: its own page, and no other site that the same browser shows.

The control interface has no password. A site on the web could otherwise have a developer's browser make calls on
127.0.0.1, or read text messages there under a name of its own that leads to this address (DNS rebinding).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Middleware

from callcenter.emulator.softphones import SOFTPHONE

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def guard(host: str) -> Middleware:
    """Refuses requests that another site's page has a browser make.

    Arguments:
        host: the name on which the emulator listens, allowed besides addresses and ``localhost``.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if (problem := _problem(request, host)) is not None:
            return web.json_response({"error": problem}, status=403)
        return await handler(request)

    return middleware


def _problem(request: web.Request, host: str) -> str | None:
    name = urlsplit(f"//{request.host}").hostname or ""
    if not (name in (host.lower(), "localhost") or _is_address(name)):
        return f"this emulator is not called {name!r}: use the address that it says when it starts"
    origin = request.headers.get("Origin")
    if request.path == SOFTPHONE:  # the page of another server, whose token is what opens it: on this machine only
        there = name if origin is None else urlsplit(origin).hostname or ""
        if is_loopback(name) and is_loopback(there):
            return None
        return "a softphone runs on this machine: open its page at localhost or 127.0.0.1"
    if origin is not None and urlsplit(origin).netloc != request.host:
        return f"a page of {origin} may not use this emulator: open the emulator's own page"
    return None


def is_loopback(name: str) -> bool:
    """Whether a name leads to this very machine."""
    return name == "localhost" or (_is_address(name) and ip_address(name).is_loopback)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
