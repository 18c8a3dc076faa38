"""The call in the README: what is heard, pressed and received, and what then stands in the ledger."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from sqlalchemy import select

from callcenter.audit.describing import describe_record
from callcenter.audit.reading import records_of_call
from callcenter.calls.tables import call
from callcenter.demo import ledger_reader
from callcenter.emulator.outcomes import Passed
from callcenter.emulator.runner import run
from callcenter.emulator.transcript import load_transcript
from tests.acceptance.stage import Stage

WIDTH = 116

#: The code is another one each time; the page shows this one.
_SENT, _TYPED = re.compile(r"(?<=Code )\d{3} \d{3}"), re.compile(r"(?<=\[)\d{6}(?=\])")


async def played(stage: Stage, transcript: Path) -> str:
    """The call as the terminal shows it, with the ledger's records of it."""
    script = load_transcript(transcript)
    running = stage.running
    lines: list[str] = []
    outcome = await run(
        script,
        base_url=stage.emulator.base_url,
        ledger=ledger_reader(running.database),
        clock=stage.clock,
        narrate=lines.append,
    )
    assert isinstance(outcome, Passed), str(outcome)
    lines = [_TYPED.sub("482913", _SENT.sub("482 913", line)) for line in lines]
    heard = [part for line in lines for part in textwrap.wrap(line, WIDTH, subsequent_indent="   ") or [line]]
    return "\n".join([*heard, "", *await _ledger(stage)])


async def _ledger(stage: Stage) -> list[str]:
    database = stage.running.database
    async with database.house() as connection:
        row = (await connection.execute(select(call.c.id, call.c.practice_id))).one()
    async with database.practice(row.practice_id) as tx:
        return [describe_record(record).rstrip() for record in await records_of_call(tx, row.id)]
