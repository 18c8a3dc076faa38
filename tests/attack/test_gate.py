"""Being told more than one has proved: another patient's words, an old verification, a marked patient's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from callcenter.calls.record import CallRecord
from callcenter.calls.session import Session, session_place
from callcenter.disclosure.gate import Gate, Situation
from callcenter.practice.demo_file import demo_id
from callcenter.practice.values import Appointment
from tests.attack.defence import FOILED, Defence, Outcome, Sabotage, attack, gained, replaced
from tests.attack.scene import JEANNE, TILLEULS, House, Line, heard_her_words

#: Friday 27 November at 9 o'clock: what Paul Garnier has, and nobody else may hear.
PAULS_VISIT, PAULS_WORDS = demo_id("appointment", "paul-garnier/1"), "9 heures"
#: Jeanne's other one, on 24 December.
SECOND_VISIT = demo_id("appointment", "jeanne-martin-duval/2")


GATE = replaced("the gate decides on values", "P2: evidence is about one patient", Gate, "_refusal", lambda *_: None)


@attack(stopped_by=GATE)
async def test_p2_somebody_verified_hears_another_patients_appointment(house: House) -> Outcome:
    """A flow, or a fault in it, has bound an appointment that is not theirs."""
    line = await house.line().dial()
    await line.verify()
    await rebind(line, appointment=PAULS_VISIT)
    await line.press("1")
    return gained(PAULS_WORDS in line.all_heard)


async def rebind(line: Line, **bound: Any) -> None:
    """Change what the call's session holds, as a fault of ours would."""
    ground, call = line.house.ground, await line.id()
    (row,) = await ground.rows("SELECT state FROM call_session WHERE id = :call", call=call)
    session = Session.from_json(ground.sealer.open(row.state, session_place(TILLEULS, call)))
    changed = replace(session, state=replace(session.state, bound=bound))
    state = ground.sealer.seal(changed.to_json(), session_place(TILLEULS, call))
    await ground.change("UPDATE call_session SET state = :state WHERE id = :call", state=state, call=call)


MARKS = ("deceased", "homonym", "doubtful", "contact_restricted")


@pytest.mark.parametrize("mark", MARKS)
@attack(stopped_by=GATE)
async def test_p2_a_mark_set_during_the_call_is_not_seen(house: House, mark: str) -> Outcome:
    """The practice marks her file while she, or somebody with her telephone, listens to the question."""
    line = await house.line().dial()
    await line.verify()
    provisional = "identity_status = 'PROV', " if mark == "doubtful" else ""
    await house.ground.change(f"UPDATE patient SET {provisional}{mark} = true WHERE id = :id", id=JEANNE)
    await line.press("1")
    return gained(heard_her_words(line))


def _each_appointment_is_judged_alone(sabotage: Sabotage) -> None:
    real = CallRecord._situation

    async def situation(self: CallRecord, patient: UUID, appointment: Appointment | None) -> Situation:
        alone = None
        if appointment is not None:
            alone = replace(appointment, sensitive_to_come=appointment.practitioner_sensitive)
        return await real(self, patient, alone)

    sabotage.replace(CallRecord, "_situation", situation)


ALL_TO_COME = Defence(
    "all appointments to come are judged at the first", "D05: silence tells nothing", _each_appointment_is_judged_alone
)


@attack(stopped_by=ALL_TO_COME)
async def test_a_second_appointment_is_withheld_for_no_other_reason_than_its_speciality(house: House) -> Outcome:
    """Whoever has her telephone for a minute hears the first, and a person instead of « no other » tells the rest."""
    psychiatrist = "UPDATE appointment SET practitioner_id = p.id FROM practitioner p WHERE p.sensitive "
    await house.ground.change(f"{psychiatrist} AND appointment.id = :second", second=SECOND_VISIT)
    line = await house.line().dial()
    await line.verify()
    await line.press("1")
    if not heard_her_words(line):
        return FOILED
    await line.press("3")
    return gained("sensitive" in [record.body.get("reason") for record in await line.records()])


def _verified_for_half_an_hour(sabotage: Sabotage) -> None:
    sabotage.settings["verification"] = {"evidence_minutes": 30}


EVIDENCE_AGES = Defence("a verification lives ten minutes", "P2: a level dies by age", _verified_for_half_an_hour)


@attack(stopped_by=EVIDENCE_AGES)
async def test_p2_a_telephone_is_handed_over_long_after_it_was_verified(house: House) -> Outcome:
    line = await house.line().dial()
    await line.verify()
    house.clock.advance(10 * 60)
    await line.press("1")
    return gained(heard_her_words(line))
