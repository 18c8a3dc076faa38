"""What each outlet does to what is known, one by one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callcenter.flow.effects import AT_THE_LIMIT, effect
from callcenter.flow.facts import (
    CARD_FACT,
    EMERGENCY,
    FOUND,
    LEVELS,
    POSSESSION,
    PROVED,
    bound_fact,
    known,
    level_fact,
    level_in,
)
from callcenter.flow.graph import Effect
from callcenter.flow.language import (
    Act,
    Card,
    Connect,
    ConnectTo,
    Do,
    Find,
    Flow,
    Lookup,
    Move,
    Moved,
    ProofKind,
    Prove,
    Queue,
    QueueFor,
    Reference,
    Say,
    Step,
    Verify,
)
from callcenter.flow.picture.words import FACTS
from callcenter.flow.script_language import Forget, Forgotten
from callcenter.kernel.levels import Channel, Level

FLOW = Flow("f", Channel.VOICE, "f.yaml", "a", "a", {}, "digest", emergency="urgent")
WITHOUT_A_LINE = replace(FLOW, emergency="")
SLOT, APPOINTMENT = frozenset({"bound:slot"}), frozenset({"bound:appointment"})
CARD = frozenset({"card:slot"})
NOTHING = Effect()

IDENTIFIED = Effect(frozenset({"level>=1"}), SLOT | APPOINTMENT | CARD)
VERIFIED = Effect(frozenset({"level>=1", "level>=2", "possession"}), SLOT | APPOINTMENT | CARD)
STRONG = Effect(frozenset({"level>=1", "level>=2", "level>=3", "possession"}), SLOT | APPOINTMENT | CARD)
SOMEBODY_ELSE = Effect(
    ends=frozenset({"level>=1", "level>=2", "level>=3", "possession", "bound:slot", "bound:appointment", "card:slot"})
)

#: Who was refused may have claimed to be somebody else.
NOT_THEM = Effect(ends=SOMEBODY_ELSE.ends - SLOT - CARD)
NOBODY = {"refused": NOT_THEM, "unavailable": NOT_THEM}

#: Each step, and what those of its outlets do that do something.
TABLE: list[tuple[Step, dict[str, Effect]]] = [
    (Say("say", 1, "urgent", "b"), {"then": Effect(frozenset({"heard:emergency"}))}),
    (Say("say", 1, "welcome", "b"), {}),
    (Verify("verify", 1, Level.IDENTIFIED, "b", "c", "d"), {"verified": IDENTIFIED, **NOBODY}),
    (Verify("verify", 1, Level.VERIFIED, "b", "c", "d"), {"verified": VERIFIED, **NOBODY}),
    (Verify("verify", 1, Level.STRONG, "b", "c", "d"), {"verified": STRONG, **NOBODY}),
    (Prove("prove", 1, ProofKind.RETURN_CALL, "b", "c"), {"proved": VERIFIED, "refused": NOT_THEM}),
    (Prove("prove", 1, ProofKind.PRESENCE, "b", "c"), {"proved": Effect(ends=IDENTIFIED.ends), "refused": NOT_THEM}),
    (Find("find", 1, Lookup.NEXT_APPOINTMENT, "b", "c", "d"), {"found": Effect(APPOINTMENT)}),
    (Find("find", 1, Lookup.FOLLOWING_APPOINTMENT, "b", "c", "d"), {"found": Effect(APPOINTMENT)}),
    (Reference("reference", 1, "b", "c"), {"known": Effect(SLOT, CARD), "refused": Effect(ends=SLOT | CARD)}),
    (Card("card", 1, "b", "c"), {"proved": Effect(CARD), "refused": Effect(ends=CARD)}),
    (Do("do", 1, Act.CANCEL_SLOT, "b", "c"), {"done": Effect(ends=SLOT | CARD)}),
    (Do("do", 1, Act.CANCEL_APPOINTMENT, "b", "c"), {"done": Effect(ends=APPOINTMENT)}),
    (Do("do", 1, Act.CONFIRM_APPOINTMENT, "b", "c"), {}),
    (Move("move", 1, "b", "c", "d", Moved.APPOINTMENT), {"moved": Effect(ends=APPOINTMENT)}),
    (Move("move", 1, "b", "c", "d", Moved.SLOT), {}),
    (Connect("connect", 1, ConnectTo.PRACTICE, "b", "c"), dict.fromkeys(("connected", "unanswered"), SOMEBODY_ELSE)),
    (
        Queue("queue", 1, QueueFor.OPERATORS, "b", "c", "d", "e"),
        dict.fromkeys(("connected", "message", "callback", "unanswered"), SOMEBODY_ELSE),
    ),
    (Forget("forget", 1, Forgotten.PATIENT, "b"), {"then": SOMEBODY_ELSE}),
]  # fmt: skip


@pytest.mark.parametrize(("step", "does"), TABLE, ids=lambda value: getattr(value, "name", ""))
def test_p9_what_each_outlet_establishes_and_ends(step: Step, does: dict[str, Effect]) -> None:
    assert {outlet: effect(step, outlet, FLOW) for outlet in step.outlets()} == {
        outlet: does.get(outlet, NOTHING) for outlet in step.outlets()
    }
    assert does.keys() <= step.outlets().keys()


def test_p9_nothing_that_was_proved_stands_where_a_call_has_grown_too_long() -> None:
    assert AT_THE_LIMIT == SOMEBODY_ELSE


def test_p7_no_step_says_the_emergency_line_of_a_flow_that_has_none() -> None:
    assert effect(Say("say", 1, "urgent", "b"), "then", WITHOUT_A_LINE) == NOTHING


def test_facts_and_their_kinds() -> None:
    assert [level_fact(level) for level in (1, 2, 3)] == ["level>=1", "level>=2", "level>=3"]
    assert sorted(LEVELS) == ["level>=1", "level>=2", "level>=3"]
    assert (bound_fact("slot"), CARD_FACT, POSSESSION) == ("bound:slot", "card:slot", "possession")
    assert FOUND == SLOT | APPOINTMENT | CARD
    assert SOMEBODY_ELSE.ends == PROVED
    assert EMERGENCY not in PROVED  # the line was heard by whoever called, whoever is spoken of


def test_these_are_all_facts_that_are_established_and_all_have_words() -> None:
    """What no step establishes is no fact: nobody speaks for a patient, or helps one, as far as a proof knows."""
    established = frozenset[str]().union(
        *(effect(step, one, FLOW).establishes for step, _ in TABLE for one in step.outlets())
    )
    assert established == PROVED | {EMERGENCY} == FACTS.keys()


@pytest.mark.parametrize(
    ("facts", "level", "words"),
    [
        (set(), Level.UNKNOWN, "level 0"),
        ({"level>=1"}, Level.IDENTIFIED, "level 1"),
        ({"level>=1", "level>=2", "possession"}, Level.VERIFIED, "level 2"),
        ({"level>=1", "level>=2", "level>=3", "bound:appointment"}, Level.STRONG, "level 3, an appointment is found"),
        ({"bound:slot", "card:slot", "heard:emergency"}, Level.UNKNOWN,
         "level 0, a slot is found by its reference, its card is shown"),
    ],
)  # fmt: skip
def test_what_is_known_in_words(facts: set[str], level: Level, words: str) -> None:
    assert level_in(frozenset(facts)) is level
    assert known(frozenset(facts)) == words
