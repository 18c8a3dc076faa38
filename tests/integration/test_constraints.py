"""The database itself refuses what cannot be true, whoever writes it and however."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from callcenter.audit.ledger import leaf_of
from callcenter.calls import rows
from callcenter.kernel.clock import DrivenClock
from callcenter.practice.demo_file import demo_id
from callcenter.store.database import Database

TILLEULS, PORT = demo_id("practice", "cabinet-des-tilleuls"), demo_id("practice", "maison-de-sante-du-port")
JEANNE, MARIE = demo_id("patient", "jeanne-martin-duval"), demo_id("patient", "marie-petit")

CALL = "INSERT INTO call (id, practice_id, carrier_sid, status, started_at) VALUES (:id, :practice, :sid, 3, :now)"
SESSION = "INSERT INTO call_session (id, practice_id, document, state) VALUES (:call, :practice, 1, 'sealed')"
ANSWER = (
    "INSERT INTO step_answer (practice_id, call_id, document, slot, fingerprint, body, answered_at) "
    "VALUES (:practice, :call, :document, 'next', :digest, 'sealed', :now)"
)
RECORD = (
    "INSERT INTO audit_record (id, practice_id, stream, seq, call_id, leaf, body) "
    "VALUES (:id, :practice, :stream, 0, :call, :leaf, :body)"
)
AUDIO = (
    "INSERT INTO audio (id, practice_id, call_id, token_hash, record_id, words, language, made_at, fetches, completed) "
    "VALUES (:id, :practice, :call, :digest, :record, 'sealed', 'fr', :now, :fetches, :completed)"
)
CHALLENGE = (
    "INSERT INTO challenge (id, practice_id, call_id, patient_id, contact_id, secret, created_at, expires_at) "
    "VALUES (:id, :practice, :call, :patient, :contact, 'sealed', :now, :expires)"
)
MESSAGE = (
    "INSERT INTO message (id, practice_id, reason, number, call_reference, created_at) "
    "VALUES (:id, :practice, 'other', 'sealed', :call, :now)"
)

BOOKING = (
    "INSERT INTO booking_request (id, practice_id, practitioner_id, starts_at, duration_minutes, birth_date, number, "
    "reference_index, number_index, state, created_at, changed_at) "
    "SELECT :id, :practice, id, :starts, :minutes, 'sealed', 'sealed', :digest, :digest, :state, :now, :now "
    "FROM practitioner WHERE name = :doctor"
)
HOLD = (
    "INSERT INTO slot_hold (call_id, practice_id, practitioner_id, starts_at, duration_minutes, offered, held_until) "
    "SELECT :call, :practice, id, :starts, :minutes, 1, :now FROM practitioner WHERE name = :doctor"
)


@dataclass(frozen=True)
class Ground:
    """The demonstration, with a call under way in each of two practices.

    Arguments:
        call, other: of the first practice, and of the second.
        record: of the ledger, in the first call.
    """

    database: Database
    now: datetime
    call: UUID
    other: UUID
    record: UUID

    async def run(self, statement: str, *, practice: UUID = TILLEULS, **values: Any) -> int:
        """Run one statement as the server would; returns the number of rows."""
        known = {
            "id": uuid4(),
            "practice": practice,
            "call": self.call,
            "now": self.now,
            "digest": uuid4().bytes * 2,
            "record": self.record,
            "patient": None,
            "contact": None,
            "expires": self.now + timedelta(minutes=10),
            "document": 0,
            "fetches": 0,
            "completed": 0,
            "stream": uuid4(),
            "body": b"{}",
            "leaf": leaf_of(b"{}"),
        } | values
        named = text(statement)
        used = {name: known[name] for name in named.compile().params}
        async with self.database.practice(practice) as tx:
            return (await tx.connection.execute(named, used)).rowcount

    async def refused(self, constraint: str, statement: str, **values: Any) -> None:
        """The statement breaks ``constraint`` (a part of its name, or of what is said)."""
        with pytest.raises(DBAPIError, match=constraint):
            await self.run(statement, **values)

    async def contact_of(self, patient: UUID) -> UUID:
        async with self.database.practice(TILLEULS) as tx:
            query = text("SELECT id FROM contact WHERE patient_id = :patient")
            found: UUID = (await tx.connection.execute(query, {"patient": patient})).scalars().first()
        return found


@pytest.fixture
def database_name(peopled_name: str) -> str:
    return peopled_name


@pytest.fixture
async def ground(database: Database, clock: DrivenClock) -> Ground:
    ground = Ground(database, clock.now(), uuid4(), uuid4(), uuid4())
    for practice, call in ((TILLEULS, ground.call), (PORT, ground.other)):
        await ground.run(CALL, practice=practice, id=call, sid=f"CA{call.hex}")
        await ground.run(SESSION, practice=practice, call=call)
    await ground.run(RECORD, id=ground.record)
    return ground


# --- references


@pytest.mark.parametrize("statement", [SESSION, ANSWER, AUDIO, CHALLENGE, MESSAGE, RECORD], ids=lambda s: s.split()[2])
async def test_p5_nothing_of_a_practice_hangs_on_a_call_of_another(ground: Ground, statement: str) -> None:
    if statement is not SESSION:
        assert await ground.run(statement) == 1, "on a call of its own it stands"
    other = uuid4()
    await ground.run(CALL, practice=PORT, id=other, sid="CA-of-the-other")
    await ground.refused("violates foreign key constraint", statement, call=other)


async def test_p5_a_session_does_not_move_to_another_practice(ground: Ground) -> None:
    await ground.refused(
        r"fk_step_answer|fk_call_session|row-level security",
        "UPDATE call_session SET practice_id = :other WHERE id = :call",
        other=PORT,
    )


async def test_a_code_goes_to_no_telephone_but_the_patients_own(ground: Ground) -> None:
    jeannes, maries = await ground.contact_of(JEANNE), await ground.contact_of(MARIE)
    assert await ground.run(CHALLENGE, patient=JEANNE, contact=jeannes) == 1
    await ground.refused(
        "fk_challenge_practice_id_patient_id_contact_id_contact", CHALLENGE, patient=JEANNE, contact=maries
    )
    await ground.refused("ck_challenge_contact_of_a_patient", CHALLENGE, patient=None, contact=jeannes)


async def test_a_telephone_leaves_the_file_while_a_challenge_stands_on_it(ground: Ground) -> None:
    jeannes = await ground.contact_of(JEANNE)
    await ground.run(CHALLENGE, patient=JEANNE, contact=jeannes)
    assert await ground.run("DELETE FROM contact WHERE id = :contact", contact=jeannes) == 1
    kept = "UPDATE challenge SET consumed_at = NULL WHERE patient_id = :patient AND contact_id IS NULL"
    assert await ground.run(kept, patient=JEANNE) == 1


# --- values


async def test_slots_of_one_practitioner_do_not_overlap_whatever_their_lengths(ground: Ground) -> None:
    at = {"starts": ground.now, "minutes": 30, "state": "open", "doctor": "Claire Moreau"}
    across = at | {"starts": ground.now + timedelta(minutes=29), "minutes": 5}
    assert await ground.run(BOOKING, **at) == 1
    await ground.refused("ex_booking_request_overlap", BOOKING, **across)
    assert await ground.run(BOOKING, **across | {"state": "cancelled"}) == 1
    assert await ground.run(BOOKING, **across | {"doctor": "Antoine Lefèvre"}) == 1
    assert await ground.run(BOOKING, **at | {"starts": ground.now + timedelta(minutes=30)}) == 1
    assert await ground.run(HOLD, **at) == 1
    other = uuid4()
    await ground.run(CALL, id=other, sid="CA-of-another")
    await ground.refused("ex_slot_hold_overlap", HOLD, **across | {"call": other})


@pytest.mark.parametrize(
    ("constraint", "statement", "values"),
    [
        ("ck_call_status", "UPDATE call SET status = 77, ended_at = now() + interval '9 years'", {}),
        ("ck_call_ended_when_terminal", "UPDATE call SET status = 10", {}),
        ("ck_call_ended_when_terminal", "UPDATE call SET ended_at = started_at", {}),
        ("ck_call_ends_after_it_started", "UPDATE call SET status = 10, ended_at = '1990-01-01'", {}),
        ("ck_step_answer_document", ANSWER, {"document": -7}),
        ("ck_step_answer_fingerprint_is_a_digest", ANSWER, {"digest": b"x"}),
        ("ck_audio_fetches", AUDIO, {"fetches": -5}),
        ("ck_audio_completed", AUDIO, {"completed": -1}),
        ("ck_audio_within_its_fetches", AUDIO, {"completed": 99}),
        ("ck_audio_token_hash_is_a_digest", AUDIO, {"digest": b"x"}),
        ("ck_audit_record_leaf_is_of_its_body", RECORD, {"body": b'{"other":1}'}),
        ("ck_audit_record_leaf_is_of_its_body", RECORD, {"leaf": bytes(32)}),
        ("ck_audit_record_body_not_empty", RECORD, {"body": b"", "leaf": leaf_of(b"")}),
    ],
)
async def test_a_value_that_cannot_be_is_refused(
    ground: Ground, constraint: str, statement: str, values: dict[str, Any]
) -> None:
    await ground.refused(constraint, statement, **values)


async def test_ob_02_no_code_is_good_for_more_than_ten_minutes(ground: Ground) -> None:
    await ground.refused("ck_challenge_expires_soon", CHALLENGE, expires=ground.now + timedelta(minutes=10, seconds=1))


async def test_ob_02_no_attempt_stands_before_the_first_document(ground: Ground) -> None:
    challenge = uuid4()
    await ground.run(CHALLENGE, id=challenge)
    attempt = "INSERT INTO challenge_attempt VALUES (:practice, :challenge, :document, :digest, :now)"
    assert await ground.run(attempt, challenge=challenge, document=3) == 1
    await ground.refused("ck_challenge_attempt_document", attempt, challenge=challenge, document=-1)


async def test_a_call_ends_although_the_clock_of_that_machine_is_behind(ground: Ground) -> None:
    """Two servers need not agree to the millisecond: the call ends, at the moment when it began."""
    ended = {"sid": f"CA{ground.call.hex}", "status": 14, "terminal": True, "now": ground.now - timedelta(seconds=1)}
    async with ground.database.house() as connection:
        assert (await connection.execute(rows.ENTER_BY_STATUS, ended)).rowcount == 1
        query = text("SELECT ended_at FROM call WHERE id = :call")
        assert (await connection.execute(query, {"call": ground.call})).scalar_one() == ground.now


@pytest.mark.parametrize(
    ("constraint", "marks"),
    [
        ("ck_patient_fictitious_is_provisional", "fictitious = true, identity_status = 'QUAL'"),
        ("ck_patient_fictitious_stands_alone", "fictitious = true, doubtful = true, identity_status = 'PROV'"),
        ("ck_patient_fictitious_stands_alone", "fictitious = true, homonym = true, identity_status = 'PROV'"),
    ],
)
async def test_id_03_a_fictitious_identity_is_provisional_and_nothing_else_beside(
    ground: Ground, constraint: str, marks: str
) -> None:
    await ground.refused(constraint, f"UPDATE patient SET {marks} WHERE id = :patient", patient=JEANNE)
    alone = "UPDATE patient SET fictitious = true, identity_status = 'PROV' WHERE id = :patient"
    assert await ground.run(alone, patient=JEANNE) == 1
