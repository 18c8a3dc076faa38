"""The public base URL, and the addresses below it."""

from __future__ import annotations

import pytest

from callcenter.calls.values import Slot
from callcenter.kernel.errors import ConfigurationError
from callcenter.telephony.urls import Urls, public_base
from tests.unit.telephony.doubles import CALL


@pytest.mark.parametrize(
    ("configured", "url"),
    [
        ("https://Voix.example.fr/", "https://Voix.example.fr"),
        ("https://voix.example.fr:8443/tel/", "https://voix.example.fr:8443/tel"),
        ("http://u:p@127.0.0.1:8080?x=1#rc=2", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://[::1]", "https://[::1]"),
        ("https://a.fr:0443", "https://a.fr:443"),
        ("https://a.fr:", "https://a.fr"),
    ],
)
def test_userinfo_query_fragment_and_final_slash_are_left_out(configured: str, url: str) -> None:
    assert public_base(configured).url == url


@pytest.mark.parametrize(
    "configured", ["", "voix.example.fr", "ftp://a.fr", "https://", "https://a.fr:x", "http://[::1"]
)
def test_what_is_no_absolute_url_is_a_configuration_error(configured: str) -> None:
    with pytest.raises(ConfigurationError, match="PUBLIC_BASE_URL"):
        public_base(configured)


@pytest.mark.parametrize(
    ("configured", "header", "ours"),
    [
        ("https://a.fr", "a.fr", True),
        ("https://a.fr", "A.FR:443", True),
        ("https://A.fr", "a.fr", True),
        ("https://a.fr", "a.fr:80", False),
        ("http://127.0.0.1:8080", "127.0.0.1:8080", True),
        ("http://127.0.0.1:8080", "127.0.0.1", False),
        ("https://a.fr", "a.fr.evil.example", False),
        ("https://a.fr", "", False),
    ],
)
def test_only_the_public_host_is_ours(configured: str, header: str, ours: bool) -> None:
    assert public_base(configured).is_host(header) is ours


def test_addresses_are_absolute_and_carry_identifiers_only() -> None:
    urls = Urls.below("https://a.fr/tel")
    assert urls.step(CALL, 7, Slot.NEXT) == f"https://a.fr/tel/voice/calls/{CALL}/7/next"
    assert urls.audio(CALL, "t0") == f"https://a.fr/tel/audio/{CALL}/t0"
    assert urls.message_status == "https://a.fr/tel/messages/status"
