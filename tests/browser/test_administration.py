"""The pages of administration in a browser: an account is made by keyboard, and the pages hold on a narrow screen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Browser, Page, expect
from sqlalchemy import text

from callcenter.app.by_administration import Examine
from callcenter.console.administration_ports import Checked
from callcenter.kernel.clock import DrivenClock
from callcenter.staff.values import Role
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer
from tests.browser.barriers import without_barriers
from tests.browser.test_console_pages import looking
from tests.integration.consoles import BY, ORGANISATION, Console, opened_console


async def _chief(console: Console) -> None:
    await console.joined("chef")
    account = await console.room.administration.called("chef")
    portfolio = await console.room.portfolios.create(ORGANISATION, "Tous les cabinets", BY, whole=True)
    await console.room.administration.grant(account, Role.ADMINISTRATOR, portfolio, BY)


@asynccontextmanager
async def _administering(
    browser: Browser,
    database: Database,
    sealer: Sealer,
    clock: DrivenClock,
    examine: Examine | None = None,
    **options: Any,
) -> AsyncIterator[tuple[Console, Page]]:
    """A browser at which an administrator has signed in."""
    async with (
        opened_console(database, sealer, clock, examine=examine) as console,
        looking(browser, **options) as page,
    ):
        await _chief(console)
        token = console.guest.cookies["__Host-callcenter"]
        given = {"Set-Cookie": f"__Host-callcenter={token}; Path=/; Secure; HttpOnly; SameSite=Strict"}
        await page.route("**/given", lambda route: route.fulfill(headers=given, body=""))
        await page.goto(console.guest.origin + "/given")
        await page.unroute("**/given")
        yield console, page


async def test_an_account_is_made_by_keyboard_alone(
    browser: Browser, database: Database, sealer: Sealer, clock: DrivenClock
) -> None:
    async with _administering(browser, database, sealer, clock) as (console, page):
        await page.goto(console.guest.origin + "/")
        await page.get_by_role("link", name="Administration").click()
        await page.get_by_label("Identifiant").focus()
        await page.keyboard.type("operatrice8")
        await page.keyboard.press("Tab")
        await page.keyboard.type("Télésecrétaire 8")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Invitation de Télésecrétaire 8")).to_be_visible()
        await expect(page.locator(".secret")).to_contain_text("/invitation/")
        await without_barriers(page, "/administration")
        await page.get_by_role("link", name="Aller à la page du compte").click()
        await page.get_by_label("Engagement de secret signé le").fill("2026-11-20")
        await page.get_by_role("button", name="Enregistrer la signature").click()
        await expect(page.get_by_role("status")).to_contain_text("L’engagement de secret est enregistré")


@pytest.mark.parametrize("locale", ["fr-FR", "en-GB"])
async def test_no_page_of_administration_keeps_anybody_out(
    browser: Browser, database: Database, sealer: Sealer, clock: DrivenClock, locale: str
) -> None:
    async with _administering(browser, database, sealer, clock, locale=locale) as (console, page):
        origin = console.guest.origin
        colleague = await console.account("operatrice9")
        await console.room.administration.trained(colleague.id, date(2027, 9, 30), BY)  # as long as a date becomes
        folder = await console.room.portfolios.create(ORGANISATION, "Nord", BY)
        await page.goto(f"{origin}/administration")
        await without_barriers(page, "/administration")
        await page.goto(f"{origin}/administration/comptes/{colleague.id}")
        await without_barriers(page, "/administration/comptes/{account}")
        await page.goto(f"{origin}/administration/portefeuilles/{folder.id}")
        await without_barriers(page, "/administration/portefeuilles/{folder}")
        await page.goto(f"{origin}/administration/sante")
        await without_barriers(page, "/administration/sante")
        await _differing(console)
        await page.goto(f"{origin}/ecarts")
        await without_barriers(page, "/ecarts")
        await page.get_by_role("checkbox").check()
        await page.locator("main form button").click()
        await expect(page.get_by_role("alert")).to_be_focused()
        await without_barriers(page, "/ecarts")
        assert await page.locator("html").get_attribute("lang") == locale[:2]


async def _differing(console: Console) -> None:
    """A practice of the house had a call that nothing is written of; a day before was not compared."""
    practice = uuid4()
    async with console.database.house() as connection:
        for statement in _DIFFERING:
            await connection.execute(text(statement), {"practice": practice, "organisation": ORGANISATION})


async def _examined() -> list[Checked]:
    """Short and long, as ``callcenter doctor`` says it."""
    long = (
        "every key that this data was sealed with is in the file, and the newest of them is the one that is in use now"
    )
    says = {"keys": "1 key", "voice": long, "queue": "none", "ledger": long, "mail": "none: notices go by text"}
    return [Checked(subject, subject != "mail", said) for subject, said in says.items()]


@pytest.mark.parametrize("width", [1280, 320])
async def test_the_states_of_the_installation_stand_in_one_column(
    browser: Browser, database: Database, sealer: Sealer, clock: DrivenClock, width: int
) -> None:
    size = {"width": width, "height": 900}
    async with _administering(browser, database, sealer, clock, _examined, viewport=size) as (console, page):
        await page.goto(f"{console.guest.origin}/administration/sante")
        boxes = [await one.bounding_box() for one in await page.locator("#examens ~ ul .badge").all()]
        ends = {round(box["x"] + box["width"]) for box in boxes if box is not None}
        assert (len(boxes), len(ends)) == (5, 1), ends
        assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth")


_DIFFERING = (
    "INSERT INTO practice (id, organisation_id, slug, rescue_number) "
    "VALUES (:practice, :organisation, 'cabinet-d-essai', '+33199000099')",
    "INSERT INTO carrier_finding (id, practice_id, sid, kind, day, found_at) VALUES (gen_random_uuid(), :practice, "
    "'CA' || repeat('a', 32), 'call_unknown', '2026-11-24', '2026-11-25 04:11Z')",
    "INSERT INTO carrier_day (day, compared_at, theirs, ours) VALUES ('2026-11-24', '2026-11-25 04:11Z', 3, 2)",
)
