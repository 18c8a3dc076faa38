"""A number as people read it."""

from __future__ import annotations

import pytest

from callcenter.practice.numbers import in_pairs


@pytest.mark.parametrize(
    ("number", "read"),
    [
        ("+33639980001", "06 39 98 00 01"),
        ("+33465710001", "04 65 71 00 01"),
        ("+32470123456", "+32 470 12 34 56"),
        ("+262692123456", "+262 692 12 34 56"),
    ],
)
def test_a_french_number_is_read_in_pairs_and_another_as_it_is_written_abroad(number: str, read: str) -> None:
    assert in_pairs(number) == read
