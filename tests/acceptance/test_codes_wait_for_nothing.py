"""Whoever waits for a code on the telephone waits for nobody else's work."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from callcenter.calls.recordings import FETCH_RECORDING, RECORDINGS, Recordings
from callcenter.emulator.outcomes import Passed
from callcenter.store.jobs import defer
from tests.acceptance.stage import Stage
from tests.acceptance.test_transcripts import FOLDER

#: More than one worker does at once.
MANY = 12
_UNDER_WAY = text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = :task AND status = 'doing'")


async def test_a_code_arrives_while_the_carrier_gives_no_sound(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = asyncio.Event()

    async def hangs(self: Recordings, practice: UUID, voice: UUID) -> None:
        await answers.wait()

    monkeypatch.setattr(Recordings, "fetch", hangs)
    async with stage.running.database.house() as connection:
        for _ in range(MANY):
            await defer(connection, FETCH_RECORDING, queue=RECORDINGS, practice=uuid4(), voice=uuid4())
    try:
        async with asyncio.timeout(20):
            while await under_way(stage) < 4:
                await asyncio.sleep(0.05)
        outcome = await stage.play(FOLDER / "verified_by_sms.yaml")
        assert isinstance(outcome, Passed), str(outcome)
        assert await under_way(stage) == 4
    finally:
        answers.set()


async def under_way(stage: Stage) -> int:
    async with stage.running.database.house() as connection:
        return int((await connection.execute(_UNDER_WAY, {"task": FETCH_RECORDING})).scalar_one())
