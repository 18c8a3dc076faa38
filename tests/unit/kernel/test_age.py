"""One is of age from the eighteenth birthday on, whoever asks."""

from __future__ import annotations

from datetime import date

import pytest

from callcenter.kernel.age import age, is_adult


def test_one_is_adult_from_the_eighteenth_birthday() -> None:
    assert not is_adult(date(2008, 11, 27), date(2026, 11, 26))
    assert is_adult(date(2008, 11, 26), date(2026, 11, 26))
    assert is_adult(date(1931, 12, 31), date(2026, 1, 1))
    assert not is_adult(date(2008, 12, 1), date(2026, 11, 30))


@pytest.mark.parametrize(
    ("born", "today", "years"),
    [
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
        (date(2026, 11, 26), date(2026, 11, 26), 0),
    ],
)
def test_a_year_is_full_on_the_birthday(born: date, today: date, years: int) -> None:
    assert age(born, today) == years
