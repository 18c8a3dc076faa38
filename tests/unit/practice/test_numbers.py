"""Telephone numbers are read into one form, and those that may not be given or dialled are refused."""

from __future__ import annotations

import pytest

from callcenter.practice.numbers import NumberProblem, parse_diallable, parse_number, parse_served, receives_sms


@pytest.mark.parametrize(
    ("written", "e164"),
    [
        ("06 39 98 00 01", "+33639980001"),
        ("04.65.71.00.01", "+33465710001"),
        ("+33 (0)6-39-98-00-01", "+33639980001"),
        ("0033639980001", "+33639980001"),
        ("06\u202f39\u00a098 00 01", "+33639980001"),
        ("+44 20 7946 0000", "+442079460000"),
        ("03 61 12 34 56", "+33361123456"),  # begins like 36xx, but is a plain number of the north
        ("01 18 00 00 00", "+33118000000"),
    ],
)
def test_numbers_are_read_as_people_write_them(written: str, e164: str) -> None:
    assert parse_number(written) == e164


@pytest.mark.parametrize(
    "written", ["0810 00 00 00", "08 20 12 34 56", "0899 123 456", "+33 899 123 456", "3639", "36 15", "118 218", "118"]
)
def test_ux05_surtaxed_numbers_are_refused(written: str) -> None:
    assert parse_number(written) is NumberProblem.SURTAXED
    assert parse_diallable(written) is NumberProblem.SURTAXED
    assert parse_served(written) is NumberProblem.SURTAXED


def test_free_numbers_of_the_08_range_are_not_surtaxed() -> None:
    assert parse_number("0800 10 20 30") == "+33800102030"


@pytest.mark.parametrize(
    "written", ["", "secrétariat", "0800 MEDECIN", "0465710001 poste 5", "6,39E+08", "++33639980001"]
)
def test_what_is_no_number_is_refused(written: str) -> None:
    assert parse_number(written) is NumberProblem.UNREADABLE


@pytest.mark.parametrize("written", ["15", "0639", "+3312", "06 39 98 00 01 06 39 98"])
def test_impossible_lengths_are_refused(written: str) -> None:
    assert parse_number(written) is NumberProblem.IMPOSSIBLE


@pytest.mark.parametrize(("written", "number"), [("15", "15"), ("116 117", "116117"), ("0465710090", "+33465710090")])
def test_em04_short_numbers_may_be_dialled(written: str, number: str) -> None:
    assert parse_diallable(written) == number


def test_a_short_number_with_a_plus_is_none() -> None:
    assert parse_diallable("+15") is not None
    assert isinstance(parse_diallable("+15"), NumberProblem)


@pytest.mark.parametrize("written", ["0639980001", "+33 7 00 00 00 01"])
def test_ou05_a_served_number_is_no_mobile(written: str) -> None:
    assert parse_served(written) is NumberProblem.MOBILE


def test_only_french_mobiles_receive_codes() -> None:
    assert receives_sms("+33639980001")
    assert receives_sms("+33712345678")
    assert not receives_sms("+33465710099")
    assert not receives_sms("+447911123456")
    assert not receives_sms("+3363998000")
