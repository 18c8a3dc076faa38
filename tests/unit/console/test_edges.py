"""What stands around the pages: names of hosts, addresses, paths to come back to, headers, files."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from callcenter.console.addresses import asking_address
from callcenter.console.carrier_file import NotInstalled, carrier_file
from callcenter.console.dates import day, moment
from callcenter.console.files import FOLDER, files
from callcenter.console.origin import console_origin
from callcenter.console.paths import HOME, safe_return, with_return
from callcenter.kernel.errors import ConfigurationError
from tests.conftest import TODAY


@pytest.mark.parametrize(
    ("url", "written", "hosts"),
    [
        ("http://localhost:8081", "http://localhost:8081", {"localhost:8081", "LocalHost:8081"}),
        (
            "https://console.example.org",
            "https://console.example.org",
            {"console.example.org", "console.example.org:443"},
        ),
        ("https://Console.example.org:443/", "https://console.example.org", {"console.example.org"}),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443", {"[2001:db8::1]:8443"}),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(url: str, written: str, hosts: set[str]) -> None:
    origin = console_origin(url)
    assert str(origin) == written
    assert all(origin.is_host(host) for host in hosts)
    assert not origin.is_host("evil.example")
    assert not origin.is_host(f"{origin.host}:1")


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8081",
        "ftp://console.example.org",
        "https://console.example.org/callcenter",
        "https://a@b.example",
        "https://:8",
    ],
)
def test_what_is_no_address_of_a_whole_host_is_refused_with_what_to_write(url: str) -> None:
    with pytest.raises(ConfigurationError, match="write https://HOST"):
        console_origin(url)


@pytest.mark.parametrize("asked", ["/", "/compte", "/compte?fait=session", "/a/b-c/d.e", "/a?b=c&d=%20"])
def test_one_comes_back_to_a_page_of_ours(asked: str) -> None:
    assert safe_return(asked) == asked


@pytest.mark.parametrize(
    "asked",
    [
        *(None, "", "compte", "//evil.example", "///evil.example", "/\\evil.example", "\\/evil.example", "/%5Cevil\\x"),
        *("https://evil.example", "javascript:alert(1)", "/compte\r\nSet-Cookie: a=b", "/a//evil.example", "/\tevil"),
        *(
            "/connexion",
            "/connexion/facteur",
            "/deconnexion",
            "/confirmation",
            "/invitation/abc",
            "/static/console.css",
        ),
        *("/@evil.example", "/compte#x", "/" + "a" * 400),
    ],
)
def test_one_is_sent_nowhere_else(asked: str | None) -> None:
    assert safe_return(asked) == HOME


@given(st.text(alphabet="/\\.:@?#%ab\t\n ", max_size=12))
def test_whatever_is_asked_for_stays_with_us(asked: str) -> None:
    came = safe_return(asked)
    assert came.startswith("/")
    assert not came.startswith(("//", "/\\"))
    assert came in (asked, HOME)


def test_where_one_was_is_in_the_address_of_the_page_that_comes_between() -> None:
    assert with_return("/connexion", "/compte", fin="1") == "/connexion?suite=%2Fcompte&fin=1"
    assert with_return("/connexion", HOME) == "/connexion"


PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"),  # no proxy of ours wrote that
        ("10.0.0.5", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.5", ["203.0.113.9, 198.51.100.7"], "198.51.100.7"),  # the first was sent along
        ("10.0.0.5", ["203.0.113.9", "198.51.100.7, 10.2.3.4"], "198.51.100.7"),
        ("fd00::1", ["2001:db8::7"], "2001:db8::7"),
        ("10.0.0.5", ["somebody"], "unknown"),
        ("10.0.0.5", [], "10.0.0.5"),
    ],
)
def test_an_address_is_what_the_last_proxy_of_ours_says(peer: str, forwarded: list[str], address: str) -> None:
    headers = [("X-Forwarded-For", line) for line in forwarded]
    request = make_mocked_request("POST", "/connexion", headers=headers).clone(remote=peer)  # type: ignore[arg-type]
    assert asking_address(request, PROXIES) == address


def test_days_and_hours_are_those_of_paris_in_french() -> None:
    assert day(TODAY) == "26\u00a0novembre 2026"
    assert day(TODAY.replace(day=1).date()) == "1er\u00a0novembre 2026"
    assert moment(TODAY) == "26\u00a0novembre 2026 à 10\u00a0h\u00a000"


def test_every_file_of_the_folder_is_served_and_the_carriers_own_where_it_is_installed() -> None:
    carriers = carrier_file()
    installed = [] if isinstance(carriers, NotInstalled) else [carriers.name]
    assert sorted(files()) == sorted([*(path.name for path in FOLDER.iterdir()), *installed])
