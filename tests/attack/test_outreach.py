"""The telephone on file, reached for whoever asks: hunting for a record, flooding a victim, taking a call over."""

from __future__ import annotations

import re
from datetime import date, timedelta
from uuid import UUID

import pytest

from callcenter.app import working
from callcenter.app.by_carrier import CarrierRinger
from callcenter.calls import outreach, returned
from callcenter.calls.outreach import RING_BACK, SEND_REMINDER_AGAIN, CallOutreach
from callcenter.calls.reminders_again import RemindersAgain
from callcenter.calls.ring_back import RingBack
from callcenter.disclosure.gate import Gate
from callcenter.disclosure.policy import load_policy
from callcenter.flow.language import ReachKind
from callcenter.identity import challenges
from callcenter.identity.challenges import Limits
from callcenter.kernel.randomness import SystemRandom
from callcenter.notices import choices
from callcenter.practice.patients import Patients
from callcenter.telephony.urls import Urls
from tests.attack.defence import Defence, Outcome, Sabotage, attack, gained
from tests.attack.scene import (
    A_STRANGER,
    APOLOGY,
    JEANNE,
    JEANNES_BIRTHDAY,
    JEANNES_MOBILE,
    PROJECT,
    TILLEULS,
    House,
    Line,
)
from tests.attack.test_codes import THREE_TRIES
from tests.attack.test_enumeration import sounds, statements
from tests.sealing import InTime
from tests.texts import APPOINTMENT_TEXT

REMINDER, RETURN_CALL = "4", "5"
EMILES_LANDLINE, EMILES_BIRTHDAY = "+33465710099", "02111948"
#: What only Émile may hear.
HIS_WORDS = "10 heures"
ANYBODY = "anonymous"
POLICY = load_policy(PROJECT / "config/disclosure-policy.yaml")
URLS, SENDER = "https://house.invalid", "+33199000001"


async def asks(line: Line, key: str, birthday: str, telephone: str | None = None) -> Line:
    """Ring, and ask for it."""
    await line.dial()
    await line.press("1", key, birthday)
    if telephone is not None:
        await line.press(f"0{telephone.removeprefix('+33')}")
    return line


async def works(house: House) -> None:
    """Run the jobs that wait, each once."""
    ground, clock, carrier = house.ground, house.clock, house.carrier
    opposed = working.wants_no_reminder
    rules = (POLICY, lambda: APPOINTMENT_TEXT, SENDER, Limits(), opposed, InTime())
    reminders = RemindersAgain(ground.app, ground.sealer, clock, carrier, *rules)
    ring_back = RingBack(ground.app, ground.sealer, clock, CarrierRinger(carrier, Urls.below(URLS)), Limits())
    waiting = "DELETE FROM procrastinate_jobs WHERE task_name = ANY(:tasks) RETURNING id, task_name, args"
    for job in sorted(await ground.rows(waiting, tasks=[SEND_REMINDER_AGAIN, RING_BACK])):
        run = reminders.send if job.task_name == SEND_REMINDER_AGAIN else ring_back.ring
        await run(UUID(job.args["practice"]), UUID(job.args["outreach"]))


def code_told(line: Line) -> str:
    """The call-back code that was said in a call."""
    (code,) = re.findall(r"code de rappel : (\d \d \d \d)\. Je répète", line.all_heard)
    return str(code).replace(" ", "")


async def answered(house: House, *, ring: int = -1) -> Line:
    """Whoever takes a call of ours."""
    to, shown, url = house.carrier.rung[ring]
    line = Line(house, shown, to)
    await line._post(url.replace(URLS, house.base), {"CallStatus": "in-progress"})
    return line


async def rung(house: House) -> Line:
    """Émile's line rings, because somebody has asked for it with his birth date and his number."""
    asked = await asks(house.line(ANYBODY), RETURN_CALL, EMILES_BIRTHDAY, EMILES_LANDLINE)
    await asked.hang_up()
    await works(house)
    return asked


# --- hunting for a record


def _the_call_looks_at_the_file(sabotage: Sabotage) -> None:
    real = CallOutreach._ask

    async def ask(self: CallOutreach, kind: ReachKind, birth_date: date, telephone: str) -> tuple[UUID, bytes]:
        patients, tx = Patients(self._sealer), self._desk.tx
        for found in await patients.by_birth_and_phone(tx, birth_date, telephone):
            await patients.code_contacts(tx, found.patient_id)
        return await real(self, kind, birth_date, telephone)

    sabotage.replace(CallOutreach, "_ask", ask)


READS_NO_FILE = Defence("the call reads no file", "P6: no oracle in words, order and time", _the_call_looks_at_the_file)


@pytest.mark.parametrize("key", [REMINDER, RETURN_CALL], ids=["a reminder", "a return call"])
@attack(stopped_by=READS_NO_FILE)
async def test_p6_a_patient_is_told_from_a_stranger_by_asking_for(house: House, key: str) -> Outcome:
    told = []
    for caller in (JEANNES_MOBILE, A_STRANGER):
        line = await house.line(caller).dial()
        with statements() as done:
            await line.press("1", key, JEANNES_BIRTHDAY)
            await line.hang_up()
        words = [re.sub(r"\d \d \d \d", "code", sound) for sound in sounds(line)]
        told.append((words, done))
    return gained(told[0] != told[1])


# --- flooding a victim


def _nobody_is_counted(sabotage: Sabotage) -> None:
    sabotage.replace(outreach, "REACHED", dict.fromkeys(ReachKind, 99))
    sabotage.replace(outreach, "LINE_REACHED", 99)


COUNTED = Defence(
    "what a line is reached with is counted", "once a day by text, three times by call", _nobody_is_counted
)


@attack(stopped_by=COUNTED)
async def test_a_victims_mobile_is_flooded_with_reminders(house: House) -> Outcome:
    """From as many telephones as the attacker likes, whose numbers they withhold."""
    for _ in range(3):
        await asks(house.line(ANYBODY), REMINDER, JEANNES_BIRTHDAY, JEANNES_MOBILE)
        await works(house)
    assert house.carrier.messages, "not even the first left"
    return gained(len(house.carrier.messages) > 1)


@attack(stopped_by=COUNTED)
async def test_a_victims_line_rings_all_day(house: House) -> Outcome:
    for _ in range(5):
        await rung(house)
    assert len(house.carrier.rung) >= 3, "not even the first rang"
    return gained(len(house.carrier.rung) > 3)


def _marks_are_not_looked_at(sabotage: Sabotage) -> None:
    sabotage.replace(Gate, "_push_refusal", lambda self, inquiry, situation, barred: barred)


MARKS = Defence(
    "the gate looks at the marks of the file", "SP-07: nothing to a restricted contact", _marks_are_not_looked_at
)


@pytest.mark.parametrize("mark", ["contact_restricted", "deceased", "homonym"])
@attack(stopped_by=MARKS)
async def test_a_reminder_is_sent_to_whom_nothing_may_be_sent(house: House, mark: str) -> Outcome:
    await house.ground.change(f"UPDATE patient SET {mark} = true WHERE external_id = 'jeanne-martin-duval'")
    await asks(house.line(), REMINDER, JEANNES_BIRTHDAY)
    await works(house)
    return gained(house.carrier.messages)


def _opposition_is_not_asked_for(sabotage: Sabotage) -> None:
    async def nobody(*_: object) -> bool:
        return False

    sabotage.replace(working, "wants_no_reminder", nobody)


OPPOSITION = Defence("an opposition is asked for", "OU-02: no reminder against it", _opposition_is_not_asked_for)


@attack(stopped_by=OPPOSITION)
async def test_a_reminder_is_sent_again_to_whoever_wants_none(house: House) -> Outcome:
    async with house.ground.app.practice(TILLEULS) as tx:
        await choices.choose_for_patient(tx, JEANNE, choices.Choice.OPPOSED, house.clock.now(), SystemRandom())
    await asks(house.line(), REMINDER, JEANNES_BIRTHDAY)
    await works(house)
    return gained(house.carrier.messages)


# --- taking a call over


def _a_code_lives_on(sabotage: Sabotage) -> None:
    sabotage.replace(returned, "WANTED", dict.fromkeys(ReachKind, timedelta(minutes=9)))


FIVE_MINUTES = Defence("a call-back code lives five minutes", "OB-02: a code expires", _a_code_lives_on)


@attack(stopped_by=FIVE_MINUTES)
async def test_p2_a_call_back_code_is_typed_when_it_is_too_old(house: House) -> Outcome:
    asked = await rung(house)
    house.clock.advance(6 * 60)
    line = await answered(house)
    await line.press(code_told(asked))
    if line.question is not None:
        await line.press("1")
    return gained(HIS_WORDS in line.all_heard)


def _all_codes_are_one(sabotage: Sabotage) -> None:
    sabotage.replace(challenges, "code_digits", lambda secret, factor: "4719")
    sabotage.replace(outreach, "code_digits", lambda secret, factor: "4719")


ITS_OWN_CODE = Defence("each request has a code of its own", "P2: evidence is of one call", _all_codes_are_one)


@attack(stopped_by=ITS_OWN_CODE)
async def test_p2_the_code_of_another_request_is_typed(house: House) -> Outcome:
    """Somebody in the house of a patient lets that line ring, and types the code of a request of theirs."""
    asked = await rung(house)
    other = await asks(house.line(A_STRANGER), RETURN_CALL, JEANNES_BIRTHDAY)
    if code_told(other) == code_told(asked):  # one in ten thousand
        other = await asks(house.line(A_STRANGER), RETURN_CALL, JEANNES_BIRTHDAY)
    line = await answered(house)
    await line.press(code_told(other))
    if line.question is not None:
        await line.press("1")
    return gained(HIS_WORDS in line.all_heard)


@attack(stopped_by=THREE_TRIES)
async def test_p2_a_call_back_code_is_tried_a_fourth_time(house: House) -> Outcome:
    asked = await rung(house)
    line = await answered(house)
    right = int(code_told(asked))
    for n in range(1, 4):
        if line.question is not None:
            await line.press(f"{(right + n) % 10_000:04d}")
    if line.question is not None:
        await line.press(f"{right:04d}", "1")
    return gained(HIS_WORDS in line.all_heard)


def _a_token_serves_again(sabotage: Sabotage) -> None:
    sabotage.rewrite(returned, "_TAKE", "AND reached_call_id IS NULL", "")


TOKEN_ONCE = Defence("the address of a ring serves one call", "P2: evidence is of one call", _a_token_serves_again)


def _what_is_over_comes_back(sabotage: Sabotage) -> None:
    sabotage.sql("DROP TRIGGER outreach_reached_call_id_once ON outreach")


REACHED_ONCE = Defence(
    "a ring is answered once in the database", "P2: evidence is of one call", _what_is_over_comes_back
)


@attack(stopped_by=(TOKEN_ONCE, REACHED_ONCE))
async def test_p2_the_address_of_a_ring_is_used_for_another_call(house: House) -> Outcome:
    await rung(house)
    first = await answered(house)
    again = await answered(house)
    assert first.question is not None
    assert first.sid != again.sid
    return gained(APOLOGY not in again.all_heard)
