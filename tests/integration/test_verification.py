"""Codes: to whom they go, how long they are good, how their secret ends, and how guesses and texts are bounded."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from callcenter.app import limits_of
from callcenter.audit.reading import records_of_call
from callcenter.calls.delivery import MessageNotTaken
from callcenter.calls.upkeep import Upkeep
from callcenter.flow.ports import ChallengeOver, CodeRight, CodeSent, CodeWrong
from callcenter.kernel.clock import DrivenClock
from callcenter.practice.demo_file import demo_id
from callcenter.practice.file import PatientFile
from callcenter.practice.intake import ContactEntry, put_contacts
from callcenter.practice.numbers import E164
from callcenter.practice.patients import Patients
from callcenter.settings import VerificationSettings
from callcenter.store.database import Database, DatabaseDown
from callcenter.store.sealed import Sealer
from callcenter.telephony.carrier import CarrierDown
from tests.integration.calling import Exchange, wrong

JEANNE, JEANNES_BIRTHDAY, JEANNES_MOBILE = demo_id("patient", "jeanne-martin-duval"), date(1962, 3, 14), "+33639980001"
ODETTES_BIRTHDAY, ODETTES_MOBILE = date(1931, 1, 30), "+33639980005"
NOBODYS_BIRTHDAY = date(1962, 3, 15)


@pytest.fixture
def database_name(peopled_name: str) -> str:
    return peopled_name


@pytest.fixture
def exchange(database: Database, sealer: Sealer, clock: DrivenClock) -> Exchange:
    return Exchange(database, sealer, clock)


def upkeep(exchange: Exchange) -> Upkeep:
    unused: object = None
    return Upkeep(exchange.database, exchange.clock, unused, unused)  # type: ignore[arg-type]  # forgetting uses neither


# --- the secret


async def test_ob_02_a_used_code_leaves_no_secret(exchange: Exchange) -> None:
    line = await exchange.dial()
    await line.claim(JEANNES_BIRTHDAY, JEANNES_MOBILE)
    ((to, code),) = await exchange.deliver()
    assert to == JEANNES_MOBILE
    assert isinstance(await line.press(wrong(code)), CodeWrong)
    assert isinstance(await line.press(code), CodeRight)
    (row,) = await exchange.rows("SELECT secret, consumed_at FROM challenge")
    assert row.secret is None
    assert row.consumed_at == exchange.clock.now()
    assert len(await exchange.rows("SELECT 1 FROM challenge_attempt")) == 2, "attempts stay to be counted"
    with pytest.raises(DBAPIError, match="ck_challenge_no_secret_once_used"):
        await exchange.rows("UPDATE challenge SET secret = 'sealed' RETURNING id")


@pytest.mark.parametrize("born", [JEANNES_BIRTHDAY, NOBODYS_BIRTHDAY], ids=["match", "decoy"])
async def test_ob_02_an_old_code_leaves_no_secret_once_upkeep_has_run(exchange: Exchange, born: date) -> None:
    line = await exchange.dial()
    await line.claim(born, JEANNES_MOBILE)
    await line.press("000000")
    await upkeep(exchange).forget()
    assert [row.secret is None for row in await exchange.rows("SELECT secret FROM challenge")] == [False]
    exchange.clock.advance(600)
    await upkeep(exchange).forget()
    assert [row.secret for row in await exchange.rows("SELECT secret FROM challenge")] == [None]
    assert len(await exchange.rows("SELECT 1 FROM challenge_attempt")) == 1, "attempts stay to be counted"


@pytest.mark.parametrize("born", [JEANNES_BIRTHDAY, NOBODYS_BIRTHDAY], ids=["match", "decoy"])
@pytest.mark.parametrize("forgotten", [False, True])
async def test_an_expired_code_is_recorded_as_expired(exchange: Exchange, born: date, forgotten: bool) -> None:
    line = await exchange.dial()
    await line.claim(born, JEANNES_MOBILE)
    sent = await exchange.deliver()
    exchange.clock.advance(600)
    if forgotten:
        await upkeep(exchange).forget()
    assert isinstance(await line.press(sent[0][1] if sent else "000000"), ChallengeOver)
    (failed,) = await exchange.records("verification.failed")
    assert failed["reason"] == "expired"


async def test_a_code_without_a_try_left_is_recorded_as_such(exchange: Exchange) -> None:
    line = await exchange.dial()
    await line.claim(JEANNES_BIRTHDAY, JEANNES_MOBILE)
    ((_, code),) = await exchange.deliver()
    for _ in range(3):
        await line.press(wrong(code))
    reasons = [record["reason"] for record in await exchange.records("verification.failed")]
    assert reasons == ["code", "code", "no_try_left"]


# --- to whom


async def test_a_dead_patients_telephone_gets_no_code(exchange: Exchange) -> None:
    """The same statements as for the living (P6), and nobody who has the telephone now learns of a record."""
    living, dead = await exchange.dial(), await exchange.dial()
    with exchange.statements() as for_the_living:
        assert isinstance(await living.claim(JEANNES_BIRTHDAY, JEANNES_MOBILE), CodeSent)
    assert len(await exchange.deliver()) == 1
    with exchange.statements() as for_the_dead:
        assert isinstance(await dead.claim(ODETTES_BIRTHDAY, ODETTES_MOBILE), CodeSent)
    assert await exchange.deliver() == []
    assert for_the_dead == for_the_living


async def test_a_code_opens_nothing_once_its_telephone_has_left_the_file(exchange: Exchange) -> None:
    line = await exchange.dial()
    await line.claim(JEANNES_BIRTHDAY, JEANNES_MOBILE)
    ((_, code),) = await exchange.deliver()
    await exchange.rows("DELETE FROM contact WHERE patient_id = :jeanne RETURNING id", jeanne=JEANNE)
    assert isinstance(await line.press(code), CodeWrong)


async def damage(exchange: Exchange, table: str, column: str, row: UUID) -> None:
    """Make a sealed field one that does not open."""
    broken = f"{column} = overlay({column} placing '\\x0000'::bytea from 20)"
    assert await exchange.rows(f"UPDATE {table} SET {broken} WHERE id = :row RETURNING id", row=row)


async def test_a_telephone_that_does_not_open_leaves_the_others(exchange: Exchange) -> None:
    file, number = PatientFile(exchange.sealer, exchange.practice), E164("+33639981998")
    async with exchange.database.practice(exchange.practice) as tx:
        (hers,) = await Patients(exchange.sealer).code_contacts(tx, JEANNE)
        other = ContactEntry(uuid4(), JEANNE, JEANNES_BIRTHDAY, number, hers.entered_at, hers.confirmed_at)
        await put_contacts(tx, file, [other])
    await damage(exchange, "contact", "phone", hers.id)
    with capture_logs() as logs:
        await (await exchange.dial()).claim(JEANNES_BIRTHDAY, JEANNES_MOBILE)
    assert [to for to, _ in await exchange.deliver()] == [number]
    (told,) = logs
    assert (told["event"], told["table"], told["rows"]) == ("sealed_field_does_not_open", "contact", [str(hers.id)])


async def test_who_cannot_be_compared_does_not_make_somebody_else_the_one(exchange: Exchange) -> None:
    """Of twins with one telephone, the damage of one file does not verify the caller for the other."""
    born = date(2012, 5, 5)
    await damage(exchange, "patient", "birth_date", demo_id("patient", "lucas-petit"))
    with exchange.statements() as for_twins:
        assert isinstance(await (await exchange.dial()).claim(born, "+33639980002"), CodeSent)
    with exchange.statements() as for_nobody:
        assert isinstance(await (await exchange.dial()).claim(NOBODYS_BIRTHDAY, "+33639980002"), CodeSent)
    assert for_twins == for_nobody
    assert [row.patient_id for row in await exchange.rows("SELECT patient_id FROM challenge")] == [None, None]


# --- what the ledger keeps of it


async def subjects(exchange: Exchange, challenge: str) -> list[UUID]:
    """Whose challenge it was, from the ledger alone."""
    query = (
        "SELECT s.patient_id FROM audit_record r JOIN audit_subject s ON s.token::text = "
        "convert_from(r.body, 'UTF8')::jsonb ->> 'subject' WHERE r.stream = cast(:challenge AS uuid)"
    )
    return [row.patient_id for row in await exchange.rows(query, challenge=challenge)]


async def test_lg_06_whose_verification_failed_can_be_told_once_the_challenge_is_gone(exchange: Exchange) -> None:
    exchange.clock.set(datetime.now(UTC) - timedelta(days=2))
    line = await exchange.dial()
    await line.claim(JEANNES_BIRTHDAY, JEANNES_MOBILE)
    await exchange.deliver()
    await line.press("000000")
    exchange.clock.set(datetime.now(UTC))
    assert await upkeep(exchange).forget() == 2
    (failed,) = await exchange.records("verification.failed")
    assert failed["subject"] is None, "in the step nothing may differ (P6)"
    (reference,) = failed["refs"]
    assert await subjects(exchange, reference.removeprefix("challenge:")) == [JEANNE]
    (sent,) = await exchange.records("verification.code_sent")
    assert sent["refs"] == [f"call:{line.call}", reference]
    assert sent["actor"] == {"kind": "job", "id": "send_code"}


async def test_p6_a_decoys_job_asks_the_same_of_the_database(exchange: Exchange) -> None:
    """But for the token of the patient, which the record of a real one names."""
    asked = []
    for born in (JEANNES_BIRTHDAY, NOBODYS_BIRTHDAY):
        line = await exchange.dial()
        await line.claim(born, JEANNES_MOBILE)
        with exchange.statements() as sent:
            await exchange.deliver()
        asked.append([statement for statement in sent if "ledger_token" not in statement])
    assert asked[0] == asked[1]


async def test_p6_a_decoys_job_writes_a_record_too_and_about_nobody(exchange: Exchange) -> None:
    line = await exchange.dial()
    await line.claim(NOBODYS_BIRTHDAY, JEANNES_MOBILE)
    assert await exchange.deliver() == []
    (told,) = await exchange.records("verification.code_not_sent")
    assert (told["reason"], told["subject"]) == ("decoy", None)


async def test_no_record_of_a_job_stands_in_the_stream_of_the_call(exchange: Exchange) -> None:
    """It comes when it comes: the call's own chain does not wait for it."""
    line = await exchange.dial()
    await line.claim(JEANNES_BIRTHDAY, JEANNES_MOBILE)
    await exchange.deliver()
    async with exchange.database.practice(exchange.practice) as tx:
        events = [record.body["event"] for record in await records_of_call(tx, line.call)]
    assert events == ["verification.challenge"]


async def test_a_job_that_is_tried_again_writes_once_and_says_so_if_it_ends_otherwise(exchange: Exchange) -> None:
    line = await exchange.dial()
    await line.claim(JEANNES_BIRTHDAY, JEANNES_MOBILE)
    assert line.challenge is not None
    exchange.postbox.fails = MessageNotTaken()
    for _ in range(2):
        with pytest.raises(MessageNotTaken):
            await exchange.sender().send(exchange.practice, line.challenge.id)
    assert len(await exchange.records("verification.code_sent")) == 1
    exchange.clock.advance(600)
    await exchange.sender().send(exchange.practice, line.challenge.id)
    (told,) = await exchange.records("verification.code_not_sent")
    assert (told["seq"], told["reason"]) == (1, "expired")


async def test_a_code_of_which_nobody_knows_whether_it_left_is_on_record_and_not_sent_again(exchange: Exchange) -> None:
    line = await exchange.dial()
    await line.claim(JEANNES_BIRTHDAY, JEANNES_MOBILE)
    exchange.postbox.fails = CarrierDown()
    assert await exchange.deliver() == [], "the job is done: it does not fail, so that it is not tried again"
    (sent,) = await exchange.records("verification.code_sent")
    (told,) = await exchange.records("verification.code_unconfirmed")
    assert (told["seq"], told["refs"], told["subject"]) == (1, sent["refs"], sent["subject"])
    exchange.postbox.fails = None
    await line.claim(JEANNES_BIRTHDAY, JEANNES_MOBILE)
    ((to, code),) = await exchange.deliver()
    assert to == JEANNES_MOBILE
    assert isinstance(await line.press(code), CodeRight), "who asks for another code gets it"


async def test_a_record_that_cannot_be_written_after_a_message_may_have_left_sends_none_again(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = await exchange.dial()
    await line.claim(JEANNES_BIRTHDAY, JEANNES_MOBILE)
    real = Database.practice
    monkeypatch.setattr(exchange.postbox, "fails", CarrierDown())

    def no_second_time(self: Database, practice: UUID) -> Any:
        monkeypatch.setattr(Database, "practice", down)
        return real(self, practice)

    def down(*_: object) -> Any:
        raise DatabaseDown

    monkeypatch.setattr(Database, "practice", no_second_time)
    assert line.challenge is not None
    with capture_logs() as logs:
        await exchange.sender().send(exchange.practice, line.challenge.id)
    assert [log["event"] for log in logs] == ["code_unconfirmed", "code_unconfirmed_not_noted"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("UPDATE challenge SET consumed_at = now(), secret = NULL RETURNING id", "used"),
        ("DELETE FROM contact RETURNING id", "telephone_gone"),
        ("UPDATE patient SET contact_restricted = true RETURNING id", "restricted"),
        ("UPDATE patient SET deceased = true RETURNING id", "restricted"),
    ],
)
async def test_a_code_that_is_not_sent_after_all_is_recorded_with_its_reason(
    exchange: Exchange, change: str, reason: str
) -> None:
    line = await exchange.dial()
    await line.claim(JEANNES_BIRTHDAY, JEANNES_MOBILE)
    await exchange.rows(change)
    assert await exchange.deliver() == []
    (told,) = await exchange.records("verification.code_not_sent")
    assert told["reason"] == reason
    assert told["subject"] is not None


# --- what bounds guessing


@pytest.mark.parametrize("statement", ["DELETE FROM challenge_attempt", "DELETE FROM challenge"])
async def test_ob_03_the_server_may_not_forget_guesses(exchange: Exchange, statement: str) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        await exchange.rows(statement)


async def test_ob_03_guesses_are_forgotten_after_a_day_of_the_database_whatever_our_clock_says(
    exchange: Exchange,
) -> None:
    exchange.clock.set(datetime.now(UTC))
    line = await exchange.dial()
    await line.claim(NOBODYS_BIRTHDAY, JEANNES_MOBILE)
    await line.press("000000")
    await exchange.rows("SELECT forget_challenges(:far)", far=datetime(2999, 1, 1, tzinfo=UTC))
    assert len(await exchange.rows("SELECT 1 FROM challenge_attempt")) == 1
    async with exchange.database.practice(exchange.practice) as tx:
        # as if it had been two days ago; the columns are not the server's to change, hence another row
        old = datetime.now(UTC) - timedelta(days=2)
        copied = text(
            "INSERT INTO challenge (id, practice_id, call_id, created_at, expires_at) "
            "SELECT gen_random_uuid(), practice_id, call_id, :old, :then FROM challenge"
        )
        await tx.connection.execute(copied, {"old": old, "then": old + timedelta(minutes=10)})
        await tx.connection.execute(
            text(
                "INSERT INTO challenge_attempt (practice_id, challenge_id, document, keyed, at) "
                "SELECT practice_id, id, 1, sha256('x'), created_at FROM challenge WHERE created_at = :old"
            ),
            {"old": old},
        )
    assert await upkeep(exchange).forget() == 2
    assert len(await exchange.rows("SELECT 1 FROM challenge_attempt")) == 1


async def hour_by_hour(exchange: Exchange, calls: int, codes: int) -> int:
    """So many calls, an hour apart, in which Jeanne asks for so many codes and types none; tells how many were sent."""
    sent = 0
    for _ in range(calls):
        line = await exchange.dial()
        for _ in range(codes):
            await line.claim(JEANNES_BIRTHDAY, JEANNES_MOBILE)
        sent += len(await exchange.deliver())
        exchange.clock.advance(3600)
    return sent


async def test_ob_03_nobody_is_sent_more_than_nine_codes_a_day_whoever_asks(exchange: Exchange) -> None:
    assert await hour_by_hour(exchange, calls=3, codes=3) == 9
    with exchange.statements() as past_the_limit:
        assert isinstance(await (await exchange.dial()).claim(JEANNES_BIRTHDAY, JEANNES_MOBILE), CodeSent)
    assert await exchange.deliver() == []
    with exchange.statements() as for_nobody:
        assert isinstance(await (await exchange.dial()).claim(NOBODYS_BIRTHDAY, JEANNES_MOBILE), CodeSent)
    assert past_the_limit == for_nobody
    exchange.clock.advance(22 * 3600)
    await (await exchange.dial()).claim(JEANNES_BIRTHDAY, JEANNES_MOBILE)
    assert len(await exchange.deliver()) == 1


async def claim_many(exchange: Exchange, caller: str | None, count: int) -> None:
    """Try so many birth dates with Jeanne's telephone, none of them hers, in calls from one line."""
    for day in range(count):
        line = await exchange.dial(caller)
        assert isinstance(await line.claim(date(1970, 1, 1) + timedelta(days=day), JEANNES_MOBILE), CodeSent)


async def test_ob_03_one_line_cannot_try_one_person_after_the_other(exchange: Exchange) -> None:
    await claim_many(exchange, "+33639981999", 9)
    await claim_many(exchange, "+33639981999", 9)  # the same again: they do not count twice
    await (await exchange.dial("+33639981999")).claim(JEANNES_BIRTHDAY, JEANNES_MOBILE)
    assert len(await exchange.deliver()) == 1, "the tenth"
    await claim_many(exchange, "+33639981999", 10)
    with exchange.statements() as past_the_limit:
        line = await exchange.dial("+33639981999")
        assert isinstance(await line.claim(date(1984, 9, 17), "+33639980002"), CodeSent)
    assert await exchange.deliver() == []
    with exchange.statements() as from_another_line:
        await (await exchange.dial("+33639980002")).claim(date(1984, 9, 17), "+33639980002")
    assert len(await exchange.deliver()) == 1
    assert past_the_limit == from_another_line


def test_ob_03_the_bounds_are_those_of_the_configuration() -> None:
    limits = limits_of(VerificationSettings(codes_per_patient=4, claims_per_caller=6, wrong_per_patient=2))
    assert (limits.codes_per_patient, limits.claims_per_caller, limits.wrong_per_patient) == (4, 6, 2)


async def test_ob_03_withheld_numbers_are_not_one_line(exchange: Exchange) -> None:
    """Whoever withholds their number is not barred by others who do."""
    await claim_many(exchange, None, 12)
    await (await exchange.dial(None)).claim(JEANNES_BIRTHDAY, JEANNES_MOBILE)
    assert len(await exchange.deliver()) == 1


async def test_nothing_of_a_claim_can_be_read_from_its_challenge(exchange: Exchange) -> None:
    await (await exchange.dial()).claim(JEANNES_BIRTHDAY, JEANNES_MOBILE)
    (row,) = await exchange.rows("SELECT * FROM challenge")
    assert (len(row.claim), len(row.caller)) == (32, 32)
    everything = repr(tuple(row))
    assert "1962" not in everything
    assert "639980001" not in everything
