"""What callers key in: only what is well formed becomes a value."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.speech.typed import (
    NotADate,
    NotADateReason,
    NotANumber,
    NotANumberReason,
    birth_date,
    telephone,
)

TODAY = date(2026, 11, 23)


@given(born=st.dates(date(1901, 11, 23), TODAY))
@settings(deadline=None)
def test_a_birth_date_keyed_in_comes_back(born: date) -> None:
    assert birth_date(f"{born:%d%m%Y}", TODAY) == born


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ("", NotADateReason.NOT_EIGHT_DIGITS),
        ("050348", NotADateReason.NOT_EIGHT_DIGITS),  # a two-digit year
        ("050319480", NotADateReason.NOT_EIGHT_DIGITS),
        ("05 31948", NotADateReason.NOT_EIGHT_DIGITS),
        ("0503194*", NotADateReason.NOT_EIGHT_DIGITS),
        ("٠٥٠٣١٩٤٨", NotADateReason.NOT_EIGHT_DIGITS),
        ("30021948", NotADateReason.NO_SUCH_DAY),
        ("29021900", NotADateReason.NO_SUCH_DAY),
        ("01131948", NotADateReason.NO_SUCH_DAY),
        ("00011948", NotADateReason.NO_SUCH_DAY),
        ("01010000", NotADateReason.NO_SUCH_DAY),
        ("19480305", NotADateReason.NO_SUCH_DAY),  # year first
        ("24112026", NotADateReason.IN_THE_FUTURE),
        ("22111901", NotADateReason.TOO_LONG_AGO),
    ],
)
def test_what_is_no_birth_date_says_why(keys: str, reason: NotADateReason) -> None:
    assert birth_date(keys, TODAY) == NotADate(reason)


def test_the_first_and_the_last_birth_date() -> None:
    assert birth_date("23112026", TODAY) == TODAY
    assert birth_date("23111901", TODAY) == date(1901, 11, 23)
    assert birth_date("28021899", date(2024, 2, 29)) == date(1899, 2, 28)


@given(national=st.from_regex(r"0([1-79][0-9]|8[03-8])[0-9]{7}", fullmatch=True))
@settings(deadline=None)
def test_a_french_number_keyed_in_either_way_is_the_same(national: str) -> None:
    expected = f"+33{national[1:]}"
    assert telephone(national) == expected
    assert telephone(f"0033{national[1:]}") == expected


@pytest.mark.parametrize(
    ("keys", "e164"),
    [
        ("0639980001", "+33639980001"),  # reserved for fiction: possible, not valid
        ("0465710001", "+33465710001"),
        ("0041223456789", "+41223456789"),
        ("00330465710001", "+33465710001"),
    ],
)
def test_numbers_that_can_be_dialled(keys: str, e164: str) -> None:
    assert telephone(keys) == e164


def test_the_region_decides_what_ten_digits_mean() -> None:
    assert telephone("0262123456", region="RE") == "+262262123456"
    assert telephone("0223456789", region="CH") == "+41223456789"


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ("", NotANumberReason.NOT_DIGITS),
        ("04657100*1", NotANumberReason.NOT_DIGITS),
        ("+33465710001", NotANumberReason.NOT_DIGITS),
        ("046571000", NotANumberReason.WRONG_LENGTH),
        ("04657100011", NotANumberReason.WRONG_LENGTH),
        ("4657100010", NotANumberReason.WRONG_LENGTH),
        ("15", NotANumberReason.WRONG_LENGTH),
        ("003346", NotANumberReason.NOT_POSSIBLE),
        ("00", NotANumberReason.NOT_POSSIBLE),
        ("0000000000", NotANumberReason.NOT_POSSIBLE),
        ("00999123456789", NotANumberReason.NOT_POSSIBLE),
        ("0899123456", NotANumberReason.SURTAXED),
        ("0820123456", NotANumberReason.SURTAXED),
        ("0033810123456", NotANumberReason.SURTAXED),
    ],
)
def test_what_is_no_telephone_number_says_why(keys: str, reason: NotANumberReason) -> None:
    assert telephone(keys) == NotANumber(reason)


@given(keys=st.text("0123456789*#", max_size=20))
@settings(deadline=None)
def test_any_keys_get_a_value_or_a_reason(keys: str) -> None:
    number = telephone(keys)
    assert isinstance(number, NotANumber) or number.startswith("+")
    assert isinstance(birth_date(keys, TODAY), date | NotADate)
