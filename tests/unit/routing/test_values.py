"""What needs no database: moves, rules, days, payloads."""

from __future__ import annotations

from uuid import UUID

import pytest

from callcenter.routing.presence import MOVES
from callcenter.routing.rules import Rule
from callcenter.routing.values import PresenceState, Strategy
from callcenter.routing.waking import About, Waking

SOMEBODY = UUID("5f0c9d5e-0000-4000-8000-000000000001")
BY_THE_QUEUE = {PresenceState.RESERVED, PresenceState.ON_CALL, PresenceState.WRAP_UP}


def test_every_state_has_its_moves_and_only_the_queue_reserves_connects_and_wraps_up() -> None:
    assert set(MOVES) == set(PresenceState)
    assert all(not targets & BY_THE_QUEUE for targets in MOVES.values())
    assert all(state not in targets for state, targets in MOVES.items())


def test_an_offer_and_a_call_are_left_through_the_queue_alone() -> None:
    assert [state for state, targets in MOVES.items() if not targets] == [PresenceState.RESERVED, PresenceState.ON_CALL]


def test_without_a_choice_who_is_idle_longest_comes_first() -> None:
    assert Rule().strategy is Strategy.LONGEST_IDLE


@pytest.mark.parametrize("seconds", [-1, 1801])
def test_nobody_wraps_up_for_less_than_nothing_or_for_ever(seconds: int) -> None:
    with pytest.raises(ValueError, match="wrapping up takes 0 to 1800 seconds"):
        Rule(wrap_up_seconds=seconds)


@pytest.mark.parametrize("about", About)
def test_a_payload_is_read_as_it_was_written(about: About) -> None:
    waking = Waking(about, SOMEBODY)
    assert Waking.read(str(waking)) == waking


@pytest.mark.parametrize("payload", ["", "queue", f"queue:{SOMEBODY}x", f"nobody:{SOMEBODY}"])
def test_another_payload_says_nothing(payload: str) -> None:
    assert Waking.read(payload) is None
