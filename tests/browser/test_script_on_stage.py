"""Whole calls by the operator's script, in a browser, on a real server beside the carrier in a box."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from playwright.async_api import Browser, Page, expect
from playwright.async_api import TimeoutError as Late
from sqlalchemy import text

from callcenter.practice.practice_form import Setting
from callcenter.store.database import SET_PRACTICE
from tests.acceptance.on_the_line import BORN
from tests.acceptance.outreach import Outside, outside
from tests.acceptance.test_settings_take_effect import put
from tests.acceptance.test_two_people_talk import CALLER, Office
from tests.browser.test_workplace import at_work, button, heading, rung

MARKUP = "<b onclick=alert(1)>Rappeler</b> avant midi"


class Hands:
    """Somebody who touches nothing but their keyboard.

    Arguments:
        count: keys that they have pressed, those of a text apart.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.count = 0

    async def press(self, key: str, then: str) -> None:
        """Press a key; the script says ``then`` before long.

        While an answer is under way no other is sent, and the screen that follows may come before it, by the page's own
        look: it is answered once both are there.
        """
        async with self.page.expect_response(lambda answer: "/poste/appels/" in answer.url) as answered:
            await self.page.keyboard.press(key)
        await (await answered.value).finished()
        self.count += 1
        await expect(self.page.locator("#a-dire")).to_contain_text(then)

    async def write(self, words: str, *, counted: bool = False) -> None:
        await self.page.keyboard.type(words)
        self.count += len(words) if counted else 0


async def takes_a_call(page: Page, office: Office) -> tuple[Hands, str]:
    """A call is taken, and the instructions, which are new to this operator, are read."""
    caller = await rung(office, page)
    await expect(heading(page, "Un appel pour Cabinet des Tilleuls")).to_be_visible()
    hands = Hands(page)
    await hands.press("Alt+a", "Consignes du cabinet")
    await hands.press("1", "Que souhaite la personne ?")
    return hands, caller


async def code_sent(seen: Outside) -> str:
    """The code that the caller gets, once they have come to their keys, to which the carrier leads them meanwhile."""
    for _ in range(200):
        if texts := await seen.texts(CALLER):
            return "".join(letter for letter in texts[0].body if letter.isdigit())[:6]
        await asyncio.sleep(0.05)
    raise AssertionError("no code was sent")


async def of_the_practice(office: Office, query: str) -> object:
    """One value out of the rows of the practice that is called."""
    practice = await office.one("SELECT practice_id FROM queue_entry")
    async with office.stage.running.database.house() as connection:
        await connection.execute(SET_PRACTICE, {"practice": str(practice)})
        return (await connection.execute(text(query))).scalar_one()


async def test_a_verified_date_is_told_by_keyboard_alone(browser: Browser, office: Office) -> None:
    async with at_work(browser, office.stage) as page:
        hands, caller = await takes_a_call(page, office)
        await hands.press("Alt+v", "Quelle est la date de naissance du patient ?")
        await expect(page.get_by_label("Date de naissance du patient")).to_be_focused()
        await hands.write(BORN, counted=True)
        async with outside(office.stage) as seen:
            await hands.press("Enter", "code")
            await expect(page.get_by_text("Identité non vérifiée")).to_be_visible()
            await expect(page.locator("#telephone-etat")).to_contain_text("à son clavier : il ne vous entend pas")
            code = await code_sent(seen)
            await office.client.press(caller, code)
            await office.client.settled(caller)
        # The page finds by itself that they are back.
        await expect(page.get_by_text("Identité vérifiée, niveau 2")).to_be_visible()
        values = page.locator(".revealed .value")
        await expect(page.get_by_role("button", name="Montrer")).to_have_count(3)
        await expect(values).to_have_count(0)
        await hands.press("1", "Montrez seulement ce que la personne demande")
        await expect(values).to_have_text(["mardi 1er décembre 2026 à 14 h 30"])
        await expect(page.locator(".trace")).to_contain_text("Communication D02 D03 – accordée")
        # A practitioner of the practice is sensitive: no name is told, to anybody (D04).
        await hands.press("2", "Par règle, ceci ne se dit pas au téléphone")
        await expect(page.locator(".files")).to_contain_text("ne se dit pas au téléphone")
        await expect(page.get_by_role("button", name="Montrer")).to_have_count(2)
        await expect(page.get_by_text("Identité vérifiée, niveau 2")).to_be_visible()
        await expect(values).to_have_text(["mardi 1er décembre 2026 à 14 h 30"])
        await hands.press("0", "Que faire de ce rendez-vous ?")
        await hands.press("0", "ce que l’appel est devenu")
        await expect(page.get_by_role("radio", name="Rendez-vous indiqué ou confirmé")).to_be_checked()
        await hands.press("Enter", "Appel clos.")
        await page.keyboard.press("Alt+x")
        await expect(heading(page, "Fin d’appel").first).to_be_visible()
        await expect(values).to_have_count(0)
        await page.keyboard.press("Alt+w")
        await expect(heading(page, "Disponible")).to_be_visible()
        assert hands.count + 2 <= 20  # eight of them are the birth date
        assert code not in await page.content()


async def test_what_is_read_in_another_agenda_is_declared_by_one_key_each(browser: Browser, office: Office) -> None:
    """Nothing of it comes from us: after the caller has proved who they are, a link, and a key for each category."""
    await put(office.stage, Setting.AGENDA, {"external": "https://agenda.example/"})
    async with at_work(browser, office.stage) as page, outside(office.stage) as seen:
        hands, caller = await takes_a_call(page, office)
        agenda = page.get_by_role("link", name="Ouvrir l’agenda du cabinet (nouvelle fenêtre)")
        await hands.press("6", "date de naissance du patient")
        await expect(agenda).to_have_count(0)
        await hands.write(BORN)
        await hands.press("Enter", "tape son code")
        await office.client.press(caller, await code_sent(seen))
        await expect(agenda).to_have_attribute("href", "https://agenda.example/")
        hands.count = 0
        for key, category in (("1", "D02"), ("2", "D03")):
            await hands.press(key, "agenda")
            told = page.locator(".files li").filter(has=page.get_by_text(category, exact=True))
            await expect(told.get_by_text("déclaré", exact=True)).to_be_visible()
        await hands.press("0", "autre chose pour vous")
        assert hands.count == 3
        await expect(page.locator(".trace").get_by_text("(déclarée)")).to_have_count(2)
        await page.keyboard.press("Alt+x")
        await expect(heading(page, "Appel à clore")).to_be_visible()


async def test_a_message_takes_six_keys_at_most_and_markup_in_it_is_text(browser: Browser, office: Office) -> None:
    async with at_work(browser, office.stage) as page:
        hands, _ = await takes_a_call(page, office)
        hands.count = 0
        await hands.press("1", "Message pour le cabinet")
        await expect(page.get_by_role("textbox", name="Message")).to_be_focused()
        await hands.write(MARKUP)
        await hands.press("Enter", "Le message est transmis.")
        await hands.press("0", "ce que l’appel est devenu")
        await expect(page.get_by_role("radio", name="Message transmis")).to_be_checked()
        await hands.press("Enter", "Appel clos.")
        assert hands.count <= 6
        assert await page.locator("b[onclick]").count() == 0
        assert await of_the_practice(office, "SELECT disposition FROM script") == "message"


async def test_a_page_that_is_loaded_again_in_mid_call_loses_no_word(browser: Browser, office: Office) -> None:
    """The call goes back to the queue, as ever; what was written stands in its form, and is sent, and closed."""
    async with at_work(browser, office.stage) as page:
        page.on("dialog", lambda dialog: dialog.accept())
        hands, _ = await takes_a_call(page, office)
        await hands.press("1", "Message pour le cabinet")
        await hands.write(MARKUP)
        await page.reload()
        await page.wait_for_selector("html[data-ready]")
        await expect(heading(page, "Appel à clore : Cabinet des Tilleuls")).to_be_visible()
        written = page.get_by_role("textbox", name="Message")
        await expect(written).to_have_value(MARKUP)
        await expect(button(page, "Disponible")).to_be_disabled()
        # The page may be shown anew while the call goes back to the queue: a key before that reaches no field.
        said = page.locator("#a-dire").filter(has_text="Le message est transmis")
        async with asyncio.timeout(15):
            while not await said.count():
                with suppress(Late):
                    await written.press("Enter", timeout=1000)
                await asyncio.sleep(0.2)
        await hands.press("0", "ce que l’appel est devenu")
        await hands.page.keyboard.press("Enter")
        await expect(heading(page, "Appel à clore")).to_have_count(0)
        await button(page, "Disponible").click()
        await expect(heading(page, "Disponible")).to_be_visible()


async def test_the_red_button_is_on_record_and_told_to_the_practice(browser: Browser, office: Office) -> None:
    async with at_work(browser, office.stage) as page:
        await takes_a_call(page, office)
        await page.keyboard.press("Alt+u")
        await expect(heading(page, "Urgence vitale, notée à")).to_be_visible()
        await expect(page.locator(".say")).to_contain_text("15")
        assert await of_the_practice(office, "SELECT count(*) FROM script WHERE emergency_at IS NOT NULL") == 1
        assert await of_the_practice(office, "SELECT urgency FROM message WHERE reason = 'emergency'") == "urgent"
