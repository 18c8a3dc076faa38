"""What every worker does beside its requests: whenever something is new, mend what hangs and offer who waits.

Any number of workers may do so at once; each could do it alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import Unavailable
from callcenter.kernel.randomness import Random
from callcenter.routing.reserving import Reserving
from callcenter.routing.sweeping import Sweeping
from callcenter.routing.values import Limits, Reservation
from callcenter.routing.waking import About, Listener, Subscription
from callcenter.store.database import Database

_log = structlog.get_logger(__name__)

#: Seconds after which a worker looks by itself: no notice is needed for anything to go on.
POLL = 2.0


class Distributor:
    """Distributes the calls that wait.

    Arguments:
        listener: running; it may be without a connection, and then the looks by itself must do.
    """

    def __init__(
        self, database: Database, clock: Clock, random: Random, listener: Listener, limits: Limits | None = None
    ) -> None:
        self._clock = clock
        self._listener = listener
        self._reserving = Reserving(database, random, limits)
        self._sweeping = Sweeping(database, limits)

    async def once(self) -> list[Reservation]:
        """Mend what hangs, and offer who waits."""
        await self._sweeping.sweep(self._clock.now())
        return await self._reserving.reserve(self._clock.now())

    @asynccontextmanager
    async def running(self, poll: float = POLL) -> AsyncIterator[None]:
        """Do so for as long as the body runs.

        Arguments:
            poll: seconds between looks without a notice.
        """
        with self._listener.subscribed() as news:
            task = asyncio.create_task(self._run(news, poll))
            try:
                yield
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _run(self, news: Subscription, poll: float) -> None:
        loop = asyncio.get_running_loop()
        sweep_at = loop.time()
        while True:
            try:
                if loop.time() >= sweep_at:
                    sweep_at = loop.time() + poll
                    await self._sweeping.sweep(self._clock.now())
                await self._reserving.reserve(self._clock.now())
            except Unavailable as error:
                _log.warning("distribution_waits", error=type(error).__name__)
                await asyncio.sleep(poll)
            await self._queue_is_new(news, poll)

    @staticmethod
    async def _queue_is_new(news: Subscription, poll: float) -> None:
        """Return when a queue has news, or it is time to look without."""
        loop = asyncio.get_running_loop()
        until = loop.time() + poll
        while (left := until - loop.time()) > 0:
            if any(waking.about is About.QUEUE for waking in await news.wait(left)):
                return
