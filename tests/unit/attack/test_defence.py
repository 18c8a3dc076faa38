"""The mechanism of the attacks: neither a hole nor an ornament goes unnoticed."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from tests.attack.defence import FOILED, SUCCEEDED, Defence, Outcome, Sabotage, attack, cases, judge, unanimous


def ornament(_: Sabotage) -> None:
    """Switches nothing off."""


WALL, MOAT = Defence("wall", "a rule", ornament), Defence("moat", "a rule", ornament)


def test_an_attack_that_succeeds_although_its_defence_stands_is_a_failure() -> None:
    judge(FOILED, ("wall",), (WALL,))
    with pytest.raises(AssertionError, match="succeeds although « wall » stands"):
        judge(SUCCEEDED, ("wall",), (WALL,))


def test_an_attack_that_fails_without_its_defence_is_a_failure() -> None:
    judge(SUCCEEDED, (), (WALL,))
    with pytest.raises(AssertionError, match="fails even without « wall, moat »"):
        judge(FOILED, (), (WALL, MOAT))


def test_each_of_several_defences_must_be_enough_alone() -> None:
    tried = {case.id: case.values[0] for case in cases((WALL, MOAT))}
    assert list(tried) == ["defended", "only wall", "only moat", "undefended"]
    assert [standing.left for standing in tried.values()] == [(WALL, MOAT), (WALL,), (MOAT,), ()]
    assert [standing.off for standing in tried.values()] == [(), (MOAT,), (WALL,), (WALL, MOAT)]
    assert [case.id for case in cases((WALL,))] == ["defended", "undefended"]


@pytest.mark.parametrize(
    ("succeeds", "standing", "failure"), [(True, ("wall",), "although"), (False, (), "without"), (False, ("wall",), "")]
)
async def test_what_the_attack_answers_is_judged(succeeds: bool, standing: tuple[str, ...], failure: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        sabotage = Sabotage(patch, standing=standing)
        for strike in _both_kinds(SUCCEEDED if succeeds else FOILED):
            if failure:
                with pytest.raises(AssertionError, match=failure):
                    await attack(stopped_by=WALL)(strike)(sabotage)
            else:
                await attack(stopped_by=WALL)(strike)(sabotage)


def _both_kinds(outcome: Outcome) -> tuple[Callable[[], object], Callable[[], object]]:
    async def waits() -> Outcome:
        return outcome

    def answers_at_once() -> Outcome:
        return outcome

    return waits, answers_at_once


def test_targets_that_come_out_differently_are_a_failure() -> None:
    assert unanimous({"a": FOILED, "b": FOILED}) is FOILED
    assert unanimous({"a": SUCCEEDED}) is SUCCEEDED
    with pytest.raises(AssertionError, match=r"succeeded on \['b'\] and was foiled on \['a'\]"):
        unanimous({"a": FOILED, "b": SUCCEEDED})
    with pytest.raises(AssertionError, match="nothing was attacked"):
        unanimous({})


def test_what_is_switched_off_must_be_there() -> None:
    product = SimpleNamespace(QUERY=text("SELECT 1 WHERE a AND b"), TWICE=text("b b"))
    with pytest.MonkeyPatch.context() as patch:
        sabotage = Sabotage(patch)
        for name, phrase in (("QUERY", "AND c"), ("TWICE", "b")):
            with pytest.raises(AssertionError, match="this is not its defence"):
                sabotage.rewrite(product, name, phrase, "")
        with pytest.raises(AttributeError):
            sabotage.replace(product, "missing", None)
        sabotage.rewrite(product, "QUERY", " AND b", "")
        assert str(product.QUERY) == "SELECT 1 WHERE a"
    assert str(product.QUERY) == "SELECT 1 WHERE a AND b"
