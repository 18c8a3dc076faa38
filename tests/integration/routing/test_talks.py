"""Acts on talks while the carrier fails, or says all twice: the talk is as it was, or as it was to be (P7, P3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from callcenter.calls import rooms
from callcenter.calls.talk_values import Acted, Colleague, PracticeLine
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom
from callcenter.routing.presence import present
from callcenter.routing.values import PresenceState
from callcenter.store.keys import create_keys, load_keys
from callcenter.store.sealed import Sealer
from tests.integration.routing.floor import Floor
from tests.talking import RoomsDouble, Scene, begin_talk

#: The leg of whoever is rung.
LEG = "CA" + "1" * 32

Act = Callable[[Scene], Awaitable[Acted]]


@pytest.fixture(scope="module")
def sealer(tmp_path_factory: pytest.TempPathFactory) -> Sealer:
    path = tmp_path_factory.mktemp("talks") / "keys.json"
    create_keys(path, SeededRandom(5))
    return Sealer(load_keys(path), SeededRandom(6))


@pytest.fixture
async def scene(floor: Floor, sealer: Sealer, clock: DrivenClock) -> Scene:
    return await begin_talk(floor, sealer)


async def _hold(scene: Scene) -> Acted:
    return await scene.talks.hold(scene.talk.staff, scene.talk.id, True)


async def _off_hold(scene: Scene) -> Acted:
    return await scene.talks.hold(scene.talk.staff, scene.talk.id, False)


async def _end_consultation(scene: Scene) -> Acted:
    return await scene.talks.end_consultation(scene.talk.staff, scene.talk.id)


async def _bring_together(scene: Scene) -> Acted:
    return await scene.talks.bring_together(scene.talk.staff, scene.talk.id)


async def _hand_over(scene: Scene) -> Acted:
    return await scene.talks.hand_over(scene.talk.staff, scene.talk.id)


async def _on_hold(scene: Scene) -> None:
    assert await _hold(scene) is Acted.DONE


async def _with_a_third(scene: Scene) -> None:
    colleague = await scene.floor.operator(scene.practice)
    assert await scene.talks.consult(scene.talk.staff, scene.talk.id, Colleague(colleague), False) is Acted.DONE
    assert await scene.talks.join(colleague, await scene.talks_asked(colleague)) is not None


async def _plain(_: Scene) -> None:
    return


def _carriers_side(rooms: RoomsDouble) -> tuple[object, ...]:
    return set(rooms.held), set(rooms.ends_all), set(rooms.out), rooms.closed


@pytest.mark.parametrize(
    ("before", "act"),
    [
        (_plain, _hold),
        (_on_hold, _off_hold),
        (_with_a_third, _bring_together),
        (_with_a_third, _end_consultation),
        (_with_a_third, _hand_over),
    ],
)
async def test_p7_an_act_at_which_the_carrier_fails_leaves_the_talk_as_it_was_and_says_so(
    scene: Scene, before: Callable[[Scene], Awaitable[None]], act: Act
) -> None:
    await before(scene)
    stood, failed = await scene.standing(), 0
    while True:
        scene.rooms.asked.clear()
        scene.rooms.failing = frozenset({failed + 1})
        there = _carriers_side(scene.rooms)
        if await act(scene) is Acted.DONE:
            break
        now = await scene.standing()
        assert now is not None
        assert now.third == stood.third  # type: ignore[union-attr]
        held, ends_all, out, closed = _carriers_side(scene.rooms)
        assert now.on_hold == ("caller" in held)  # what the page shows is what the caller hears
        assert (ends_all, out, closed) == there[1:]
        failed += 1
    assert failed >= 2, "the carrier was never in a position to fail"
    assert _carriers_side(scene.rooms) != there


async def test_p7_a_caller_is_not_left_on_hold_for_somebody_who_cannot_be_rung(scene: Scene) -> None:
    """Each request fails in turn, and the practice's line is not rung at all: the double has no telephone."""
    for failing in (1, 2):
        scene.rooms.asked.clear()
        scene.rooms.failing = frozenset({failing})
        assert await scene.talks.consult(scene.talk.staff, scene.talk.id, PracticeLine(), False) is Acted.NOT_DONE
        stood = await scene.standing()
        assert stood is not None
        assert (stood.third, stood.on_hold, scene.rooms.held) == (None, False, set())


async def test_p7_a_colleague_is_free_again_when_they_could_not_be_asked(scene: Scene) -> None:
    colleague = await scene.floor.operator(scene.practice)
    scene.rooms.failing = frozenset({1})
    whom = Colleague(colleague)
    assert await scene.talks.consult(scene.talk.staff, scene.talk.id, whom, False) is Acted.NOT_DONE
    assert await _doing(scene, colleague) is PresenceState.AVAILABLE
    assert await scene.talks.consult(scene.talk.staff, scene.talk.id, whom, False) is Acted.DONE


@pytest.mark.parametrize(("away", "acted"), [(1, Acted.DONE), (2, Acted.DONE), (3, Acted.NOT_DONE)])
async def test_a_caller_who_comes_back_from_their_keys_is_waited_for(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, away: int, acted: Acted
) -> None:
    """« Consulter » right after the keypad: the page shows that they come a moment before they are in the room."""
    monkeypatch.setattr(rooms, "COMES_BACK", (0.0, 0.0))
    scene.rooms.away = away
    colleague = await scene.floor.operator(scene.practice)
    assert await scene.talks.consult(scene.talk.staff, scene.talk.id, Colleague(colleague), False) is acted
    stood = await scene.standing()
    assert stood is not None
    assert (stood.third is not None, stood.on_hold) == (acted is Acted.DONE, acted is Acted.DONE)


async def test_p7_a_colleague_who_declines_or_does_not_come_gives_the_caller_back(
    scene: Scene, clock: DrivenClock
) -> None:
    colleague = await scene.floor.operator(scene.practice)
    for declines in (True, False):
        whom = Colleague(colleague)
        assert await scene.talks.consult(scene.talk.staff, scene.talk.id, whom, False) is Acted.DONE
        assert "caller" in scene.rooms.held
        request = await scene.talks_asked(colleague)
        if declines:
            assert await scene.talks.decline(colleague, request)
        else:
            clock.advance(61)
            assert await scene.thirds.sweep(clock.now()) == 1
        assert not await scene.talks.decline(colleague, request)
        assert await scene.talks.join(colleague, request) is None
        stood = await scene.standing()
        assert stood is not None
        assert (stood.third, stood.on_hold, scene.rooms.held) == (None, False, set())
        assert await _doing(scene, colleague) is PresenceState.AVAILABLE


async def test_whoever_was_spoken_to_in_private_is_gone_before_the_caller_is_heard_again(scene: Scene) -> None:
    await _with_a_third(scene)
    scene.rooms.asked.clear()
    assert await _end_consultation(scene) is Acted.DONE
    (gone,) = scene.rooms.out
    assert scene.rooms.asked.index(f"put out {gone}") < scene.rooms.asked.index("hold caller")


async def test_a_colleague_of_whom_it_is_not_known_that_they_are_gone_is_shown_as_there(scene: Scene) -> None:
    await _with_a_third(scene)
    stood = await scene.standing()
    assert stood is not None
    assert stood.third is not None
    assert stood.third.staff is not None
    scene.rooms.failing = frozenset(range(1, 100))
    assert await _end_consultation(scene) is Acted.NOT_DONE
    assert not await scene.talks.decline(stood.third.staff, stood.third.id)
    assert await scene.standing() == stood


async def test_p3_a_third_comes_and_goes_once_however_often_the_carrier_says_so(scene: Scene) -> None:
    colleague = await scene.floor.operator(scene.practice)
    await scene.talks.consult(scene.talk.staff, scene.talk.id, Colleague(colleague), False)
    request = await scene.talks_asked(colleague)
    seats = {await scene.thirds.take(request, LEG) for _ in range(3)}
    assert len(seats) == 1
    assert seats != {None}
    for _ in range(3):
        await scene.thirds.left(request)
    assert await scene.thirds.take(request, LEG) is None
    assert scene.rooms.asked.count("hold caller") == 2  # on, and off once
    assert await _doing(scene, colleague) is PresenceState.AVAILABLE


async def test_p7_when_a_talk_ends_whoever_was_asked_in_is_free(scene: Scene, clock: DrivenClock) -> None:
    await _with_a_third(scene)
    standing = await scene.standing()
    assert standing is not None
    assert standing.third is not None
    colleague = standing.third.staff
    assert colleague is not None
    await scene.floor.do(scene.floor.reservations.over, scene.talk.id, scene.talk.staff)
    assert await scene.thirds.sweep(clock.now()) == 1
    assert await scene.thirds.sweep(clock.now()) == 0
    assert await _doing(scene, colleague) is PresenceState.AVAILABLE


async def _doing(scene: Scene, staff: object) -> PresenceState:
    async with scene.house.database.house() as connection:
        there = await present(connection, staff)  # type: ignore[arg-type]
    assert there is not None
    return there.state


@pytest.mark.parametrize("act", ["hang_up", "send"])
async def test_p7_a_room_that_is_found_and_twice_not_closed_is_over_in_the_books_alone(scene: Scene, act: str) -> None:
    """The one exception of docs/talks.md: the page says that it is not done, and hanging up ends it."""
    scene.rooms.failing = frozenset({2, 3})
    colleague = await scene.floor.operator(scene.practice)
    if act == "send":
        acted = await scene.talks.send(scene.talk.staff, scene.talk.id, Colleague(colleague))
    else:
        acted = await scene.talks.hang_up(scene.talk.staff, scene.talk.id)
    assert acted is Acted.NOT_DONE
    assert (scene.rooms.asked, scene.rooms.closed) == (["find", "close", "close"], False)
    assert await scene.standing() is None
    async with scene.house.database.house() as connection:
        there = await present(connection, colleague)
    assert there is not None
    assert there.state is (PresenceState.RESERVED if act == "send" else PresenceState.AVAILABLE)
