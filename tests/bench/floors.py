"""The floors: what the same call costs without us. Each is one process, and answers with the product's own bytes.

    python -m tests.bench.floors FILE

FILE holds an :class:`Order`, written by the bench a moment ago.
"""

from __future__ import annotations

import asyncio
import hmac
import pickle
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import asyncpg
from aiohttp import web
from twilio.request_validator import RequestValidator

from tests.bench.replay import Fresh, Move, Prepared, Script
from tests.bench.values import WEBHOOKS, Begin, Commit, Person, Recording, Step


class Form(StrEnum):
    """What is measured."""

    PRODUCT = "callcenter"
    STATEMENTS = "the same statements by hand"
    SIGNATURE = "signature check alone"


@dataclass(frozen=True, slots=True)
class Order:
    """What a floor is to be.

    Arguments:
        port: on 127.0.0.1.
        token: that signs.
        recording: of the product's call: bytes of its answers, and its statements.
        people: who may call.
        database: where it sends the statements, as asyncpg connects; None for the floor that sends none.
    """

    port: int
    token: str
    recording: Recording
    people: tuple[Person, ...]
    database: dict[str, Any] | None


class _Pools:
    """Connections by the size of the product's pool. Nothing is sent when one is given back."""

    def __init__(self, database: dict[str, Any]) -> None:
        self._database = database
        self._pools: dict[int, asyncio.LifoQueue[asyncpg.Connection]] = {}

    async def open(self, sizes: set[int]) -> None:
        for size in sizes:
            pool = self._pools[size] = asyncio.LifoQueue()
            for _ in range(size):
                pool.put_nowait(await asyncpg.connect(**self._database, statement_cache_size=200))

    async def close(self) -> None:
        for pool in self._pools.values():
            while not pool.empty():
                await pool.get_nowait().close()

    async def play(self, moves: Sequence[Move], fresh: Fresh) -> None:
        """Send the statements of one step, one transaction inside the other as the product does."""
        open_ones: dict[int, tuple[int, asyncpg.Connection, Any]] = {}
        try:
            for move in moves:
                match move:
                    case Begin(number, size):
                        connection = await self._pools[size].get()
                        open_ones[number] = size, connection, connection.transaction()
                        await open_ones[number][2].start()
                    case Prepared(number, sql, parameters):
                        await open_ones[number][1].fetch(sql, *[fill(fresh) for fill in parameters])
                    case Commit(number):
                        await open_ones[number][2].commit()
                        size, connection, _ = open_ones.pop(number)
                        self._pools[size].put_nowait(connection)
        finally:
            for size, connection, transaction in open_ones.values():  # a statement failed: the bench will say so
                await transaction.rollback()
                self._pools[size].put_nowait(connection)


class Floor:
    """Checks the signature, sends the statements if it has some, and answers with recorded bytes.

    Arguments:
        order: what it is to be.
        pools: None for the floor without a database.
    """

    def __init__(self, order: Order, pools: _Pools | None) -> None:
        recording = order.recording
        self._base = f"http://127.0.0.1:{order.port}"
        self._validator = RequestValidator(order.token)
        self._script, self._pools = Script(recording), pools
        self._people = {(person.called, person.phone): person for person in order.people}
        self._calls: dict[str, Fresh] = {}
        self._sound = recording.answers[Step.AUDIO]
        recorded = str(recording.call).encode()
        base = recording.answers[Step.RINGS].partition(b"/voice/calls/")[0].rpartition(b'"')[2]
        self._answers: dict[Step, list[bytes]] = {
            step: answer.replace(base, self._base.encode()).split(recorded)
            for step, answer in recording.answers.items()
            if step is not Step.AUDIO
        }

    def application(self) -> web.Application:
        application = web.Application(client_max_size=64 * 1024)
        application.add_routes(
            [
                web.post("/voice/incoming", self.incoming),
                web.post("/voice/calls/{call}/{document}/next", self.step),
                web.post("/voice/status", self.status),
                web.get("/audio/{call}/{token}", self.audio, allow_head=False),
            ]
        )
        return application

    async def incoming(self, request: web.Request) -> web.Response:
        form = await self._signed(request)
        fresh = Fresh.call(self._people[str(form["To"]), str(form["From"])], str(form["CallSid"]))
        call = str(self._script.call(fresh))
        self._calls[call] = self._calls[fresh.sid] = fresh
        return await self._answer(Step.RINGS, call, fresh)

    async def step(self, request: web.Request) -> web.Response:
        await self._signed(request)
        call = request.match_info["call"]
        return await self._answer(WEBHOOKS[int(request.match_info["document"])], call, self._calls[call])

    async def status(self, request: web.Request) -> web.Response:
        form = await self._signed(request)
        fresh = self._calls.pop(str(form["CallSid"]))
        del self._calls[str(self._script.call(fresh))]
        await self._play(self._script.moves[Step.ENDED], fresh)
        return web.Response(status=204)

    async def audio(self, request: web.Request) -> web.StreamResponse:
        fresh = self._calls[request.match_info["call"]]
        before, after = self._script.audio()
        await self._play(before, fresh)
        response = web.StreamResponse(headers={"Content-Type": "audio/wav"})
        response.content_length = len(self._sound)
        await response.prepare(request)
        await response.write_eof(self._sound)
        await self._play(after, fresh)
        return response

    async def _signed(self, request: web.Request) -> Any:
        form = await request.post()
        expected = self._validator.compute_signature(self._base + request.raw_path, form)
        if not hmac.compare_digest(expected, request.headers.get("X-Twilio-Signature", "")):
            raise web.HTTPForbidden
        return form

    async def _answer(self, step: Step, call: str, fresh: Fresh) -> web.Response:
        await self._play(self._script.moves[step], fresh)
        return web.Response(body=call.encode().join(self._answers[step]), content_type="text/xml", charset="utf-8")

    async def _play(self, moves: Sequence[Move], fresh: Fresh) -> None:
        if self._pools is not None:
            await self._pools.play(moves, fresh)


async def _serve(order: Order) -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    pools = None if order.database is None else _Pools(order.database)
    if pools is not None:
        moves = [move for moves in order.recording.operations.values() for move in moves]
        await pools.open({move.pool for move in moves if isinstance(move, Begin)})
    runner = web.AppRunner(Floor(order, pools).application(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", order.port).start()
    await stopped.wait()
    await runner.cleanup()
    if pools is not None:
        await pools.close()


if __name__ == "__main__":
    asyncio.run(_serve(pickle.loads(Path(sys.argv[1]).read_bytes())))  # noqa: S301 -- our own, from a private folder
