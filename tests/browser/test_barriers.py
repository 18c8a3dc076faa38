"""No page keeps anybody out: each is looked at by axe in every form, in both languages."""

from __future__ import annotations

import ast
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from callcenter.console import application, paths
from callcenter.console.files import FOLDER
from callcenter.console.inbox_ports import Answer, As
from callcenter.console.ports import Stage as Step
from callcenter.console.review_ports import LookUpProblem
from callcenter.console.visits import Door
from callcenter.console.workplace_ports import Doing
from tests.acceptance.stage import Stage
from tests.browser.barriers import ENDS, without_barriers
from tests.browser.test_console_login import first_step, make_staff, second_step
from tests.browser.test_console_pages import looking, signed_in
from tests.integration.calling import TILLEULS
from tests.unit.console.doubles import INVITATION, Desk, open_desk
from tests.unit.console.glasses import OTHERS, OWN
from tests.unit.console.inboxes import MESSAGE, PRACTICE, SINCE
from tests.unit.console.incidents import GIVEN, INCIDENT, LATE
from tests.unit.console.incidents import PRACTICE as CONCERNED
from tests.unit.console.reviews import CALL
from tests.unit.console.scenarios import DIGEST
from tests.unit.console.workplaces import RING

#: Doors that one goes to and that show no page: a part of one, events, sounds, files.
NO_PAGES = frozenset(
    {
        *(paths.WORKPLACE_STATE, paths.WORKPLACE_NEWS, paths.BOARD_STATE, paths.BOARD_WALL_STATE, paths.BOARD_NEWS),
        paths.SCENARIO_PICTURE,
        *(paths.MESSAGE_SOUND, paths.PRACTICE_SOUND, paths.INCIDENT_TEXT, paths.INCIDENT_PAPER, paths.INCIDENT_LETTER),
    }
)
#: Bytes of a page of settings: far more than the longest needs, far less than one that repeats itself.
LARGEST = 60_000
Walk = Callable[[Page, Desk], Awaitable[None]]
HELPER = without_barriers.__name__


async def sent(page: Page, action: str) -> None:
    """Send the form that leads there, whatever its button is called."""
    await page.locator(f'form[action="{action}"] button').first.click()


async def at_the_door(page: Page, desk: Desk) -> None:
    origin = desk.guest.origin
    await page.goto(origin + "/connexion")
    await without_barriers(page, "/connexion")
    await sent(page, "/connexion")
    await expect(page.get_by_role("alert")).to_be_focused()
    await without_barriers(page, "/connexion")
    await page.goto(origin + "/nothing")
    await without_barriers(page, "/nothing")


async def joining(page: Page, desk: Desk) -> None:
    origin = desk.guest.origin
    for token in (INVITATION, "none"):
        await page.goto(f"{origin}/invitation/{token}")
        await without_barriers(page, "/invitation/{token}")
    await signed_in(page, desk, stage=Step.PASSWORD, enrolled=False)
    await page.goto(origin + "/premier-facteur")
    await without_barriers(page, "/premier-facteur")
    await sent(page, "/premier-facteur/application")
    await expect(page.locator(".qr svg")).to_be_visible()
    await without_barriers(page, "/premier-facteur/application")


async def coming_in(page: Page, desk: Desk) -> None:
    await signed_in(page, desk, stage=Step.PASSWORD)
    await page.goto(desk.guest.origin + "/connexion/facteur")
    await without_barriers(page, "/connexion/facteur")
    await sent(page, "/connexion/facteur/application")
    await expect(page.get_by_role("alert")).to_be_focused()
    await without_barriers(page, "/connexion/facteur/application")


async def ones_own(page: Page, desk: Desk) -> None:
    origin = desk.guest.origin
    await signed_in(page, desk, confirmed=False)
    await page.goto(origin + "/compte")
    await without_barriers(page, "/compte")
    await signed_in(page, desk, confirmed=True)
    await page.goto(origin + "/")
    await without_barriers(page, "/")
    await page.goto(origin + "/confirmation")
    await without_barriers(page, "/confirmation")
    await page.goto(origin + "/compte?fait=session")
    await without_barriers(page, "/compte")
    await sent(page, "/compte/codes-de-secours")
    await expect(page.locator(".codes li")).to_have_count(10)
    await without_barriers(page, "/compte/codes-de-secours")


async def at_work(page: Page, desk: Desk) -> None:
    await signed_in(page, desk)
    await page.goto(desk.guest.origin + "/poste")
    await page.wait_for_selector("html[data-ready]")
    await without_barriers(page, "/poste")
    desk.workplaces.stands(doing=Doing.RESERVED, ring=replace(RING, callback=True, professional=True, language="en"))
    await page.reload()
    await expect(page.locator("#act-decrocher")).to_be_visible()
    await without_barriers(page, "/poste")


async def messages(page: Page, desk: Desk) -> None:
    origin = desk.guest.origin
    await signed_in(page, desk, confirmed=True)
    await page.goto(origin + "/messages")
    await without_barriers(page, "/messages")
    await page.goto(f"{origin}/messages/{PRACTICE}")
    await without_barriers(page, "/messages/{practice}", ENDS)
    await page.goto(f"{origin}/messages/{PRACTICE}/{MESSAGE}")
    await without_barriers(page, "/messages/{practice}/{message}")
    await sent(page, f"/messages/{PRACTICE}/{MESSAGE}")
    await expect(page.get_by_text("06 39 98 00 01")).to_be_visible()
    await without_barriers(page, "/messages/{practice}/{message}")
    await sent(page, f"/messages/{PRACTICE}/{MESSAGE}/reponse")
    await expect(page.get_by_role("alert")).to_be_focused()
    await without_barriers(page, "/messages/{practice}/{message}/reponse")
    await followed_up(page, desk)
    desk.inboxes.overviewed = replace(desk.inboxes.overviewed, for_me=(), waiting=())
    await page.goto(origin + "/messages")
    await without_barriers(page, "/messages")


async def followed_up(page: Page, desk: Desk) -> None:
    """A message that somebody else reads: to whom it is about to be shown, and what follows from it."""
    to_do = replace(desk.inboxes.line, answer=Answer.CALL_BACK, due_at=SINCE)
    desk.inboxes.overviewed = replace(desk.inboxes.overviewed, to_do=(to_do,))
    desk.inboxes.ways, desk.inboxes.may_take = frozenset({As.SUPERVISOR}), True
    await page.goto(desk.guest.origin + "/messages")
    await without_barriers(page, "/messages")
    await page.goto(f"{desk.guest.origin}/messages/{PRACTICE}/{MESSAGE}")
    await without_barriers(page, "/messages/{practice}/{message}")
    await page.goto(desk.guest.origin + "/messages")
    await sent(page, f"/messages/{PRACTICE}/{MESSAGE}/suite/prendre")
    await without_barriers(page, "/messages/{practice}/{message}/suite/{act}")


async def supervising(page: Page, desk: Desk) -> None:
    origin = desk.guest.origin
    desk.incidents.runs = True
    await signed_in(page, desk, roles=frozenset({"supervisor"}))
    for path in ("/en-direct", "/en-direct/mur"):
        await page.goto(origin + path)
        await page.wait_for_selector("html[data-ready]")
        await (without_barriers(page, "/en-direct/mur") if "mur" in path else without_barriers(page, "/en-direct"))
    await page.goto(origin + "/blocages")
    await without_barriers(page, "/blocages")
    await page.goto(origin + "/incidents")
    await without_barriers(page, "/incidents")
    await page.goto(origin + "/incidents/nouveau")
    await without_barriers(page, "/incidents/nouveau")
    await sent(page, "/incidents/nouveau")
    await expect(page.get_by_role("alert")).to_be_focused()
    await without_barriers(page, "/incidents/nouveau")
    await page.goto(f"{origin}/incidents/{INCIDENT}")
    await without_barriers(page, "/incidents/{incident}")
    same = f"/incidents/{INCIDENT}/avis"
    await page.goto(origin + same)
    await without_barriers(page, "/incidents/{incident}/avis")
    await page.locator('button[value="relire"]').click()
    await expect(page.get_by_role("alert")).to_be_focused()
    await without_barriers(page, "/incidents/{incident}/avis")
    await page.locator("#avis").fill("Nos serveurs ont été indisponibles deux heures.")
    await page.locator('input[type="checkbox"]').first.check()
    await page.locator('button[value="relire"]').click()
    await expect(page.locator('button[value="remettre"]')).to_be_visible()
    await without_barriers(page, "/incidents/{incident}/avis")
    told = f"/incidents/{INCIDENT}/cabinets/{CONCERNED}"
    desk.notices.register, desk.notices.notices = LATE, (GIVEN,)
    await page.goto(origin + told)
    await without_barriers(page, "/incidents/{incident}/cabinets/{practice}")
    await sent(page, told + "/informe")
    await expect(page.get_by_role("alert")).to_be_focused()
    await without_barriers(page, "/incidents/{incident}/cabinets/{practice}/informe")


async def told_of_incidents(page: Page, desk: Desk) -> None:
    """A practitioner, whose practice is concerned: before anything is written, and after."""
    desk.notices.waits = 1
    await signed_in(page, desk, roles=frozenset({"practitioner"}))
    own = f"{desk.guest.origin}/avis/{CONCERNED}/{INCIDENT}"
    await page.goto(own)
    await without_barriers(page, "/avis/{practice}/{incident}")
    desk.notices.notices = (GIVEN,)
    await page.goto(desk.guest.origin + "/avis")
    await without_barriers(page, "/avis")
    await page.goto(own)
    await without_barriers(page, "/avis/{practice}/{incident}")


async def reviewing(page: Page, desk: Desk) -> None:
    origin = desk.guest.origin
    await signed_in(page, desk, roles=frozenset({"supervisor"}))
    await page.goto(origin + "/suivi")
    await without_barriers(page, "/suivi")
    await signed_in(page, desk, roles=frozenset({"supervisor"}), confirmed=True)
    await page.goto(origin + "/suivi")
    await sent(page, "/suivi")
    await expect(page.locator(f'a[href$="{CALL}"]').first).to_be_visible()
    await without_barriers(page, "/suivi")
    await looked_up(page)
    await without_barriers(page, "/suivi/patient")
    desk.reviews.found = LookUpProblem.BOUND
    await looked_up(page)
    await expect(page.get_by_role("alert")).to_be_focused()
    await without_barriers(page, "/suivi/patient")
    await page.goto(f"{origin}/suivi/appels/{CALL}")
    await page.locator('a[href*="/incidents/nouveau?appel="]').click()
    await expect(page.locator('input[name="conserver"]')).to_be_checked()
    await without_barriers(page, "/incidents/nouveau")
    await page.goto(f"{origin}/suivi/appels/{CALL}")
    await without_barriers(page, "/suivi/appels/{call}")
    await page.locator('[data-act="first"]').click()
    await expect(page.locator("#deroule > li:visible")).to_have_count(1)
    await without_barriers(page, "/suivi/appels/{call}")


async def looked_up(page: Page) -> None:
    """Look somebody up in the practice that was searched in."""
    form = page.locator('form[action="/suivi/patient"]')
    if not await page.locator("details:has(form[action='/suivi/patient'])").evaluate("(it) => it.open"):
        await page.locator("details:has(form[action='/suivi/patient']) summary").click()
    await form.locator('input[type="date"]').fill("1962-03-14")
    await form.locator("select").select_option("complaint")
    await form.locator("input[maxlength='500']").fill("Réclamation reçue par courrier")
    await sent(page, "/suivi/patient")


async def broken_glass(page: Page, desk: Desk) -> None:
    origin = desk.guest.origin
    await signed_in(page, desk, roles=frozenset({"supervisor"}))
    await page.goto(origin + "/bris-de-glace")
    await without_barriers(page, "/bris-de-glace")
    await sent(page, "/bris-de-glace")
    await expect(page.get_by_role("alert")).to_be_focused()
    await without_barriers(page, "/bris-de-glace")
    await page.goto(f"{origin}/bris-de-glace/{OWN}")
    await without_barriers(page, "/bris-de-glace/{glass}", ENDS)
    await page.locator('button[value="appointments"]').click()
    await expect(page.locator("#ouvert")).to_be_focused()
    await without_barriers(page, "/bris-de-glace/{glass}/rubrique")
    await page.goto(f"{origin}/bris-de-glace/{OTHERS}")
    await without_barriers(page, "/bris-de-glace/{glass}")


async def scenarios(page: Page, desk: Desk) -> None:
    origin = desk.guest.origin
    await signed_in(page, desk, roles=frozenset({"supervisor"}))
    await page.goto(origin + "/scenarios")
    await without_barriers(page, "/scenarios")
    await page.goto(f"{origin}/scenarios/{DIGEST}")
    await without_barriers(page, "/scenarios/{digest}")
    await page.goto(f"{origin}/scenarios/{DIGEST}?vue=entiere")
    await without_barriers(page, "/scenarios/{digest}", ENDS)


WALKS = [at_the_door, joining, coming_in, ones_own, at_work, messages, supervising, reviewing, broken_glass, scenarios]
WALKS += [told_of_incidents]


@pytest.mark.parametrize("locale", ["fr-FR", "en-GB"])
@pytest.mark.parametrize("walk", WALKS)
async def test_no_page_keeps_anybody_out(browser: Browser, locale: str, walk: Walk) -> None:
    async with open_desk() as desk, looking(browser, locale=locale) as page:
        await walk(page, desk)
        assert await page.locator("html").get_attribute("lang") == locale[:2]


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_no_page_of_a_practice_keeps_anybody_out(browser: Browser, stage: Stage, language: str) -> None:
    await make_staff(stage)
    console, practice = stage.running.console, f"/cabinets/{TILLEULS}"
    async with looking(browser) as page:
        await first_step(page, stage, "superviseur")
        await second_step(page, stage, "superviseur")
        await expect(page.get_by_role("heading", name="Bonjour")).to_be_visible()
        await page.goto(console + "/compte")
        await page.locator(f'input[name="langue"][value="{language}"]').check()
        await sent(page, "/compte/langue")
        await expect(page.locator("html")).to_have_attribute("lang", language)
        await page.goto(console + "/cabinets")
        await without_barriers(page, "/cabinets")
        await page.goto(console + practice)
        await without_barriers(page, "/cabinets/{practice}")
        assert len((await page.content()).encode()) < LARGEST
        await page.goto(f"{console}{practice}/historique")
        await without_barriers(page, "/cabinets/{practice}/historique", ENDS)
        await page.goto(f"{console}{practice}/praticiens")
        await without_barriers(page, "/cabinets/{practice}/praticiens", ENDS)
        await page.goto(f"{console}{practice}/apercu")
        await without_barriers(page, "/cabinets/{practice}/apercu", ENDS)
        await page.goto(console + practice)
        links = await page.locator('a[href*="/reglages/"]').evaluate_all("(all) => all.map((link) => link.pathname)")
        settings = sorted(set(links))
        assert len(settings) > 8
        for at, path in enumerate(settings):  # at one end each: they are made of the same parts
            await page.goto(console + path)
            assert len((await page.content()).encode()) < LARGEST, path
            await without_barriers(page, "/cabinets/{practice}/reglages/{setting}", (ENDS[at % 2],))
        await page.goto(console + practice)
        await page.locator(f'a[href^="{practice}/praticiens/"]').first.click()
        await without_barriers(page, "/cabinets/{practice}/praticiens/{practitioner}", ENDS)


def looked_at(source: str) -> Iterator[str]:
    """The doors that the tests of a file look at."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == HELPER:
            yield from (one.value for one in node.args[1:] if isinstance(one, ast.Constant))


def pages_in(source: str) -> Iterator[str]:
    """The addresses of the doors of a module that one goes to."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Door":
            method, path, *_ = node.args
            named = isinstance(path, ast.Attribute) and isinstance(path.value, ast.Name) and path.value.id == "paths"
            if named and isinstance(method, ast.Constant) and method.value == "GET":
                yield getattr(paths, path.attr)


async def test_every_door_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that comes brings its own look: ``without_barriers(page, "/its/{address}")`` in a browser test."""
    found: list[Door] = []
    opened = application.doors
    monkeypatch.setattr(application, "doors", lambda *given: found.extend(opened(*given)) or found)
    async with open_desk():
        open_here = {door.path for door in found if door.method == "GET"}
    written = {path for file in FOLDER.parent.glob("*.py") for path in pages_in(file.read_text(encoding="utf-8"))}
    files = Path(__file__).parent.glob("test_*.py")
    seen = {door for file in files for door in looked_at(file.read_text(encoding="utf-8"))}
    assert min(len(open_here), len(written)) > 6
    assert (open_here | written) - NO_PAGES - seen == set()


def test_a_look_is_found_in_a_test() -> None:
    assert list(looked_at('await without_barriers(page, "/a/{b}")\nother(page, "/c")')) == ["/a/{b}"]
