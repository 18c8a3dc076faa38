"""What every worker does beside its requests: whenever something is new, mend what hangs and offer who waits.

Any number of workers may do so at once; each could do it alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from callcenter.kernel.clock import Clock
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
        offered: told of each offer that this worker has made, once it stands; what it raises is logged.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        random: Random,
        listener: Listener,
        limits: Limits | None = None,
        *,
        offered: Callable[[Reservation], Awaitable[None]] | None = None,
    ) -> None:
        self._offered = offered
        self._clock = clock
        self._listener = listener
        self._reserving = Reserving(database, random, limits)
        self._sweeping = Sweeping(database, limits)

    async def once(self) -> list[Reservation]:
        """Mend what hangs, and offer who waits."""
        await self._sweeping.sweep(self._clock.now())
        return await self._reserve()

    async def run(self, poll: float = POLL) -> None:
        """Do so again and again, until the task is cancelled.

        Arguments:
            poll: seconds between looks without a notice.

        Raises:
            Unavailable: the database was; begin again a moment later. Nothing is lost.
        """
        loop = asyncio.get_running_loop()
        with self._listener.subscribed() as news:
            while True:
                await self.once()
                sweep_at = loop.time() + poll
                while (left := sweep_at - loop.time()) > 0:
                    if await self._queue_is_new(news, left):
                        await self._reserve()

    async def _reserve(self) -> list[Reservation]:
        made = await self._reserving.reserve(self._clock.now())
        if self._offered is not None:
            for reservation in made:
                try:
                    await self._offered(reservation)
                except Exception as error:  # the offer runs out, and goes to somebody else
                    _log.warning("offer_not_told", reservation=str(reservation.id), error=type(error).__name__)
        return made

    @staticmethod
    async def _queue_is_new(news: Subscription, seconds: float) -> bool:
        """Wait for news, at most so long; whether they are of a queue."""
        return any(waking.about is About.QUEUE for waking in await news.wait(seconds))
