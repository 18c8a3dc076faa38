"""Webhooks that come again, late, early, after the end, or to another call's address."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from callcenter.calls import endings, rows, steps
from callcenter.calls.session import Session
from callcenter.calls.upkeep import Upkeep
from callcenter.kernel.clock import DrivenClock
from tests.attack.defence import Defence, Outcome, Sabotage, attack, gained
from tests.attack.ground import Ground
from tests.attack.scene import A_STRANGER, APOLOGY, FIRST_VISIT, Answered, House, Line, heard_her_words


async def again(line: Line, index: int, **changes: str) -> Answered:
    """The webhook at ``index`` once more, as it was recorded or signed anew with other fields."""
    webhook = line.webhooks[index]
    return await line.house.post(webhook.url, {**webhook.fields, **changes})


async def visit(ground: Ground) -> str:
    """How Jeanne's appointment stands."""
    return str((await ground.rows("SELECT status FROM appointment WHERE id = :id", id=FIRST_VISIT))[0].status)


# --- the same request once more


def _nothing_was_answered(sabotage: Sabotage) -> None:
    sabotage.rewrite(rows, "LOAD", "AND a.slot = :slot", "AND a.slot = :slot AND false")


KEPT_ANSWERS = Defence("answers are kept", "P3: same question, same answer", _nothing_was_answered)


@attack(stopped_by=KEPT_ANSWERS)
async def test_p3_a_whole_call_is_played_back_to_us(house: House) -> Outcome:
    """Whoever recorded the carrier's signed requests sends each again: nothing is sent, told, done or written twice."""
    line = await house.line().dial()
    await line.verify()
    await line.press("1", "2", "1")  # hear it, cancel it, yes
    assert await visit(house.ground) == "cancelled"
    await house.deliver()
    before = await house.ground.state()
    answers = [await again(line, index) for index in range(len(line.webhooks))]
    same_bytes = answers == [webhook.answer for webhook in line.webhooks]
    same_state = await house.ground.state() == before
    assert same_state or not same_bytes
    assert not await house.deliver()
    return gained(not same_bytes or not same_state)


def _nobody_waits_for_the_call(sabotage: Sabotage) -> None:
    sabotage.rewrite(rows, "ENTER_BY_ID", " FOR NO KEY UPDATE", "")


CALL_LOCK = Defence("one webhook of a call at a time", "P3: same question, same answer", _nobody_waits_for_the_call)

#: Holds the commit of every answer back until the test lets go.
_HOLD_COMMITS = (
    "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NULL; END $$",
    "CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON step_answer DEFERRABLE INITIALLY DEFERRED "
    "FOR EACH ROW EXECUTE FUNCTION hold()",
)


@attack(stopped_by=CALL_LOCK)
async def test_p3_a_request_is_repeated_while_the_first_is_still_being_answered(house: House) -> Outcome:
    line = await house.line().dial()
    await line.press("1", "1")
    assert line.question is not None
    fields = {**line.last.fields, "Digits": "14031962", "FinishedOnKey": ""}
    for statement in _HOLD_COMMITS:
        await house.ground.change(statement)
    async with house.ground.session() as gate:
        await gate.exec_driver_sql("SELECT pg_advisory_lock(42)")
        both = [asyncio.create_task(house.post(line.question, fields)) for _ in range(2)]
        await house.ground.waits_for(2)
        await gate.exec_driver_sql("SELECT pg_advisory_unlock(42)")
        first, second = await asyncio.gather(*both)
    assert len(await house.deliver()) == 1
    return gained(first != second)


def _ended_calls_begin_anew(sabotage: Sabotage) -> None:
    sabotage.rewrite(rows, "ENTER_BY_SID", "carrier_sid, status\n", "carrier_sid, 2 AS status\n")


ENDED_FOR_GOOD = Defence("an ended call never begins again", "P3: no second effect, ever", _ended_calls_begin_anew)


@attack(stopped_by=ENDED_FOR_GOOD)
async def test_p3_a_first_webhook_is_played_back_after_its_answers_are_forgotten(
    house: House, clock: DrivenClock
) -> Outcome:
    """A signature has no date. After a day its answer is gone; the call must not be answered as if it were new."""
    line = await house.line().dial()
    await line.hang_up()
    clock.advance(25 * 3600)
    await forget(house)
    before = await house.ground.state()
    answer = await again(line, 0)
    assert (APOLOGY in answer.text) == (await house.ground.state() == before)
    return gained(await house.ground.state() != before)


async def forget(house: House) -> None:
    """The regular upkeep."""
    unused: Any = SimpleNamespace()
    gone = await Upkeep(house.ground.app, house.clock, unused, unused).forget()
    assert gone > 0


# --- another answer to a question answered before, or not asked yet


def _any_question_is_the_current_one(sabotage: Sabotage) -> None:
    current = "cast(:document AS integer) AS document, s.state, NULL::bytea AS fingerprint, NULL::bytea AS body"
    sabotage.rewrite(rows, "LOAD", "s.document, s.state, a.fingerprint, a.body", current)


def _two_answers_a_question(sabotage: Sabotage) -> None:
    sabotage.sql("ALTER TABLE step_answer DROP CONSTRAINT pk_step_answer")


QUESTION_NUMBER = Defence(
    "each question has a number", "P3: a late webhook has no effect", _any_question_is_the_current_one
)
ONE_ANSWER = Defence("one answer a question in the schema", "P3: a late webhook has no effect", _two_answers_a_question)


async def at_the_menu_of_the_appointment(house: House) -> Line:
    line = await house.line().dial()
    await line.verify()
    await line.press("1")
    return line


@attack(stopped_by=(QUESTION_NUMBER, ONE_ANSWER))
async def test_p3_a_question_is_answered_late_with_another_key(house: House) -> Outcome:
    """Jeanne keeps her appointment. A late webhook says of that question that she cancels."""
    line = await at_the_menu_of_the_appointment(house)
    await line.press("2", "2")
    before, records = await house.ground.state(), await line.events()
    answer = await again(line, -1, Digits="1")
    if await visit(house.ground) == "planned" and APOLOGY not in answer.text:
        after = await house.ground.state()
        assert answer == line.last.answer, "it is led back to the question that stands"
        assert {name for name in after if after[name] != before[name]} == {
            "call_session",
            "audit_record",
            "audit_outbox",
        }
        assert await line.events() == [*records, "webhook.late"]
    return gained(await visit(house.ground) != "planned")


@attack(stopped_by=QUESTION_NUMBER)
async def test_p3_a_webhook_overtakes_the_one_before_it(house: House) -> Outcome:
    line = await at_the_menu_of_the_appointment(house)
    assert line.question is not None
    _, number, _ = line.question.rsplit("/", 2)
    early = line.question.replace(f"/{number}/", f"/{int(number) + 1}/")
    await house.post(early, {**line.last.fields, "Digits": "1"})
    return gained(await visit(house.ground) != "planned")


def _any_calls_step(sabotage: Sabotage) -> None:
    sabotage.replace(steps, "hmac", SimpleNamespace(compare_digest=lambda *_: True))


OWN_STEPS = Defence("a step is its own call's", "one call cannot act in another", _any_calls_step)


@attack(stopped_by=OWN_STEPS)
async def test_a_call_answers_at_the_address_of_another_calls_step(house: House) -> Outcome:
    hers, theirs = await house.line().dial(), await house.line(A_STRANGER).dial()
    await hers.verify()
    theirs.question = hers.question
    await theirs.press("1")
    if not heard_her_words(theirs):
        assert APOLOGY in theirs.all_heard
        assert await house.alerts("foreign_step") == 1
    return gained(heard_her_words(theirs))


@attack(stopped_by=OWN_STEPS)
async def test_words_are_spoken_at_the_address_of_another_calls_message(house: House) -> Outcome:
    """What a stranger says would be played to the practice as hers."""
    hers, theirs = await house.line().dial(), await house.line(A_STRANGER).dial()
    await hers.press("2", "1")
    theirs.recorder = hers.recorder
    await theirs.speak()
    return gained(await house.ground.rows("SELECT id FROM voice_message"))


# --- how a call ends


def _statuses_go_anywhere(sabotage: Sabotage) -> None:
    sabotage.rewrite(rows, "ENTER_BY_STATUS", "AND status < :status AND ended_at IS NULL", "")


FORWARD_ONLY = Defence("statuses go forward only", "P3: no second effect", _statuses_go_anywhere)


@attack(stopped_by=FORWARD_ONLY)
async def test_p3_a_call_ends_twice(house: House) -> Outcome:
    line = await house.line().dial()
    for number in (1, 1, 2):
        await line.report("completed", number)
    return gained((await line.events()).count("call.ended") > 1)


def _ended_calls_may_stand_as_living(sabotage: Sabotage) -> None:
    sabotage.sql("ALTER TABLE call DROP CONSTRAINT ck_call_ended_when_terminal")


ENDED_IN_SCHEMA = Defence(
    "a call has ended when its status says so",
    "P3: the schema holds no ended call that lives",
    _ended_calls_may_stand_as_living,
)


@attack(stopped_by=(FORWARD_ONLY, ENDED_IN_SCHEMA))
async def test_p3_an_old_status_brings_a_call_back(house: House) -> Outcome:
    line = await house.line().dial()
    await line.hang_up()
    await line.report("in-progress")
    (row,) = await house.ground.rows("SELECT status FROM call WHERE carrier_sid = :sid", sid=line.sid)
    return gained(row.status < 10)


def _ended_calls_go_on(sabotage: Sabotage) -> None:
    sabotage.rewrite(rows, "ENTER_BY_ID", "carrier_sid, status FROM", "carrier_sid, 2 AS status FROM")


def _evidence_outlives_its_call(sabotage: Sabotage) -> None:
    def kept(session: Session, **changes: Any) -> Session:
        return replace(session, **{name: value for name, value in changes.items() if name != "evidence"})

    sabotage.replace(endings, "replace", kept)


ENDED_IS_OVER = Defence("an ended call goes no further", "P2: evidence is for one call", _ended_calls_go_on)
EVIDENCE_DIES = Defence("evidence dies with its call", "P2: evidence is for one call", _evidence_outlives_its_call)


@attack(stopped_by=(ENDED_IS_OVER, EVIDENCE_DIES))
async def test_p2_a_verified_call_goes_on_after_its_end(house: House) -> Outcome:
    line = await house.line().dial()
    await line.verify()
    await line.hang_up()
    await line.press("1")
    return gained(heard_her_words(line))
