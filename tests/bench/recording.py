"""What one verified call does to the database: every statement with its parameters, in order, step by step.

The product runs in this process, so that SQLAlchemy's events can be watched. Jobs are left out: they are no part of a
step. The recording is the pinned table of the tests, and the script of the hand-written floor.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, QueuePool, event, text

from callcenter.app import Running, run_server
from callcenter.calls.codes import CodeSender
from callcenter.calls.releases import CURRENT
from callcenter.installation import Addresses, sealer_key_path
from callcenter.kernel.clock import DrivenClock, SystemClock
from callcenter.settings import Settings
from callcenter.speech.voices import Voice
from tests.bench.carrier import code_in
from tests.bench.values import Begin, Commit, Execute, Operation, Person, Recording, Step
from tests.bench.walk import Walk
from tests.bench.wire import Line, Received, Site
from tests.sealing import seal_once
from tests.texts import CODE_TEXT


@dataclass(slots=True)
class _Watch:
    """Hears every engine of this process while a step is under way."""

    step: Step | None = None
    operations: dict[Step, list[Operation]] = field(default_factory=dict)
    _open: dict[int, int] = field(default_factory=dict)
    _begun: int = 0

    def executed(
        self, connection: Connection, _cursor: object, statement: str, parameters: Any, _context: object, many: bool
    ) -> None:
        # A server looks by itself what was published, and what waits to be sealed.
        if self.step is None or statement == CURRENT or "ledger_waiting(" in statement:
            return
        if many:
            raise AssertionError("a step sends a statement many times; the floor does not know how")
        kept = self.operations.setdefault(self.step, [])
        if id(connection) not in self._open:  # asyncpg is sent BEGIN with the first statement
            self._begun += 1
            self._open[id(connection)] = self._begun
            pool = connection.engine.pool
            assert isinstance(pool, QueuePool), "a step's connections come from bounded pools"
            kept.append(Begin(self._begun, pool.size()))
        kept.append(Execute(self._open[id(connection)], statement, tuple(parameters)))

    def committed(self, connection: Connection) -> None:
        begun = self._open.pop(id(connection), None)
        if self.step is not None and begun is not None:
            self.operations[self.step].append(Commit(begun))

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear what is executed and committed."""
        ears = (("before_cursor_execute", self.executed), ("commit", self.committed))
        for name, ear in ears:
            event.listen(Engine, name, ear)
        try:
            yield
        finally:
            for name, ear in ears:
                event.remove(Engine, name, ear)


class _Pocket:
    """Holds the last message. Implements ``calls.delivery.Messenger``."""

    def __init__(self) -> None:
        self.code = ""

    async def send_message(self, to: str, body: str, *, reference: UUID) -> None:
        self.code = code_in(body) or ""


@dataclass(frozen=True, slots=True)
class _JobByHand:
    """Runs the job that a step has deferred, as the worker would, and reads the code. Implements ``walk.Codes``."""

    running: Running

    def forget(self, number: str) -> None:
        return

    async def code(self, number: str) -> str:
        database, pocket = self.running.database, _Pocket()
        query = text("SELECT args FROM procrastinate_jobs WHERE task_name = 'send_code' ORDER BY id DESC LIMIT 1")
        async with database.house() as connection:
            deferred = (await connection.execute(query)).scalar_one()
        names = json.loads(deferred) if isinstance(deferred, str) else deferred
        sender = CodeSender(database, self.running.sealer, self.running.clock, pocket, lambda: CODE_TEXT, 10)
        await sender.send(UUID(names["practice"]), UUID(names["challenge"]))
        return pocket.code


async def record_call(
    settings: Settings, addresses: Addresses, people: tuple[Person, Person], *, voice: Voice | None = None
) -> Recording:
    """Make two verified calls to the product in this process, and record the second: the first fills what is kept.

    Arguments:
        settings: of the product; its webhook port must be free.
        addresses: of a database with the demonstration in it.
        people: two of one practice.
        voice: in place of our own.
    """
    if addresses.sealer is not None:  # what was filled in has waited for long, and this process seals nothing
        await seal_once(addresses.sealer, sealer_key_path(settings), SystemClock())
    clock = DrivenClock(SystemClock().now())  # stands still: what is remembered for seconds stays remembered
    watch = _Watch()
    with watch.listening():
        async with run_server(settings, addresses, clock=clock, voice=voice, jobs=False) as running:
            line = await Line.to(_site(settings))
            try:
                await _walk(settings, running, watch, line, people[0])
                watch.operations.clear()
                answers = await _walk(settings, running, watch, line, people[1])
            finally:
                line.close()
    first = next(op for op in watch.operations[Step.RINGS] if isinstance(op, Execute))
    sid = next(value for value in first.parameters if isinstance(value, str) and value.startswith("CA"))
    call = answers[Step.RINGS].partition(b"/voice/calls/")[2][:36].decode()
    return Recording(people[1], sid, UUID(call), watch.operations, answers)


def _site(settings: Settings) -> Site:
    return Site(settings.webhooks.port, settings.carrier.auth_tokens[0].get_secret_value())


async def _walk(settings: Settings, running: Running, watch: _Watch, line: Line, person: Person) -> dict[Step, bytes]:
    site, answers = _site(settings), {}

    async def ask(step: Step, request: bytes) -> Received:
        watch.step = step
        received = await line.ask(request)
        if step is Step.AUDIO:
            # The sound has arrived before the note that it did is written: the next answer on this line comes later.
            await line.ask(b"HEAD" + request.removeprefix(b"GET"))
        watch.step = None
        answers[step] = received.body
        return received

    async def pause(code: Awaitable[str]) -> str:
        return await code

    await Walk(site, person, _JobByHand(running), ask, pause).go()
    return answers
