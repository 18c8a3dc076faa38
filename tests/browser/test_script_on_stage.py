"""Whole calls by the operator's script, in a browser, on a real server beside the carrier in a box."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from callcenter.emulator.client import ControlClient
from tests.acceptance.on_the_line import BORN
from tests.acceptance.outreach import outside
from tests.acceptance.test_two_people_talk import CALLER, OPEN, Office
from tests.browser.test_console_login import make_staff
from tests.browser.test_workplace import at_work, button, heading, rung
from tests.unit.console.test_script import SHOWN as _SHOWN  # noqa: F401 - the page's own states are tested there


@pytest.fixture
async def office(stage) -> AsyncIterator[Office]:  # type: ignore[no-untyped-def]
    await stage.furnish(OPEN)
    await make_staff(stage)
    async with ControlClient(stage.emulator.base_url) as client:
        yield Office(stage, client)


async def test_try(browser: Browser, office: Office) -> None:
    async with at_work(browser, office.stage) as page:
        caller = await rung(office, page)
        await expect(heading(page, "Un appel pour Cabinet des Tilleuls")).to_be_visible()
        await page.keyboard.press("Alt+a")
        await expect(heading(page, "Scénario de l’appel")).to_be_visible()
        await page.screenshot(path="/tmp/w/desk5_w1.png", full_page=True)
        await page.keyboard.press("6")
        await expect(page.get_by_label("Date de naissance du patient")).to_be_focused()
        await page.screenshot(path="/tmp/w/desk5_w2.png", full_page=True)
        await page.keyboard.type(BORN)
        async with outside(office.stage) as seen:
            await page.keyboard.press("Enter")
            await expect(page.get_by_role("button", name="L’appelant est revenu")).to_be_visible()
            await page.screenshot(path="/tmp/w/desk5_w3.png", full_page=True)
            (message,) = await seen.texts(CALLER)
            code = "".join(letter for letter in message.body if letter.isdigit())[:6]
            await office.client.press(caller, code)
            await office.client.settled(caller)
        await expect(page.get_by_role("button", name="Montrer")).to_have_count(3)
        await page.keyboard.press("1")
        await expect(page.locator(".value")).to_have_count(1)
        await page.screenshot(path="/tmp/w/desk5_w4.png", full_page=True)
        print(await page.locator("main").inner_text())
        await page.keyboard.press("0")
        await expect(page.get_by_text("Que faire de ce rendez-vous ?").first).to_be_visible()
        await page.screenshot(path="/tmp/w/desk5_w5.png", full_page=True)
        await page.keyboard.press("0")
        await expect(page.get_by_text("Suite donnée")).to_be_visible()
        await page.screenshot(path="/tmp/w/desk5_w6.png", full_page=True)
        await page.keyboard.press("Alt+x")
        await expect(heading(page, "Fin d’appel").first).to_be_visible()
        await page.screenshot(path="/tmp/w/desk5_w7.png", full_page=True)
        print(await page.locator("main").inner_text())
