"""Who is let in: every request is refused here, before a handler, unless it is one that we expect and can prove.

Order: known path, method, target and Host, content type, size, signature. A refusal is an empty response; its reason
is counted and logged, never sent. Source: ASVS 5.0 V4.1.3, V4.2.1; OWASP; Twilio, "Webhooks security".
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from time import perf_counter

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from callcenter.telephony.alerts import AlertKind, Alerts
from callcenter.telephony.metrics import Metrics
from callcenter.telephony.responses import OUTCOME, Outcome, respond
from callcenter.telephony.signature import SignatureCheck, Signed
from callcenter.telephony.urls import PublicBase

_log = structlog.get_logger(__name__)

SIGNATURE = "X-Twilio-Signature"
FORM = "application/x-www-form-urlencoded"
#: Bytes of a form. The carrier's are about 1 KiB.
LARGEST_FORM = 64 * 1024
#: Seconds in which a form must have arrived whole.
_READ_SECONDS = 10.0

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Refusal(StrEnum):
    """Why a request is refused."""

    UNKNOWN_PATH = "unknown_path"
    METHOD = "method"
    TARGET = "target"
    HOST = "host"
    CONTENT_TYPE = "content_type"
    SIZE = "size"
    SLOW = "slow"
    UNREADABLE = "unreadable"
    SIGNATURE = "signature"


_STATUS = {
    Refusal.UNKNOWN_PATH: 404,
    Refusal.METHOD: 405,
    Refusal.TARGET: 400,
    Refusal.HOST: 400,
    Refusal.CONTENT_TYPE: 415,
    Refusal.SIZE: 413,
    Refusal.SLOW: 408,
    Refusal.UNREADABLE: 400,
    Refusal.SIGNATURE: 403,
}


@dataclass(frozen=True, slots=True)
class Admitted:
    """The request may be handled.

    Arguments:
        token: index of the token that signed it, or ``None`` for a request that is not signed by nature.
    """

    token: int | None


def _route(request: web.Request) -> str:
    """The route's template: paths themselves hold identifiers."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "none"


def _refused_by_route(request: web.Request) -> Refusal | None:
    match request.match_info.http_exception:
        case None:
            return None
        case web.HTTPMethodNotAllowed():
            return Refusal.METHOD
        case _:
            return Refusal.UNKNOWN_PATH


def _refused_by_head(request: web.Request, base: PublicBase) -> Refusal | None:
    # aiohttp takes the host of an absolute-form target before the Host header, and a fragment is never sent.
    if not request.raw_path.startswith("/") or "#" in request.raw_path:
        return Refusal.TARGET
    hosts = request.headers.getall(hdrs.HOST, [])
    if len(hosts) != 1 or not base.is_host(hosts[0]):
        return Refusal.HOST
    return None


def _refused_by_form_head(request: web.Request) -> Refusal | None:
    encoding = request.headers.get(hdrs.CONTENT_ENCODING, "identity")
    charset = request.charset or "utf-8"
    types = request.headers.getall(hdrs.CONTENT_TYPE, [])
    if len(types) != 1 or request.content_type != FORM or charset.lower() != "utf-8" or encoding != "identity":
        return Refusal.CONTENT_TYPE
    if request.content_length is not None and request.content_length > LARGEST_FORM:
        return Refusal.SIZE
    return None


async def _refused_by_form(request: web.Request) -> Refusal | None:
    """Read the form; the handlers find it in ``request.post()`` again."""
    try:
        async with asyncio.timeout(_READ_SECONDS):
            await request.post()
    except web.HTTPRequestEntityTooLarge:
        return Refusal.SIZE
    except TimeoutError:
        return Refusal.SLOW
    except (ValueError, web.HTTPException, web.PayloadAccessError):
        return Refusal.UNREADABLE
    return None


async def admit(request: web.Request, base: PublicBase, signature: SignatureCheck) -> Admitted | Refusal:
    """Decide on one request. Every POST must be signed; what is fetched by GET has its secret in its address."""
    refusal = _refused_by_route(request) or _refused_by_head(request, base)
    if refusal is not None:
        return refusal
    if request.method != hdrs.METH_POST:
        return Admitted(token=None)
    refusal = _refused_by_form_head(request) or await _refused_by_form(request)
    if refusal is not None:
        return refusal
    signatures = request.headers.getall(SIGNATURE, [])
    verdict = signature.check(request.raw_path, await request.post(), signatures)
    return Admitted(verdict.token) if isinstance(verdict, Signed) else Refusal.SIGNATURE


def _refuse(request: web.Request, refusal: Refusal, metrics: Metrics) -> web.Response:
    request[OUTCOME] = refusal.value
    metrics.refused.labels(reason=refusal.value).inc()
    response = respond(_STATUS[refusal])
    unroutable = request.match_info.http_exception
    if isinstance(unroutable, web.HTTPMethodNotAllowed):
        response.headers[hdrs.ALLOW] = ", ".join(sorted(unroutable.allowed_methods))
    # What follows on this connection may be the rest of a body that was not read.
    response.force_close()
    return response


def admission(base: PublicBase, signature: SignatureCheck, metrics: Metrics, alerts: Alerts) -> Middleware:
    """The middleware that refuses, counts and logs; handlers behind it see admitted requests only.

    Arguments:
        base: the public base URL; its host is the only one that is answered for.
        signature: checks every POST.
        metrics: requests by route and outcome.
        alerts: told of a handler that raises.
    """

    async def guarded(request: web.Request, handler: Handler) -> tuple[web.StreamResponse, int | None]:
        verdict = await admit(request, base, signature)
        if isinstance(verdict, Refusal):
            return _refuse(request, verdict, metrics), None
        return await handler(request), verdict.token

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        began, route, token = perf_counter(), _route(request), None
        response: web.StreamResponse
        try:
            response, token = await guarded(request, handler)
        except Exception as error:  # the last resort: nothing of an error reaches the outside
            alerts.failed(AlertKind.EDGE_FAILED, error, route=route)
            request[OUTCOME] = Outcome.FAILED.value
            response = respond(500)
        seconds, outcome = perf_counter() - began, request.get(OUTCOME, "")
        metrics.requests.labels(route=route, outcome=outcome).inc()
        metrics.seconds.labels(route=route).observe(seconds)
        _log.info(
            "request",
            method=request.method if request.method in _METHODS else "other",
            route=route,
            status=response.status,
            outcome=outcome,
            seconds=round(seconds, 4),
            token=token,
        )
        return response

    return middleware
