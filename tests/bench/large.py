"""``make bench-large``: is a call answered as soon with 1,000 practices as with one? And how fast do they come in?

Both sizes stand in one PostgreSQL and take turns, so that whatever else the machine does falls on both: only the ratios
mean something.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from statistics import median

from callcenter.practice.invented_practices import Amounts
from tests.bench import report
from tests.bench.carrier import Messages, fake_carrier
from tests.bench.command import RESULTS, Failed, duration, run, say, within
from tests.bench.load import Phase, Spread, run_phase
from tests.bench.servers import Server, product, started
from tests.bench.sizes import COPIED, Brought, Size, Sizes, sizes
from tests.bench.values import Person, Step
from tests.bench.walk import WentWrong, common_fields
from tests.bench.wire import Line

LONGEST = 3_600.0
#: Calls that ring at one size before the other has its turn.
_TURN = 50


@dataclass(frozen=True, slots=True)
class Measured:
    """One size in one round.

    Arguments:
        size: its name.
        versions: of settings that each practice has more than its first.
        first: milliseconds from ``/voice/incoming`` to the answer's last byte, one call at a time.
        loaded, alone: whole verified calls.
    """

    size: str
    versions: int
    first: Spread
    loaded: Phase
    alone: Phase


def main() -> int:
    """0 measured, 1 calls failed, 2 could not run."""
    bounds = arguments(sys.argv[1:])
    return run(lambda: _bench(bounds), LONGEST)


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """The bounds of a run; ends the program with what is wrong about them."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.large", description=__doc__)
    parser.add_argument("--practices", type=within(2, 5_000), default=1_000, help="of the large size (2 to 5000)")
    parser.add_argument("--patients", type=within(100, 2_000_000), default=400_000, help="in all")
    parser.add_argument("--appointments", type=within(100, 10_000_000), default=2_000_000, help="in all")
    parser.add_argument(
        "--versions", type=within(1, 2_000), default=400, help="more of its settings that each practice then gets"
    )
    parser.add_argument("--rounds", type=within(1, 20), default=3, help="rounds, each of both sizes (1 to 20)")
    parser.add_argument("--seconds", type=duration, default=5.0, help="of each measurement in a round (0.2 to 60)")
    parser.add_argument("--callers", type=within(2, 40), default=8, help="requests under way at once under load")
    parser.add_argument("--output", type=Path, help=f"file for the raw runs; by default one below {RESULTS}/")
    return parser.parse_args(words)


async def _bench(bounds: argparse.Namespace) -> None:
    results = report.Results(bounds.output or RESULTS / f"{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}-large.jsonl")
    amounts = Amounts(bounds.practices, bounds.patients, bounds.appointments)
    machine = report.machine("0")
    say(f"bringing in {amounts.practices:,} practices: this takes minutes")
    async with sizes(amounts) as made:
        machine |= {"postgresql": report.machine(made.version)["postgresql"]}
        results.keep("machine", **machine, **asdict(amounts), rounds=bounds.rounds, seconds=bounds.seconds)
        results.keep("brought", **asdict(made.brought))
        say(", ".join(f"{name} {value}" for name, value in machine.items()), "", *brought_table(made.brought), "")
        measured = await _measure(made, bounds, results)
    say("", *sizes_table(measured, bounds.callers), "")
    say(f"medians of {bounds.rounds} rounds; raw runs: {results.path}")


async def _measure(made: Sizes, bounds: argparse.Namespace, results: report.Results) -> list[Measured]:
    """All rounds with the first settings of each practice, then all with long histories."""
    measured: list[Measured] = []
    pair = (made.one, made.many)
    starts = [lambda size=size: product(size.config, size.port, made.folder / f"{size.database}.log") for size in pair]
    async with fake_carrier(made.carrier) as messages:
        for versions in (0, bounds.versions):
            if versions:
                await made.lengthen(versions)
            async with started(*starts) as running:
                cold = await _first_answers(running[1], _one_each(made.many.people))
                results.keep("cold", size=made.many.name, versions=versions, first=asdict(cold))
                say(f"{versions} versions more: first call of a practice since the start, p50 {cold.p50:.1f} ms")
                for server, size in zip(running, pair, strict=True):  # caches are filled: not kept
                    await _calls(server, size, messages, bounds.callers, min(1.0, bounds.seconds))
                for number in range(1, bounds.rounds + 1):
                    backwards = number % 2 == 0  # neither size always has the quieter half
                    for each in await _round(running, pair, messages, bounds, versions, backwards=backwards):
                        measured.append(each)
                        results.keep("size", round=number, **asdict(each))
                        say(
                            f"round {number}  {each.size:<16} {versions:>4} versions more  first answer p50 "
                            f"{each.first.p50:.2f} ms  {each.loaded.per_second:>5.0f} steps/s"
                        )
    return measured


async def _round(
    running: Sequence[Server],
    pair: Sequence[Size],
    messages: Messages,
    bounds: argparse.Namespace,
    versions: int,
    *,
    backwards: bool,
) -> list[Measured]:
    """Both sizes, the first always before the second in what is returned."""
    spreads = await _turns(running, pair, bounds.seconds)
    found = []
    for server, size, first in list(zip(running, pair, spreads, strict=True))[:: -1 if backwards else 1]:
        loaded = await _calls(server, size, messages, bounds.callers, bounds.seconds)
        alone = await _calls(server, size, messages, 1, bounds.seconds / 2)
        found.append(Measured(size.name, versions, first, loaded, alone))
    return found[:: -1 if backwards else 1]


async def _turns(running: Sequence[Server], pair: Sequence[Size], seconds: float) -> list[Spread]:
    """First answers of both, in short turns, ``seconds`` each."""
    times: list[list[float]] = [[] for _ in running]
    lines = [await Line.to(server.site) for server in running]
    try:
        until, turn = time.monotonic() + seconds * len(running), 0
        while time.monotonic() < until or not turn:
            for which, server in enumerate(running):
                people = pair[which].people
                for number in range(turn * _TURN, (turn + 1) * _TURN):
                    times[which].append(await _ring(server, lines[which], people[number % len(people)]))
            turn += 1
    finally:
        for line in lines:
            line.close()
    return [spread for each in times if (spread := Spread.of(each)) is not None]


async def _first_answers(server: Server, people: Sequence[Person]) -> Spread:
    line = await Line.to(server.site)
    try:
        spread = Spread.of([await _ring(server, line, person) for person in people])
    finally:
        line.close()
    assert spread is not None, "somebody calls"
    return spread


async def _ring(server: Server, line: Line, person: Person) -> float:
    """Seconds from the first webhook of a call to the last byte of its answer; the call is then over."""
    form = common_fields(f"CA{token_hex(16)}", person)
    request = server.site.post("/voice/incoming", {**form, "CallStatus": "ringing"})
    began = time.perf_counter()
    received = await line.ask(request)
    took = time.perf_counter() - began
    if received.status != 200 or b"<Gather" not in received.body:
        raise WentWrong(Step.RINGS, received)
    await line.ask(server.site.post("/voice/status", {**form, "CallStatus": "completed", "CallDuration": "1"}))
    return took


def _one_each(people: Sequence[Person]) -> list[Person]:
    return list({person.practice: person for person in people}.values())


async def _calls(server: Server, size: Size, messages: Messages, callers: int, seconds: float) -> Phase:
    phase = await run_phase(server, size.people, messages, callers, seconds)
    if phase.errors:
        what, times = max(phase.errors.items(), key=lambda error: error[1])
        raise Failed(f"« {size.name} », {times} calls failed: {what}\nits log ends:\n{server.last_words()}")
    return phase


def brought_table(brought: Brought) -> list[str]:
    """How the practices came in."""
    copy, first = brought.first_rows / brought.copied, brought.first_rows / brought.first
    return [
        f"files written in {brought.generated:.0f} s, practices enrolled in {brought.enrolled:.0f} s",
        f"{brought.rows:,} rows imported in {brought.imported:.0f} s: {brought.rows / brought.imported:,.0f} rows/s",
        f"the first {brought.first_rows:,} rows: {first:,.0f} rows/s; COPY of the same rows: {copy:,.0f} rows/s; "
        f"an import is {first / copy:.1%} of it",
        f"the last {brought.last_rows:,} rows: {brought.last_rows / brought.last:,.0f} rows/s"
        if brought.last_rows
        else f"(there are no more than {COPIED} practices)",
    ]


def sizes_table(measured: Sequence[Measured], callers: int) -> list[str]:
    """The sizes beside each other, each ratio taken within its round."""
    head = f"{'':<44}{'1 practice':>12}{'many':>12}{'ratio':>9}"
    lines = [head]
    for versions in dict.fromkeys(each.versions for each in measured):
        of = [each for each in measured if each.versions == versions]
        pairs = list(zip(of[::2], of[1::2], strict=True))
        lines.append(f"with {versions} versions of settings more")
        for name, value in _VALUES.items():
            found = [(value(one), value(many)) for one, many in pairs]
            known = [(one, many) for one, many in found if one and many]
            if known:
                one, many = (median(side) for side in zip(*known, strict=True))
                ratio = median(many / one for one, many in known)
                lines.append(f"  {name.format(callers=callers):<42}{one:>12.2f}{many:>12.2f}{ratio:>9.2f}")
    return lines


def _of_step(phase: Phase, step: Step) -> Spread | None:
    return phase.by_step[step.value]


_VALUES = {
    "first answer alone, p50 ms": lambda each: each.first.p50,
    "first answer alone, p99 ms": lambda each: each.first.p99,
    "first answer at {callers} callers, p50 ms": lambda each: getattr(_of_step(each.loaded, Step.RINGS), "p50", None),
    "first answer at {callers} callers, p99 ms": lambda each: getattr(_of_step(each.loaded, Step.RINGS), "p99", None),
    "verified call at {callers} callers, steps/s": lambda each: each.loaded.per_second,
    "verified call at {callers} callers, p50 ms": lambda each: getattr(each.loaded.webhooks, "p50", None),
    "verified call at {callers} callers, p99 ms": lambda each: getattr(each.loaded.webhooks, "p99", None),
    "verified call alone, p50 ms": lambda each: getattr(each.alone.webhooks, "p50", None),
    "verified call alone, p99 ms": lambda each: getattr(each.alone.webhooks, "p99", None),
}


if __name__ == "__main__":
    sys.exit(main())
