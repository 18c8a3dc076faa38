"""Messages on pages: a colleague's, another practice's, without a second factor, after the role is gone; receipts that
nobody gave, markup in what was written, work that somebody else has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.app import by_inbox
from callcenter.app.inbox_readers import Reader
from callcenter.console.inbox_ports import Act, Answer, As, Due, Sound, Why
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice import correspondence, follow_ups
from callcenter.staff.acts import StaffActs
from callcenter.staff.practitioners import Practises
from callcenter.staff.sessions import StaffSession
from callcenter.staff.values import Role
from callcenter.store.schema import APP
from tests.attack.defence import Defence, Outcome, Sabotage, attack, gained, unanimous
from tests.attack.escaping import ESCAPED
from tests.attack.ground import Ground
from tests.attack.test_workplace import EVIL, OWN_PAGES, PROOF
from tests.integration.mailroom import BY, CLAIRE, NADIA, PORT, TILLEULS, WORDS, Mailroom, Somebody, mailroom
from tests.unit.console.doubles import open_desk
from tests.unit.console.inboxes import MESSAGE, PRACTICE


@pytest.fixture
async def room(ground: Ground, clock: DrivenClock) -> AsyncIterator[Mailroom]:
    async with mailroom(ground.app, ground.sealer, clock, SystemRandom(), furnished=True) as room:
        yield room


async def _got(trying: Awaitable[object]) -> Outcome:
    """Whether something was given or done; whatever the house refuses is refused, of whatever kind."""
    try:
        return gained(await trying)
    except (CallcenterError, DBAPIError):
        return gained(None)


async def _all_of(room: Mailroom, thief: Somebody, message: UUID, why: Why | None = None) -> dict[str, Outcome]:
    """To see that it is there, to read it, to hear it, to answer it."""
    of, inboxes = (thief.token, TILLEULS, message), room.inboxes
    return {
        "that it is there": await _got(inboxes.envelope(*of)),
        "what it says": await _got(inboxes.open(*of, why)),
        "what was spoken": gained(isinstance(await _heard(room, thief, message), Sound)),
        "an answer": await _got(inboxes.answer(*of, Answer.NOTHING, "", Due.DAY)),
    }


async def _heard(room: Mailroom, thief: Somebody, message: UUID) -> object:
    try:
        return await room.inboxes.sound(thief.token, TILLEULS, message)
    except CallcenterError:
        return None


# --- whose they are


def _anybodys(sabotage: Sabotage) -> None:
    sabotage.replace(Reader, "is_addressee", lambda *_: True)


FOR_WHOM = Defence("a message is for its practitioner", "read by whom it is for", _anybodys)


@attack(stopped_by=FOR_WHOM)
async def test_a_practitioner_reads_a_colleagues_message_by_its_identifier(room: Mailroom) -> Outcome:
    colleague = await room.doctor(NADIA, of_practice=True)
    message = await room.left(CLAIRE, text=WORDS, spoken=True)
    return unanimous(await _all_of(room, colleague, message))


@attack(stopped_by=FOR_WHOM)
async def test_whoever_wrote_a_message_makes_its_receipt_by_opening_it(room: Mailroom) -> Outcome:
    writer = await room.operator()
    message = await room.left(CLAIRE, text=WORDS, writer=writer.staff)
    await room.inboxes.open(writer.token, TILLEULS, message, None)
    return gained(await room.one("SELECT read_at FROM message WHERE read_at IS NOT NULL UNION ALL SELECT NULL LIMIT 1"))


async def _may(*_: object) -> bool:
    return True


def _for_every_practice(sabotage: Sabotage) -> None:
    sabotage.replace(by_inbox, "may", _may)


ITS_PRACTICE = Defence(
    "a role is for the practices of its portfolio", "P5: no row crosses a practice", _for_every_practice
)


@attack(stopped_by=ITS_PRACTICE)
async def test_p5_an_operator_and_a_supervisor_of_another_practice_reach_a_message(room: Mailroom) -> Outcome:
    elsewhere = await room.portfolio("Le Port", PORT)
    operator, supervisor = await room.operator(elsewhere), await room.supervisor(elsewhere)
    message = await room.left(None, text=WORDS)
    of = (TILLEULS, message)
    return unanimous(
        {
            "operator sees": await _got(room.inboxes.envelope(operator.token, *of)),
            "operator takes": await _got(room.inboxes.take(operator.token, *of)),
            "operator finishes": await _got(room.inboxes.leave(operator.token, *of, Act.FINISH)),
            "supervisor reads": await _got(room.inboxes.open(supervisor.token, *of, Why.COMPLAINT)),
        }
    )


def _whatever_practice(sabotage: Sabotage) -> None:
    sabotage.rewrite(correspondence, "_HELD", "m.practice_id = :practice", "cast(:practice AS uuid) IS NOT NULL")


def _no_row_security(sabotage: Sabotage) -> None:
    for table in ("message", "practitioner", "voice_message"):
        sabotage.sql(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")


NAMED = Defence("a statement names the practice", "P5", _whatever_practice)
ROWS = Defence("row-level security", "P5", _no_row_security)


@attack(stopped_by=(NAMED, ROWS))
async def test_p5_a_message_is_asked_for_under_a_practice_of_ones_own(room: Mailroom) -> Outcome:
    operator = await room.operator(await room.portfolio("Le Port", PORT))
    message = await room.left(CLAIRE, text=WORDS)
    return await _got(room.inboxes.envelope(operator.token, PORT, message))


# --- who may, now


def _long_ago_is_now(sabotage: Sabotage) -> None:
    sabotage.replace(StaffSession, "may_change_account", property(lambda session: session.is_full))


JUST_NOW = Defence("a second factor was given just now", "AU-02", _long_ago_is_now)


@attack(stopped_by=JUST_NOW)
async def test_a_page_that_was_left_open_reads_messages(room: Mailroom, clock: DrivenClock) -> Outcome:
    doctor = await room.doctor()
    message = await room.left(CLAIRE, text=WORDS)
    clock.advance(timedelta(minutes=6).total_seconds())
    return await _got(room.inboxes.open(doctor.token, TILLEULS, message, None))


async def _by_the_link_alone(connection: AsyncConnection, staff: UUID, _: object) -> Sequence[Practises]:
    query = text("SELECT practice_id, practitioner_id, of_practice FROM staff_practitioner WHERE staff_id = :staff")
    return [Practises(*row) for row in (await connection.execute(query, {"staff": staff})).all()]


def _once_is_for_ever(sabotage: Sabotage) -> None:
    sabotage.replace(by_inbox, "practises", _by_the_link_alone)


ROLE = Defence("the role is asked for besides, each time", "AU-06", _once_is_for_ever)


@attack(stopped_by=ROLE)
async def test_a_practitioner_whose_role_was_taken_goes_on_reading(room: Mailroom) -> Outcome:
    doctor = await room.doctor()
    message = await room.left(CLAIRE, text=WORDS, spoken=True)
    assert await room.room.administration.take(doctor.account, Role.PRACTITIONER, room.whole, BY)
    return unanimous(await _all_of(room, await room.again(doctor), message))


# --- what is on record


async def _unrecorded(*_: object, **__: object) -> None:
    """Nothing is."""


def _without_a_record(sabotage: Sabotage) -> None:
    sabotage.replace(StaffActs, "message_read", _unrecorded)


ON_RECORD = Defence("an opening is on record first", "P1: no words without a record", _without_a_record)


@attack(stopped_by=ON_RECORD)
async def test_p1_a_message_is_read_while_nothing_can_be_recorded(room: Mailroom, ground: Ground) -> Outcome:
    doctor = await room.doctor()
    message = await room.left(CLAIRE, text=WORDS)
    await ground.change(f"REVOKE INSERT ON audit_record FROM {APP}")
    return await _got(room.inboxes.open(doctor.token, TILLEULS, message, None))


def _may_be_given_again(sabotage: Sabotage) -> None:
    for column in ("read_at", "read_by"):
        sabotage.sql(f"ALTER TABLE message DISABLE TRIGGER message_{column}_once")


RECEIPT_ONCE = Defence("a receipt is given once", "who has read it, and when", _may_be_given_again)


@attack(stopped_by=RECEIPT_ONCE)
async def test_a_receipt_is_dated_back_and_given_to_somebody_else(room: Mailroom) -> Outcome:
    doctor = await room.doctor()
    message = await room.left(CLAIRE, text=WORDS)
    await room.inboxes.open(doctor.token, TILLEULS, message, None)
    try:
        await room.run("UPDATE message SET read_at = '2000-01-01', read_by = gen_random_uuid()")
    except DBAPIError as error:
        if "what is over stays over" not in str(error.orig):
            raise
    return gained(await room.one("SELECT count(*) FROM message WHERE read_at = '2000-01-01'"))


def _as_often_as_they_like(sabotage: Sabotage) -> None:
    sabotage.replace(by_inbox, "FETCHES", 1_000)


A_FEW_TIMES = Defence("a sound is given a few times", "P1: each time is on record", _as_often_as_they_like)


@attack(stopped_by=A_FEW_TIMES)
async def test_a_sound_is_fetched_over_and_over(room: Mailroom) -> Outcome:
    doctor = await room.doctor()
    message = await room.left(CLAIRE, spoken=True)
    await room.inboxes.open(doctor.token, TILLEULS, message, None)
    sounds = [await room.inboxes.sound(doctor.token, TILLEULS, message) for _ in range(9)]
    return gained(isinstance(sounds[-1], Sound))


# --- work that somebody has


def _whoever_comes(sabotage: Sabotage) -> None:
    sabotage.rewrite(follow_ups, "_TAKE", "(taken_by IS NULL OR", "(cast(:before AS timestamptz) IS NOT NULL OR")


ONE_HAS_IT = Defence("what is taken is somebody's", "one calls the patient, not two", _whoever_comes)


@attack(stopped_by=ONE_HAS_IT)
async def test_an_operator_takes_what_a_colleague_has_taken(room: Mailroom) -> Outcome:
    first, second = await room.operator(), await room.operator()
    message = await room.left(None)
    assert await room.inboxes.take(first.token, TILLEULS, message) is not None
    return await _got(room.inboxes.take(second.token, TILLEULS, message))


# --- pages


MARKUP = '"><script>alert(1)</script>'


@attack(stopped_by=ESCAPED)
async def test_markup_in_a_message_and_in_an_answer_runs_on_a_page() -> Outcome:
    address = f"/messages/{PRACTICE}/{MESSAGE}"
    async with open_desk() as desk:
        await desk.signed_in(confirmed=True)
        await desk.guest.get("/messages")
        read = await desk.guest.post(address)
        typed = await desk.guest.post(address + "/reponse", precision=f"</textarea>{MARKUP}", echeance="day")
        desk.inboxes.ways = frozenset({As.OPERATOR})
        taken = await desk.guest.post(address + "/suite/prendre")
        pages: dict[str, Any] = {"read": read, "typed": typed, "taken": taken}
        assert all(page.status in (200, 422) for page in pages.values())
        return unanimous({name: gained("<script>alert" in page.text) for name, page in pages.items()})


@attack(stopped_by=(OWN_PAGES, PROOF))
async def test_another_sites_page_opens_answers_and_takes() -> Outcome:
    address = f"/messages/{PRACTICE}/{MESSAGE}"
    async with open_desk() as desk:
        await desk.signed_in(confirmed=True)
        tries = {
            "opens": (address, {"motif": "absence"}),
            "answers": (address + "/reponse", {"reponse": "nothing", "echeance": "day"}),
            **{act.value: (f"{address}/suite/{act.value}", {"x": "y"}) for act in Act},
        }
        done = {}
        for name, (path, fields) in tries.items():
            desk.inboxes.done.clear()
            await desk.guest.send(path, fields, of=EVIL)
            done[name] = gained(desk.inboxes.done)
        return unanimous(done)
