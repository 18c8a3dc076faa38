"""Waking across workers: a notice arrives at every listener once its transaction has committed, and never before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from callcenter.kernel.randomness import SeededRandom
from callcenter.routing.distributing import Distributor
from callcenter.routing.values import PresenceState
from callcenter.routing.waking import BACKLOG, CHANNEL, About, Listener, Subscription, Waking, wake
from callcenter.store.database import Database
from callcenter.store.schema import APP
from tests.conftest import Cluster
from tests.integration.routing.conftest import NAME
from tests.integration.routing.floor import Floor

#: Seconds for what must come; nothing takes so long.
PATIENCE = 10.0


@asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.fixture
async def listener(cluster: Cluster, floor: Floor) -> AsyncIterator[Listener]:
    listener = Listener(cluster.server.url(user=APP, database=NAME), patience=0.05)
    async with listener.running(), asyncio.timeout(PATIENCE):
        await listener.listening()
        yield listener


async def test_a_notice_is_heard_after_the_commit_and_not_when_it_is_taken_back(
    floor: Floor, listener: Listener
) -> None:
    kept, taken_back = Waking(About.CALL, uuid4()), Waking(About.CALL, uuid4())
    with listener.subscribed() as one, listener.subscribed() as other:
        async with floor.database.engine.connect() as connection:
            await wake(connection, taken_back)
            await connection.rollback()
        async with floor.database.house() as connection:
            await wake(connection, kept, kept)
        assert [await reader.wait(PATIENCE) for reader in (one, other)] == [[kept], [kept]]
        assert await one.wait(0.0) == []


async def test_an_operator_hears_of_an_offer_and_a_payload_holds_identifiers_alone(
    floor: Floor, listener: Listener, practice: UUID
) -> None:
    operator = await floor.operator(practice)
    with listener.subscribed() as reader:
        call = await floor.waits(practice)
        await floor.offers()
        heard: set[Waking] = set()
        while Waking(About.STAFF, operator) not in heard:
            heard |= set(await reader.wait(PATIENCE))
    assert heard <= {Waking(About.STAFF, operator), Waking(About.QUEUE, floor.organisation), Waking(About.CALL, call)}


async def test_a_listener_whose_connection_is_lost_comes_back(
    floor: Floor, listener: Listener, routing_root: Database
) -> None:
    async with routing_root.house() as connection:
        ended = await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'callcenter-listener' AND datname = current_database()"
            )
        )
        assert ended.scalars().all() == [True]
    waking = Waking(About.QUEUE, floor.organisation)
    with listener.subscribed() as reader:
        async with asyncio.timeout(PATIENCE):
            while not (heard := await reader.wait(0.05)):
                async with floor.database.house() as connection:
                    await wake(connection, waking)
    assert heard == [waking]


async def test_what_is_not_ours_is_not_heard(floor: Floor, listener: Listener) -> None:
    with listener.subscribed() as reader:
        for payload in ("", "queue", "queue:1", f"patient:{uuid4()}"):
            await floor.run("SELECT pg_notify(:channel, :payload)", channel=CHANNEL, payload=payload)
        last = Waking(About.STAFF, uuid4())
        async with floor.database.house() as connection:
            await wake(connection, last)
        assert await reader.wait(PATIENCE) == [last]


async def test_a_reader_who_lags_behind_loses_the_oldest(floor: Floor) -> None:
    reader, wakings = Subscription(), [Waking(About.CALL, uuid4()) for _ in range(BACKLOG + 2)]
    for waking in wakings:
        reader.put(waking)
    assert await reader.wait(0.0) == wakings[2:]


async def test_a_worker_offers_a_call_as_soon_as_it_waits(floor: Floor, listener: Listener, practice: UUID) -> None:
    operator = await floor.operator(practice)
    distributor = Distributor(floor.database, floor.clock, SeededRandom(7), listener, floor.limits)
    async with _beside(distributor.run(poll=3600)), asyncio.timeout(PATIENCE):
        await floor.waits(practice)
        while await floor.state(operator) is not PresenceState.RESERVED:
            await asyncio.sleep(0.01)


async def test_a_worker_without_notices_looks_by_itself(cluster: Cluster, floor: Floor, practice: UUID) -> None:
    operator = await floor.operator(practice)
    deaf = Listener(cluster.server.url(user=APP, database=NAME))
    distributor = Distributor(floor.database, floor.clock, SeededRandom(7), deaf, floor.limits)
    async with _beside(distributor.run(poll=0.05)), asyncio.timeout(PATIENCE):
        await floor.waits(practice)
        while await floor.state(operator) is not PresenceState.RESERVED:
            await asyncio.sleep(0.01)
        floor.clock.advance(floor.limits.offer.total_seconds())
        while await floor.state(operator) is not PresenceState.AVAILABLE:  # it sweeps, too
            await asyncio.sleep(0.01)
