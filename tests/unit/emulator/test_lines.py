"""Where the network leads a call: lines that forward, lines that are busy, chains, rings."""

from __future__ import annotations

from itertools import pairwise

from callcenter.emulator.lines import FORWARDS, Approach, Forwarding, Lines

CALLER, LINE, OTHER, OURS = "+33639980001", "+33465710099", "+33472000000", "+33465710001"


def network(*forwardings: Forwarding, account: bool = True) -> Lines:
    lines = Lines((lambda number: number == OURS) if account else None)
    for forwarding in forwardings:
        lines.forward(forwarding)
    return lines


def test_a_call_that_is_forwarded_shows_the_caller_and_the_line_or_neither() -> None:
    for caller, reported, shown in (
        ("kept", True, (CALLER, LINE)),
        ("kept", False, (CALLER, None)),
        ("replaced", True, (LINE, LINE)),
        ("replaced", False, (LINE, None)),
    ):
        reached = network(Forwarding(LINE, OURS, caller=caller, reported=reported)).follow(Approach(CALLER, LINE))  # type: ignore[arg-type]
        assert reached is not None
        assert (reached.number, reached.caller, reached.forwarded_from) == (OURS, *shown)


def test_along_a_chain_the_last_line_is_told() -> None:
    lines = network(Forwarding(LINE, OTHER), Forwarding(OTHER, OURS))
    assert lines.follow(Approach(CALLER, LINE)) == Approach(CALLER, OURS, OTHER, 2)


def test_busy_lines_forward_what_they_are_told_to_and_refuse_the_rest() -> None:
    lines = network(Forwarding(LINE, OURS, "busy"))
    assert lines.follow(Approach(CALLER, LINE)) == Approach(CALLER, LINE)
    lines.behave(LINE, "busy")
    assert lines.follow(Approach(CALLER, LINE)) == Approach(CALLER, OURS, LINE, 1)
    lines.unforward(LINE, None)
    assert lines.follow(Approach(CALLER, LINE)) is None


def test_always_wins_over_busy() -> None:
    lines = network(Forwarding(LINE, OTHER, "busy"), Forwarding(LINE, OURS))
    lines.behave(LINE, "busy")
    assert lines.follow(Approach(CALLER, LINE)) == Approach(CALLER, OURS, LINE, 1)


def test_the_network_gives_up_after_five_lines_and_on_rings_of_them() -> None:
    chain = [f"+3346571010{number}" for number in range(FORWARDS + 2)]
    longest = network(*(Forwarding(here, there) for here, there in pairwise(chain)))
    assert longest.follow(Approach(CALLER, chain[0])) is None
    assert longest.follow(Approach(CALLER, chain[1])) is not None
    assert network(Forwarding(LINE, OTHER), Forwarding(OTHER, LINE)).follow(Approach(CALLER, LINE)) is None


def test_what_nobody_takes_goes_on_where_it_was_told_to() -> None:
    lines = network(Forwarding(LINE, OURS, "unanswered"), Forwarding(LINE, OTHER, "busy"))
    here = Approach(CALLER, LINE)
    assert lines.onward(here, "no-answer") == lines.onward(here, "failed") == Approach(CALLER, OURS, LINE, 1)
    assert lines.onward(here, "busy") == Approach(CALLER, OTHER, LINE, 1)
    assert lines.onward(Approach(CALLER, OTHER), "no-answer") is None


def test_without_a_list_of_numbers_a_forwarded_call_is_ours_unless_it_is_somebodys_telephone() -> None:
    lines = network(account=False)
    assert lines.ours(Approach(CALLER, OURS, LINE, 1))
    assert not lines.ours(Approach(CALLER, OURS))
    assert not lines.ours(Approach(CALLER, "+33639980002", LINE, 1))
    lines.behave(OURS, "answers")
    assert not lines.ours(Approach(CALLER, OURS, LINE, 1))
