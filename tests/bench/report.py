"""What is printed, and what is kept: one JSON line a fact, so that runs can be compared later."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from tests.bench.floors import Form
from tests.bench.load import Phase, Spread
from tests.bench.values import WEBHOOKS, Counts, Step

#: What each form does, and what it does not.
WHAT = {
    Form.PRODUCT: "`callcenter serve`, one worker: signature, flow, gate, ledger, sealing, TwiML, log, metrics. Its "
    "process also sends the text messages (jobs) and hands out the sound.",
    Form.STATEMENTS: "aiohttp, the SDK's signature, and the statements of the same call by asyncpg: same number, "
    "order, transactions, pools and sizes, prepared, fsync on. No flow, no rendering, no sealing, no checks of what "
    "comes back, no log, no job, no voice: answers and sound are ready made.",
    Form.SIGNATURE: "aiohttp and the SDK's signature. No database; answers and sound are ready made.",
}

LEGEND = (
    "steps/s: webhooks answered, all callers together; « product is »: that share of this form, median of the rounds, "
    "by steps/s and by processor time; cpu ms: of the server's own process, per webhook; alone: one request at a time"
)


class Results:
    """The file of one run.

    Arguments:
        path: is made anew.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")

    def keep(self, kind: str, **values: object) -> None:
        """One line more."""
        with self.path.open("a") as file:
            file.write(json.dumps({"kind": kind, **values}) + "\n")


def machine(postgres: str) -> dict[str, object]:
    """Where this ran, in general words."""
    number = int(postgres)
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "system": platform.system(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(),
        "postgresql": f"{number // 10_000}.{number % 10_000} embedded, fsync on",
        "load before": round(os.getloadavg()[0], 2),  # of others: above 0.3 or so, the figures are theirs too
    }


def statements_table(counts: Mapping[Step, Counts]) -> Iterator[str]:
    """How often each step waits for the database."""
    yield f"{'step':<14}{'transactions':>13}{'statements':>12}{'round trips':>13}"
    for step in Step:
        counted = counts[step]
        yield f"{step.value:<14}{counted.transactions:>13}{counted.statements:>12}{counted.round_trips:>13}"
    whole = Counts(sum(each.transactions for each in counts.values()), sum(each.statements for each in counts.values()))
    yield f"{'whole call':<14}{whole.transactions:>13}{whole.statements:>12}{whole.round_trips:>13}"


def ratios_table(phases: Sequence[Phase], callers: int) -> Iterator[str]:
    """The three forms beside each other: medians of the rounds, and how far they lie apart.

    Shares are taken within each round, so that what else the machine did then falls on both sides.
    """
    yield (
        f"{'':<30}{'steps/s':>9}{'of rounds':>14}{'product is':>12}{'cpu ms':>9}{'product is':>12}"
        f"{'p50 ms':>9}{'p99 ms':>9}{'alone p50':>11}{'alone p99':>11}"
    )
    product = _of(phases, Form.PRODUCT, callers)
    for form in Form:
        loaded, alone = _of(phases, form, callers), _of(phases, form, 1)
        rates = [phase.per_second for phase in loaded]
        faster = _shares((ours.per_second, its.per_second) for ours, its in zip(product, loaded, strict=True))
        lighter = _shares((its.processor, ours.processor) for ours, its in zip(product, loaded, strict=True))
        yield (
            f"{form.value:<30}{median(rates):>9.0f}{f'{min(rates):.0f} to {max(rates):.0f}':>14}{faster:>12}"
            f"{_number(_median(phase.processor for phase in loaded), 9)}{lighter:>12}"
            f"{_ms(loaded, _of_webhooks)}{_ms(alone, _of_webhooks, 11)}"
        )


def _shares(pairs: Iterable[tuple[float | None, float | None]]) -> str:
    """The median of first over second, in hundredths; only where both are known."""
    known = [first / second for first, second in pairs if first is not None and second]
    return f"{median(known):.1%}" if known else "-"


def steps_table(phases: Sequence[Phase], callers: int) -> Iterator[str]:
    """The product's steps, one by one, and what is no step."""
    loaded, alone = _of(phases, Form.PRODUCT, callers), _of(phases, Form.PRODUCT, 1)
    floor = _of(phases, Form.STATEMENTS, 1)
    yield (
        f"{'callcenter, by step':<30}{'p50 ms':>9}{'p99 ms':>9}{'alone p50':>11}{'alone p99':>11}"
        f"{'by hand, alone p50':>20}{'p99':>9}"
    )
    for step in WEBHOOKS:
        asked = _of_step(step)
        yield f"{step.value:<30}{_ms(loaded, asked)}{_ms(alone, asked, 11)}{_ms(floor, asked, 20, 9)}"
    yield f"{'sound: fetch and synthesis':<30}{_ms(loaded, _of_sound)}{_ms(alone, _of_sound, 11)}"
    yield f"{'code: answer to message':<30}{_ms(loaded, _of_message)}{_ms(alone, _of_message, 11)}"


def _of_step(step: Step) -> Callable[[Phase], Spread | None]:
    return lambda phase: phase.by_step[step.value]


def _of_webhooks(phase: Phase) -> Spread | None:
    return phase.webhooks


def _of_sound(phase: Phase) -> Spread | None:
    return phase.audio


def _of_message(phase: Phase) -> Spread | None:
    return phase.message


def busy_note(phases: Sequence[Phase]) -> Iterator[str]:
    """A load generator without rest has measured itself."""
    for form in {phase.form: None for phase in phases}:
        busiest = max(phase.generator for phase in phases if phase.form == form)
        if busiest > 0.9:
            yield f"note: the load generator was busy {busiest:.0%} of the time with « {form} »: that floor lies higher"


def _of(phases: Sequence[Phase], form: Form, callers: int) -> list[Phase]:
    return [phase for phase in phases if phase.form == form.value and phase.callers == callers]


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _ms(phases: Sequence[Phase], of: Callable[[Phase], Spread | None], width: int = 9, second: int = 0) -> str:
    spreads = [spread for spread in map(of, phases) if spread is not None]
    p50, p99 = _median(spread.p50 for spread in spreads), _median(spread.p99 for spread in spreads)
    return _number(p50, width) + _number(p99, second or width)


def _number(value: float | None, width: int) -> str:
    return f"{'-':>{width}}" if value is None else f"{value:>{width}.2f}"


def phase_fields(phase: Phase) -> dict[str, object]:
    """A phase as it is kept."""
    return {**asdict(phase), "per_second": round(phase.per_second, 1)}
