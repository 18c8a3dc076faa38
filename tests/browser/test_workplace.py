"""The workplace in a browser, on a real server beside the carrier in a box: a call from its ring to its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, expect
from sqlalchemy import text

from callcenter.console.workplace_ports import Act, Doing
from tests.acceptance.stage import Stage
from tests.acceptance.test_two_people_talk import CALLER, PRACTICE, Office
from tests.browser.test_console_login import first_step, second_step
from tests.browser.test_console_pages import looking, signed_in
from tests.unit.console.doubles import open_desk
from tests.unit.console.workplaces import CALL, RING
from tests.unit.console.workplaces import TILLEULS as CABINET


@asynccontextmanager
async def at_work(browser: Browser, stage: Stage, login: str = "operatrice1", **options: Any) -> AsyncIterator[Page]:
    """Somebody of the demo's staff before their workplace, available."""
    async with looking(browser, permissions=["microphone"], **options) as page:
        await first_step(page, stage, login)
        await second_step(page, stage, login)
        await page.get_by_role("link", name="Mon poste").click()
        await page.wait_for_selector("html[data-ready]")
        await button(page, "Disponible").click()
        await expect(page.get_by_role("heading", name="Disponible")).to_be_visible()
        stage.clock.advance(1)  # whoever comes after them has been idle for less long
        yield page


def button(page: Page, name: str) -> Locator:
    return page.locator("#poste").get_by_role("button", name=name, exact=True)


def heading(page: Page, name: str) -> Locator:
    return page.get_by_role("heading", name=name)


async def is_there(page: Page) -> None:
    """The page has shown that it is there: the time of telephones that wait for nothing runs ahead of it."""
    await page.reload()
    await page.wait_for_selector("html[data-ready]")
    await button(page, "Disponible").click()
    await expect(heading(page, "Disponible")).to_be_visible()


async def rings(*pages: Page) -> bool:
    """Whether a call is offered on one of them."""
    return any([await heading(page, "Un appel pour Cabinet des Tilleuls").is_visible() for page in pages])


async def rung(office: Office, *pages: Page) -> str:
    """Somebody rings, and waits: the leg. The pages show that they are there once the greeting is over, whose time runs
    ahead of them; without that nobody would be on duty."""
    leg = await office.client.start(CALLER, PRACTICE, "scripted")
    await office.client.settled(leg)
    for page in pages:
        await is_there(page)
    await office.client.press(leg, "0")
    await office.client.settled(leg)
    return leg


async def closes(page: Page) -> None:
    """The operator says what became of the call that is over."""
    for name in ("J’ai lu", "Clore l’appel"):
        await page.locator(".script").get_by_role("button", name=name).click()
    await page.get_by_role("radio", name="Renseignement pratique").check()
    await page.locator(".script").get_by_role("button", name="Valider").click()
    await expect(heading(page, "Appel à clore")).to_have_count(0)


async def hear_each_other(office: Office, caller: str) -> bool:
    heard = await office.hears(caller)
    return len(heard) == 1 and caller in await office.hears(*heard)


async def heard_by(office: Office, leg: str) -> int:
    return len(await office.hears(leg))


async def test_a_call_rings_is_taken_by_keyboard_and_wrapped_up(browser: Browser, office: Office) -> None:
    async with at_work(browser, office.stage) as page:
        await expect(page.get_by_text("Le prochain appel sonnera ici.")).to_be_visible()
        caller = await rung(office, page)
        await expect(heading(page, "Un appel pour Cabinet des Tilleuls")).to_be_visible()
        await expect(page).to_have_title("Appel entrant – Mon poste – callcenter")
        await expect(page.locator("#alerte")).to_have_text("Un appel pour Cabinet des Tilleuls.")
        await expect(button(page, "Pause")).to_be_disabled()
        await page.keyboard.press("Alt+a")
        await expect(heading(page, "En ligne pour Cabinet des Tilleuls")).to_be_visible()
        await expect(page.locator("#annonce")).to_have_text("En ligne pour Cabinet des Tilleuls.")
        await expect(page).to_have_title("Mon poste – callcenter")
        await office.becomes(lambda: hear_each_other(office, caller), True)
        await expect(page.locator("#telephone-etat")).to_have_text("En ligne : votre correspondant vous entend.")
        mute = button(page, "Couper le micro")
        await page.keyboard.press("Alt+m")
        await expect(button(page, "Rétablir le micro")).to_have_attribute("aria-pressed", "true")
        await expect(page.locator("#telephone-etat")).to_have_text("Micro coupé : personne ne vous entend.")
        await page.keyboard.press("Alt+m")
        await expect(mute).to_be_visible()
        await page.keyboard.press("Alt+x")
        await expect(heading(page, "Fin d’appel").first).to_be_visible()
        assert (await office.client.closed(caller)).activity == "ended"
        assert await office.left_for() == "answered"
        await page.keyboard.press("Alt+w")  # not before it is said what the call was about
        await expect(button(page, "Disponible")).to_be_disabled()
        await closes(page)
        await page.keyboard.press("Alt+w")
        await expect(heading(page, "Disponible")).to_be_visible()


async def test_of_two_who_are_there_one_has_the_call(browser: Browser, office: Office) -> None:
    async with at_work(browser, office.stage) as first, at_work(browser, office.stage, "operatrice2") as second:
        caller = await rung(office, first, second)
        await office.becomes(lambda: rings(first, second), True)
        if await rings(second):  # the time of the call runs ahead of the pages: whoever shows first that they are there
            first, second = second, first
        await expect(second.get_by_text("Une personne attend, au plus depuis")).to_be_visible()
        await expect(heading(second, "Un appel pour")).to_have_count(0)
        await button(first, "Refuser").click()
        await expect(heading(second, "Un appel pour Cabinet des Tilleuls")).to_be_visible()
        await expect(heading(first, "Pas d’appel")).to_be_visible()
        await button(second, "Décrocher").click()
        await expect(heading(second, "En ligne pour")).to_be_visible()
        await expect(first.get_by_text("Personne n’attend.")).to_be_visible()
        await office.client.hang_up(caller)
        await expect(heading(second, "Fin d’appel").first).to_be_visible()


async def test_a_caller_is_held_a_colleague_is_asked_and_takes_over(browser: Browser, office: Office) -> None:
    async with at_work(browser, office.stage) as first, at_work(browser, office.stage, "superviseur") as second:
        caller = await rung(office, first)
        await button(first, "Décrocher").click()
        await office.becomes(lambda: hear_each_other(office, caller), True)
        await expect(button(first, "Mettre en attente")).to_be_visible()
        await first.keyboard.press("Alt+h")
        await expect(first.locator("#annonce")).to_have_text("L’appelant est en attente.")
        await office.becomes(lambda: office.hears(caller), frozenset())
        await expect(first.locator("#telephone-etat")).to_have_text(
            "En attente : l’appelant entend la musique, et ne vous entend pas."
        )
        await first.keyboard.press("Alt+h")
        await office.becomes(lambda: hear_each_other(office, caller), True)
        await is_there(second)
        await first.get_by_label("Consulter, l’appelant en attente").select_option("Superviseur")
        await first.locator("#act-consulter").click()
        await expect(first.get_by_text("Superviseur : sonne…")).to_be_visible()
        await expect(heading(second, "Télésecrétaire 1 vous consulte pour Cabinet des Tilleuls")).to_be_visible()
        await expect(second.get_by_text("votre collègue veut vous parler, l’appelant en attente")).to_be_visible()
        await button(second, "Rejoindre").click()
        await expect(first.get_by_text("Superviseur : vous parle, l’appelant n’entend pas")).to_be_visible()
        assert await office.hears(caller) == frozenset()
        await expect(second.get_by_text("L’appelant est en attente : il n’entend ni vous")).to_be_visible()
        await button(first, "Parler à trois").click()
        await expect(first.get_by_text("Superviseur : en conversation à trois")).to_be_visible()
        await expect(second.get_by_text("L’appelant vous entend.")).to_be_visible()
        await office.becomes(lambda: heard_by(office, caller), 2)
        await button(first, "Transmettre l’appel").click()
        await expect(heading(first, "Fin d’appel").first).to_be_visible()
        await expect(heading(second, "En ligne pour Cabinet des Tilleuls")).to_be_visible()
        await office.becomes(lambda: hear_each_other(office, caller), True)
        await button(second, "Raccrocher").click()
        await expect(heading(second, "Fin d’appel").first).to_be_visible()
        assert (await office.client.closed(caller)).activity == "ended"


async def test_a_page_that_is_loaded_again_shows_the_same(browser: Browser, office: Office) -> None:
    async with at_work(browser, office.stage) as page:
        page.on("dialog", lambda dialog: dialog.accept())
        caller = await rung(office, page)
        await expect(heading(page, "Un appel pour")).to_be_visible()
        await page.reload()
        await expect(heading(page, "Un appel pour Cabinet des Tilleuls")).to_be_visible()
        await button(page, "Décrocher").click()
        await expect(heading(page, "En ligne pour")).to_be_visible()
        await expect(button(page, "Couper le micro")).to_be_visible()
        # The carrier hangs up with the page: the caller is not lost, and has their place.
        await page.reload()
        await expect(heading(page, "Fin d’appel").first).to_be_visible()
        await office.becomes(lambda: office.one("SELECT state FROM queue_entry"), "waiting")
        assert (await office.client.state(caller)).activity != "ended"
        await closes(page)
        await button(page, "Disponible").click()
        office.stage.clock.advance(31)  # to somebody else first, where there is one
        await expect(heading(page, "Un appel pour Cabinet des Tilleuls")).to_be_visible()


async def test_what_is_shown_lives_without_a_stream_and_says_when_the_server_is_away(
    browser: Browser, office: Office
) -> None:
    async with at_work(browser, office.stage) as page:
        await page.route("**/poste/evenements", lambda route: route.abort())
        await page.reload()
        await page.wait_for_selector("html[data-ready]")
        await office.waits()
        await expect(heading(page, "Un appel pour Cabinet des Tilleuls")).to_be_visible()
        await page.route("**/poste/etat*", lambda route: route.abort())
        await expect(page.locator("#liaison")).to_contain_text("Liaison perdue")
        await page.unroute("**/poste/etat*")
        await expect(page.locator("#liaison")).to_be_hidden()


async def test_a_session_that_is_ended_elsewhere_ends_the_page(browser: Browser, office: Office) -> None:
    async with at_work(browser, office.stage) as page:
        async with office.stage.running.database.house() as connection:
            await connection.execute(text("UPDATE staff_session SET revoked_at = now() WHERE revoked_at IS NULL"))
        await expect(heading(page, "Connexion")).to_be_visible()
        await expect(page.get_by_text("Votre session a pris fin")).to_be_visible()
        assert "/connexion?suite=%2Fposte&fin=1" in page.url


async def without_a_hand(office: Office, minutes: float) -> None:
    """Nobody has touched the page for so long, while it has looked."""
    untouched = "UPDATE staff_session SET seen_at = :then WHERE seen_at > :then AND on_duty_at IS NOT NULL"
    async with office.stage.running.database.house() as connection:
        await connection.execute(text(untouched), {"then": office.stage.clock.now() - timedelta(minutes=minutes)})


async def test_whoever_is_on_duty_without_a_call_is_asked_whether_they_are_there(
    browser: Browser, office: Office
) -> None:
    async with at_work(browser, office.stage) as page:
        await page.route("**/poste/evenements", lambda route: route.abort())  # it looks every few seconds then
        await page.reload()
        await page.wait_for_selector("html[data-ready]")
        question = heading(page, "Toujours là ?")
        async with asyncio.timeout(30):
            while not await question.count():  # what was touched before the page looked last counts
                await without_a_hand(office, 44)
                await asyncio.sleep(0.5)
        await expect(page).to_have_title("Toujours là ? – Mon poste – callcenter")
        await expect(page.locator("#alerte")).to_have_text("Toujours là ? Votre session va se terminer.")
        await button(page, "Je suis là").click()
        await expect(question).to_have_count(0)
        await expect(page).to_have_title("Mon poste – callcenter")
        await expect(heading(page, "Disponible")).to_be_visible()
        async with asyncio.timeout(30):
            while "/connexion" not in page.url:
                await without_a_hand(office, 45)
                await asyncio.sleep(0.5)
        await expect(page.get_by_text("Votre session a pris fin")).to_be_visible()


async def test_a_microphone_that_is_refused_gives_the_call_back(browser: Browser, office: Office) -> None:
    async with at_work(browser, office.stage) as page:
        refuses = "export const open = async () => { throw new DOMException('no', 'NotAllowedError'); };"
        await page.route(
            "**/static/softphone_emulator.js*",
            lambda route: route.fulfill(body=refuses, content_type="text/javascript"),
        )
        await office.waits()
        await button(page, "Décrocher").click()
        await expect(page.locator("#telephone-etat")).to_contain_text("Le micro n’est pas accessible")
        await expect(heading(page, "Pas d’appel")).to_be_visible()
        await office.becomes(lambda: office.one("SELECT count(*) FROM reservation WHERE ended_at IS NULL"), 0)
        assert await office.one("SELECT state FROM queue_entry") == "waiting"


async def test_a_callback_rings_as_one_and_says_that_nobody_is_on_the_line(browser: Browser) -> None:
    """It comes to a page that stands open: its title, what a screen reader says, and the card."""
    async with open_desk() as desk, looking(browser) as page:
        await signed_in(page, desk)
        await page.goto(desk.guest.origin + "/poste")
        await page.wait_for_selector("html[data-ready]")
        desk.workplaces.stands(doing=Doing.RESERVED, ring=replace(RING, callback=True))
        desk.workplaces.ring()
        await expect(page).to_have_title("Rappel à faire – Mon poste – callcenter")
        await expect(page.locator("#alerte")).to_have_text(
            f"Un rappel à faire pour {CABINET} : personne n’est en ligne."
        )
        await expect(heading(page, f"Un rappel à faire pour {CABINET}")).to_be_visible()
        await expect(button(page, "Accepter le rappel")).to_be_visible()
        async with page.expect_response(lambda answer: answer.request.method == "POST"):
            await page.keyboard.press("Alt+a")
        assert desk.workplaces.done == [(Act.ACCEPT, CALL, "")]


KEYBOARD = "Object.defineProperty(navigator, 'keyboard', {value: %s})"
AZERTY = KEYBOARD % "{getLayoutMap: async () => new Map([['KeyQ', 'a'], ['KeyA', 'q'], ['KeyR', 'r']])}"
NOT_TOLD = KEYBOARD % "undefined"
#: Presses Option with a key on the page, or in a field; which buttons that has pressed.
OPTION = """([key, code, writing]) => {
    const buttons = [], at = writing ? document.body.appendChild(document.createElement("textarea")) : document.body;
    const note = (event) => { event.preventDefault(); event.stopPropagation(); buttons.push(event.submitter.id); };
    document.addEventListener("submit", note, {capture: true});
    at.dispatchEvent(new KeyboardEvent("keydown", {key, code, altKey: true, bubbles: true}));
    document.removeEventListener("submit", note, {capture: true});
    if (writing) at.remove();
    return buttons;
}"""
TAKES, REFUSES = ["act-decrocher"], ["act-refuser"]


@pytest.mark.parametrize(
    ("keyboard", "pressed"),
    [
        (
            AZERTY,
            {
                ("æ", "KeyQ", False): TAKES,
                ("‡", "KeyA", False): [],
                ("Dead", "KeyR", False): REFUSES,
                ("®", "KeyR", True): [],
                ("r", "KeyR", True): REFUSES,
                ("Enter", "KeyR", False): [],
            },
        ),
        (NOT_TOLD, {("®", "KeyR", False): REFUSES, ("å", "KeyA", False): [], ("a", "KeyQ", False): TAKES}),
    ],
    ids=["told", "not told"],
)
async def test_where_option_writes_another_sign_a_key_is_known_by_its_place_on_this_keyboard(
    browser: Browser, keyboard: str, pressed: dict[tuple[str, str, bool], list[str]]
) -> None:
    """As on macOS: « å » or « æ » instead of « a ». On a French keyboard « a » stands where others have « q »."""
    async with open_desk() as desk, looking(browser) as page:
        await page.add_init_script(keyboard)
        desk.workplaces.stands(doing=Doing.RESERVED, ring=RING)
        await signed_in(page, desk)
        await page.goto(desk.guest.origin + "/poste")
        await page.wait_for_selector("html[data-ready]")
        assert {one: await page.evaluate(OPTION, list(one)) for one in pressed} == pressed
