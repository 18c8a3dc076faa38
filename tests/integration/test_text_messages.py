"""What became of a text message: kept once, forward only, whichever worker is told."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta
from uuid import UUID

import pytest

from callcenter.calls.text_messages import Moved, TextMessages
from callcenter.kernel.clock import DrivenClock
from callcenter.store.database import Database
from callcenter.telephony.ports import MessageStatus

SID, CHALLENGE = "SM" + "0" * 32, UUID("11111111-2222-4333-8444-555555555555")


async def told(texts: TextMessages, *statuses: MessageStatus) -> list[MessageStatus]:
    """Which of ``statuses``, told in this order, were news."""
    return [status for status in statuses if await texts.moved(SID, status.value, status.rank, None) is not None]


@pytest.fixture
def texts(database: Database, clock: DrivenClock) -> TextMessages:
    return TextMessages(database, clock)


async def test_p3_a_status_that_is_repeated_is_no_news(texts: TextMessages) -> None:
    sent, undelivered = MessageStatus.SENT, MessageStatus.UNDELIVERED
    assert await told(texts, sent, sent, undelivered, undelivered) == [sent, undelivered]


@pytest.mark.parametrize("end", ["delivered", "undelivered", "failed", "canceled", "partially_delivered"])
async def test_nothing_comes_after_an_end(texts: TextMessages, end: str) -> None:
    others = [status for status in MessageStatus if status is not MessageStatus.READ]
    assert await told(texts, MessageStatus(end), *others) == [MessageStatus(end)]


async def test_a_message_is_read_after_it_was_delivered(texts: TextMessages) -> None:
    delivered, read = MessageStatus.DELIVERED, MessageStatus.READ
    assert await told(texts, delivered, read, delivered) == [delivered, read]


async def test_callbacks_out_of_order_only_move_forward(texts: TextMessages) -> None:
    for order in itertools.permutations([MessageStatus.QUEUED, MessageStatus.SENT, MessageStatus.DELIVERED]):
        async with texts.database.house() as connection:
            await connection.exec_driver_sql("DELETE FROM text_message")
        news = await told(texts, *order)
        assert news == sorted(news, key=lambda status: status.rank)
        assert news[-1] is MessageStatus.DELIVERED


async def test_two_workers_that_are_told_the_same_at_once_count_it_once(texts: TextMessages) -> None:
    failed = MessageStatus.FAILED
    both = await asyncio.gather(*(texts.moved(SID, failed.value, failed.rank, 30003) for _ in range(2)))
    assert sorted(both, key=str) == [Moved(None), None]


async def test_a_status_leads_back_to_the_challenge_whose_code_it_was(texts: TextMessages) -> None:
    await texts.sent(SID, CHALLENGE)
    assert await texts.moved(SID, "undelivered", MessageStatus.UNDELIVERED.rank, 30003) == Moved(CHALLENGE)


async def test_a_carrier_that_tells_before_we_have_written_it_down_takes_nothing_back(texts: TextMessages) -> None:
    assert await told(texts, MessageStatus.SENT) == [MessageStatus.SENT]
    await texts.sent(SID, CHALLENGE)
    assert await told(texts, MessageStatus.SENT) == []
    assert await texts.moved(SID, "delivered", MessageStatus.DELIVERED.rank, None) == Moved(CHALLENGE)


async def test_it_is_forgotten_with_the_challenge(texts: TextMessages, clock: DrivenClock) -> None:
    from callcenter.calls.upkeep import CHALLENGES_KEPT, Upkeep

    await texts.sent(SID, CHALLENGE)
    upkeep = Upkeep(texts.database, clock, None, None)  # type: ignore[arg-type]  # neither is asked when forgetting
    clock.advance((CHALLENGES_KEPT - timedelta(seconds=1)).total_seconds())
    assert await upkeep.forget() == 0
    clock.advance(2)
    assert await upkeep.forget() == 1
