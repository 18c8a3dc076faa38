"""Callers who make verified calls, one after the other, and how long each step takes.

A fixed number of requests is under way at any moment. Whoever waits for a code is not on the line: another call begins
meanwhile, so that every server is given the same load, whether it sends messages or not.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from statistics import quantiles

from tests.bench.servers import Server
from tests.bench.values import WEBHOOKS, Person, Step
from tests.bench.walk import Codes, Walk
from tests.bench.wire import Lines, Received

#: After the time is up, the calls under way may come to their end.
_DRAIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Spread:
    """Durations, in milliseconds."""

    count: int
    p50: float
    p99: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Spread | None:
        """None of nothing."""
        if not seconds:
            return None
        if len(seconds) == 1:
            return cls(1, round(seconds[0] * 1000, 3), round(seconds[0] * 1000, 3))
        cuts = quantiles(seconds, n=100, method="inclusive")
        return cls(len(seconds), round(cuts[49] * 1000, 3), round(cuts[98] * 1000, 3))


@dataclass(frozen=True, slots=True)
class Phase:
    """One server under one load for some seconds.

    Arguments:
        form: which server.
        callers: requests under way at any moment.
        seconds: for which steps were counted.
        calls: that came to their end, those that did after the time included.
        steps: webhooks answered within the time.
        by_step: durations of each webhook.
        webhooks, audio, message: durations of all webhooks, of the sound's fetch, and from the birth date's answer to
            the code's arrival.
        processor: milliseconds of the server's own process per step, or None.
        generator: share of the time for which the load generator itself was busy.
        errors: what went wrong, and how often.
    """

    form: str
    callers: int
    seconds: float
    calls: int
    steps: int
    webhooks: Spread | None
    audio: Spread | None
    message: Spread | None
    by_step: dict[str, Spread | None]
    processor: float | None
    generator: float
    errors: dict[str, int]

    @property
    def per_second(self) -> float:
        return self.steps / self.seconds


@dataclass(slots=True)
class _Tally:
    """What is noted while a phase runs."""

    until: float
    steps: dict[Step, list[float]] = field(default_factory=lambda: {step: [] for step in Step})
    messages: list[float] = field(default_factory=list)
    calls: int = 0
    errors: Counter[str] = field(default_factory=Counter)


async def run_phase(server: Server, people: Sequence[Person], codes: Codes, callers: int, seconds: float) -> Phase:
    """Keep ``callers`` requests under way at ``server`` for ``seconds``, then let the calls come to their end."""
    free, on_the_line = deque(people), asyncio.Semaphore(callers)
    lines, calls = Lines(server.site), set[asyncio.Task[None]]()
    began, used, busy = time.perf_counter(), server.processor_seconds(), time.process_time()
    tally = _Tally(until=began + seconds)
    try:
        while time.perf_counter() < tally.until and not tally.errors:
            await on_the_line.acquire()
            if not free:  # everybody is calling: wait for one to end
                on_the_line.release()
                await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
                continue
            call = asyncio.create_task(_call(server, free, free.popleft(), codes, on_the_line, lines, tally))
            calls.add(call)
            call.add_done_callback(calls.discard)
        lasted = time.perf_counter() - began
        used_then, busy_then = server.processor_seconds(), time.process_time()
        if calls:
            await asyncio.wait(calls, timeout=_DRAIN_SECONDS)
    finally:
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        lines.close()
    processor = None if used is None or used_then is None else used_then - used
    return _phase(server, callers, seconds, tally, processor, (busy_then - busy) / lasted)


async def _call(
    server: Server,
    free: deque[Person],
    person: Person,
    codes: Codes,
    on_the_line: asyncio.Semaphore,
    lines: Lines,
    tally: _Tally,
) -> None:
    """One call; the line is held when it begins, and given up at its end and while the caller waits for the code."""

    async def ask(step: Step, request: bytes) -> Received:
        async with lines.line() as line:
            began = time.perf_counter()
            received = await line.ask(request)
            ended = time.perf_counter()
        if ended <= tally.until:
            tally.steps[step].append(ended - began)
        return received

    async def pause(code: Awaitable[str]) -> str:
        began = time.perf_counter()
        on_the_line.release()
        try:
            read = await code
            tally.messages.append(time.perf_counter() - began)
        finally:
            await on_the_line.acquire()
        return read

    try:
        await Walk(server.site, person, codes, ask, pause).go()
        tally.calls += 1
    except Exception as error:  # counted and shown: a bench with failed calls has measured nothing
        tally.errors[f"{type(error).__name__}: {error}"] += 1
    finally:
        on_the_line.release()
        free.append(person)


def _phase(
    server: Server, callers: int, seconds: float, tally: _Tally, processor: float | None, generator: float
) -> Phase:
    webhooks = [duration for step in WEBHOOKS for duration in tally.steps[step]]
    return Phase(
        form=server.form.value,
        callers=callers,
        seconds=seconds,
        calls=tally.calls,
        steps=len(webhooks),
        webhooks=Spread.of(webhooks),
        audio=Spread.of(tally.steps[Step.AUDIO]),
        message=Spread.of(tally.messages),
        by_step={step.value: Spread.of(tally.steps[step]) for step in WEBHOOKS},
        processor=None if processor is None or not webhooks else round(processor * 1000 / len(webhooks), 3),
        generator=round(generator, 3),
        errors=dict(tally.errors),
    )
