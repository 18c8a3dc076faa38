"""Work that is done for every practice: what fails for one fails for nobody else, and does not go unnoticed."""

from __future__ import annotations

from uuid import UUID

import pytest

from callcenter.practice.everywhere import PracticesFailed, all_practices, in_each
from callcenter.store.database import Database, DatabaseDown


@pytest.fixture
def database_name(peopled_name: str) -> str:
    return peopled_name


@pytest.fixture
async def practices(database: Database) -> list[UUID]:
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
