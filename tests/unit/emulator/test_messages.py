from __future__ import annotations

import pytest

from callcenter.emulator.messages import segments


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("é" * 160, 1),
        ("€" * 81, 2),
        ("ê" * 70, 1),
        ("ê" + "a" * 70, 2),
        ("a" * 153 * 3 + "a", 4),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
    ],
)
def test_segments(body: str, count: int) -> None:
    assert segments(body) == count
