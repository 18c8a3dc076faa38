"""Finding out who is a patient, from words, their order, and the work that an answer costs (P6)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from callcenter.calls.verifier import CallVerifier
from callcenter.flow.ports import CodeSent, NoMoreCodes, VerificationDown
from callcenter.identity.challenges import Attempt, Challenges, Counted, NotCounted
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice import intake, patients
from callcenter.practice.importing import ImportKind, import_file
from callcenter.store import database
from callcenter.store.database import Database, Transaction
from callcenter.store.schema import APP
from tests.attack.defence import Defence, Outcome, Sabotage, attack, gained
from tests.attack.ground import Ground
from tests.attack.scene import A_STRANGER, JEANNE, JEANNES_MOBILE, TILLEULS, House, Line, Webhook, house_of, served

#: A patient, and somebody who gives the same birth date from a number that is nobody's.
A_PATIENT, NOBODY = JEANNES_MOBILE, A_STRANGER

Questions = CodeSent | NoMoreCodes | VerificationDown


def _nobody_is_told_so(sabotage: Sabotage) -> None:
    real = CallVerifier.open_challenge

    async def open_challenge(self: CallVerifier, birth_date: date, telephone: str) -> Questions:
        answer = await real(self, birth_date, telephone)
        challenge = self._desk.challenge
        return NoMoreCodes() if challenge is not None and challenge.patient is None else answer

    sabotage.replace(CallVerifier, "open_challenge", open_challenge)


DECOY = Defence("a decoy challenge", "P6: no oracle in words and order", _nobody_is_told_so)


@attack(stopped_by=DECOY)
async def test_p6_a_patient_is_told_from_a_stranger_by_what_is_said(house: House) -> Outcome:
    known, unknown = [await refused(house.line(caller)) for caller in (A_PATIENT, NOBODY)]
    return gained(sounds(known) != sounds(unknown))


def _nobody_costs_less(sabotage: Sabotage) -> None:
    real = CallVerifier.open_challenge

    async def open_challenge(self: CallVerifier, birth_date: date, telephone: str) -> Questions:
        if not await self._patients.by_birth_and_phone(self._desk.tx, birth_date, telephone):
            return CodeSent()
        return await real(self, birth_date, telephone)

    sabotage.replace(CallVerifier, "open_challenge", open_challenge)


SAME_WORK = Defence("the same work for a stranger", "P6: no oracle in time", _nobody_costs_less)


@attack(stopped_by=SAME_WORK)
async def test_p6_a_patient_is_told_from_a_stranger_by_the_work_that_is_done(house: House) -> Outcome:
    """Round trips to the database can be heard, at a millisecond each; a sealed field opens in microseconds."""
    costs = []
    for caller in (A_PATIENT, NOBODY):
        line = await house.line(caller).dial()
        await line.press("1", "1")
        with statements() as done:
            await line.press("14031962")
            await line.press("000000")
        costs.append(done)
    return gained(costs[0] != costs[1])


def _the_limit_ends_the_questions(sabotage: Sabotage) -> None:
    real = Challenges.attempt

    async def attempt(self: Challenges, *question: object) -> Attempt:
        counted = await real(self, *question)  # type: ignore[arg-type]  # passed on as it came
        return NotCounted() if isinstance(counted, Counted) and counted.barred else counted

    sabotage.replace(Challenges, "attempt", attempt)


NEVER_ANNOUNCED = Defence("a limit is never announced", "P6: no oracle in a limit", _the_limit_ends_the_questions)


@attack(stopped_by=NEVER_ANNOUNCED)
async def test_p6_a_patient_is_told_from_a_stranger_by_a_limit(house: House) -> Outcome:
    """Five wrong codes about somebody; then the questions are counted."""
    calls: dict[str, list[Line]] = {}
    for caller in (A_PATIENT, NOBODY):
        lines = [await house.line(caller).dial() for _ in range(3)]
        for line in lines:
            await line.claim()
        for line in lines:
            await line.guess_wrong(1)
        for line in lines:
            await exhaust(line)
        calls[caller] = lines
    known, unknown = ([sounds(line) for line in lines] for lines in calls.values())
    return gained(known != unknown)


# --- by damage


def _damage_is_an_error(sabotage: Sabotage) -> None:
    sabotage.replace(patients, "IntegrityError", ZeroDivisionError)  # which none of it raises


DAMAGE_IS_NO_MATCH = Defence("who cannot be compared is nobody", "P6, P7: no oracle in a fault", _damage_is_an_error)


@pytest.mark.parametrize(
    ("table", "column", "whose"), [("patient", "birth_date", "id"), ("contact", "phone", "patient_id")]
)
@attack(stopped_by=DAMAGE_IS_NO_MATCH)
async def test_p6_a_patient_is_told_from_a_stranger_by_a_field_that_does_not_open(
    house: House, table: str, column: str, whose: str
) -> Outcome:
    """A bad block, a row that was moved, somebody who may write in the database: a patient's call would end with it."""
    damage = f"UPDATE {table} SET {column} = overlay({column} placing '\\x0000'::bytea from 20) WHERE {whose} = :jeanne"
    await house.ground.change(damage, jeanne=JEANNE)
    known, unknown = [await refused(house.line(caller)) for caller in (A_PATIENT, NOBODY)]
    return gained(sounds(known) != sounds(unknown))


# --- beside an import


class HeldOpen(Database):
    """A database whose transactions commit only once they are let go."""

    def __init__(self, url: str) -> None:
        super().__init__(url, pool_size=2)
        self.written, self.let_go = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def practice(self, practice: UUID) -> AsyncIterator[Transaction]:
        async with super().practice(practice) as tx:
            yield tx
            self.written.set()
            await self.let_go.wait()


@asynccontextmanager
async def importing(ground: Ground, clock: DrivenClock, file: Path, kind: ImportKind) -> AsyncIterator[None]:
    """Meanwhile ``file`` has been imported, and is not committed."""
    held = HeldOpen(ground.url(APP))
    work = import_file(held, ground.sealer, TILLEULS, file, kind, {}, False, clock, SystemRandom())
    under_way = asyncio.create_task(work)
    written = asyncio.create_task(held.written.wait())
    try:
        await asyncio.wait({under_way, written}, return_when=asyncio.FIRST_COMPLETED)
        assert held.written.is_set(), "the import has failed"
        yield
    finally:
        held.let_go.set()
        written.cancel()
        await under_way
        await held.close()


def _lookup_keys_are_written_anew(sabotage: Sabotage) -> None:
    sabotage.replace(intake, "_lookup_keys", lambda _: {"id", "practice_id"})
    # The statements made before are kept, and this one must not be kept for the tests that follow.
    sabotage.replace(intake, "_put_statement", intake._put_statement.__wrapped__)


KEYS_STAND = Defence(
    "an import writes no look-up key anew", "P6, P7: no claim waits for an import", _lookup_keys_are_written_anew
)


def _locked_telephones_are_waited_for(sabotage: Sabotage) -> None:
    sabotage.replace(patients, "_CONTACTS", patients._CONTACTS.with_for_update(read=True, key_share=True))


PASSED_OVER = Defence(
    "a telephone that is leaving the file is passed over", "P6: no oracle in time", _locked_telephones_are_waited_for
)

JEANNES_FILE = (
    "external_id;birth_name;first_name;birth_date;sex\njeanne-martin-duval;Martin-Duval;Jeanne;14/03/1962;F\n"
)
SAME_TELEPHONE = f"patient;phone\njeanne-martin-duval;{JEANNES_MOBILE}\n"
ANOTHER_TELEPHONE = "patient;phone\njeanne-martin-duval;+33639981998\n"


async def told_apart_beside(
    ground: Ground, clock: DrivenClock, sabotage: Sabotage, file: Path, kind: ImportKind
) -> Outcome:
    """A challenge refers to its patient and telephone; whoever waits for a row that an import holds is a patient."""
    sabotage.replace(database, "LOCK_TIMEOUT_MS", 250)  # so that who would wait for the import fails instead
    async with served(house_of(ground, clock, sabotage)) as house, importing(ground, clock, file, kind):
        known, unknown = [await refused(house.line(caller)) for caller in (A_PATIENT, NOBODY)]
        return gained(sounds(known) != sounds(unknown))


@attack(stopped_by=KEYS_STAND)
async def test_p6_a_patient_is_told_from_a_stranger_while_patients_are_imported(
    ground: Ground, clock: DrivenClock, sabotage: Sabotage, tmp_path: Path
) -> Outcome:
    file = written(tmp_path, JEANNES_FILE)
    return await told_apart_beside(ground, clock, sabotage, file, ImportKind.PATIENTS)


@attack(stopped_by=(KEYS_STAND, PASSED_OVER))
async def test_p6_a_patient_is_told_from_a_stranger_while_telephones_are_imported(
    ground: Ground, clock: DrivenClock, sabotage: Sabotage, tmp_path: Path
) -> Outcome:
    file = written(tmp_path, SAME_TELEPHONE)
    return await told_apart_beside(ground, clock, sabotage, file, ImportKind.CONTACTS)


@attack(stopped_by=PASSED_OVER)
async def test_p6_a_patient_is_told_from_a_stranger_while_their_telephone_leaves_the_file(
    ground: Ground, clock: DrivenClock, sabotage: Sabotage, tmp_path: Path
) -> Outcome:
    file = written(tmp_path, ANOTHER_TELEPHONE)
    return await told_apart_beside(ground, clock, sabotage, file, ImportKind.CONTACTS)


def written(folder: Path, rows: str) -> Path:
    """A practice's export."""
    file = folder / "export.csv"
    file.write_text(rows, encoding="utf-8")
    return file


async def refused(line: Line) -> Line:
    """Claim, guess until it is over, leave no message."""
    await line.dial()
    await line.claim()
    await exhaust(line)
    return line


async def exhaust(line: Line) -> None:
    """Type a wrong code for as long as something is asked."""
    for _ in range(20):
        if line.question is None:
            return
        await line.press("000000")
    raise AssertionError("it asks for ever")


def sounds(line: Line) -> Sequence[str]:
    """What a caller can tell of each answer: the document without its identifiers."""
    return [_without_identifiers(webhook) for webhook in line.webhooks]


def _without_identifiers(webhook: Webhook) -> str:
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "…", webhook.answer.text)


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements that the product sends meanwhile, on all of its connections, in order."""
    done: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        done.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield done
    finally:
        event.remove(Engine, "before_cursor_execute", note)
