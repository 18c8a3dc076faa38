"""Talks of others: put on hold, listened to, handed to strangers, or used with what was proved to somebody else."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from callcenter.calls import coming_in, talks
from callcenter.calls.talk_values import Acted, Colleague, Practitioner
from callcenter.calls.thirds import Thirds
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom
from callcenter.practice import practitioners
from callcenter.practice.enrolment import PractitionerRecord, write_practitioners
from callcenter.practice.numbers import E164
from callcenter.routing import talks as standing_talks
from tests.attack.defence import Defence, Outcome, Sabotage, attack, gained
from tests.attack.ground import Ground
from tests.integration.routing.floor import Floor
from tests.talking import Scene, begin_talk


@pytest.fixture
async def scene(ground: Ground, clock: DrivenClock) -> Scene:
    floor = Floor(ground.app, clock, SeededRandom(48))
    await floor.open()
    return await begin_talk(floor, ground.sealer)


# --- whose talk it is


def _anybodys(sabotage: Sabotage) -> None:
    sabotage.rewrite(standing_talks, "_TALK", "r.staff_id = :staff", "cast(:staff AS uuid) IS NOT NULL")


THEIRS = Defence("a talk is found with its operator", "a call is its operator's", _anybodys)


@attack(stopped_by=THEIRS)
async def test_an_operator_puts_the_caller_of_another_on_hold(scene: Scene) -> Outcome:
    thief = await scene.floor.operator(scene.practice)
    await scene.talks.hold(thief, scene.talk.id, True)
    return gained(scene.rooms.asked)


def _not_only_while_it_lasts(sabotage: Sabotage) -> None:
    sabotage.rewrite(standing_talks, "_TALK", "r.state = 'connected'", "true")


WHILE_IT_LASTS = Defence("a talk is found while it lasts", "what is over is nobody's", _not_only_while_it_lasts)


@attack(stopped_by=WHILE_IT_LASTS)
async def test_an_operator_acts_on_a_room_after_their_talk_is_over(scene: Scene) -> Outcome:
    await scene.floor.do(scene.floor.reservations.over, scene.talk.id, scene.talk.staff)
    await scene.talks.hold(scene.talk.staff, scene.talk.id, False)
    return gained(scene.rooms.asked)


# --- who comes into it


def _whoever_says_so(sabotage: Sabotage) -> None:
    sabotage.rewrite(standing_talks, "_PARTY", "y.staff_id = :staff", "true")


ASKED = Defence("a request is found with whom it asks", "nobody listens who was not asked", _whoever_says_so)


@attack(stopped_by=ASKED)
async def test_somebody_comes_in_on_the_request_to_another(scene: Scene) -> Outcome:
    colleague = await scene.floor.operator(scene.practice)
    await scene.talks.consult(scene.talk.staff, scene.talk.id, Colleague(colleague), True)
    listener = await scene.floor.operator(scene.practice)
    return gained(await scene.talks.join(listener, await scene.talks_asked(colleague)))


def _any_portfolio(sabotage: Sabotage) -> None:
    sabotage.rewrite(standing_talks, "_RESERVE", "o.practice_id = e.practice_id", "true")


PORTFOLIO = Defence("the portfolio holds the practice", "P5: staff see their own practices", _any_portfolio)


@attack(stopped_by=PORTFOLIO)
async def test_a_talk_is_opened_to_staff_of_another_portfolio(scene: Scene) -> Outcome:
    stranger = await scene.floor.operator(await scene.floor.practice())
    asked = await scene.talks.consult(scene.talk.staff, scene.talk.id, Colleague(stranger), True)
    return gained(asked is Acted.DONE)


@attack(stopped_by=PORTFOLIO)
async def test_a_caller_is_sent_to_staff_of_another_portfolio(scene: Scene) -> Outcome:
    stranger = await scene.floor.operator(await scene.floor.practice())
    return gained(await scene.talks.send(scene.talk.staff, scene.talk.id, Colleague(stranger)) is Acted.DONE)


LINE = E164("+33465710062")


async def practitioner_of(scene: Scene, practice: UUID) -> Practitioner:
    """Somebody of a practice who has a line."""
    record = PractitionerRecord(uuid4(), "Paul Autre", "Dr", "médecine générale", sensitive=False, line=LINE)
    async with scene.house.database.practice(practice) as tx:
        await write_practitioners(tx, [record])
    return Practitioner(record.id)


async def rings_for(scene: Scene, whom: Practitioner) -> Outcome:
    """Whether the carrier is asked for anything on their account."""
    await scene.talks.consult(scene.talk.staff, scene.talk.id, whom, False)
    return gained(scene.rooms.asked)


def _practitioners_are_everybodys(sabotage: Sabotage) -> None:
    sabotage.sql("ALTER TABLE practitioner DISABLE ROW LEVEL SECURITY")


def _of_any_practice(sabotage: Sabotage) -> None:
    sabotage.rewrite(practitioners, "_LINE", "p.practice_id = :practice", "cast(:practice AS uuid) IS NOT NULL")


ROW_SECURITY = Defence("row-level security", "P5: no row crosses a practice", _practitioners_are_everybodys)
OF_THE_TALK = Defence("a line is read with the talk's practice", "P5: no row crosses a practice", _of_any_practice)


@attack(stopped_by=(ROW_SECURITY, OF_THE_TALK))
async def test_p5_a_practitioner_of_another_practice_is_asked_into_a_talk(scene: Scene) -> Outcome:
    """With the identifier that a page of that practice has shown."""
    return await rings_for(scene, await practitioner_of(scene, await scene.floor.practice()))


def _ours_too(sabotage: Sabotage) -> None:
    ours = "NOT EXISTS (SELECT FROM directory_number d WHERE d.number = p.line)"
    sabotage.rewrite(practitioners, "_LINE", ours, "true")


NEVER_OURS = Defence("a line that we answer is not rung", "P7: nothing that we ring comes back to us", _ours_too)


@attack(stopped_by=NEVER_OURS)
async def test_p7_another_practice_has_a_practitioners_line_answered_by_us_since(scene: Scene) -> Outcome:
    """No practice sees the lines of another's practitioners, so that its number plan takes it."""
    whom, another = await practitioner_of(scene, scene.practice), await scene.floor.practice()
    query = "INSERT INTO directory_number (number, practice_id) VALUES (:number, :practice)"
    await scene.floor.run(query, number=LINE, practice=another)
    return await rings_for(scene, whom)


def _nobody_is_put_out(sabotage: Sabotage) -> None:
    async def nobody(*_: Any) -> bool:
        return True

    sabotage.replace(Thirds, "_out", nobody)


PUT_OUT = Defence("who has left is put out", "nobody listens who is not shown", _nobody_is_put_out)


@attack(stopped_by=PUT_OUT)
async def test_a_colleague_says_that_they_have_left_and_listens_on(scene: Scene) -> Outcome:
    colleague = await scene.floor.operator(scene.practice)
    await scene.talks.consult(scene.talk.staff, scene.talk.id, Colleague(colleague), True)
    request = await scene.talks_asked(colleague)
    assert await scene.talks.join(colleague, request) is not None
    assert await scene.talks.decline(colleague, request)
    return gained(request.hex not in scene.rooms.out)


# --- what was proved


async def _kept(*_: Any) -> None:
    return


def _joining_keeps_it(sabotage: Sabotage) -> None:
    sabotage.replace(coming_in, "forget_what_was_proved", _kept)


def _transfer_keeps_it(sabotage: Sabotage) -> None:
    sabotage.replace(talks, "forget_what_was_proved", _kept)


DIES_AT_JOINING = Defence("evidence dies when a third joins", "P2: evidence is for one person", _joining_keeps_it)
DIES_AT_TRANSFER = Defence("evidence dies with the talk", "P2: evidence is for one person", _transfer_keeps_it)


@attack(stopped_by=(DIES_AT_JOINING, DIES_AT_TRANSFER))
async def test_p2_a_colleague_uses_what_was_proved_before_the_talk_was_theirs(scene: Scene) -> Outcome:
    assert (await scene.session()).evidence is not None
    colleague = await scene.colleague_comes()
    assert await scene.talks.hand_over(scene.talk.staff, scene.talk.id) is Acted.DONE
    async with scene.house.database.house() as connection:
        assert await standing_talks.talk_of(connection, colleague) is not None
    return gained((await scene.session()).evidence)


@attack(stopped_by=DIES_AT_TRANSFER)
async def test_p2_what_was_proved_is_sent_on_with_the_caller(scene: Scene) -> Outcome:
    colleague = await scene.floor.operator(scene.practice)
    assert await scene.talks.send(scene.talk.staff, scene.talk.id, Colleague(colleague)) is Acted.DONE
    return gained((await scene.session()).evidence)


@attack(stopped_by=DIES_AT_JOINING)
async def test_p2_what_was_proved_stays_while_somebody_listens_in(scene: Scene) -> Outcome:
    await scene.colleague_comes()
    return gained((await scene.session()).evidence)
