"""What a page weighs with all that it fetches, and that it fetches nothing from elsewhere.

Every other page is weighed where it is looked at (``without_barriers``), by what its browser tells: no less than what
came over the wire, as is seen here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page

from callcenter.console.flows import FlowPages
from callcenter.console.inbox import InboxPages
from callcenter.console.ledger import LedgerPages
from callcenter.console.ports import Stage
from callcenter.console.review import ReviewPages
from tests.browser.test_console_pages import looking, signed_in
from tests.browser.weight import LARGEST, weight
from tests.unit.console.doubles import INVITATION, open_desk
from tests.unit.console.inboxes import InboxesDouble
from tests.unit.console.ledgers import PRACTICE as LEDGER
from tests.unit.console.ledgers import LedgersDouble
from tests.unit.console.reviews import CALL, ReviewsDouble
from tests.unit.console.scenarios import DIGEST, ScenariosDouble

ACCUEIL = (Path(__file__).parents[2] / "docs" / "images" / "flows" / "accueil.svg").read_text(encoding="utf-8")
SUPERVISOR = {"roles": frozenset({"supervisor"})}


@dataclass(slots=True)
class Scale:
    """Weighs what a page fetches.

    Arguments:
        bytes: by path, as they came over the wire.
        elsewhere: addresses of other hosts.
    """

    origin: str
    bytes: dict[str, int] = field(default_factory=dict)
    elsewhere: list[str] = field(default_factory=list)
    _asked: dict[str, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.bytes.values())

    async def hang(self, page: Page) -> None:
        session = await page.context.new_cdp_session(page)
        await session.send("Network.enable")
        session.on("Network.requestWillBeSent", lambda event: self._begun(event))
        session.on("Network.loadingFinished", lambda event: self._came(event))

    def _begun(self, event: dict[str, Any]) -> None:
        url = event["request"]["url"]
        self._asked[event["requestId"]] = urlsplit(url).path
        if not url.startswith(self.origin + "/") and not url.startswith("data:"):
            self.elsewhere.append(url)

    def _came(self, event: dict[str, Any]) -> None:
        path = self._asked.get(event["requestId"], "?")
        self.bytes[path] = self.bytes.get(path, 0) + int(event["encodedDataLength"])


async def weighed(page: Page, origin: str, path: str) -> Scale:
    """A page, fetched by a browser that has nothing of it yet. Streams that stay open weigh nothing."""
    scale = Scale(origin)
    await scale.hang(page)
    await page.goto(origin + path)
    if path == "/poste":
        await page.wait_for_selector("html[data-ready]")
    await page.wait_for_timeout(150)
    return scale


@pytest.mark.parametrize(
    ("path", "how"),
    [
        ("/connexion", None),
        (f"/invitation/{INVITATION}", None),
        ("/nothing", None),
        ("/connexion/facteur", {"stage": Stage.PASSWORD}),
        ("/premier-facteur", {"stage": Stage.PASSWORD, "enrolled": False}),
        ("/", {}),
        ("/compte", {"confirmed": True}),
        ("/poste", {}),
        ("/messages", {}),
        ("/suivi", SUPERVISOR),
        (f"/suivi/appels/{CALL}", SUPERVISOR),
        ("/en-direct", SUPERVISOR),
        ("/incidents/nouveau", SUPERVISOR),
        ("/scenarios", SUPERVISOR),
        (f"/scenarios/{DIGEST}", SUPERVISOR),
        (f"/registre/{LEDGER}", SUPERVISOR),
        (f"/registre/{LEDGER}/depots", SUPERVISOR),
        ("/blocages", SUPERVISOR),
    ],
)
async def test_a_page_weighs_little_and_comes_from_us_alone(
    browser: Browser, path: str, how: dict[str, Any] | None
) -> None:
    pages = (
        InboxPages(InboxesDouble()),
        ReviewPages(ReviewsDouble()),
        FlowPages(ScenariosDouble(picture_shown=ACCUEIL)),
        LedgerPages(LedgersDouble()),
    )
    async with open_desk(pages=pages) as desk, looking(browser) as page:
        if how is not None:
            await signed_in(page, desk, **how)
        scale = await weighed(page, desk.guest.origin, path)
        assert scale.bytes[path] > 1_000  # it was weighed
        assert scale.bytes["/static/console.css"] > 1_000
        assert scale.total < LARGEST, scale.bytes
        assert scale.elsewhere == []
        told = await weight(page)
        assert told.keys() >= {
            path for path in scale.bytes if path.startswith("/")
        }  # and what stands in the page itself
        assert sum(told.values()) >= scale.total, (told, scale.bytes)


async def test_what_comes_from_elsewhere_or_is_heavy_is_seen(browser: Browser) -> None:
    async with open_desk() as desk:
        context = await browser.new_context()
        page = await context.new_page()
        body = '<img src="http://127.0.0.1:9/elsewhere.png">' + "x" * LARGEST
        await page.route("**/heavy", lambda route: route.fulfill(content_type="text/html", body=body))
        scale = Scale(desk.guest.origin)
        await scale.hang(page)
        await page.goto(desk.guest.origin + "/heavy")
        await page.wait_for_timeout(150)
        assert scale.elsewhere == ["http://127.0.0.1:9/elsewhere.png"]
        assert sum((await weight(page)).values()) > LARGEST
        await context.close()


async def test_the_second_page_fetches_no_file_again(browser: Browser) -> None:
    async with open_desk() as desk, looking(browser) as page:
        await signed_in(page, desk)
        first = await weighed(page, desk.guest.origin, "/")
        second = await weighed(page, desk.guest.origin, "/compte")
        assert first.bytes["/static/console.css"] > 1_000
        assert second.bytes.get("/static/console.css", 0) == 0
