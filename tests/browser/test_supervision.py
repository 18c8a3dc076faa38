"""The board and an incident in a browser: alive, and by keyboard."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from playwright.async_api import Browser, expect

from callcenter.routing.statistics import Queued
from tests.browser.test_console_pages import looking, signed_in
from tests.unit.console.boards import MORNING
from tests.unit.console.doubles import Desk, open_desk
from tests.unit.console.workplaces import NOW, TILLEULS

SUPERVISOR = frozenset({"supervisor"})


async def test_the_board_follows_what_happens_and_says_when_it_cannot(browser: Browser) -> None:
    async with open_desk() as desk, looking(browser) as page:
        await signed_in(page, desk, roles=SUPERVISOR)
        await page.goto(desk.guest.origin + "/")
        await page.get_by_role("link", name="En direct").click()
        await page.wait_for_selector("html[data-ready]")
        await expect(page).to_have_title("En direct – callcenter")
        waiting = page.locator(".tile", has_text="Appels en attente")
        await expect(waiting.locator(".figure")).to_have_text("3")
        assert all(await page.locator("main .tile dt").all_inner_texts())
        await page.get_by_text("Définitions et formules").click()
        await expect(page.get_by_text("Décrochés ÷ appels dont l’attente est finie.")).to_be_visible()
        desk.boards.stands(total=_with_more(desk))
        for bell in desk.workplaces.bells:
            bell.set()
        await expect(waiting.locator(".figure")).to_have_text("4")
        await expect(page.get_by_text("Décrochés ÷ appels dont l’attente est finie.")).to_be_visible()
        await page.route("**/en-direct/etat", lambda route: route.abort())
        await page.evaluate("window.dispatchEvent(new Event('offline'))")
        for bell in desk.workplaces.bells:
            bell.set()
        await expect(page.locator("#liaison")).to_contain_text("ces chiffres peuvent dater")


def _with_more(desk: Desk) -> Any:
    assert desk.boards.board is MORNING
    return replace(MORNING.total, now=Queued(4, NOW - timedelta(seconds=100), 2, 1))


async def test_an_incident_is_declared_by_keyboard_and_its_clock_is_on_the_next_page(browser: Browser) -> None:
    async with open_desk() as desk, looking(browser) as page:
        await signed_in(page, desk, roles=SUPERVISOR)
        await page.goto(desk.guest.origin + "/compte")
        await page.get_by_role("link", name="Déclarer un incident").press("Enter")
        await page.get_by_role("button", name="Déclarer").press("Enter")
        await expect(page.get_by_role("alert")).to_be_focused()
        await expect(page).to_have_title("Erreur\u00a0: Déclarer un incident – callcenter")
        await page.get_by_label("Nature", exact=True).select_option("wrong_person")
        await page.get_by_label("Nature et faits").fill("Une date a été dite à un tiers.")
        await page.get_by_label(TILLEULS).press("Space")
        desk.incidents.runs = True
        await page.get_by_role("button", name="Déclarer").press("Enter")
        await expect(page.get_by_role("heading", name="Il reste 67 h 00")).to_be_visible()
        await page.goto(desk.guest.origin + "/poste")
        await expect(page.get_by_role("link", name="Incident en cours")).to_be_visible()
        ((declared,),) = desk.incidents.done
        assert len(declared.practices) == 1
