"""Reaching rows of another practice: through every method of the product, and through SQL as the app role (P5)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import (
    BigInteger,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.identity.challenges import Counted, Opened
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import CallcenterError
from callcenter.store.database import SET_PRACTICE
from callcenter.store.schema import APP, metadata, practice_tables
from tests.attack.defence import FOILED, SUCCEEDED, Defence, Outcome, Sabotage, attack, gained, unanimous
from tests.attack.extract_cases import plant_given
from tests.attack.ground import Ground
from tests.attack.methods import ROOMS
from tests.attack.repositories import CASES, Careless
from tests.attack.scene import APOLOGY, JEANNE, PORT, START, TILLEULS, House

TABLES = practice_tables(metadata.sorted_tables)


#: What hands out a patient's token acts as the owner, who is bound by no row security: it asks for the practice itself.
TOKENS_ARE_EVERYBODYS = """
DO $$ BEGIN
    EXECUTE replace(pg_get_functiondef('ledger_token(uuid,uuid)'::regprocedure),
                    'current_setting(''app.practice'')::uuid',
                    '(SELECT p.practice_id FROM patient p WHERE p.id = patient)');
END $$
"""


def _rows_are_everybodys(sabotage: Sabotage) -> None:
    for table in TABLES:
        sabotage.sql(f"ALTER TABLE {table.name} DISABLE ROW LEVEL SECURITY")
    sabotage.sql(TOKENS_ARE_EVERYBODYS)


ROW_SECURITY = Defence("row-level security", "P5: no row crosses a practice", _rows_are_everybodys)


# --- through every method

#: The challenge as it stood before its code was typed: nobody here opens what is sealed, and no rule of ours brings it
#: back, so that the one that forbids it is out of the way meanwhile.
AS_IT_WAS_OPEN = (
    "ALTER TABLE challenge DISABLE TRIGGER challenge_consumed_at_once",
    "UPDATE challenge SET consumed_at = NULL, secret = 'sealed'",
    "ALTER TABLE challenge ENABLE TRIGGER challenge_consumed_at_once",
)


@pytest.mark.parametrize("room", ROOMS)
@attack(stopped_by=ROW_SECURITY)
async def test_p5_a_method_asks_for_another_practices_rows(told_ground: Ground, room: str) -> Outcome:
    """In the practice of Brest, with queries that have forgotten to be: they ask for the patients of Lyon."""
    clock = DrivenClock(START + timedelta(minutes=5))
    await told_ground.change(*AS_IT_WAS_OPEN)
    await plant_given(told_ground)
    async with told_ground.app.engine.connect() as connection, _taken_back(connection):
        before = await _rows_of_the_victim(connection)
    here = [name for name in CASES if name.startswith(f"{room}.")]
    return unanimous({name: await _reaches(told_ground, clock, name, before) for name in here})


async def _reaches(ground: Ground, clock: DrivenClock, name: str, before: str) -> Outcome:
    """Whether the method gives or changes rows of the victim; nothing of it stays.

    Arguments:
        before: a digest of those rows, as they are again after each method.
    """
    async with ground.app.engine.connect() as connection, _taken_back(connection):
        await _enter(connection, PORT)
        careless = await Careless.of(connection, ground, clock)
        try:
            async with connection.begin_nested():
                held = await CASES[name](careless)
        except (CallcenterError, DBAPIError):
            return FOILED
        return gained(held or await _rows_of_the_victim(connection) != before)


@asynccontextmanager
async def _taken_back(connection: AsyncConnection) -> AsyncIterator[None]:
    transaction = await connection.begin()
    try:
        yield
    finally:
        await transaction.rollback()


async def _enter(connection: AsyncConnection, practice: object) -> None:
    await connection.execute(SET_PRACTICE, {"practice": str(practice)})


async def _rows_of_the_victim(connection: AsyncConnection) -> str:
    """A digest of them, as their own practice sees them in this transaction."""
    await _enter(connection, TILLEULS)
    rows = " UNION ALL ".join(f"SELECT t::text AS row FROM {table.name} t" for table in TABLES)
    return str(
        (await connection.execute(text(f"SELECT md5(string_agg(row, '|' ORDER BY row)) FROM ({rows}) r"))).scalar()
    )


def _rows_may_name_any_row(sabotage: Sabotage) -> None:
    sabotage.sql(
        "DO $$ DECLARE key record; BEGIN FOR key IN SELECT conrelid::regclass AS of, conname FROM pg_constraint "
        "WHERE contype = 'f' AND confrelid <> 'practice'::regclass LOOP "
        "EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', key.of, key.conname); END LOOP; END $$"
    )


COMPOSITE_KEYS = Defence("keys name the practice", "P5: foreign keys ignore row security", _rows_may_name_any_row)


@attack(stopped_by=(ROW_SECURITY, COMPOSITE_KEYS))
async def test_p5_a_code_is_tried_on_another_practices_challenge(told_ground: Ground) -> Outcome:
    await told_ground.change(*AS_IT_WAS_OPEN)
    clock = DrivenClock(START + timedelta(minutes=1))
    async with told_ground.app.engine.connect() as connection, _taken_back(connection):
        on = await Careless.of(connection, told_ground, clock)
    try:
        tried = await on.challenges.attempt(PORT, on.call, Opened(on.challenge, JEANNE, shared=False), 99, "000000")
    except IntegrityError as error:
        return _refused_by_a_key(error)
    return gained(isinstance(tried, Counted))


def _refused_by_a_key(error: IntegrityError) -> Outcome:
    """``FOILED``, unless something besides a foreign key was in the way."""
    if "violates foreign key constraint" not in str(error.orig):
        raise error
    return FOILED


@attack(stopped_by=COMPOSITE_KEYS)
async def test_p5_a_row_of_ones_own_stands_in_the_way_of_another_practices_call(house: House) -> Outcome:
    """An answer planted on the victim's next question, as a row of the attacker's own practice: her call is stuck."""
    line = await house.line().dial()
    planted = text(
        "INSERT INTO step_answer (practice_id, call_id, document, slot, fingerprint, body, answered_at) "
        "VALUES (:practice, :call, 1, 'next', sha256('planted'), '', now())"
    )
    try:
        async with house.ground.app.practice(PORT) as tx:
            await tx.connection.execute(planted, {"practice": PORT, "call": await line.id()})
    except IntegrityError as error:
        _refused_by_a_key(error)
    await line.press("1")
    return gained(APOLOGY in line.all_heard)


# --- through SQL as the app role


async def _leave_only_row_security(ground: Ground) -> None:
    """Rights, triggers and foreign keys are taken away: the policies must be enough alone."""
    for table in TABLES:
        await ground.change(f"GRANT ALL ON {table.name} TO {APP}", f"ALTER TABLE {table.name} DISABLE TRIGGER ALL")


async def _attempts(ground: Ground, statement_of: Any) -> dict[str, Outcome]:
    """For each table, whether a statement of somebody in the other practice touches a row of the victim."""
    await _leave_only_row_security(ground)
    outcomes = {}
    for table in TABLES:
        (row,) = await ground.rows(f"SELECT * FROM {table.name} WHERE practice_id = '{TILLEULS}' LIMIT 1")
        async with ground.app.engine.connect() as connection, _taken_back(connection):
            await _enter(connection, PORT)
            try:
                touched = await connection.execute(statement_of(table, row._mapping))
            except DBAPIError as error:
                outcomes[table.name] = _refused_by_a_policy(error)
            else:
                outcomes[table.name] = gained(touched.rowcount > 0)
    return outcomes


def _refused_by_a_policy(error: DBAPIError) -> Outcome:
    """``FOILED``, unless something besides row-level security was in the way."""
    if "row-level security" not in str(error.orig):
        raise error
    return FOILED


@attack(stopped_by=ROW_SECURITY)
async def test_p5_rows_of_another_practice_are_read(told_ground: Ground) -> Outcome:
    def statement(table: Table, _: Any) -> Any:
        return table.select().where(table.c.practice_id == TILLEULS)

    return unanimous(await _attempts(told_ground, statement))


@attack(stopped_by=ROW_SECURITY)
async def test_p5_rows_of_another_practice_are_changed(told_ground: Ground) -> Outcome:
    def statement(table: Table, _: Any) -> Any:
        return table.update().where(table.c.practice_id == TILLEULS).values(practice_id=TILLEULS)

    return unanimous(await _attempts(told_ground, statement))


@attack(stopped_by=ROW_SECURITY)
async def test_p5_rows_of_another_practice_are_removed(told_ground: Ground) -> Outcome:
    def statement(table: Table, _: Any) -> Any:
        return table.delete().where(table.c.practice_id == TILLEULS)

    return unanimous(await _attempts(told_ground, statement))


@attack(stopped_by=ROW_SECURITY)
async def test_p5_a_row_is_planted_in_another_practice(told_ground: Ground) -> Outcome:
    return unanimous(await _attempts(told_ground, lambda table, row: table.insert().values(_another(table, row))))


@attack(stopped_by=ROW_SECURITY)
async def test_p5_a_row_of_ones_own_is_moved_into_another_practice(told_ground: Ground) -> Outcome:
    """One's own row, planted where it may be, then given to the victim's practice."""
    await _leave_only_row_security(told_ground)
    outcomes = {}
    for table in TABLES:
        (row,) = await told_ground.rows(f"SELECT * FROM {table.name} WHERE practice_id = '{TILLEULS}' LIMIT 1")
        mine = {**_another(table, row._mapping), "practice_id": PORT}
        async with told_ground.app.engine.connect() as connection, _taken_back(connection):
            await _enter(connection, PORT)
            await connection.execute(table.insert().values(mine))
            try:
                moved = table.update().where(table.c.practice_id == PORT).values(practice_id=TILLEULS)
                outcomes[table.name] = gained((await connection.execute(moved)).rowcount)
            except DBAPIError as error:
                outcomes[table.name] = _refused_by_a_policy(error)
    return unanimous(outcomes)


@attack(stopped_by=ROW_SECURITY)
async def test_p5_rows_are_read_without_naming_a_practice(told_ground: Ground) -> Outcome:
    """Never named on this connection, and named in a transaction before: both are errors, not an empty answer."""
    outcomes = {}
    for table in TABLES:
        for named_before in (False, True):
            await told_ground.app.close()  # the next connection is new: no practice was ever named on it
            async with told_ground.app.engine.connect() as connection:
                if named_before:
                    await _enter(connection, TILLEULS)
                    await connection.commit()
                try:
                    found = (await connection.execute(table.select().limit(1))).all()
                    assert found, f"{table.name} answers with nothing instead of an error"
                    outcomes[f"{table.name} {named_before}"] = SUCCEEDED
                except DBAPIError:
                    outcomes[f"{table.name} {named_before}"] = FOILED
    return unanimous(outcomes)


def _another(table: Table, row: Any) -> dict[str, Any]:
    """A row like ``row`` that no key or unique constraint of ``table`` stands against."""
    columns = [column for column in table.columns if column.identity is None and column.computed is None]
    unique = {
        column.name
        for constraint in (*table.constraints, *table.indexes)
        if isinstance(constraint, UniqueConstraint)
        or constraint is table.primary_key
        or (isinstance(constraint, Index) and constraint.unique)
        for column in constraint.columns
        if column.name not in ("practice_id", "slot", "kind", "channel") and row[column.name] is not None
    }
    given = {c.name for c in columns if row[c.name] is not None}
    return {c.name: _fresh(c.type, row[c.name]) if c.name in unique & given else row[c.name] for c in columns}


def _fresh(kind: Any, value: Any) -> Any:
    match kind:
        case Uuid():
            return uuid4()
        case LargeBinary():
            return uuid4().bytes * 2
        case Text() if str(value).startswith("RE"):  # a recording, as the carrier names it
            return f"RE{uuid4().hex}"
        case Text():
            return f"{value} {uuid4()}"
        case DateTime():
            return value + timedelta(days=1000)
        case BigInteger() | Integer() | SmallInteger():
            return value + 1000
    raise AssertionError(f"no fresh value for {kind!r}: say here how to make one")
