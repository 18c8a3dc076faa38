"""How soon the console's pages can be used, by the browser's own clock: ``make bench-pages``. No test; it only tells.

Server, database and browser share the machine, and the server shares one process with what drives the browser: whoever
has a server of their own waits less, but for the network.
"""

from __future__ import annotations

import os
from statistics import median

import pytest
from playwright.async_api import Browser, Page

from callcenter.console import paths
from tests.acceptance.stage import Stage
from tests.acceptance.test_two_people_talk import OPEN
from tests.browser.test_console_login import first_step, make_staff, second_step
from tests.browser.test_console_pages import looking

LOADS = 9
#: Whose pages: each is looked at by somebody whom it is for.
PAGES = {
    "operatrice1": (paths.HOME, paths.WORKPLACE, paths.MESSAGES, paths.ACCOUNT),
    "superviseur": (paths.PRACTICES, paths.REVIEW, paths.BOARD, paths.INCIDENTS),
    "administrateur": (paths.ADMINISTRATION,),
}
#: Notes when the workplace's own script has begun to answer.
NOTES = """
new MutationObserver(() => { window.ready ??= performance.now(); })
  .observe(document, { attributes: true, subtree: true, attributeFilter: ["data-ready"] });
"""
#: Milliseconds since the address was asked for: first byte; page read and every script of ours run.
TIMES = """() => {
  const [page] = performance.getEntriesByType("navigation");
  return [page.responseStart, Math.max(page.domContentLoadedEventEnd, window.ready ?? 0)];
}"""


async def _loads(page: Page, address: str, *, first: bool) -> tuple[float, float]:
    """Medians of first byte and of use, in milliseconds.

    Arguments:
        first: the browser has nothing of ours yet.
    """
    session, came = await page.context.new_cdp_session(page), []
    for _ in range(LOADS):
        if first:
            await session.send("Network.clearBrowserCache")
        await page.goto(address, wait_until="load")
        if address.endswith(paths.WORKPLACE):
            await page.wait_for_selector("html[data-ready]")
        came.append(await page.evaluate(TIMES))
    await session.detach()
    return median(byte for byte, _ in came), median(use for _, use in came)


@pytest.mark.parametrize("login", PAGES)
async def test_how_soon_a_page_can_be_used(browser: Browser, stage: Stage, login: str) -> None:
    await stage.furnish(OPEN)
    await make_staff(stage)
    print(f"\n{login}, load {os.getloadavg()[0]:.1f}: ms to the first byte / to use, first visit and again")
    async with looking(browser) as page:
        await first_step(page, stage, login)
        await second_step(page, stage, login)
        await page.wait_for_url(stage.running.console + "/")
        await page.add_init_script(NOTES)
        for path in PAGES[login]:
            address = stage.running.console + path
            new, known = await _loads(page, address, first=True), await _loads(page, address, first=False)
            print(f"{path:<16}{new[0]:>7.0f} /{new[1]:>5.0f}{known[0]:>9.0f} /{known[1]:>5.0f}")
            assert all(0 < byte <= use for byte, use in (new, known))  # they were measured
