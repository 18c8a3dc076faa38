"""The settings of a practice in a browser, on a real server: what is changed on a page is heard on the next call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from callcenter.console.practices import GROUPS
from callcenter.emulator.client import ControlClient
from callcenter.practice.practice_form import Setting
from tests.acceptance.stage import Stage
from tests.acceptance.test_two_people_talk import CALLER, OPEN, PRACTICE
from tests.browser.test_console_login import first_step, make_staff, second_step
from tests.browser.test_console_pages import looking

MESSAGE = "Le docteur Moreau a quarante-cinq minutes de retard."


@asynccontextmanager
async def before_the_practice(browser: Browser, stage: Stage, **options: Any) -> AsyncIterator[Page]:
    """The demo's supervisor before the page of the Tilleuls."""
    async with looking(browser, **options) as page:
        await first_step(page, stage, "superviseur")
        await second_step(page, stage, "superviseur")
        await expect(page.get_by_role("heading", name="Bonjour", level=1)).to_be_visible()
        await page.get_by_role("link", name="Cabinets", exact=True).click()
        await page.get_by_role("link", name="Cabinet des Tilleuls").click()
        await expect(page.get_by_role("heading", name="Cabinet des Tilleuls", level=1)).to_be_visible()
        yield page


@pytest.fixture
async def open_stage(stage: Stage) -> Stage:
    await stage.furnish(OPEN)
    await make_staff(stage)
    return stage


async def greeting(stage: Stage) -> str:
    """What a call hears before the caller does anything."""
    async with ControlClient(stage.emulator.base_url) as client:
        leg = await client.start(CALLER, PRACTICE, "scripted")
        heard = " ".join(spoken.text for spoken in (await client.settled(leg)).heard)
        await client.hang_up(leg)
        await client.closed(leg)
    return heard


async def test_a_message_of_the_day_is_tried_saved_and_heard_on_the_next_call(
    browser: Browser, open_stage: Stage
) -> None:
    assert MESSAGE not in await greeting(open_stage)
    async with before_the_practice(browser, open_stage) as page:
        await page.get_by_role("link", name="Modifier : Message du jour").click()
        await page.get_by_label("Message du jour").fill(MESSAGE)
        await page.get_by_role("button", name="Aperçu : ce qu’entendraient les appelants").click()
        preview = page.get_by_role("region", name="Aperçu : rien n’est enregistré")
        await expect(preview).to_contain_text(MESSAGE)
        sound = preview.locator("audio")
        await sound.evaluate("audio => { audio.preload = 'auto'; audio.load(); }")
        async with asyncio.timeout(30):
            while not await sound.evaluate("audio => audio.duration > 3"):
                await asyncio.sleep(0.1)
        assert MESSAGE not in await greeting(open_stage)
        await expect(page.get_by_label("Message du jour")).to_have_value(MESSAGE)
        await expect(page.get_by_label("Ce soir, à minuit")).to_be_checked()
        await page.get_by_role("button", name="Enregistrer", exact=True).last.click()
        await expect(page.get_by_role("status")).to_contain_text("C’est enregistré")
        await expect(page.get_by_role("region", name="Aujourd’hui")).to_contain_text(MESSAGE)
        await page.get_by_role("link", name="Ce que vont entendre les appelants").click()
        shown = await page.locator("ol.heard li").all_inner_texts()
    heard = await greeting(open_stage)
    assert MESSAGE in heard
    assert len(shown) >= 4
    assert all(" ".join(line.split()) in heard for line in shown), "the preview shows other words than a call hears"


async def test_a_mistake_leads_to_its_field_by_keyboard_and_without_a_script(
    browser: Browser, open_stage: Stage
) -> None:
    async with before_the_practice(browser, open_stage, java_script_enabled=False) as page:
        await page.get_by_role("link", name="Modifier : Message du jour").click()
        await page.get_by_label("Message du jour").fill("x" * 20)
        await page.get_by_label("Un autre moment :").last.check()
        await page.get_by_role("button", name="Enregistrer", exact=True).last.click()
        await expect(page.get_by_role("alert")).to_contain_text("Indiquez un jour")
        await page.get_by_role("alert").get_by_role("link").click()
        await expect(page.get_by_label("Message du jour")).to_have_value("x" * 20)
        await expect(page.locator("#fin-jour")).to_have_attribute("aria-invalid", "true")


def test_every_setting_can_be_reached_from_the_page() -> None:
    assert sorted(one for _, settings in GROUPS for one in settings) == sorted(Setting)
