"""What stands before every page: whose name was called, where a form comes from, and what is said when all goes wrong.

A refusal is a page that says what to do, with a reference that stands in the log too; why exactly, the log alone knows.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from callcenter.console.headers import SOUND, protect
from callcenter.console.origin import ConsoleOrigin
from callcenter.console.paths import safe_return
from callcenter.console.ports import Overrun
from callcenter.console.rendering import page
from callcenter.console.review_ports import Unsealed
from callcenter.console.troubles import Trouble, Turned
from callcenter.kernel.errors import Conflict, Forbidden, NotFound, Unavailable
from callcenter.kernel.randomness import Random

_log = structlog.get_logger(__name__)

#: Told of an error that nobody expected: the error, and fields for the log.
Failed = Callable[..., None]

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SAFE = frozenset({"GET", "HEAD"})
_REFERENCE_BYTES = 5  # it tells requests of a day apart, and opens nothing
#: Seconds after which one may well try again.
RETRY_SECONDS = 10


def guard(origin: ConsoleOrigin, random: Random, failed: Failed) -> Middleware:
    """The middleware around everything.

    Arguments:
        origin: the only one that is answered for.
        random: makes references.
        failed: told of a handler that raises.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        began, route, reference, outcome = perf_counter(), _route(request), None, "answered"
        try:
            check_head(request, origin)
            check_source(request, origin)
            response = await handler(request)
        except Exception as error:
            trouble, reference = _trouble_of(error), random.token_bytes(_REFERENCE_BYTES).hex()
            outcome = trouble.word
            if trouble is Trouble.FAILED:
                failed(error, route=route, reference=reference)
            response = _turned_away(request, trouble, reference)
        protect(response, origin, request.get(SOUND))
        fields: dict[str, Any] = {} if reference is None else {"reference": reference}
        _log.info(
            "console_request",
            method=request.method if request.method in _METHODS else "other",
            route=route,
            status=response.status,
            outcome=outcome,
            seconds=round(perf_counter() - began, 4),
            **fields,
        )
        return response

    return middleware


def check_head(request: web.Request, origin: ConsoleOrigin) -> None:
    """Answer for our own name only.

    A site may give its own name our address, and have the browser of somebody of staff read pages under it.

    Raises:
        Turned: another host, several, or a target that brings one along.
    """
    # aiohttp takes the host of an absolute-form target before the Host header, and a fragment is never sent.
    if not request.raw_path.startswith("/") or "#" in request.raw_path:
        raise Turned(Trouble.TARGET)
    hosts = request.headers.getall(hdrs.HOST, [])
    if len(hosts) != 1 or not origin.is_host(hosts[0]):
        raise Turned(Trouble.HOST)


def check_source(request: web.Request, origin: ConsoleOrigin) -> None:
    """Let nothing be changed from another site's page.

    Every browser of today sends ``Origin`` with a form; ``Sec-Fetch-Site`` comes where the console is encrypted or on
    this machine, and no script can write it.

    Raises:
        Turned: the request would change something, and does not come from a page of ours.
    """
    if request.method in _SAFE:
        return
    sites = request.headers.getall("Sec-Fetch-Site", [])
    if request.headers.getall(hdrs.ORIGIN, []) != [str(origin)] or sites not in ([], ["same-origin"]):
        raise Turned(Trouble.FOREIGN)


def _trouble_of(error: Exception) -> Trouble:
    match error:
        case Turned():
            return error.trouble
        case web.HTTPNotFound() | NotFound():
            return Trouble.NOT_FOUND
        case web.HTTPMethodNotAllowed():
            return Trouble.METHOD
        case web.HTTPRequestEntityTooLarge():
            return Trouble.TOO_LARGE
        case Forbidden() | Conflict():  # no page of ours offers what contradicts what stands
            return Trouble.FORBIDDEN
        case Overrun():
            return Trouble.BUSY
        case Unsealed():
            return Trouble.UNSEALED
        case Unavailable():
            return Trouble.UNAVAILABLE
        case _:
            return Trouble.FAILED


def _turned_away(request: web.Request, trouble: Trouble, reference: str) -> web.Response:
    values = {"trouble": trouble.word, "reference": reference, "again": _again(request, trouble)}
    response = page(request, "error.html", values, status=trouble.status)
    unroutable = request.match_info.http_exception
    if isinstance(unroutable, web.HTTPMethodNotAllowed):
        response.headers[hdrs.ALLOW] = ", ".join(sorted(unroutable.allowed_methods))
    if trouble.status == 503:
        response.headers[hdrs.RETRY_AFTER] = str(RETRY_SECONDS)
    if request.method not in _SAFE:
        response.force_close()  # what follows may be the rest of a body that was not read
    return response


def _again(request: web.Request, trouble: Trouble) -> str | None:
    """Where somebody may try once more, if that is what helps, and nothing would be sent twice."""
    asked = request.path_qs
    passes = trouble.status in (500, 503) and request.method in _SAFE
    return asked if passes and safe_return(asked) == asked else None


def _route(request: web.Request) -> str:
    """The route's template: paths themselves hold tokens."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "none"
