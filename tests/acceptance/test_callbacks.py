"""Who waited and asked to be rung back: the place is kept, a person answers by a key, and nobody is rung twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import text

from callcenter.app.by_carrier import CarrierLines
from callcenter.calls.ringing_back import RingingBack
from callcenter.emulator.client import ControlClient
from callcenter.installation import switch_path
from callcenter.practice.directory import Directory
from callcenter.practice.inbox import Inbox
from callcenter.routing.presence import move
from callcenter.routing.values import PresenceState, Way
from callcenter.telephony.carrier import CarrierDown
from callcenter.telephony.switch import RescueSwitch, Switched
from tests.acceptance.stage import PARIS
from tests.acceptance.test_own_legs import LEG, NOT_YOURS, OTHER_LEG, Desk
from tests.acceptance.test_two_people_talk import CALLER, DESK, OTHER_DESK, Office, office

__all__ = ["office"]  # the fixture, by name

KEPT = "Vous gardez votre place"
VANISHED = "n'a pas répondu"


@dataclass
class Shift:
    """One operator, who pauses while callers come."""

    office: Office
    staff: UUID

    @property
    def client(self) -> ControlClient:
        return self.office.client

    async def in_the_queue(self, sid: str) -> str:
        """What is heard there, to the end of the first announcement."""
        for _ in range(20):
            words = await self.office.words(sid)
            if "Pour laisser plutôt un message, tapez 2." in words:
                return words
            await self.client.advance(sid, 1)
        raise AssertionError(words)

    async def hears(self, sid: str, words: str) -> None:
        """Wait until that has been heard on a leg."""

        async def heard() -> object:
            return words in " ".join(said.text for said in (await self.client.state(sid)).heard)

        await self.office.becomes(heard, True)

    async def is_(self, state: PresenceState) -> None:
        async with self.office.stage.running.database.house() as connection:
            await move(connection, self.staff, state, self.office.stage.clock.now(), way=Way.TELEPHONE)

    async def asks(self, caller: str = CALLER) -> str:
        """Somebody waits, and asks to be rung back."""
        sid = await self.office.waits(caller)
        assert "Pour être rappelé à votre tour, tapez 1." in await self.in_the_queue(sid)
        await self.client.press(sid, "1")
        state = await self.client.closed(sid)
        assert state.activity == "ended"
        assert KEPT in " ".join(said.text for said in state.heard)
        return sid

    async def taken(self) -> str:
        """The operator comes back and takes the callback; their leg."""
        await self.is_(PresenceState.AVAILABLE)
        desk = await self.office.rings()
        await self.client.answer(desk)
        await self.hears(desk, "Un rappel à faire pour")
        await self.client.press(desk, "1")
        return desk

    async def rung(self, number: str = CALLER) -> str:
        (ringing,) = await self.client.ringing(number, 10)
        return ringing.sid

    async def entries(self) -> list[tuple[str, str, str | None]]:
        async with self.office.stage.running.database.house() as connection:
            rows = await connection.execute(text("SELECT kind, state, left_reason FROM queue_entry ORDER BY number"))
            return [tuple(row) for row in rows]

    async def messages(self) -> list[tuple[str, str | None]]:
        running = self.office.stage.running
        await self.office.stage.messages_sent()
        async with running.database.house() as connection:
            (practice,) = [
                one.id
                for one in await Directory.all(connection, self.office.stage.clock.now())
                if one.slug == "cabinet-des-tilleuls"
            ]
        async with running.database.practice(practice) as tx:
            return [(one.reason, one.number) for one in await Inbox(running.sealer).waiting(tx)]


@pytest.fixture
async def shift(office: Office) -> Shift:
    shift = Shift(office, await office.on_duty("operatrice1", DESK))
    await shift.is_(PresenceState.BREAK)
    return shift


async def test_a_caller_keeps_the_place_is_rung_and_talks(shift: Shift) -> None:
    await shift.asks()
    desk = await shift.taken()
    await shift.hears(desk, "Nous appelons la personne")
    caller = await shift.rung()
    await shift.client.answer(caller)
    await shift.hears(caller, "Vous avez demandé à être rappelé")
    await shift.client.press(caller, "1")
    await shift.office.becomes(lambda: shift.office.hears(caller), frozenset({desk}))
    await shift.office.becomes(lambda: shift.office.hears(desk), frozenset({caller}))
    assert await shift.office.presence() == "on_call"
    assert await shift.entries() == [("callback", "left", "answered"), ("live", "connected", None)]
    await shift.client.hang_up(desk)
    assert (await shift.client.closed(caller)).activity == "ended"
    await shift.office.becomes(shift.office.presence, "wrap_up")
    assert await shift.messages() == []


async def test_an_operator_who_has_come_again_is_the_one_who_is_told_that_nobody_answers(
    shift: Shift, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their page was loaded again while the caller was rung: the leg that they were on before is gone."""
    told: list[str] = []

    async def nobody_came(_: CarrierLines, leg: str, reservation: UUID) -> bool:
        told.append(leg)
        return True

    monkeypatch.setattr(CarrierLines, "nobody_came", nobody_came)
    desk = Desk(shift.office.stage, shift.client)
    await shift.asks()
    async with shift.office.stage.running.database.house() as connection:
        await move(connection, shift.staff, PresenceState.AVAILABLE, shift.office.stage.clock.now(), way=Way.BROWSER)
    offer = await desk.offered()
    await desk.takes_on_page(shift.staff, offer)
    for leg in (LEG, OTHER_LEG):
        assert await desk.places(shift.staff, offer, leg) == f"room {offer.hex}"
    caller = await shift.rung()
    await shift.client.reject(caller, "busy")
    await shift.office.becomes(lambda: _now(told), [OTHER_LEG])


async def test_ou04_a_callback_that_was_taken_on_a_page_at_closing_time_rings_nobody(shift: Shift) -> None:
    """Taken a moment before, and the softphone comes a moment after: the caller is rung on another day."""
    desk = Desk(shift.office.stage, shift.client)
    await shift.asks()
    shift.office.stage.clock.set(datetime(2026, 11, 26, 18, 29, 50, tzinfo=PARIS))
    async with shift.office.stage.running.database.house() as connection:
        await move(connection, shift.staff, PresenceState.AVAILABLE, shift.office.stage.clock.now(), way=Way.BROWSER)
    offer = await desk.offered()
    await desk.takes_on_page(shift.staff, offer)
    shift.office.stage.clock.advance(15)
    assert NOT_YOURS in await desk.places(shift.staff, offer)
    assert await shift.client.ringing(CALLER, 0) == ()
    assert await shift.entries() == [("callback", "waiting", None)]
    await shift.office.becomes(shift.office.presence, "available")


async def _now(what: list[str]) -> list[str]:
    return list(what)


async def test_a_voicemail_is_nobody_and_the_operator_hears_so(shift: Shift) -> None:
    await shift.asks()
    desk = await shift.taken()
    caller = await shift.rung()
    await shift.client.answer(caller)
    await shift.client.settled(caller)
    await shift.client.advance(caller, 60)
    assert (await shift.client.closed(caller)).activity == "ended"
    state = await shift.client.closed(desk)
    assert VANISHED in " ".join(said.text for said in state.heard)
    assert await shift.entries() == [("callback", "waiting", None)]
    await shift.office.becomes(shift.office.presence, "available")


async def test_whoever_is_never_reached_is_rung_three_times_and_is_then_in_the_inbox(shift: Shift) -> None:
    await shift.asks()
    for attempt in range(3):
        desk = await shift.taken()
        await shift.client.reject(await shift.rung(), "no-answer")
        assert VANISHED in " ".join(said.text for said in (await shift.client.closed(desk)).heard)
        await shift.office.becomes(shift.office.presence, "available")
        await shift.is_(PresenceState.BREAK)
        assert await shift.client.ringing(DESK, 0) == ()
        shift.office.stage.clock.advance(600)
        expected = "waiting" if attempt < 2 else "left"
        assert [state for _, state, _ in await shift.entries()] == [expected]
    assert await shift.messages() == [("not_reached", CALLER)]


async def test_an_operator_who_hangs_up_too_soon_leaves_the_caller_on_the_line_in_their_place(shift: Shift) -> None:
    await shift.asks()
    desk = await shift.taken()
    caller = await shift.rung()
    await shift.client.hang_up(desk)
    await shift.client.closed(desk)
    await shift.client.answer(caller)
    await shift.client.settled(caller)
    await shift.client.press(caller, "1")
    await shift.client.settled(caller)
    assert [kind for kind, state, _ in await shift.entries() if state != "left"] == ["live"]
    other = await shift.office.rings()
    await shift.office.takes(other)
    await shift.office.becomes(lambda: shift.office.hears(caller), frozenset({other}))


async def test_nobody_is_rung_once_the_practice_has_closed(shift: Shift) -> None:
    await shift.asks()
    shift.office.stage.clock.set(datetime(2026, 11, 26, 21, 0, tzinfo=PARIS))
    await shift.is_(PresenceState.AVAILABLE)

    async def rests() -> object:
        return await shift.office.one("SELECT not_before > timestamptz '2026-11-27 06:00+00' FROM queue_entry")

    await shift.office.becomes(rests, True)
    assert await shift.client.ringing(CALLER, 0) == ()
    assert await shift.office.one("SELECT attempts FROM queue_entry") == 0


async def test_a_second_callback_of_one_number_sounds_alike_and_rings_once(shift: Shift) -> None:
    await shift.asks()
    await shift.asks()
    assert await shift.entries() == [("callback", "waiting", None), ("callback", "left", "cancelled")]
    assert await shift.messages() == []


@pytest.mark.parametrize("caller", ["anonymous", "+33899000000", "+442079460000", OTHER_DESK])
async def test_what_may_not_be_rung_is_not_offered_it(shift: Shift, caller: str) -> None:
    sid = await shift.office.waits(caller)
    offered = "Pour être rappelé" in await shift.in_the_queue(sid)
    assert offered == (caller == OTHER_DESK)  # a line like any other
    if not offered:
        await shift.client.press(sid, "1")
        assert KEPT not in await shift.office.words(sid)
        assert await shift.entries() == [("live", "waiting", None)]


async def test_p7_a_carrier_that_does_not_ring_costs_one_attempt_and_the_operator_hears_so(
    shift: Shift, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(*_: object) -> bool:
        raise CarrierDown

    monkeypatch.setattr(CarrierLines, "ring_back", down)
    await shift.asks()
    desk = await shift.taken()
    assert VANISHED in " ".join(said.text for said in (await shift.client.closed(desk)).heard)
    assert await shift.entries() == [("callback", "waiting", None)]
    assert await shift.office.one("SELECT attempts FROM queue_entry") == 1
    await shift.office.becomes(shift.office.presence, "available")


async def test_p7_a_worker_that_is_killed_before_it_rings_never_rings_and_keeps_nobody(
    shift: Shift, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def killed(*_: object) -> bool:
        raise RuntimeError

    monkeypatch.setattr(RingingBack, "ring", killed)
    await shift.asks()
    desk = await shift.taken()
    await shift.client.closed(desk)
    await shift.office.becomes(lambda: shift.office.one("SELECT state FROM queue_entry"), "waiting")
    assert await shift.client.ringing(CALLER, 0) == ()
    assert await shift.office.one("SELECT attempts FROM queue_entry") == 1
    await shift.office.becomes(shift.office.presence, "available")


async def test_nobody_is_rung_back_while_the_kill_switch_is_on(shift: Shift) -> None:
    settings = shift.office.stage.running.settings
    await shift.asks()
    RescueSwitch(switch_path(settings)).turn(Switched(everybody=True))
    try:
        desk = await shift.taken()
        assert VANISHED in " ".join(said.text for said in (await shift.client.closed(desk)).heard)
        assert await shift.client.ringing(CALLER, 0) == ()
    finally:
        RescueSwitch(switch_path(settings)).turn(Switched())
