"""The ledger: how fast it is sealed, exported and verified beside the hashing of the same bytes, in how much memory.

One log of one practice, its records those of a real verified call again and again. It is sealed with a PostgreSQL
that writes through to its disk; who verifies is the one file alone, in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from statistics import median
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from callcenter.audit import verify
from callcenter.audit.logs import origin_of
from callcenter.audit.sealer import LogSealer, elected
from callcenter.audit.sealing_key import load_sealing_key
from callcenter.audit.verify import Frontier, leaf_hash
from callcenter.installation import sealer_key_path
from callcenter.kernel.clock import SystemClock
from callcenter.practice.directory import Directory
from callcenter.store.database import Database
from tests.bench import report
from tests.bench.command import RESULTS, Failed, run, say, within
from tests.bench.ground import Ground, ground
from tests.bench.log_ground import call_on_record, fill
from tests.bench.recording import record_call
from tests.sealing import Cries

LONGEST = 3_600.0
#: Records that are written before PostgreSQL counts what it has.
FIRST = 2_000
#: What the issue of the ledger asks for.
VERIFIED_GOAL, MEMORY_GOAL = 100_000, 200  # records a second on one core; MB


@dataclass(frozen=True, slots=True)
class Took:
    """One piece of work over a whole log.

    Arguments:
        what: which.
        records, octets: of the log.
        seconds: from begin to end; ``processor``: seconds of it in the process that did it.
        memory: most that the process had, in MB (10^6 bytes); ``None``: it did other things too.
    """

    what: str
    records: int
    octets: int
    seconds: float
    processor: float
    memory: float | None = None

    @property
    def per_second(self) -> float:
        return self.records / self.seconds

    @property
    def per_second_of_processor(self) -> float:
        return self.records / self.processor


def main() -> int:
    """0 measured, 1 a log did not verify, 2 could not run."""
    bounds = arguments(sys.argv[1:])
    return run(lambda: _bench(bounds), LONGEST)


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """The bounds of a run; ends the program with what is wrong about them."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.ledger", description=__doc__)
    parser.add_argument(
        "--records", type=within(1_000, 5_000_000), default=1_000_000, help="of the log (1000 to 5000000)"
    )
    parser.add_argument("--rounds", type=within(1, 20), default=3, help="of verifying and hashing (1 to 20)")
    parser.add_argument("--output", type=Path, help=f"file for the raw runs; by default one below {RESULTS}/")
    return parser.parse_args(words)


async def _bench(bounds: argparse.Namespace) -> None:
    results = report.Results(bounds.output or RESULTS / f"{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}-ledger.jsonl")
    async with ground() as made:
        machine = report.machine(made.version)
        results.keep("machine", **machine, records=bounds.records, rounds=bounds.rounds)
        say(", ".join(f"{name} {value}" for name, value in machine.items()))
        log = await _written(made, bounds.records)
        took = [await _sealed(made, log)]
        file, exported = _exported(made, await _short_name(made, log))
        took.append(exported)
        key = load_sealing_key(sealer_key_path(made.settings)).verifier_key(origin_of(log))
        trust = made.folder / "log.vkey"
        trust.write_text(f"{key}\n")
        for number in range(bounds.rounds):
            of_a_round: list[Callable[[], Took]] = [
                lambda: _verified(made.folder, file, trust, exported.records),
                lambda: _hashed(file, exported.records),
                lambda: _folded(file, exported.records),
            ]
            took += [work() for work in of_a_round[:: -1 if number % 2 else 1]]
    for each in took:
        results.keep("ledger", **asdict(each))
    say("", *table(took), "", *goals(took), f"medians of {bounds.rounds} rounds; raw runs: {results.path}")


async def _written(made: Ground, records: int) -> UUID:
    """The practice in whose log there are that many more records than there were, all waiting."""
    first, second, *_ = [person for person in made.people if person.practice == made.people[0].practice]
    recording = await record_call(made.settings, made.addresses, (first, second))
    database = Database(made.addresses.app, pool_size=1, application="callcenter-bench")
    try:
        entries = await call_on_record(database, first.practice, recording.call)
        say(f"a verified call has {len(entries)} records; {records:,} are written")
        # A few first: until PostgreSQL knows that the table grows, it looks each new record up among all of them.
        first_of_them = min(records, FIRST)
        await fill(database, first.practice, recording.call, entries, first_of_them)
        await _counted(made)
        await fill(database, first.practice, recording.call, entries, records - first_of_them)
    finally:
        await database.close()
    return first.practice


async def _counted(made: Ground) -> None:
    """What PostgreSQL's own housekeeping does within a minute."""
    if made.addresses.owner is None:
        raise Failed("the bench's own database has an owner's login")
    owner = create_async_engine(made.addresses.owner, isolation_level="AUTOCOMMIT")
    try:
        async with owner.connect() as connection:
            await connection.execute(text("ANALYZE audit_record, audit_outbox"))
    finally:
        await owner.dispose()


async def _sealed(made: Ground, log: UUID) -> Took:
    """All that waits is sealed, by the rounds that the server goes."""
    if made.addresses.sealer is None:
        raise Failed("the bench's own database has a sealer's login")
    cries = Cries()
    sealer = LogSealer(load_sealing_key(sealer_key_path(made.settings)), SystemClock(), cries)
    database = Database(made.addresses.sealer, pool_size=1, application="callcenter-sealer")
    try:
        async with database.engine.connect() as connection:
            if not await elected(connection):
                raise Failed("somebody else seals")
            began, processor, records = time.perf_counter(), time.process_time(), 0
            while taken := await sealer.round(connection):
                records += taken
            seconds, processor = time.perf_counter() - began, time.process_time() - processor
            octets = (await connection.execute(_OCTETS, {"log": log})).scalar_one()
    finally:
        await database.close()
    if cries.heard:
        raise Failed(f"it cannot be sealed: {cries.heard[0][1]}")
    say(f"{records:,} records sealed in {seconds:.0f} s")
    return Took("sealed", records, int(octets), seconds, processor)


async def _short_name(made: Ground, practice: UUID) -> str:
    database = Database(made.addresses.app, pool_size=1, application="callcenter-bench")
    try:
        async with database.house() as connection:
            every = await Directory.all(connection, SystemClock().now())
    finally:
        await database.close()
    return next(one.slug for one in every if one.id == practice)


def _exported(made: Ground, practice: str) -> tuple[Path, Took]:
    file = made.folder / "log.ccaudit"
    program = "from callcenter.cli import main; main()"
    asked = ["--config", str(made.config), "audit", "export", practice, "-o", str(file), "--by", "bench"]
    seconds, processor, memory, said = _alone([sys.executable, "-c", program, *asked])
    with file.open("rb") as opened:
        records = int(json.loads(opened.readline())["size"])
    say(f"{said}: {seconds:.0f} s")
    return file, Took("exported", records, file.stat().st_size, seconds, processor, memory)


def _verified(folder: Path, file: Path, trust: Path, records: int) -> Took:
    """By the one file, that has nothing of callcenter beside it."""
    alone = folder / "alone"
    alone.mkdir(exist_ok=True)
    program = shutil.copy(verify.__file__, alone)
    seconds, processor, memory, said = _alone([sys.executable, "-I", program, str(file), "--trust", str(trust)])
    say(f"{said}: {seconds:.1f} s")
    return Took("verified", records, file.stat().st_size, seconds, processor, memory)


#: Runs a command and tells by its last line what it took. The most that a process had in memory counts what it was
#: before it became that program: so a small one begins it.
_TELLING = """
import json, os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stderr=subprocess.STDOUT)
_, status, usage = os.wait4(process.pid, 0)
print(json.dumps([os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss]))
"""


def _alone(command: Sequence[str]) -> tuple[float, float, float, str]:
    """Seconds, seconds of processor time, MB at most, and what was said, of a process.

    Raises:
        Failed: it did not end with 0.
    """
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _TELLING, *command], stdout=subprocess.PIPE, text=True, check=True
    )
    seconds = time.perf_counter() - began
    *said, told = done.stdout.splitlines()
    status, processor, most = json.loads(told)
    if status:
        raise Failed(f"{' '.join(command[1:4])} ended with {status}:\n" + "\n".join(said))
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
    return seconds, processor, most * unit / 1e6, said[-1] if said[0].endswith("records") else said[0]


def _hashed(file: Path, records: int) -> Took:
    """SHA-256 of the same bytes, in one go: the least that anybody must do who looks at all of them."""
    return _timed("hashed", file, records, _digest)


def _digest(file: Path) -> None:
    digest = sha256()
    with file.open("rb") as opened:
        while block := opened.read(1 << 20):
            digest.update(block)


def _folded(file: Path, records: int) -> Took:
    """The leaves of the same lines and the root of their tree, nothing being read in them (RFC 6962 §2.1)."""
    return _timed("leaves and root", file, records, _tree)


def _tree(file: Path) -> None:
    tree = Frontier()
    with file.open("rb") as opened:
        for line in opened:
            tree.add(leaf_hash(line[:-1]))
    tree.root()


def _timed(what: str, file: Path, records: int, work: Callable[[Path], None]) -> Took:
    began, processor = time.perf_counter(), time.process_time()
    work(file)
    return Took(what, records, file.stat().st_size, time.perf_counter() - began, time.process_time() - processor)


_OCTETS = text("SELECT sum(octet_length(body)) FROM audit_record WHERE practice_id = :log")

#: In which order they are told.
KINDS = ("sealed", "exported", "verified", "leaves and root", "hashed")


def table(took: Sequence[Took]) -> Iterator[str]:
    """Each kind of work beside the hashing of the same bytes; shares are of processor time."""
    hashed = median(each.processor for each in took if each.what == "hashed")
    yield f"{'':<18}{'records/s':>12}{'of one core':>14}{'MB/s':>9}{'times hashing':>15}{'peak MB':>10}"
    for kind in KINDS:
        of_it = [each for each in took if each.what == kind]
        processor = median(each.processor for each in of_it)
        memory = max((each.memory for each in of_it if each.memory is not None), default=None)
        yield (
            f"{kind:<18}{median(each.per_second for each in of_it):>12,.0f}"
            f"{median(each.per_second_of_processor for each in of_it):>14,.0f}"
            f"{median(each.octets / each.seconds for each in of_it) / 1e6:>9.1f}"
            f"{processor / hashed:>15.1f}{'-' if memory is None else f'{memory:.0f}':>10}"
        )
    yield "of one core: records a second of processor time of the process itself; PostgreSQL's is not in it"


def goals(took: Sequence[Took]) -> Iterator[str]:
    """What was wanted, and whether it is so."""
    verified = median(each.per_second_of_processor for each in took if each.what == "verified")
    memory = max(each.memory for each in took if each.memory is not None)
    for name, value, goal, met in (
        ("verified a second on one core", verified, VERIFIED_GOAL, verified >= VERIFIED_GOAL),
        ("MB at most, exporting or verifying", memory, MEMORY_GOAL, memory <= MEMORY_GOAL),
    ):
        yield f"{name}: {value:,.0f}, goal {goal:,}: {'met' if met else 'NOT met'}"
    records, octets = next((each.records, each.octets) for each in took if each.what == "exported")
    yield f"{records:,} records of {octets / records:,.0f} bytes"


if __name__ == "__main__":
    sys.exit(main())
