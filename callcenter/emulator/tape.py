"""Every HTTP exchange between the emulator and the application, for tests to read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from urllib.parse import parse_qsl

Kind = Literal["webhook", "status", "fallback", "audio", "rest"]

LENGTH = 20_000  # exchanges kept; a long load test must not eat the machine


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what became of it.

    Arguments:
        kind: ``webhook``, ``fallback`` and ``audio`` ask the application, ``status`` tells it, ``rest`` is asked by it.
        method, url: as they went over the wire, without fragment and user information.
        request_headers, response_headers: names as sent; look them up with :meth:`header`.
        status: HTTP status, or None when no answer came.
        error: why no answer came, or None.
        at: when the request was made.
        call_sid: the call it belongs to, if any.
        seconds: how long it took, of the machine's own time, where it was measured.
    """

    kind: Kind
    method: str
    url: str
    request_headers: Mapping[str, str]
    request_body: bytes
    at: datetime
    status: int | None = None
    response_headers: Mapping[str, str] = field(default_factory=dict)
    response_body: bytes = b""
    error: str | None = None
    call_sid: str | None = None
    seconds: float | None = None

    @property
    def form(self) -> dict[str, str]:
        """The request's form fields; of a repeated one, the last."""
        return dict(parse_qsl(self.request_body.decode(), keep_blank_values=True))

    @property
    def text(self) -> str:
        """The response's body as text."""
        return self.response_body.decode(errors="replace")

    def header(self, name: str) -> str | None:
        """A request header, whatever its case."""
        return next((value for key, value in self.request_headers.items() if key.lower() == name.lower()), None)


class Tape:
    """A list of exchanges that forgets the oldest beyond its length."""

    def __init__(self, length: int = LENGTH) -> None:
        self.exchanges: list[Exchange] = []
        self._length = length

    def record(self, exchange: Exchange) -> None:
        """Add one exchange."""
        self.exchanges.append(exchange)
        del self.exchanges[: -self._length]
