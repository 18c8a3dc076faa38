"""A wait in words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from callcenter.speech.waits import LONGEST_SAID, spoken_wait


@pytest.mark.parametrize(
    ("half", "most", "fr", "en"),
    [
        (0, 20, "moins d'une minute", "less than a minute"),
        (40, 60, "moins d'une minute", "less than a minute"),
        (40, 61, "une à deux minutes", "1 to 2 minutes"),
        (120, 240, "deux à quatre minutes", "2 to 4 minutes"),
        (130, 130, "deux à trois minutes", "2 to 3 minutes"),
        (21 * 60, 31 * 60, "vingt et une à trente minutes", "21 to 30 minutes"),
        (29 * 60, 3600, "vingt-neuf à trente minutes", "29 to 30 minutes"),
        (1800, 3600, "plus de trente minutes", "more than 30 minutes"),
    ],
)
def test_it_is_a_range_of_whole_minutes(half: int, most: int, fr: str, en: str) -> None:
    bounds = timedelta(seconds=half), timedelta(seconds=most)
    assert (spoken_wait(*bounds), spoken_wait(*bounds, "en")) == (fr, en)


def test_nothing_is_promised_that_is_shorter_than_it_is() -> None:
    for seconds in range(0, 2 * LONGEST_SAID * 60, 7):
        assert spoken_wait(timedelta(seconds=seconds), timedelta(seconds=seconds * 2))
