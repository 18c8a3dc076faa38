"""An operator's page takes a call, and their browser's leg comes into the room: once, theirs alone, never in vain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import aiohttp
import pytest
from sqlalchemy import text

from callcenter.app.by_carrier import CarrierLines
from callcenter.calls.keypad import Asked
from callcenter.calls.own_legs import identity_of
from callcenter.calls.talk_values import Acted, Colleague
from callcenter.emulator.client import ControlClient
from callcenter.kernel.errors import Unavailable
from callcenter.routing.distributing import POLL
from callcenter.routing.presence import move
from callcenter.routing.reservations import Accepted, Reservations
from callcenter.routing.values import PresenceState, Way
from tests.acceptance.stage import Stage
from tests.acceptance.test_two_people_talk import DESK, OPEN, OTHER_DESK, Office
from tests.unit.telephony.doubles import document, signed

LEG, OTHER_LEG = "CA" + "1" * 32, "CA" + "2" * 32
NOT_YOURS = "Cet appel n'est plus le vôtre"


class Counter:
    """Wraps what leads callers, and counts."""

    def __init__(self, lead: Callable[..., Awaitable[bool]]) -> None:
        self._lead = lead
        self.times = 0
        self.fails: Exception | None = None

    async def __call__(self, lines: CarrierLines, *given: Any) -> bool:
        self.times += 1
        if self.fails is not None:
            raise self.fails
        return await self._lead(lines, *given)


class Desk(Office):
    """An office whose operators sit before browsers."""

    async def sits(self, login: str) -> UUID:
        staff = await self.on_duty(login, DESK)
        async with self.stage.running.database.house() as connection:
            await move(connection, staff, PresenceState.BREAK, self.stage.clock.now())
            await move(connection, staff, PresenceState.AVAILABLE, self.stage.clock.now(), way=Way.BROWSER)
        return staff

    async def offered(self) -> UUID:
        await self.becomes(lambda: self.one("SELECT count(*) FROM reservation WHERE state = 'offered'"), 1)
        found = await self.one("SELECT id FROM reservation WHERE state = 'offered'")
        assert isinstance(found, UUID)
        return found

    async def takes_on_page(self, staff: UUID, offer: UUID) -> None:
        async with self.stage.running.database.house() as connection:
            taken = await Reservations().accept(connection, offer, staff, self.stage.clock.now())
        assert isinstance(taken, Accepted)

    async def carrier(self, path: str, **fields: str) -> str:
        """A webhook as the carrier sends it; what it is answered."""
        settings = self.stage.running.settings
        url = settings.public_base_url + path
        proof = signed(url, list(fields.items()), settings.carrier.auth_tokens[0].get_secret_value())
        headers = {"X-Twilio-Signature": proof, "Content-Type": "application/x-www-form-urlencoded"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, data=urlencode(fields), headers=headers) as answer,
        ):
            assert answer.status in (200, 204)
            return await answer.text()

    async def places(self, staff: UUID, offer: UUID, leg: str = LEG) -> str:
        """The browser's leg asks what to do: the room it is sent to, or the words it hears."""
        fields = {"CallSid": leg, "From": f"client:{identity_of(staff)}", "To": "", "offer": offer.hex}
        heard = document((await self.carrier("/voice/operators", **fields)).encode())
        found = heard.find(".//Conference")
        return "".join(heard.itertext()) if found is None else f"room {found.text}"

    async def calls(self, staff: UUID, offer: UUID) -> str:
        """The same, by a softphone of the carrier in a box; its leg."""
        softphone = self.stage.running.settings.softphone
        assert softphone is not None
        return await self.client.dial_application(identity_of(staff), softphone.application, {"offer": offer.hex})

    async def ends(self, leg: str = LEG) -> None:
        await self.carrier("/voice/operators/status", CallSid=leg, CallStatus="completed")

    async def verb(self, leg: str) -> object:
        return (await self.client.state(leg)).verb

    async def comes_back(self, caller: str) -> None:
        """A caller who is at their keys types nothing, until they wait again."""
        for _ in range(12):
            if await self.verb(caller) == "Enqueue":
                return
            await self.client.advance(caller, 30)
            await self.client.settled(caller)
        raise AssertionError("it has no end")

    async def state(self) -> object:
        return await self.one("SELECT state FROM reservation ORDER BY number DESC LIMIT 1")


@pytest.fixture
async def desk(stage: Stage) -> AsyncIterator[Desk]:
    await stage.furnish(OPEN)
    async with ControlClient(stage.emulator.base_url) as client:
        yield Desk(stage, client)


@pytest.fixture
def leading(monkeypatch: pytest.MonkeyPatch) -> Counter:
    counter = Counter(CarrierLines.lead)

    async def lead(lines: CarrierLines, *given: Any) -> bool:
        return await counter(lines, *given)

    monkeypatch.setattr(CarrierLines, "lead", lead)
    return counter


async def test_p3_the_caller_is_led_once_however_often_the_leg_asks(desk: Desk, leading: Counter) -> None:
    staff = await desk.sits("operatrice1")
    caller = await desk.waits()
    offer = await desk.offered()
    assert NOT_YOURS in await desk.places(staff, offer)  # offered, and not taken yet
    await desk.takes_on_page(staff, offer)
    room = f"room {offer.hex}"
    assert [await desk.places(staff, offer) for _ in range(3)] == [room] * 3
    await desk.becomes(desk.state, "connected")
    assert "Vous êtes en relation" in await desk.words(caller)
    # The page was loaded again: another leg of the same person, for the same talk.
    assert await desk.places(staff, offer, OTHER_LEG) == room
    assert leading.times == 1
    # And the end of the leg before is no news any more.
    await desk.ends(LEG)
    assert await desk.state() == "connected"


async def test_a_call_of_a_colleague_is_nobody_elses(desk: Desk, leading: Counter) -> None:
    staff = await desk.sits("operatrice1")
    await desk.waits()
    offer = await desk.offered()
    await desk.takes_on_page(staff, offer)
    other = await desk.sits("operatrice2")
    assert NOT_YOURS in await desk.places(other, offer)
    assert NOT_YOURS in await desk.places(staff, UUID(int=1))
    assert (leading.times, await desk.state()) == (0, "accepted")


async def test_p7_a_leg_that_ends_before_they_speak_gives_the_call_back(desk: Desk) -> None:
    staff = await desk.sits("operatrice1")
    caller = await desk.waits()
    offer = await desk.offered()
    await desk.takes_on_page(staff, offer)
    async with desk.stage.running.database.house() as connection:  # it was led, and has not arrived
        await connection.execute(text("UPDATE reservation SET leg = :leg WHERE id = :id"), {"leg": LEG, "id": offer})
    await desk.ends()
    await desk.ends()
    assert await desk.one(f"SELECT state FROM reservation WHERE id = '{offer}'") == "withdrawn"
    assert await desk.one("SELECT state FROM queue_entry") in ("waiting", "reserved")
    assert (await desk.client.state(caller)).activity != "ended"


async def test_p7_a_caller_who_comes_into_an_empty_room_is_found(desk: Desk) -> None:
    """The operator's line is lost in the moment in which the caller is led: no carrier says that nobody is there."""
    staff = await desk.sits("operatrice1")
    caller = await desk.waits()
    offer = await desk.offered()
    await desk.takes_on_page(staff, offer)
    await desk.places(staff, offer)
    await desk.becomes(desk.state, "connected")
    await desk.ends()
    assert await desk.state() == "connected"
    desk.stage.clock.advance(5)
    await desk.becomes(lambda: desk.one("SELECT state FROM queue_entry"), "waiting")
    await desk.becomes(lambda: desk.verb(caller), "Enqueue")
    assert await desk.presence() == "wrap_up"


async def test_p7_a_caller_in_an_empty_room_comes_out_of_it_though_the_carrier_says_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are not led, and nobody would look for them there again: their room is ended."""
    staff = await desk.sits("operatrice1")
    caller = await desk.waits()
    offer = await desk.offered()
    await desk.takes_on_page(staff, offer)
    await desk.places(staff, offer)
    await desk.becomes(desk.state, "connected")

    async def down(*_: object) -> bool:
        raise Unavailable("no answer came")

    monkeypatch.setattr(CarrierLines, "lead", down)
    await desk.ends()
    desk.stage.clock.advance(5)
    await desk.becomes(lambda: desk.one("SELECT state FROM queue_entry"), "waiting")
    await desk.becomes(lambda: desk.verb(caller), "Enqueue")


async def test_p7_a_caller_who_cannot_be_led_waits_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    staff = await desk.sits("operatrice1")
    await desk.waits()
    offer = await desk.offered()
    await desk.takes_on_page(staff, offer)

    async def gone(*_: object) -> bool:
        return False

    monkeypatch.setattr(CarrierLines, "lead", gone)
    assert NOT_YOURS in await desk.places(staff, offer)
    assert await desk.one(f"SELECT state FROM reservation WHERE id = '{offer}'") == "withdrawn"
    assert await desk.one("SELECT state FROM queue_entry") in ("waiting", "reserved")


async def test_p7_an_operator_waits_for_a_caller_of_whom_the_carrier_says_nothing_and_not_for_long(
    desk: Desk, leading: Counter
) -> None:
    """Unknown is not no: it is asked twice, and whoever does not come goes back to the front."""
    staff = await desk.sits("operatrice1")
    caller = await desk.waits()
    offer = await desk.offered()
    await desk.takes_on_page(staff, offer)
    leading.fails = Unavailable("the carrier is down")
    leg = await desk.calls(staff, offer)
    await desk.becomes(lambda: desk.verb(leg), "Dial")
    assert (leading.times, await desk.state()) == (2, "accepted")
    desk.stage.clock.advance(61)
    assert (await desk.client.closed(leg)).activity == "ended"  # nobody is left alone in the room
    assert await desk.one(f"SELECT state FROM reservation WHERE id = '{offer}'") == "withdrawn"
    assert await desk.verb(caller) == "Enqueue"


async def test_p7_a_caller_who_is_led_although_the_carrier_does_not_say_so_meets_the_operator(
    desk: Desk, leading: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff = await desk.sits("operatrice1")
    caller = await desk.waits()
    offer = await desk.offered()
    await desk.takes_on_page(staff, offer)
    led = CarrierLines.lead

    async def led_in_silence(lines: CarrierLines, *given: Any) -> bool:
        await led(lines, *given)
        raise Unavailable("no answer came")

    monkeypatch.setattr(CarrierLines, "lead", led_in_silence)
    leg = await desk.calls(staff, offer)
    await desk.becomes(lambda: desk.hears(caller), frozenset({leg}))
    await desk.becomes(desk.state, "connected")


async def test_p7_a_line_that_is_lost_while_the_caller_types_takes_nobody_from_their_keys(desk: Desk) -> None:
    staff = await desk.sits("operatrice1")
    caller = await desk.waits()
    offer = await desk.offered()
    await desk.takes_on_page(staff, offer)
    leg = await desk.calls(staff, offer)
    await desk.becomes(lambda: desk.hears(caller), frozenset({leg}))
    assert await desk.stage.running.keypad.ask(staff, offer) is Asked.ASKED
    assert "date de naissance" in await desk.words(caller)
    await desk.client.hang_up(leg)
    await desk.on_duty("operatrice2", OTHER_DESK)
    desk.stage.clock.advance(30)
    await asyncio.sleep(2 * POLL)  # what mends has been round
    assert await desk.verb(caller) == "Gather"
    assert await desk.one("SELECT count(*) FROM reservation") == 1
    await desk.comes_back(caller)
    await desk.rings(OTHER_DESK)
    assert await desk.one(f"SELECT state FROM reservation WHERE id = '{offer}'") == "over"


async def test_p7_a_talk_that_is_given_back_while_the_caller_types_is_offered_once_they_are_back(desk: Desk) -> None:
    staff = await desk.sits("operatrice1")
    caller = await desk.waits()
    offer = await desk.offered()
    await desk.takes_on_page(staff, offer)
    leg = await desk.calls(staff, offer)
    await desk.becomes(lambda: desk.hears(caller), frozenset({leg}))
    assert await desk.stage.running.keypad.ask(staff, offer) is Asked.ASKED
    assert "date de naissance" in await desk.words(caller)
    async with desk.stage.running.database.house() as connection:
        assert await Reservations().dropped(connection, offer, staff, desk.stage.clock.now())
    await desk.on_duty("operatrice2", OTHER_DESK)
    await asyncio.sleep(2 * POLL)
    assert await desk.one("SELECT count(*) FROM reservation") == 1
    await desk.comes_back(caller)
    await desk.rings(OTHER_DESK)


async def test_a_colleague_who_has_taken_a_talk_over_comes_in_again(desk: Desk) -> None:
    """Their page was loaded again; it names the talk as it did when they were asked in."""
    staff, talks = await desk.sits("operatrice1"), desk.stage.running.talks
    caller = await desk.waits()
    offer = await desk.offered()
    await desk.takes_on_page(staff, offer)
    first = await desk.calls(staff, offer)
    await desk.becomes(lambda: desk.hears(caller), frozenset({first}))
    colleague = await desk.sits("operatrice2")
    assert await talks.consult(staff, offer, Colleague(colleague), True) is Acted.DONE
    request = await desk.one("SELECT id FROM talk_party")
    assert isinstance(request, UUID)
    theirs = await desk.calls(colleague, request)
    await desk.becomes(lambda: desk.hears(caller), frozenset({first, theirs}))
    assert await talks.hand_over(staff, offer) is Acted.DONE
    await desk.becomes(lambda: desk.hears(caller), frozenset({theirs}))
    assert await desk.places(colleague, request, OTHER_LEG) == f"room {offer.hex}"
    assert NOT_YOURS in await desk.places(staff, request, OTHER_LEG)
    await desk.ends(theirs)  # the leg before: no news
    desk.stage.clock.advance(30)
    await asyncio.sleep(2 * POLL)
    assert await desk.state() == "connected"
    await desk.ends(OTHER_LEG)  # and that one is lost for good
    desk.stage.clock.advance(5)
    await desk.becomes(lambda: desk.one("SELECT state FROM queue_entry"), "waiting")
    await desk.becomes(lambda: desk.verb(caller), "Enqueue")


async def test_the_two_talk_and_a_line_that_is_lost_leads_the_caller_to_the_front(desk: Desk) -> None:
    staff = await desk.sits("operatrice1")
    caller = await desk.waits()
    offer = await desk.offered()
    await desk.takes_on_page(staff, offer)
    leg = await desk.calls(staff, offer)
    await desk.becomes(lambda: desk.hears(caller), frozenset({leg}))
    await desk.becomes(lambda: desk.hears(leg), frozenset({caller}))
    assert await desk.presence() == "on_call"
    await desk.client.hang_up(leg)
    await desk.becomes(lambda: desk.one("SELECT state FROM queue_entry"), "waiting")
    assert await desk.presence() == "wrap_up"
    assert (await desk.client.state(caller)).activity != "ended"


async def test_a_caller_who_hangs_up_is_answered_and_the_operator_wraps_up(desk: Desk) -> None:
    staff = await desk.sits("operatrice1")
    caller = await desk.waits()
    offer = await desk.offered()
    await desk.takes_on_page(staff, offer)
    leg = await desk.calls(staff, offer)
    await desk.becomes(lambda: desk.hears(caller), frozenset({leg}))
    await desk.client.hang_up(caller)
    assert (await desk.client.closed(leg)).activity == "ended"
    await desk.becomes(desk.left_for, "answered")
    await desk.becomes(desk.presence, "wrap_up")


async def test_the_page_says_first_that_the_talk_is_over_and_the_caller_goes_on(desk: Desk) -> None:
    staff = await desk.sits("operatrice1")
    caller = await desk.waits()
    offer = await desk.offered()
    await desk.takes_on_page(staff, offer)
    leg = await desk.calls(staff, offer)
    await desk.becomes(lambda: desk.hears(caller), frozenset({leg}))
    async with desk.stage.running.database.house() as connection:
        assert await Reservations().over(connection, offer, staff, desk.stage.clock.now())
    await desk.client.hang_up(leg)
    assert (await desk.client.closed(caller)).activity == "ended"
    assert await desk.left_for() == "answered"
