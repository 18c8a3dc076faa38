"""What a disclosure's records say, and that acts on a record are refused to whom nothing may be told any more."""

from __future__ import annotations

import pytest

from tests.acceptance.on_the_line import calling
from tests.acceptance.stage import Stage


async def test_a_record_names_the_level_that_was_needed_and_the_appointment_that_was_found(stage: Stage) -> None:
    async with calling(stage) as line:
        await line.verify()
        await line.press("1")
        found, told = await line.records("disclosure")
    assert [(record["level"], record["level_required"]) for record in (found, told)] == [(2, 2), (2, 2)]
    (appointment,) = found["refs"]
    assert appointment.startswith("appointment:")
    assert {reference.partition(":")[2] for reference in told["refs"]} == {appointment.partition(":")[2]}


async def test_a_search_that_finds_nothing_names_no_appointment(stage: Stage) -> None:
    async with calling(stage) as line:
        await line.change("UPDATE appointment SET status = 'cancelled'")
        await line.verify()
        (found,) = await line.records("disclosure")
    assert found["refs"] == ["appointment"]


ACTS = {"confirm": "1", "cancel": "21"}
DONE = {"confirm": "appointment.confirmed", "cancel": "appointment.cancelled"}
MARKS = {
    "deceased": "deceased = true",
    "contact_restricted": "contact_restricted = true",
    "doubtful": "doubtful = true, identity_status = 'PROV'",
    "homonym": "homonym = true",
}


@pytest.mark.parametrize("act", ACTS)
async def test_an_act_names_the_evidence_that_it_was_done_on(stage: Stage, act: str) -> None:
    async with calling(stage) as line:
        await line.verify()
        await line.press("1", *ACTS[act])
        (done,) = await line.records(DONE[act])
        (proved,) = await line.records("verification.succeeded")
    assert done["evidence"] == ["birth_date+telephone", "sms_code"]
    assert done["evidence_records"] == [proved["id"]]


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("mark", MARKS)
async def test_a_patient_marked_since_is_not_acted_on(stage: Stage, act: str, mark: str) -> None:
    async with calling(stage) as line:
        await line.verify()
        await line.press("1")
        await line.change(f"UPDATE patient SET {MARKS[mark]}")
        assert "pas pu" in await line.press(*ACTS[act])
        assert await line.records(DONE[act]) == []
        refused = (await line.records("disclosure"))[-1]
        (proved,) = await line.records("verification.succeeded")
    assert (refused["decision"], refused["reason"], refused["step"]) == ("refused", mark, f"{act}_appointment")
    assert refused["evidence_records"] == [proved["id"]]


@pytest.mark.parametrize("act", ACTS)
async def test_p1_that_an_act_could_not_be_done_is_on_record_before_it_is_said(stage: Stage, act: str) -> None:
    """Whoever hears it learns that the appointment is not as it was told a moment ago."""
    async with calling(stage) as line:
        await line.verify()
        await line.press("1")
        (found, _) = await line.records("disclosure")
        await line.change("UPDATE appointment SET status = 'cancelled'")
        assert "pas pu" in await line.press(*ACTS[act])
        (told,) = await line.records("appointment.not_changed")
        (proved,) = await line.records("verification.succeeded")
        assert await line.records(DONE[act]) == []
    assert (told["act"], told["refs"], told["level"]) == (f"{act}_appointment", found["refs"], 2)
    assert (told["subject"], told["evidence_records"]) == (found["subject"], [proved["id"]])
