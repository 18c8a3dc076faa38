"""What waits for somebody, counted on the house: what they may see, and nobody else's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from callcenter.app.by_home import StaffWaiting
from callcenter.console.home_ports import Waits
from callcenter.console.inbox_ports import Act
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import Forbidden
from callcenter.kernel.randomness import SeededRandom
from callcenter.staff.values import Role
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer
from tests.integration.mailroom import BY, CLAIRE, NADIA, TILLEULS, mailroom

START = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


async def test_messages_and_follow_ups_are_counted_for_whoever_they_are_for(database: Database, sealer: Sealer) -> None:
    clock = DrivenClock(START)
    async with mailroom(database, sealer, clock, SeededRandom(14)) as room:
        waiting = StaffWaiting(room.room, database, sealer, clock)
        claire, nadia, operator = await room.doctor(), await room.doctor(NADIA), await room.operator()
        for whom in (CLAIRE, CLAIRE, NADIA):
            read = await room.left(whom, text="Ordonnance")
        to_do = await room.left(None, text="Rappeler")
        assert await waiting.waits(claire.token) == Waits(messages=2)
        assert await waiting.waits(nadia.token) == Waits(messages=1)
        assert await waiting.waits(operator.token) == Waits(follow_ups=1)
        await room.inboxes.open(nadia.token, TILLEULS, read, None)
        assert await waiting.waits(nadia.token) == Waits(), "it was read"
        await room.inboxes.take(operator.token, TILLEULS, to_do)
        await room.inboxes.leave(operator.token, TILLEULS, to_do, Act.FINISH)
        assert await waiting.waits(operator.token) == Waits()
        with pytest.raises(Forbidden):
            await waiting.waits("no session")


async def test_p5_nothing_of_a_practice_that_was_taken_away_is_counted(database: Database, sealer: Sealer) -> None:
    clock = DrivenClock(START)
    async with mailroom(database, sealer, clock, SeededRandom(14)) as room:
        waiting = StaffWaiting(room.room, database, sealer, clock)
        operator = await room.operator()
        await room.left(None, text="Rappeler")
        assert (await waiting.waits(operator.token)).follow_ups == 1
        await room.room.administration.take(operator.account, Role.OPERATOR, room.whole, BY)
        assert await waiting.waits(operator.token) == Waits()
