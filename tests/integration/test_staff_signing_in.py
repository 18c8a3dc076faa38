"""Signing in on the real database: invitation, password, second factors, and what is on record of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from argon2.profiles import CHEAPEST
from sqlalchemy import text

from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import Forbidden
from callcenter.kernel.randomness import SystemRandom
from callcenter.staff.factors import Added, Removed
from callcenter.staff.invitations import Accepted, CannotBeInvited, Purpose
from callcenter.staff.limits import Bound, LoginLimits
from callcenter.staff.login import Begun, PasswordChanged, SteppedUp, Weak
from callcenter.staff.passkeys import Ceremony
from callcenter.staff.password_rules import Weakness
from callcenter.staff.passwords import Passwords, TooBusy
from callcenter.staff.proofs import name_account
from callcenter.staff.room import StaffLimits
from callcenter.staff.sessions import Stage
from callcenter.staff.values import Factor, Refused, SignedIn
from callcenter.store.database import Database
from callcenter.store.schema import APP
from callcenter.store.sealed import Sealer
from tests.authenticator import Key
from tests.conftest import Cluster
from tests.staff import ADDRESS, BY, PASSWORD, Desk, Person

ANOTHER = "Une tisane de tilleul 8"


@pytest.fixture(scope="module")
async def database(cluster: Cluster) -> AsyncIterator[Database]:
    """One for all tests of this file: each has accounts of its own."""
    await cluster.create("staff_signing_in")
    database = Database(cluster.server.url(user=APP, database="staff_signing_in"), pool_size=5)
    yield database
    await database.close()
    await cluster.drop("staff_signing_in")


@pytest.fixture
async def desk(database: Database, sealer: Sealer, clock: DrivenClock) -> AsyncIterator[Desk]:
    desk = await Desk.on(database, sealer, clock)
    yield desk
    desk.room.close()


async def test_from_an_invitation_to_a_full_session(desk: Desk) -> None:
    account = await desk.account()
    token = await desk.room.invitations.invite(account.id, Purpose.FIRST, BY)
    assert await desk.room.invitations.invited(token) == account
    assert await desk.room.invitations.accept(token, "court") == Weak(Weakness.TOO_SHORT)
    accepted = await desk.room.invitations.accept(token, PASSWORD)
    assert isinstance(accepted, Accepted)
    assert await desk.room.invitations.invited(token) is None
    session = await desk.room.sessions.of(accepted.token)
    assert session is not None
    assert (session.stage, session.is_enrolling, session.may_change_account) == (Stage.PASSWORD, True, False)
    secret, uri = await desk.room.factors.begin_totp(account.id)
    assert uri.startswith(f"otpauth://totp/callcenter:{account.login}?")
    assert secret in uri
    confirm = desk.room.factors.confirm_totp
    assert await confirm(account.id, "000000", token=accepted.token) == Refused()
    added = await confirm(account.id, desk.code(secret), token=accepted.token)
    assert isinstance(added, Added)
    full = await desk.room.sessions.of(added.token)
    assert full is not None
    assert full.is_full
    assert full.may_change_account
    assert await desk.room.sessions.of(accepted.token) is None
    assert await desk.acts(account.id) == [
        "staff.account_made",
        "staff.undertaking_signed",
        "staff.invited",
        "staff.invitation_used",
        "staff.factor_added",
        "staff.signed_in",
    ]


async def test_password_then_application(desk: Desk) -> None:
    person = await desk.person()
    begun = await desk.room.logins.begin(f"  {person.account.login.upper()} ", PASSWORD, ADDRESS)
    assert isinstance(begun, Begun)
    assert begun.factors == {Factor.TOTP, Factor.RECOVERY}
    before = await desk.room.sessions.of(begun.token)
    assert before is not None
    assert (before.is_full, before.is_enrolling) == (False, False)
    signed = await desk.room.logins.totp(begun.token, desk.code(person.secret))
    assert isinstance(signed, SignedIn)
    assert await desk.room.sessions.of(begun.token) is None
    assert await desk.room.logins.totp(signed.token, desk.code(person.secret, 1)) == Refused()  # one is in already


@pytest.mark.parametrize("steps", [-1, 0, 1])
async def test_a_code_may_be_a_step_off(desk: Desk, steps: int) -> None:
    person = await desk.person()
    desk.clock.advance(120)
    signed = await desk.room.logins.totp(await desk.begun(person), desk.code(person.secret, steps))
    assert isinstance(signed, SignedIn)


@pytest.mark.parametrize("steps", [-2, 2])
async def test_a_code_may_not_be_two_steps_off(desk: Desk, steps: int) -> None:
    person = await desk.person()
    desk.clock.advance(120)
    assert await desk.room.logins.totp(await desk.begun(person), desk.code(person.secret, steps)) == Refused()


@pytest.mark.parametrize("written", ["as printed", "as read"])
async def test_a_printed_code_lets_in_but_does_not_open_the_account_to_changes(desk: Desk, written: str) -> None:
    person = await desk.person()
    code = person.codes[3] if written == "as printed" else person.codes[3].replace("-", " ").upper()
    signed = await desk.room.logins.recovery(await desk.begun(person), code)
    assert isinstance(signed, SignedIn)
    session = await desk.room.sessions.of(signed.token)
    assert session is not None
    assert not session.may_change_account
    with pytest.raises(Forbidden):
        await desk.room.factors.new_recovery_codes(person.account.id, token=signed.token)
    stepped = await desk.room.logins.step_up(signed.token, recovery=person.codes[4])
    assert stepped == SteppedUp(signed.token)
    fresh = await desk.room.factors.new_recovery_codes(person.account.id, token=signed.token)
    assert len(set(fresh)) == 10
    assert await desk.room.logins.recovery(await desk.begun(person), person.codes[5]) == Refused()  # void
    assert isinstance(await desk.room.logins.recovery(await desk.begun(person), fresh[0]), SignedIn)


async def test_a_passkey_signs_in_and_steps_up(desk: Desk) -> None:
    person, key = await desk.person(), Key()
    assert await desk.keyed(person, key, "  Clé du   bureau ") == Added(person.token)
    assert [one.label for one in await desk.room.factors.passkeys(person.account.id)] == ["Clé du bureau"]
    token = await desk.begun(person)
    options = await desk.room.logins.passkey_options(token)
    assert '"userVerification": "preferred"' in options
    signed = await desk.room.logins.passkey(token, key.get(options, user=person.account.id.bytes))
    assert isinstance(signed, SignedIn)
    desk.clock.advance(301)
    session = await desk.room.sessions.of(signed.token)
    assert session is not None
    assert not session.may_change_account
    options = await desk.room.logins.passkey_options(signed.token, Ceremony.STEP_UP)
    assert await desk.room.logins.step_up(signed.token, passkey=key.get(options)) == SteppedUp(signed.token)
    (kept,) = await desk.room.factors.passkeys(person.account.id)
    assert kept.used == desk.clock.now()


async def test_a_passkey_may_be_the_first_factor(desk: Desk) -> None:
    account, key = await desk.account(), Key(counts=False)
    token = await desk.accepted(account)
    added = await desk.room.factors.add_passkey(
        token, key.create(await desk.room.factors.passkey_registration(token)), ""
    )
    assert isinstance(added, Added)
    assert await desk.room.sessions.of(token) is None
    assert len(await desk.room.factors.new_recovery_codes(account.id, token=added.token)) == 10
    for _ in range(2):  # a key that does not count is taken again
        begun = await desk.room.logins.begin(account.login, PASSWORD, ADDRESS)
        assert isinstance(begun, Begun)
        assert begun.factors == {Factor.PASSKEY, Factor.RECOVERY}
        options = await desk.room.logins.passkey_options(begun.token)
        assert isinstance(await desk.room.logins.passkey(begun.token, key.get(options)), SignedIn)


@pytest.mark.parametrize("answer", ["", "{}", "null", "[" * 5_000, '{"id":"a"}', "x" * 20_000])
async def test_what_is_no_passkeys_answer_is_refused(desk: Desk, answer: str) -> None:
    person = await desk.person()
    token = await desk.begun(person)
    await desk.room.logins.passkey_options(token)
    assert await desk.room.logins.passkey(token, answer) == Refused()
    await desk.room.factors.passkey_registration(person.token)
    assert await desk.room.factors.add_passkey(person.token, answer, "clé") == Refused()


async def test_a_key_of_another_origin_or_host_is_no_key(desk: Desk) -> None:
    person = await desk.person()
    for key in (Key(origin="http://evil.example"), Key(host="evil.example")):
        options = await desk.room.factors.passkey_registration(person.token)
        assert await desk.room.factors.add_passkey(person.token, key.create(options), "clé") == Refused()


async def test_a_key_is_one_accounts_alone(desk: Desk) -> None:
    person, other, key = await desk.person(), await desk.person("superviseur"), Key()
    await desk.keyed(person, key)
    for whose in (person, other):
        desk.clock.advance(30)
        assert isinstance(await desk.room.logins.step_up(whose.token, totp=desk.code(whose.secret)), SteppedUp)
        options = await desk.room.factors.passkey_registration(whose.token)
        assert await desk.room.factors.add_passkey(whose.token, key.create(options), "encore") == Refused()


@pytest.mark.parametrize("id", [b"", b"k" * 1024], ids=["none", "too long"])
async def test_a_key_without_an_identifier_or_with_a_long_one_is_no_key(desk: Desk, id: bytes) -> None:
    person = await desk.person()
    options = await desk.room.factors.passkey_registration(person.token)
    assert await desk.room.factors.add_passkey(person.token, Key(id).create(options), "clé") == Refused()


async def test_a_key_that_falls_behind_its_own_count_was_copied(desk: Desk) -> None:
    person, key = await desk.person(), Key(count=5)
    await desk.keyed(person, key)
    copy = Key(key.id, secret=key.secret, count=4)
    token = await desk.begun(person)
    answer = copy.get(await desk.room.logins.passkey_options(token))
    assert await desk.room.logins.passkey(token, answer) == Refused()


async def with_a_key_alone(desk: Desk) -> Person:
    """Somebody whose first factor is a key, and who has no application."""
    account = await desk.account()
    person = Person(account, "", [], await desk.accepted(account))
    return replace(person, token=(await desk.keyed(person, Key())).token)


async def test_the_last_factor_stays(desk: Desk) -> None:
    person = await with_a_key_alone(desk)
    factors, staff = desk.room.factors, person.account.id
    (kept,) = await factors.passkeys(staff)
    assert await factors.remove_passkey(staff, kept.id, token=person.token) is Removed.LAST
    assert await factors.remove_passkey(staff, staff, token=person.token) is Removed.UNKNOWN
    await desk.keyed(person, Key())
    assert await factors.remove_passkey(staff, kept.id, token=person.token) is Removed.DONE
    (left,) = await factors.passkeys(staff)
    assert await factors.remove_passkey(staff, left.id, token=person.token) is Removed.LAST
    assert await factors.passkeys(staff) == [left]


async def test_beside_an_application_the_only_key_may_go(desk: Desk) -> None:
    person, factors = await desk.person(), desk.room.factors
    await desk.keyed(person, Key())
    (kept,) = await factors.passkeys(person.account.id)
    removed = [await factors.remove_passkey(person.account.id, kept.id, token=person.token) for _ in range(2)]
    assert removed == [Removed.DONE, Removed.UNKNOWN]


async def test_of_two_factors_removed_at_once_one_stays(desk: Desk) -> None:
    person = await with_a_key_alone(desk)
    await desk.keyed(person, Key())
    staff, token = person.account.id, person.token
    keys = await desk.room.factors.passkeys(staff)
    done = await asyncio.gather(
        *(desk.room.factors.remove_passkey(staff, one.id, token=token) for one in keys),
    )
    assert sorted(done) == [Removed.DONE, Removed.LAST]


async def test_a_password_is_changed_and_every_other_session_ends(desk: Desk) -> None:
    person = await desk.person()
    elsewhere = await desk.signed_in(person)
    change = desk.room.logins.change_password
    assert await change(person.token, "wrong", ANOTHER) == Refused()
    assert await change(person.token, PASSWORD, f"{person.account.login}-2026!") == Weak(Weakness.GUESSABLE)
    assert await change(person.token, PASSWORD, ANOTHER) == PasswordChanged()
    assert await desk.room.sessions.of(elsewhere) is None
    assert await desk.room.sessions.of(person.token) is not None
    assert await desk.room.logins.begin(person.account.login, PASSWORD, ADDRESS) == Refused()
    person.password = ANOTHER
    assert await desk.begun(person)
    desk.clock.advance(301)
    with pytest.raises(Forbidden):
        await change(person.token, ANOTHER, PASSWORD)


async def test_a_hash_of_other_parameters_is_made_anew_at_the_next_signing_in(desk: Desk, database: Database) -> None:
    person = await desk.person()
    older = Passwords(SystemRandom(), replace(CHEAPEST, time_cost=2))
    kept = await older.hash(PASSWORD)
    older.close()
    change = text("UPDATE staff_credential SET password_hash = :hash")
    async with database.house() as connection:
        await name_account(connection, person.account.id)
        await connection.execute(change, {"hash": kept})
    assert await desk.begun(person)
    async with database.house() as connection:
        await name_account(connection, person.account.id)
        now = (await connection.execute(text("SELECT password_hash FROM staff_credential"))).scalar_one()
    assert "t=2" in kept
    assert "t=1" in now
    assert await desk.begun(person)


async def test_an_account_without_a_factor_sets_one_up_within_the_hour_or_not_at_all(desk: Desk) -> None:
    account = await desk.account()
    await desk.accepted(account)
    begun = await desk.room.logins.begin(account.login, PASSWORD, ADDRESS)
    assert isinstance(begun, Begun)
    assert begun.factors == frozenset()
    session = await desk.room.sessions.of(begun.token)
    assert session is not None
    assert session.is_enrolling
    desk.clock.advance(3_601)
    assert await desk.room.logins.begin(account.login, PASSWORD, ADDRESS) == Refused()
    assert (await desk.acts(account.id))[-1] == "staff.refused"


async def test_reset_takes_everything_and_invites_anew(desk: Desk) -> None:
    person = await desk.person()
    await desk.keyed(person, Key())
    elsewhere = await desk.signed_in(person)
    invitation = await desk.room.administration.reset(person.account.id, BY)
    assert await desk.room.sessions.of(elsewhere) is None
    assert await desk.room.logins.begin(person.account.login, PASSWORD, ADDRESS) == Refused()
    accepted = await desk.room.invitations.accept(invitation, ANOTHER)
    assert isinstance(accepted, Accepted)
    session = await desk.room.sessions.of(accepted.token)
    assert session is not None
    assert session.is_enrolling
    held = await desk.room.factors.held(person.account.id)
    assert (held.totp_since, held.passkeys, held.recovery_codes) == (None, 0, 0)


async def test_nobody_is_invited_to_what_opens_nothing(desk: Desk) -> None:
    account = await desk.account(signed=False)
    token = await desk.room.invitations.invite(account.id, Purpose.FIRST, BY)
    assert await desk.room.invitations.accept(token, PASSWORD) == Refused()  # SM-02: no undertaking yet
    await desk.room.administration.sign(account.id, date(2026, 11, 2), BY)
    assert isinstance(await desk.room.invitations.accept(token, PASSWORD), Accepted)
    await desk.room.administration.lock(account.id, BY)
    with pytest.raises(CannotBeInvited):
        await desk.room.invitations.invite(account.id, Purpose.FIRST, BY)


async def test_too_many_tries_are_told_when_to_come_back_and_forgotten_with_time(
    database: Database, sealer: Sealer, clock: DrivenClock
) -> None:
    login = LoginLimits(login=Bound(3, timedelta(minutes=15)), factor=Bound(2, timedelta(minutes=15)))
    desk = await Desk.on(database, sealer, clock, limits=StaffLimits(login=login, parameters=CHEAPEST))
    person = await desk.person()
    for _ in range(4):  # what is right is not counted
        await desk.begun(person)
    for _ in range(3):
        assert await desk.room.logins.begin(person.account.login, "wrong", ADDRESS) == Refused()
    clock.advance(60)
    assert await desk.room.logins.begin(person.account.login, PASSWORD, ADDRESS) == Refused(840)
    clock.advance(840)
    token = await desk.begun(person)
    for _ in range(2):
        assert await desk.room.logins.totp(token, "000000") == Refused()
    assert await desk.room.logins.totp(token, desk.code(person.secret)) == Refused(900)
    desk.room.close()


async def test_somebody_who_may_lets_tries_begin_anew(desk: Desk) -> None:
    person = await desk.person()
    for _ in range(10):
        await desk.room.logins.begin(person.account.login, "wrong", "192.0.2.77")
    refused = await desk.room.logins.begin(person.account.login, PASSWORD, ADDRESS)
    assert refused == Refused(900)
    await desk.room.logins.forget_tries(person.account, BY)
    token = await desk.begun(person)
    for _ in range(5):
        assert await desk.room.logins.totp(token, "000000") == Refused()
    assert await desk.room.logins.totp(token, desk.code(person.secret)) == Refused(900)
    await desk.room.logins.forget_tries(person.account, BY)
    assert isinstance(await desk.room.logins.totp(token, desk.code(person.secret)), SignedIn)
    assert (await desk.acts(person.account.id)).count("staff.tries_forgotten") == 2


async def test_who_is_told_to_come_back_has_not_tried(
    desk: Desk, database: Database, sealer: Sealer, clock: DrivenClock
) -> None:
    person = await desk.person()
    login = LoginLimits(login=Bound(2, timedelta(minutes=15)))
    full = await Desk.on(database, sealer, clock, limits=StaffLimits(login, parameters=CHEAPEST, waiting=-2))
    for _ in range(3):
        with pytest.raises(TooBusy):
            await full.room.logins.begin(person.account.login, PASSWORD, ADDRESS)
    full.room.close()
    assert await desk.begun(person)


async def test_the_length_of_what_is_typed_is_bounded(desk: Desk) -> None:
    person = await desk.person()
    for login, password in (("x" * 100_000, PASSWORD), (person.account.login, "p" * 100_000), ("", ""), ("\x00", "")):
        assert await desk.room.logins.begin(login, password, ADDRESS) == Refused()
    token = await desk.begun(person)
    for code in ("1" * 100_000, "", "12345", "１２３４５６", "12 34 5x"):
        assert await desk.room.logins.totp(token, code) == Refused()
        desk.clock.advance(240)
        token = await desk.begun(person)
    code = desk.code(person.secret)
    assert isinstance(await desk.room.logins.totp(token, f" {code[:3]} {code[3:]} "), SignedIn)
