"""An urgent message comes in, and whoever is to be told of it is."""

from __future__ import annotations

import asyncio

from sqlalchemy import text

from callcenter.kernel.randomness import SystemRandom, new_id
from callcenter.notices.addresses import NoticeAddress, NoticeAddresses, NoticeChannel, Rank, Which
from callcenter.practice.inbox import Inbox
from callcenter.practice.values import Urgency
from tests.attack.leak_oracle.premises import Premises

_JOBS = text(
    "SELECT count(*) FROM procrastinate_jobs "
    "WHERE queue_name IN ('notices', 'reminders') AND status IN ('todo', 'doing')"
)


async def sent(house: Premises) -> None:
    """Wait until nothing is left to be sent."""
    async with asyncio.timeout(20):
        while True:
            async with house.running.database.house() as connection:
                if not (await connection.execute(_JOBS)).scalar_one():
                    return
            await asyncio.sleep(0.01)


async def take_a_message(house: Premises) -> None:
    """Somebody leaves an urgent message, of which a telephone and a mailbox are told."""
    facts = next(iter(house.population.practices.values()))
    async with house.running.database.practice(facts.id) as tx:
        addresses = NoticeAddresses(house.running.sealer)
        for channel, address in ((NoticeChannel.SMS, "+33639980099"), (NoticeChannel.EMAIL, "garde@tilleuls.example")):
            one = NoticeAddress(new_id(SystemRandom()), None, Rank.FIRST, channel, Which.ALL, address)
            await addresses.add(tx, one, house.clock.now())
        await Inbox(house.running.sealer).leave(
            tx,
            id=new_id(SystemRandom()),
            reason="prescription",
            number=house.population.strangers[0].callback_number,
            call_reference=None,
            now=house.clock.now(),
            urgency=Urgency.URGENT,
        )
    await sent(house)
