"""A birth date as it is typed to look for a patient."""

from __future__ import annotations

from datetime import date

import pytest

from callcenter.console.typed import birth_date

TODAY = date(2026, 11, 26)


@pytest.mark.parametrize("typed", ["1962-03-14", "1896-01-01", "2026-11-26"])
def test_a_day_on_which_somebody_alive_may_be_born_is_one(typed: str) -> None:
    assert birth_date(typed, TODAY) == date.fromisoformat(typed)


@pytest.mark.parametrize("typed", ["", "14/03/1962", "1962-02-30", "1895-12-31", "2026-11-27"])
def test_any_other_is_none(typed: str) -> None:
    assert birth_date(typed, TODAY) is None
