"""Bells for pages: what is new in routing, told to whoever it concerns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy import text

from callcenter.routing.waking import About, Listener, Waking
from callcenter.store.database import Database

#: Seconds that what is new in a queue may wait, so that a busy one does not make every page look at each of its steps;
#: what concerns somebody themselves is told at once.
SOON = 2.0


class _Bell:
    def __init__(self, listener: Listener, soon: float) -> None:
        self._listener = listener
        self._soon = soon
        self._rung = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    def ring(self) -> None:
        self.still()
        self._rung.set()

    def ring_soon(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._soon, self.ring)

    def still(self) -> None:
        """Ring no more by itself."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def rung(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            return not self._listener.is_listening  # nothing is heard: so look
        self._rung.clear()
        return True


class RoutingBells:
    """Rings for what is new in routing. Implements ``console.workplace_ports.Bells``.

    One reader hears for all pages, so that a page costs an event and not a queue of notices.
    """

    def __init__(self, listener: Listener, database: Database, *, soon: float = SOON) -> None:
        self._listener = listener
        self._database = database
        self._soon = soon
        self._bells: dict[Waking, set[_Bell]] = {}

    @asynccontextmanager
    async def of(self, staff: UUID) -> AsyncIterator[_Bell]:
        async with self._database.house() as connection:
            organisation = (await connection.execute(_ORGANISATION, {"staff": staff})).scalar_one()
        bell, concerns = (
            _Bell(self._listener, self._soon),
            (Waking(About.STAFF, staff), Waking(About.QUEUE, organisation)),
        )
        for waking in concerns:
            self._bells.setdefault(waking, set()).add(bell)
        try:
            yield bell
        finally:
            bell.still()
            for waking in concerns:
                self._bells[waking].discard(bell)
                if not self._bells[waking]:
                    del self._bells[waking]

    async def run(self) -> None:
        """Hear, until the task is cancelled."""
        with self._listener.subscribed() as news:
            while True:
                for waking in await news.wait(60.0):
                    for bell in self._bells.get(waking, ()):
                        if waking.about is About.STAFF:
                            bell.ring()
                        else:
                            bell.ring_soon()


_ORGANISATION = text("SELECT organisation_id FROM staff_account WHERE id = :staff")
