"""A colleague's screen, found open: what shows a number, looks a patient up, lifts a lock or turns calls away wants a
second factor of the last minutes; and whoever has one collects no numbers by taking and giving back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from callcenter.app import by_locks
from callcenter.app.by_locks import StaffLocks
from callcenter.app.by_practices import StaffPractices
from callcenter.app.by_review import StaffReviews
from callcenter.console.inbox_ports import Act, TakenTooMuch
from callcenter.console.practices_ports import Change, PersonAdded, Saved
from callcenter.console.review_ports import LookUp, Matches, Purpose
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.practice_form import Setting
from callcenter.reports.values import Criteria, Kind
from callcenter.staff.acts import StaffActs
from callcenter.staff.limits import Bound
from callcenter.staff.sessions import StaffSession, Stage
from callcenter.staff.throttle import Tallies
from tests.attack.defence import Defence, Outcome, Sabotage, attack, gained, unanimous
from tests.attack.ground import Ground
from tests.attack.repositories import FLOWS
from tests.integration.mailroom import TILLEULS, Mailroom, Somebody, mailroom
from tests.sealing import InTime

WHY = "Réclamation reçue par courrier"


@pytest.fixture
async def room(ground: Ground, clock: DrivenClock) -> AsyncIterator[Mailroom]:
    async with mailroom(ground.app, ground.sealer, clock, SystemRandom(), furnished=True) as room:
        yield room


async def _left_open(room: Mailroom, one: Somebody) -> Somebody:
    """A session of theirs whose second factor was given long ago."""
    async with room.database.house() as connection:
        return replace(one, token=await room.room.sessions.begin(connection, one.staff, Stage.FULL))


REFUSED = object()


async def _got(trying: Awaitable[object], refused: object = None) -> object:
    try:
        return await trying
    except CallcenterError:
        return refused


def _locks(room: Mailroom) -> StaffLocks:
    acts = StaffActs(room.clock, room.random)
    return StaffLocks(room.room, room.database, room.sealer, room.clock, room.random, acts, timedelta(hours=24))


async def _request(room: Mailroom) -> UUID:
    """A lock that a colleague wants lifted: its identifier."""
    colleague = await room.supervisor()
    assert await _locks(room).ask(colleague.token, str(await _call(room)), WHY) is None
    _, (waiting,) = await _locks(room).waiting((await room.supervisor()).token)
    return waiting.id


async def _call(room: Mailroom) -> UUID:
    values = {"id": uuid4(), "practice": TILLEULS, "sid": f"CA{uuid4().hex}", "now": room.clock.now()}
    async with room.database.house() as connection:
        await connection.execute(_CALL, values)
    return values["id"]


_CALL = text(
    "INSERT INTO call (id, practice_id, carrier_sid, status, started_at) VALUES (:id, :practice, :sid, 3, :now)"
)


def _long_ago(sabotage: Sabotage) -> None:
    sabotage.replace(StaffSession, "may_change_account", property(lambda session: session.is_full))


JUST_NOW = Defence("a second factor was given just now", "AU-02", _long_ago)


@attack(stopped_by=JUST_NOW)
async def test_a_colleagues_screen_that_was_left_open_is_used(room: Mailroom) -> Outcome:
    message = await room.left(None, text="Rappeler")
    request = await _request(room)
    operator = await _left_open(room, await room.operator())
    supervisor = await _left_open(room, await room.supervisor())
    day = date(2026, 11, 26)
    reviews = StaffReviews(
        room.room, room.database, room.database, room.sealer, room.clock, room.random, FLOWS, InTime()
    )
    wanted = LookUp(Criteria(TILLEULS, Kind.CALLS, day, day), date(1962, 3, 14), "", Purpose.COMPLAINT, WHY)
    practices = StaffPractices(room.room, room.database, room.clock, room.random, FLOWS, None)  # type: ignore[arg-type]
    elsewhere = Change(Setting.OTHER_LINES, ["+33465710099"], None, await _seen(practices, supervisor))
    added = practices.add_person(supervisor.token, TILLEULS, NEW)
    asked = _locks(room).ask(supervisor.token, str(await _call(room)), WHY)
    return unanimous(
        {
            "a number": gained(await _got(room.inboxes.take(operator.token, TILLEULS, message))),
            "a patient": gained(isinstance(await _got(reviews.look_up(supervisor.token, wanted)), Matches)),
            "calls": gained(isinstance(await _got(practices.put(supervisor.token, TILLEULS, elsewhere)), Saved)),
            "a practitioner": gained(isinstance(await _got(added), Saved)),
            "asking": gained(await _got(asked, REFUSED) is None),
            "why": gained(await _got(_locks(room).read(supervisor.token, request))),
            "a lock": gained(await _got(_locks(room).confirm(supervisor.token, request))),
        }
    )


NEW = PersonAdded(name="Paul Autre", title="Dr", speciality="autre", sensitive=False, line="+33465710099")


async def _seen(practices: StaffPractices, one: Somebody) -> int:
    return (await practices.look(one.token, TILLEULS)).touched.get(Setting.OTHER_LINES, 0)


async def _never(*_: object) -> None:
    return None


def _uncounted(sabotage: Sabotage) -> None:
    sabotage.replace(Tallies, "count", _never)


COUNTED = Defence("what one person takes in an hour is counted", "no harvest of numbers", _uncounted)


@attack(stopped_by=COUNTED)
async def test_an_operator_collects_numbers_by_taking_and_giving_back(room: Mailroom) -> Outcome:
    operator, inboxes = await room.operator(), replace(room.inboxes, takes=Bound(3, timedelta(hours=1)))
    numbers = 0
    for _ in range(6):
        message = await room.left(None, text="Rappeler")
        try:
            opened = await inboxes.take(operator.token, TILLEULS, message)
        except TakenTooMuch:
            continue
        assert opened is not None
        numbers += opened.number is not None
        assert "follow_up.taken" in await room.events(message), "each is on record"
        await inboxes.leave(operator.token, TILLEULS, message, Act.GIVE_BACK)
    return gained(numbers > 3)


async def _nobody_asks(*_: object) -> bool:
    return True


def _unread(sabotage: Sabotage) -> None:
    sabotage.replace(by_locks, "_has_read", _nobody_asks)


READ_FIRST = Defence("who confirms has read why", "OB-03", _unread)


@attack(stopped_by=READ_FIRST)
async def test_a_lock_is_confirmed_by_somebody_who_has_not_read_why(room: Mailroom) -> Outcome:
    request = await _request(room)
    return gained(await _locks(room).confirm((await room.supervisor()).token, request))
