"""The workplace and the browser's leg: calls of others, forms of others, streams that do not end, passes that last."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest

from callcenter.app.bells import RoutingBells
from callcenter.background import in_background
from callcenter.calls import own_legs
from callcenter.calls.own_legs import InRoom, OwnLegs, identity_of
from callcenter.console import guard
from callcenter.console.forms import FormProofs
from callcenter.console.streams import StreamLimits, Streams
from callcenter.console.visits import Door
from callcenter.console.workplace_ports import Act, Doing
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom
from callcenter.routing import held
from callcenter.routing.waking import About, Waking
from callcenter.telephony import access_tokens
from callcenter.telephony.access_tokens import Passes
from callcenter.telephony.signature import SignatureCheck, Signed
from tests.attack.defence import Defence, Outcome, Sabotage, attack, gained, replaced, unanimous, yes
from tests.attack.ground import Ground
from tests.integration.routing.floor import Floor
from tests.integration.routing.test_workplaces import Hearing
from tests.unit.console.doubles import open_desk
from tests.unit.console.test_streams import streaming
from tests.unit.console.workplaces import CALL
from tests.unit.telephony.doubles import CALL_SID, running_edge

EVIL = "https://evil.example"
LEG, ANOTHER = "CA" + "1" * 32, "CA" + "2" * 32


@pytest.fixture
async def floor(ground: Ground, clock: DrivenClock) -> Floor:
    floor = Floor(ground.app, clock, SeededRandom(46))
    await floor.open()
    return floor


# --- calls of others


def _anybodys(sabotage: Sabotage) -> None:
    sabotage.rewrite(own_legs, "_PLACED", "r.staff_id = :staff", "cast(:staff AS uuid) IS NOT NULL")


ITS_OWN_LEG = Defence("a leg comes into the call of who has placed it", "a call is its operator's", _anybodys)


async def _nobody_is_asked(*_: object) -> None:
    """Into any talk."""


async def _in_talk(floor: Floor, legs: OwnLegs) -> UUID:
    """A talk of two, whose operator has come by the browser."""
    practice = await floor.practice()
    await floor.operator(practice)
    await floor.waits(practice)
    offer = await floor.one_offer()
    await floor.do(floor.reservations.accept, offer.id, offer.staff)
    await floor.run("UPDATE reservation SET leg = :leg WHERE id = :id", leg=LEG, id=offer.id)
    assert await legs.joins(offer.staff, offer.id, LEG) == InRoom(offer.id.hex, "operator", ends_all=True)
    await floor.do(floor.reservations.connected, offer.id, offer.staff)
    return offer.id


@attack(stopped_by=ITS_OWN_LEG)
async def test_a_browser_comes_into_a_talk_by_the_name_of_its_offer(floor: Floor) -> Outcome:
    """A colleague of the same practice, and somebody of another organisation, listen to a caller of another."""
    house = SimpleNamespace(database=floor.database, clock=floor.clock, reservations=floor.reservations)
    thirds = SimpleNamespace(join=_nobody_is_asked)
    legs = OwnLegs(house, SimpleNamespace(), thirds)  # type: ignore[arg-type]
    talk = await _in_talk(floor, legs)
    (row,) = await floor.run(
        "SELECT e.practice_id FROM reservation r JOIN queue_entry e ON e.call_id = r.call_id WHERE r.id = :id", id=talk
    )
    elsewhere = Floor(floor.database, floor.clock, SeededRandom(47))
    await elsewhere.open()
    thieves = {
        "colleague": await floor.operator(row.practice_id),
        "other organisation": await elsewhere.operator(await elsewhere.practice()),
    }
    return unanimous({who: gained(await legs.joins(thief, talk, ANOTHER)) for who, thief in thieves.items()})


THE_CARRIERS = replaced(
    "the carrier's signature",
    "every POST is proved to come from the carrier",
    SignatureCheck,
    "check",
    lambda *_: Signed(0),
)


@attack(stopped_by=THE_CARRIERS)
async def test_a_leg_is_said_to_be_an_operators_by_who_is_not_the_carrier() -> Outcome:
    async with running_edge() as edge:
        made_up = {"CallSid": CALL_SID, "From": f"client:{identity_of(UUID(int=5))}", "offer": UUID(int=9).hex}
        answer = await edge.post("/voice/operators", made_up, signature="forged")
        return gained(b"<Conference" in answer.body)


def _whoever_asks(sabotage: Sabotage) -> None:
    sabotage.rewrite(held, "_LOCK", "r.staff_id = :staff", "cast(:staff AS uuid) IS NOT NULL")


ITS_OWN_OPERATOR = Defence("a reservation is locked with its operator", "a call is its operator's", _whoever_asks)


@attack(stopped_by=ITS_OWN_OPERATOR)
async def test_a_talk_is_ended_by_the_page_of_somebody_else(floor: Floor) -> Outcome:
    practice = await floor.practice()
    await floor.operator(practice)
    await floor.waits(practice)
    talk = await floor.one_offer()
    await floor.do(floor.reservations.accept, talk.id, talk.staff)
    thief = await floor.operator(practice)
    return gained(await floor.do(floor.reservations.dropped, talk.id, thief))


# --- forms of others

OWN_PAGES = replaced("forms of our own pages", "ASVS 3.5.1", guard, "check_source", lambda *_: None)
PROOF = replaced("a proof in each form", "ASVS 3.5.1", FormProofs, "check", lambda *_: None)


@attack(stopped_by=(OWN_PAGES, PROOF))
async def test_another_sites_page_answers_refuses_and_ends_calls() -> Outcome:
    """As if the browser sent the cookie along, which ``SameSite`` forbids it."""
    async with open_desk() as desk:
        await desk.signed_in()
        tries = {
            "presence": ("/poste/presence", {"etat": Doing.OFFLINE.value}),
            **{act.value: (f"/poste/appels/{CALL}/{act.value}", {"qui": "x"}) for act in Act},
        }
        done = {}
        for name, (path, fields) in tries.items():
            desk.workplaces.done.clear()
            await desk.guest.send(path, fields, of=EVIL)
            done[name] = gained(desk.workplaces.done)
        return unanimous(done)


@attack(stopped_by=(OWN_PAGES, PROOF))
async def test_another_sites_page_has_a_pass_made() -> Outcome:
    async with open_desk() as desk:
        await desk.signed_in()
        answer = await desk.guest.send("/poste/jeton", {}, of=EVIL)
        return gained("a.pass.of-tests" in answer.text)


# --- streams


LOOKED_AT = replaced("a stream looks whether its session stands", "ASVS 7.4", Streams, "_stands", yes)


@attack(stopped_by=LOOKED_AT)
async def test_a_stream_goes_on_after_its_session_was_ended() -> Outcome:
    async with open_desk(streams=StreamLimits(check=0.02, look=0.02, pace=0.0)) as desk:
        token = await desk.signed_in()
        async with streaming(desk) as stream:
            await stream.event()
            del desk.staff.sessions[token]
            told = [await stream.event() for _ in range(6)]
            return gained(None not in told)


async def _rings_for_all(bells: RoutingBells) -> None:
    with bells._listener.subscribed() as news:
        while True:
            for _ in await news.wait(60.0):
                for bell in {bell for own in bells._bells.values() for bell in own}:
                    bell.ring()


OWN_QUEUE = replaced("a stream tells of one's own organisation's queue", "P5", RoutingBells, "run", _rings_for_all)


@attack(stopped_by=OWN_QUEUE)
async def test_p5_a_stream_tells_when_callers_of_another_organisation_ring(floor: Floor) -> Outcome:
    """It says nothing but that one should look; that it says so is how busy somebody else is."""
    staff, hearing = await floor.operator(await floor.practice()), Hearing()
    bells = RoutingBells(hearing, floor.database, soon=0.0)  # type: ignore[arg-type]
    async with in_background(bells.run()), bells.of(staff) as bell:
        hearing.news.put(Waking(About.QUEUE, UUID(int=7)))
        return gained(await bell.rung(1.0))


def _endless(sabotage: Sabotage) -> None:
    limits = StreamLimits.__init__

    def wide(self: StreamLimits, *_: object, **given: object) -> None:
        limits(self, **{**given, "of_session": 10_000, "in_all": 10_000})  # type: ignore[arg-type]

    sabotage.replace(StreamLimits, "__init__", wide)


BOUNDED = Defence("streams are counted", "ASVS 2.4", _endless)


@attack(stopped_by=BOUNDED)
async def test_one_session_holds_as_many_streams_as_it_likes() -> Outcome:
    async with open_desk(streams=StreamLimits()) as desk, AsyncExitStack() as stack:
        await desk.signed_in()
        opened = [await stack.enter_async_context(streaming(desk)) for _ in range(12)]
        return gained(sum(stream.response.status == 200 for stream in opened) > 4)


# --- what a page does by itself


def _all_count(sabotage: Sabotage) -> None:
    made = Door.__init__

    def door(self: Door, *given: object, **more: object) -> None:
        made(self, *given, **{**more, "by_itself": False})  # type: ignore[arg-type]

    sabotage.replace(Door, "__init__", door)


ONES_OWN_DOING = Defence("what a page does by itself keeps no session", "ASVS 7.3", _all_count)


@attack(stopped_by=ONES_OWN_DOING)
async def test_a_page_that_was_left_open_keeps_its_session_for_ever() -> Outcome:
    async with open_desk() as desk:
        await desk.signed_in()
        await desk.guest.get("/poste/etat?present=0")
        return gained(desk.staff.used)


# --- passes

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
FOR_MINUTES = replaced("a pass is for minutes", "ASVS 7.3", access_tokens, "LONGEST", timedelta(hours=24))


@attack(stopped_by=FOR_MINUTES)
def test_a_pass_that_was_read_is_used_an_hour_later() -> Outcome:
    passes = Passes("AC" + "1" * 32, "SK" + "2" * 32, "a secret of the tests, long enough", "AP" + "3" * 32)
    made = passes.made("op_1", NOW, NOW + timedelta(hours=12))
    return gained(made is not None and made.seconds > 3600)
