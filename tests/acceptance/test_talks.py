"""What an operator does with a call that they have, over the whole house: hold, ask in, hand over, send on, end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from callcenter.calls.talk_values import Acted, Colleague, PracticeLine
from callcenter.calls.talks import Talks
from callcenter.emulator.client import ControlClient
from callcenter.installation import switch_path
from callcenter.routing.presence import move
from callcenter.routing.talks import Standing
from callcenter.routing.values import PartyState, PresenceState
from callcenter.store.database import Database
from callcenter.telephony.switch import RescueSwitch, Switched
from tests.acceptance.stage import Stage
from tests.acceptance.test_two_people_talk import OPEN, OTHER_DESK, Office
from tests.talking import asked_of, talk_of


@dataclass
class Conversation:
    """A caller who talks with an operator, and a colleague who is there."""

    office: Office
    talks: Talks
    caller: str
    desk: str
    operator: UUID
    colleague: UUID
    reservation: UUID

    @property
    def database(self) -> Database:
        return self.office.stage.running.database

    async def hear_each_other(self, *legs: str) -> None:
        """Wait until each of ``legs`` hears exactly the others."""
        for leg in legs:
            others = frozenset(legs) - {leg}
            await self.office.becomes(lambda leg=leg: self.office.hears(leg), others)  # type: ignore[misc]

    def others(self, *, private: bool) -> frozenset[str]:
        """Whom a third hears."""
        return frozenset({self.desk} if private else {self.desk, self.caller})

    async def held(self) -> bool:
        return (await self.office.client.state(self.caller)).held

    async def standing(self) -> Standing:
        talk = await talk_of(self.database, self.operator)
        assert talk is not None
        return talk

    async def comes(self, number: str) -> str:
        """Whoever is rung at ``number`` comes into the talk; the leg."""
        leg = await self.office.rings(number)
        await self.office.takes(leg)
        return leg

    async def ended(self, leg: str) -> bool:
        return (await self.office.client.closed(leg)).activity == "ended"

    async def presence_of(self, staff: UUID) -> object:
        async with self.office.stage.running.database.house() as connection:
            query = text("SELECT state FROM presence WHERE staff_id = :staff")
            return (await connection.execute(query, {"staff": staff})).scalar_one()


@pytest.fixture
async def conversation(stage: Stage) -> AsyncIterator[Conversation]:
    await stage.furnish(OPEN)
    async with ControlClient(stage.emulator.base_url) as client:
        office = Office(stage, client)
        caller, desk = await office.talk()
        colleague = await office.on_duty("operatrice2", OTHER_DESK)
        async with stage.running.database.house() as connection:
            query = text("SELECT id, staff_id FROM reservation WHERE state = 'connected'")
            row = (await connection.execute(query)).one()
        yield Conversation(office, stage.running.talks, caller, desk, row.staff_id, colleague, row.id)


async def test_a_caller_on_hold_hears_music_and_nobody_until_taken_off(conversation: Conversation) -> None:
    talk = conversation
    for _ in range(2):  # the same again changes nothing
        assert await talk.talks.hold(talk.operator, talk.reservation, True) is Acted.DONE
        assert await talk.held()
        assert (await talk.standing()).on_hold
    assert await talk.office.hears(talk.desk) == frozenset()
    for _ in range(2):
        assert await talk.talks.hold(talk.operator, talk.reservation, False) is Acted.DONE
    assert not (await talk.standing()).on_hold
    await talk.hear_each_other(talk.caller, talk.desk)


async def test_a_caller_who_hangs_up_on_hold_leaves_nobody_on_the_line(conversation: Conversation) -> None:
    talk = conversation
    assert await talk.talks.hold(talk.operator, talk.reservation, True) is Acted.DONE
    await talk.office.client.hang_up(talk.caller)
    assert await talk.ended(talk.desk)
    await talk.office.becomes(talk.office.left_for, "answered")
    await talk.office.becomes(lambda: talk.presence_of(talk.operator), "wrap_up")


async def test_the_operator_ends_the_talk_for_both_and_once(conversation: Conversation) -> None:
    talk = conversation
    assert await talk.talks.hang_up(talk.operator, talk.reservation) is Acted.DONE
    assert await talk.ended(talk.caller)
    assert await talk.ended(talk.desk)
    assert await talk.office.left_for() == "answered"
    assert await talk.presence_of(talk.operator) == "wrap_up"
    assert await talk.talks.hang_up(talk.operator, talk.reservation) is Acted.NOT_YOURS
    assert await talk_of(talk.database, talk.operator) is None


async def test_a_colleague_is_asked_in_private_brought_in_and_leaves(conversation: Conversation) -> None:
    talk, whom = conversation, Colleague(conversation.colleague)
    assert await talk.talks.consult(talk.operator, talk.reservation, whom, False) is Acted.DONE
    assert await talk.held()
    assert await talk.presence_of(talk.colleague) == "reserved"
    asked = await asked_of(talk.database, talk.colleague)
    assert asked is not None
    assert (asked.owner, asked.state) == (talk.operator, PartyState.RINGING)
    assert await talk.talks.consult(talk.operator, talk.reservation, PracticeLine(), True) is Acted.NOT_NOW
    third = await talk.comes(OTHER_DESK)
    assert "vous consulte pour" in await talk.office.words(third)
    await talk.hear_each_other(talk.desk, third)
    assert await talk.office.hears(talk.caller) == frozenset()
    assert await talk.talks.bring_together(talk.operator, talk.reservation) is Acted.DONE
    await talk.hear_each_other(talk.caller, talk.desk, third)
    standing = (await talk.standing()).third
    assert standing is not None
    assert (standing.state, standing.staff) == (PartyState.THERE, talk.colleague)
    assert await talk.talks.end_consultation(talk.operator, talk.reservation) is Acted.DONE
    assert await talk.ended(third)
    await talk.hear_each_other(talk.caller, talk.desk)
    assert (await talk.standing()).third is None
    assert await talk.presence_of(talk.colleague) == "available"


async def test_a_third_who_hangs_up_gives_the_caller_back_to_the_operator(conversation: Conversation) -> None:
    talk = conversation
    await talk.talks.consult(talk.operator, talk.reservation, Colleague(talk.colleague), False)
    third = await talk.comes(OTHER_DESK)
    await talk.hear_each_other(talk.desk, third)
    await talk.office.client.hang_up(third)
    await talk.hear_each_other(talk.caller, talk.desk)
    assert (await talk.standing()).third is None


@pytest.mark.parametrize("who", ["operator", "caller"])
async def test_whoever_of_the_two_hangs_up_ends_it_for_a_third_too(conversation: Conversation, who: str) -> None:
    talk = conversation
    await talk.talks.consult(talk.operator, talk.reservation, Colleague(talk.colleague), who == "caller")
    third = await talk.comes(OTHER_DESK)
    await talk.office.becomes(lambda: talk.office.hears(third), talk.others(private=who == "operator"))
    await talk.office.client.hang_up(talk.desk if who == "operator" else talk.caller)
    for leg in (talk.caller, talk.desk, third):
        assert await talk.ended(leg)
    await talk.office.becomes(talk.office.left_for, "answered")
    await talk.office.becomes(lambda: talk.presence_of(talk.operator), "wrap_up")
    await talk.office.becomes(lambda: talk.presence_of(talk.colleague), "available")
    assert await asked_of(talk.database, talk.colleague) is None


async def test_a_colleague_at_a_page_is_not_rung_and_sees_the_request(conversation: Conversation) -> None:
    talk, stage = conversation, conversation.office.stage
    async with stage.running.database.house() as connection:
        for state in (PresenceState.BREAK, PresenceState.AVAILABLE):
            await move(connection, talk.colleague, state, stage.clock.now())  # by browser
    whom = Colleague(talk.colleague)
    assert await talk.talks.consult(talk.operator, talk.reservation, whom, True) is Acted.DONE
    assert not await talk.office.client.ringing(OTHER_DESK, 0)
    asked = await asked_of(talk.database, talk.colleague)
    assert asked is not None
    seats = [await talk.talks.join(talk.colleague, asked.id) for _ in range(2)]
    assert seats[0] is not None
    assert seats[0] == seats[1]
    assert seats[0].room == talk.reservation.hex
    assert await talk.talks.decline(talk.colleague, asked.id)
    assert await asked_of(talk.database, talk.colleague) is None
    await talk.hear_each_other(talk.caller, talk.desk)


async def test_a_voicemail_never_comes_in_and_the_caller_is_off_hold(conversation: Conversation) -> None:
    talk = conversation
    await talk.talks.consult(talk.operator, talk.reservation, Colleague(talk.colleague), False)
    leg = await talk.office.rings(OTHER_DESK)
    await talk.office.client.answer(leg)
    await talk.office.client.settled(leg)
    await talk.office.client.advance(leg, 60)
    assert await talk.ended(leg)
    await talk.hear_each_other(talk.caller, talk.desk)
    assert (await talk.standing()).third is None
    assert await talk.presence_of(talk.colleague) == "available"


async def test_a_talk_is_handed_over_to_a_colleague_who_then_ends_it(conversation: Conversation) -> None:
    talk = conversation
    await talk.talks.consult(talk.operator, talk.reservation, Colleague(talk.colleague), False)
    assert await talk.talks.hand_over(talk.operator, talk.reservation) is Acted.NOT_NOW  # nobody is there yet
    third = await talk.comes(OTHER_DESK)
    await talk.hear_each_other(talk.desk, third)
    assert await talk.talks.hand_over(talk.operator, talk.reservation) is Acted.DONE
    assert await talk.ended(talk.desk)
    await talk.hear_each_other(talk.caller, third)
    assert await talk.talks.hold(talk.operator, talk.reservation, True) is Acted.NOT_YOURS
    assert await talk.presence_of(talk.operator) == "wrap_up"
    assert await talk.presence_of(talk.colleague) == "on_call"
    theirs = await talk_of(talk.database, talk.colleague)
    assert theirs is not None
    assert await talk.talks.hold(talk.colleague, theirs.reservation, True) is Acted.DONE
    assert await talk.talks.hold(talk.colleague, theirs.reservation, False) is Acted.DONE
    await talk.office.client.hang_up(third)
    assert await talk.ended(talk.caller)
    await talk.office.becomes(talk.office.left_for, "answered")
    await talk.office.becomes(lambda: talk.presence_of(talk.colleague), "wrap_up")


async def test_a_talk_is_handed_over_to_the_practices_line(conversation: Conversation) -> None:
    talk = conversation
    assert await talk.talks.consult(talk.operator, talk.reservation, PracticeLine(), True) is Acted.DONE
    assert not await talk.held()
    third = await talk.comes(await rescue_number(talk))
    await talk.hear_each_other(talk.caller, talk.desk, third)
    assert await talk.talks.hand_over(talk.operator, talk.reservation) is Acted.DONE
    assert await talk.ended(talk.desk)
    await talk.hear_each_other(talk.caller, third)
    assert await talk.office.left_for() == "answered"
    await talk.office.client.hang_up(third)
    assert await talk.ended(talk.caller)


async def test_a_caller_who_is_sent_on_is_offered_to_that_colleague_first(conversation: Conversation) -> None:
    talk = conversation
    assert await talk.talks.send(talk.operator, talk.reservation, Colleague(talk.colleague)) is Acted.DONE
    assert await talk.ended(talk.desk)
    assert await talk.presence_of(talk.operator) == "wrap_up"
    await talk.office.words(talk.caller)  # the carrier has led them back into the queue
    other = await talk.comes(OTHER_DESK)
    await talk.hear_each_other(talk.caller, other)
    theirs = await talk_of(talk.database, talk.colleague)
    assert theirs is not None
    # A job that comes late would end the talk that is going on.
    jobs = "SELECT count(*) FROM procrastinate_jobs WHERE args->>'room' = '{}'"
    assert await talk.office.one(jobs.format(theirs.reservation)) == 0


async def test_a_consultation_that_nobody_answers_in_time_is_over(conversation: Conversation) -> None:
    talk = conversation
    await talk.talks.consult(talk.operator, talk.reservation, Colleague(talk.colleague), False)
    await talk.office.rings(OTHER_DESK)
    talk.office.stage.clock.advance(61)
    await talk.hear_each_other(talk.caller, talk.desk)
    assert (await talk.standing()).third is None


async def test_a_colleague_who_is_not_available_is_not_rung(conversation: Conversation) -> None:
    talk = conversation
    async with talk.office.stage.running.database.house() as connection:
        await move(connection, talk.colleague, PresenceState.LUNCH, talk.office.stage.clock.now())
    for whom in (talk.colleague, talk.operator, uuid4()):
        assert await talk.talks.consult(talk.operator, talk.reservation, Colleague(whom), False) is Acted.NOT_NOW
        assert await talk.talks.send(talk.operator, talk.reservation, Colleague(whom)) is Acted.NOT_NOW
    assert not await talk.held()
    await talk.hear_each_other(talk.caller, talk.desk)


async def test_p7_the_kill_switch_ends_no_talk_and_who_leaves_it_is_led_to_the_practice(
    conversation: Conversation,
) -> None:
    talk, settings = conversation, conversation.office.stage.running.settings
    RescueSwitch(switch_path(settings)).turn(Switched(everybody=True))
    try:
        assert await talk.talks.hold(talk.operator, talk.reservation, True) is Acted.DONE
        assert await talk.talks.hold(talk.operator, talk.reservation, False) is Acted.DONE
        await talk.hear_each_other(talk.caller, talk.desk)
        await talk.office.client.hang_up(talk.desk)
        assert await talk.office.client.ringing(await rescue_number(talk), 10)
        assert "mettons en relation" in await talk.office.words(talk.caller)
    finally:
        RescueSwitch(switch_path(settings)).turn(Switched())
    await talk.office.client.hang_up(talk.caller)
    await talk.office.becomes(talk.office.left_for, "answered")
    await talk.office.becomes(lambda: talk.presence_of(talk.operator), "wrap_up")


async def rescue_number(talk: Conversation) -> str:
    async with talk.office.stage.running.database.house() as connection:
        query = text("SELECT p.rescue_number FROM practice p JOIN queue_entry e ON e.practice_id = p.id")
        return str((await connection.execute(query)).scalar_one())
