"""An operator has their caller type who they are: out of the talk, to the flow's own question, and back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import text

from callcenter.calls.keypad import Asked, Proved
from callcenter.calls.session import Session, session_place
from callcenter.calls.talk_values import Acted, Colleague, PracticeLine
from callcenter.emulator.client import ControlClient
from callcenter.kernel.levels import Level
from callcenter.routing.reservations import Reservations
from callcenter.store.database import SET_PRACTICE
from callcenter.telephony.carrier import CarrierDown
from callcenter.telephony.rest import TwilioCarrier
from tests.acceptance.on_the_line import BORN
from tests.acceptance.outreach import outside
from tests.acceptance.stage import Stage
from tests.acceptance.test_two_people_talk import CALLER, OPEN, OTHER_DESK, Office
from tests.talking import talk_of

UNPROVED = Proved(typing=False, level=Level.UNKNOWN, since=None)


class Talk:
    """Jeanne talks with an operator."""

    def __init__(self, office: Office, caller: str, desk: str, staff: UUID, reservation: UUID) -> None:
        self.office, self.caller, self.desk, self.staff, self.reservation = office, caller, desk, staff, reservation

    async def ask(self) -> Asked:
        return await self.office.stage.running.keypad.ask(self.staff, self.reservation)

    async def goes_to_the_keys(self) -> None:
        """The caller is asked to, and stands before the first question, alone."""
        assert await self.ask() is Asked.ASKED
        await self.office.becomes(lambda: self.office.hears(self.desk), frozenset())
        assert "date de naissance" in await self.office.words(self.caller)

    async def goes_on_in_silence(self, until: Callable[[], Awaitable[bool]]) -> None:
        """Time passes on the caller's line."""
        for _ in range(12):
            if await until():
                return
            await self.office.client.advance(self.caller, 30)
            await self.office.client.settled(self.caller)
        raise AssertionError("it has no end")

    async def is_verified(self) -> str:
        """The caller types a birth date, and the code that arrives; the code."""
        async with outside(self.office.stage) as seen:
            await self.types(BORN)
            (message,) = await seen.texts(CALLER)
            code = "".join(letter for letter in message.body if letter.isdigit())[:6]
            await self.types(code)
        return code

    async def back(self) -> bool:
        return bool(await self.office.hears(self.caller))

    async def waits(self) -> bool:
        return await self.office.one("SELECT state FROM queue_entry") == "waiting"

    async def proved(self) -> Proved | None:
        return await self.office.stage.running.keypad.proved(self.staff, self.reservation)

    async def types(self, *keys: str) -> str:
        """The caller types; what they hear."""
        client = self.office.client
        for one in keys:
            await client.press(self.caller, one)
            await client.settled(self.caller)
        return " ".join(said.text for said in (await client.settled(self.caller)).heard)

    async def together(self) -> None:
        """The two hear each other."""
        office = self.office
        await office.becomes(lambda: office.hears(self.caller), frozenset({self.desk}))
        await office.becomes(lambda: office.hears(self.desk), frozenset({self.caller}))


@pytest.fixture
async def talk(stage: Stage) -> AsyncIterator[Talk]:
    await stage.furnish(OPEN)
    async with ControlClient(stage.emulator.base_url) as client:
        office = Office(stage, client)
        caller, desk = await office.talk()
        async with stage.running.database.house() as connection:
            row = (await connection.execute(text("SELECT id, staff_id FROM reservation"))).one()
        yield Talk(office, caller, desk, row.staff_id, row.id)


async def test_a_code_is_typed_and_the_operator_learns_that_it_was_right_and_nothing_more(talk: Talk) -> None:
    assert await talk.proved() == UNPROVED
    await talk.goes_to_the_keys()
    assert await talk.proved() == replace(UNPROVED, typing=True)
    heard_alone = await talk.office.words(talk.desk)
    await talk.is_verified()
    await talk.together()
    found = await talk.proved()
    assert found is not None
    assert (found.typing, found.level, found.since is None) == (False, Level.VERIFIED, False)
    assert await talk.office.words(talk.desk) == heard_alone, "nothing of what is asked and typed"
    await talk.office.client.speak(talk.caller, "Me revoilà.")
    assert "Me revoilà." in await talk.office.words(talk.desk)


async def test_whoever_proves_nothing_comes_back_all_the_same_and_is_asked_thrice_at_most(talk: Talk) -> None:
    for _ in range(3):
        await talk.goes_to_the_keys()
        assert await talk.ask() is Asked.ALREADY
        await talk.goes_on_in_silence(talk.back)
        await talk.together()
        assert await talk.proved() == UNPROVED
    assert await talk.ask() is Asked.TOO_OFTEN


async def test_the_operator_leaves_while_the_caller_types(talk: Talk) -> None:
    """The caller is not led into an empty room: they wait for an operator again."""
    await talk.goes_to_the_keys()
    await talk.office.client.hang_up(talk.desk)
    await talk.office.becomes(talk.office.left_for, "answered")
    await talk.goes_on_in_silence(talk.waits)
    assert "Je vous passe le secrétariat" in await talk.office.words(talk.caller)


async def test_p2_what_is_typed_for_an_operator_who_has_left_is_proved_for_nobody(talk: Talk) -> None:
    office, client = talk.office, talk.office.client
    other = await office.on_duty("operatrice2", OTHER_DESK)
    await talk.goes_to_the_keys()
    await client.hang_up(talk.desk)
    await office.becomes(office.left_for, "answered")
    await talk.is_verified()
    desk = await office.rings(OTHER_DESK)
    await office.takes(desk)
    await office.becomes(lambda: office.hears(talk.caller), frozenset({desk}))
    taken = await office.one("SELECT id FROM reservation WHERE state = 'connected'")
    assert isinstance(taken, UUID)
    assert await office.stage.running.keypad.proved(other, taken) == UNPROVED


async def test_the_caller_hangs_up_while_typing(talk: Talk) -> None:
    """The operator is not left alone in an empty room."""
    await talk.goes_to_the_keys()
    await talk.office.client.hang_up(talk.caller)
    await talk.office.becomes(talk.office.left_for, "answered")
    assert (await talk.office.client.closed(talk.desk)).activity == "ended"
    await talk.office.becomes(talk.office.presence, "wrap_up")


async def test_a_carrier_that_says_nothing_has_not_led_them_and_that_is_found(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(*_: object) -> bool:
        raise CarrierDown

    monkeypatch.setattr(TwilioCarrier, "lead", down)
    assert await talk.ask() is Asked.ASKED  # unknown is not no
    await talk.together()
    assert await talk.proved() == replace(UNPROVED, typing=True)
    talk.office.stage.clock.advance(15)
    await talk.office.becomes(talk.proved, UNPROVED)
    monkeypatch.undo()
    await talk.goes_to_the_keys()


async def test_p7_a_carrier_that_leads_them_and_does_not_say_so_ends_no_talk(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before, the operator was told that nothing had happened, and the caller came back to nobody."""
    lead = TwilioCarrier.lead

    async def led_in_silence(carrier: TwilioCarrier, sid: str, url: str) -> bool:
        await lead(carrier, sid, url)
        raise CarrierDown

    monkeypatch.setattr(TwilioCarrier, "lead", led_in_silence)
    await talk.goes_to_the_keys()
    talk.office.stage.clock.advance(16)
    monkeypatch.undo()
    await talk.goes_on_in_silence(talk.back)
    await talk.together()


async def test_p7_a_caller_who_hangs_up_before_they_are_led_leaves_nobody_in_an_empty_room(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = TwilioCarrier.lead

    async def too_late(carrier: TwilioCarrier, sid: str, url: str) -> bool:
        await talk.office.client.hang_up(talk.caller)
        await talk.office.client.closed(talk.caller)
        return await lead(carrier, sid, url)

    monkeypatch.setattr(TwilioCarrier, "lead", too_late)
    assert await talk.ask() is Asked.NOT_LED
    assert (await talk.office.client.closed(talk.desk)).activity == "ended"
    await talk.office.becomes(talk.office.left_for, "answered")


async def test_p2_it_is_for_the_two_alone(talk: Talk) -> None:
    """Nobody is asked in while the caller types, and they do not type while somebody is, or while they are on hold."""
    talks, mine = talk.office.stage.running.talks, (talk.staff, talk.reservation)
    assert await talks.hold(*mine, True) is Acted.DONE
    assert await talk.ask() is Asked.NOT_ALONE
    assert await talks.hold(*mine, False) is Acted.DONE
    assert await talks.consult(*mine, PracticeLine(), True) is Acted.DONE
    assert await talk.ask() is Asked.NOT_ALONE
    assert await talks.end_consultation(*mine) is Acted.DONE
    await talk.goes_to_the_keys()
    for act in (talks.consult(*mine, PracticeLine(), True), talks.hold(*mine, True)):
        assert await act is Acted.NOT_NOW
    assert await talks.send(*mine, Colleague(talk.staff)) is Acted.NOT_NOW


async def test_p2_it_dies_though_no_step_of_the_call_has_heard_of_the_end_of_the_talk(talk: Talk) -> None:
    """The talk is given back, and the next operator takes the call before the caller's leg has said anything."""
    office, running = talk.office, talk.office.stage.running
    await talk.goes_to_the_keys()
    await talk.is_verified()
    await talk.together()
    other = await office.on_duty("operatrice2", OTHER_DESK)
    async with running.database.house() as connection:
        now = office.stage.clock.now()
        assert await Reservations().dropped(connection, talk.reservation, talk.staff, now)
    await office.takes(await office.rings(OTHER_DESK))
    await office.becomes(lambda: talked_by(office, other), True)
    async with running.database.house() as connection:
        query = text("SELECT id FROM reservation WHERE staff_id = :staff")
        taken = (await connection.execute(query, {"staff": other})).scalar_one()
    found = await running.keypad.proved(other, taken)
    assert found is not None
    assert found.level is Level.UNKNOWN


async def talked_by(office: Office, staff: UUID) -> bool:
    """Whether somebody has a call on the line."""
    async with office.stage.running.database.house() as connection:
        row = await connection.execute(text("SELECT state FROM presence WHERE staff_id = :staff"), {"staff": staff})
        return bool(row.scalar_one() == "on_call")


async def test_p2_what_was_proved_in_a_talk_dies_with_it(talk: Talk) -> None:
    await talk.goes_to_the_keys()
    await talk.is_verified()
    await talk.together()
    await talk.office.client.hang_up(talk.desk)
    await talk.office.client.closed(talk.caller)
    assert await talk.proved() is None
    sealer, database = talk.office.stage.running.sealer, talk.office.stage.running.database
    async with database.house() as connection:
        call = (await connection.execute(text("SELECT id, practice_id FROM call"))).one()
        await connection.execute(SET_PRACTICE, {"practice": str(call.practice_id)})
        state = (await connection.execute(text("SELECT state FROM call_session"))).scalar_one()
    assert Session.from_json(sealer.open(state, session_place(call.practice_id, call.id))).evidence is None


@pytest.fixture
async def handed_over(talk: Talk) -> Talk:
    """The talk, once a colleague has it, at another telephone."""
    office, talks = talk.office, talk.office.stage.running.talks
    colleague = await office.on_duty("operatrice2", OTHER_DESK)
    assert await talks.consult(talk.staff, talk.reservation, Colleague(colleague), False) is Acted.DONE
    leg = await office.rings(OTHER_DESK)
    await office.takes(leg)
    await office.becomes(lambda: office.hears(leg), frozenset({talk.desk}))
    assert await talks.hand_over(talk.staff, talk.reservation) is Acted.DONE
    theirs = await talk_of(office.stage.running.database, colleague)
    assert theirs is not None
    taken = Talk(office, talk.caller, leg, colleague, theirs.reservation)
    await taken.together()
    return taken


async def test_a_caller_who_was_handed_over_types_and_comes_back_to_whoever_has_them_now(handed_over: Talk) -> None:
    await handed_over.goes_to_the_keys()
    await handed_over.goes_on_in_silence(handed_over.back)
    await handed_over.together()


async def test_a_caller_who_was_handed_over_hangs_up_while_typing(handed_over: Talk) -> None:
    await handed_over.goes_to_the_keys()
    await handed_over.office.client.hang_up(handed_over.caller)
    await handed_over.office.becomes(handed_over.office.left_for, "answered")
    assert (await handed_over.office.client.closed(handed_over.desk)).activity == "ended"
