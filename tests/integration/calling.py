"""Callers who verify themselves, without a carrier: the ports of a call on a real database, each step a transaction."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import event, text

from callcenter.audit.ledger import Segment, Writing
from callcenter.calls.codes import CodeSender
from callcenter.calls.desk import Desk
from callcenter.calls.verifier import CallVerifier
from callcenter.identity.challenges import Challenges, Limits, Opened
from callcenter.identity.evidence import Evidence
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import Unavailable
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.demo_file import demo_id
from callcenter.practice.patients import Patients
from callcenter.store.database import Database, Transaction
from callcenter.store.sealed import Sealer
from tests.texts import CODE_TEXT

TILLEULS, PORT = demo_id("practice", "cabinet-des-tilleuls"), demo_id("practice", "maison-de-sante-du-port")

CALL = "INSERT INTO call (id, practice_id, carrier_sid, status, started_at) VALUES (:id, :practice, :sid, 3, :now)"


@dataclass
class Postbox:
    """Stands for the carrier's messages: what would have been sent, and to whom."""

    sent: list[tuple[str, str]] = field(default_factory=list)
    fails: Unavailable | None = None

    async def send_message(self, to: str, body: str, *, reference: UUID) -> None:
        if self.fails is not None:
            raise self.fails
        self.sent.append((to, body))


@dataclass
class Exchange:
    """A practice's calls.

    Arguments:
        statements: sent to the database by steps, one after the other.
    """

    database: Database
    sealer: Sealer
    clock: DrivenClock
    limits: Limits = field(default_factory=Limits)
    postbox: Postbox = field(default_factory=Postbox)
    practice: UUID = TILLEULS

    def challenges(self) -> Challenges:
        return Challenges(self.sealer, self.clock, SystemRandom(), self.limits, self.database)

    def sender(self) -> CodeSender:
        return CodeSender(self.database, self.sealer, self.clock, self.postbox, lambda: CODE_TEXT, 10)

    async def dial(self, caller: str | None = "+33639980001") -> Line:
        call = uuid4()
        values = {"id": call, "practice": self.practice, "sid": f"CA{call.hex}", "now": self.clock.now()}
        async with self.database.house() as connection:
            await connection.execute(text(CALL), values)
        return Line(self, call, caller, Segment(uuid4(), call))

    async def deliver(self) -> list[tuple[str, str]]:
        """Work on the jobs that wait, as the worker does; returns what was sent: number and code."""
        self.postbox.sent.clear()
        query = "UPDATE procrastinate_jobs SET status = 'succeeded' WHERE status = 'todo' RETURNING task_name, args"
        async with self.database.house() as connection:
            jobs = (await connection.execute(text(query))).all()
        for job in jobs:
            assert job.task_name == "send_code"
            named = job.args if isinstance(job.args, dict) else json.loads(job.args)
            await self.sender().send(UUID(named["practice"]), UUID(named["challenge"]))
        return [(to, _code(body)) for to, body in self.postbox.sent]

    async def rows(self, query: str, **values: Any) -> list[Any]:
        async with self.database.practice(self.practice) as tx:
            return list((await tx.connection.execute(text(query), values)).all())

    async def records(self, event: str) -> list[dict[str, Any]]:
        """The records of one kind, in the order in which they were written."""
        bodies = [json.loads(row.body) for row in await self.rows("SELECT body FROM audit_record")]
        return sorted((body for body in bodies if body["event"] == event), key=lambda body: (body["ts"], body["seq"]))

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """The statements sent meanwhile."""
        sent: list[str] = []

        def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
            sent.append(statement)

        event.listen(self.database.engine.sync_engine, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            event.remove(self.database.engine.sync_engine, "before_cursor_execute", note)


@dataclass
class Line:
    """One caller's call."""

    exchange: Exchange
    call: UUID
    caller: str | None
    segment: Segment
    challenge: Opened | None = None
    used: int = 0
    evidence: Evidence | None = None
    document: int = 0

    async def claim(self, birth_date: date, telephone: str) -> object:
        """Say who one is; the answer of the port."""
        return await self._step(lambda verifier: verifier.open_challenge(birth_date, telephone))

    async def press(self, keys: str) -> object:
        """Type a code; the answer of the port."""
        return await self._step(lambda verifier: verifier.check_code(keys))

    async def _step(self, ask: Any) -> object:
        exchange = self.exchange
        self.document += 1
        async with exchange.database.practice(exchange.practice) as tx:
            desk = self._desk(tx)
            patients = Patients(exchange.sealer)
            answer = await ask(CallVerifier(desk, patients, exchange.challenges(), exchange.limits, SystemRandom()))
            await desk.writing.flush()
        self.challenge, self.used, self.evidence = desk.challenge, desk.challenges_used, desk.evidence
        self.segment = desk.writing.segment
        return answer

    def _desk(self, tx: Transaction) -> Desk:
        """A desk without gate and facts, which verification does not use."""
        clock = self.exchange.clock
        unused: Any = None
        writing = Writing(tx, self.segment, clock, SystemRandom())
        kept = (self.challenge, self.used, self.evidence, self.caller)
        return Desk(tx, writing, unused, unused, self.call, self.document, clock.now(), *kept)


def _code(body: str) -> str:
    match = re.search(r"(\d{3}) (\d{3})", body)
    assert match is not None, body
    return match[1] + match[2]


def wrong(code: str) -> str:
    """Six digits that are not ``code``."""
    return f"{(int(code) + 1) % 1_000_000:06}"
