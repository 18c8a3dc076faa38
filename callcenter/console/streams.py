"""« Look again »: a stream of events (HTML, « Server-sent events ») that says that something is new, and never what.

A page that is told so fetches how everything stands, and by that shows that it is still there: a stream alone proves
nothing, since a connection may stand long after its page is gone. While a stream waits it holds no connection to the
database; every few seconds it borrows one, to see whether its session still stands.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

from aiohttp import hdrs, web

from callcenter.console.headers import NOT_KEPT, protect
from callcenter.console.origin import ConsoleOrigin
from callcenter.console.ports import Entrance, Overrun, Stage
from callcenter.console.visits import Visit
from callcenter.console.workplace_ports import Bell, Bells
from callcenter.kernel.errors import Unavailable

LOOK: Final = b"event: look\ndata:\n\n"
OVER: Final = b"event: over\ndata:\n\n"
#: Milliseconds after which a browser comes back by itself.
_RETRY: Final = b"retry: 2000\n\n"


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How many streams, and how long.

    Arguments:
        of_session: at once of one session: as many windows as somebody may have in front of them.
        in_all: at once in this process.
        check: seconds between looks whether the session stands.
        look: seconds after which a page is told to look even if nothing is new; well below the time after which a page
            that gives no sign is gone (``routing.values.Limits.unseen``).
        pace: seconds between two such words at least, whatever happens in a queue.
        life: seconds after which a stream ends, and a browser that is still there comes back.
    """

    of_session: int = 4
    in_all: int = 400
    check: float = 3.0
    look: float = 15.0
    pace: float = 0.25
    life: float = 900.0


class Streams:
    """Every stream of this process.

    Arguments:
        origin: of the console: headers leave before the guard has seen the answer.
        entrance: knows whether a session stands.
        bells: ring when something is new.
        ledger_is_behind: what pages say at their top; when it changes, they look.
    """

    def __init__(
        self,
        origin: ConsoleOrigin,
        entrance: Entrance,
        bells: Bells,
        limits: StreamLimits | None = None,
        ledger_is_behind: Callable[[], bool] = lambda: False,
    ) -> None:
        self._origin = origin
        self._entrance = entrance
        self._bells = bells
        self._limits = limits or StreamLimits()
        self._ledger_is_behind = ledger_is_behind
        self._open: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[object]] = set()

    async def end(self, _: web.Application) -> None:
        """The console closes: every stream ends, so that nobody waits for one."""
        for task in self._tasks:
            task.cancel()

    @property
    def count(self) -> int:
        """How many are open."""
        return self._open.total()

    async def serve(self, visit: Visit) -> web.StreamResponse:
        """A stream for as long as session, browser and console stand.

        Raises:
            Overrun: there are too many.
        """
        token = visit.own_token
        async with self._held(token), self._bells.of(visit.own_session.staff) as bell:
            response = web.StreamResponse(headers={hdrs.CACHE_CONTROL: NOT_KEPT, "X-Accel-Buffering": "no"})
            response.content_type = "text/event-stream"
            response.charset = "utf-8"
            protect(response, self._origin)
            await response.prepare(visit.request)
            with suppress(ConnectionError):  # whoever was there is gone
                await self._tell(visit.request, response, token, bell)
            return response

    async def _tell(self, request: web.Request, response: web.StreamResponse, token: str, bell: Bell) -> None:
        loop, limits = asyncio.get_running_loop(), self._limits
        begun = told = checked = loop.time()
        behind = self._ledger_is_behind()
        await response.write(_RETRY + LOOK)
        while loop.time() < begun + limits.life:
            rung = await bell.rung(min(limits.check, limits.look))
            if request.transport is None or request.transport.is_closing():
                return
            if loop.time() >= checked + limits.check:
                if not await self._stands(token):
                    await response.write(OVER)
                    return
                checked = loop.time()
            was, behind = behind, self._ledger_is_behind()
            if rung or behind is not was or loop.time() >= told + limits.look:
                await response.write(LOOK)
                told = loop.time()
                await asyncio.sleep(limits.pace)

    async def _stands(self, token: str) -> bool:
        """Whether the session does. Where that cannot be found out, the stream ends too: it comes back later."""
        try:
            session = await self._entrance.session(token, active=False)
        except Unavailable:
            return False
        return session is not None and session.stage is Stage.FULL

    @asynccontextmanager
    async def _held(self, token: str) -> AsyncIterator[None]:
        """A place among the streams."""
        if self._open[token] >= self._limits.of_session or self.count >= self._limits.in_all:
            raise Overrun
        task = asyncio.current_task()
        assert task is not None, "a request is handled in a task"  # noqa: S101 - for the types
        self._open[token] += 1
        self._tasks.add(task)
        try:
            yield
        finally:
            self._tasks.discard(task)
            self._open[token] -= 1
            if not self._open[token]:
                del self._open[token]
