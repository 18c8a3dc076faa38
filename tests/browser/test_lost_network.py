"""Without a network, a page says so, and what was typed on it stays; a form is sent once."""

from __future__ import annotations

import asyncio
from typing import Any

from playwright.async_api import Browser, Page, expect

from tests.browser.barriers import barriers
from tests.browser.test_console_pages import looking, signed_in
from tests.unit.console.doubles import Desk, open_desk

KEPT = "Le réseau ne répond pas : rien n’est parti, et ce que vous avez saisi est encore là.".replace(" :", "\u00a0:")
BACK = "Le réseau répond de nouveau."


async def letter(page: Page, desk: Desk) -> list[dict[str, Any]]:
    """A page with a text to write, as those of messages have one; what arrives is noted."""
    arrived: list[dict[str, Any]] = []
    form = '<form method="post" action="/ecrit"><label>Texte <textarea name="texte"></textarea></label>'
    form += '<button name="choix" value="un">Envoyer</button></form>'

    async def with_form(route: Any) -> None:
        answer = await route.fetch()
        await route.fulfill(response=answer, body=(await answer.text()).replace("</main>", form + "</main>"))

    async def taken(route: Any) -> None:
        arrived.append(route.request.post_data_json)
        await asyncio.sleep(0.2)
        await route.fulfill(content_type="text/html; charset=utf-8", body="<title>Reçu</title>")

    await signed_in(page, desk)
    await page.route("**/compte", with_form)
    await page.route("**/ecrit", taken)
    await page.goto(desk.guest.origin + "/compte")
    return arrived


async def test_what_is_typed_stays_and_is_sent_when_the_network_is_back(browser: Browser) -> None:
    async with open_desk() as desk, looking(browser) as page:
        arrived = await letter(page, desk)
        await page.get_by_label("Texte").fill("Rappeler avant midi")
        await page.route("**/static/**", lambda route: route.abort())  # not known to the browser: it says it is on line
        await page.get_by_role("button", name="Envoyer").click()
        await expect(page.get_by_role("status").filter(has_text=KEPT)).to_be_visible()
        await expect(page.get_by_label("Texte")).to_have_value("Rappeler avant midi")
        assert arrived == []
        assert await barriers(page) == []
        await page.unroute("**/static/**")
        await page.get_by_role("button", name="Envoyer").click()
        await expect(page).to_have_title("Reçu")
        assert arrived == [{"texte": "Rappeler avant midi", "choix": "un"}]


async def test_the_page_says_when_the_network_goes_and_comes(browser: Browser) -> None:
    async with open_desk() as desk, looking(browser) as page:
        await signed_in(page, desk)
        await page.goto(desk.guest.origin + "/compte")
        await page.context.set_offline(True)
        await expect(page.get_by_text("Le réseau ne répond plus")).to_be_visible()
        await page.get_by_role("button", name="Choisir cette langue").click()
        await expect(page.get_by_text(KEPT)).to_be_visible()
        await page.context.set_offline(False)
        await expect(page.get_by_text(BACK)).to_be_visible()
        await page.get_by_role("button", name="Choisir cette langue").click()
        await expect(page.get_by_text("Les pages sont dans la langue choisie.")).to_be_visible()


async def test_a_machine_without_a_network_reaches_its_own_console(browser: Browser) -> None:
    async with open_desk() as desk, looking(browser) as page:
        await page.add_init_script("Object.defineProperty(navigator, 'onLine', { value: false })")
        await signed_in(page, desk)
        await page.goto(desk.guest.origin + "/compte")
        await page.evaluate("dispatchEvent(new Event('offline'))")
        await page.get_by_role("button", name="Choisir cette langue").click()
        await expect(page.get_by_text("Les pages sont dans la langue choisie.")).to_be_visible()


async def test_two_presses_send_a_form_once(browser: Browser) -> None:
    async with open_desk() as desk, looking(browser) as page:
        arrived = await letter(page, desk)
        await page.get_by_label("Texte").fill("Rappeler avant midi")
        await page.get_by_role("button", name="Envoyer").dblclick()
        await expect(page).to_have_title("Reçu")
        assert len(arrived) == 1
