"""Signing in at the demo, by code and by keys that a browser makes (a virtual authenticator)."""

from __future__ import annotations

from datetime import date, timedelta

from playwright.async_api import Browser, CDPSession, Page, expect

from callcenter.console.demonstration import DEMONSTRATION
from callcenter.demo_staff import code_of, seed_staff
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.demo import FOLDER
from callcenter.practice.demo_file import read_demonstration
from callcenter.staff.administration import NewAccount
from callcenter.staff.invitations import Purpose
from callcenter.staff.passkeys import RelyingParty
from callcenter.staff.records import Actor
from callcenter.staff.room import StaffRoom
from callcenter.staff.values import Role
from tests.acceptance.stage import Stage
from tests.browser.test_console_pages import looking

BY = Actor.command("a test")
PASSWORD = "quatre tabourets sans accoudoirs"


async def make_staff(stage: Stage) -> None:
    """The demo's staff."""
    running = stage.running
    await seed_staff(running.settings, running.database, running.sealer, stage.clock, SystemRandom())


async def first_step(page: Page, stage: Stage, login: str, password: str = DEMONSTRATION.password) -> None:
    await page.goto(stage.running.console + "/")
    await page.get_by_label("Identifiant").fill(login)
    await page.get_by_label("Mot de passe").fill(password)
    await page.get_by_role("button", name="Continuer").click()
    await expect(page.get_by_role("heading", name="Seconde étape")).to_be_visible()


async def second_step(page: Page, stage: Stage, login: str) -> None:
    """By the code that the demo tells."""
    stage.clock.advance(timedelta(seconds=30).total_seconds())  # a code opens once
    code = code_of(stage.running.settings, stage.running.sealer, login, stage.clock.now())
    await page.get_by_label("Code à six chiffres").fill(code)
    await page.keyboard.press("Enter")


async def test_the_demo_tells_how_one_signs_in(browser: Browser, stage: Stage) -> None:
    await make_staff(stage)
    async with looking(browser) as page:
        await page.goto(stage.running.console + "/")
        shown = page.get_by_role("region", name="Démonstration")
        await expect(shown).to_contain_text(DEMONSTRATION.password)
        await first_step(page, stage, "operatrice2")
        await second_step(page, stage, "operatrice2")
        await expect(page.get_by_role("heading", name="Bonjour, Télésecrétaire 2")).to_be_visible()
        await expect(page.get_by_role("heading", name="Votre formation expire dans 15 jours")).to_be_visible()
        await expect(page.get_by_role("listitem").filter(has_text="Cabinet des Tilleuls")).to_be_visible()


async def invitation(stage: Stage) -> str:
    """The address that somebody new is given."""
    running = stage.running
    party = RelyingParty.at(running.console)
    room = StaffRoom.on(running.database, running.database, running.sealer, stage.clock, SystemRandom(), party)
    organisation = read_demonstration(FOLDER).organisation_id
    account = await room.administration.create(NewAccount(organisation, "operatrice3", "Télésecrétaire 3"), BY)
    portfolio = await room.portfolios.called(organisation, "Tous les cabinets")
    await room.administration.grant(account, Role.OPERATOR, portfolio, BY)
    await room.administration.sign(account.id, date(2026, 11, 2), BY)
    await room.administration.trained(account.id, date(2027, 11, 2), BY)
    token = await room.invitations.invite(account.id, Purpose.FIRST, BY)
    room.close()
    return f"{running.console}/invitation/{token}"


async def authenticator(page: Page) -> tuple[CDPSession, str]:
    """A key of the machine's own, whose owner always agrees."""
    session = await page.context.new_cdp_session(page)
    await session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = await session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session, made["authenticatorId"]


async def test_one_joins_and_signs_in_by_a_key(browser: Browser, stage: Stage) -> None:
    await make_staff(stage)
    async with looking(browser) as page:
        await authenticator(page)
        await page.goto(await invitation(stage))
        await page.get_by_label("Nouveau mot de passe").fill(PASSWORD)
        await page.get_by_label("Le même, une seconde fois").fill(PASSWORD)
        await page.get_by_role("button", name="Continuer").click()
        await page.get_by_label("Nom de la clé").fill("ordinateur du bureau")
        await page.get_by_role("button", name="Enregistrer une clé d’accès").click()
        await expect(page.locator(".codes li")).to_have_count(10)
        await page.get_by_role("link", name="Je les ai mis en lieu sûr").click()
        await expect(page.get_by_role("heading", name="Bonjour, Télésecrétaire 3")).to_be_visible()
        await page.get_by_role("button", name="Se déconnecter").click()

        await first_step(page, stage, "operatrice3", PASSWORD)
        await page.get_by_role("button", name="Utiliser une clé d’accès").click()
        await expect(page.get_by_role("heading", name="Bonjour, Télésecrétaire 3")).to_be_visible()

        stage.clock.advance(6 * 60)
        await page.get_by_role("link", name="Mon compte").click()
        await page.get_by_role("link", name="Confirmer mon identité").click()
        await page.get_by_role("button", name="Utiliser une clé d’accès").click()
        await expect(page.get_by_role("heading", name="Changer de mot de passe")).to_be_visible()
        await page.get_by_role("button", name="Retirer la clé « ordinateur du bureau »").click()
        await expect(page.get_by_role("alert")).to_contain_text("C’est votre dernier moyen")
        await expect(page.get_by_role("heading", name="Clé d’accès « ordinateur du bureau »")).to_be_visible()


async def test_a_key_that_is_not_used_is_told_and_may_be_tried_again(browser: Browser, stage: Stage) -> None:
    await make_staff(stage)
    async with looking(browser) as page:
        session, key = await authenticator(page)
        await first_step(page, stage, "operatrice1")
        button = page.get_by_role("button", name="Utiliser une clé d’accès")
        await session.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": False})
        await button.click()
        await expect(page.get_by_role("alert")).to_contain_text("La clé n’a pas été utilisée")
        await expect(button).to_be_focused()
        await expect(button).to_be_enabled()
        await expect(page.get_by_text("Suivez les indications de votre navigateur")).to_be_hidden()
        await second_step(page, stage, "operatrice1")
        await expect(page.get_by_role("heading", name="Bonjour, Télésecrétaire 1")).to_be_visible()


async def test_while_a_key_is_awaited_the_page_says_what_to_do(browser: Browser, stage: Stage) -> None:
    await make_staff(stage)
    async with looking(browser) as page:
        session, key = await authenticator(page)
        await first_step(page, stage, "operatrice1")
        touched = {"authenticatorId": key, "enabled": False}
        await session.send("WebAuthn.setAutomaticPresenceSimulation", touched)
        button = page.get_by_role("button", name="Utiliser une clé d’accès")
        await button.click()
        await expect(page.get_by_text("Suivez les indications de votre navigateur")).to_be_visible()
        await expect(button).to_be_disabled()


async def test_a_second_key_is_added_once_and_taken_away(browser: Browser, stage: Stage) -> None:
    await make_staff(stage)
    async with looking(browser) as page:
        await authenticator(page)
        await first_step(page, stage, "superviseur")
        await second_step(page, stage, "superviseur")
        await page.get_by_role("button", name="Plus").click()
        await page.get_by_role("link", name="Mon compte").click()
        await page.get_by_role("button", name="Enregistrer une clé d’accès").click()
        assert await page.evaluate("document.querySelector('#label:invalid') !== null")  # its name is asked for first
        await page.get_by_label("Nom de la clé").fill("clé USB")
        await page.get_by_role("button", name="Enregistrer une clé d’accès").click()
        await expect(page.get_by_role("status")).to_contain_text("La clé d’accès est enregistrée")
        await page.get_by_label("Nom de la clé").fill("la même")
        await page.get_by_role("button", name="Enregistrer une clé d’accès").click()
        await expect(page.get_by_role("alert")).to_contain_text("déjà enregistrée")
        await page.get_by_role("button", name="Retirer la clé « clé USB »").click()
        await expect(page.get_by_role("status")).to_contain_text("La clé d’accès est retirée")
        await expect(page.get_by_role("heading", name="Clé d’accès « clé USB »")).to_be_hidden()


async def test_who_goes_back_after_somebody_has_signed_out_sees_nothing(browser: Browser, stage: Stage) -> None:
    """The next person at the same machine presses « back »: no page was kept (SM-09)."""
    await make_staff(stage)
    async with looking(browser) as page:
        await first_step(page, stage, "operatrice1")
        await second_step(page, stage, "operatrice1")
        await expect(page.get_by_role("heading", name="Bonjour, Télésecrétaire 1")).to_be_visible()
        await page.get_by_role("link", name="Mon compte").click()
        await expect(page.get_by_role("heading", name="Mon compte")).to_be_visible()
        await page.get_by_role("button", name="Se déconnecter").click()
        await expect(page.get_by_text("Votre session est fermée.")).to_be_visible()
        for _ in range(2):
            await page.go_back()
            await expect(page.get_by_role("heading", name="Connexion")).to_be_visible()
            assert "Télésecrétaire 1" not in await page.locator("main h1").inner_text()
