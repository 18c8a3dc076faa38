"""An operator asks for a practitioner of the caller's practice, at a line of their own, over the whole house."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import pytest
from sqlalchemy import text

from callcenter.calls.talk_values import Acted, PracticeLine, Practitioner
from callcenter.emulator.lines import Forwarding
from callcenter.practice.practitioners import practitioner_names
from callcenter.routing.values import PartyState
from tests.acceptance.test_talks import Conversation, conversation, rescue_number
from tests.attack.scene import PORT, TILLEULS, TILLEULS_LINE

__all__ = ["conversation"]

#: Of Claire Moreau, of the practice that is called.
LINE = "+33465710061"
OF_ANOTHER_PRACTICE = "+33261910061"


async def practitioner(talk: Conversation, practice: UUID, name: str) -> Practitioner:
    async with talk.database.practice(practice) as tx:
        return Practitioner((await practitioner_names(tx))[name])


async def test_a_practitioner_is_asked_in_private_brought_in_and_leaves(conversation: Conversation) -> None:
    talk, whom = conversation, await practitioner(conversation, TILLEULS, "Claire Moreau")
    assert await talk.talks.consult(talk.operator, talk.reservation, whom, False) is Acted.DONE
    assert await talk.held()
    assert await talk.talks.consult(talk.operator, talk.reservation, PracticeLine(), True) is Acted.NOT_NOW
    third = await talk.comes(LINE)
    assert "vous consulte pour Cabinet des Tilleuls" in await talk.office.words(third)
    await talk.hear_each_other(talk.desk, third)
    assert await talk.office.hears(talk.caller) == frozenset()
    standing = (await talk.standing()).third
    assert standing is not None
    assert (standing.state, standing.staff, standing.practitioner) == (PartyState.THERE, None, whom.id)
    assert await talk.talks.bring_together(talk.operator, talk.reservation) is Acted.DONE
    await talk.hear_each_other(talk.caller, talk.desk, third)
    assert await talk.talks.end_consultation(talk.operator, talk.reservation) is Acted.DONE
    assert await talk.ended(third)
    await talk.hear_each_other(talk.caller, talk.desk)
    assert (await talk.standing()).third is None


async def test_a_talk_is_handed_over_to_a_practitioner(conversation: Conversation) -> None:
    talk, whom = conversation, await practitioner(conversation, TILLEULS, "Claire Moreau")
    assert await talk.talks.consult(talk.operator, talk.reservation, whom, True) is Acted.DONE
    third = await talk.comes(LINE)
    await talk.hear_each_other(talk.caller, talk.desk, third)
    assert await talk.talks.hand_over(talk.operator, talk.reservation) is Acted.DONE
    assert await talk.ended(talk.desk)
    await talk.hear_each_other(talk.caller, third)
    assert await talk.office.left_for() == "answered"
    assert await talk.presence_of(talk.operator) == "wrap_up"
    await talk.office.client.hang_up(third)
    assert await talk.ended(talk.caller)


async def test_a_practitioners_voicemail_never_comes_in_and_the_caller_is_off_hold(conversation: Conversation) -> None:
    talk, whom = conversation, await practitioner(conversation, TILLEULS, "Claire Moreau")
    assert await talk.talks.consult(talk.operator, talk.reservation, whom, False) is Acted.DONE
    leg = await talk.office.rings(LINE)
    await talk.office.client.answer(leg)
    await talk.office.client.settled(leg)
    await talk.office.client.advance(leg, 60)
    assert await talk.ended(leg)
    await talk.hear_each_other(talk.caller, talk.desk)
    assert (await talk.standing()).third is None


async def test_a_practitioner_who_does_not_answer_gives_the_caller_back(conversation: Conversation) -> None:
    talk, whom = conversation, await practitioner(conversation, TILLEULS, "Claire Moreau")
    assert await talk.talks.consult(talk.operator, talk.reservation, whom, False) is Acted.DONE
    leg = await talk.office.rings(LINE)
    await talk.office.client.reject(leg, "no-answer")
    await talk.hear_each_other(talk.caller, talk.desk)
    assert (await talk.standing()).third is None


async def test_p5_nobody_is_rung_who_has_no_line_or_is_another_practices(conversation: Conversation) -> None:
    talk = conversation
    for practice, name in ((TILLEULS, "Nadia Benali"), (PORT, "Anne Le Bihan")):
        whom = await practitioner(talk, practice, name)
        assert await talk.talks.consult(talk.operator, talk.reservation, whom, False) is Acted.NOT_NOW
        assert await talk.talks.consult(talk.operator, talk.reservation, whom, True) is Acted.NOT_NOW
    assert not await talk.office.client.ringing(OF_ANOTHER_PRACTICE, 0)
    assert not await talk.office.client.ringing(await rescue_number(talk), 0)
    assert not await talk.held()
    await talk.hear_each_other(talk.caller, talk.desk)


async def test_of_whoever_was_asked_an_opaque_identifier_is_kept_and_no_number(conversation: Conversation) -> None:
    talk, whom = conversation, await practitioner(conversation, TILLEULS, "Claire Moreau")
    assert await talk.talks.consult(talk.operator, talk.reservation, whom, False) is Acted.DONE
    await talk.office.rings(LINE)
    async with talk.database.house() as connection:
        (row,) = (await connection.execute(text("SELECT y::text AS kept FROM talk_party y"))).all()
    assert str(whom.id) in row.kept
    assert LINE.removeprefix("+33") not in row.kept


@pytest.mark.parametrize("shown", ["kept", "replaced"])
async def test_p7_a_line_that_is_forwarded_to_us_does_not_come_in_and_goes_round_no_second_time(
    conversation: Conversation, shown: Literal["kept", "replaced"]
) -> None:
    """Whether or not the call that comes back shows that it is ours."""
    talk, whom = conversation, await practitioner(conversation, TILLEULS, "Claire Moreau")
    await talk.office.client.forward(Forwarding(LINE, TILLEULS_LINE, "always", shown, reported=False))
    assert await talk.talks.consult(talk.operator, talk.reservation, whom, False) is Acted.DONE

    async def incoming() -> int:
        tape = talk.office.stage.emulator.tape
        return sum(event.kind == "webhook" and event.url.endswith("/voice/incoming") for event in tape)

    await talk.office.becomes(incoming, 2)  # the caller's, and the one that has come back
    talk.office.stage.clock.advance(61)
    await talk.hear_each_other(talk.caller, talk.desk)
    assert (await talk.standing()).third is None
    assert await talk.office.one("SELECT count(*) FROM talk_party WHERE joined_at IS NOT NULL") == 0
    assert await incoming() == 2
