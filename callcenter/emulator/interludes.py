"""What a leg hears until something else becomes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Generic, TypeVar

from callcenter.emulator.calls import Call

Result = TypeVar("Result")


class Interlude(Generic[Result]):
    """A program on a leg that may be cut short from outside, while the leg itself goes on.

    Arguments:
        call: the leg.
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self._task: asyncio.Task[Result] | None = None
        self.was_cut = False

    async def run(self, program: Coroutine[None, None, Result]) -> Result | None:
        """Run it; None when it was cut short."""
        if self.was_cut:
            program.close()
            return None
        self._task = asyncio.ensure_future(program)
        try:
            result = await self._task
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if not self.was_cut or self._call.interrupted or (current is not None and current.cancelling()):
                raise
            result = None
        if self.was_cut:
            self._call.bell.clear()
        return None if self.was_cut else result

    def cut(self) -> None:
        """Cut it short: the leg is busy from now on, not only when its task gets its turn."""
        self.was_cut = True
        self._call.bell.ring()
        if self._task is not None:
            self._task.cancel()
