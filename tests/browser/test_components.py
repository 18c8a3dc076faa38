"""The parts of which pages are made, all on one page, in every form."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, expect

from callcenter.console.files import FOLDER
from tests.browser.barriers import IN_OTHER_WORDS, barriers
from tests.browser.test_console_pages import looking
from tests.unit.console.doubles import open_desk

PARTS = Path(__file__).with_name("components.html").read_text(encoding="utf-8")
SHEET = (FOLDER / "console.css").read_text(encoding="utf-8")


@asynccontextmanager
async def parts(browser: Browser, **options: Any) -> AsyncIterator[Page]:
    async with open_desk() as desk, looking(browser, **options) as page:
        await page.route("**/parts", lambda route: route.fulfill(content_type="text/html", body=PARTS))
        await page.goto(desk.guest.origin + "/parts")
        yield page


async def test_the_parts_keep_nobody_out(browser: Browser) -> None:
    async with parts(browser) as page:
        assert await barriers(page) == []


async def test_a_barrier_is_seen(browser: Browser) -> None:
    async with parts(browser) as page:
        await page.evaluate("document.querySelector('#practice').labels[0].remove()")
        found = await barriers(page)
        assert [fault for fault in found if fault.startswith("light: select-name")] != []
        await page.evaluate("document.documentElement.lang = 'xx'")
        other = await barriers(page, IN_OTHER_WORDS)
        assert {fault.split(": ")[1] for fault in other} == {"select-name", "html-lang-valid"}
        await page.evaluate("document.querySelector('main').style.minWidth = '30rem'")
        assert [fault for fault in await barriers(page) if "wider than" in fault] == [
            "narrow and dark: wider than the window (WCAG 1.4.10)"
        ]
        assert "in other words: wider than the window (WCAG 1.4.10)" in await barriers(page, IN_OTHER_WORDS)


async def test_a_table_is_cards_on_a_narrow_screen(browser: Browser) -> None:
    async with parts(browser, viewport={"width": 320, "height": 700}) as page:
        cell = page.get_by_text("Maison de santé du Port")
        assert await cell.evaluate("(it) => getComputedStyle(it, '::before').content") == '"Cabinet\u00a0: "'
        await page.set_viewport_size({"width": 1280, "height": 700})
        assert await cell.evaluate("(it) => getComputedStyle(it, '::before').content") == "none"


async def test_nothing_moves_for_whoever_wants_no_movement(browser: Browser) -> None:
    takes = "getComputedStyle(document.querySelector('button')).transitionDuration"
    async with parts(browser, reduced_motion="reduce") as page:
        assert await page.evaluate("document.getAnimations().length") == 0
        assert await page.evaluate(takes) == "0s"
        await page.emulate_media(reduced_motion="no-preference")
        assert await page.evaluate(takes) == "0.12s"


async def test_on_paper_stands_what_is_to_be_read(browser: Browser) -> None:
    async with parts(browser) as page:
        await page.emulate_media(media="print", color_scheme="dark")
        await expect(page.locator(".filters")).to_be_hidden()
        await expect(page.locator("table")).to_be_visible()
        assert await page.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(18, 33, 39)"


async def test_with_forced_colours_states_keep_their_borders(browser: Browser) -> None:
    async with parts(browser, forced_colors="active") as page:
        width = await page.locator(".badge.good").first.evaluate("(it) => getComputedStyle(it).borderTopWidth")
        assert width == "1px"


def test_every_part_that_is_documented_stands_in_the_sheet_and_on_the_page() -> None:
    page = (FOLDER.parents[2] / "docs" / "console-components.md").read_text(encoding="utf-8")
    table = page.partition("| For | Write |")[2].partition("## Words")[0]
    named = set(re.findall(r"\.([a-z][a-z-]+)\b", " ".join(re.findall(r"`([^`{]+)", table)))) - {"field", "summary"}
    assert len(named) > 25
    assert {name for name in named if f".{name}" not in SHEET} == set()
