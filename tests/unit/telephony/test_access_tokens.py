"""Passes of softphones: whose, for what, and never longer than ten minutes or the session."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from callcenter.emulator.access_tokens import AccessTokens, Grant, TokenError
from callcenter.telephony.access_tokens import Pass, Passes

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
ACCOUNT, KEY, APPLICATION = "AC" + "1" * 32, "SK" + "2" * 32, "AP" + "3" * 32
SECRET = "a secret of the tests that is long enough"
PASSES = Passes(ACCOUNT, KEY, SECRET, APPLICATION)
LATER = NOW + timedelta(hours=12)


def read(made: Pass | None, at: datetime = NOW, *, secret: str = SECRET) -> Grant:
    """What the carrier reads in it."""
    assert made is not None
    return AccessTokens(ACCOUNT, {KEY: secret}, lambda: at).verify(made.token)


def test_it_is_somebodys_and_calls_our_application_alone() -> None:
    made = PASSES.made("op_1", NOW, LATER)
    assert read(made) == Grant("op_1", NOW + timedelta(minutes=10), rings=False, application=APPLICATION)


@pytest.mark.parametrize(("left", "seconds"), [(720, 600), (600, 600), (599.9, 599), (1, 1)])
def test_it_ends_in_ten_minutes_or_with_the_session(left: float, seconds: int) -> None:
    made = PASSES.made("op_1", NOW, NOW + timedelta(seconds=left))
    assert made is not None
    assert made.seconds == seconds
    assert read(made).until == NOW + timedelta(seconds=seconds)
    with pytest.raises(TokenError, match="expired"):
        read(made, NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("left", [0.9, 0, -1])
def test_a_session_that_is_over_has_none(left: float) -> None:
    assert PASSES.made("op_1", NOW, NOW + timedelta(seconds=left)) is None


def test_a_carrier_whose_clock_is_late_takes_it_too() -> None:
    assert read(PASSES.made("op_1", NOW, LATER), NOW - timedelta(seconds=29)).identity == "op_1"


def test_another_secret_reads_nothing_in_it() -> None:
    with pytest.raises(TokenError, match="signature"):
        read(PASSES.made("op_1", NOW, LATER), secret="another secret, which is long enough too")


def test_neither_the_secret_nor_a_pass_is_shown_by_accident() -> None:
    made = PASSES.made("op_1", NOW, LATER)
    assert made is not None
    assert SECRET not in repr(PASSES)
    assert made.token not in repr(made)
