"""The carrier's REST interface: who may ask, how errors and lists look, what goes on the tape."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from multidict import MultiDictProxy

from callcenter.emulator.errors import EmulatorError
from callcenter.emulator.identifiers import new_sid
from callcenter.emulator.tape import Exchange, Tape
from callcenter.emulator.timeline import Changes
from callcenter.emulator.verbs import Method

PREFIX = "/2010-04-01"
PAGE_SIZE = 50
LARGEST_PAGE = 1000

Form = MultiDictProxy[str]


class RestError(EmulatorError):
    """A request that the REST interface refuses.

    Arguments:
        code: the carrier's error code.
        message: what is wrong.
        status: HTTP status.
    """

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        self.code = code
        self.status = status
        super().__init__(message)

    def response(self) -> web.Response:
        """As the carrier writes it."""
        body = {
            "code": self.code,
            "message": str(self),
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }
        return web.json_response(body, status=self.status)


def not_found(request: web.Request) -> RestError:
    """The error for a resource that does not exist."""
    return RestError(20404, f"The requested resource {request.path} was not found", HTTPStatus.NOT_FOUND)


async def form(request: web.Request) -> Form:
    """The fields of a form, all of them text.

    Raises:
        RestError: 20001 for an uploaded file.
    """
    fields = await request.post()
    if not all(isinstance(value, str) for value in fields.values()):
        raise RestError(20001, "Parameters are text, form-encoded")
    return fields  # type: ignore[return-value]  # every value was just seen to be text


def flag(fields: Form, name: str) -> bool | None:
    """True or false, None where nothing is said.

    Raises:
        RestError: 20001 for anything else.
    """
    value = fields.get(name)
    if value is not None and value.lower() not in {"true", "false"}:
        raise RestError(20001, f"{name} is true or false")
    return None if value is None else value.lower() == "true"


def whole(fields: Form, name: str, default: int, most: int) -> int:
    """A whole number from 1.

    Raises:
        RestError: 20001 for anything else, or more than ``most``.
    """
    text = fields.get(name, str(default))
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
        raise RestError(20001, f"{name} is a whole number from 1 to {most}")
    return int(text)


def http_method(fields: Form, name: str, default: Method = "POST") -> Method:
    """``GET`` or ``POST``.

    Raises:
        RestError: 20001 for any other.
    """
    method = fields.get(name, default)
    if method not in {"GET", "POST"}:
        raise RestError(20001, f"{name} is GET or POST")
    return "GET" if method == "GET" else "POST"


class Gate:
    """Lets the account in, counts who is inside, and keeps the tape.

    Arguments:
        account_sid, auth_token: user name and password.
        tape: gets every exchange, refused ones too.
        now: dates them.
    """

    def __init__(self, account_sid: str, auth_token: str, tape: Tape, now: Callable[[], datetime]) -> None:
        self._account_sid = account_sid
        self._expected = "Basic " + base64.b64encode(f"{account_sid}:{auth_token}".encode()).decode()
        self._tape = tape
        self._now = now
        self._inside = 0

    @web.middleware
    async def middleware(self, request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        """Wrap one request."""
        if not request.path.startswith(PREFIX):
            other: web.StreamResponse = await handler(request)
            return other
        self._inside += 1
        at, body = self._now(), await request.read()
        try:
            response = await self._answer(request, handler)
        finally:
            concurrent, self._inside = self._inside, self._inside - 1
        response.headers["Twilio-Concurrent-Requests"] = str(concurrent)
        response.headers["Twilio-Request-Id"] = new_sid("RQ")
        response.headers["Twilio-Request-Duration"] = f"{(self._now() - at).total_seconds():.3f}"
        self._tape.record(
            Exchange(
                "rest",
                request.method,
                str(request.url),
                dict(request.headers),
                body,
                at,
                response.status,
                dict(response.headers),
                response.body if isinstance(response.body, bytes) else b"",
            )
        )
        return response

    async def _answer(self, request: web.Request, handler: Callable[[web.Request], Any]) -> web.Response:
        try:
            self._admit(request)
            response: web.Response = await handler(request)
        except RestError as error:
            return error.response()
        except web.HTTPNotFound:
            return not_found(request).response()
        except web.HTTPMethodNotAllowed:
            return RestError(20004, "Method not allowed", HTTPStatus.METHOD_NOT_ALLOWED).response()
        return response

    def _admit(self, request: web.Request) -> None:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), self._expected.encode()):
            raise RestError(20003, "Authenticate", HTTPStatus.UNAUTHORIZED)
        if not request.path.startswith(f"{PREFIX}/Accounts/{self._account_sid}/"):
            raise not_found(request)


def page(request: web.Request, key: str, records: Sequence[dict[str, object]]) -> web.Response:
    """One page of a list, newest first as the carrier lists.

    Arguments:
        request: its query holds ``PageSize`` and ``Page``.
        key: the list's name.
        records: all of them, already in order.

    Raises:
        RestError: 20001 for sizes that are no numbers or out of range.
    """
    size, number = _whole(request, "PageSize", PAGE_SIZE), _whole(request, "Page", 0)
    if not 1 <= size <= LARGEST_PAGE:
        raise RestError(20001, f"PageSize is between 1 and {LARGEST_PAGE}")
    start = size * number
    shown = list(records[start : start + size])

    def uri(at: int | None) -> str | None:
        if at is None:
            return None
        query = {name: value for name, value in request.query.items() if name not in {"Page", "PageSize", "PageToken"}}
        return f"{request.path}?{urlencode({**query, 'PageSize': size, 'Page': at})}"

    more = len(records) > start + size
    body = {
        key: shown,
        "page": number,
        "page_size": size,
        "start": start,
        "end": max(start, start + len(shown) - 1),
        "uri": uri(number),
        "first_page_uri": uri(0),
        "next_page_uri": uri(number + 1 if more else None),
        "previous_page_uri": uri(number - 1 if number else None),
    }
    return web.json_response(body)


async def settle(changes: Changes, done: Callable[[], bool]) -> None:
    """Wait, a second at most, until an ordered change has come about."""
    for _ in range(20):
        if done():
            return
        await changes.beyond(changes.revision, 0.05)


def _whole(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdigit()):
        raise RestError(20001, f"{name} is a whole number")
    return int(text)
