"""Who waits for whom while slots are offered: callers of one practitioner, and calls of one number; nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import text

from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom, new_id
from callcenter.practice.demo_file import demo_id
from callcenter.practice.directory import Directory
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.free_slots import BookablePractitioner, FreeSlots, OfferedTo
from callcenter.store.database import Database, DatabaseDown, Transaction
from callcenter.store.sealed import Sealer

TILLEULS = demo_id("practice", "cabinet-des-tilleuls")
ONE, ANOTHER = "+33639980071", "+33639980072"
CALL = "INSERT INTO call (id, practice_id, carrier_sid, status, started_at) VALUES (:id, :practice, :sid, 3, :now)"


@dataclass(frozen=True)
class Ground:
    """The demonstration, and who can be booked there."""

    database: Database
    slots: FreeSlots
    facts: PracticeFacts
    doctors: Mapping[str, BookablePractitioner]
    clock: DrivenClock
    random: SeededRandom

    async def offers(self, tx: Transaction, number: str | None, doctor: str) -> bool:
        call: UUID = new_id(self.random)
        values = {"id": call, "practice": TILLEULS, "sid": f"CA{call.hex}", "now": self.clock.now()}
        await tx.connection.execute(text(CALL), values)
        to = OfferedTo(call, number)
        return await self.slots.offer(tx, self.facts, to, self.doctors[doctor], self.clock.now()) is not None

    async def offers_meanwhile(self, number: str | None, doctor: str) -> bool:
        """On a connection of its own; whoever would have to wait is told so at once."""
        async with self.database.practice(TILLEULS) as tx:
            await tx.connection.execute(text("SET LOCAL lock_timeout = '50ms'"))
            return await self.offers(tx, number, doctor)


@pytest.fixture
def database_name(peopled_name: str) -> str:
    return peopled_name


@pytest.fixture
async def ground(database: Database, sealer: Sealer, clock: DrivenClock, random: SeededRandom) -> Ground:
    slots = FreeSlots(sealer)
    async with database.house() as connection:
        facts = await Directory.facts(connection, TILLEULS, clock.now())
    async with database.practice(TILLEULS) as tx:
        doctors = {one.name: one for one in await slots.practitioners(tx, facts)}
    return Ground(database, slots, facts, doctors, clock, random)


MOREAU, LEFEVRE = "Dr Claire Moreau", "Dr Antoine Lefèvre"


async def test_callers_of_two_practitioners_do_not_wait_for_one_another(ground: Ground) -> None:
    async with ground.database.practice(TILLEULS) as tx:
        assert await ground.offers(tx, ONE, MOREAU)
        assert await ground.offers_meanwhile(ANOTHER, LEFEVRE)
        assert await ground.offers_meanwhile(None, LEFEVRE)


@pytest.mark.parametrize(
    ("first", "second"),
    [((ONE, MOREAU), (ANOTHER, MOREAU)), ((ONE, MOREAU), (ONE, LEFEVRE)), ((None, MOREAU), (None, LEFEVRE))],
    ids=["of one practitioner", "of one number", "of no number"],
)
async def test_slots_of_one_practitioner_or_for_one_number_are_given_one_after_the_other(
    ground: Ground, first: tuple[str | None, str], second: tuple[str | None, str]
) -> None:
    async with ground.database.practice(TILLEULS) as tx:
        assert await ground.offers(tx, *first)
        with pytest.raises(DatabaseDown):
            await ground.offers_meanwhile(*second)
    assert await ground.offers_meanwhile(*second)


async def test_a_hold_that_is_over_counts_no_more_whosever_slot_it_was(ground: Ground) -> None:
    for _ in range(ground.facts.booking.open_per_caller):
        assert await ground.offers_meanwhile(ONE, MOREAU)
    assert not await ground.offers_meanwhile(ONE, LEFEVRE)
    ground.clock.advance(301)
    assert await ground.offers_meanwhile(ONE, LEFEVRE)
