"""``make bench``: the verified call on one worker, and routing, beside their floors, in one run on one machine."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import report
from tests.bench.carrier import fake_carrier
from tests.bench.command import RESULTS, Failed, duration, run, say, within
from tests.bench.floors import Form
from tests.bench.ground import Ground, ground
from tests.bench.holding import held_table
from tests.bench.load import Phase, run_phase
from tests.bench.recording import record_call
from tests.bench.routing import measure_routing, table
from tests.bench.servers import Server, servers
from tests.bench.values import Person, Recording
from tests.bench.walk import Codes, SameCode

LONGEST = 900.0  # seconds; a bench that takes longer is stopped


def main() -> int:
    """0 measured, 1 calls failed, 2 could not run."""
    bounds = arguments(sys.argv[1:])
    return run(lambda: _bench(bounds), LONGEST)


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """The bounds of a run; ends the program with what is wrong about them."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=within(1, 20), default=3, help="rounds, each of all forms (1 to 20)")
    parser.add_argument(
        "--seconds", type=duration, default=8.0, help="of each form in a round under load; half of it alone (0.2 to 60)"
    )
    parser.add_argument(
        "--callers", type=within(2, 40), default=8, help="requests under way at once under load (2 to 40)"
    )
    parser.add_argument("--output", type=Path, help=f"file for the raw runs; by default one below {RESULTS}/")
    return parser.parse_args(words)


async def _bench(bounds: argparse.Namespace) -> None:
    results = report.Results(bounds.output or RESULTS / f"{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}.jsonl")
    async with ground() as made:
        machine = report.machine(made.version)
        results.keep("machine", **machine, rounds=bounds.rounds, seconds=bounds.seconds, callers=bounds.callers)
        say(", ".join(f"{name} {value}" for name, value in machine.items()))
        recording = await record_call(made.settings, made.addresses, _two_of_one_practice(made.people))
        counts = recording.counts()
        for step, counted in counts.items():
            results.keep("statements", step=step.value, **asdict(counted), round_trips=counted.round_trips)
        say("", *report.statements_table(counts), "")
        phases = await _measure(made, recording, bounds, results)
        routing, held = await measure_routing(made, bounds.rounds)
        for number, measured in enumerate(routing, start=1):
            results.keep("routing", round=number, **measured.fields())
        for one in held:
            results.keep("waiting", **one.fields())
    say("", *report.ratios_table(phases, bounds.callers), "", *report.steps_table(phases, bounds.callers), "")
    say(*table(routing), "", *held_table(held), "")
    say(report.LEGEND, *(f"{form.value}: {what}" for form, what in report.WHAT.items()), *report.busy_note(phases))
    say(f"medians of {bounds.rounds} rounds; raw runs: {results.path}")


async def _measure(
    made: Ground, recording: Recording, bounds: argparse.Namespace, results: report.Results
) -> list[Phase]:
    """All rounds: the forms take turns, so that whatever else the machine does falls on each."""
    phases: list[Phase] = []
    async with fake_carrier(made.carrier) as messages, servers(made, recording) as running:
        for server in running:  # caches are filled, statements prepared: not kept
            await _phase(server, made.people, _codes(server, messages), bounds.callers, min(1.0, bounds.seconds / 2))
        for number in range(1, bounds.rounds + 1):
            for server in running:
                for callers, seconds in ((bounds.callers, bounds.seconds), (1, bounds.seconds / 2)):
                    phase = await _phase(server, made.people, _codes(server, messages), callers, seconds)
                    phases.append(phase)
                    results.keep("phase", round=number, **report.phase_fields(phase))
                    at_once = "1 caller " if callers == 1 else f"{callers} callers"
                    say(f"round {number}  {server.form.value:<30}{at_once}  {phase.per_second:>7.0f} steps/s")
    return phases


def _codes(server: Server, messages: Codes) -> Codes:
    return messages if server.form is Form.PRODUCT else SameCode()


async def _phase(server: Server, people: Sequence[Person], codes: Codes, callers: int, seconds: float) -> Phase:
    phase = await run_phase(server, people, codes, callers, seconds)
    if phase.errors:
        what, times = max(phase.errors.items(), key=lambda error: error[1])
        failed = f"« {server.form.value} », {sum(phase.errors.values())} calls failed, {times} of them: {what}"
        raise Failed(f"{failed}\nits log ends:\n{server.last_words()}")
    return phase


def _two_of_one_practice(people: Sequence[Person]) -> tuple[Person, Person]:
    first, second, *_ = [person for person in people if person.practice == people[0].practice]
    return first, second


if __name__ == "__main__":
    sys.exit(main())
