"""The console on the room of staff and its database: from an invitation to the end of a session."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest
from argon2.profiles import CHEAPEST

from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom
from callcenter.practice.demo import seed
from callcenter.staff.invitations import Purpose
from callcenter.staff.room import StaffLimits
from callcenter.staff.values import Role
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer
from tests.integration.consoles import BY, ORGANISATION, PASSWORD, Console, opened_console, secret_on


@pytest.fixture
async def console(database: Database, sealer: Sealer, clock: DrivenClock) -> AsyncIterator[Console]:
    async with opened_console(database, sealer, clock) as console:
        yield console


async def test_from_an_invitation_to_the_first_page_and_out(console: Console) -> None:
    codes = await console.joined()
    assert len(codes) == 10
    page = await console.guest.get("/")
    assert "Bonjour, Télésecrétaire 1" in page.words
    assert "Télésecrétariat" in page.words
    assert "Aucun cabinet ne vous est confié" in page.words
    assert "le 5 janvier 2026" in page.words
    await console.guest.post("/deconnexion")
    assert console.guest.cookies == {}
    assert (await console.guest.get("/")).location == "/connexion"
    assert (await console.sign_in()).location == "/"


async def test_an_invitation_opens_once_and_not_before_the_undertaking(console: Console) -> None:
    account = await console.account(signed=False)
    path = await console.invited(account)
    assert "engagement de secret" in (await console.guest.get(path)).words
    await console.room.administration.sign(account.id, date(2026, 11, 1), BY)
    await console.guest.get(path)
    weak = await console.guest.post(path, new_password="operatrice1 azertyuiop", again="operatrice1 azertyuiop")
    assert "se devine" in weak.words
    assert (await console.guest.post(path, new_password=PASSWORD, again=PASSWORD)).location == "/premier-facteur"
    async with console.another() as late:
        assert (await late.get(path)).status == 410
    console.clock.advance(timedelta(days=4).total_seconds())
    late_path = await console.invited(account, Purpose.RESET)
    console.clock.advance(timedelta(hours=73).total_seconds())
    assert (await console.guest.get(late_path)).status == 410


async def test_a_code_opens_once_and_a_printed_one_too(console: Console) -> None:
    codes = await console.joined()
    await console.guest.post("/deconnexion")
    await console.sign_in()
    used = console.guest.cookies["__Host-callcenter"]
    await console.guest.get("/")
    await console.guest.post("/deconnexion")
    console.clock.advance(-30)
    await console.guest.get("/connexion")
    await console.guest.follow(await console.guest.post("/connexion", login="operatrice1", password=PASSWORD))
    again = await console.guest.post("/connexion/facteur/application", code=console.code())
    assert "a déjà servi" in again.words
    printed = await console.guest.post("/connexion/facteur/secours", secours=codes[0].upper())
    assert printed.location == "/"
    assert console.guest.cookies["__Host-callcenter"] != used
    await console.guest.get("/")
    await console.guest.post("/deconnexion")
    await console.guest.get("/connexion")
    await console.guest.follow(await console.guest.post("/connexion", login="operatrice1", password=PASSWORD))
    assert (await console.guest.post("/connexion/facteur/secours", secours=codes[0])).status == 422
    account = (await console.room.administration.all())[0]
    assert (await console.room.factors.held(account.id)).recovery_codes == 9


async def test_after_an_absence_one_comes_back_to_the_page(console: Console) -> None:
    await console.joined()
    console.clock.advance(16 * 60)
    sent = await console.guest.get("/compte")
    assert sent.location == "/connexion?suite=%2Fcompte&fin=1"
    page = await console.guest.follow(sent)
    assert "Votre session a pris fin" in page.words
    half = await console.guest.post("/connexion", login="operatrice1", password=PASSWORD, suite="/compte")
    await console.guest.follow(half)
    done = await console.guest.post("/connexion/facteur/application", code=console.code(), suite="/compte")
    assert done.location == "/compte"


async def test_a_change_needs_a_factor_of_the_last_minutes(console: Console) -> None:
    await console.joined()
    assert "Changer de mot de passe" in (await console.guest.get("/compte")).words  # the factor was given just now
    console.clock.advance(5 * 60 + 1)
    assert "Confirmer mon identité" in (await console.guest.get("/compte")).words
    assert (await console.guest.post("/compte/codes-de-secours")).location == "/confirmation?suite=%2Fcompte"
    await console.guest.get("/confirmation?suite=/compte")
    done = await console.guest.post("/confirmation/application", code=console.code(), suite="/compte")
    assert "Changer de mot de passe" in (await console.guest.follow(done)).words
    codes = await console.guest.post("/compte/codes-de-secours")
    assert "Vos codes de secours" in codes.words


async def test_another_password_ends_the_other_sessions(console: Console) -> None:
    await console.joined()
    async with console.another() as elsewhere:
        await console.sign_in(guest=elsewhere)
        await console.guest.get("/confirmation?suite=/compte")
        await console.guest.post("/confirmation/application", code=console.code(), suite="/compte")
        page = await console.guest.get("/compte")
        assert page.words.count("Ouverte le 26 novembre 2026") == 2
        new = "cinq tabourets sous la pluie"
        changed = {"old_password": PASSWORD, "new_password": new, "again": new}
        wrong = await console.guest.post("/compte/mot-de-passe", **{**changed, "old_password": "autre chose"})
        assert "actuel n’est pas le bon" in wrong.words
        done = await console.guest.post("/compte/mot-de-passe", **changed)
        assert done.location == "/compte?fait=password"
        assert (await console.guest.get("/compte")).status == 200
        assert (await elsewhere.get("/")).location == "/connexion?fin=1"
    assert (await console.sign_in()).status == 303  # sent back to the first step: the old password opens nothing
    assert "__Host-callcenter" in console.guest.cookies


async def test_another_application_takes_the_place_of_the_first(console: Console) -> None:
    await console.joined()
    await console.guest.get("/compte")
    page = await console.guest.post("/compte/application")
    console.secrets["operatrice1"] = secret_on(page)
    assert (await console.guest.post("/compte/application/code", code="000000")).status == 422
    done = await console.guest.post("/compte/application/code", code=console.code())
    assert done.location == "/compte?fait=application"
    await console.guest.get("/compte")
    await console.guest.post("/deconnexion")
    assert (await console.sign_in()).location == "/"


async def test_a_session_is_ended_from_another(console: Console) -> None:
    await console.joined()
    async with console.another() as elsewhere:
        await console.sign_in(guest=elsewhere)
        account = (await console.room.administration.all())[0]
        opened = await console.room.sessions.listed(account.id)
        await console.guest.get("/compte")
        newest = opened[0].id
        done = await console.guest.post(f"/compte/sessions/{newest}/fin")
        assert done.location == "/compte?fait=session"
        assert (await elsewhere.get("/")).location == "/connexion?fin=1"
        assert (await console.guest.get("/")).status == 200
        await console.sign_in(guest=elsewhere)
        await console.guest.get("/compte")
        await console.guest.post("/compte/sessions/fin")
        assert (await elsewhere.get("/")).location == "/connexion?fin=1"


async def test_tries_are_bounded_and_the_wait_is_told(console: Console) -> None:
    await console.account()
    await console.guest.get("/connexion")
    said = [(await console.guest.post("/connexion", login="operatrice1", password=f"x{n}")).words for n in range(11)]
    assert "Trop d’essais" not in said[9]
    assert "Trop d’essais. Réessayez dans 15 min." in said[10]


async def test_what_cannot_be_hashed_now_is_told_as_busy(
    database: Database, sealer: Sealer, clock: DrivenClock
) -> None:
    limits = StaffLimits(parameters=CHEAPEST, hashed_at_once=1, waiting=-1)
    async with opened_console(database, sealer, clock, limits) as console:
        await console.guest.get("/connexion")
        page = await console.guest.post("/connexion", login="operatrice1", password="x")
        assert page.status == 503
        assert "Trop de demandes en ce moment" in page.words
        assert page.headers["Retry-After"] == "10"


async def test_practices_stand_by_portfolio(
    console: Console, database: Database, sealer: Sealer, clock: DrivenClock
) -> None:
    await console.joined()
    await seed(database, sealer, clock, SeededRandom(2))
    account, portfolios = (await console.room.administration.all())[0], console.room.portfolios
    async with database.house() as connection:
        from sqlalchemy import text

        await connection.execute(text("UPDATE practice SET organisation_id = :id"), {"id": ORGANISATION})
        tilleuls = (
            await connection.execute(text("SELECT id FROM practice WHERE slug = 'cabinet-des-tilleuls'"))
        ).scalar_one()
    whole = await portfolios.create(ORGANISATION, "Tous", BY, whole=True)
    some = await portfolios.create(ORGANISATION, "Nord", BY)
    await portfolios.add(some, tilleuls, BY)
    await console.room.administration.grant(account, Role.OPERATOR, whole, BY)
    for role in (Role.SUPERVISOR, Role.OPERATOR):
        await console.room.administration.grant(account, role, some, BY)
    words = (await console.guest.get("/")).words
    assert "Nord télésecrétaire, superviseur · 1 cabinet Cabinet des Tilleuls Tous télésecrétaire" in words
    assert "tous les cabinets de l’organisation Cabinet des Tilleuls Maison de santé du Port" in words


@pytest.mark.parametrize(
    ("until", "words"),
    [
        (date(2026, 12, 11), "Votre formation expire dans 15 jours"),
        (date(2026, 11, 26), "Votre formation expire aujourd’hui"),
        (date(2026, 11, 25), "Votre formation a expiré le 25 novembre 2026"),
    ],
)
async def test_training_is_told_as_it_stands(console: Console, until: date, words: str) -> None:
    await console.joined()
    account = (await console.room.administration.all())[0]
    await console.room.administration.trained(account.id, until, BY)
    assert words in (await console.guest.get("/")).words


async def test_one_reads_the_pages_in_ones_own_language(console: Console) -> None:
    await console.joined()
    await console.guest.get("/compte")
    chosen = await console.guest.follow(await console.guest.post("/compte/langue", langue="en"))
    assert "The pages are in the language that you chose." in chosen.words
    async with console.another() as guest:
        assert "Hello, Télésecrétaire 1" in (await guest.follow(await console.sign_in(guest=guest))).words
