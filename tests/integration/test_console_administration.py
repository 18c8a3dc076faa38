"""The pages of administration on the room of staff and its database."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import text

from callcenter.console.administration_ports import Checked
from callcenter.kernel.clock import DrivenClock
from callcenter.staff.administration import NewAccount
from callcenter.staff.values import Account, Portfolio, Role
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer
from tests.integration.consoles import BY, ORGANISATION, PASSWORD, Console, opened_console

ELSEWHERE = UUID(int=8)
HOME = "/administration"
FOLDERS = "/administration/portefeuilles"


@pytest.fixture
async def console(database: Database, sealer: Sealer, clock: DrivenClock) -> AsyncIterator[Console]:
    async def examined() -> list[Checked]:
        return [Checked("keys", True, "one seal key"), Checked("mail", False, "no server answers: look at « mail »")]

    async with opened_console(database, sealer, clock, examine=examined) as console:
        yield console


async def _chief(console: Console, *, whole: bool = True, login: str = "chef") -> Account:
    """Somebody signed in who administers."""
    await console.joined(login)
    account = await console.room.administration.called(login)
    portfolio = await console.room.portfolios.create(ORGANISATION, f"de {login}", BY, whole=whole)
    await console.room.administration.grant(account, Role.ADMINISTRATOR, portfolio, BY)
    return account


async def _colleague(console: Console, login: str = "operatrice7") -> Account:
    return await console.account(login)


async def _portfolio(console: Console, name: str = "Nord") -> Portfolio:
    return await console.room.portfolios.create(ORGANISATION, name, BY)


def _page(account: Account) -> str:
    return f"{HOME}/comptes/{account.id}"


async def test_an_account_is_made_invited_and_opens(console: Console) -> None:
    await _chief(console)
    portfolio = await _portfolio(console)
    page = await console.guest.get(HOME)
    assert "1 compte" in page.words
    typed = {"login": "Nouvelle.Personne", "nom": "Télésecrétaire 9", "role": "operator"}
    made = await console.guest.post(
        HOME, **typed, portefeuille=str(portfolio.id), **{"langue-fr": "1", "langue-en": "1"}
    )
    assert made.status == 200
    assert "ne sera plus montrée" in made.words
    path = re.search(r"/invitation/[\w-]+", made.text)
    assert path is not None
    account = await console.room.administration.called("nouvelle.personne")
    assert (account.languages, account.display_name) == (("fr", "en"), "Télésecrétaire 9")
    assert [grant.role for grant in await console.room.administration.roles(account.id)] == [Role.OPERATOR]
    async with console.another() as newcomer:
        assert "engagement de secret" in (await newcomer.get(path[0])).words
        await console.guest.get(_page(account))
        signed = await console.guest.post(f"{_page(account)}/engagement", engagement="2026-11-20")
        assert signed.location == f"{_page(account)}?fait=signed"
        await newcomer.get(path[0])
        entered = await newcomer.post(path[0], new_password=PASSWORD, again=PASSWORD)
        assert entered.location == "/premier-facteur"
    told = await console.guest.get(_page(account))
    assert "signé le 20 novembre 2026" in told.words
    assert "invitation utilisée" in told.words


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"login": ""}, "Saisissez votre identifiant"),
        ({"nom": " "}, "Saisissez le nom"),
        ({"login": "é"}, "de 3 à 40 lettres"),
        ({"login": "chef"}, "déjà pris"),
        ({"nom": "x" * 81}, "de 1 à 80 caractères"),
        ({"langue-fr": "0"}, "au moins une langue"),
        ({"echeance": "demain"}, "ne se lit pas"),
    ],
)
async def test_what_cannot_be_used_is_said_and_nothing_is_lost(
    console: Console, typed: dict[str, str], says: str
) -> None:
    await _chief(console)
    portfolio = await _portfolio(console)
    await console.guest.get(HOME)
    form = {"login": "personne", "nom": "Télésecrétaire 9", "role": "operator", "langue-fr": "1", "echeance": ""}
    answer = await console.guest.post(HOME, portefeuille=str(portfolio.id), **{**form, **typed})
    assert answer.status == 422
    assert says in answer.words
    kept = typed.get("nom", form["nom"])
    assert f'value="{kept}"' in answer.text
    assert len(await console.room.administration.all(ORGANISATION)) == 1


async def test_every_change_of_an_account_is_done_and_told(console: Console) -> None:
    await _chief(console)
    account, portfolio = await _colleague(console), await _portfolio(console)
    here = _page(account)
    role = {"role": "supervisor", "portefeuille": str(portfolio.id)}
    for act, fields, done in [
        ("role", role, "grant"),
        ("formation", {"formation": "2027-03-31"}, "trained"),
        ("echeance", {"echeance": "2027-01-31"}, "expires"),
        ("langues", {"langue-en": "1"}, "languages"),
        ("verrou", {}, "lock"),
        ("ouverture", {}, "unlock"),
        ("retrait", role, "take"),
    ]:
        await console.guest.get(here)
        answer = await console.guest.post(f"{here}/{act}", **fields)
        assert answer.location == f"{here}?fait={done}", act
        assert 'role="status"' in (await console.guest.get(answer.location)).text
    changed = await console.room.administration.called(account.login)
    assert (changed.trained_until, changed.expires_on) == (date(2027, 3, 31), date(2027, 1, 31))
    assert (changed.languages, changed.locked) == (("en",), None)
    await console.guest.get(here)
    unsure = await console.guest.post(f"{here}/fermeture")
    assert unsure.status == 422
    assert "Cochez la case" in unsure.words
    assert (await console.guest.post(f"{here}/fermeture", certain="1")).location == f"{here}?fait=close"
    page = await console.guest.get(here)
    assert "Fermer le compte" not in page.words
    for word in (
        "rôle donné",
        "rôle retiré",
        "compte verrouillé",
        "compte rouvert",
        "compte fermé",
        "par Télésecrétaire 1",
    ):
        assert word in page.words


async def test_a_lost_telephone_takes_one_page(console: Console) -> None:
    await _chief(console)
    async with console.another() as other:
        await console.joined("operatrice7", guest=other)
        account = await console.room.administration.called("operatrice7")
        here = _page(account)
        page = await console.guest.get(here)
        assert "application de codes depuis le" in page.words
        answer = await console.guest.post(f"{here}/invitation")
        assert re.search(r"/invitation/[\w-]+", answer.text)
        assert (await other.get("/")).location.startswith("/connexion")
    assert (await console.room.factors.held(account.id)).totp_since is None


async def test_sessions_end_without_another_factor(console: Console) -> None:
    await _chief(console)
    async with console.another() as other:
        await console.joined("operatrice7", guest=other)
        account = await console.room.administration.called("operatrice7")
        console.clock.advance(6 * 60)
        here = _page(account)
        page = await console.guest.get(here)
        assert "confirmez d’abord que c’est vous" in page.words
        session = re.search(r'name="session" value="([0-9a-f-]{36})"', page.text)
        assert session is not None
        ended = await console.guest.post(f"{here}/session", session=session[1])
        assert ended.location == f"{here}?fait=session"
        assert (await other.get("/")).location.startswith("/connexion")


_PRACTICE = text(
    "INSERT INTO practice (id, organisation_id, slug, rescue_number) "
    "VALUES (:id, :organisation, 'cabinet-du-port', '+33465710099')"
)


async def test_portfolios_are_made_and_filled(console: Console, sealer: Sealer, clock: DrivenClock) -> None:
    await _chief(console)
    async with console.database.house() as connection:
        values = {"id": UUID(int=70), "organisation": ORGANISATION}
        await connection.execute(_PRACTICE, values)
    await console.guest.get(HOME)
    assert "Donnez un nom" in (await console.guest.post(FOLDERS, **{"portefeuille-nom": " "})).words
    answer = await console.guest.post(FOLDERS, **{"portefeuille-nom": "Sud"})
    assert answer.location.endswith("?fait=made")
    here = answer.location.split("?")[0]
    page = await console.guest.get(here)
    assert "cabinet-du-port" in page.words
    await console.guest.post(f"{here}/ajout", cabinet=str(UUID(int=70)))
    assert "1 cabinet" in (await console.guest.get(here)).words
    await console.guest.post(f"{here}/retrait", cabinet=str(UUID(int=70)))
    assert "0 cabinet" in (await console.guest.get(here)).words
    again = await console.guest.post(FOLDERS, **{"portefeuille-nom": "Sud"})
    assert "porte déjà ce nom" in again.words


async def test_health_is_shown_worst_first_with_the_age_of_keys(console: Console) -> None:
    await _chief(console)
    async with console.database.house() as connection:
        await connection.execute(text("INSERT INTO key_mark (key, mark) VALUES ('the index key', repeat('a', 64))"))
    page = await console.guest.get("/administration/sante")
    assert "Une chose demande à être réparée" in page.words
    assert page.words.index("Courriel") < page.words.index("Fichier de clés")
    assert "no server answers" in page.words
    assert "connue de la base depuis le" in page.words
    assert "âge inconnu" in page.words


async def test_what_somebody_is_called_is_text_on_every_page(console: Console) -> None:
    markup = "<script>alert(1)</script><img src=x>"
    me = await _chief(console)
    named = await console.room.administration.create(NewAccount(ORGANISATION, "marque", markup), BY)
    folder = await _portfolio(console, markup)
    for path in (HOME, _page(named), _page(me), f"{FOLDERS}/{folder.id}"):
        answer = await console.guest.get(path)
        assert answer.status == 200
        assert "<script>alert" not in answer.text
        assert "<img src=x" not in answer.text
