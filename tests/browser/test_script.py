"""The script of a call in a browser: by keyboard alone, nothing typed lost, values that hide."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, Route, expect

from callcenter.console.script_ports import Moment, ShownValue
from callcenter.console.workplace_ports import Act, Doing, Unfinished
from tests.browser.barriers import without_barriers
from tests.browser.test_console_pages import looking, signed_in
from tests.browser.test_weight import LARGEST, weighed
from tests.unit.console.doubles import Desk, open_desk
from tests.unit.console.scripts import VALUE
from tests.unit.console.workplaces import CALL, NOW, TALK, TILLEULS


@asynccontextmanager
async def in_talk(browser: Browser, **options: Any) -> AsyncIterator[tuple[Desk, Page]]:
    """An operator who has a call, before their workplace."""
    async with open_desk() as desk, looking(browser, **options) as page:
        desk.workplaces.stands(doing=Doing.ON_CALL, talk=TALK)
        await signed_in(page, desk)
        await opened(page, desk)
        yield desk, page


async def opened(page: Page, desk: Desk) -> None:
    await page.goto(desk.guest.origin + "/poste")
    await page.wait_for_selector("html[data-ready]")


async def press(page: Page, *keys: str) -> int:
    """Press keys of the keyboard; returns how many."""
    for key in keys:
        await page.keyboard.press(key)
    return len(keys)


def message(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message")


async def test_a_message_takes_at_most_six_keys_besides_its_text(browser: Browser) -> None:
    async with in_talk(browser) as (desk, page):
        keys = await press(page, "1")
        await expect(message(page)).to_be_focused()
        await page.keyboard.type("Rappeler avant midi, merci.")
        keys += await press(page, "Enter")
        await expect(page.get_by_role("radio", name="Message transmis")).to_be_focused()
        keys += await press(page, "1", "Enter")
        await expect(page.get_by_text("L’appel est clos.")).to_be_visible()
        assert keys <= 6
        assert desk.script.answers[1:] == [
            (
                2,
                "send",
                {
                    "whom": "practice",
                    "urgency": "normal",
                    "number": "0639980001",
                    "text": "Rappeler avant midi, merci.",
                },
            ),
            (3, "send", {"disposition": "message", "note": ""}),
        ]


async def test_a_digit_chooses_on_a_french_keyboard_and_none_does_while_one_writes(browser: Browser) -> None:
    async with in_talk(browser) as (desk, page):
        # A French keyboard gives « & » for the first digit without a shift.
        await page.evaluate(
            "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: '&', code: 'Digit1', bubbles: true}))"
        )
        await expect(message(page)).to_be_focused()
        await page.keyboard.type("1 boîte, puis 2 ?")
        await expect(message(page)).to_have_value("1 boîte, puis 2 ?")
        await press(page, "Shift+Enter")
        await page.keyboard.type("3")
        await expect(message(page)).to_have_value("1 boîte, puis 2 ?\n3")
        await expect(page.locator("#touches")).to_be_hidden()
        assert [choice for _, choice, _ in desk.script.answers] == ["1"]


async def test_a_choice_within_a_form_is_made_by_its_numbers(browser: Browser) -> None:
    async with in_talk(browser) as (desk, page):
        await press(page, "1")
        await expect(message(page)).to_be_focused()
        await page.get_by_role("radio", name="Normale").focus()
        await press(page, "2")
        await expect(page.get_by_role("radio", name="Urgente")).to_be_checked()
        await press(page, "Alt+n")
        await expect(message(page)).to_be_focused()
        await page.keyboard.type("x")
        await press(page, "Enter")
        await expect(page.get_by_text("Qu’est devenu l’appel ?")).to_be_visible()
        assert desk.script.answers[-1][2]["urgency"] == "urgent"


async def test_keys_are_listed_in_one_place_and_can_be_switched_off(browser: Browser) -> None:
    async with in_talk(browser) as (desk, page):
        await press(page, "?")
        await expect(page.get_by_role("dialog", name="Raccourcis clavier")).to_be_visible()
        await press(page, "1")  # while it is open, nothing behind it is chosen
        await press(page, "Escape")
        await expect(page.locator("#touches")).to_be_hidden()
        letters = await page.evaluate("[...document.querySelectorAll('[data-key]')].map((one) => one.dataset.key)")
        listed = await page.locator("#touches dt").all_inner_texts()
        assert {letter.upper() for letter in letters} <= {words.replace("Alt + ", "") for words in listed}
        await page.get_by_role("checkbox", name="Raccourcis clavier").uncheck()
        await page.locator("h1").click()
        await press(page, "1", "?", "Alt+u")
        await asyncio.sleep(0.3)
        assert (desk.script.answers, desk.script.emergencies) == ([], 0)
        await expect(page.locator("#touches")).to_be_hidden()


async def test_what_is_wrong_is_gone_to_and_the_rest_stays(browser: Browser) -> None:
    async with in_talk(browser) as (_, page):
        await press(page, "2")
        date, telephone = page.get_by_label("Date de naissance"), page.get_by_label("Téléphone", exact=True)
        await expect(date).to_be_focused()
        await expect(telephone).to_have_value("0639980001")
        await telephone.fill("0639980077")
        await press(page, "Enter")
        await expect(date).to_be_focused()
        await expect(date).to_have_accessible_description("À remplir. Huit chiffres, ou jj/mm/aaaa : 05031948.")
        await expect(telephone).to_have_value("0639980077")
        await page.keyboard.type("05031948")
        await press(page, "Enter")
        # The caller is at their keys, and soon back from them: on a busy machine the page may have asked already.
        keys = page.get_by_text("L’appelant tape un code.")
        await expect(keys.or_(page.get_by_text("Montrez ce dont l’appelant a besoin."))).to_be_visible()


async def test_a_caller_at_their_keys_is_asked_after_by_the_page(browser: Browser) -> None:
    async with in_talk(browser) as (desk, page):
        desk.script.stands("at_keys")
        await page.reload()
        await expect(page.get_by_role("button", name="Montrer : Jour et heure")).to_be_visible()
        assert [choice for _, choice, _ in desk.script.answers] == ["returned"]


async def test_a_key_counts_while_the_page_still_asks_after_the_caller(browser: Browser) -> None:
    """Another look shows the next screen first, on a slow way to the server; its keys are no second click."""
    asked, may_go_on = asyncio.Event(), asyncio.Event()

    async def slow(route: Route) -> None:
        if "choix=returned" in (route.request.post_data or ""):
            asked.set()
            await may_go_on.wait()
        await route.continue_()

    async with in_talk(browser) as (desk, page):
        desk.script.stands("at_keys")
        await page.route("**/scenario", slow)
        await page.reload()
        await asked.wait()
        desk.script.stands("files")
        desk.workplaces.ring()
        await expect(page.get_by_role("button", name="Montrer : Jour et heure")).to_be_visible()
        await press(page, "1")
        await expect(page.get_by_text(VALUE)).to_be_visible()
        may_go_on.set()
        await expect(page.get_by_text(VALUE)).to_be_visible()
        assert next(choice for _, choice, _ in desk.script.answers) == "reveal:appointment.starts_at"


async def test_a_value_hides_by_itself_also_where_the_server_is_not_reached(browser: Browser) -> None:
    async with in_talk(browser) as (desk, page):
        # The server says that three seconds are left, and is not reached from then on.
        until = NOW + timedelta(seconds=3)
        shown = ShownValue("appointment.starts_at", "Jour et heure", "D02", "date d’un rendez-vous", VALUE, until)
        desk.script.stands("files", shown=(shown,), level=2)
        await page.reload()
        await page.wait_for_selector("html[data-ready]")
        await expect(page.get_by_text(VALUE)).to_be_visible()
        await page.context.set_offline(True)
        await expect(page.get_by_text(VALUE)).to_have_count(0)
        assert VALUE not in await page.content()
        await page.context.set_offline(False)


async def test_a_value_is_not_printed(browser: Browser) -> None:
    async with in_talk(browser) as (desk, page):
        desk.script.stands("files")
        await page.reload()
        await page.wait_for_selector("html[data-ready]")
        await press(page, "1")
        await expect(page.get_by_text(VALUE)).to_be_visible()
        await page.emulate_media(media="print")
        await expect(page.get_by_text(VALUE)).to_be_hidden()
        await expect(page.get_by_text("Les valeurs affichées ne s’impriment pas.")).to_be_visible()


@asynccontextmanager
async def a_field_shown(browser: Browser) -> AsyncIterator[tuple[Desk, Page]]:
    async with in_talk(browser) as (desk, page):
        desk.script.stands("files")
        await opened(page, desk)
        await press(page, "1")
        await expect(page.get_by_text(VALUE)).to_be_visible()
        yield desk, page


async def test_p1_what_is_shown_goes_with_the_session_in_mid_script(browser: Browser) -> None:
    """The account is locked, or the session ended elsewhere: both end it on the server (AU-06)."""
    async with a_field_shown(browser) as (desk, page):
        desk.staff.sessions.clear()
        await expect(page.get_by_role("heading", name="Connexion")).to_be_visible()
        assert VALUE not in await page.content()
        await page.go_back()
        await expect(page.get_by_role("heading", name="Connexion")).to_be_visible()
        assert VALUE not in await page.content()


async def test_p1_what_is_shown_goes_with_the_role_in_mid_script_and_nothing_more_is_shown(browser: Browser) -> None:
    async with a_field_shown(browser) as (desk, page):
        desk.script.forbidden = True
        await press(page, "2")  # another field of the same patient
        await expect(page.get_by_text(VALUE)).to_have_count(0)
        await expect(page.get_by_role("heading", name="En ligne pour")).to_be_visible()  # the caller is still there
        assert VALUE not in await page.content()
        await page.wait_for_selector("html[data-ready]")
        await expect(page.get_by_role("button", name="Montrer")).to_have_count(0)
        await press(page, "1", "2")
        assert VALUE not in await page.content()
        await expect(page.locator(".value")).to_have_count(0)


async def test_p1_what_is_shown_goes_with_the_role_although_nothing_is_done(browser: Browser) -> None:
    async with a_field_shown(browser) as (desk, page):
        desk.script.forbidden = True
        desk.workplaces.ring()
        await expect(page.get_by_text(VALUE)).to_have_count(0)
        await expect(page.get_by_role("button", name="Montrer")).to_have_count(0)


async def test_what_is_typed_comes_back_after_a_reload_and_in_another_window(browser: Browser) -> None:
    async with in_talk(browser) as (desk, page):
        await press(page, "1")
        await expect(message(page)).to_be_focused()
        await page.keyboard.type("Rappeler")
        await expect(page.locator("#brouillon")).to_have_text("Texte gardé.")
        await page.keyboard.type(" avant midi")
        await page.reload()  # at once, before the pause after the last key is over
        await expect(message(page)).to_have_value("Rappeler avant midi")
        other = await page.context.new_page()
        await opened(other, desk)
        await expect(message(other)).to_have_value("Rappeler avant midi")
        await message(other).fill("Rappeler demain")
        await message(other).blur()
        await expect(other.locator("#brouillon")).to_have_text("Texte gardé.")
        await expect(page.locator("#brouillon")).to_have_text("")
        await page.evaluate("document.activeElement.blur()")
        desk.workplaces.ring()
        await expect(message(page)).to_have_value("Rappeler demain")
        kept = await page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
        assert "Rappeler" not in kept


async def test_what_is_typed_without_a_connection_is_kept_and_sent_when_it_is_back(browser: Browser) -> None:
    async with in_talk(browser) as (desk, page):
        await press(page, "1")
        await expect(message(page)).to_be_focused()
        await page.context.set_offline(True)
        await page.keyboard.type("Rappeler avant midi")
        await expect(page.locator("#brouillon")).to_contain_text("la liaison est perdue")
        await expect(page.locator("#liaison")).to_contain_text("Liaison perdue")
        await press(page, "Enter")
        await expect(page.locator("#brouillon")).to_contain_text("elle part dès que la liaison revient")
        await expect(message(page)).to_have_value("Rappeler avant midi")
        await page.context.set_offline(False)
        await expect(page.get_by_text("Qu’est devenu l’appel ?")).to_be_visible()
        assert [(choice, values.get("text")) for _, choice, values in desk.script.answers] == [
            ("1", None),
            ("send", "Rappeler avant midi"),
        ]


async def test_what_is_typed_outlives_the_server(browser: Browser) -> None:
    async with looking(browser) as page:
        async with open_desk() as desk:
            desk.workplaces.stands(doing=Doing.ON_CALL, talk=TALK)
            await signed_in(page, desk)
            await opened(page, desk)
            await press(page, "1")
            await expect(message(page)).to_be_focused()
            await page.keyboard.type("Rappeler")
            await expect(page.locator("#brouillon")).to_have_text("Texte gardé.")
        await page.keyboard.type(" avant midi")
        await expect(page.locator("#brouillon")).to_contain_text("la liaison est perdue")
        async with open_desk(again=desk) as desk:
            await expect(page.locator("#brouillon")).to_have_text("Texte gardé.")
            await expect(message(page)).to_have_value("Rappeler avant midi")
            await page.reload()
            await expect(message(page)).to_have_value("Rappeler avant midi")


async def test_what_is_declared_is_one_key_and_the_practices_agenda_learns_nothing_of_us(browser: Browser) -> None:
    async with in_talk(browser) as (desk, page):
        await press(page, "3")
        link = page.get_by_role("link", name="Ouvrir l’agenda du cabinet (nouvelle fenêtre)")
        await expect(link).to_have_attribute("rel", "noreferrer noopener")
        await expect(link).to_have_attribute("target", "_blank")
        await press(page, "1")
        await expect(page.locator("#a-dire")).to_have_text("Lisez dans l’agenda du cabinet.")
        await asyncio.sleep(0.2)
        assert [choice for _, choice, _ in desk.script.answers] == ["3", "declare:D02"]


async def test_a_screen_that_comes_by_itself_takes_no_digit_that_was_meant_for_a_text(browser: Browser) -> None:
    async with in_talk(browser) as (desk, page):
        await press(page, "1")
        await expect(message(page)).to_be_focused()
        await page.keyboard.type("Numéro 12")
        desk.script.stands("reason")  # answered in another window
        desk.workplaces.ring()
        await expect(page.locator("#a-dire")).to_have_text("Quel est l’objet de l’appel ?")
        await press(page, "2", "1")
        await asyncio.sleep(0.3)
        assert [choice for _, choice, _ in desk.script.answers] == ["1"]


async def test_a_draft_that_comes_too_late_is_no_error_and_its_text_stays_to_be_copied(browser: Browser) -> None:
    async with in_talk(browser) as (desk, page):
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        await press(page, "1")
        await expect(message(page)).to_be_focused()
        desk.script.stands("reason")  # answered in another window
        await page.keyboard.type("Rappeler avant midi")
        await page.evaluate("document.activeElement.blur()")
        await expect(page.locator("#brouillon")).to_contain_text("l’écran a changé")
        assert said == []
        await message(page).press_sequentially(" au 06")
        desk.workplaces.ring()
        await expect(page.locator("#a-dire")).to_have_text("Quel est l’objet de l’appel ?")
        left = page.get_by_label("Ce que vous tapiez quand l’écran a changé")
        await expect(left).to_have_value("Rappeler avant midi au 06")
        await page.get_by_role("button", name="Effacer").click()
        await expect(left).to_be_hidden()
        assert (said, desk.script.drafts) == ([], [])


async def test_alt_v_is_the_scripts_own_verification_and_nothing_else(browser: Browser) -> None:
    async with in_talk(browser) as (desk, page):
        desk.workplaces.stands(doing=Doing.ON_CALL, talk=replace(TALK, acts=frozenset({Act.KEYPAD})))
        desk.script.stands("reason", proving="2")
        await opened(page, desk)
        await expect(page.get_by_role("button", name="Rendez-vous")).to_have_attribute("aria-keyshortcuts", "2 Alt+V")
        await press(page, "Alt+v")
        await expect(page.get_by_label("Date de naissance")).to_be_focused()
        await press(page, "Alt+v")
        await asyncio.sleep(0.2)
        assert [choice for _, choice, _ in desk.script.answers] == ["2"]
        assert desk.workplaces.done == []


async def test_the_red_button_by_keyboard(browser: Browser) -> None:
    async with in_talk(browser) as (desk, page):
        await press(page, "Alt+u")
        await expect(page.get_by_text("« Raccrochez et composez le 15 ou le 112. »")).to_be_visible()
        assert desk.script.emergencies == 1


@pytest.mark.parametrize(
    ("layout", "noted"), [("undefined", 0), ("[['KeyU', 'v']]", 0), ("[['KeyU', 'u'], ['KeyX', 'x']]", 1)]
)
async def test_p7_what_cannot_be_undone_is_done_by_a_letter_that_is_known_alone(
    browser: Browser, layout: str, noted: int
) -> None:
    """With Option, macOS writes a sign; on a BÉPO keyboard « v » stands where others have « u »."""
    async with in_talk(browser) as (desk, page):
        keyboard = f"{layout} && {{getLayoutMap: async () => new Map({layout})}}"
        await page.add_init_script(f"Object.defineProperty(navigator, 'keyboard', {{value: {keyboard}}})")
        desk.script.stands("reason", proving="2")
        await page.reload()
        await expect(page.get_by_role("button", name="Rendez-vous")).to_have_attribute("aria-keyshortcuts", "2 Alt+V")
        for code in ("KeyU", "KeyX"):
            await page.evaluate(
                "code => document.body.dispatchEvent(new KeyboardEvent('keydown',"
                " {key: '\u221a', code, altKey: true, bubbles: true}))",
                code,
            )
        await page.evaluate("document.querySelector('[data-key=v]')?.click()")
        await expect(page.get_by_label("Date de naissance")).to_be_visible()
        assert desk.script.emergencies == noted
        assert [act for act, *_ in desk.workplaces.done] == [Act.HANG_UP] * noted


async def test_the_script_is_answered_without_scripts(browser: Browser) -> None:
    async with open_desk() as desk, looking(browser, java_script_enabled=False) as page:
        desk.workplaces.stands(doing=Doing.ON_CALL, talk=TALK)
        await signed_in(page, desk)
        await page.goto(desk.guest.origin + "/poste")
        await page.get_by_role("button", name="Message", exact=True).click()
        await message(page).fill("Rappeler")
        await page.get_by_role("button", name="Envoyer", exact=True).click()
        await page.get_by_role("radio", name="Message transmis").check()
        await page.get_by_role("button", name="Envoyer", exact=True).click()
        await expect(page.get_by_text("L’appel est clos.")).to_be_visible()
        await page.get_by_role("button", name="Urgence vitale").click()
        await expect(page.get_by_text("« Raccrochez et composez le 15 ou le 112. »")).to_be_visible()


@pytest.mark.parametrize("locale", ["fr-FR", "en-GB"])
async def test_no_screen_keeps_anybody_out(browser: Browser, locale: str) -> None:
    """In light and dark, at 200 % and at 320 pixels; with errors, with values, with the list of keys."""
    shown = ShownValue("x", "Jour et heure", "D02", "date d’un rendez-vous", VALUE, NOW + timedelta(hours=1))
    async with in_talk(browser, locale=locale) as (desk, page):
        desk.script.stands("files", shown=(shown,), level=2, timeline=(Moment(NOW, "disclosure", {}),) * 6)
        await opened(page, desk)
        await press(page, "Alt+u")
        await expect(page.locator(".say")).to_be_visible()
        await without_barriers(page, "/poste")
        desk.script.stands("message")
        await opened(page, desk)
        await press(page, "Alt+n", "Enter")
        await expect(message(page)).to_be_focused()
        await expect(page.locator(".wrong-words").first).to_be_visible()
        await without_barriers(page, "/poste")
        over = Unfinished(CALL, TILLEULS, NOW)
        desk.script.stands("dispose", live=False)
        desk.workplaces.stands(doing=Doing.WRAP_UP, wrap_up_until=NOW + timedelta(seconds=9), unfinished=(over,))
        await opened(page, desk)
        await page.locator("#aide").click()
        await without_barriers(page, "/poste")


async def test_the_page_of_a_call_weighs_less_than_a_hundred_kilobytes(browser: Browser) -> None:
    async with in_talk(browser) as (desk, page):
        desk.script.stands("message")
        scale = await weighed(page, desk.guest.origin, "/poste")
        assert scale.bytes["/static/script.js"] > 500
        assert scale.total < LARGEST, scale.bytes
        assert scale.elsewhere == []
