"""The pages of administration in a browser: an account is made by keyboard, and the pages hold on a narrow screen."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from callcenter.kernel.clock import DrivenClock
from callcenter.staff.values import Role
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer
from tests.browser.test_console_pages import NARROW, looking
from tests.integration.consoles import BY, ORGANISATION, Console, opened_console


async def _chief(console: Console) -> None:
    await console.joined("chef")
    account = await console.room.administration.called("chef")
    portfolio = await console.room.portfolios.create(ORGANISATION, "Tous les cabinets", BY, whole=True)
    await console.room.administration.grant(account, Role.ADMINISTRATOR, portfolio, BY)


@pytest.mark.parametrize("options", [{}, {"viewport": NARROW, "color_scheme": "dark"}], ids=["wide", "narrow and dark"])
async def test_an_account_is_made_by_keyboard_alone(
    browser: Browser, database: Database, sealer: Sealer, clock: DrivenClock, options: dict[str, object]
) -> None:
    async with opened_console(database, sealer, clock) as console, looking(browser, **options) as page:
        await _chief(console)
        token = console.guest.cookies["__Host-callcenter"]
        given = {"Set-Cookie": f"__Host-callcenter={token}; Path=/; Secure; HttpOnly; SameSite=Strict"}
        await page.route("**/given", lambda route: route.fulfill(headers=given, body=""))
        await page.goto(console.guest.origin + "/given")
        await page.unroute("**/given")
        await page.goto(console.guest.origin + "/")
        await page.get_by_role("link", name="Administration").click()
        await page.get_by_label("Identifiant").focus()
        await page.keyboard.type("operatrice8")
        await page.keyboard.press("Tab")
        await page.keyboard.type("Télésecrétaire 8")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Invitation de Télésecrétaire 8")).to_be_visible()
        await expect(page.locator(".secret")).to_contain_text("/invitation/")
        await page.get_by_role("link", name="Aller à la page du compte").click()
        await page.get_by_label("Engagement de secret signé le").fill("2026-11-20")
        await page.get_by_role("button", name="Enregistrer la signature").click()
        await expect(page.get_by_role("status")).to_contain_text("L’engagement de secret est enregistré")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await page.get_by_role("link", name="Administration").first.click()
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await page.get_by_role("link", name="État de l’installation").click()
        await expect(page.get_by_role("heading", name="Clés")).to_be_visible()
