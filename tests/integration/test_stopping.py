"""STOP and START: written down once, kept practice by practice, in whatever order, however often a job is run."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from callcenter.calls.verifier import SEND_CODE
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import IntegrityError
from callcenter.kernel.randomness import SystemRandom, new_id
from callcenter.notices import stopping
from callcenter.notices.stopping import TextsReceived
from callcenter.practice.demo_file import demo_id
from callcenter.practice.everywhere import PracticesFailed
from callcenter.practice.file import PatientFile
from callcenter.store.database import SET_ROW, Database, DatabaseDown
from callcenter.store.jobs import defer
from callcenter.store.sealed import Sealer

PRACTICES = TILLEULS, PORT = demo_id("practice", "cabinet-des-tilleuls"), demo_id("practice", "maison-de-sante-du-port")
NUMBER, STRANGER, ON_FILE = "+33639980061", "+33639980062", "+33639980001"
FIRST, SECOND, THIRD = (UUID(int=n) for n in (1, 2, 3))

REMINDED = (
    "INSERT INTO reminder_choice (id, practice_id, phone_index, choice, channel, wording, made_at) "
    "VALUES (:id, :practice, :index, 'withdrawn', 'sms', 'x', :at)"
)
CHOICES = "SELECT choice FROM reminder_choice WHERE made_at >= :at ORDER BY made_at"
JOBS = "SELECT args FROM procrastinate_jobs WHERE task_name = 'keep_text_word' ORDER BY id"


@pytest.fixture
def database_name(peopled_name: str) -> str:
    return peopled_name


@pytest.fixture
async def texts(database: Database, sealer: Sealer, clock: DrivenClock) -> TextsReceived:
    """Of two practices that have both been in touch with :data:`NUMBER` about its reminders."""
    for practice in PRACTICES:
        values = {"id": new_id(SystemRandom()), "practice": practice, "at": clock.now() - timedelta(days=9)}
        async with database.practice(practice) as tx:
            index = PatientFile(sealer, practice).phone_index(NUMBER)
            await tx.connection.execute(text(REMINDED), {**values, "index": index})
    return TextsReceived(database, sealer, clock)


async def kept(texts: TextsReceived, practice: UUID = TILLEULS) -> list[str]:
    """What ``practice`` has kept since the fixture, by the time at which it was received."""
    async with texts.database.practice(practice) as tx:
        since = {"at": texts.clock.now() - timedelta(days=1)}
        return list((await tx.connection.execute(text(CHOICES), since)).scalars())


async def house(texts: TextsReceived, statement: str) -> Sequence[Any]:
    async with texts.database.house() as connection:
        return (await connection.execute(text(statement))).scalars().all()


async def test_the_webhook_writes_one_thing_down_however_many_practices_there_are(texts: TextsReceived) -> None:
    await texts.stop(NUMBER, FIRST)
    assert await kept(texts) == []
    assert await house(texts, JOBS) == [{"word": str(FIRST)}], "an opaque identifier and nothing else"
    await texts.keep(FIRST)
    assert [await kept(texts, practice) for practice in PRACTICES] == [["opposed"], ["opposed"]]


async def test_a_code_does_not_wait_behind_stops(texts: TextsReceived, clock: DrivenClock) -> None:
    """Each STOP is looked for in every practice; who waits for a code waits on the telephone."""
    await texts.stop(NUMBER, FIRST)
    clock.advance(stopping.JOB_LOST_AFTER.total_seconds() + 1)
    await texts.settle()
    async with texts.database.house() as connection:
        await defer(connection, SEND_CODE, practice=TILLEULS, challenge=THIRD)
    fetched = "SELECT task_name FROM procrastinate_fetch_job_v2(ARRAY['messages'], NULL)"
    assert await house(texts, fetched) == [SEND_CODE]


async def test_p3_the_same_text_again_has_no_effect_before_or_after(texts: TextsReceived) -> None:
    for _ in range(2):
        await texts.stop(NUMBER, FIRST)
    await texts.keep(FIRST)
    await texts.stop(NUMBER, FIRST)
    await texts.keep(FIRST)
    assert (await kept(texts), len(await house(texts, JOBS))) == (["opposed"], 1)
    async with texts.database.practice(TILLEULS) as tx:
        bodies = (await tx.connection.execute(text("SELECT body FROM audit_record"))).scalars()
        assert [json.loads(body)["event"] for body in bodies].count("reminders.chosen") == 1


async def test_a_job_that_breaks_off_is_run_again_and_keeps_nothing_twice(
    texts: TextsReceived, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It breaks off at the second practice, in the middle of its transaction."""
    real, tries = stopping.note_choice, itertools.count()

    async def breaks(*arguments: Any) -> None:
        if next(tries) == 1:
            raise DatabaseDown
        await real(*arguments)

    monkeypatch.setattr(stopping, "note_choice", breaks)
    await texts.stop(NUMBER, FIRST)
    with pytest.raises(DatabaseDown):
        await texts.keep(FIRST)
    assert sorted([await kept(texts, practice) for practice in PRACTICES]) == [[], ["opposed"]]
    await texts.keep(FIRST)
    assert [await kept(texts, practice) for practice in PRACTICES] == [["opposed"], ["opposed"]]


async def test_a_practice_that_cannot_keep_it_keeps_no_other_from_it(
    texts: TextsReceived, monkeypatch: pytest.MonkeyPatch, clock: DrivenClock
) -> None:
    """It fails at the first practice, which keeps it from the job that it is given later."""
    real, tries = stopping.note_choice, itertools.count()

    async def fails(*arguments: Any) -> None:
        if next(tries) == 0:
            raise ValueError("a damaged row")
        await real(*arguments)

    monkeypatch.setattr(stopping, "note_choice", fails)
    await texts.stop(NUMBER, FIRST)
    with pytest.raises(PracticesFailed):
        await texts.keep(FIRST)
    assert sorted([await kept(texts, practice) for practice in PRACTICES]) == [[], ["opposed"]]
    clock.advance(stopping.JOB_LOST_AFTER.total_seconds() + 1)
    await texts.settle()
    assert len(await house(texts, JOBS)) == 2
    await texts.keep(FIRST)
    assert [await kept(texts, practice) for practice in PRACTICES] == [["opposed"], ["opposed"]]


@pytest.mark.parametrize("order", list(itertools.permutations((FIRST, SECOND, THIRD))))
async def test_what_was_received_last_holds_in_whatever_order_jobs_run(
    texts: TextsReceived, clock: DrivenClock, order: tuple[UUID, ...]
) -> None:
    for receive, message in ((texts.stop, FIRST), (texts.start, SECOND), (texts.stop, THIRD)):
        await receive(NUMBER, message)
        clock.advance(60)
    for word in order:
        await texts.keep(word)
    assert await kept(texts) == ["opposed", "withdrawn", "opposed"]


async def test_p5_the_number_of_a_stop_is_seen_only_by_whoever_names_its_row(texts: TextsReceived) -> None:
    await texts.stop(NUMBER, FIRST)
    await texts.stop(STRANGER, SECOND)
    query = text("SELECT word_id FROM text_word_number")
    with pytest.raises(DBAPIError):
        await house(texts, "SELECT word_id FROM text_word_number")
    with pytest.raises(DBAPIError):
        async with texts.database.practice(TILLEULS) as tx:
            await tx.connection.execute(query)
    async with texts.database.house() as connection:
        await connection.execute(SET_ROW, {"row": str(SECOND)})
        assert list((await connection.execute(query)).scalars()) == [SECOND]
        move = text("UPDATE text_word_number SET word_id = :third")
        with pytest.raises(DBAPIError):
            await connection.execute(move, {"third": THIRD})


async def test_a_number_moved_to_another_text_does_not_open(texts: TextsReceived, owner_database: Database) -> None:
    await texts.stop(NUMBER, FIRST)
    await texts.stop(STRANGER, SECOND)
    async with owner_database.house() as connection:
        one = "(SELECT number FROM text_word_number ORDER BY word_id LIMIT 1)"
        await connection.execute(text(f"UPDATE text_word_number SET number = {one}"))
    await texts.keep(FIRST)
    with pytest.raises(IntegrityError):
        await texts.keep(SECOND)


async def test_the_number_is_forgotten_once_kept_and_the_text_when_nobody_posts_it_again(
    texts: TextsReceived, owner_database: Database, clock: DrivenClock
) -> None:
    async def left() -> tuple[int, int]:
        async with owner_database.house() as connection:
            counts = [
                (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()
                for table in ("text_word_number", "text_word")
            ]
        return counts[0], counts[1]

    await texts.stop(NUMBER, FIRST)
    assert await left() == (1, 1)
    await texts.keep(FIRST)
    assert await left() == (0, 1)
    clock.advance(timedelta(hours=24).total_seconds())
    await texts.settle()
    assert await left() == (0, 1)
    clock.advance(timedelta(hours=2).total_seconds())
    await texts.settle()
    assert await left() == (0, 0)


async def test_a_stop_that_has_lost_its_job_is_given_another(texts: TextsReceived, clock: DrivenClock) -> None:
    await texts.stop(NUMBER, FIRST)
    await texts.settle()
    assert len(await house(texts, JOBS)) == 1
    clock.advance(timedelta(minutes=31).total_seconds())
    await texts.settle()
    assert await house(texts, JOBS) == [{"word": str(FIRST)}] * 2
    await texts.keep(FIRST)
    await texts.settle()
    assert len(await house(texts, JOBS)) == 2


async def test_a_stop_counts_wherever_the_number_is_on_file_though_no_reminder_went_there(texts: TextsReceived) -> None:
    """After a code, or after « renvoyer le rappel » : Jeanne is a patient of one practice of the two."""
    await texts.stop(ON_FILE, FIRST)
    await texts.keep(FIRST)
    assert [await kept(texts, practice) for practice in PRACTICES] == [["opposed"], []]


async def test_whoever_was_never_in_touch_leaves_no_trace_at_a_practice(texts: TextsReceived) -> None:
    await texts.stop(STRANGER, FIRST)
    await texts.keep(FIRST)
    assert [await kept(texts, practice) for practice in PRACTICES] == [[], []]
