"""Callers who are sent on to a line: with what they have proved, to two at once, or round and round."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.calls import line_sending
from callcenter.calls.line_sending import LineSending
from callcenter.calls.talk_values import Acted, PracticeLine
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom
from callcenter.routing import sent_lines
from callcenter.routing.held import Held, to_front
from callcenter.routing.values import LeftReason
from tests.attack.defence import Defence, Outcome, Sabotage, attack, gained
from tests.attack.ground import Ground
from tests.integration.routing.floor import Floor
from tests.talking import Scene, begin_talk, request_to_the_line, tilleuls

LEG = "CA" + "1" * 32


@pytest.fixture
async def floor(ground: Ground, clock: DrivenClock) -> Floor:
    floor = Floor(ground.app, clock, SeededRandom(49))
    await floor.open()
    return floor


@pytest.fixture
async def scene(floor: Floor, ground: Ground) -> Scene:
    return await begin_talk(floor, ground.sealer)


async def _send(scene: Scene) -> Acted:
    return await scene.talks.send(scene.talk.staff, scene.talk.id, PracticeLine())


def _sent_with_it(sabotage: Sabotage) -> None:
    async def kept(*_: Any) -> None:
        return

    sabotage.replace(line_sending, "forget_what_was_proved", kept)


DIES_WITH_IT = Defence("evidence dies when a caller is sent on", "P2: evidence is for one person", _sent_with_it)


@attack(stopped_by=DIES_WITH_IT)
async def test_p2_what_was_proved_goes_to_the_line_with_the_caller(scene: Scene) -> Outcome:
    assert (await scene.session()).evidence is not None
    assert await _send(scene) is Acted.DONE
    return gained((await scene.session()).evidence)


def _offered_meanwhile(sabotage: Sabotage) -> None:
    async def at_once(
        connection: AsyncConnection, held: Held, now: datetime, *, passed_by: UUID, not_before: datetime
    ) -> None:
        await to_front(connection, held, now, passed_by=passed_by)

    sabotage.replace(sent_lines, "to_front", at_once)


NOBODY_MEANWHILE = Defence("nobody is offered it meanwhile", "a caller is with one person", _offered_meanwhile)


@attack(stopped_by=NOBODY_MEANWHILE)
async def test_an_operator_takes_a_caller_away_from_the_line_that_rings_for_them(scene: Scene) -> Outcome:
    await scene.floor.operator(scene.practice)
    assert await _send(scene) is Acted.DONE
    return gained(await scene.floor.reserve())


def _whoever_waits_or_not(sabotage: Sabotage) -> None:
    sabotage.rewrite(sent_lines, "_PRACTICE", "e.state = 'waiting'", "true")


FOR_WHO_WAITS = Defence("a line is asked for who waits", "no word for a call that is over", _whoever_waits_or_not)


@attack(stopped_by=FOR_WHO_WAITS)
async def test_a_line_is_told_of_a_call_whose_caller_has_hung_up(scene: Scene) -> Outcome:
    assert await _send(scene) is Acted.DONE
    request = await request_to_the_line(scene)
    await scene.floor.ends(scene.talk.call)
    await scene.floor.do(scene.floor.queue.leave, scene.talk.call, LeftReason.HUNG_UP)
    assert await scene.thirds.take(request, LEG) is None
    return gained(await scene.thirds.offer(request))


def _any_line(sabotage: Sabotage) -> None:
    async def may(*_: Any) -> bool:
        return True

    sabotage.replace(LineSending, "_may_ring", may)


NO_ROUND = Defence("a line that the call comes from is not rung", "P7: no call goes round", _any_line)


@attack(stopped_by=NO_ROUND)
async def test_p7_a_call_from_the_practices_line_is_sent_to_that_line(floor: Floor, ground: Ground) -> Outcome:
    scene = await begin_talk(floor, ground.sealer, caller=tilleuls(UUID(int=1)).rescue_number)
    acted = await _send(scene)
    assert acted is (Acted.DONE if scene.ways.led else Acted.NOT_NOW)
    return gained(scene.ways.led)
