"""The carrier's list of calls over its REST interface, page by page: of a day there may be tens of thousands.

The list is documented to be bounded by whole days of UTC, so it is asked for those. A page that does not come is asked
for again: to read changes nothing. Who called, and whom, is read of no leg: only the number of ours that was dialled.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from callcenter.calls.carrier_values import ListedCall, ListNotComplete
from callcenter.calls.values import CallStatus
from callcenter.telephony.carrier import CarrierDown
from callcenter.telephony.rest_rooms import Refusal
from callcenter.telephony.webhooks import is_leg

#: The carrier gives no more on a page. Of three days, so many legs are looked at.
CALLS_PER_PAGE, MOST_PAGES = 1000, 500
#: For one page.
TRIES = 3

_INBOUND = "inbound"
_KINDS = frozenset({_INBOUND, "outbound-api", "outbound-dial", "trunking-terminating", "trunking-originating"})


@dataclass(frozen=True, slots=True)
class RestCallList:
    """Implements ``calls.carrier_values.CarrierCalls``.

    Arguments:
        api: the SDK's client, once it is started.
        ask: sends one request; gives a refusal as a value.
        status: how far a leg has come.
        again_after: seconds until a page is asked for again, and twice as many the next time.
    """

    api: Callable[[], Any]
    ask: Callable[[str, Awaitable[Any]], Awaitable[Any]]
    status: Callable[[str], Awaitable[CallStatus | None]]
    again_after: float = 2.0

    async def listed(self, since: date, before: date) -> AsyncIterator[Sequence[ListedCall]]:
        """See :meth:`callcenter.calls.carrier_values.CarrierCalls.listed`."""
        bounds = {"start_time_after": _midnight(since), "start_time_before": _midnight(before)}

        def first() -> Awaitable[Any]:
            asked: Awaitable[Any] = self.api().calls.page_async(**bounds, page_size=CALLS_PER_PAGE)
            return asked

        following: Callable[[], Awaitable[Any]] = first
        for _ in range(MOST_PAGES):
            page, legs = await self._page(following)
            yield legs
            if page.next_page_url is None:
                return
            following = page.next_page_async
        raise ListNotComplete(f"the carrier lists more than {MOST_PAGES * CALLS_PER_PAGE} calls of three days")

    async def call_status(self, sid: str) -> CallStatus | None:
        """See :meth:`callcenter.calls.carrier_values.CarrierCalls.call_status`."""
        return await self.status(sid)

    async def _page(self, following: Callable[[], Awaitable[Any]]) -> tuple[Any, list[ListedCall]]:
        for tried in range(TRIES):
            if tried:
                await asyncio.sleep(self.again_after * 2 ** (tried - 1))
            try:
                answer = await self.ask("calls", _read(following()))
            except CarrierDown:
                if tried + 1 == TRIES:
                    raise
                continue
            if isinstance(answer, tuple):
                return answer
            refusal: Refusal = answer
            raise CarrierDown(f"the carrier does not list calls (code {refusal.code})")
        raise CarrierDown


async def _read(asked: Awaitable[Any]) -> tuple[Any, list[ListedCall]]:
    page = await asked
    return page, [
        listed_call(one.sid, one.direction, one.to, one.start_time or one.date_created, one.end_time) for one in page
    ]


def listed_call(sid: object, direction: object, to: object, began_at: object, ended_at: object) -> ListedCall:
    """One leg of the list.

    Raises:
        CarrierDown: it is described in no way that we know. It is not passed over: it may be the one that matters.
    """
    readable = is_leg(str(sid)) and str(direction) in _KINDS and isinstance(began_at, datetime)
    if not readable or not isinstance(began_at, datetime) or not isinstance(ended_at, datetime | None):
        raise CarrierDown("the carrier lists a call in words that we do not know")
    called = to if isinstance(to, str) and direction == _INBOUND else None
    return ListedCall(str(sid), called, began_at, ended_at)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
