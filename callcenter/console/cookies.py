"""The two cookies: the session's, and that of somebody who has none yet and fills in a form.

``__Host-`` makes a browser refuse the cookie unless it came encrypted, for this very host and all of it, so that
neither a neighbouring host nor a part of this one can plant it (RFC 6265bis §4.1.3.2). Browsers take
``http://localhost`` for encrypted. Neither cookie outlives the browser; how long a session lives, the server decides.
"""

from __future__ import annotations

import re

from aiohttp import web

from callcenter.kernel.randomness import Random, new_token

SESSION = "__Host-callcenter"
FORM = "__Host-callcenter-formulaire"

_TOKEN = re.compile(r"[A-Za-z0-9_-]{32,128}")


def session_token(request: web.Request) -> str | None:
    """The session's token, as the browser sent it; whether it is one, the sessions know."""
    return _sent(request, SESSION)


def form_seed(request: web.Request) -> str | None:
    """What the forms of somebody without a session are bound to."""
    return _sent(request, FORM)


def new_seed(random: Random) -> str:
    return new_token(random)


def give(response: web.StreamResponse, name: str, value: str) -> None:
    """Set a cookie that no script reads and no other site sends."""
    response.set_cookie(name, value, path="/", secure=True, httponly=True, samesite="Strict")


def take_back(response: web.StreamResponse, name: str) -> None:
    response.set_cookie(name, "", path="/", max_age=0, secure=True, httponly=True, samesite="Strict")


def _sent(request: web.Request, name: str) -> str | None:
    value = request.cookies.get(name)
    return value if value is not None and _TOKEN.fullmatch(value) else None
