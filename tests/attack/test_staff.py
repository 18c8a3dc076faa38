"""Coming in as somebody else, staying in after the right to it is gone, and hiding that one did."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from argon2.profiles import CHEAPEST
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.audit.logs import HOUSE_LOG
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import Forbidden, IntegrityError, Unavailable
from callcenter.staff import invitations, passkeys, proofs, records, rights, sessions
from callcenter.staff.factors import Added
from callcenter.staff.invitations import Accepted, Purpose
from callcenter.staff.login import Logins, SteppedUp
from callcenter.staff.passkeys import Ceremony
from callcenter.staff.passwords import Passwords, TooBusy, Verdict
from callcenter.staff.room import StaffLimits
from callcenter.staff.sessions import Sessions, StaffSession, Stage, mark_of
from callcenter.staff.throttle import Tallies
from callcenter.staff.values import Account, Role, SignedIn
from callcenter.store.database import Database, in_practice
from callcenter.store.schema import APP
from tests.attack.defence import FOILED, SUCCEEDED, Defence, Outcome, Sabotage, attack, gained
from tests.attack.ground import Ground, ground_on
from tests.authenticator import Key
from tests.conftest import TEMPLATE, Cluster
from tests.ports import free_port
from tests.staff import ADDRESS, BY, PASSWORD, Desk, Person

MALLORY = "203.0.113.66"

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
async def shared(cluster: Cluster, keys_file: Path) -> AsyncIterator[Ground]:
    """A database for attacks that change nothing in it but rows of their own."""
    async with ground_on(cluster, TEMPLATE, "attacked_staff", keys_file) as ground:
        yield ground
    await cluster.drop("attacked_staff")


@pytest.fixture
def alone() -> None:
    """For an attack that changes more than rows of its own."""


@pytest.fixture
async def ground(
    request: pytest.FixtureRequest, cluster: Cluster, keys_file: Path, sabotage: Sabotage, shared: Ground
) -> AsyncIterator[Ground]:
    """A database of one's own where the attack, or what switches its defence off, changes more than rows."""
    if not sabotage.statements and "alone" not in request.fixturenames:
        yield shared
        return
    name = f"attacked_staff_{next(_numbers)}"
    async with ground_on(cluster, TEMPLATE, name, keys_file, sabotage.statements) as ground:
        yield ground
    await cluster.drop(name)


@pytest.fixture
async def desk(ground: Ground, clock: DrivenClock) -> AsyncIterator[Desk]:
    desk = await Desk.on(ground.app, ground.sealer, clock)
    yield desk
    desk.room.close()


# --- second factors


def _a_step_is_taken_again(sabotage: Sabotage) -> None:
    sabotage.rewrite(proofs, "_USE_STEP", " AND totp_step < :step", "")


def _a_printed_code_is_taken_again(sabotage: Sabotage) -> None:
    sabotage.rewrite(proofs, "_USE_CODE", " AND used_at IS NULL", "")


ONCE = Defence("a step is used once", "AU-02: what was seen on a screen opens nothing", _a_step_is_taken_again)
PRINTED_ONCE = Defence("a printed code is used once", "AU-02", _a_printed_code_is_taken_again)


@pytest.mark.parametrize("when", ["afterwards", "at the same moment"])
@attack(stopped_by=ONCE)
async def test_a_code_that_was_read_over_a_shoulder_is_used_again(desk: Desk, when: str) -> Outcome:
    """Somebody knows the password, and has seen the six digits as they were typed."""
    person = await desk.person()
    own, mallorys, code = await desk.begun(person), await desk.begun(person), desk.code(person.secret)
    logins = desk.room.logins
    if when == "afterwards":
        results = [await logins.totp(own, code), await logins.totp(mallorys, code)]
    else:
        results = list(await asyncio.gather(logins.totp(own, code), logins.totp(mallorys, code)))
    assert any(isinstance(one, SignedIn) for one in results)
    return gained(all(isinstance(one, SignedIn) for one in results))


@pytest.mark.parametrize("when", ["afterwards", "at the same moment"])
@attack(stopped_by=PRINTED_ONCE)
async def test_a_printed_code_that_was_found_is_used_again(desk: Desk, when: str) -> Outcome:
    person = await desk.person()
    own, mallorys, logins = await desk.begun(person), await desk.begun(person), desk.room.logins
    tries = [logins.recovery(token, person.codes[0]) for token in (own, mallorys)]
    results = [await one for one in tries] if when == "afterwards" else list(await asyncio.gather(*tries))
    assert any(isinstance(one, SignedIn) for one in results)
    return gained(all(isinstance(one, SignedIn) for one in results))


def _nothing_is_counted(sabotage: Sabotage) -> None:
    async def none(*_: object) -> None:
        return None

    sabotage.replace(Tallies, "count", none)


COUNTED = Defence("tries are counted", "AU-01, AU-02: guessing is bounded", _nothing_is_counted)


@pytest.mark.parametrize("way", ["in one session", "in a session each", "at the same moment"])
@attack(stopped_by=COUNTED)
async def test_six_digits_are_guessed(desk: Desk, way: str) -> Outcome:
    """Somebody knows the password, and tries codes until one is right."""
    person = await desk.person()
    right = desk.code(person.secret)
    guesses = [*(f"{number:06}" for number in range(9) if f"{number:06}" not in _near(desk, person)), right]
    if way == "in a session each":
        for guess in guesses:
            if isinstance(await desk.room.logins.totp(await desk.begun(person), guess), SignedIn):
                return SUCCEEDED
        return FOILED
    token = await desk.begun(person)
    if way == "in one session":
        results = [await desk.room.logins.totp(token, guess) for guess in guesses]
    else:
        results = list(await asyncio.gather(*(desk.room.logins.totp(token, guess) for guess in guesses[:-1])))
        results.append(await desk.room.logins.totp(token, right))
    return gained(any(isinstance(one, SignedIn) for one in results))


def _near(desk: Desk, person: Person) -> set[str]:
    return {desk.code(person.secret, steps) for steps in (-1, 0, 1)}


@pytest.mark.parametrize("from_everywhere", [True, False], ids=["from many addresses", "from one address"])
@attack(stopped_by=COUNTED)
async def test_a_password_is_guessed(desk: Desk, from_everywhere: bool) -> Outcome:
    person = await desk.person()
    guesses = [*(f"Printemps numero {number}" for number in range(10)), PASSWORD]
    for number, guess in enumerate(guesses):
        begun = await desk.room.logins.begin(
            person.account.login, guess, f"203.0.113.{number}" if from_everywhere else MALLORY
        )
        if not hasattr(begun, "retry_after"):
            return SUCCEEDED
    return FOILED


def _a_key_is_looked_for_everywhere(sabotage: Sabotage) -> None:
    sabotage.rewrite(passkeys, "_KEY", "staff_id = :staff AND ", "")


def _keys_are_seen_by_everybody(sabotage: Sabotage) -> None:
    # The statement names the account still: only what the database shows has changed.
    sabotage.sql("ALTER TABLE staff_passkey DISABLE ROW LEVEL SECURITY")


OWN_KEYS = Defence("a key is looked for among the account's", "AU-02", _a_key_is_looked_for_everywhere)
ROW_SCOPE_OF_KEYS = Defence("keys are in row scope", "P5: seen by who names their account", _keys_are_seen_by_everybody)


@attack(stopped_by=(OWN_KEYS, ROW_SCOPE_OF_KEYS))
async def test_a_passkey_of_ones_own_opens_somebody_elses_account(desk: Desk) -> Outcome:
    """A colleague knows the password, and has a key of their own here."""
    person, mallory, key = await desk.person(), await desk.person("superviseur"), Key(counts=False)
    await desk.keyed(mallory, key)
    token = await desk.begun(person)
    answer = key.get(await desk.room.logins.passkey_options(token))
    return gained(isinstance(await desk.room.logins.passkey(token, answer), SignedIn))


def _a_challenge_stays(sabotage: Sabotage) -> None:
    emptied = "SET challenge = NULL, challenge_for = NULL, challenge_at = NULL"
    sabotage.rewrite(sessions, "_TAKE_CHALLENGE", emptied, "SET challenge = before.challenge")


CHALLENGE_ONCE = Defence(
    "a challenge is used once", "AU-02: what was signed once is signed no more", _a_challenge_stays
)


@attack(stopped_by=CHALLENGE_ONCE)
async def test_what_a_key_has_signed_is_sent_again(desk: Desk) -> Outcome:
    """Something in the browser has seen an answer, and repeats it once the account is closed to changes again."""
    person, key = await desk.person(), Key(counts=False)
    await desk.keyed(person, key)
    answer = key.get(await desk.room.logins.passkey_options(person.token, Ceremony.STEP_UP))
    assert isinstance(await desk.room.logins.step_up(person.token, passkey=answer), SteppedUp)
    return gained(isinstance(await desk.room.logins.step_up(person.token, passkey=answer), SteppedUp))


def _anybody_may_change_factors(sabotage: Sabotage) -> None:
    sabotage.replace(StaffSession, "may_change_account", True)


GUARDED = Defence(
    "factors are changed with a factor", "AU-02: a password alone adds no factor", _anybody_may_change_factors
)


@attack(stopped_by=GUARDED)
async def test_who_knows_the_password_adds_a_factor_of_their_own(desk: Desk) -> Outcome:
    person = await desk.person()
    token = await desk.begun(person)
    secret, _ = await desk.room.factors.begin_totp(person.account.id)
    try:
        added = await desk.room.factors.confirm_totp(person.account.id, desk.code(secret), token=token)
    except Forbidden:
        return FOILED
    return gained(isinstance(added, Added))


@attack(stopped_by=GUARDED)
async def test_who_sits_down_at_an_open_screen_adds_a_key_of_their_own(desk: Desk) -> Outcome:
    person, key = await desk.person(), Key()
    token = await desk.signed_in(person)
    desk.clock.advance(301)
    try:
        options = await desk.room.factors.passkey_registration(token)
        added = await desk.room.factors.add_passkey(token, key.create(options), "clé")
    except Forbidden:
        return FOILED
    return gained(isinstance(added, Added))


# --- sessions


def _an_account_is_not_looked_at(sabotage: Sabotage) -> None:
    sabotage.replace(Account, "shut", lambda *_: None)


def _nothing_ends_sessions(sabotage: Sabotage) -> None:
    async def none(*_: object, **__: object) -> int:
        return 0

    sabotage.replace(Sessions, "end_all", none)


LOOKED_AT = Defence(
    "the account is looked at each time", "AU-06: revocation is immediate", _an_account_is_not_looked_at
)
ENDED = Defence("what shuts an account ends its sessions", "AU-06: revocation is immediate", _nothing_ends_sessions)


@pytest.mark.parametrize("how", ["locked", "closed"])
@attack(stopped_by=(LOOKED_AT, ENDED))
async def test_who_is_out_goes_on_in_an_open_session(desk: Desk, how: str) -> Outcome:
    """Somebody was dismissed, and still has a page open."""
    person = await desk.person()
    token = await desk.signed_in(person)
    shut = desk.room.administration.lock if how == "locked" else desk.room.administration.close
    await shut(person.account.id, BY)
    return gained(await desk.room.sessions.of(token))


@attack(stopped_by=LOOKED_AT)
async def test_a_contract_ends_while_a_session_is_open(desk: Desk, clock: DrivenClock) -> Outcome:
    person = await desk.person()
    await desk.room.administration.expires(person.account.id, date(2026, 11, 26), BY)
    clock.set(clock.now().replace(hour=22, minute=50))  # 23:50 in Paris, the last day
    token = await desk.signed_in(person)
    clock.advance(600)
    return gained(await desk.room.sessions.of(token))


@attack(stopped_by=LOOKED_AT)
async def test_who_has_not_undertaken_to_be_silent_signs_in(desk: Desk, ground: Ground) -> Outcome:
    person = await desk.person()
    await ground.change("UPDATE staff_account SET secrecy_signed_on = NULL WHERE id = :id", id=person.account.id)
    begun = await desk.room.logins.begin(person.account.login, PASSWORD, ADDRESS)
    return gained(not hasattr(begun, "retry_after"))


#: True, of the same parameters.
_ANY_TIME = (
    "s.revoked_at IS NULL AND cast(:now AS timestamptz) > least(cast(:idle_since AS timestamptz), "
    "cast(:off_duty_since AS timestamptz), cast(:left_since AS timestamptz))"
)


def _sessions_do_not_end(sabotage: Sabotage) -> None:
    sabotage.rewrite(sessions, "_LIVE", sessions._STANDS, _ANY_TIME)


IN_TIME = Defence("sessions end by time", "AU-06: sessions end", _sessions_do_not_end)


@pytest.mark.parametrize("way", ["idle", "used without a pause"])
@attack(stopped_by=IN_TIME)
async def test_a_screen_that_was_left_is_used(desk: Desk, way: str) -> Outcome:
    token = await desk.signed_in(await desk.person())
    pauses = [901] if way == "idle" else [840] * 52  # 12 hours and 8 minutes
    found = None
    for pause in pauses:
        desk.clock.advance(pause)
        found = await desk.room.sessions.of(token)
    return gained(found)


def _a_token_is_kept(sabotage: Sabotage) -> None:
    """A session rises under the token that it has; the schema's rights stand in the way of that too."""
    begin = Sessions.begin

    async def rise(self: Sessions, tx: AsyncConnection, staff: UUID, stage: Stage, **how: Any) -> str:
        if how.get("instead_of") is None:
            return await begin(self, tx, staff, stage, **how)
        raised = text(
            "UPDATE staff_session SET stage = 'full', ends_at = made_at + interval '1 day', stepped_up_at = seen_at "
            "WHERE token_mark = :it"
        )
        await tx.execute(raised, {"it": mark_of(how["instead_of"])})
        return str(how["instead_of"])

    sabotage.replace(Sessions, "begin", rise)
    sabotage.sql(f"GRANT UPDATE ON staff_session TO {APP}")


RENEWED = Defence("a session that rises has a new token", "AU-06: no session is fixed beforehand", _a_token_is_kept)


@attack(stopped_by=RENEWED)
async def test_a_token_that_was_planted_is_used_after_the_second_factor(desk: Desk) -> Outcome:
    """Whoever has put a token into the browser before waits until its owner has given the second factor."""
    person = await desk.person()
    planted = await desk.begun(person)
    assert isinstance(await desk.room.logins.totp(planted, desk.code(person.secret)), SignedIn)
    session = await desk.room.sessions.of(planted)
    return gained(session is not None and session.is_full)


# --- logins at large


def _everybody_may_wait(sabotage: Sabotage) -> None:
    sabotage.replace(Passwords, "_take_place", lambda _: None)


BOUNDED = Defence("few wait to be hashed", "logins at once do not take the machine's memory", _everybody_may_wait)


@pytest.mark.parametrize("going_away", [False, True], ids=["waiting", "going away at once"])
@attack(stopped_by=BOUNDED)
async def test_many_logins_at_once_take_the_memory(ground: Ground, clock: DrivenClock, going_away: bool) -> Outcome:
    """Each one takes 64 MiB while it is hashed: whoever gets many of them in is what this stops."""
    slow = replace(CHEAPEST, memory_cost=16_384, time_cost=4)
    limits = StaffLimits(parameters=slow, hashed_at_once=2, waiting=3)
    desk = await Desk.on(ground.app, ground.sealer, clock, limits=limits)
    logins = [asyncio.create_task(desk.room.passwords.verify(None, PASSWORD)) for _ in range(9)]
    await asyncio.sleep(0)
    if going_away:
        logins[0].cancel()  # its thread works on
        logins += [asyncio.create_task(desk.room.passwords.verify(None, PASSWORD))]
    results = await asyncio.gather(*logins, return_exceptions=True)
    desk.room.close()
    refused = [one for one in results if isinstance(one, TooBusy)]
    return FOILED if len(refused) == (5 if going_away else 4) else SUCCEEDED


def _nothing_is_hashed_for_nobody(sabotage: Sabotage) -> None:
    verify = Passwords.verify

    async def quick(self: Passwords, kept: str | None, password: str) -> Verdict:
        return Verdict(right=False) if kept is None else await verify(self, kept, password)

    sabotage.replace(Passwords, "verify", quick)


def _a_refusal_of_nobody_is_not_written(sabotage: Sabotage) -> None:
    refused = Logins._refused

    async def known(self: Logins, tx: AsyncConnection, staff: UUID | None, step: str, reason: str) -> None:
        if staff is not None:
            await refused(self, tx, staff, step, reason)

    sabotage.replace(Logins, "_refused", known)


SAME_HASH = Defence("an unknown login costs a hash", "who has an account is not told", _nothing_is_hashed_for_nobody)
SAME_STATEMENTS = Defence(
    "an unknown login costs the same statements", "who has an account is not told", _a_refusal_of_nobody_is_not_written
)


async def _observed(desk: Desk, login: str, patch: pytest.MonkeyPatch) -> tuple[object, int, list[str]]:
    """What comes of a wrong password: the answer, how many hashes it cost, and which statements."""
    hashes, statements = [], []
    run = Passwords._run

    async def counting(self: Passwords, work: Callable[[], Any]) -> Any:
        hashes.append(work)
        return await run(self, work)

    def seen(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    with patch.context() as patched:
        patched.setattr(Passwords, "_run", counting)
        event.listen(desk.database.engine.sync_engine, "before_cursor_execute", seen)
        try:
            answer = await desk.room.logins.begin(login, "Une autre chose 9", MALLORY)
        finally:
            event.remove(desk.database.engine.sync_engine, "before_cursor_execute", seen)
    return answer, len(hashes), statements


@attack(stopped_by=SAME_HASH)
async def test_an_unknown_login_is_told_by_the_time_of_a_hash(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Outcome:
    person = await desk.person()
    known = await _observed(desk, person.account.login, monkeypatch)
    unknown = [await _observed(desk, login, monkeypatch) for login in ("operatrice2", "No such login!")]
    assert {repr(one[0]) for one in (known, *unknown)} == {"Refused(retry_after=None)"}
    return gained(any(one[:2] != known[:2] for one in unknown))


@attack(stopped_by=SAME_STATEMENTS)
async def test_an_unknown_login_is_told_by_what_the_database_does(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> Outcome:
    person = await desk.person()
    known = await _observed(desk, person.account.login, monkeypatch)
    unknown = [await _observed(desk, login, monkeypatch) for login in ("operatrice2", "No such login!")]
    return gained(any(one[2] != known[2] for one in unknown))


def _what_cannot_be_counted_is_let_through(sabotage: Sabotage) -> None:
    count = Tallies.count

    async def lenient(self: Tallies, tries: Any) -> int | None:
        try:
            return await count(self, tries)
        except Unavailable:
            return None

    async def none(*_: object) -> None: ...

    sabotage.replace(Tallies, "count", lenient)
    for name in ("forgive", "when", "remember"):
        sabotage.replace(Tallies, name, none)


CLOSED = Defence(
    "what cannot be counted is not compared", "AU-01: guessing is bounded", _what_cannot_be_counted_is_let_through
)


@pytest.mark.parametrize("step", ["password", "second factor"])
@attack(stopped_by=CLOSED)
async def test_tries_are_made_while_nothing_can_be_counted(
    desk: Desk, ground: Ground, clock: DrivenClock, step: str
) -> Outcome:
    """The connections for counting are all taken, or gone: is anybody compared with anything?"""
    person, nowhere = await desk.person(), Database(f"postgresql+asyncpg://{APP}@127.0.0.1:{free_port()}/none")
    begun = await desk.begun(person)
    blind = await Desk.on(ground.app, ground.sealer, clock, attempts=nowhere)
    try:
        if step == "password":
            return gained(await blind.begun(person))
        return gained(isinstance(await blind.room.logins.totp(begun, desk.code(person.secret)), SignedIn))
    except Unavailable:
        return FOILED
    finally:
        blind.room.close()
        await nowhere.close()


# --- invitations


def _an_invitation_is_good_again(sabotage: Sabotage) -> None:
    for name in ("_GOOD", "_USE"):
        sabotage.rewrite(invitations, name, "AND used_at IS NULL ", "")


def _an_invitation_is_good_for_ever(sabotage: Sabotage) -> None:
    for name in ("_GOOD", "_USE"):
        sabotage.rewrite(invitations, name, "AND ends_at > :now", "AND :now > made_at")


def _an_older_invitation_stays_good(sabotage: Sabotage) -> None:
    for name in ("_GOOD", "_USE"):
        sabotage.rewrite(invitations, name, "AND withdrawn_at IS NULL ", "")
    sabotage.sql("ALTER TABLE staff_invitation DROP CONSTRAINT ck_staff_invitation_used_or_withdrawn")


INVITED_ONCE = Defence("an invitation is used once", "AU-06: an account has one owner", _an_invitation_is_good_again)
INVITED_IN_TIME = Defence("an invitation ends", "AU-06: an account has one owner", _an_invitation_is_good_for_ever)
INVITED_LAST = Defence("the last invitation holds", "AU-06: an account has one owner", _an_older_invitation_stays_good)


@attack(stopped_by=INVITED_ONCE)
async def test_an_invitation_is_used_again_by_who_reads_the_mail(desk: Desk) -> Outcome:
    account = await desk.account()
    token = await desk.room.invitations.invite(account.id, Purpose.FIRST, BY)
    await desk.room.invitations.accept(token, PASSWORD)
    return gained(isinstance(await desk.room.invitations.accept(token, "Mot choisi par un autre"), Accepted))


@attack(stopped_by=INVITED_ONCE)
async def test_an_invitation_is_used_by_two_at_the_same_moment(desk: Desk) -> Outcome:
    account = await desk.account()
    token = await desk.room.invitations.invite(account.id, Purpose.FIRST, BY)
    accept = desk.room.invitations.accept
    both = await asyncio.gather(accept(token, PASSWORD), accept(token, "Mot choisi par un autre"))
    return gained(all(isinstance(one, Accepted) for one in both))


@attack(stopped_by=INVITED_IN_TIME)
async def test_an_invitation_is_found_years_later(desk: Desk) -> Outcome:
    account = await desk.account()
    token = await desk.room.invitations.invite(account.id, Purpose.FIRST, BY)
    desk.clock.advance(timedelta(hours=72).total_seconds())
    return gained(isinstance(await desk.room.invitations.accept(token, PASSWORD), Accepted))


@attack(stopped_by=INVITED_LAST)
async def test_an_invitation_is_used_though_another_was_sent_since(desk: Desk) -> Outcome:
    account = await desk.account()
    first = await desk.room.invitations.invite(account.id, Purpose.FIRST, BY)
    await desk.room.invitations.invite(account.id, Purpose.FIRST, BY)
    return gained(isinstance(await desk.room.invitations.accept(first, PASSWORD), Accepted))


# --- rights


def _a_practice_stays_in_its_portfolios(sabotage: Sabotage) -> None:
    sabotage.sql("ALTER TABLE practice DISABLE TRIGGER practice_leaves_portfolios")
    sabotage.sql(
        "ALTER TABLE portfolio_practice DROP CONSTRAINT fk_portfolio_practice_organisation_id_practice_id_practice"
    )


def _an_organisation_is_not_asked_for(sabotage: Sabotage) -> None:
    sabotage.rewrite(rights, "_MAY", "p.organisation_id = f.organisation_id AND (f.whole OR", "(f.whole OR")


LEAVES = Defence(
    "a practice leaves with its organisation", "CN-01: its data are others' now", _a_practice_stays_in_its_portfolios
)
SAME_ORGANISATION = Defence("rights are within an organisation", "CN-01", _an_organisation_is_not_asked_for)


@attack(stopped_by=(LEAVES, SAME_ORGANISATION))
async def test_who_staffed_a_practice_reads_on_after_it_went_to_others(desk: Desk, ground: Ground) -> Outcome:
    account, practice = await desk.account(), await desk.practice()
    portfolio = await desk.room.portfolios.create(desk.organisation, "Matin", BY)
    await desk.room.portfolios.add(portfolio, practice, BY)
    await desk.room.administration.grant(account, Role.OPERATOR, portfolio, BY)
    assert await desk.room.rights.may(account, Role.OPERATOR, practice)
    await ground.change("UPDATE practice SET organisation_id = :other WHERE id = :id", other=desk.other, id=practice)
    return gained(await desk.room.rights.may(account, Role.OPERATOR, practice))


# --- what is kept, and what is on record


SECRETS = ("staff_credential", "staff_passkey", "staff_recovery_code")


def _secrets_are_seen_by_everybody(sabotage: Sabotage) -> None:
    for table in SECRETS:
        sabotage.sql(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")


ROW_SCOPE = Defence("secrets are in row scope", "P5: seen by who names their account", _secrets_are_seen_by_everybody)


@pytest.mark.parametrize("table", SECRETS)
@attack(stopped_by=ROW_SCOPE)
async def test_p5_what_an_account_signs_in_by_is_read_through_anothers(desk: Desk, table: str) -> Outcome:
    """A query that forgot its condition, in a transaction that names another account."""
    person, mallory = await desk.person(), await desk.account("superviseur")
    await desk.keyed(person, Key())
    async with desk.database.house() as connection:
        await proofs.name_account(connection, mallory.id)
        others = text(f"SELECT 1 FROM {table} WHERE staff_id <> :own")
        return gained((await connection.execute(others, {"own": mallory.id})).all())


def _the_app_may_everything(sabotage: Sabotage) -> None:
    sabotage.sql(f"GRANT ALL ON house_record, house_outbox TO {APP}")


def _changes_are_not_refused(sabotage: Sabotage) -> None:
    for trigger in ("house_record_append_only", "house_record_not_emptied"):
        sabotage.sql(f"ALTER TABLE house_record DISABLE TRIGGER {trigger}")
    sabotage.sql("ALTER TABLE house_outbox DISABLE TRIGGER house_outbox_not_emptied")


def _anybody_may_be_the_sealer(sabotage: Sabotage) -> None:
    sabotage.sql("ALTER TABLE house_outbox DISABLE TRIGGER house_outbox_taken_by_the_sealer")


RIGHTS = Defence("the app role may only add to the house's log", "P4: append-only by role", _the_app_may_everything)
TRIGGERS = Defence("triggers refuse changes of the house's log", "P4: append-only by trigger", _changes_are_not_refused)
SEALERS = Defence(
    "only the sealer empties the house's outbox",
    "P4: what is not sealed yet awaits its seal",
    _anybody_may_be_the_sealer,
)

CHANGES = {
    "edited": r"UPDATE house_record SET body = body || ' ', "
    r"leaf = encode(sha256('\x00'::bytea || convert_to(body || ' ', 'UTF8')), 'hex')",
    "emptied": "TRUNCATE house_record CASCADE",
}


@pytest.mark.parametrize("statement", CHANGES.values(), ids=CHANGES)
@attack(stopped_by=(RIGHTS, TRIGGERS))
async def test_p4_the_server_changes_what_is_on_record_of_staff(desk: Desk, ground: Ground, statement: str) -> Outcome:
    await desk.person()
    return await _does(ground, statement)


@attack(stopped_by=(RIGHTS, TRIGGERS, SEALERS))
async def test_p4_the_server_removes_what_is_on_record_of_staff(desk: Desk, ground: Ground) -> Outcome:
    await desk.person()
    return await _does(ground, "DELETE FROM house_outbox", "DELETE FROM house_record")


@attack(stopped_by=(RIGHTS, SEALERS))
async def test_p4_the_server_takes_records_of_staff_out_of_the_sealers_queue(desk: Desk, ground: Ground) -> Outcome:
    await desk.person()
    return await _does(ground, "DELETE FROM house_outbox")


REFUSALS = ("permission denied", "only ever added to", "only the sealer takes records")


async def _does(ground: Ground, *statements: str) -> Outcome:
    """Whether the server's login can do this, one statement after the other."""
    async with ground.session(APP) as connection:
        try:
            for statement in statements:
                assert (await connection.exec_driver_sql(statement)).rowcount != 0
        except DBAPIError as error:
            if not any(why in str(error.orig) for why in REFUSALS):
                raise
            return FOILED
    return SUCCEEDED


def _a_chain_is_not_followed(sabotage: Sabotage) -> None:
    async def read(connection: AsyncConnection, stream: UUID) -> list[Any]:
        await in_practice(connection, HOUSE_LOG)
        return list((await connection.execute(records._STREAM, {"stream": stream})).all())

    sabotage.replace(records, "records_of", read)


FOLLOWED = Defence("the chain is followed where it is read", "P4: the ledger holds", _a_chain_is_not_followed)


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("place", ["first", "middle"])
@attack(stopped_by=FOLLOWED)
async def test_p4_an_administrator_takes_a_record_of_staff_away(desk: Desk, ground: Ground, place: str) -> Outcome:
    """That somebody was given a role, or let in: whoever owns the database can remove it, but not unseen."""
    person = await desk.person()
    await ground.change("ALTER TABLE house_record DISABLE TRIGGER house_record_append_only")
    await ground.change("ALTER TABLE house_outbox DISABLE TRIGGER house_outbox_taken_by_the_sealer")
    await ground.change("DELETE FROM house_outbox")
    seq = 0 if place == "first" else 2
    await ground.change("DELETE FROM house_record WHERE stream = :it AND seq = :seq", it=person.account.id, seq=seq)
    try:
        async with desk.database.house() as connection:
            return gained(await records.records_of(connection, person.account.id))
    except IntegrityError:
        return FOILED
