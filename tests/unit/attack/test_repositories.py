"""No method that reaches rows about patients is added without somebody trying it on another practice."""

from __future__ import annotations

from types import ModuleType

import pytest

from callcenter.store.database import Transaction
from tests.attack import methods
from tests.attack.methods import methods_that_reach_rows
from tests.attack.repositories import CASES, NOT_ATTACKED


def test_p5_every_method_that_reaches_rows_is_attacked_or_says_why_not() -> None:
    reached = methods_that_reach_rows()
    assert reached - CASES.keys() - NOT_ATTACKED.keys() == set(), "try these on another practice's rows"
    assert CASES.keys() | NOT_ATTACKED.keys() == reached, "these are no methods any more"
    assert not CASES.keys() & NOT_ATTACKED.keys()
    assert all(reason.strip() for reason in NOT_ATTACKED.values())


class Added:
    """A repository that somebody adds."""

    def __init__(self, tx: Transaction | None) -> None:
        self.tx = tx

    async def method(self) -> None: ...

    @staticmethod
    async def static(tx: Transaction) -> None: ...

    async def _private(self) -> None: ...


async def added(several: dict[str, tuple[Added, ...]]) -> None: ...


def test_a_method_that_is_added_is_found_however_deep_its_transaction_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    room = ModuleType("callcenter.practice.added")
    for thing in (Added, added):
        monkeypatch.setattr(thing, "__module__", room.__name__)
        setattr(room, thing.__name__, thing)
    known = methods._modules

    def with_another(name: str) -> list[ModuleType]:
        return [*known(name), *([room] if name == "practice" else [])]

    monkeypatch.setattr(methods, "_modules", with_another)
    found = methods_that_reach_rows() - CASES.keys() - NOT_ATTACKED.keys()
    assert found == {"practice.added.Added.method", "practice.added.Added.static", "practice.added.added"}
