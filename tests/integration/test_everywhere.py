"""Work that is done for every practice: what fails for one fails for nobody else, and does not go unnoticed."""

from __future__ import annotations

from uuid import UUID

import pytest

from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom
from callcenter.practice.demo import seed
from callcenter.practice.everywhere import PracticesFailed, all_practices, in_each
from callcenter.store.database import Database, DatabaseDown
from callcenter.store.keys import Keyring
from callcenter.store.sealed import Sealer


@pytest.fixture
async def practices(database: Database, keyring: Keyring, clock: DrivenClock, random: SeededRandom) -> list[UUID]:
    await seed(database, Sealer(keyring, random), clock, random)
    return await all_practices(database)


async def test_what_fails_for_one_practice_is_done_for_the_others(database: Database, practices: list[UUID]) -> None:
    done: list[UUID] = []

    async def work(practice: UUID) -> int:
        if practice == practices[0]:
            raise ValueError("a damaged row")
        done.append(practice)
        return 1

    with pytest.raises(PracticesFailed, match="for 1 practices: look for practice_failed"):
        await in_each(database, work)
    assert done == practices[1:] != []


async def test_a_database_that_is_down_is_down_for_all(database: Database, practices: list[UUID]) -> None:
    tried: list[UUID] = []

    async def work(practice: UUID) -> int:
        tried.append(practice)
        raise DatabaseDown

    with pytest.raises(DatabaseDown):
        await in_each(database, work)
    assert tried == practices[:1]
