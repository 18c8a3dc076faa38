"""Waking other workers and pages: LISTEN and NOTIFY, for events of queues, consoles and flows only.

A notice says that something is new, never what; whoever is woken looks into the database. One that is lost costs a few
seconds: everybody who listens looks by themselves every now and then.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

_log = structlog.get_logger(__name__)

CHANNEL = "callcenter_routing"
#: Sent over a connection that only listens, to find out whether it is still one.
PULSE = "SELECT 1"
#: Notices that a reader may lag behind; the oldest are dropped first, since each is only a reason to look.
BACKLOG = 1_000


class About(StrEnum):
    """What is new: a queue of an organisation, what concerns one of its staff, a call, or the flows of the house."""

    QUEUE = "queue"
    STAFF = "staff"
    CALL = "call"
    FLOWS = "flows"


@dataclass(frozen=True, slots=True)
class Waking:
    """Something is new about ``id``: an organisation, one of its staff, a call, or the flows (always the same one)."""

    about: About
    id: UUID

    def __str__(self) -> str:
        return f"{self.about.value}:{self.id}"

    @classmethod
    def read(cls, payload: str) -> Waking | None:
        """What a payload says; ``None`` for one that is not ours."""
        about, _, identifier = payload.partition(":")
        try:
            return cls(About(about), UUID(identifier))
        except ValueError:
            return None


async def wake(connection: AsyncConnection, *wakings: Waking) -> None:
    """Tell everybody who listens, once the transaction of ``connection`` has committed."""
    await connection.execute(_NOTIFY, {"channel": CHANNEL, "payloads": [str(waking) for waking in wakings]})


_NOTIFY = text("SELECT pg_notify(:channel, payload) FROM unnest(cast(:payloads AS text[])) payload")


class Subscription:
    """What one reader has not read yet. Made by :meth:`Listener.subscribed`."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[Waking] = asyncio.Queue(BACKLOG)

    def put(self, waking: Waking) -> None:
        """Hand it to the reader; the oldest goes when they lag behind."""
        if self._waiting.full():
            self._waiting.get_nowait()
        self._waiting.put_nowait(waking)

    async def wait(self, seconds: float) -> list[Waking]:
        """What has come, without repetitions; nothing when ``seconds`` have passed without any."""
        try:
            async with asyncio.timeout(seconds):
                found = [await self._waiting.get()]
        except TimeoutError:
            return []
        while not self._waiting.empty():
            found.append(self._waiting.get_nowait())
        return list(dict.fromkeys(found))


class Listener:
    """Listens on a connection of its own, and comes back when that is lost.

    Arguments:
        url: SQLAlchemy URL (``postgresql+asyncpg``), as the app role.
        patience: seconds between tries to connect, and between looks whether the connection still stands.
    """

    def __init__(self, url: str, *, patience: float = 2.0) -> None:
        self._engine = create_async_engine(
            url,
            poolclass=NullPool,
            hide_parameters=True,
            isolation_level="AUTOCOMMIT",
            connect_args={"timeout": 3, "server_settings": {"application_name": "callcenter-listener"}},
        )
        self._patience = patience
        self._readers: set[Subscription] = set()
        self._listening = asyncio.Event()

    @contextmanager
    def subscribed(self) -> Iterator[Subscription]:
        """Everything that comes from now on."""
        reader = Subscription()
        self._readers.add(reader)
        try:
            yield reader
        finally:
            self._readers.discard(reader)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen for as long as the body runs. A database that is down keeps nobody waiting."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self._engine.dispose()

    @property
    def is_listening(self) -> bool:
        """Whether notices arrive at this moment."""
        return self._listening.is_set()

    async def listening(self) -> None:
        """Return once notices arrive."""
        await self._listening.wait()

    async def _run(self) -> None:
        while True:
            try:
                await self._listen()
            except Exception as error:  # whatever it was: without a listener there are still the looks by oneself
                _log.warning("listener_lost", error=type(error).__name__)
            finally:
                self._listening.clear()
            await asyncio.sleep(self._patience)

    async def _listen(self) -> None:
        async with self._engine.connect() as connection:
            raw = await connection.get_raw_connection()
            driver: Any = raw.driver_connection
            await driver.add_listener(CHANNEL, self._heard)
            self._listening.set()
            while True:  # a connection that has died without a word is found so
                await asyncio.sleep(self._patience)
                await connection.execute(text(PULSE))

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: str) -> None:
        if waking := Waking.read(payload):
            for reader in self._readers:
                reader.put(waking)
