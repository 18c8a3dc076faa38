"""Every disclosure names the policy that it was decided by: its version, and its file to the letter."""

from __future__ import annotations

import hashlib
from pathlib import Path

from sqlalchemy import select

from callcenter.audit.reading import records_of_call
from callcenter.calls.tables import call
from callcenter.emulator.outcomes import Passed
from tests.acceptance.stage import Stage

TRANSCRIPT = Path(__file__).parent / "transcripts" / "verified_by_sms.yaml"


async def test_p1_a_record_names_the_policy_to_the_letter(stage: Stage) -> None:
    outcome = await stage.play(TRANSCRIPT)
    assert isinstance(outcome, Passed), str(outcome)
    database = stage.running.database
    async with database.house() as connection:
        row = (await connection.execute(select(call.c.id, call.c.practice_id))).one()
    async with database.practice(row.practice_id) as tx:
        bodies = [record.body for record in await records_of_call(tx, row.id)]
    decided = [body for body in bodies if body.get("decision")]
    digest = hashlib.sha256(stage.running.settings.flows.policy.read_bytes()).hexdigest()
    assert decided
    assert {(body["policy"], body["policy_digest"]) for body in decided} == {("2026-11-3", digest)}
