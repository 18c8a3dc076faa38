"""Supervisors' review in a browser: a call found and gone through again by keyboard alone, and without scripts."""

from __future__ import annotations

from playwright.async_api import Browser, Page, expect

from tests.acceptance.on_the_line import calling
from tests.acceptance.stage import Stage
from tests.browser.test_console_login import first_step, make_staff, second_step
from tests.browser.test_console_pages import looking, signed_in
from tests.unit.console.doubles import Desk, open_desk
from tests.unit.console.reviews import CALL, MOMENTS

SUPERVISOR = frozenset({"supervisor"})


async def test_a_call_is_found_and_replayed_by_keyboard_alone(browser: Browser, stage: Stage) -> None:
    await make_staff(stage)
    async with calling(stage) as line:
        await line.verify()
        await line.press("1")
    async with looking(browser) as page:
        await first_step(page, stage, "superviseur")
        await second_step(page, stage, "superviseur")
        await page.get_by_role("link", name="Suivi").focus()
        await page.keyboard.press("Enter")
        await page.get_by_label("Cabinet", exact=True).first.focus()
        await page.keyboard.type("Cabinet des T")
        await page.get_by_label("Issue").focus()
        await page.keyboard.type("Accord")
        await page.get_by_role("button", name="Chercher").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="1 résultat")).to_be_visible()
        assert page.url.endswith("/suivi"), "nothing that was looked for stands in an address"
        await page.get_by_role("link", name="Revoir").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("Registre intact.")).to_be_visible()
        shown = page.locator("#deroule > li:visible")
        every = await shown.count()
        assert every > 10
        await page.get_by_role("button", name="Début").focus()
        await page.keyboard.press("Enter")
        await expect(shown).to_have_count(1)
        await page.keyboard.press("ArrowRight")
        await expect(shown).to_have_count(2)
        await page.keyboard.press("End")
        await expect(shown).to_have_count(every)
        await expect(page.locator("#ou")).to_contain_text("Fin du déroulé.")
        await expect(page.locator("#ou")).to_contain_text("Un superviseur ouvre le déroulé de l’appel")
        async with page.expect_download() as download:
            await page.get_by_role("button", name="Télécharger en PDF").click()
        assert (await download.value).suggested_filename.startswith("appel-")


async def _call(page: Page, desk: Desk) -> None:
    await signed_in(page, desk, roles=SUPERVISOR)
    await page.goto(f"{desk.guest.origin}/suivi/appels/{CALL}")
    await expect(page.get_by_role("heading", name="Moment par moment")).to_be_visible()


async def test_a_call_plays_by_itself_with_its_silences_shortened(browser: Browser) -> None:
    async with open_desk() as desk, looking(browser) as page:
        await page.clock.install(time=0)
        await _call(page, desk)
        await page.clock.pause_at(3_600)  # seconds: until then the page's time went on beside ours
        shown, play = page.locator("#deroule > li:visible"), page.locator('[data-act="play"]')
        await page.get_by_label("Vitesse").select_option("1")
        await play.press("Space")
        await expect(shown).to_have_count(1)
        await expect(play).to_have_text("Pause")
        await page.clock.run_for(1_900)
        await expect(shown).to_have_count(1)
        await page.clock.run_for(200)  # two seconds lie between the first moments
        await expect(shown).to_have_count(2)
        await page.clock.run_for(2_100)  # twenty-eight between the next, which are a silence
        await expect(shown).to_have_count(3)
        await expect(page.locator("[aria-current=step] strong")).to_have_text("L’appelant a tapé")
        await play.press("Space")
        await page.clock.run_for(10_000)
        await expect(shown).to_have_count(3)
        await page.get_by_label("Raccourcir les silences").uncheck()
        await page.get_by_label("Vitesse").select_option("16")
        await play.press("Space")
        await page.clock.run_for(2_100)
        await expect(shown).to_have_count(3)
        await page.clock.run_for(200)  # thirty-five seconds, sixteen times as fast
        await expect(shown).to_have_count(4)
        await page.get_by_role("button", name="Tout montrer").click()
        await expect(shown).to_have_count(len(MOMENTS))
        await expect(play).to_have_text("Lecture")


async def test_without_scripts_a_call_is_a_whole_list(browser: Browser) -> None:
    async with open_desk() as desk, looking(browser, java_script_enabled=False) as page:
        await _call(page, desk)
        await expect(page.locator("#deroule > li:visible")).to_have_count(len(MOMENTS))
        await expect(page.get_by_role("button", name="Lecture")).to_be_hidden()
