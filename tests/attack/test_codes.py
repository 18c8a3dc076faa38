"""Guessing, stealing and re-using codes."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

import procrastinate
from procrastinate.testing import InMemoryConnector

from callcenter.app import fittings
from callcenter.calls import codes, jobs, verifier
from callcenter.calls.codes import CodeSender
from callcenter.flow import engine
from callcenter.identity import challenges
from callcenter.identity.challenges import Attempt, Challenges, Counted, Limits, NotCounted, Opened
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import Unavailable
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice import plan_contacts
from callcenter.practice.importing import ImportKind, import_file
from callcenter.practice.values import PatientFlags
from callcenter.telephony.carrier import CarrierDouble, CarrierDown
from tests.attack.defence import Defence, Outcome, Sabotage, attack, gained, unanimous
from tests.attack.ground import Ground
from tests.attack.scene import (
    A_STRANGER,
    JEANNE,
    JEANNES_BIRTHDAY,
    JEANNES_MOBILE,
    TILLEULS,
    House,
    Line,
    heard_her_words,
    house_of,
    served,
)
from tests.texts import CODE_TEXT


async def listens(line: Line) -> Outcome:
    """The last step of most attacks: ask for the words, and see whether they come."""
    if line.question:
        await line.press("1")
    return gained(heard_her_words(line))


# --- knowing much of somebody is not being them


def _any_code_is_right(sabotage: Sabotage) -> None:
    sabotage.replace(Challenges, "is_right", lambda *_: True)


CODE = Defence("a code to the mobile on file", "P2: V1 opens nothing", _any_code_is_right)


@attack(stopped_by=CODE)
async def test_p2_an_ex_partner_knows_the_birth_date_and_shows_the_patients_number(house: House) -> Outcome:
    line = await house.line().dial()
    await line.claim()
    await line.guess_wrong()
    return await listens(line)


def _the_first_will_do(sabotage: Sabotage) -> None:
    sabotage.replace(verifier, "the_one", lambda candidates, _: candidates[0] if candidates else None)


EXACTLY_ONE = Defence("a claim fits exactly one person", "MA-04, MA-06: no guess at who is meant", _the_first_will_do)


@attack(stopped_by=EXACTLY_ONE)
async def test_p2_a_claim_that_fits_twins_or_a_conventional_date_draws_a_code(house: House) -> Outcome:
    claims = {"twins": ("+33639980002", "05052012"), "a date by convention": ("+33639980003", "31121980")}
    outcomes = {}
    for name, (caller, birthday) in claims.items():
        await (await house.line(caller).dial()).claim(birthday)
        outcomes[name] = gained(await house.deliver())
    return unanimous(outcomes)


def _numbers_serve_at_once(sabotage: Sabotage) -> None:
    sabotage.settings["verification"] = {"contact_cooling_days": 0}


COOLING = Defence(
    "seven days on file", "OB-07, OB-11: no code to a number that came on file lately", _numbers_serve_at_once
)


@attack(stopped_by=COOLING)
async def test_p2_a_number_that_somebody_had_put_on_file_yesterday_gets_the_code(house: House) -> Outcome:
    changed = "UPDATE contact SET entered_at = :at, confirmed_at = :at WHERE patient_id = :jeanne"
    await house.ground.change(changed, at=house.clock.now(), jeanne=JEANNE)
    house.clock.advance(6 * 86_400)
    await (await house.line().dial()).claim()
    return gained(await house.deliver())


def _numbers_serve_for_ever(sabotage: Sabotage) -> None:
    sabotage.settings["verification"] = {"contact_stale_days": 1095}


STALE = Defence("confirmed within two years", "OB-07: numbers are given to other people", _numbers_serve_for_ever)


@attack(stopped_by=STALE)
async def test_p2_the_new_owner_of_an_old_number_gets_the_code(house: House) -> Outcome:
    aged = "UPDATE contact SET entered_at = :at, confirmed_at = :at WHERE patient_id = :jeanne"
    await house.ground.change(aged, at=house.clock.now(), jeanne=JEANNE)
    house.clock.advance(800 * 86_400)
    await (await house.line().dial()).claim()
    return gained(await house.deliver())


def _telephones_never_leave(sabotage: Sabotage) -> None:
    async def nothing(*_: object) -> None:
        """The telephone stays on file."""

    sabotage.replace(plan_contacts, "remove_contacts", nothing)


LEAVES = Defence(
    "what a practice has taken off leaves the file", "OB-07: codes go to telephones on file", _telephones_never_leave
)


@attack(stopped_by=LEAVES)
async def test_p2_an_ex_partners_number_that_the_practice_has_taken_off_gets_the_code(
    house: House, tmp_path: Path
) -> Outcome:
    """It was on file for years beside hers; since then the practice's software has exported her telephones anew."""
    file = tmp_path / "contacts.csv"
    for exported in ((JEANNES_MOBILE, A_STRANGER), (JEANNES_MOBILE,)):
        rows = (f"jeanne-martin-duval;{number};01/02/2019;01/06/2026" for number in exported)
        file.write_text("\n".join(["patient;phone;entered_at;confirmed_at", *rows]), encoding="utf-8")
        kind, ground = ImportKind.CONTACTS, house.ground
        await import_file(ground.app, ground.sealer, TILLEULS, file, kind, {}, False, house.clock, SystemRandom())
    await (await house.line(A_STRANGER).dial()).claim()
    return gained(await house.deliver())


def _marks_are_read_when_asked_for_alone(sabotage: Sabotage) -> None:
    sabotage.replace(PatientFlags, "gets_no_message", False)


MARKS_READ_AGAIN = Defence(
    "marks are read again as the code leaves",
    "SP-07: a restricted contact gets none",
    _marks_are_read_when_asked_for_alone,
)


@attack(stopped_by=MARKS_READ_AGAIN)
async def test_a_contact_that_was_restricted_a_moment_ago_gets_the_code(house: House) -> Outcome:
    """The practice marks her file while the code waits in the queue: her telephone is with somebody violent."""
    await (await house.line().dial()).claim()
    await house.ground.change("UPDATE patient SET contact_restricted = true WHERE id = :jeanne", jeanne=JEANNE)
    return gained(await house.deliver())


# --- a code is good for one call, once, for minutes, and three tries


def _one_secret_for_all(sabotage: Sabotage) -> None:
    real = SystemRandom.token_bytes

    def token_bytes(self: SystemRandom, count: int) -> bytes:
        return bytes(count) if count == challenges.SECRET_BYTES else real(self, count)

    sabotage.replace(SystemRandom, "token_bytes", token_bytes)


FRESH_SECRET = Defence("a fresh secret per challenge", "OB-02: a code is bound to its call", _one_secret_for_all)


@attack(stopped_by=FRESH_SECRET)
async def test_p2_a_code_that_jeanne_was_talked_out_of_is_typed_in_another_call(house: House) -> Outcome:
    hers, theirs = await house.line().dial(), await house.line().dial()
    await hers.claim()
    await theirs.claim()
    await theirs.press(await hers.code())
    return await listens(theirs)


def _any_call_may_answer(sabotage: Sabotage) -> None:
    sabotage.rewrite(challenges, "_ATTEMPT", "AND call_id = :call ", "")


BOUND_TO_CALL = Defence("a challenge answers to its call", "OB-02: a code is bound to its call", _any_call_may_answer)


@attack(stopped_by=BOUND_TO_CALL)
async def test_p2_the_challenge_of_one_call_is_answered_from_another(house: House) -> Outcome:
    hers, theirs = await house.line().dial(), await house.line().dial()
    await hers.claim()
    guessing = guesser(house.ground, house.clock)
    opened = await opened_in(house.ground, hers)
    attempt = await guessing.attempt(TILLEULS, await theirs.id(), opened, 1, await hers.code())
    return gained(isinstance(attempt, Counted))


def _used_codes_are_good(sabotage: Sabotage) -> None:
    sabotage.rewrite(challenges, "_ATTEMPT", "AND consumed_at IS NULL ", "")
    sabotage.rewrite(challenges, "_CONSUME", "AND consumed_at IS NULL ", "")


def _used_codes_keep_their_secret(sabotage: Sabotage) -> None:
    sabotage.sql("ALTER TABLE challenge DROP CONSTRAINT ck_challenge_no_secret_once_used")
    sabotage.rewrite(challenges, "_CONSUME", ", secret = NULL", "")


SINGLE_USE = Defence("a code is used once", "OB-02: single use", _used_codes_are_good)
SECRET_GONE = Defence("a used code has no secret", "OB-02: the secret ends with its use", _used_codes_keep_their_secret)


@attack(stopped_by=(SINGLE_USE, SECRET_GONE))
async def test_p2_a_used_code_proves_somebody_again(house: House) -> Outcome:
    line = await house.line().dial()
    await line.claim()
    opened, code = await opened_in(house.ground, line), await line.code()
    await line.press(code)
    guessing = guesser(house.ground, house.clock)
    again = await guessing.attempt(TILLEULS, await line.id(), opened, 77, code)
    if isinstance(again, NotCounted) or not guessing.is_right(TILLEULS, opened, again, code):
        return gained(None)
    async with house.ground.app.practice(TILLEULS) as tx:
        return gained(await guessing.consume(tx, opened, again, 77))


def _codes_stay_good(sabotage: Sabotage) -> None:
    sabotage.rewrite(challenges, "_ATTEMPT", "AND expires_at > :now", "")


def _calls_last_for_ever(sabotage: Sabotage) -> None:
    sabotage.replace(engine, "LEAD_AFTER", timedelta(days=1))
    sabotage.replace(engine, "LAST_AFTER", timedelta(days=1))


TEN_MINUTES = Defence("a code lives ten minutes", "OB-02: invalid after 10 minutes", _codes_stay_good)
CALLS_END = Defence("a long call is led to a person", "P7: every call ends", _calls_last_for_ever)


@attack(stopped_by=(TEN_MINUTES, CALLS_END))
async def test_p2_a_code_is_typed_ten_minutes_later(house: House) -> Outcome:
    line = await house.line().dial()
    await line.claim()
    house.clock.advance(10 * 60)
    await line.press(await line.code())
    return await listens(line)


def _tries_are_not_counted(sabotage: Sabotage) -> None:
    sabotage.rewrite(challenges, "_ATTEMPT", "count(*) AS used", "0 * count(*) AS used")


THREE_TRIES = Defence("three tries a code", "OB-03: three tries", _tries_are_not_counted)


@attack(stopped_by=THREE_TRIES)
async def test_p2_the_fourth_try_is_right(house: House) -> Outcome:
    line = await house.line().dial()
    await line.claim()
    code = await line.code()
    await line.guess_wrong(3)
    await line.press(code)
    return await listens(line)


def _tries_are_counted_in_memory(sabotage: Sabotage) -> None:
    _tries_are_not_counted(sabotage)
    real = Challenges.attempt

    async def counted_here(
        self: Challenges, practice: UUID, call: UUID, opened: Opened, document: int, keys: str
    ) -> Attempt:
        tried = self.__dict__.setdefault("tried", Counter())
        tried[opened.id] += 1
        if tried[opened.id] > 3:
            return NotCounted()
        return await real(self, practice, call, opened, document, keys)

    sabotage.replace(Challenges, "attempt", counted_here)


COUNTED_IN_DATABASE = Defence(
    "tries are counted in the database", "OB-03: a restart gives no try back", _tries_are_counted_in_memory
)


@attack(stopped_by=COUNTED_IN_DATABASE)
async def test_p2_a_restart_of_the_server_gives_new_tries(house: House) -> Outcome:
    line = await house.line().dial()
    await line.claim()
    code = await line.code()
    await line.guess_wrong(3)
    await house.restart()
    await line.press(code)
    return await listens(line)


# --- many wrong codes about one patient


def _wrong_codes_are_forgotten(sabotage: Sabotage) -> None:
    sabotage.rewrite(challenges, "_ATTEMPT", "wrong.lately >= :wrong_limit AS barred", "false AS barred")


FIVE_WRONG = Defence("five wrong codes a patient a day", "OB-03: guesses add up over calls", _wrong_codes_are_forgotten)


@attack(stopped_by=FIVE_WRONG)
async def test_p2_guesses_are_spread_over_many_calls(house: House) -> Outcome:
    calls = [await house.line().dial() for _ in range(3)]
    for line in calls:
        await line.claim()
    await calls[0].guess_wrong(3)
    await calls[1].guess_wrong(2)
    await calls[2].press(await calls[2].code())
    return await listens(calls[2])


def _codes_are_sent_after_wrong_ones(sabotage: Sabotage) -> None:
    sabotage.rewrite(challenges, "_LATELY", ") AS wrong", ") * 0 AS wrong")


NONE_AFTER_FIVE_WRONG = Defence(
    "after five wrong codes none is sent", "OB-03: guesses add up over calls", _codes_are_sent_after_wrong_ones
)


@attack(stopped_by=NONE_AFTER_FIVE_WRONG)
async def test_messages_are_drawn_from_us_by_guessing(house: House) -> Outcome:
    for wrong in (3, 2):
        line = await house.line().dial()
        await line.claim()
        await line.guess_wrong(wrong)
        await line.hang_up()
    await house.deliver()
    await (await house.line().dial()).claim()
    return gained(await house.deliver())


def _codes_about_a_patient_are_not_counted(sabotage: Sabotage) -> None:
    sabotage.rewrite(challenges, "_LATELY", ") AS codes", ") * 0 AS codes")


NINE_CODES = Defence(
    "nine codes a patient a day", "OB-03: codes add up over calls", _codes_about_a_patient_are_not_counted
)


@attack(stopped_by=NINE_CODES)
async def test_messages_are_drawn_from_us_by_ringing_again_and_again(house: House) -> Outcome:
    """Without one wrong code, and without one try: each call asks for a code and hangs up."""
    for _ in range(9):
        await asks_for_a_code(house)
        assert len(await house.deliver()) == 1
    await asks_for_a_code(house)
    return gained(await house.deliver())


def _claims_from_a_line_are_not_counted(sabotage: Sabotage) -> None:
    sabotage.rewrite(challenges, "_LATELY", ") AS others", ") * 0 AS others")


TEN_CLAIMS = Defence(
    "ten claims a calling number a day", "OB-03: claims add up over calls", _claims_from_a_line_are_not_counted
)


@attack(stopped_by=TEN_CLAIMS)
async def test_one_line_tries_one_birth_date_after_the_other(house: House) -> Outcome:
    """Whoever shows the number of a patient whose birth date they do not know, until a message leaves."""
    for year in range(1952, 1962):
        await asks_for_a_code(house, f"1403{year}")
        assert not await house.deliver()
    await asks_for_a_code(house)
    return gained(await house.deliver())


async def asks_for_a_code(house: House, birthday: str = JEANNES_BIRTHDAY) -> None:
    """A call that does nothing else."""
    line = await house.line().dial()
    await line.claim(birthday)
    await line.hang_up()


def _codes_without_end(sabotage: Sabotage) -> None:
    real = fittings.limits_of
    sabotage.replace(fittings, "limits_of", lambda settings: replace(real(settings), codes_per_call=99))


THREE_CODES = Defence("three codes a call", "OB-03: three codes", _codes_without_end)


@attack(stopped_by=THREE_CODES)
async def test_one_call_draws_a_fourth_message(ground: Ground, clock: DrivenClock, sabotage: Sabotage) -> Outcome:
    """Where a verification grows old within a minute: verified, nothing in the agenda, back in the menu, and again."""
    await ground.change("UPDATE appointment SET status = 'cancelled' WHERE patient_id = :jeanne", jeanne=JEANNE)
    async with served(house_of(ground, clock, sabotage, verification={"evidence_minutes": 1})) as house:
        line = await house.line().dial()
        for _ in range(3):
            await line.claim()
            assert len(await house.deliver()) == 1
            await line.press(await line.code())
            clock.advance(60)
        await line.claim()
        return gained(await house.deliver())


def _sent_again_whatever_the_carrier_did(sabotage: Sabotage) -> None:
    always = procrastinate.RetryStrategy(max_attempts=5, wait=1, retry_exceptions={Unavailable})
    sabotage.replace(jobs, "_SEND_AGAIN", always)
    sabotage.replace(codes, "MessageNotTaken", Unavailable)


SENT_ONCE = Defence(
    "only what was certainly not sent is sent again", "T11: one message a code", _sent_again_whatever_the_carrier_did
)


class LateCarrier(CarrierDouble):
    """Takes a message, and answers when nobody listens any more."""

    async def send_message(self, to: str, body: str, *, reference: UUID) -> NoReturn:
        await super().send_message(to, body, reference=reference)
        raise CarrierDown


@attack(stopped_by=SENT_ONCE)
async def test_one_code_is_sent_again_and_again_by_a_carrier_that_answers_late(house: House) -> Outcome:
    """What a worker does with the job, without the pauses between its tries."""
    line, carrier, queue = await house.line().dial(), LateCarrier(), InMemoryConnector()
    await line.claim()
    (challenge,) = await house.ground.rows("SELECT id, practice_id FROM challenge")
    worker = procrastinate.App(connector=queue)
    unused: Any = None
    sender = CodeSender(house.ground.app, house.ground.sealer, house.clock, carrier, lambda: CODE_TEXT, 10)
    jobs.register_jobs(worker, sender, unused, unused)
    task = worker.configure_task(verifier.SEND_CODE, queue="messages")
    await task.defer_async(practice=str(challenge.practice_id), challenge=str(challenge.id))
    for _ in range(6):
        for job in queue.jobs.values():
            job["scheduled_at"] = None
        await worker.run_worker_async(queues=["messages"], wait=False, install_signal_handlers=False)
    assert carrier.messages, "nothing was sent at all"
    return gained(carrier.messages[1:])


def _nobody_queues(sabotage: Sabotage) -> None:
    sabotage.rewrite(challenges, "_LOCK", "pg_advisory_xact_lock(hashtextextended(:whom, 0))", "cast(:whom AS text)")


QUEUE = Defence("guesses about one patient queue", "OB-03: calls in parallel get no more guesses", _nobody_queues)

#: Holds every commit that counted a try back until the test lets go, so that two guesses are in flight together.
_HOLD_COMMITS = (
    "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NULL; END $$",
    "CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON challenge_attempt DEFERRABLE INITIALLY DEFERRED "
    "FOR EACH ROW EXECUTE FUNCTION hold()",
)


@attack(stopped_by=QUEUE)
async def test_p2_a_right_and_a_wrong_guess_come_in_on_two_connections_at_once(house: House) -> Outcome:
    """Four wrong codes stand; the fifth is under way. Whoever is counted after it is past the limit."""
    ground, calls = house.ground, [await house.line().dial() for _ in range(4)]
    for line in calls:
        await line.claim()
    await calls[0].guess_wrong(2)
    await calls[1].guess_wrong(2)
    right = await calls[3].code()
    for statement in _HOLD_COMMITS:
        await ground.change(statement)
    async with ground.session() as gate:
        await gate.exec_driver_sql("SELECT pg_advisory_lock(42)")
        guesses = [asyncio.create_task(calls[2].guess_wrong())]
        await ground.waits_for(1)
        guesses.append(asyncio.create_task(calls[3].press(right)))
        await ground.waits_for(2)
        await gate.exec_driver_sql("SELECT pg_advisory_unlock(42)")
        await asyncio.gather(*guesses)
    return await listens(calls[3])


# --- beside the telephone


def guesser(ground: Ground, clock: DrivenClock) -> Challenges:
    """The product's own counting and comparing, without a call around it."""
    return Challenges(ground.sealer, clock, SystemRandom(), Limits(), ground.app)


async def opened_in(ground: Ground, line: Line) -> Opened:
    """The challenge that is open in a call."""
    query = "SELECT id, patient_id FROM challenge WHERE call_id = :call"
    (row,) = await ground.rows(query, call=await line.id())
    return Opened(row.id, row.patient_id, shared=False)
