"""The pictures of the documents, taken of the page as tests see it: ``make pictures``. No test; look at them after."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from callcenter.emulator.client import ControlClient
from tests.acceptance.on_the_line import BORN, JEANNE, RESCUE, TILLEULS
from tests.acceptance.outreach import outside
from tests.acceptance.stage import Stage
from tests.acceptance.test_two_people_talk import OPEN, Office
from tests.browser.conftest import Visits
from tests.browser.test_console_login import first_step, make_staff, second_step
from tests.browser.test_console_pages import looking
from tests.browser.test_script_on_stage import code_sent, takes_a_call
from tests.browser.test_telephones import rings
from tests.browser.test_workplace import at_work, button
from tests.browser.visitor import NARROW, Telephone, Visitor, without_waiting

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
LARGEST = 200_000  # bytes: pictures stay in the repository for ever
MARIE = "+33639980002"
SCREEN = {"width": 1280, "height": 840}
STILL = {"reduced_motion": "reduce"}


async def picture(page: Page, name: str) -> None:
    path = IMAGES / name
    await page.mouse.move(0, 0)
    await page.screenshot(path=path)
    assert path.stat().st_size < LARGEST, f"{name} has {path.stat().st_size} bytes: show less"


async def asked_for_the_code(visitor: Visitor) -> Telephone:
    jeanne = visitor.telephone("Jeanne Martin-Duval")
    await visitor.press("Enter")
    await expect(jeanne.heard.last).to_contain_text("Rendez-vous, tapez 1")
    await visitor.press("1")
    await expect(jeanne.heard.last).to_contain_text("déjà pris")
    await visitor.press("1")
    await expect(jeanne.heard.last).to_contain_text("date de naissance")
    await visitor.press(*BORN)
    await expect(jeanne.element.locator(".notice")).to_be_visible()
    return jeanne


async def told(visitor: Visitor, jeanne: Telephone) -> None:
    await jeanne.element.locator(".notice .code").click()
    await expect(jeanne.heard.last).to_contain_text("Je vais lire")
    await visitor.press("1")
    await expect(jeanne.heard.last).to_contain_text("Confirmer")


async def test_a_code_arrives(visit: Visits) -> None:
    async with visit(kept=without_waiting(JEANNE, MARIE), viewport=SCREEN, **STILL) as visitor:
        await asked_for_the_code(visitor)
        await visitor.page.locator(".call-entry summary").first.click()
        await expect(visitor.page.locator(".exchange")).to_have_count(4)
        await picture(visitor.page, "telephones.png")


async def test_what_was_asked_and_answered(visit: Visits) -> None:
    async with visit(kept=without_waiting(JEANNE, MARIE), viewport=SCREEN, **STILL) as visitor:
        await told(visitor, await asked_for_the_code(visitor))
        await visitor.press("Escape")
        await visitor.page.locator(".call-entry summary").first.click()
        exchange = visitor.page.locator(".exchange").filter(has_text=f"Digits {BORN}")
        await exchange.locator("summary").first.click()
        await expect(exchange.locator("pre.twiml")).to_be_visible()
        await picture(visitor.page, "telephones-history.png")


async def test_on_a_narrow_screen(visit: Visits) -> None:
    kept = without_waiting(JEANNE, MARIE)
    narrow = {"viewport": NARROW, "device_scale_factor": 2, "has_touch": True, "locale": "en-GB", **STILL}
    async with visit(kept=kept, **narrow) as visitor:
        await asked_for_the_code(visitor)
        await picture(visitor.page, "telephones-narrow.png")


async def test_in_the_dark_another_telephone_rings(stage: Stage, visit: Visits) -> None:
    kept = without_waiting(JEANNE, RESCUE)
    async with visit(kept=kept, viewport=SCREEN, color_scheme="dark", **STILL) as visitor:
        await told(visitor, await asked_for_the_code(visitor))
        rings(stage, RESCUE, TILLEULS)
        rescue = visitor.telephone("Cabinet des Tilleuls, ligne de secours")
        await expect(rescue.element).to_have_class(re.compile("ringing"))
        await picture(visitor.page, "telephones-dark.png")


async def test_the_first_page_of_staff(browser: Browser, stage: Stage) -> None:
    await make_staff(stage)
    async with looking(browser, viewport={"width": 1000, "height": 790}, **STILL) as page:
        await first_step(page, stage, "operatrice2")
        await second_step(page, stage, "operatrice2")
        await expect(page.get_by_role("heading", name="Bonjour, Télésecrétaire 2")).to_be_visible()
        await picture(page, "console.png")


async def test_a_call_rings_at_a_workplace(browser: Browser, stage: Stage) -> None:
    await stage.furnish(OPEN)
    await make_staff(stage)
    async with (
        ControlClient(stage.emulator.base_url) as client,
        at_work(browser, stage, viewport={"width": 1000, "height": 832}, **STILL) as page,
    ):
        await Office(stage, client).waits()
        await expect(page.get_by_role("heading", name="Un appel pour Cabinet des Tilleuls")).to_be_visible()
        await picture(page, "workplace.png")


async def test_a_call_from_its_verification_to_its_replay(browser: Browser, stage: Stage) -> None:
    """Verified by the caller's keys, one field revealed, the appointment moved, the call handed over; then what a
    supervisor sees of it: the README's own call."""
    await stage.furnish(OPEN)
    await make_staff(stage)
    wide = {"viewport": {"width": 1280, "height": 924}, **STILL}
    async with ControlClient(stage.emulator.base_url) as client:
        async with at_work(browser, stage, **wide) as page:
            office = Office(stage, client)
            hands, caller = await takes_a_call(page, office)
            await hands.press("2", "Quel rendez-vous ?")
            await hands.press("1", "Quelle est la date de naissance du patient ?")
            await hands.write(BORN)
            async with outside(stage) as seen:
                await hands.press("Enter", "code")
                await expect(page.get_by_text("Identité non vérifiée")).to_be_visible()
                await client.press(caller, await code_sent(seen))
                await client.settled(caller)
            await expect(page.get_by_text("Identité vérifiée, niveau 2")).to_be_visible()
            await expect(page.get_by_role("button", name="Montrer")).to_have_count(3)
            await hands.press("1", "Montrez seulement ce que la personne demande")
            await expect(page.locator(".revealed .value")).to_have_count(1)
            await without_focus(page)
            await picture(page, "script.png")
            await hands.press("0", "Que faire de ce rendez-vous")
            await hands.press("2", "Créneaux libres")
            await hands.press("5", "C’est déplacé")
            async with at_work(browser, stage, "operatrice2", **wide) as other:
                await page.get_by_label("Consulter, l’appelant en attente").select_option("Télésecrétaire 2")
                await page.locator("#act-consulter").click()
                await button(other, "Rejoindre").click()
                await expect(page.get_by_text("Télésecrétaire 2 : vous parle, l’appelant n’entend pas")).to_be_visible()
                await without_focus(page)
                await page.set_viewport_size({"width": 1280, "height": 704})  # to the end of the call and its script
                await picture(page, "transfer.png")
                await button(page, "Transmettre l’appel").click()
                await expect(other.get_by_role("heading", name="En ligne pour Cabinet des Tilleuls")).to_be_visible()
                await button(other, "Raccrocher").click()
                await expect(other.get_by_role("heading", name="Fin d’appel").first).to_be_visible()
            await client.settled(caller)
        async with looking(browser, **wide) as page:
            await first_step(page, stage, "superviseur")
            await second_step(page, stage, "superviseur")
            await page.get_by_role("link", name="En direct").click()
            await expect(page.get_by_role("heading", name="En direct")).to_be_visible()
            await page.set_viewport_size({"width": 1280, "height": 718})  # to the end of who is there
            await picture(page, "board.png")
            await page.set_viewport_size({"width": 1000, "height": 704})
            await page.get_by_role("link", name="Suivi").click()
            await page.get_by_label("Cabinet", exact=True).first.select_option(label="Cabinet des Tilleuls")
            await page.get_by_role("button", name="Chercher").click()
            await page.get_by_role("link", name="Revoir").first.click()
            await expect(page.get_by_text("Registre intact.")).to_be_visible()
            await page.set_viewport_size({"width": 1000, "height": 860})
            moved = page.locator(".moments > li").filter(has_text="Un rendez-vous est déplacé")
            while await moved.get_attribute("aria-current") is None:  # a moment more at each press
                await page.get_by_role("button", name="Suivant").click()
            await without_focus(page)
            await picture(page, "replay.png")


async def without_focus(page: Page) -> None:
    """Take away the ring that follows the keys: it is none of the page's."""
    await page.evaluate("document.activeElement.blur()")
