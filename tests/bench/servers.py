"""The three servers as processes: the product as it is installed, and the two floors."""

from __future__ import annotations

import asyncio
import os
import pickle
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.stage import free_port
from tests.bench.floors import Form, Order
from tests.bench.ground import TOKEN, Ground
from tests.bench.values import Recording
from tests.bench.wire import Site

PROJECT = Path(__file__).resolve().parents[2]
_READY_SECONDS = 60.0
_END_SECONDS = 30.0


class DidNotStart(Exception):
    """A server that is to be measured did not come up."""


@dataclass(frozen=True, slots=True)
class Server:
    """One that runs.

    Arguments:
        form: what it is.
        site: where, and how it is asked.
        log: what it says.
    """

    form: Form
    site: Site
    process: subprocess.Popen[bytes]
    log: Path

    def last_words(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-1500:]

    def processor_seconds(self) -> float | None:
        """What its process has used so far, without its children; None where the system does not tell (not Linux)."""
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # proc(5): utime, stime


@asynccontextmanager
async def servers(ground: Ground, recording: Recording) -> AsyncIterator[list[Server]]:
    """Start all three, and end them."""
    async with started(
        lambda: product(ground.config, ground.settings.webhooks.port, ground.folder / "PRODUCT.log"),
        lambda: _floor(Form.STATEMENTS, ground, recording),
        lambda: _floor(Form.SIGNATURE, ground, recording),
    ) as running:
        yield running


@asynccontextmanager
async def started(*starts: Callable[[], Server]) -> AsyncIterator[list[Server]]:
    """Start servers, wait until they take connections, and end them after the body."""
    running: list[Server] = []
    try:
        for start in starts:
            running.append(start())  # noqa: PERF401  # one by one: those before are ended if this one fails
        for server in running:
            await _ready(server)
        yield running
    finally:
        for server in running:
            server.process.terminate()
        for server in running:
            await asyncio.to_thread(_ended, server.process)


def product(config: Path, port: int, log: Path) -> Server:
    """``callcenter serve``: one worker, its jobs and its voice included.

    Arguments:
        port: of webhooks, as ``config`` has it.
        log: what it says goes there.
    """
    command = ["-c", "from callcenter.cli import main; main()", "--config", str(config), "serve"]
    return _started(Form.PRODUCT, Site(port, TOKEN), command, log)


def _floor(form: Form, ground: Ground, recording: Recording) -> Server:
    database = ground.floor if form is Form.STATEMENTS else None
    order = Order(free_port(), TOKEN, recording, ground.people, database)
    file = ground.folder / f"{form.name}.pickle"
    file.write_bytes(pickle.dumps(order))
    return _started(
        form, Site(order.port, TOKEN), ["-m", "tests.bench.floors", str(file)], ground.folder / f"{form.name}.log"
    )


def _started(form: Form, site: Site, arguments: list[str], log: Path) -> Server:
    with log.open("wb") as said:
        process = subprocess.Popen([sys.executable, *arguments], cwd=PROJECT, stdout=said, stderr=said)
    return Server(form, site, process, log)


async def _ready(server: Server) -> None:
    """Wait until it takes connections."""
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", server.site.port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        return
    raise DidNotStart(f"« {server.form.value} » did not start:\n{server.last_words()}")


def _ended(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
