"""What the network does besides calls: lines that forward, messages that are sent, speech, mails."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import pytest
from playwright.async_api import Browser, Page, expect

from callcenter.emulator.client import ControlClient
from tests.browser.visitor import Visitor, visiting, without_waiting
from tests.unit.emulator.bench import CALLER, PRACTICE, Reply, bench, twiml

LINE = "+33472000010"
OTHER = "+33639980002"
HOSTILE = "<img src=x onerror=alert(1)>"


Browsing = Callable[[str], AbstractAsyncContextManager[Visitor]]


@pytest.fixture
def browsing(browser: Browser) -> Browsing:
    """Opens the page of an emulator at some address."""
    return lambda address: visiting(browser, address, kept=without_waiting(CALLER))


async def look_at(page: Page, view: str) -> None:
    await page.get_by_role("navigation").get_by_role("button", name=view).click()


async def test_a_line_is_forwarded_and_its_calls_come_to_the_application_until_it_is_not(browsing: Browsing) -> None:
    pages = {"/voice": twiml('<Gather action="/next"><Say language="fr-FR">bonjour</Say></Gather>')}
    async with bench(pages, served=(PRACTICE,)) as desk, browsing(desk.emulator.base_url) as visitor:
        desk.application.pages[f"/voice-{PRACTICE[1:]}"] = pages["/voice"]
        page = visitor.page
        await look_at(page, "Renvois")
        form = page.locator("form.forwarding")
        await form.get_by_label("Ligne", exact=True).fill("04 72 00 00 10")
        await form.get_by_label("Vers").fill("04 65 71 00 01")
        await form.get_by_label("Quand").select_option("si personne ne répond")
        await expect(form.get_by_label("Après (secondes)")).to_be_visible()
        await form.get_by_label("Quand").select_option("toujours")
        await expect(form.get_by_label("Après (secondes)")).to_be_hidden()
        await form.get_by_role("button", name="Renvoyer").click()
        row = page.locator(".forwardings li")
        await expect(row).to_contain_text("04 72 00 00 10 → 04 65 71 00 01")
        await expect(row).to_contain_text("toujours")

        telephone = page.locator(".telephone").first
        await telephone.get_by_label("Numéro à appeler").fill("04 72 00 00 10")
        await visitor.press("Enter")
        await expect(telephone.locator(".heard").first).to_have_text("bonjour")
        assert desk.application.asked(f"/voice-{PRACTICE[1:]}")[0]["ForwardedFrom"] == LINE

        await row.get_by_role("button", name="Supprimer le renvoi de 04 72 00 00 10").click()
        await expect(row).to_have_count(0)
        assert await desk.client.forwardings() == ()


async def test_what_the_emulator_refuses_is_told_and_nothing_is_lost(browsing: Browsing) -> None:
    async with bench({}) as desk, browsing(desk.emulator.base_url) as visitor:
        page = visitor.page
        await look_at(page, "Renvois")
        form = page.locator("form.forwarding")
        await form.get_by_label("Ligne", exact=True).fill("04 72 00 00 10")
        await form.get_by_label("Vers").fill("personne")
        await form.get_by_role("button", name="Renvoyer").click()
        await expect(page.locator(".toast")).to_contain_text("E.164")
        await expect(form.get_by_label("Vers")).to_have_value("personne")
        visitor.complaints.clear()  # the browser notes the answer 400


async def test_a_message_is_sent_to_the_application_and_its_answer_arrives(browsing: Browsing) -> None:
    pages = {"/texted": Reply(twiml("<Message>Bien reçu</Message>"))}
    async with bench(pages, messaging="/texted") as desk, browsing(desk.emulator.base_url) as visitor:
        telephone = visitor.page.locator(".telephone").first
        await telephone.get_by_role("button", name="Messages").click()
        await telephone.get_by_label("Destinataire").fill("04 65 71 00 01")
        await telephone.get_by_label("Répondre par SMS").fill(HOSTILE)
        await visitor.press("Enter")
        await expect(telephone.locator(".sms")).to_have_count(2)
        await expect(telephone.locator(".sms").nth(0)).to_contain_text("SMS de 04 65 71 00 01")
        await expect(telephone.locator(".sms").nth(0)).to_contain_text("Bien reçu")
        await expect(telephone.locator(".sms.mine p")).to_have_text(HOSTILE)
        assert desk.application.asked("/texted")[0]["Body"] == HOSTILE
        await visitor.page.reload()
        await telephone.get_by_role("button", name="Messages").click()
        await expect(telephone.locator(".sms")).to_have_count(2)


async def test_one_speaks_where_the_application_listens(browsing: Browsing) -> None:
    pages = {
        "/voice": twiml('<Gather input="speech" action="/next"><Say language="fr-FR">Dites oui</Say></Gather>'),
        "/next": twiml('<Gather action="/end"><Say language="fr-FR">merci</Say></Gather>'),
    }
    async with bench(pages) as desk, browsing(desk.emulator.base_url) as visitor:
        telephone = visitor.page.locator(".telephone").first
        await telephone.get_by_label("Numéro à appeler").fill("04 65 71 00 01")
        await visitor.press("Enter")
        await expect(telephone.locator(".listening-words")).to_have_text("Vous pouvez parler")
        await telephone.get_by_label("Ce que dit l’appelant").fill("oui, 3 fois")
        await visitor.press("Enter")
        await expect(telephone.locator(".entered.speech")).to_have_text("oui, 3 fois")
        await expect(telephone.locator(".heard").last).to_have_text("merci")
        await expect(telephone.get_by_label("Ce que dit l’appelant")).to_be_hidden()
        assert desk.application.asked("/next")[0]["SpeechResult"] == "oui, 3 fois"


async def test_mails_are_shown_as_they_come_and_their_markup_as_text(browsing: Browsing) -> None:
    async with bench({}, smtp=0) as desk, browsing(desk.emulator.base_url) as visitor:
        page = visitor.page
        await look_at(page, "Courriels")
        await expect(page.get_by_text("Aucun courriel.")).to_be_visible()
        raw = f"From: robot@callcenter.example\r\nSubject: {HOSTILE}\r\n\r\nUn message attend.\r\n"

        def send() -> None:
            with smtplib.SMTP("127.0.0.1", desk.emulator.smtp_port or 0, timeout=10) as client:
                client.sendmail("robot@callcenter.example", ["accueil@tilleuls.example"], raw)

        await asyncio.to_thread(send)
        mail = page.locator(".mail")
        await expect(mail.locator("strong")).to_have_text(HOSTILE)
        await expect(mail).to_contain_text("à accueil@tilleuls.example")
        await mail.locator("summary").click()
        await expect(mail.locator("pre")).to_contain_text("Un message attend.")
        assert await page.locator("main img").count() == 0


async def test_without_a_mailbox_there_is_no_part_for_mails(browsing: Browsing) -> None:
    async with bench({}) as desk, browsing(desk.emulator.base_url) as visitor:
        await expect(visitor.page.get_by_role("button", name="Renvois")).to_be_visible()
        await expect(visitor.page.get_by_role("button", name="Courriels")).to_be_hidden()


async def test_a_page_says_when_the_emulator_has_gone_and_finds_it_when_it_is_back(browsing: Browsing) -> None:
    pages = {"/voice": twiml('<Gather action="/next"><Say language="fr-FR">bonjour</Say></Gather>')}
    async with bench(pages) as desk, browsing(desk.emulator.base_url) as visitor:
        await expect(visitor.page.locator("#lost")).to_be_hidden()
        port = int(desk.emulator.base_url.rsplit(":", 1)[1])
        await desk.emulator.stop()
        await expect(visitor.page.get_by_text("L’émulateur ne répond plus")).to_be_visible()
        desk.emulator._settings = replace(desk.emulator._settings, port=port)
        await desk.emulator.start()
        await expect(visitor.page.locator("#lost")).to_be_hidden()
        async with ControlClient(desk.emulator.base_url) as client:
            await client.start(CALLER, PRACTICE, "scripted")
        await expect(visitor.page.locator(".call-entry")).to_have_count(1)
        visitor.complaints.clear()  # the browser notes each try


async def test_somebody_waits_in_a_queue_and_two_who_are_joined_read_what_the_other_says(browsing: Browsing) -> None:
    pages = {
        "/voice": twiml("<Enqueue>file</Enqueue>"),
        "/fetch": twiml("<Dial><Queue>file</Queue></Dial>"),
    }
    async with bench(pages) as desk, browsing(desk.emulator.base_url) as visitor:
        page = visitor.page.locator(".telephone").first
        await page.get_by_label("Numéro à appeler").fill("04 65 71 00 01")
        await visitor.press("Enter")
        await expect(page.locator(".heard.tone")).to_have_text("Musique d’attente")
        desk.application.pages["/voice"] = pages["/fetch"]
        other = await desk.client.start(OTHER, PRACTICE, "live")
        await expect(page.locator(".heard.joined")).to_be_visible()
        await desk.client.speak(other, HOSTILE)
        await expect(page.locator(".heard.voice p")).to_have_text(HOSTILE)
        await page.locator("form.speech input").fill("bonjour")
        await visitor.press("Enter")
        await expect(page.locator(".entered.speech")).to_contain_text("bonjour")
        state = await desk.client.state(other)
        while not any(heard.text == "bonjour" for heard in state.heard):
            state = await desk.client.state(other, after=state.revision, wait=5)
