"""A call's own time: what waits in it, what passes in it, and who is told when something changed.

All legs of one conversation share a timeline. In a *live* one, time is the machine's. In a *scripted* one nothing
sleeps: speech advances time at once, and a wait lasts until its bell rings or the driver advances time beyond it.
A leg is *busy* unless it waits; a conversation has settled when none of its legs is busy.

Conversations that meet, as two calls do in a queue or a conference, are one from then on: time passes in both at the
same pace, and both settle together. Each goes on counting its own seconds from its own beginning.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Literal

from callcenter.emulator.settings import CallClock

Pace = Literal["live", "scripted"]


class Changes:
    """A number that grows with every change, and a way to wait for it to grow."""

    def __init__(self) -> None:
        self.revision = 0
        self._event = asyncio.Event()
        self._above: list[Changes] = []

    def lead_to(self, above: Changes) -> None:
        """What changes here is a change there too."""
        self._above.append(above)

    def notify(self) -> None:
        """Something changed."""
        self.revision += 1
        self._event.set()
        self._event = asyncio.Event()
        for above in self._above:
            above.notify()

    async def beyond(self, revision: int, seconds: float) -> None:
        """Return when the revision is beyond the given one, or after some real seconds."""
        if self.revision > revision:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return


class Bell:
    """Rung for one leg when it should look again at what it waits for."""

    def __init__(self) -> None:
        self._rung = False
        self._waiter: _Waiter | None = None

    def ring(self) -> None:
        """Wake the waiting leg, or the next wait."""
        if self._waiter is not None:
            self._waiter.wake(woken=True)
        else:
            self._rung = True

    def clear(self) -> None:
        """Forget a ring that nobody waited for."""
        self._rung = False

    def take(self, waiter: _Waiter) -> bool:
        """Wait with this waiter, unless the bell was rung already."""
        if self._rung:
            self._rung = False
            return False
        self._waiter = waiter
        return True

    def release(self) -> None:
        """Nobody waits any more."""
        self._waiter = None


@dataclass(eq=False, slots=True)
class _Waiter:
    """One wait; ``until`` is in the seconds that all who met share."""

    timeline: Timeline
    until: float | None
    idle: bool
    future: asyncio.Future[bool] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def wake(self, *, woken: bool) -> None:
        if not self.future.done():
            self.timeline.forget(self)
            self.future.set_result(woken)


@dataclass(eq=False, slots=True)
class _Shared:
    """What conversations that have met have in common.

    Arguments:
        busy: legs that do not wait.
        elapsed, target: where time is, and where its driver wants it; only scripted ones have it here.
        members: conversations with legs in them.
    """

    busy: int = 0
    elapsed: float = 0.0
    target: float = 0.0
    waiters: list[_Waiter] = field(default_factory=list)
    members: list[Timeline] = field(default_factory=list)


class Timeline(ABC):
    """The time of one conversation, in seconds since it began."""

    pace: Pace

    def __init__(self) -> None:
        self.changes = Changes()
        self._legs = 0
        self.offset = 0.0  # where it began, in shared seconds
        self.shared = _Shared()

    @property
    def settled(self) -> bool:
        """Whether every leg waits or has ended."""
        return self.shared.busy == 0

    def meet(self, other: Timeline) -> None:
        """Be one conversation with another one from now on; of two paces, each keeps its own."""
        ours, theirs = self.shared, other.shared
        if ours is theirs or self.pace != other.pace:
            return
        lag = ours.elapsed - theirs.elapsed
        for waiter in theirs.waiters:
            if waiter.until is not None:
                waiter.until += lag
        for member in {other, *theirs.members}:
            member.offset += lag
            member.shared = ours
        ours.busy += theirs.busy
        ours.target = max(ours.target, theirs.target + lag)
        ours.waiters += theirs.waiters
        ours.members += theirs.members
        self._quiet()

    @property
    @abstractmethod
    def elapsed(self) -> float:
        """Seconds since the conversation began."""

    def enter(self) -> None:
        """A leg begins."""
        if not self._legs:
            self.shared.members.append(self)
        self._legs += 1
        self.shared.busy += 1

    def leave(self) -> None:
        """A leg has ended."""
        self._legs -= 1
        if not self._legs:
            self.shared.members.remove(self)
        self.shared.busy -= 1
        self._quiet()

    async def wait(self, bell: Bell, until: float | None) -> bool:
        """Wait for the bell, or until a time of the call; True when the bell rang."""
        return await self._wait(bell, until, idle=True)

    @abstractmethod
    async def spend(self, seconds: float, bell: Bell) -> bool:
        """Let speech or silence last; True when the bell cut it short."""

    def forget(self, waiter: _Waiter) -> None:
        """A wait is over."""
        shared = self.shared
        if waiter in shared.waiters:
            shared.waiters.remove(waiter)
            shared.busy += waiter.idle
            self.changes.notify()

    async def _wait(self, bell: Bell, until: float | None, *, idle: bool) -> bool:
        waiter = _Waiter(self, until + self.offset if until is not None else None, idle)
        if not bell.take(waiter):
            return True
        self.shared.waiters.append(waiter)
        self.shared.busy -= idle
        try:
            self._arm(waiter)
            self._quiet()
            return await waiter.future
        finally:
            self.forget(waiter)
            bell.release()

    @abstractmethod
    def _arm(self, waiter: _Waiter) -> None:
        """Prepare a wait to expire."""

    def _quiet(self) -> None:
        """A leg is not busy any more."""
        self.changes.notify()
        for member in self.shared.members:
            if member is not self:
                member.changes.notify()


class LiveTimeline(Timeline):
    """Time is the machine's."""

    pace: Pace = "live"

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()

    @property
    def elapsed(self) -> float:
        return self._loop.time() - self._began

    async def spend(self, seconds: float, bell: Bell) -> bool:
        return await self._wait(bell, self.elapsed + seconds, idle=False)

    def _arm(self, waiter: _Waiter) -> None:
        if waiter.until is not None:
            handle = self._loop.call_at(self._began + waiter.until, lambda: waiter.wake(woken=False))
            waiter.future.add_done_callback(lambda _: handle.cancel())


class ScriptedTimeline(Timeline):
    """Time passes only by speech and by its driver.

    Arguments:
        clock: a clock that goes forward with it, if any.
    """

    pace: Pace = "scripted"

    def __init__(self, clock: CallClock | None = None) -> None:
        super().__init__()
        self._clock = clock

    @property
    def elapsed(self) -> float:
        return self.shared.elapsed - self.offset

    def advance(self, seconds: float) -> None:
        """Let time pass: waits that end within it end in their order, and what follows them happens meanwhile."""
        shared = self.shared
        shared.target = max(shared.target, shared.elapsed) + seconds
        self._quiet()

    async def spend(self, seconds: float, bell: Bell) -> bool:
        self._move_to(self.shared.elapsed + seconds)
        await asyncio.sleep(0)  # others get their turn in a long document
        return False

    def _arm(self, waiter: _Waiter) -> None:
        """Nothing to do: the driver's advances find it."""

    def _quiet(self) -> None:
        shared = self.shared
        if not shared.busy:
            timed = [waiter for waiter in shared.waiters if waiter.until is not None]
            due = min(timed, key=lambda waiter: waiter.until or 0.0, default=None)
            if due is not None and (due.until or 0.0) <= max(shared.target, shared.elapsed):
                self._move_to(due.until or 0.0)
                due.wake(woken=False)
            else:
                self._move_to(shared.target)
        super()._quiet()

    def _move_to(self, moment: float) -> None:
        shared = self.shared
        if moment > shared.elapsed:
            if self._clock is not None:
                self._clock.advance(moment - shared.elapsed)
            shared.elapsed = moment
