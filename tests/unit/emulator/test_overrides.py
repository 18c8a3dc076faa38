from __future__ import annotations

import pytest

from callcenter.emulator.overrides import Overrides


def test_defaults_retry_a_failed_connection_once() -> None:
    assert Overrides.of("https://h.fr/p") == Overrides(5.0, 15.0, 15.0, 1, frozenset({"ct"}))


def test_all_keys() -> None:
    assert Overrides.of("https://h.fr/p#rc=2&rp=5xx,ct&ct=1000&rt=2000&tt=3000&sni=y&e=dublin") == Overrides(
        1.0, 2.0, 3.0, 2, frozenset({"5xx", "ct"})
    )


def test_all_policy() -> None:
    assert Overrides.of("https://h.fr/p#rp=all").policy == {"ct", "rt", "4xx", "5xx"}


@pytest.mark.parametrize("fragment", ["rc=6", "rc=-1", "ct=99", "rt=15001", "tt=soon", "rp=sometimes", "rc=²"])
def test_what_is_out_of_range_leaves_the_default(fragment: str) -> None:
    assert Overrides.of("https://h.fr/p#" + fragment) == Overrides()
