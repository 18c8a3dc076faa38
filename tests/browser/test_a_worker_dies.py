"""The server goes away in mid-call and another takes its place: the talk goes on, and no word is lost."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

from playwright.async_api import Browser, expect

from callcenter.app import Running, run_server
from callcenter.demo import emulator_settings
from callcenter.emulator import Emulator
from callcenter.emulator.client import ControlClient
from callcenter.installation import Addresses
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom
from callcenter.speech.voices import SilentVoice
from callcenter.store.schema import APP
from tests.acceptance.stage import Stage, stage_settings
from tests.acceptance.test_two_people_talk import OPEN, Office
from tests.browser.test_console_login import make_staff
from tests.browser.test_script_on_stage import of_the_practice, takes_a_call
from tests.browser.test_workplace import at_work, button, heading, hear_each_other
from tests.conftest import TODAY, Cluster


async def test_a_worker_dies_in_mid_call_and_what_is_typed_is_sent_by_the_next(
    browser: Browser,
    cluster: Cluster,
    database_name: str,
    keys_file: Path,
    clock: DrivenClock,
    random: SeededRandom,
) -> None:
    settings = stage_settings(keys_file, environment="demo")
    addresses = Addresses(
        cluster.server.url(user=APP, database=database_name), cluster.server.dsn(user=APP, database=database_name), None
    )
    port = int((settings.carrier.base_url or "").rsplit(":", 1)[1])

    async def worker(house: AsyncExitStack) -> Running:
        server = run_server(settings, addresses, clock=clock, random=random, voice=SilentVoice())
        return await house.enter_async_context(server)

    async with AsyncExitStack() as outside:
        emulator = Emulator(emulator_settings(settings, port), clock)
        await emulator.start()
        outside.push_async_callback(emulator.stop)
        async with AsyncExitStack() as first:
            stage = Stage(await worker(first), emulator, clock, TODAY)
            await stage.furnish(OPEN)
            await make_staff(stage)
            office = Office(stage, await outside.enter_async_context(ControlClient(emulator.base_url)))
            page = await outside.enter_async_context(at_work(browser, stage))
            hands, caller = await takes_a_call(page, office)
            await hands.press("1", "Message pour le cabinet")
            written, kept = page.get_by_role("textbox", name="Message"), page.locator("#brouillon")
            await hands.write("Rappeler")
            await expect(kept).to_have_text("Texte gardé.")
        await hands.write(" avant midi")
        await expect(kept).to_contain_text("la liaison est perdue")
        assert await hear_each_other(office, caller)
        async with AsyncExitStack() as second:
            stage.running = await worker(second)
            await expect(kept).to_have_text("Texte gardé.")
            await expect(written).to_have_value("Rappeler avant midi")
            assert await hear_each_other(office, caller)
            await written.focus()
            await hands.press("Enter", "Le message est transmis.")
            assert await of_the_practice(office, "SELECT count(*) FROM message") == 1
            await button(page, "Raccrocher").click()
            await expect(heading(page, "Appel à clore")).to_be_visible()
            await emulator.stop()  # before whom it tells that a call is over
