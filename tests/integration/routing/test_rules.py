"""What an organisation chooses about its queue, by two people at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import uuid4

from sqlalchemy import text

from callcenter.routing.rules import Rule, choose_rule, rule_of, rule_to_change
from callcenter.routing.values import Strategy
from tests.integration.routing.floor import Floor


async def test_of_two_first_choices_at_once_none_is_lost(floor: Floor) -> None:
    """Each changes what the other leaves as it is; the one waits for the other, where no row stood to be held."""
    organisation, held, waiting = uuid4(), asyncio.Event(), asyncio.Event()

    async def strategy() -> None:
        async with floor.database.house() as connection:
            before = await rule_to_change(connection, organisation)
            held.set()
            await waiting.wait()
            await choose_rule(connection, organisation, replace(before, strategy=Strategy.ROUND_ROBIN))

    async def wrap_up() -> None:
        await held.wait()
        async with floor.database.house() as connection:
            chosen = asyncio.ensure_future(rule_to_change(connection, organisation))
            async with floor.database.house() as looking:
                while not chosen.done() and not (await looking.execute(_WAITS)).scalar_one():
                    await asyncio.sleep(0.01)
            waiting.set()
            await choose_rule(connection, organisation, replace(await chosen, wrap_up_seconds=77))

    await floor.run("INSERT INTO organisation (id, name) VALUES (:id, 'Nouveau')", id=organisation)
    async with asyncio.timeout(30):
        await asyncio.gather(strategy(), wrap_up())
    async with floor.database.house() as connection:
        assert await rule_of(connection, organisation) == Rule(Strategy.ROUND_ROBIN, 77)


_WAITS = text("SELECT count(*) > 0 FROM pg_locks WHERE NOT granted")
