"""What tries from one place have in common."""

from __future__ import annotations

import pytest

from callcenter.staff.throttle import origin_of


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("unix socket", "unix socket"),
        ("x" * 1_000, "x" * 100),
    ],
)
def test_a_subscriber_is_one_origin(address: str, origin: str) -> None:
    assert origin_of(address) == origin
