"""Several telephones: each its own number, call, messages and ring."""

from __future__ import annotations

import re

from playwright.async_api import expect

from callcenter.emulator.calls import Inline
from callcenter.emulator.switchboard import Order
from tests.acceptance.on_the_line import JEANNE, RESCUE, TILLEULS
from tests.acceptance.stage import Stage
from tests.browser.conftest import Visits
from tests.browser.visitor import Visitor, without_waiting

MARIE, PORT = "+33639980002", "+33261910001"
#: Then it waits for a key; nothing listens at the address where that would go.
GREETING = Inline(
    '<Response><Gather action="http://127.0.0.1:9/"><Say language="en-GB">Good morning.</Say></Gather></Response>'
)


def rings(stage: Stage, number: str, caller: str = TILLEULS) -> None:
    """The application calls somebody."""
    running = stage.emulator._running
    assert running is not None
    running._switchboard.order(Order(caller, number, GREETING))


async def test_two_telephones_are_in_two_calls_and_the_keyboard_is_that_of_the_active_one(visit: Visits) -> None:
    async with visit(kept=without_waiting(JEANNE, MARIE)) as visitor:
        jeanne, marie = visitor.telephone("Jeanne Martin-Duval"), visitor.telephone("Lucas, Hugo et Marie Petit")
        await jeanne.element.get_by_role("button", name=re.compile("Cabinet des Tilleuls,")).click()
        await marie.element.get_by_role("button", name=re.compile("Maison de santé du Port")).click()
        await expect(jeanne.heard.first).to_contain_text("Cabinet des Tilleuls, bonjour")
        await expect(marie.heard.first).to_contain_text("Maison de santé du Port, bonjour")
        await expect(marie.element).to_have_class(re.compile("active"))
        await expect(marie.heard.last).to_contain_text("Rendez-vous, tapez 1")
        await visitor.press("3")
        await expect(marie.talk.locator(".entered")).to_have_text("3")
        await expect(jeanne.talk.locator(".entered")).to_have_count(0)
        await jeanne.key("9").click()
        await expect(jeanne.talk.locator(".entered")).to_have_text("9")
        await expect(marie.talk.locator(".entered")).to_have_text("3")
        await visitor.press("Escape")
        await expect(jeanne.talk.locator(".aside")).to_have_text("Vous avez raccroché")
        await expect(marie.button("Raccrocher")).to_be_visible()
        await expect(visitor.page.locator(".call-entry")).to_have_count(2)


async def test_only_the_active_telephone_is_heard(visit: Visits) -> None:
    async with visit(kept=without_waiting(JEANNE, MARIE)) as visitor:
        jeanne, marie = visitor.telephone("Jeanne Martin-Duval"), visitor.telephone("Lucas, Hugo et Marie Petit")
        await jeanne.element.get_by_role("button", name=re.compile("Cabinet des Tilleuls,")).click()
        await expect(jeanne.heard.last).to_contain_text("Rendez-vous, tapez 1")
        await marie.element.get_by_role("heading", level=2).click()
        await visitor.page.evaluate("spoken.length = 0")
        await jeanne.key("3").dispatch_event("click")
        await expect(jeanne.heard.filter(has_text="Rendez-vous, tapez 1")).to_have_count(2)
        assert [line for line in await visitor.page.evaluate("spoken") if line != "(hushed)"] == []


async def test_a_telephone_rings_is_answered_by_the_keyboard_and_speaks_the_callers_language(
    stage: Stage, visit: Visits
) -> None:
    async with visit(kept=without_waiting(JEANNE, MARIE)) as visitor:
        marie = visitor.telephone("Lucas, Hugo et Marie Petit")
        rings(stage, MARIE)
        await expect(marie.element.get_by_role("alert")).to_contain_text("Cabinet des Tilleuls")
        await expect(visitor.page).to_have_title("Appel entrant · Lucas, Hugo et Marie Petit")
        await visitor.press("Enter")
        await expect(marie.heard.first).to_have_text("Good morning.")
        await visitor.page.wait_for_function("spoken.includes('en-GB: Good morning.')")
        await expect(visitor.page).to_have_title("Téléphones d’essai")
        await marie.button("Raccrocher").click()
        await expect(marie.button("Appeler")).to_be_visible()


async def test_a_call_may_be_rejected(stage: Stage, visit: Visits) -> None:
    async with visit(kept=without_waiting(JEANNE)) as visitor:
        rings(stage, JEANNE)
        await visitor.telephone("Jeanne Martin-Duval").button("Refuser").click()
        await expect(visitor.telephone("Jeanne Martin-Duval").button("Appeler")).to_be_visible()
        await expect(visitor.page.locator(".call-entry .status")).to_have_text("occupé")


async def test_a_telephone_that_is_not_on_the_page_can_be_opened_while_it_rings(stage: Stage, visit: Visits) -> None:
    async with visit(kept=without_waiting(JEANNE)) as visitor:
        rings(stage, RESCUE, JEANNE)
        await expect(visitor.page.locator("#elsewhere")).to_contain_text("Cabinet des Tilleuls, ligne de secours")
        await visitor.page.get_by_role("button", name="Ouvrir ce téléphone").click()
        rescue = visitor.telephone("Cabinet des Tilleuls, ligne de secours")
        await rescue.button("Répondre").click()
        await expect(rescue.heard.first).to_have_text("Good morning.")
        await expect(visitor.page.locator("#elsewhere")).to_be_empty()


async def test_a_number_may_be_withheld(stage: Stage, visit: Visits) -> None:
    async with visit(kept=without_waiting(JEANNE)) as visitor:
        jeanne = visitor.telephone("Jeanne Martin-Duval")
        await jeanne.button("Réglages du téléphone Jeanne Martin-Duval").click()
        await visitor.page.get_by_role("checkbox", name="Masquer mon numéro").check()
        await jeanne.element.get_by_role("button", name=re.compile("Cabinet des Tilleuls,")).click()
        await expect(jeanne.heard.first).to_contain_text("bonjour")
        await expect(visitor.page.locator(".call-entry .parties")).to_have_text("Numéro masqué → Cabinet des Tilleuls")
        assert next(one for one in stage.emulator.tape if one.kind == "webhook").form["From"] == "anonymous"


async def test_telephones_are_added_changed_taken_away_and_remembered(visitor: Visitor) -> None:
    page = visitor.page
    await page.get_by_role("button", name="Ajouter un téléphone").click()
    names = page.locator(".telephone h2")
    await expect(names).to_have_count(3)
    third = page.locator(".telephone").nth(2)
    await third.get_by_role("button", name=re.compile("Réglages")).click()
    await third.get_by_label("À qui est ce téléphone ?").select_option("")
    await third.get_by_label("Numéro de ce téléphone").fill("06 39 98 12 34")
    await visitor.press("Tab")
    await expect(names.nth(2)).to_have_text("06 39 98 12 34")
    await page.reload()
    await expect(names.nth(2)).to_have_text("06 39 98 12 34")
    await third.get_by_role("button", name=re.compile("Réglages")).click()
    await third.get_by_role("button", name="Retirer ce téléphone").click()
    await expect(names).to_have_count(2)


async def test_a_number_that_is_none_is_refused_with_what_to_write(visitor: Visitor) -> None:
    jeanne = visitor.telephone("Jeanne Martin-Duval")
    await jeanne.button("Réglages du téléphone Jeanne Martin-Duval").click()
    await jeanne.element.get_by_label("À qui est ce téléphone ?").select_option("")
    await jeanne.element.get_by_label("Numéro de ce téléphone").fill("<b>Jeanne</b>")
    await visitor.press("Tab")
    await expect(visitor.page.get_by_role("alert").filter(has_text="Écrivez un numéro")).to_be_visible()
    await expect(jeanne.element).to_be_visible()
