"""The console's pages in a browser: by keyboard alone, without scripts, on a narrow screen, in the dark."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from callcenter.console import visits
from callcenter.console.navigation import PLACES, ways
from callcenter.console.ports import Stage
from tests.unit.console.doubles import ALICE, CODE, INVITATION, PASSWORD, RECOVERY, Desk, StaffDouble, open_desk

NARROW = {"width": 320, "height": 700}


@asynccontextmanager
async def looking(browser: Browser, **options: Any) -> AsyncIterator[Page]:
    """A page; by its end the browser must have refused nothing and no script have failed."""
    context = await browser.new_context(**{"locale": "fr-FR", **options})
    context.set_default_timeout(15_000)  # milliseconds
    complaints: list[str] = []
    page = await context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None)
    try:
        yield page
    finally:
        await context.close()
    # The browser notes each answer of 4xx; it is the test that asks for those.
    assert [line for line in complaints if "Failed to load resource" not in line] == []


async def signed_in(page: Page, desk: Desk, **how: Any) -> None:
    """The browser has a session, without the pages of it."""
    token = desk.staff.new(**{"stage": Stage.FULL, **how})
    given = {"Set-Cookie": f"__Host-callcenter={token}; Path=/; Secure; HttpOnly; SameSite=Strict"}
    await page.route("**/given", lambda route: route.fulfill(headers=given, body=""))
    await page.goto(desk.guest.origin + "/given")
    await page.unroute("**/given")


async def test_one_signs_in_by_keyboard_alone(browser: Browser) -> None:
    async with open_desk() as desk, looking(browser) as page:
        await page.goto(desk.guest.origin + "/compte")
        await expect(page.get_by_label("Identifiant")).to_be_focused()
        await page.keyboard.type("operatrice1")
        await page.keyboard.press("Tab")
        await page.keyboard.type("pas le bon mot")
        await page.keyboard.press("Enter")
        problems = page.get_by_role("alert")
        await expect(problems).to_be_focused()
        await expect(page).to_have_title("Erreur\u00a0: Connexion – callcenter")
        await page.keyboard.press("Tab")
        await expect(page.get_by_label("Identifiant")).to_be_focused()
        await page.keyboard.press("Tab")
        await page.keyboard.type(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.get_by_label("Code à six chiffres")).to_be_focused()
        await page.keyboard.type(CODE)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Mon compte", level=1)).to_be_visible()
        await page.keyboard.press("Tab")
        skip = page.get_by_role("link", name="Aller au contenu")
        await expect(skip).to_be_focused()
        await expect(skip).to_be_in_viewport()
        await page.keyboard.press("Enter")
        await expect(page.locator("main")).to_be_focused()


async def test_an_error_leads_to_its_field(browser: Browser) -> None:
    async with open_desk() as desk, looking(browser) as page:
        await page.goto(desk.guest.origin + "/connexion")
        await page.get_by_label("Identifiant").fill("operatrice1")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_be_focused()
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.get_by_label("Mot de passe")).to_be_focused()
        await expect(page.get_by_label("Mot de passe")).to_have_accessible_description("Saisissez votre mot de passe.")


async def test_all_but_keys_works_without_scripts(browser: Browser) -> None:
    async with open_desk() as desk, looking(browser, java_script_enabled=False) as page:
        await page.goto(desk.guest.origin + "/")
        await page.get_by_label("Identifiant").fill("operatrice1")
        await page.get_by_label("Mot de passe").fill(PASSWORD)
        await page.get_by_role("button", name="Continuer").click()
        await expect(page.get_by_text("Ce navigateur ne permet pas les clés d’accès")).to_be_visible()
        await expect(page.get_by_role("button", name="Utiliser une clé d’accès")).to_be_hidden()
        await page.get_by_role("textbox", name="Code de secours").fill(RECOVERY)
        await page.get_by_role("button", name="Valider le code de secours").click()
        await expect(page.get_by_role("heading", name="Bonjour, Télésecrétaire 1")).to_be_visible()
        await page.get_by_role("button", name="Se déconnecter").click()
        await expect(page.get_by_text("Votre session est fermée")).to_be_visible()


async def pages_of(page: Page, desk: Desk) -> AsyncIterator[str]:
    """Every page, one after the other."""
    origin = desk.guest.origin
    for path in ("/connexion", f"/invitation/{INVITATION}", "/invitation/none", "/nothing"):
        await page.goto(origin + path)
        yield path
    await signed_in(page, desk, stage=Stage.PASSWORD)
    await page.goto(origin + "/connexion/facteur")
    yield "second factor"
    await page.get_by_role("button", name="Valider le code", exact=True).click()
    await expect(page.get_by_role("alert")).to_be_focused()
    yield "second factor, wrong"
    await signed_in(page, desk, stage=Stage.PASSWORD, enrolled=False)
    await page.goto(origin + "/premier-facteur")
    yield "first factor"
    await page.get_by_role("button", name="Configurer une application").click()
    await expect(page.locator(".qr svg")).to_be_visible()
    yield "secret"
    await signed_in(page, desk, confirmed=True)
    for path in ("/", "/confirmation", "/compte"):
        await page.goto(origin + path)
        yield path
    await page.get_by_role("button", name="En créer dix nouveaux").click()
    await expect(page.locator(".codes li")).to_have_count(10)
    yield "recovery codes"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_fits_a_narrow_screen_and_names_what_it_holds(browser: Browser, scheme: str) -> None:
    async with open_desk() as desk, looking(browser, viewport=NARROW, color_scheme=scheme) as page:
        seen = []
        async for name in pages_of(page, desk):
            seen.append(name)
            faults = await page.evaluate(FAULTS)
            assert faults == [], name
        assert len(seen) == 12


#: What WCAG 2.2 asks of every page and a script can see: reflow (1.4.10), names (4.1.2), targets (2.5.8), one first
#: heading, no identifier twice, descriptions that exist.
FAULTS = """() => {
  const faults = [];
  const seen = (element) => element.checkVisibility() && element.type !== "hidden";
  const all = (selector) => [...document.querySelectorAll(selector)].filter(seen);
  if (document.documentElement.scrollWidth > innerWidth) faults.push("wider than the screen");
  if (document.documentElement.lang !== "fr") faults.push("no language");
  if (all("h1").length !== 1) faults.push("not one first heading");
  for (const input of all("input")) if (!input.labels.length) faults.push(`no label: ${input.name}`);
  for (const button of all("button, a")) {
    if (!(button.ariaLabel ?? button.textContent).trim()) faults.push("no name");
    const { height } = button.getBoundingClientRect();
    if (button.tagName === "BUTTON" && height < 24) faults.push(`small: ${button.textContent}`);
  }
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  if (new Set(ids).size !== ids.length) faults.push("an identifier twice");
  for (const element of document.querySelectorAll("[aria-describedby], [aria-labelledby]")) {
    const named = `${element.getAttribute("aria-describedby") ?? ""} ${element.getAttribute("aria-labelledby") ?? ""}`;
    for (const id of named.trim().split(/ +/)) if (!ids.includes(id)) faults.push(`nothing is called ${id}`);
  }
  const background = getComputedStyle(document.body).backgroundColor;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  if (background !== (dark ? "rgb(12, 19, 22)" : "rgb(238, 242, 243)")) faults.push(`background ${background}`);
  return faults;
}"""


async def test_codes_are_copied_and_printed(browser: Browser) -> None:
    permissions = ["clipboard-read", "clipboard-write"]
    async with open_desk() as desk, looking(browser, permissions=permissions) as page:
        await page.add_init_script("window.print = () => { window.printed = true; };")
        await signed_in(page, desk, confirmed=True)
        await page.goto(desk.guest.origin + "/compte")
        await page.get_by_role("button", name="En créer dix nouveaux").click()
        await page.get_by_role("button", name="Copier").click()
        await expect(page.get_by_role("status")).to_have_text("Copiés")
        copied = await page.evaluate("navigator.clipboard.readText()")
        assert copied.split("\n") == [f"aaaa-bbb{number}" for number in range(10)]
        await page.get_by_role("button", name="Imprimer").click()
        assert await page.evaluate("window.printed")


async def test_a_script_that_got_into_a_page_is_not_run(browser: Browser) -> None:
    """As if escaping had failed: the page's policy stands behind it."""
    async with open_desk() as desk:
        context = await browser.new_context()
        page = await context.new_page()
        refused: list[str] = []
        page.on("console", lambda line: refused.append(line.text) if line.type == "error" else None)

        async def with_script(route: Any) -> None:
            answer = await route.fetch()
            body = (await answer.text()).replace("</main>", "<script>window.ran = 1</script><p onclick=x></main>")
            await route.fulfill(response=answer, body=body)

        await page.route("**/connexion", with_script)
        await page.goto(desk.guest.origin + "/connexion")
        assert await page.evaluate("window.ran") is None
        assert any("Content Security Policy" in line for line in refused)
        await context.close()


async def test_a_link_from_elsewhere_finds_the_session(browser: Browser) -> None:
    """A browser keeps the cookie back when one comes from another site; our own page asks once more."""
    async with open_desk() as desk, looking(browser) as page:
        await signed_in(page, desk)
        port = desk.guest.origin.rpartition(":")[2]
        link = f'<a href="{desk.guest.origin}/compte?fait=session">ici</a>'
        await page.route("**/mail", lambda route: route.fulfill(content_type="text/html", body=link))
        await page.goto(f"http://127.0.0.1:{port}/mail")
        await page.get_by_role("link", name="ici").click()
        await expect(page.get_by_role("heading", name="Mon compte", level=1)).to_be_visible()
        await expect(page.get_by_text("La session a pris fin.")).to_be_visible()


async def test_on_a_narrow_screen_the_ways_are_behind_a_button_without_a_script(browser: Browser) -> None:
    async with open_desk() as desk, looking(browser, viewport=NARROW, java_script_enabled=False) as page:
        await signed_in(page, desk)
        await page.goto(desk.guest.origin + "/compte")
        menu, nav = page.get_by_role("button", name="Menu"), page.get_by_role("navigation")
        await expect(nav).to_be_hidden()
        await menu.focus()
        await page.keyboard.press("Enter")
        await expect(nav).to_be_in_viewport()
        await page.keyboard.press("Tab")
        await expect(nav.get_by_role("link", name="Accueil")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(nav).to_be_hidden()
        await expect(menu).to_be_focused()
        await page.set_viewport_size({"width": 1024, "height": 700})
        await expect(menu).to_be_hidden()
        await expect(nav.get_by_role("link", name="Mon compte")).to_have_attribute("aria-current", "page")


@pytest.mark.parametrize("width", [1000, 1280])
async def test_whoever_has_all_roles_has_one_row_and_the_rest_behind_plus_without_a_script(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    everything = replace(ALICE, roles=frozenset({"operator", "supervisor", "practitioner", "administrator"}))
    # Pages whose doors a desk of these tests does not have are shown all the same.
    monkeypatch.setattr(visits, "ways", lambda session, _, here: ways(session, [place.path for place in PLACES], here))
    how = {"viewport": {"width": width, "height": 700}, "java_script_enabled": False}
    async with open_desk(StaffDouble(account=everything)) as desk, looking(browser, **how) as page:
        await signed_in(page, desk)
        await page.goto(desk.guest.origin + "/compte")
        nav = page.get_by_role("navigation")
        tops = await nav.locator("li").evaluate_all(
            "all => all.filter(one => one.offsetParent).map(one => one.offsetTop)"
        )
        assert (len(tops), len(set(tops))) == (10, 1)
        assert await page.locator("header").evaluate("it => it.offsetHeight") < 80, "beside the name, not below it"
        more, account = nav.get_by_role("button", name="Plus"), nav.get_by_role("link", name="Mon compte")
        await expect(more).to_have_attribute("aria-current", "true")  # one is at a page behind it
        await expect(account).to_be_hidden()
        await more.focus()
        await page.keyboard.press("Enter")
        await expect(account).to_be_in_viewport()
        await expect(nav.get_by_role("button", name="Se déconnecter")).to_be_in_viewport()
        await page.keyboard.press("Tab")
        await expect(nav.get_by_role("link", name="Avis d’incident")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(more).to_be_focused()
        await page.set_viewport_size(NARROW)
        await page.get_by_role("button", name="Menu").click()
        await expect(more).to_be_hidden()
        await expect(nav.get_by_role("link")).to_have_count(len(PLACES))
        await account.scroll_into_view_if_needed()
        await expect(account).to_be_in_viewport()
