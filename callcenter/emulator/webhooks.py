"""The carrier's HTTP client: sign, send, try again, follow redirects, keep on tape."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from urllib.parse import unquote, urldefrag, urlencode, urljoin, urlsplit
from uuid import uuid4

import aiohttp
from yarl import URL

from callcenter.emulator.overrides import Fault, Overrides
from callcenter.emulator.signature import HEADER, sign, signed_url
from callcenter.emulator.tape import Exchange, Kind, Tape
from callcenter.emulator.verbs import Method

Parameters = tuple[tuple[str, str], ...]

REDIRECTS = 10  # error 11215 beyond
REDIRECTING = {HTTPStatus(code) for code in (301, 302, 303, 307, 308)}
LARGEST = 10 * 1024 * 1024  # bytes of a reply that are read: long audio, not the end of memory
AGENT = "TwilioProxy/1.1"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request to the application.

    Arguments:
        kind: what the tape calls it.
        url: as configured, with fragment and user information.
        parameters: sent again when the request is redirected.
        extras: input of a verb, lost when the request is redirected.
        signed: False for audio, which is fetched like any file.
        keeps_https_port: True for messages, whose signature keeps the port of https URLs.
    """

    kind: Kind
    url: str
    method: Method = "POST"
    parameters: Parameters = ()
    extras: Parameters = ()
    call_sid: str | None = None
    signed: bool = True
    keeps_https_port: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """The application answered, with whatever status; ``url`` is where, after redirects, without fragment."""

    url: str
    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No answer came, or only redirects; ``code`` is the carrier's error."""

    url: str
    code: int
    why: str


class Webhooks:
    """Sends requests to the application as the carrier does.

    Arguments:
        auth_token: signs them.
        session: an aiohttp session without cookies of its own.
        tape: gets every attempt.
        now: dates the tape.
    """

    def __init__(
        self, auth_token: str, session: aiohttp.ClientSession, tape: Tape, now: Callable[[], datetime]
    ) -> None:
        self._auth_token = auth_token
        self._session = session
        self._tape = tape
        self._now = now
        self._under_way: set[asyncio.Task[Answered | Unanswered]] = set()

    async def send(self, delivery: Delivery, cookies: aiohttp.CookieJar | None = None) -> Answered | Unanswered:
        """Deliver within the total time, retries and redirects included.

        A delivery comes to its end even if the caller hangs up meanwhile; only its reply is lost.

        Arguments:
            delivery: what to send.
            cookies: the call's, given back and kept.
        """
        task = asyncio.ensure_future(self._deliver(delivery, cookies))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Give up what is under way."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _deliver(self, delivery: Delivery, cookies: aiohttp.CookieJar | None) -> Answered | Unanswered:
        overrides = Overrides.of(delivery.url)
        try:
            async with asyncio.timeout(overrides.total):
                return await self._follow(delivery, overrides, cookies)
        except TimeoutError:
            return Unanswered(urldefrag(delivery.url).url, 11200, f"no answer within {overrides.total:g} s")

    async def _follow(
        self, delivery: Delivery, overrides: Overrides, cookies: aiohttp.CookieJar | None
    ) -> Answered | Unanswered:
        for _ in range(REDIRECTS + 1):
            reply = await self._persist(delivery, overrides, cookies)
            if not isinstance(reply, _Moved):
                return reply
            # A redirected Gather action loses its Digits: https://www.twilio.com/docs/voice/twiml/gather
            method: Method = delivery.method if reply.status in (307, 308) else "GET"
            delivery = replace(delivery, url=reply.target, method=method, extras=())
        return Unanswered(urldefrag(delivery.url).url, 11215, f"more than {REDIRECTS} redirects")

    async def _persist(
        self, delivery: Delivery, overrides: Overrides, cookies: aiohttp.CookieJar | None
    ) -> Answered | Unanswered | _Moved:
        request = _Request.of(delivery, self._auth_token, cookies)
        for left in range(overrides.retries, -1, -1):
            reply, fault = await self._attempt(delivery, request, overrides, cookies)
            if not left or fault not in overrides.policy:
                break
        return reply

    async def _attempt(
        self, delivery: Delivery, request: _Request, overrides: Overrides, cookies: aiohttp.CookieJar | None
    ) -> tuple[Answered | Unanswered | _Moved, Fault | None]:
        exchange = Exchange(
            delivery.kind, delivery.method, request.url, request.headers, request.body, self._now(),
            call_sid=delivery.call_sid,
        )  # fmt: skip
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=overrides.connect, sock_read=overrides.read)
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            async with self._session.request(
                delivery.method, URL(request.url, encoded=True), data=request.body or None, headers=request.headers,
                timeout=timeout, allow_redirects=False,
            ) as response:  # fmt: skip
                body = await _read(response)
        except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as error:
            connecting = isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
            why = f"{type(error).__name__}: {error}"
            self._tape.record(replace(exchange, error=why, seconds=clock() - began))
            code = 11205 if connecting else 11200
            return Unanswered(request.url, code, why), "ct" if connecting else "rt"
        except asyncio.CancelledError:
            self._tape.record(replace(exchange, error="given up before an answer came", seconds=clock() - began))
            raise
        answered = replace(exchange, status=response.status, response_headers=dict(response.headers))
        self._tape.record(replace(answered, response_body=body, seconds=clock() - began))
        if cookies is not None:
            cookies.update_cookies(response.cookies, response.url)
        location = response.headers.get("Location")
        if response.status in REDIRECTING and location:
            return _Moved(response.status, urljoin(request.url, location)), None
        content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return Answered(request.url, response.status, content_type, body), _fault(response.status)


@dataclass(frozen=True, slots=True)
class _Moved:
    status: int
    target: str


@dataclass(frozen=True, slots=True)
class _Request:
    """What goes over the wire; the same for every attempt, idempotency token included."""

    url: str
    body: bytes
    headers: dict[str, str]

    @classmethod
    def of(cls, delivery: Delivery, auth_token: str, cookies: aiohttp.CookieJar | None) -> _Request:
        form = urlencode(delivery.parameters + delivery.extras)
        url = urldefrag(delivery.url).url
        if delivery.method == "GET" and form:
            url += ("&" if urlsplit(url).query else "?") + form
        user, _, host = urlsplit(url).netloc.rpartition("@")
        signed = signed_url(url, keeps_https_port=delivery.keeps_https_port)
        url = urlsplit(url)._replace(netloc=host).geturl()
        headers = {"User-Agent": AGENT, "Accept": "*/*", "Accept-Encoding": "gzip"}
        if delivery.signed:
            pairs = delivery.parameters + delivery.extras if delivery.method == "POST" else ()
            headers |= {"I-Twilio-Idempotency-Token": str(uuid4()), HEADER: sign(auth_token, signed, pairs)}
        if user:
            headers["Authorization"] = "Basic " + base64.b64encode(unquote(user).encode()).decode()
        if cookies is not None and (kept := cookies.filter_cookies(URL(url, encoded=True))):
            headers["Cookie"] = "; ".join(f"{name}={morsel.value}" for name, morsel in kept.items())
        if delivery.method == "GET":
            return cls(url, b"", headers)
        headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
        return cls(url, form.encode(), headers)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > LARGEST:
            raise ValueError(f"more than {LARGEST} bytes")
    return bytes(body)


def _fault(status: int) -> Fault | None:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "5xx"
    return "4xx" if status >= HTTPStatus.BAD_REQUEST else None
