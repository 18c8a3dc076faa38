"""A sealer that is killed at a step of its round, in a process of its own.

Reads numbers, one a line; for each a sealer is forked that goes one round and dies by SIGKILL at that step: before a
statement, after it, or before a commit. Answers « killed » or, when the round has fewer steps, « done ».

``python -m tests.attack.ledger.dying_sealer URL KEY_FILE [autocommit]``
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.ext.asyncio import create_async_engine

from callcenter.audit.sealer import LogSealer, elected
from callcenter.audit.sealing_key import load_sealing_key
from callcenter.kernel.clock import DrivenClock

START = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


class Loud:
    """Whatever it cries about would be a fault of the test."""

    def log_broken(self, log: UUID, why: str) -> None:
        print(f"broken: {why}", flush=True)
        os._exit(3)

    def key_lacking(self, log: UUID, why: str) -> None:
        self.log_broken(log, why)

    def record_refused(self, log: UUID, why: str) -> None:
        self.log_broken(log, why)

    def key_unusable(self, why: str) -> None:
        self.log_broken(UUID(int=0), why)


async def one_round(url: str, key_file: Path, dies_at: int, options: dict[str, str]) -> None:
    engine = create_async_engine(url, **options)
    steps = 0

    def step(*_: object) -> None:
        nonlocal steps
        if steps == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        steps += 1

    # An hour later each time, so that heads are thinned too.
    clock = DrivenClock(START + timedelta(hours=dies_at))
    async with engine.connect() as connection:
        async with asyncio.timeout(20):  # until the server has noticed that the one before is dead
            while not await elected(connection):
                await asyncio.sleep(0.01)
        for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
            event.listen(engine.sync_engine, name, step)
        await LogSealer(load_sealing_key(key_file), clock, Loud()).round(connection)


def main() -> None:
    url, key_file, *more = sys.argv[1:]
    options = {"isolation_level": "AUTOCOMMIT"} if more else {}
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            asyncio.run(one_round(url, Path(key_file), int(line), options))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
            print("killed", flush=True)
        else:
            print("done" if status == 0 else "failed", flush=True)


if __name__ == "__main__":
    main()
