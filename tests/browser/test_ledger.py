"""The sealed ledger in a browser: from a call to a proof that is checked without us; and the banner, by itself."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect
from sqlalchemy import text

from callcenter.audit import proof, verify
from callcenter.audit.logs import origin_of
from callcenter.console.ledger_ports import NoRecord
from callcenter.console.streams import StreamLimits
from callcenter.kernel.clock import DrivenClock
from callcenter.store.schema import SEALER
from tests.acceptance.on_the_line import calling
from tests.acceptance.stage import Stage
from tests.browser.barriers import ENDS, without_barriers
from tests.browser.test_console_login import first_step, make_staff, second_step
from tests.browser.test_console_pages import looking, signed_in
from tests.conftest import Cluster
from tests.integration.calling import TILLEULS
from tests.sealing import a_key, seal_once
from tests.unit.console.doubles import Desk, open_desk
from tests.unit.console.ledgers import LISTED, PRACTICE, RECORD

#: A badge and how old it is: « 5 minutes » stood under it.
ON_ONE_LINE = "all => all.length > 0 && all.every(one => one.offsetHeight < 1.9 * one.firstElementChild.offsetHeight)"
PROVEN = "SELECT ref FROM audit_record WHERE event = 'ledger.proven'"


async def test_from_a_call_to_the_proof_of_a_record_that_is_checked_without_us(
    browser: Browser, stage: Stage, cluster: Cluster, database_name: str, clock: DrivenClock, tmp_path: Path
) -> None:
    await make_staff(stage)
    async with calling(stage) as line:
        await line.verify()
    await seal_once(cluster.server.url(user=SEALER, database=database_name), a_key(), clock)
    async with looking(browser) as page:
        await first_step(page, stage, "superviseur")
        await second_step(page, stage, "superviseur")
        await page.get_by_role("link", name="Suivi").click()
        await page.get_by_label("Cabinet", exact=True).first.select_option(label="Cabinet des Tilleuls")
        await page.get_by_role("button", name="Chercher").click()
        await page.get_by_role("link", name="Revoir").click()
        await page.get_by_role("link", name="Sa preuve").first.focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("Prouvée.")).to_be_visible()
        record = page.url.rpartition("/")[2]
        button = page.get_by_role("button", name="Télécharger la preuve")
        async with page.expect_download() as download:
            await button.press("Enter")
        came: Path = await (await download.value).path()
        file = came.read_bytes()  # the browser takes it away with itself
        assert (await download.value).suggested_filename == f"inscription-{record}.tlog-proof"
    async with stage.running.database.practice(TILLEULS) as tx:
        assert (await tx.connection.execute(text(PROVEN))).scalars().all() == [f"record:{record}"]
    said = checked_elsewhere(tmp_path, file)
    assert said.startswith("proven: record ")
    assert f'"id":"{record}"' in said


def checked_elsewhere(folder: Path, file: bytes) -> str:
    """What the page says to type, where two files are all that there is of ours."""
    (folder / "callcenter" / "audit").mkdir(parents=True)
    for module in (verify, proof):
        shutil.copy(Path(str(module.__file__)), folder / "callcenter" / "audit")
    (folder / "cabinet.cle").write_text(str(a_key().verifier_key(origin_of(TILLEULS))))
    (folder / "one.tlog-proof").write_bytes(file)
    command = [sys.executable, "-m", "callcenter.audit.proof", "one.tlog-proof", "--trust", "cabinet.cle"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


async def ledgers(page: Page, desk: Desk) -> None:
    origin = desk.guest.origin
    await signed_in(page, desk, roles=frozenset({"supervisor", "administrator"}))
    await page.goto(origin + "/registre")
    await without_barriers(page, "/registre", ENDS)
    await page.goto(f"{origin}/registre/{PRACTICE}")
    assert await page.locator("td .unbroken").evaluate_all(ON_ONE_LINE)
    await page.locator("details summary").click()
    await without_barriers(page, "/registre/{log}", ENDS)
    await page.locator('form[action$="/recherche"] button').click()
    await expect(page.locator("#trouve")).to_be_focused()
    await page.goto(f"{origin}/registre/{PRACTICE}/inscriptions/{RECORD}")
    await without_barriers(page, "/registre/{log}/inscriptions/{record}", ENDS)
    desk.ledgers.came = NoRecord.BROKEN
    await page.goto(f"{origin}/registre/{PRACTICE}/inscriptions/{RECORD}")
    await without_barriers(page, "/registre/{log}/inscriptions/{record}", ENDS[:1])
    await page.goto(f"{origin}/registre/{PRACTICE}/depots")
    await without_barriers(page, "/registre/{log}/depots", ENDS)
    assert len(LISTED) == await page.locator("tbody tr").count()


@pytest.mark.parametrize("locale", ["fr-FR", "en-GB"])
async def test_no_page_of_the_ledger_keeps_anybody_out(browser: Browser, locale: str) -> None:
    async with open_desk() as desk, looking(browser, locale=locale) as page:
        await ledgers(page, desk)
        assert await page.locator("html").get_attribute("lang") == locale[:2]


async def test_p4_an_open_page_says_by_itself_that_disclosures_are_closed_and_that_they_are_open_again(
    browser: Browser,
) -> None:
    behind, quick = [False], StreamLimits(check=0.1, look=60.0)
    async with open_desk(ledger_is_behind=lambda: behind[0], streams=quick) as desk, looking(browser) as page:
        await signed_in(page, desk, roles=frozenset({"supervisor"}))
        await page.goto(desk.guest.origin + "/poste")
        await page.wait_for_selector("html[data-ready]")
        banner = page.locator("#scellement")
        await expect(banner).to_be_hidden()
        behind[0] = True
        await expect(banner).to_be_visible()
        await expect(banner).to_contain_text("Le registre n’est pas scellé à temps")
        behind[0] = False
        await expect(banner).to_be_hidden()
