"""The sealer is killed, lied to, or set back: no head that it has signed is ever contradicted by it (P4)."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.audit import sealer
from callcenter.audit.ledger import Entry, EventKind, note
from callcenter.audit.sealer import LogSealer, Sealed
from callcenter.audit.sealing_key import create_sealing_key
from callcenter.audit.signing import SealingKey
from callcenter.audit.verify import Checkpoint, Frontier
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SystemRandom
from callcenter.store.database import Database
from callcenter.store.schema import SEALER
from tests.attack.defence import FOILED, SUCCEEDED, Defence, Outcome, Sabotage, attack, gained, replaced
from tests.attack.ground import Ground
from tests.attack.scene import TILLEULS
from tests.sealing import Cries, a_key, verified

ROOT_OF_THE_PROJECT = Path(__file__).resolve().parents[3]
TABLES = ("audit_leaf", "audit_checkpoint", "audit_log", "audit_record", "audit_outbox")
JOB = {"kind": "job", "id": "retention"}
ENTRY = Entry(EventKind.CALL_STARTED, {"kind": "ivr", "id": "callcenter"})


FOUR_YEARS = timedelta(days=4 * 366)
#: What may go although the record that says so is not sealed.
LET_GO_BY_NOBODY = (
    "SELECT 1 FROM audit_erasure e WHERE NOT EXISTS "
    "(SELECT FROM audit_leaf l WHERE l.log_id = e.log_id AND l.idx = e.idx)"
)


async def erase_the_last(ground: Ground, clock: DrivenClock) -> None:
    """Put on record that the last record that is sealed is erased."""
    (row,) = await ground.rows("SELECT max(idx) AS last FROM audit_leaf WHERE log_id = :log", log=TILLEULS)
    content = {"cause": "retention", "class": "operation", "erases": [[row.last, row.last]]}
    async with ground.app.practice(TILLEULS) as tx:
        await note(tx, Entry(EventKind.ERASURE, JOB, None, content), clock, SystemRandom())


async def write(ground: Ground, clock: DrivenClock, count: int = 1) -> None:
    async with ground.app.practice(TILLEULS) as tx:
        for _ in range(count):
            await note(tx, ENTRY, clock, SystemRandom())


# --- it dies


def _every_statement_is_a_transaction(sabotage: Sabotage) -> None:
    sabotage.settings["autocommit"] = True


WHOLE = Defence(
    "a round of a log is one transaction", "P4: after any crash it verifies", _every_statement_is_a_transaction
)


class Mortal:
    """Sealers that die one after the other."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def dies_at(self, step: int) -> bool:
        """Whether a sealer has died at that step; false: it has come to the end of its round."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{step}\n".encode())
        said = (await self._process.stdout.readline()).decode().strip()
        assert said in ("killed", "done"), said
        return said == "killed"


@asynccontextmanager
async def mortal_sealers(url: str, key_file: Path, *, autocommit: bool) -> AsyncIterator[Mortal]:
    arguments = ["-m", "tests.attack.ledger.dying_sealer", url, str(key_file), *(["autocommit"] if autocommit else [])]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=ROOT_OF_THE_PROJECT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Mortal(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


#: A round of one log has fewer: so many that a step more is not a reason to change this.
MOST_STEPS = 60


@attack(stopped_by=WHOLE)
async def test_p4_the_sealer_is_killed_at_each_step_and_another_goes_on(
    told_ground: Ground, clock: DrivenClock, tmp_path: Path, sabotage: Sabotage
) -> Outcome:
    key_file = tmp_path / "sealer.key"
    key = create_sealing_key(key_file, SystemRandom())
    autocommit = bool(sabotage.settings.pop("autocommit", False))
    await write(told_ground, DrivenClock(clock.now() - FOUR_YEARS))
    before = DrivenClock(clock.now() - timedelta(days=2))  # by whose head the sealers know that time has passed
    await sealed(told_ground, LogSealer(key, before, Cries()))  # then a round is one log's
    await erase_the_last(told_ground, clock)
    died = 0
    mortal = mortal_sealers(told_ground.url(SEALER), key_file, autocommit=autocommit)
    async with mortal as sealers, told_ground.session() as root:
        for step in range(MOST_STEPS):
            await write(told_ground, clock, 2)
            dies = await sealers.dies_at(step)
            try:
                states = await verified(root, key)
                assert (await root.execute(text(LET_GO_BY_NOBODY))).all() == []
            except AssertionError:
                return SUCCEEDED
            if not dies:
                break
            died += 1
    assert died > 15, "it was not killed at every step of a round"
    assert states[TILLEULS].waiting == 0
    assert len(await told_ground.rows("SELECT 1 FROM audit_erasure")) == 1
    assert states[TILLEULS].leaves > 2 * died
    return FOILED


# --- it is lied to


async def _believes(self: LogSealer, connection: AsyncConnection, log: UUID) -> Sealed:
    """As it would be if the frontier were taken for what it says."""
    found = (await connection.execute(sealer._STATE, {"log": log})).one()
    if found.size is None:
        return Sealed(Frontier(), None)
    return Sealed(Frontier.from_bytes(found.size, found.frontier), found.signed_at)


CHECKED = replaced(
    "the frontier is trusted only against our signature",
    "P4: no head that contradicts an earlier one is signed",
    LogSealer,
    "_sealed",
    _believes,
)


async def sealed(ground: Ground, one: LogSealer) -> None:
    """A round of this sealer, on a connection of its own."""
    database = Database(ground.url(SEALER), pool_size=1)
    try:
        async with database.engine.connect() as connection:
            await one.round(connection)
    finally:
        await database.close()


async def unguarded(ground: Ground, *statements: str, **values: object) -> None:
    """Done by the database's superuser, with every trigger and key off."""
    async with ground.session() as connection:
        await connection.execute(text("SET session_replication_role = replica"))
        for table in TABLES:
            await connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        for statement in statements:
            assert (await connection.execute(text(statement), values)).rowcount > 0, f"nothing to change: {statement}"


OF_THIS_LOG = "log_id = :log"
LIES = {
    "another frontier": (f"UPDATE audit_log SET frontier = sha256('a') || substr(frontier, 33) WHERE {OF_THIS_LOG}",),
    "a leaf less": (
        f"UPDATE audit_log SET size = 1, frontier = (SELECT leaf FROM audit_leaf WHERE {OF_THIS_LOG} AND idx = 0) "
        f"WHERE {OF_THIS_LOG}",
        f"DELETE FROM audit_leaf WHERE {OF_THIS_LOG} AND idx > 0",
    ),
    "another leaf at the end": (
        f"UPDATE audit_leaf SET leaf = sha256('a') WHERE {OF_THIS_LOG} AND idx = 0",
        f"UPDATE audit_log SET size = 1, frontier = sha256('a') WHERE {OF_THIS_LOG}",
        f"DELETE FROM audit_leaf WHERE {OF_THIS_LOG} AND idx > 0",
    ),
    "nothing sealed at all": (
        f"DELETE FROM audit_log WHERE {OF_THIS_LOG}",
        f"DELETE FROM audit_leaf WHERE {OF_THIS_LOG}",
    ),
}


@pytest.mark.parametrize("statements", LIES.values(), ids=LIES)
@attack(stopped_by=CHECKED)
async def test_p4_the_sealer_goes_on_from_what_somebody_has_written_in_its_tables(
    told_ground: Ground, clock: DrivenClock, statements: tuple[str, ...]
) -> Outcome:
    """Whoever owns the database makes it forget. The sealer was begun anew since, and remembers nothing itself."""
    cries = Cries()
    await sealed(told_ground, LogSealer(a_key(), clock, cries))
    await unguarded(told_ground, *statements, log=TILLEULS)
    await write(told_ground, clock)
    before = await _heads(told_ground)
    await sealed(told_ground, LogSealer(a_key(), clock, cries))
    signed = gained(await _heads(told_ground) - before)
    assert (signed is FOILED) == (TILLEULS in {log for log, _ in cries.heard}), "it cries, or it seals"
    return signed


async def _heads(ground: Ground) -> set[str]:
    rows = await ground.rows("SELECT note FROM audit_checkpoint WHERE log_id = :log", log=TILLEULS)
    return {row.note for row in rows}


@attack(stopped_by=CHECKED)
async def test_p4_a_past_that_somebody_else_has_signed_is_gone_on_with(
    told_ground: Ground, clock: DrivenClock
) -> Outcome:
    """All of it fits: leaves, frontier, head. But the key is another one."""
    cries = Cries()
    await sealed(told_ground, LogSealer(a_key(), clock, cries))
    frontier = Frontier()
    frontier.add(bytes(32))
    head = Checkpoint(f"callcenter/{TILLEULS}", 1, frontier.root())
    forged = SealingKey(Ed25519PrivateKey.from_private_bytes(bytes(32))).sign(head)
    await unguarded(
        told_ground,
        f"DELETE FROM audit_checkpoint WHERE {OF_THIS_LOG}",
        f"DELETE FROM audit_leaf WHERE {OF_THIS_LOG} AND idx > 0",
        f"UPDATE audit_leaf SET leaf = decode('{'00' * 32}', 'hex') WHERE {OF_THIS_LOG}",
        f"UPDATE audit_log SET size = 1, frontier = decode('{'00' * 32}', 'hex') WHERE {OF_THIS_LOG}",
        f"INSERT INTO audit_checkpoint VALUES ('{TILLEULS}', 1, '{forged}', now())",
        log=TILLEULS,
    )
    await write(told_ground, clock)
    await sealed(told_ground, LogSealer(a_key(), clock, cries))
    return gained(len(await _heads(told_ground)) > 1)


def _nothing_is_remembered(sabotage: Sabotage) -> None:
    class Forgetful(dict[UUID, Checkpoint]):
        def get(self, *_: object) -> None:  # type: ignore[override]
            return None

    before = LogSealer.__init__

    def begins(self: LogSealer, *arguments: object) -> None:
        before(self, *arguments)  # type: ignore[arg-type]
        self._signed = Forgetful()

    sabotage.replace(LogSealer, "__init__", begins)


REMEMBERED = Defence(
    "a sealer remembers what it has signed", "P4: no head contradicts an earlier one", _nothing_is_remembered
)


@attack(stopped_by=REMEMBERED)
async def test_p4_a_database_is_set_back_under_a_sealer_that_runs(told_ground: Ground, clock: DrivenClock) -> Outcome:
    """All of it fits, and was signed by the sealer itself: it is what stood there a moment ago."""
    cries, one = Cries(), LogSealer(a_key(), clock, Cries())
    one.alarm = cries
    await sealed(told_ground, one)
    kept = "CREATE TABLE kept_{0} AS SELECT * FROM {0} WHERE log_id = '{1}'"
    sealed_tables = ("audit_leaf", "audit_checkpoint", "audit_log")
    for table in sealed_tables:
        await told_ground.change(kept.format(table, TILLEULS))
    await write(told_ground, clock)
    await sealed(told_ground, one)
    await unguarded(
        told_ground,
        *(f"DELETE FROM {table} WHERE {OF_THIS_LOG}" for table in sealed_tables),
        *(f"INSERT INTO {table} SELECT * FROM kept_{table}" for table in sealed_tables),
        log=TILLEULS,
    )
    await write(told_ground, clock)  # instead of what it has sealed there
    before = await _heads(told_ground)
    await sealed(told_ground, one)
    signed = gained(await _heads(told_ground) - before)
    assert (signed is FOILED) == bool(cries.heard)
    return signed


def _a_leaf_is_believed(sabotage: Sabotage) -> None:
    own = "encode(sha256('\\x00'::bytea || r.body), 'hex') AS leaf"
    sabotage.rewrite(sealer, "_PRACTICE_WAITS", "encode(r.leaf, 'hex') AS leaf", own)


def _what_is_gone_is_passed_over(sabotage: Sabotage) -> None:
    sabotage.rewrite(sealer, "_PRACTICE_WAITS", "LEFT JOIN audit_record", "JOIN audit_record")


LEAF = Defence("what waits has its leaf", "P4: only what was written is sealed", _a_leaf_is_believed)
GONE = Defence("what waits is there", "P4: only what was written is sealed", _what_is_gone_is_passed_over)

_LAST = "id = (SELECT record_id FROM audit_outbox WHERE practice_id = :log ORDER BY n DESC LIMIT 1)"


@attack(stopped_by=LEAF)
async def test_p4_what_waits_to_be_sealed_is_changed(told_ground: Ground, clock: DrivenClock) -> Outcome:
    other = """decode(replace(encode(body, 'escape'), '"ts"', '"tt"'), 'escape')"""
    return await _before_it_is_sealed(told_ground, clock, f"UPDATE audit_record SET body = {other} WHERE {_LAST}")


@attack(stopped_by=GONE)
async def test_p4_what_waits_to_be_sealed_is_removed(told_ground: Ground, clock: DrivenClock) -> Outcome:
    return await _before_it_is_sealed(told_ground, clock, f"DELETE FROM audit_record WHERE {_LAST}")


async def _before_it_is_sealed(ground: Ground, clock: DrivenClock, statement: str) -> Outcome:
    """Whether this goes unnoticed by the sealer, which seals all else."""
    await write(ground, clock)
    await ground.change("ALTER TABLE audit_record DROP CONSTRAINT ck_audit_record_leaf_is_of_its_body")
    await unguarded(ground, statement, log=TILLEULS)
    cries = Cries()
    await sealed(ground, LogSealer(a_key(), clock, cries))
    return FOILED if TILLEULS in {log for log, _ in cries.heard} else SUCCEEDED


# --- whose it is


SEALED_TABLES = ("audit_leaf", "audit_checkpoint", "audit_log", "audit_erasure", "audit_refused")


def _logs_are_seen_by_everybody(sabotage: Sabotage) -> None:
    for table in SEALED_TABLES:
        sabotage.sql(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")


LOG_SCOPE = Defence("what is sealed is in log scope", "P5: no row crosses a practice", _logs_are_seen_by_everybody)


@pytest.mark.parametrize("table", SEALED_TABLES)
@attack(stopped_by=LOG_SCOPE)
async def test_p5_what_is_sealed_of_a_practice_is_read_in_another(
    told_ground: Ground, clock: DrivenClock, table: str
) -> Outcome:
    """How much a practice has on record, and of which streams."""
    await sealed(told_ground, LogSealer(a_key(), clock, Cries()))
    await told_ground.change(f"INSERT INTO audit_erasure (log_id, first, last, idx) VALUES ('{TILLEULS}', 0, 0, 1)")
    await told_ground.change(
        f"INSERT INTO audit_refused VALUES ('{TILLEULS}', '{TILLEULS}', 0, sha256(''), 'x', 'a reason', now())"
    )
    practices = await told_ground.rows("SELECT id FROM practice WHERE id <> :own", own=TILLEULS)
    async with told_ground.app.practice(practices[0].id) as tx:
        query = text(f"SELECT 1 FROM {table} WHERE log_id = :log")
        return gained((await tx.connection.execute(query, {"log": TILLEULS})).all())
