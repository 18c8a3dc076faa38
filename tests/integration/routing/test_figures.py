"""The queue in figures: who waits, for how long, who is there, who is to be rung back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from callcenter.routing.figures import Figures, figures
from callcenter.routing.values import PresenceState
from tests.integration.routing.floor import Floor


@pytest.fixture
async def practice(floor: Floor) -> UUID:
    return await floor.practice()


async def seen(floor: Floor) -> Figures:
    async with floor.database.house() as connection:
        return await figures(connection, floor.clock.now())


async def test_an_empty_house_has_no_figures(floor: Floor) -> None:
    assert await seen(floor) == Figures(0, timedelta(), {}, 0, 0)


async def test_who_waits_is_counted_until_somebody_has_taken_the_call(floor: Floor, practice: UUID) -> None:
    overflow: dict[str, Any] = {"overflow_at": floor.clock.now() + timedelta(seconds=25)}
    first = await floor.waits(practice, **overflow)
    floor.clock.advance(30)
    await floor.waits(practice)
    assert await seen(floor) == Figures(2, timedelta(seconds=30), {}, 0, 1)
    await floor.do(floor.queue.ask_callback, first)
    assert await seen(floor) == Figures(1, timedelta(), {}, 1, 0)
    await floor.operator(practice)
    busy = await floor.operator(practice)
    await floor.moves(busy, PresenceState.LUNCH)
    await floor.talk()
    found = await seen(floor)
    assert (found.operators, found.on_duty) == ({PresenceState.ON_CALL: 1, PresenceState.LUNCH: 1}, 2)
    assert (found.waiting, found.callbacks) == (1, 0), "the callback came first, and somebody has it"
