"""What is sent to the outside: nothing about the software, and nothing about why."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from aiohttp import hdrs, web

SERVER = "callcenter"


class Outcome(StrEnum):
    """What became of a request; logged and counted, never sent."""

    ANSWERED = "answered"
    REPLAYED = "replayed"
    STATIC = "static"
    RESCUED = "rescued"
    ACCEPTED = "accepted"
    MALFORMED = "malformed"
    FAILED = "failed"
    PROBED = "probed"
    PLAYED = "played"
    INTERRUPTED = "interrupted"
    GONE = "gone"
    UNAVAILABLE = "unavailable"


OUTCOME: web.RequestKey[str] = web.RequestKey("outcome", str)


def respond(
    status: int, body: bytes = b"", content_type: str | None = None, headers: Mapping[str, str] | None = None
) -> web.Response:
    """A response with these bytes and no others."""
    response = web.Response(status=status, body=body or None, headers={hdrs.SERVER: SERVER, **(headers or {})})
    if content_type is not None:
        response.headers[hdrs.CONTENT_TYPE] = content_type
    return response


def twiml(request: web.Request, body: bytes, outcome: Outcome) -> web.Response:
    """A document for the carrier, always with 200: any other status is a lost caller."""
    request[OUTCOME] = outcome.value
    return respond(200, body, "text/xml; charset=utf-8", {hdrs.CACHE_CONTROL: "no-store"})
