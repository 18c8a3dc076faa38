"""How the edge is run: aiohttp's runner, whose own error pages and access log are replaced by nothing and by events.

A request that cannot even be parsed never reaches the application; aiohttp would answer it with what it read, and log
it with the peer's address and a traceback. It would also keep a connection that says nothing for an hour: with some
thousands of them, the process can open no file and take no call.
"""

from __future__ import annotations

from typing import Any

import structlog
from aiohttp import web

from callcenter.telephony.responses import respond

_log = structlog.get_logger(__name__)

#: Seconds in which the head of a connection's first or next request must have arrived whole; longer than proxies keep
#: their connections (a minute), so that none is closed under a request.
IDLE_SECONDS = 75.0


class _Connection(web.RequestHandler):
    """One connection, whose errors are empty."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        _log.warning("request_unreadable", status=status, error=type(exc).__name__)
        if request.writer.output_size > 0:
            raise ConnectionError("the response has begun; nothing can be put in its place")
        response = respond(status)
        response.force_close()
        return response

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        if isinstance(resp, web.HTTPException):  # raised before the middlewares, such as for an unknown Expect
            resp = respond(resp.status)
        return await super().finish_response(request, resp, start_time)


class _Server(web.Server):
    """Makes connections of our own kind."""

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class EdgeRunner(web.AppRunner):
    """Runs an application whose errors say nothing to the outside.

    Arguments:
        application: the application; its access log is its own business.
        shutdown_timeout: seconds for which running requests are waited for.
    """

    def __init__(self, application: web.Application, *, shutdown_timeout: float = 15.0) -> None:
        super().__init__(
            application, access_log=None, shutdown_timeout=shutdown_timeout, keepalive_timeout=IDLE_SECONDS
        )

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        options: dict[str, Any] = made._kwargs  # noqa: SLF001 - aiohttp has no other way to a server of one's own
        return _Server(made.request_handler, request_factory=made.request_factory, **options)
