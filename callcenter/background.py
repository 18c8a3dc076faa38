"""Work that goes on beside the listeners, survives its own errors, and ends when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog

from callcenter.telephony.alerts import AlertKind, Alerts, failure

_log = structlog.get_logger(__name__)


async def keep_going(
    work: Callable[[], Awaitable[None]], alerts: Alerts, kind: AlertKind, *, seconds: float, pause: float = 0
) -> None:
    """Do ``work`` for as long as we live: whatever it raises is an alert, and it is done again.

    Arguments:
        kind: of the alert.
        seconds: between one time and the next.
        pause: seconds before the first time.
    """
    await asyncio.sleep(pause)
    while True:
        try:
            await work()
        except Exception as error:
            if not being_cancelled():
                alerts.failed(kind, error)
        if being_cancelled():  # the work may have lost the word that it is to end
            return
        await asyncio.sleep(seconds)


def being_cancelled() -> bool:
    """Whether this task is to end, even where an error has taken the place of its cancellation."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


@asynccontextmanager
async def in_background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run ``work`` beside the body, and end it after it; an error of its own does not become the body's."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("background_work_failed", **failure(error))
