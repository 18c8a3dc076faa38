"""The private listener: whether we live, whether we can serve, and what was counted. Never reachable from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from callcenter.telephony.alerts import failure

_log = structlog.get_logger(__name__)

#: Seconds after which a check that has not answered has failed.
_CHECK_SECONDS = 5.0

Check = Callable[[], Awaitable[object]]
Captions = Callable[[str], Awaitable[str | None]]


@dataclass(frozen=True, slots=True)
class PrivateDependencies:
    """What the private listener is handed.

    Arguments:
        registry: what ``/metrics`` shows.
        checks: by name, each raises if the part that it names cannot serve; what it returns is ignored.
        captions: the words of an audio token, or ``None``. Only for demo and test: they are patients' words.
        gauges: reads what is asked for anew at each look; what was read before stands if it fails.
    """

    registry: CollectorRegistry
    checks: Mapping[str, Check]
    captions: Captions | None = None
    gauges: Check | None = None


async def _passes(name: str, check: Check, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await check()
    except Exception as error:
        _log.warning("not_ready", check=name, **failure(error))
        return False
    return True


async def failing(checks: Mapping[str, Check], seconds: float = _CHECK_SECONDS) -> tuple[str, ...]:
    """Run all checks at once.

    Arguments:
        checks: by name.
        seconds: how long each may take.

    Returns the names of those that fail, in their given order.
    """
    passed = await asyncio.gather(*(_passes(name, check, seconds) for name, check in checks.items()))
    return tuple(name for name, good in zip(checks, passed, strict=True) if not good)


class _Private:
    def __init__(self, deps: PrivateDependencies) -> None:
        self._deps = deps

    async def alive(self, _: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def ready(self, _: web.Request) -> web.Response:
        failed = await failing(self._deps.checks)
        return web.json_response({"ready": not failed, "failed": list(failed)}, status=503 if failed else 200)

    async def metrics(self, _: web.Request) -> web.Response:
        if self._deps.gauges is not None:
            await _passes("gauges", self._deps.gauges, _CHECK_SECONDS)
        body = generate_latest(self._deps.registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})


def _caption_handler(captions: Captions) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def caption(request: web.Request) -> web.Response:
        words = await captions(request.match_info["token"])
        if words is None:
            return web.Response(status=404)
        return web.Response(text=words, headers={"Cache-Control": "no-store"})

    return caption


def private_application(deps: PrivateDependencies) -> web.Application:
    """The application of the private listener."""
    private = _Private(deps)
    application = web.Application()
    application.add_routes(
        [
            web.get("/healthz", private.alive),
            web.get("/readyz", private.ready),
            web.get("/metrics", private.metrics),
        ]
    )
    if deps.captions is not None:
        application.router.add_get("/captions/{token}", _caption_handler(deps.captions))
    return application
