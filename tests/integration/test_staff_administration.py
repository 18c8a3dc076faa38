"""Accounts, sessions, portfolios and rights on the real database, and the house's log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import Forbidden
from callcenter.kernel.randomness import SystemRandom, new_id
from callcenter.staff.administration import (
    AlreadyClosed,
    BadAccount,
    BadLogin,
    FromTomorrow,
    LoginTaken,
    NewAccount,
    OtherOrganisation,
)
from callcenter.staff.passkeys import Ceremony
from callcenter.staff.portfolios import (
    NoName,
    NoSuchOrganisation,
    NoSuchPortfolio,
    NotOfTheOrganisation,
    PortfolioTaken,
    WholeAlready,
)
from callcenter.staff.proofs import Proofs, name_account
from callcenter.staff.records import Act
from callcenter.staff.upkeep import StaffUpkeep
from callcenter.staff.values import Grant, Refused, Role, SignedIn
from callcenter.store.database import Database
from callcenter.store.schema import APP
from callcenter.store.sealed import Sealer
from tests.authenticator import Key
from tests.conftest import ROOT, Cluster
from tests.locks import over_or_waiting
from tests.staff import ADDRESS, BY, PASSWORD, Desk


@pytest.fixture(scope="module")
async def database(cluster: Cluster) -> AsyncIterator[Database]:
    """One for all tests of this file: each has accounts of its own."""
    await cluster.create("staff_administration")
    database = Database(cluster.server.url(user=APP, database="staff_administration"), pool_size=5)
    yield database
    await database.close()
    await cluster.drop("staff_administration")


@pytest.fixture
async def desk(database: Database, sealer: Sealer, clock: DrivenClock) -> AsyncIterator[Desk]:
    desk = await Desk.on(database, sealer, clock)
    yield desk
    desk.room.close()


# --- accounts


@pytest.mark.parametrize("login", ["", "ab", "-abc", "a" * 41, "é-accent", "a b c", "abc.", "a\x00bc"])
async def test_a_login_that_cannot_be_is_refused(desk: Desk, login: str) -> None:
    with pytest.raises(BadLogin):
        await desk.room.administration.create(NewAccount(desk.organisation, login, "Superviseur"), BY)


ELEVEN = ("Superviseur", ("ar", "de", "el", "en", "es", "fr", "it", "nl", "pl", "pt", "tr"))


@pytest.mark.parametrize(
    ("name", "languages"), [("  ", ("fr",)), ("n" * 81, ("fr",)), ("Superviseur", ()), ("Superviseur", ("FR",)), ELEVEN]
)
async def test_a_name_or_a_language_that_cannot_be_is_refused(
    desk: Desk, name: str, languages: tuple[str, ...]
) -> None:
    with pytest.raises(BadAccount):
        await desk.room.administration.create(NewAccount(desk.organisation, "superviseur9", name, languages), BY)


async def test_a_login_is_given_once_also_to_two_at_the_same_moment(desk: Desk) -> None:
    new = NewAccount(desk.organisation, f"Paire.{desk.suffix}", "Télésecrétaire 2", ("fr", "ar"))
    create = desk.room.administration.create
    made = await asyncio.gather(create(new, BY), create(new, BY), return_exceptions=True)
    assert sorted(type(one).__name__ for one in made) == ["Account", "LoginTaken"]
    found = await desk.room.administration.called(new.login)
    assert (found.login, found.languages) == (f"paire.{desk.suffix}", ("fr", "ar"))
    assert found in await desk.room.administration.all()
    with pytest.raises(LoginTaken):
        await create(replace(new, organisation=desk.other), BY)


async def test_an_account_is_locked_unlocked_and_closed(desk: Desk) -> None:
    person, admin = await desk.person(), desk.room.administration
    staff = person.account.id
    assert [await admin.lock(staff, BY), await admin.lock(staff, BY)] == [True, False]
    assert await desk.room.logins.begin(person.account.login, PASSWORD, ADDRESS) == Refused()
    assert [await admin.unlock(staff, BY), await admin.unlock(staff, BY)] == [True, False]
    token = await desk.signed_in(person)
    portfolio = await desk.room.portfolios.create(desk.organisation, "Soir", BY)
    await admin.grant(person.account, Role.SUPERVISOR, portfolio, BY)
    assert [await admin.close(staff, BY), await admin.close(staff, BY)] == [True, False]
    assert await desk.room.sessions.of(token) is None
    assert await admin.roles(staff) == ()
    assert await desk.room.logins.begin(person.account.login, PASSWORD, ADDRESS) == Refused()
    with pytest.raises(AlreadyClosed):
        await admin.grant(await admin.called(person.account.login), Role.SUPERVISOR, portfolio, BY)
    told = await desk.acts(staff)
    for act in (Act.LOCKED, Act.UNLOCKED, Act.CLOSED, Act.ROLE_GIVEN, Act.ROLE_TAKEN, Act.SESSION_REVOKED):
        assert act in told
    assert told.count(Act.LOCKED) == told.count(Act.CLOSED) == 1


async def test_an_undertaking_is_not_dated_in_the_future(desk: Desk) -> None:
    account = await desk.account(signed=False)
    with pytest.raises(FromTomorrow):
        await desk.room.administration.sign(account.id, date(2026, 11, 27), BY)
    await desk.room.administration.sign(account.id, date(2026, 11, 26), BY)
    await desk.room.administration.trained(account.id, date(2027, 1, 31), BY)
    found = await desk.room.administration.called(account.login)
    assert (found.secrecy_signed_on, found.trained_until) == (date(2026, 11, 26), date(2027, 1, 31))


async def test_a_last_day_that_is_over_puts_out_whoever_is_in(desk: Desk) -> None:
    person, admin = await desk.person(), desk.room.administration
    staff, token = person.account.id, await desk.signed_in(person)
    assert not await admin.expires(staff, date(2026, 11, 26), BY)  # today
    assert await desk.room.sessions.of(token) is not None
    assert await admin.expires(staff, date(2026, 11, 25), BY)
    assert await desk.room.sessions.of(token) is None
    assert not await admin.expires(staff, None, BY)
    assert await desk.room.sessions.of(token) is None  # it was ended, and does not come back
    records = [record.body for record in await admin.records(staff)]
    days = [body["day"] for body in records if body["event"] == Act.ACCOUNT_CHANGED]
    assert days == ["2026-11-26", "2026-11-25", None]


async def test_the_language_of_the_pages_is_the_accounts_and_on_record(desk: Desk) -> None:
    admin, account = desk.room.administration, await desk.account("lit")
    assert account.page_language is None
    await admin.reads(account.id, "en", BY)
    assert (await admin.called(account.login)).page_language == "en"
    assert (await admin.records(account.id))[-1].body["pages"] == "en"
    with pytest.raises(DBAPIError, match="page_language"):
        await admin.reads(account.id, "de", BY)
    await admin.reads(account.id, None, BY)
    assert (await admin.called(account.login)).page_language is None
    await admin.close(account.id, BY)
    with pytest.raises(AlreadyClosed):
        await admin.reads(account.id, "fr", BY)


async def test_languages_are_on_record_and_a_closed_account_has_none_to_change(desk: Desk) -> None:
    account, admin = await desk.account(), desk.room.administration
    assert await admin.speaks(account.id, ["fr", "ar", "ar"], BY) == ("fr", "ar")
    assert (await admin.called(account.login)).languages == ("fr", "ar")
    with pytest.raises(BadAccount):
        await admin.speaks(account.id, ELEVEN[1], BY)
    assert (await admin.records(account.id))[-1].body["languages"] == ["fr", "ar"]
    await admin.close(account.id, BY)
    before = await desk.acts(account.id)
    with pytest.raises(AlreadyClosed):
        await admin.speaks(account.id, ["fr"], BY)
    with pytest.raises(AlreadyClosed):
        await admin.expires(account.id, None, BY)
    assert await desk.acts(account.id) == before


# --- sessions


async def test_sessions_are_listed_and_ended_one_by_one_and_all_but_one(desk: Desk) -> None:
    person = await desk.person()
    tokens = [await desk.signed_in(person) for _ in range(3)]
    listed = await desk.room.sessions.listed(person.account.id)
    assert len(listed) == 4  # with the one in which everything was set up
    assert await desk.room.sessions.revoke_one(person.account.id, listed[0].id)
    assert not await desk.room.sessions.revoke_one(person.account.id, listed[0].id)
    assert not await desk.room.sessions.revoke_one(new_id(SystemRandom()), listed[1].id)  # somebody else's
    assert [await desk.room.sessions.of(token) is not None for token in tokens] == [True, True, False]
    assert await desk.room.sessions.revoke_all(person.account.id, tokens[0]) == 2
    assert [await desk.room.sessions.of(token) is not None for token in tokens] == [True, False, False]
    await desk.room.sessions.revoke(tokens[0])
    await desk.room.sessions.revoke(tokens[0])
    await desk.room.sessions.revoke("no such token")
    assert await desk.room.sessions.listed(person.account.id) == []
    assert (await desk.acts(person.account.id)).count(Act.SESSION_REVOKED) == 4


async def test_a_page_that_asks_by_itself_keeps_no_session_alive(desk: Desk) -> None:
    token = await desk.signed_in(await desk.person())
    for _ in range(14):
        desk.clock.advance(60)
        assert await desk.room.sessions.of(token, active=False) is not None
    desk.clock.advance(60)
    assert await desk.room.sessions.of(token, active=False) is None


async def test_no_odd_token_is_a_session(desk: Desk) -> None:
    for token in ("", "x", "\udcff", "é" * 1_000, "0" * 64):
        assert await desk.room.sessions.of(token) is None


@pytest.mark.parametrize("how", ["locked", "reset"])
async def test_who_signs_in_at_the_moment_in_which_the_account_is_shut_is_out(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Their code was found right already, and nothing of the session that it gives is to be seen yet."""
    person, right, go_on, totp = await desk.person(), asyncio.Event(), asyncio.Event(), Proofs.totp

    async def slow(self: Proofs, connection: AsyncConnection, staff: UUID, code: str, now: datetime) -> bool:
        proved = await totp(self, connection, staff, code, now)
        right.set()
        await go_on.wait()
        return proved

    monkeypatch.setattr(Proofs, "totp", slow)
    token, admin = await desk.begun(person), desk.room.administration
    signing_in = asyncio.create_task(desk.room.logins.totp(token, desk.code(person.secret)))
    await right.wait()
    shutting = asyncio.create_task((admin.lock if how == "locked" else admin.reset)(person.account.id, BY))
    await over_or_waiting(shutting, desk.database)
    go_on.set()
    signed, _ = await asyncio.gather(signing_in, shutting)
    await admin.unlock(person.account.id, BY)
    assert isinstance(signed, SignedIn)
    assert await desk.room.sessions.of(signed.token) is None
    assert await desk.room.sessions.listed(person.account.id) == []


async def test_nobody_waits_for_one_another_in_a_circle(desk: Desk) -> None:
    """Everything that takes a session or an account, at the same moment: nothing fails, and nothing stays open."""
    admin, logins, keys = desk.room.administration, desk.room.logins, desk.room.sessions
    for number in range(4):
        person, key = await desk.person(f"operatrice.{number}"), Key(counts=False)
        staff = person.account.id
        await desk.keyed(person, key)
        token = await desk.begun(person)
        answer = key.get(await logins.passkey_options(token))
        desk.clock.advance(60)  # so that each of them notes that somebody was there
        again = key.get(await logins.passkey_options(person.token, Ceremony.STEP_UP))
        results = await asyncio.gather(
            logins.passkey(token, answer),
            logins.step_up(person.token, passkey=again),
            logins.change_password(person.token, PASSWORD, "Une tisane de tilleul 8"),
            keys.revoke_all(staff),
            keys.of(person.token),
            admin.lock(staff, BY),
            admin.close(staff, BY),
            return_exceptions=True,
        )
        failed = [one for one in results if isinstance(one, BaseException) and not isinstance(one, Forbidden)]
        assert failed == []
        assert await keys.listed(staff) == []
        await desk.room.administration.records(staff)


# --- portfolios and rights


async def test_a_role_holds_for_the_practices_of_its_portfolio(desk: Desk) -> None:
    account, admin, may = await desk.account(), desk.room.administration, desk.room.rights.may
    inside, outside, elsewhere = await desk.practice(), await desk.practice(), await desk.practice(desk.other)
    some = await desk.room.portfolios.create(desk.organisation, " Quelques  uns ", BY)
    assert some.name == "Quelques uns"
    assert [await desk.room.portfolios.add(some, inside, BY) for _ in range(2)] == [True, False]
    assert [await admin.grant(account, Role.OPERATOR, some, BY) for _ in range(2)] == [True, False]
    assert await admin.roles(account.id) == (Grant(Role.OPERATOR, some),)
    assert await may(account, Role.OPERATOR, inside)
    assert not await may(account, Role.OPERATOR, outside)
    assert not await may(account, Role.SUPERVISOR, inside)
    whole = await desk.room.portfolios.create(desk.organisation, "Tous", BY, whole=True)
    await admin.grant(account, Role.SUPERVISOR, whole, BY)
    later = await desk.practice()
    assert [await may(account, Role.SUPERVISOR, one) for one in (inside, outside, later)] == [True, True, True]
    assert not await may(account, Role.SUPERVISOR, elsewhere)
    assert set(await desk.room.rights.practices(account)) == {inside, outside, later}
    assert list(await desk.room.rights.practices(account, Role.OPERATOR)) == [inside]
    assert [await admin.take(account, Role.OPERATOR, some, BY) for _ in range(2)] == [True, False]
    assert not await may(account, Role.OPERATOR, inside)
    assert await desk.room.portfolios.remove(some, inside, BY)
    assert not await desk.room.portfolios.remove(some, inside, BY)
    await admin.expires(account.id, date(2026, 11, 25), BY)
    assert not await may(account, Role.SUPERVISOR, inside)
    assert list(await desk.room.rights.practices(account)) == []
    await admin.expires(account.id, date(2026, 11, 26), BY)
    assert await may(account, Role.SUPERVISOR, inside)
    await admin.lock(account.id, BY)
    assert not await may(account, Role.SUPERVISOR, inside)
    assert await desk.acts(some.id) == [Act.PORTFOLIO_MADE, Act.PORTFOLIO_GAINED, Act.PORTFOLIO_LOST]


async def test_nothing_goes_from_one_organisation_to_another(desk: Desk) -> None:
    account, theirs = await desk.account(), await desk.practice(desk.other)
    own = await desk.room.portfolios.create(desk.organisation, "Les nôtres", BY)
    others = await desk.room.portfolios.create(desk.other, "Les leurs", BY, whole=True)
    with pytest.raises(NotOfTheOrganisation):
        await desk.room.portfolios.add(own, theirs, BY)
    with pytest.raises(OtherOrganisation):
        await desk.room.administration.grant(account, Role.OPERATOR, others, BY)
    assert await desk.room.administration.roles(account.id) == ()


async def test_a_portfolio_is_found_by_its_name_and_named_once(desk: Desk) -> None:
    portfolios = desk.room.portfolios
    made = await portfolios.create(desk.organisation, "Nord", BY, whole=True)
    assert await portfolios.called(desk.organisation, " Nord ") == made
    (row,) = [(count, one) for _, one, count in await portfolios.all() if one.id == made.id]
    assert row == (0, made)
    for refused, work in (
        (PortfolioTaken, portfolios.create(desk.organisation, "Nord", BY)),
        (NoName, portfolios.create(desk.organisation, "  ", BY)),
        (NoSuchPortfolio, portfolios.called(desk.other, "Nord")),
        (NoSuchOrganisation, portfolios.organisation("nobody")),
        (WholeAlready, portfolios.add(made, await desk.practice(), BY)),
        (WholeAlready, portfolios.remove(made, await desk.practice(), BY)),
    ):
        with pytest.raises(refused):
            await work


# --- the house's log, and what is forgotten


async def test_acts_about_one_account_at_the_same_moment_are_one_chain(desk: Desk) -> None:
    account = await desk.account()
    trained = [desk.room.administration.trained(account.id, date(2027, 1, day), BY) for day in range(1, 9)]
    await asyncio.gather(*trained)
    kept = await desk.room.administration.records(account.id)
    assert [record.seq for record in kept] == list(range(10))
    assert {record.body["subject"] for record in kept} == {str(account.id)}
    assert kept[-1].body["actor"] == {"kind": "command", "id": "tests"}
    assert kept[-1].body["log"] == "callcenter/house"


async def test_a_record_names_nobody_and_holds_no_secret(desk: Desk) -> None:
    person = await desk.person()
    await desk.signed_in(person)
    await desk.room.logins.begin(person.account.login, "Mauvais mot tape 3", ADDRESS)
    await desk.room.logins.begin("inconnue.tapee", "Mauvais mot tape 3", ADDRESS)
    async with desk.database.house() as connection:
        told = " ".join((await connection.execute(text("SELECT body FROM house_record"))).scalars())
    secrets = (PASSWORD, "Mauvais mot", person.secret, person.token, *person.codes)
    for word in (person.account.login, person.account.display_name, "inconnue", ADDRESS, *secrets):
        assert word not in told


async def test_what_is_kept_shows_no_token_no_password_and_no_code(desk: Desk, cluster: Cluster) -> None:
    person = await desk.person()
    token = await desk.signed_in(person)
    tables = ("staff_session", "staff_credential", "staff_recovery_code", "staff_invitation", "login_tally")
    kept = " ".join([await cluster_rows(cluster, table) for table in tables])
    assert "$argon2id$" in kept
    plain = [code.replace("-", "") for code in person.codes]
    for secret in (token, PASSWORD, person.secret, person.account.login, *person.codes, *plain):
        assert secret not in kept


async def cluster_rows(cluster: Cluster, table: str) -> str:
    """Every row of a table, as its superuser reads them."""
    root = Database(cluster.server.url(user=ROOT, database="staff_administration"), pool_size=1)
    try:
        async with root.house() as connection:
            return " ".join(str(tuple(row)) for row in await connection.execute(text(f"SELECT * FROM {table}")))
    finally:
        await root.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE staff_account SET login = 'other.login'",
        "DELETE FROM staff_account",
        "UPDATE staff_session SET stage = 'full'",
        "UPDATE staff_invitation SET ends_at = now() + interval '1 year'",
        "UPDATE staff_role SET role = 'administrator'",
        "UPDATE portfolio SET whole = true",
        "UPDATE staff_passkey SET public_key = 'x'",
    ],
)
async def test_the_server_may_not_do_what_nothing_needs(desk: Desk, statement: str) -> None:
    async def done() -> None:
        async with desk.database.house() as connection:
            await name_account(connection, desk.organisation)
            await connection.execute(text(statement))

    with pytest.raises(DBAPIError, match="permission denied"):
        await done()


async def test_counts_and_sessions_are_forgotten_in_time(desk: Desk, database: Database, clock: DrivenClock) -> None:
    person = await desk.person()
    token = await desk.signed_in(person)
    upkeep = StaffUpkeep(database, clock)
    await upkeep.forget()
    assert await desk.room.sessions.of(token) is not None
    clock.advance(timedelta(days=10, hours=1).total_seconds())  # an invitation is good for three days
    assert await upkeep.forget() > 0
    left = text(
        "SELECT (SELECT count(*) FROM login_tally WHERE tries > 0) + (SELECT count(*) FROM staff_session) + "
        "(SELECT count(*) FROM staff_invitation)"
    )
    async with database.house() as connection:
        assert (await connection.execute(left)).scalar_one() == 0
    clock.advance(timedelta(days=22).total_seconds())
    assert await upkeep.forget() > 0  # where somebody signed in from, too
    async with database.house() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM login_tally"))).scalar_one() == 0
    assert Act.SIGNED_IN in await desk.acts(person.account.id)  # records stay
