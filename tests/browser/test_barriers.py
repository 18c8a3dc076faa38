"""No page keeps anybody out: each is looked at by axe in every form, in both languages."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from callcenter.console import application, paths
from callcenter.console.ports import Stage
from callcenter.console.visits import Door
from tests.browser.barriers import without_barriers
from tests.browser.test_console_pages import looking, signed_in
from tests.unit.console.doubles import INVITATION, Desk, open_desk

#: Doors that one goes to and that show no page: a part of one, events, files.
NO_PAGES = frozenset({paths.WORKPLACE_STATE, paths.WORKPLACE_NEWS})
HELPER = without_barriers.__name__


async def sent(page: Page, action: str) -> None:
    """Send the form that leads there, whatever its button is called."""
    await page.locator(f'form[action="{action}"] button').first.click()


async def at_the_door(page: Page, desk: Desk) -> None:
    origin = desk.guest.origin
    await page.goto(origin + "/connexion")
    await without_barriers(page, "/connexion")
    await sent(page, "/connexion")
    await expect(page.get_by_role("alert")).to_be_focused()
    await without_barriers(page, "/connexion")
    await page.goto(origin + "/nothing")
    await without_barriers(page, "/nothing")


async def joining(page: Page, desk: Desk) -> None:
    origin = desk.guest.origin
    for token in (INVITATION, "none"):
        await page.goto(f"{origin}/invitation/{token}")
        await without_barriers(page, "/invitation/{token}")
    await signed_in(page, desk, stage=Stage.PASSWORD, enrolled=False)
    await page.goto(origin + "/premier-facteur")
    await without_barriers(page, "/premier-facteur")
    await sent(page, "/premier-facteur/application")
    await expect(page.locator(".qr svg")).to_be_visible()
    await without_barriers(page, "/premier-facteur/application")


async def coming_in(page: Page, desk: Desk) -> None:
    await signed_in(page, desk, stage=Stage.PASSWORD)
    await page.goto(desk.guest.origin + "/connexion/facteur")
    await without_barriers(page, "/connexion/facteur")
    await sent(page, "/connexion/facteur/application")
    await expect(page.get_by_role("alert")).to_be_focused()
    await without_barriers(page, "/connexion/facteur/application")


async def ones_own(page: Page, desk: Desk) -> None:
    origin = desk.guest.origin
    await signed_in(page, desk, confirmed=False)
    await page.goto(origin + "/compte")
    await without_barriers(page, "/compte")
    await signed_in(page, desk, confirmed=True)
    await page.goto(origin + "/")
    await without_barriers(page, "/")
    await page.goto(origin + "/confirmation")
    await without_barriers(page, "/confirmation")
    await page.goto(origin + "/compte?fait=session")
    await without_barriers(page, "/compte")
    await sent(page, "/compte/codes-de-secours")
    await expect(page.locator(".codes li")).to_have_count(10)
    await without_barriers(page, "/compte/codes-de-secours")


async def at_work(page: Page, desk: Desk) -> None:
    await signed_in(page, desk)
    await page.goto(desk.guest.origin + "/poste")
    await page.wait_for_selector("html[data-ready]")
    await without_barriers(page, "/poste")


@pytest.mark.parametrize("locale", ["fr-FR", "en-GB"])
@pytest.mark.parametrize("walk", [at_the_door, joining, coming_in, ones_own, at_work])
async def test_no_page_keeps_anybody_out(browser: Browser, locale: str, walk: object) -> None:
    async with open_desk() as desk, looking(browser, locale=locale) as page:
        await walk(page, desk)  # type: ignore[operator]
        assert await page.locator("html").get_attribute("lang") == locale[:2]


def looked_at(source: str) -> Iterator[str]:
    """The doors that the tests of a file look at."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == HELPER:
            yield from (one.value for one in node.args[1:] if isinstance(one, ast.Constant))


async def test_every_door_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that comes brings its own look: ``without_barriers(page, "/its/{address}")`` in a browser test."""
    found: list[Door] = []
    opened = application.doors
    monkeypatch.setattr(application, "doors", lambda *given: found.extend(opened(*given)) or found)
    async with open_desk():
        pages = {door.path for door in found if door.method == "GET"} - NO_PAGES
    files = Path(__file__).parent.glob("test_*.py")
    seen = {door for file in files for door in looked_at(file.read_text(encoding="utf-8"))}
    assert len(pages) > 6
    assert pages - seen == set()


def test_a_look_is_found_in_a_test() -> None:
    assert list(looked_at('await without_barriers(page, "/a/{b}")\nother(page, "/c")')) == ["/a/{b}"]
