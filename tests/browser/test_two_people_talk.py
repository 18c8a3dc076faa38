"""A telephone and two workplaces, each in a page of its own: somebody rings, waits, is taken, and is heard."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from playwright.async_api import Browser, Page, expect

from tests.acceptance.on_the_line import JEANNE
from tests.acceptance.test_two_people_talk import Office
from tests.browser.softphones import CLOSED, WATCH, hears_more, hears_nothing_more
from tests.browser.test_a_call import MENU, THE_PRACTICE
from tests.browser.test_workplace import at_work, button, heading, is_there, rings
from tests.browser.visitor import visiting, without_waiting


async def watched(page: Page) -> Page:
    """The page, loaded anew so that every connection and microphone of it is noted."""
    await page.add_init_script(WATCH)
    await page.reload()
    await page.wait_for_selector("html[data-ready]")
    await expect(heading(page, "Disponible")).to_be_visible()
    return page


async def test_a_person_rings_waits_and_is_taken_held_discussed_and_handed_over_with_real_sound(
    browser: Browser, office: Office
) -> None:
    stage = office.stage
    async with AsyncExitStack() as stack:
        first = await watched(await stack.enter_async_context(at_work(browser, stage)))
        second = await watched(await stack.enter_async_context(at_work(browser, stage, "operatrice2")))
        telephones = visiting(browser, stage.emulator.base_url, before=WATCH, kept=without_waiting(JEANNE))
        visitor = await stack.enter_async_context(telephones)
        jeanne, caller = visitor.telephone("Jeanne Martin-Duval"), visitor.page

        await jeanne.element.get_by_role("button", name=THE_PRACTICE).click()
        await expect(jeanne.heard.last).to_contain_text(MENU)
        await visitor.press("0")
        await expect(jeanne.talk).to_contain_text("Je vous passe le secrétariat")
        await office.becomes(lambda: rings(first, second), True)  # both came at the same moment
        colleague = "Télésecrétaire 2"
        if await rings(second):
            first, second, colleague = second, first, "Télésecrétaire 1"
        await button(first, "Décrocher").click()
        await asyncio.gather(hears_more(caller), hears_more(first))

        await button(first, "Mettre en attente").click()
        await asyncio.gather(hears_nothing_more(caller), hears_nothing_more(first))
        await button(first, "Reprendre l’appelant").click()
        await asyncio.gather(hears_more(caller), hears_more(first))

        await is_there(second)
        asked = first.get_by_label("Consulter, l’appelant en attente")
        await asked.select_option(colleague)
        await first.locator("#act-consulter").click()
        await button(second, "Rejoindre").click()
        await asyncio.gather(hears_more(first), hears_more(second), hears_nothing_more(caller))

        await button(first, "Transmettre l’appel").click()
        await expect(heading(first, "Fin d’appel").first).to_be_visible()
        await expect(heading(second, "En ligne pour Cabinet des Tilleuls")).to_be_visible()
        await asyncio.gather(hears_more(caller), hears_more(second), first.wait_for_function(CLOSED))

        await button(second, "Raccrocher").click()
        await expect(heading(second, "Fin d’appel").first).to_be_visible()
        await asyncio.gather(caller.wait_for_function(CLOSED), second.wait_for_function(CLOSED))
        await expect(jeanne.talk).to_contain_text("Fin de l’appel")
