"""Withheld numbers in every spelling, and lines that would ring themselves."""

from __future__ import annotations

import pytest

from callcenter.telephony.callers import Line, e164


@pytest.mark.parametrize(
    "value",
    [
        *("anonymous", "Anonymous", "ANONYMOUS", "Restricted", "restricted", "unknown", "Unavailable", "blocked", ""),
        *("+266696687", "+7378742833", "+86282452253", "+2562533", "+8656696"),
        *(" 266696687", "266696687", " 7378742833"),
        *("client:operator_4", "sip:jeanne@example.fr", "sip:+33612345678@example.fr", "anonymous@anonymous.invalid"),
        *("0612345678", "33612345678", "+0612345678", "+336 12 34 56 78", "+33612345678\n", "+336123456789012345"),
        *("+٣٣٦١٢٣٤٥٦٧٨", "+", "  33612345678"),
    ],
)
def test_whatever_is_no_number_is_withheld(value: str) -> None:
    assert e164(value) is None


@pytest.mark.parametrize("value", ["+33612345678", " 33612345678"])
def test_a_space_stands_for_a_plus_that_was_not_encoded(value: str) -> None:
    assert e164(value) == "+33612345678"


@pytest.mark.parametrize(
    "origin", ["+33472000000", "0472000000", "33472000000", "04 72 00 00 00", "sip:+33472000000@x"]
)
def test_a_line_is_recognised_in_every_spelling(origin: str) -> None:
    assert Line("+33465710001", (origin,)).comes_from("+33472000000")


@pytest.mark.parametrize("origin", ["+33472000001", "anonymous", "15", ""])
def test_another_line_is_not(origin: str) -> None:
    assert not Line("+33465710001", (origin,)).comes_from("+33472000000")
