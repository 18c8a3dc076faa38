"""Messages in a browser, on a real server: read by a second factor and answered, then followed up by an operator."""

from __future__ import annotations

import io
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from callcenter.console.inbox_ports import Sound
from callcenter.demo_messages import seed_messages
from callcenter.demo_staff import code_of
from callcenter.kernel.randomness import SystemRandom
from tests.acceptance.stage import Stage
from tests.browser.test_console_login import first_step, make_staff, second_step
from tests.browser.test_console_pages import looking, signed_in
from tests.unit.console.doubles import open_desk

SAID = "Demande si elle doit venir à jeun"


@pytest.fixture
async def mail(stage: Stage) -> Stage:
    """The demo's staff and messages."""
    await make_staff(stage)
    running = stage.running
    await seed_messages(running.settings, running.database, running.sealer, stage.clock, SystemRandom())
    return stage


@asynccontextmanager
async def before_messages(browser: Browser, stage: Stage, login: str, **options: Any) -> AsyncIterator[Page]:
    """Somebody of the demo's staff before their messages."""
    async with looking(browser, **options) as page:
        await first_step(page, stage, login)
        await second_step(page, stage, login)
        await expect(page.get_by_role("heading", name="Bonjour")).to_be_visible()
        await page.get_by_role("link", name="Messages").click()
        await expect(page.get_by_role("heading", name="Messages", level=1)).to_be_visible()
        yield page


async def confirms(page: Page, stage: Stage, login: str) -> None:
    """Give a second factor once more, as the page asks."""
    stage.clock.advance(timedelta(seconds=30).total_seconds())  # a code opens once
    code = code_of(stage.running.settings, stage.running.sealer, login, stage.clock.now())
    await page.get_by_label("Code à six chiffres").fill(code)
    await page.keyboard.press("Enter")


async def test_a_practitioner_reads_and_answers_and_an_operator_follows_up(browser: Browser, mail: Stage) -> None:
    async with before_messages(browser, mail, "praticien") as page:
        await expect(page.get_by_role("main")).not_to_contain_text(SAID)
        await expect(page.get_by_role("heading", name="Pour moi")).to_be_visible()
        mail.clock.advance(timedelta(minutes=6).total_seconds())  # since the second factor
        await page.get_by_role("button", name="Lire : Rappel demandé").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Confirmez")).to_be_visible()
        await confirms(page, mail, "praticien")
        await page.get_by_role("button", name="Lire le message").press("Enter")
        await expect(page.get_by_text(SAID)).to_be_visible()
        await expect(page.get_by_text("06 39 98 00 01")).to_be_visible()
        await expect(page).to_have_title("Message – callcenter")
        await page.get_by_role("button", name="Envoyer la réponse").click()
        problem = page.get_by_role("link", name="Choisissez une réponse.")
        await expect(problem).to_be_visible()
        await page.get_by_label("Rappeler le patient").press("Space")
        await page.get_by_label("Précision, si besoin").fill("Oui, à jeun depuis minuit.")
        await page.get_by_role("button", name="Envoyer la réponse").press("Enter")
        await expect(page.get_by_text("Votre réponse est enregistrée")).to_be_visible()
        await expect(page.get_by_role("button", name="Lire : Rappel demandé")).to_have_count(0)
    async with before_messages(browser, mail, "operatrice1", java_script_enabled=False) as page:
        row = page.get_by_role("region", name="Suites à donner").get_by_role("listitem").filter(has_text="Rappeler le")
        await expect(row).to_contain_text("pour Dr Claire Moreau")
        await row.get_by_role("button", name="M’en occuper").click()
        await expect(page.get_by_text("Oui, à jeun depuis minuit.")).to_be_visible()
        await expect(page.get_by_text("06 39 98 00 01")).to_be_visible()
        await expect(page.get_by_text(SAID)).to_have_count(0)
        await page.get_by_role("button", name="C’est fait").click()
        await expect(page.get_by_text("La demande est terminée.")).to_be_visible()
        await expect(page.get_by_role("listitem").filter(has_text="écrit par vous")).to_contain_text("traité le")


#: Plays the sound of the page to its end, twice; returns how many seconds it lasts.
PLAYS = """async () => {
  const sound = document.querySelector("audio");
  sound.volume = 0;
  for (let time = 0; time < 2; time++) {
    const over = new Promise((heard) => sound.addEventListener("ended", heard, { once: true }));
    await sound.play();
    await over;
  }
  return sound.duration;
}"""


def a_second() -> bytes:
    """A sound file of one second, as the carrier makes it."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8_000)
        sound.writeframes(bytes(16_000))
    return file.getvalue()


async def test_a_spoken_message_plays_in_the_page_and_is_fetched_once_for_that(browser: Browser) -> None:
    async with open_desk() as desk, looking(browser) as page:
        desk.inboxes.heard = Sound(a_second(), "audio/wav")
        fetched: list[str] = []
        page.on("request", lambda asked: fetched.append(asked.url) if asked.url.endswith("/son") else None)
        await signed_in(page, desk, confirmed=True)
        await page.goto(desk.guest.origin + "/messages")
        await page.get_by_role("button", name="Lire :").first.click()
        await expect(page.get_by_role("heading", name="Message vocal")).to_be_visible()
        assert fetched == []  # until somebody plays it
        assert await page.evaluate(PLAYS) == 1
        assert len(fetched) == 1
