"""What supervisors look for is found by an index, however long the ledger is, under row-level security as they are."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import create_async_engine

from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.labels import Category
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.demo import seed
from callcenter.practice.demo_file import demo_id
from callcenter.reports.on_record import Sought, patients_on_record
from callcenter.reports.searching import search
from callcenter.reports.timeline import timeline_of
from callcenter.reports.values import Criteria, Kind, Outcome, Place
from callcenter.store.database import Database, Transaction
from callcenter.store.sealed import Sealer
from tests.attack.repositories import FLOWS
from tests.conftest import ROOT, Cluster

TILLEULS = demo_id("practice", "cabinet-des-tilleuls")
JEANNE = demo_id("patient", "jeanne-martin-duval")
STAFF, TOKEN = uuid4(), uuid4()
#: Calls of eight months, with four records each; one in a hundred is somebody's of staff, or about Jeanne.
CALLS = 6_000

_LARGE = re.compile(r"Seq Scan on (?:public\.)?(audit_record|call|call_trace|routing_event)\b")

_CALLS = """
    INSERT INTO call (id, practice_id, carrier_sid, status, started_at, ended_at)
    SELECT gen_random_uuid(), :practice, 'CA' || md5(n::text), 10, timestamptz '2026-11-26' - n * interval '60 minutes',
           timestamptz '2026-11-26' - n * interval '60 minutes' + interval '2 minutes'
    FROM generate_series(1, :calls) n
"""
#: Those of everybody else, without anything on record: they stand around.
_OTHERS = """
    INSERT INTO call (id, practice_id, carrier_sid, status, started_at, ended_at)
    SELECT gen_random_uuid(), :other, 'CB' || md5(n::text), 10, c.started_at, c.ended_at
    FROM call c, generate_series(1, 3) m, LATERAL (SELECT hashtextextended(c.id::text, m) AS n) h
"""
_TRACES = """
    INSERT INTO call_trace (practice_id, call_id, document, at, flow, language, asked, typed, prompts)
    SELECT practice_id, id, 0, started_at, repeat('a', 64), 'fr', '', NULL, ARRAY['welcome'] FROM call
"""
_EVENTS = """
    INSERT INTO routing_event (at, kind, organisation_id, practice_id, call_id, detail)
    SELECT c.started_at, 'left', p.organisation_id, p.id, c.id, 'answered' FROM call c
    JOIN practice p ON p.id = c.practice_id
"""
_RECORDS = """
    INSERT INTO audit_record (id, practice_id, stream, seq, call_id, leaf, body)
    SELECT gen_random_uuid(), practice_id, call_id, seq, call_id, sha256('\\x00'::bytea || body), body FROM (
        SELECT c.practice_id, c.id AS call_id, n AS seq, convert_to(json_build_object(
            'ts', to_char(c.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            'event', (ARRAY['call.started', 'verification.succeeded', 'disclosure', 'call.ended'])[n + 1],
            'decision', 'granted', 'categories', ARRAY['D02'],
            'actor', CASE WHEN c.place % 100 = 0 THEN json_build_object('kind', 'staff', 'id', cast(:staff AS text))
                          ELSE json_build_object('kind', 'ivr', 'id', 'callcenter') END,
            'subject', CASE WHEN c.place % 100 = 1 THEN cast(:token AS text) END,
            'refs', ARRAY['message:' || c.id])::text, 'UTF8') AS body
        FROM (SELECT *, row_number() OVER (ORDER BY started_at) AS place FROM call) c, generate_series(0, 3) n
    ) made
"""


@pytest.fixture
async def long_ledger(
    database: Database, cluster: Cluster, database_name: str, sealer: Sealer, clock: DrivenClock
) -> Database:
    """A practice with months of calls, whose statistics are known."""
    await seed(database, sealer, clock, SystemRandom())
    root = create_async_engine(cluster.server.url(user=ROOT, database=database_name))
    async with root.begin() as filling:
        await filling.execute(text("SET LOCAL session_replication_role = replica"))
        await filling.execute(text(_CALLS), {"practice": TILLEULS, "calls": CALLS})
        await filling.execute(text(_RECORDS), {"staff": str(STAFF), "token": str(TOKEN)})
        await filling.execute(text(_OTHERS), {"other": demo_id("practice", "maison-de-sante-du-port")})
        for statement in (_TRACES, _EVENTS):
            await filling.execute(text(statement))
        subject = "INSERT INTO audit_subject (practice_id, patient_id, token) VALUES (:practice, :patient, :token)"
        await filling.execute(text(subject), {"practice": TILLEULS, "patient": JEANNE, "token": TOKEN})
    async with root.connect() as analysing:
        await (await analysing.execution_options(isolation_level="AUTOCOMMIT")).execute(text("VACUUM ANALYZE"))
    await root.dispose()
    return database


@asynccontextmanager
async def noted(database: Database) -> AsyncIterator[list[tuple[str, Any]]]:
    """Every statement that is sent meanwhile."""
    sent: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        sent.append((statement, parameters))

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", note)


def _criteria(kind: Kind, **more: Any) -> Criteria:
    return Criteria(TILLEULS, kind, date(2026, 8, 27), date(2026, 11, 26), **more)


Look = Callable[[Transaction, Sealer], Awaitable[object]]


def _search(kind: Kind, after: Place | None = None, **more: Any) -> Look:
    async def look(tx: Transaction, _: Sealer) -> object:
        return (await search(tx, _criteria(kind, **more), after)).found

    return look


async def _timeline(tx: Transaction, _: Sealer) -> object:
    call = (await tx.connection.execute(text("SELECT call_id FROM audit_record LIMIT 1"))).scalar_one()
    return await timeline_of(tx, call, FLOWS)


async def _patient(tx: Transaction, sealer: Sealer) -> object:
    return await patients_on_record(tx, sealer, _criteria(Kind.CALLS), Sought(date(1962, 3, 14), "mar"))


LOOKS: dict[str, Look] = {
    **{kind.value: _search(kind) for kind in (Kind.CALLS, Kind.DISCLOSURES, Kind.VERIFICATIONS, Kind.STAFF)},
    "later page": _search(Kind.DISCLOSURES, Place("2026-09-01T00:00:00.000000Z", UUID(int=5))),
    "later calls": _search(Kind.CALLS, Place("2026-09-01T00:00:00.000000Z", UUID(int=5))),
    "category": _search(Kind.DISCLOSURES, category=Category.APPOINTMENT_EXISTS),
    "calls by outcome": _search(Kind.CALLS, outcome=Outcome.VERIFIED),
    "calls of a person": _search(Kind.CALLS, staff=STAFF),
    "acts of a person": _search(Kind.STAFF, staff=STAFF),
    "about a patient": _search(Kind.DISCLOSURES, subject=TOKEN),
    "calls about a patient": _search(Kind.CALLS, subject=TOKEN),
    "one call": _timeline,
    "who is on record": _patient,
}


async def test_what_supervisors_look_for_reads_no_large_table_to_its_end(long_ledger: Database, sealer: Sealer) -> None:
    read = []
    for name, look in LOOKS.items():
        async with noted(long_ledger) as sent, long_ledger.practice(TILLEULS) as tx:
            assert await look(tx, sealer), f"{name} finds nothing"
        async with long_ledger.practice(TILLEULS) as tx:
            for statement, parameters in sent:
                if statement.lstrip().startswith(("SELECT call_id FROM", "SELECT set_config")):
                    continue
                rows = await tx.connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
                plan = "\n".join(row[0] for row in rows)
                read += [f"{name}: {table}: {statement}\n{plan}" for table in _LARGE.findall(plan)]
    assert not read, "\n\n".join(read)
    await _a_look_without_an_index_would_be_seen(long_ledger)


async def _a_look_without_an_index_would_be_seen(database: Database) -> None:
    async with database.practice(TILLEULS) as tx:
        rows = await tx.connection.execute(text("EXPLAIN SELECT id FROM audit_record WHERE octet_length(body) = 5"))
        assert _LARGE.findall("\n".join(row[0] for row in rows)) == ["audit_record"]
