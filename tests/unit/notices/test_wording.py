"""The words of notices: how many wait and where they are read, by an address that is the same for everybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from callcenter.app.configured import messages_page
from callcenter.notices.waiting import Waiting
from callcenter.notices.wording import digest, incident, urgent_notice
from tests.acceptance.stage import stage_settings

PAGE = "https://console.example/messages"
WAITS = Waiting(None, messages=3, urgent=1, bookings=2)


def test_a_notice_names_the_command_where_there_is_no_page() -> None:
    assert urgent_notice("Cabinet", "cabinet").body == (
        "Cabinet : 1 message urgent à lire. Lire : callcenter inbox --practice cabinet"
    )


def test_a_notice_names_the_page_and_nothing_of_the_message() -> None:
    assert urgent_notice("Cabinet", "cabinet", PAGE).body == f"Cabinet : 1 message urgent à lire. Lire : {PAGE}"


def test_a_digest_names_the_page_for_messages_and_the_command_for_bookings() -> None:
    assert digest("Cabinet", "cabinet", WAITS, PAGE).body == (
        "Cabinet : 3 messages à lire, dont 1 urgent ; 2 demandes de rendez-vous à traiter. "
        f"Lire : {PAGE} ; callcenter practice bookings cabinet"
    )


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("https://console.example", PAGE),
        ("https://console.example:8443/", "https://console.example:8443/messages"),
        ("http://localhost:8081", None),
    ],
)
def test_the_page_is_told_where_it_opens_from_elsewhere(tmp_path: Path, url: str, page: str | None) -> None:
    settings = stage_settings(tmp_path / "keys.json", console={"public_url": url})
    assert messages_page(settings) == page


def test_a_mail_about_an_incident_says_that_there_is_one_and_where_it_is_read() -> None:
    told = incident("Cabinet", "https://console.example/avis")
    assert told.subject == "Cabinet : un incident vous concerne"
    assert told.body == f"{told.subject}. Connectez-vous à la console : https://console.example/avis"
    assert incident("Cabinet").body.endswith("Connectez-vous à la console, page « Avis d’incident ».")
