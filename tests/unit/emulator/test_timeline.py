"""A scripted call's time: it passes by speech and by its driver, and waits end in their order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from callcenter.emulator.timeline import Bell, LiveTimeline, ScriptedTimeline


class Clock:
    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


async def turns() -> None:
    """Let every task that can run do so."""
    for _ in range(10):
        await asyncio.sleep(0)


def leg(timeline: ScriptedTimeline, live: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
    timeline.enter()

    async def run() -> None:
        try:
            await live()
        finally:
            timeline.leave()

    return asyncio.ensure_future(run())


async def test_speech_passes_at_once_and_moves_the_shared_clock() -> None:
    clock = Clock()
    timeline = ScriptedTimeline(clock)
    timeline.enter()
    assert not await timeline.spend(12.5, Bell())
    assert timeline.elapsed == 12.5
    assert clock.moment == datetime(2026, 11, 26, 9, 0, 12, 500_000, tzinfo=UTC)


async def test_a_wait_lasts_until_its_driver_goes_beyond_it() -> None:
    timeline, log = ScriptedTimeline(), list[tuple[bool, float]]()

    async def live() -> None:
        log.append((await timeline.wait(Bell(), timeline.elapsed + 5), timeline.elapsed))

    task = leg(timeline, live)
    assert not timeline.settled
    await turns()
    assert timeline.settled
    timeline.advance(4.9)
    await turns()
    assert log == []
    timeline.advance(0.1)
    await task
    assert log == [(False, 5.0)]


async def test_a_bell_ends_a_wait_and_makes_its_leg_busy_at_once() -> None:
    timeline, bell, log = ScriptedTimeline(), Bell(), list[bool]()

    async def live() -> None:
        log.append(await timeline.wait(bell, None))

    task = leg(timeline, live)
    await turns()
    bell.ring()
    assert not timeline.settled
    await task
    assert log == [True]
    assert timeline.settled


async def test_one_advance_goes_through_several_waits_in_their_order() -> None:
    clock = Clock()
    timeline, log = ScriptedTimeline(clock), list[tuple[str, float]]()

    def waits(name: str, seconds: list[float]) -> Callable[[], Awaitable[None]]:
        async def live() -> None:
            for second in seconds:
                await timeline.wait(Bell(), timeline.elapsed + second)
                log.append((name, timeline.elapsed))

        return live

    tasks = [leg(timeline, waits("short", [5, 5, 5])), leg(timeline, waits("long", [12]))]
    await turns()
    timeline.advance(13)
    await turns()
    assert log == [("short", 5.0), ("short", 10.0), ("long", 12.0)]
    assert timeline.elapsed == 13.0
    assert clock.moment == datetime(2026, 11, 26, 9, 0, 13, tzinfo=UTC)
    timeline.advance(2)
    await asyncio.gather(*tasks)
    assert log[-1] == ("short", 15.0)


async def test_speech_after_a_wait_uses_up_what_is_left_of_an_advance() -> None:
    timeline, log = ScriptedTimeline(), list[float]()

    async def live() -> None:
        await timeline.wait(Bell(), 5)
        await timeline.spend(10, Bell())
        await timeline.wait(Bell(), timeline.elapsed + 1)
        log.append(timeline.elapsed)

    task = leg(timeline, live)
    await turns()
    timeline.advance(12)
    await turns()
    assert (log, timeline.elapsed) == ([], 15.0)
    timeline.advance(1)
    await task
    assert log == [16.0]


async def test_a_cancelled_wait_leaves_the_leg_busy_until_it_ends() -> None:
    timeline = ScriptedTimeline()

    async def live() -> None:
        await timeline.wait(Bell(), None)

    task = leg(timeline, live)
    await turns()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert timeline.settled
    timeline.advance(3)
    assert timeline.elapsed == 3.0


async def test_live_speech_is_cut_short_by_a_bell_and_is_no_wait() -> None:
    timeline, bell = LiveTimeline(), Bell()
    timeline.enter()
    speech = asyncio.ensure_future(timeline.spend(3600, bell))
    await turns()
    assert not timeline.settled
    bell.ring()
    assert await speech


async def test_a_live_wait_ends_by_itself() -> None:
    timeline = LiveTimeline()
    timeline.enter()
    assert not await timeline.wait(Bell(), timeline.elapsed + 0.01)


async def test_conversations_that_meet_pass_their_time_together_and_each_counts_its_own() -> None:
    clock = Clock()
    first, second, log = ScriptedTimeline(clock), ScriptedTimeline(clock), list[tuple[str, float]]()

    def waiting(timeline: ScriptedTimeline, name: str, until: float) -> asyncio.Task[None]:
        async def live() -> None:
            await timeline.wait(Bell(), until)
            log.append((name, timeline.elapsed))

        return leg(timeline, live)

    tasks = [waiting(first, "first", 100.0), waiting(second, "second", 20.0)]
    await turns()
    first.advance(90)
    second.advance(15)
    first.meet(second)
    second.meet(first)  # a second time changes nothing
    assert (first.elapsed, second.elapsed) == (90, 15)
    assert first.settled
    second.advance(7)
    await turns()
    assert log == [("second", 20.0)]
    assert (first.elapsed, second.elapsed) == (97, 22)
    first.advance(3)
    await asyncio.gather(*tasks)
    assert log[1:] == [("first", 100.0)]
    assert clock.moment == datetime(2026, 11, 26, 9, 1, 55, tzinfo=UTC)  # 90 and 15 before, 10 together


async def test_one_that_is_busy_keeps_the_other_from_settling_once_they_have_met() -> None:
    first, second, bell = ScriptedTimeline(), ScriptedTimeline(), Bell()

    async def live() -> None:
        await first.wait(bell, None)

    task = leg(first, live)
    await turns()
    second.enter()
    assert first.settled
    first.meet(second)
    assert not first.settled
    revision = first.changes.revision
    second.leave()
    assert first.settled
    assert first.changes.revision > revision  # whoever waits for the first to settle is told
    bell.ring()
    await task
    assert second.settled


async def test_live_and_scripted_ones_keep_their_own_pace() -> None:
    scripted, live = ScriptedTimeline(), LiveTimeline()
    live.enter()
    scripted.meet(live)
    assert scripted.settled
    assert not live.settled
    live.leave()
