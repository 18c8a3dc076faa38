"""Broken glass in a browser: the whole way, from the practice that allows it to the practitioner who reviews it."""

from __future__ import annotations

from playwright.async_api import Browser, expect

from tests.acceptance.stage import Stage
from tests.browser.test_console_login import first_step, make_staff, second_step
from tests.browser.test_console_pages import looking
from tests.integration.breaking import SWITCH, TILLEULS


async def test_a_supervisor_opens_one_topic_and_the_practitioner_reviews_it(browser: Browser, stage: Stage) -> None:
    await make_staff(stage)
    async with stage.running.database.house() as connection:
        await connection.exec_driver_sql(SWITCH.format(practice=TILLEULS, value="on"))
    async with looking(browser) as page:
        await first_step(page, stage, "superviseur")
        await second_step(page, stage, "superviseur")
        await page.get_by_role("link", name="Bris de glace").click()
        confirm = page.get_by_role("link", name="Confirmer mon identité")
        if await confirm.count():
            await confirm.click()
            await second_step(page, stage, "superviseur")
        await page.get_by_label("Qui demande", exact=True).select_option("rescue")
        await page.get_by_label("Nom et service du demandeur").fill("Docteur Weil, SAMU 69")
        await page.get_by_label("Numéro de rappel").fill("04 65 71 00 99")
        await page.get_by_label("Ce qui se passe").fill("Trouvée inconsciente dans la rue.")
        await page.get_by_label("Date de naissance").fill("1962-03-14")
        await page.get_by_label("Nom, de naissance ou utilisé, en entier").fill("Martin-Duval")
        await page.get_by_label("Prénom", exact=True).fill("Jeanne")
        await page.get_by_role("button", name="Briser la glace").click()
        await expect(page.get_by_role("heading", name="Dossier ouvert en urgence")).to_be_visible()
        address = page.url
        await page.clock.install()
        await page.get_by_role("button", name="Téléphones du dossier").click()
        shown = page.locator("#ouvert")
        await expect(shown).to_be_focused()
        await expect(shown.locator("dd")).to_have_text("06 39 98 00 01")
        await page.clock.run_for(61_000)
        await expect(shown.locator("dd")).to_have_count(0)
        await page.go_back()
        await expect(page.get_by_text("06 39 98 00 01")).to_have_count(0)
    async with looking(browser) as page:
        await first_step(page, stage, "praticien")
        await second_step(page, stage, "praticien")
        await page.get_by_role("link", name="Bris de glace").click()
        await page.get_by_role("link", name="Relire").click()
        assert page.url == address
        await expect(page.get_by_text("Téléphones du dossier : ouvert")).to_be_visible()
        await expect(page.get_by_text("06 39 98 00 01")).to_have_count(0)
        await page.get_by_label("Justifié", exact=True).check()
        await page.get_by_label("Pourquoi").fill("Le SAMU a rappelé le cabinet.")
        await page.get_by_role("button", name="Inscrire l’avis").click()
        await expect(page.get_by_role("status").filter(has_text="Votre avis est inscrit.")).to_be_visible()
