"""Callers who were sent on to the practice's line: nobody else has them meanwhile, and somebody has them afterwards."""

from __future__ import annotations

import pytest

from callcenter.calls.operators import PutThrough
from callcenter.calls.talk_values import Acted, Colleague, PracticeLine
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom
from callcenter.routing import sent_lines
from callcenter.routing.keypads import send_out
from callcenter.routing.values import LeftReason
from callcenter.store.keys import create_keys, load_keys
from callcenter.store.sealed import Sealer
from tests.integration.routing.floor import Floor
from tests.talking import Scene, begin_talk, request_to_the_line

#: The leg of whoever answers.
LEG = "CA" + "1" * 32


@pytest.fixture(scope="module")
def sealer(tmp_path_factory: pytest.TempPathFactory) -> Sealer:
    path = tmp_path_factory.mktemp("lines") / "keys.json"
    create_keys(path, SeededRandom(7))
    return Sealer(load_keys(path), SeededRandom(8))


@pytest.fixture
async def scene(floor: Floor, sealer: Sealer, clock: DrivenClock) -> Scene:
    return await begin_talk(floor, sealer)


async def _send(scene: Scene) -> Acted:
    return await scene.talks.send(scene.talk.staff, scene.talk.id, PracticeLine())


async def test_nobody_is_offered_the_call_until_the_line_has_had_its_time(scene: Scene, clock: DrivenClock) -> None:
    other = await scene.floor.operator(scene.practice)
    assert await _send(scene) is Acted.DONE
    assert (scene.ways.led, scene.rooms.asked) == ([1], ["find", "close"])
    clock.advance(89)
    assert await scene.thirds.sweep(clock.now()) == 0, "that the talk is over ends no request to a line"
    await scene.floor.sees(other)
    assert await scene.floor.reserve() == []
    clock.advance(1)
    assert await scene.thirds.sweep(clock.now()) == 1
    assert [one.call for one in await scene.floor.reserve()] == [scene.talk.call]
    assert await scene.thirds.take(await request_to_the_line(scene), LEG) is None
    assert await scene.floor.broken() == {}


async def test_p3_the_key_takes_the_call_once_however_often_it_is_told(scene: Scene, clock: DrivenClock) -> None:
    await scene.floor.operator(scene.practice)
    assert await _send(scene) is Acted.DONE
    request = await request_to_the_line(scene)
    assert "vous passe un appel pour" in (await scene.thirds.offer(request) or "")
    assert {await scene.thirds.take(request, LEG) for _ in range(3)} == {PutThrough.PUT_THROUGH}
    assert await scene.thirds.offer(request) is None
    await scene.thirds.left(request)
    await scene.floor.do(sent_lines.back, scene.talk.call)
    clock.advance(91)
    assert await scene.thirds.sweep(clock.now()) == 0
    entry = await scene.floor.entry(scene.talk.call)
    assert (entry.state, entry.left_reason) == ("left", "answered")
    assert (await scene.floor.events(scene.talk.call)).count("left") == 1
    assert await scene.floor.reserve() == []
    assert await scene.floor.broken() == {}


async def test_a_line_that_did_not_take_the_call_takes_it_no_more_and_the_caller_is_next_at_once(scene: Scene) -> None:
    other = await scene.floor.operator(scene.practice)
    assert await _send(scene) is Acted.DONE
    later = await scene.floor.waits(scene.practice)
    for _ in range(2):  # the same again changes nothing
        await scene.floor.do(sent_lines.back, scene.talk.call)
    assert await scene.thirds.take(await request_to_the_line(scene), LEG) is None
    offers = {one.call: one.staff for one in await scene.floor.reserve()}
    assert offers[scene.talk.call] == other, "before all who came later"
    assert later in offers


async def test_a_line_takes_no_call_whose_caller_has_gone(scene: Scene) -> None:
    assert await _send(scene) is Acted.DONE
    request = await request_to_the_line(scene)
    await scene.floor.ends(scene.talk.call)
    await scene.floor.do(scene.floor.queue.leave, scene.talk.call, LeftReason.HUNG_UP)
    assert await scene.thirds.offer(request) is None
    assert await scene.thirds.take(request, LEG) is None


async def test_p7_a_carrier_that_finds_no_room_changes_nothing(scene: Scene) -> None:
    stood = await scene.standing()
    assert stood is not None
    scene.rooms.failing = frozenset({1})
    assert await _send(scene) is Acted.NOT_DONE
    assert (await scene.standing(), scene.ways.led, scene.rooms.closed) == (stood, [], False)


@pytest.mark.parametrize("answers", [[False], [None, False]], ids=["gone", "silent, then gone"])
async def test_p7_a_caller_who_is_not_led_waits_for_anybody_at_once(scene: Scene, answers: list[bool | None]) -> None:
    await scene.floor.operator(scene.practice)
    scene.ways.answers = answers
    assert await _send(scene) is Acted.DONE
    assert scene.rooms.closed
    assert [one.call for one in await scene.floor.reserve()] == [scene.talk.call]


async def test_p7_of_whom_it_is_not_known_that_they_are_led_the_room_is_closed_all_the_same(scene: Scene) -> None:
    """Whoever was not led is put out by that, and comes back at once: tests/acceptance/test_sent_to_a_line.py."""
    scene.ways.answers = [None, None]
    assert await _send(scene) is Acted.DONE
    assert (scene.ways.led, scene.rooms.closed) == ([1, 1], True)
    assert await scene.floor.reserve() == []


async def test_a_talk_that_is_not_for_two_alone_is_not_sent_on(scene: Scene) -> None:
    colleague = await scene.floor.operator(scene.practice)
    assert await scene.talks.consult(scene.talk.staff, scene.talk.id, Colleague(colleague), True) is Acted.DONE
    assert await _send(scene) is Acted.NOT_NOW
    assert await scene.talks.end_consultation(scene.talk.staff, scene.talk.id) is Acted.DONE
    await scene.floor.do(send_out, scene.talk.id, scene.talk.staff)
    assert await _send(scene) is Acted.NOT_NOW
    assert scene.ways.led == []


async def test_nobody_sends_on_a_caller_of_another_and_none_twice(scene: Scene) -> None:
    other = await scene.floor.operator(scene.practice)
    assert await scene.talks.send(other, scene.talk.id, PracticeLine()) is Acted.NOT_YOURS
    assert await _send(scene) is Acted.DONE
    assert await _send(scene) is Acted.NOT_YOURS
    assert scene.ways.led == [1]
