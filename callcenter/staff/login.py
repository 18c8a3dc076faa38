"""Signing in: login and password, then a second factor (AU-02). No answer tells which logins there are.

Whatever is wrong, the answer is one and the same; an unknown login costs the same counting, the same hash and the same
statements. Each try is counted before anything is compared.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.audit.ledger import Value
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import Forbidden
from callcenter.kernel.randomness import Random, new_id
from callcenter.staff.accounts import account, account_called, as_login, hold_account
from callcenter.staff.limits import LoginLimits
from callcenter.staff.passkeys import Ceremony, Passkeys
from callcenter.staff.password_rules import Weakness, weakness
from callcenter.staff.passwords import Passwords, TooBusy
from callcenter.staff.proofs import Proofs, lock_factors, name_account
from callcenter.staff.records import NOBODY, Act, Actor, HouseLog
from callcenter.staff.sessions import Sessions, StaffSession, Stage
from callcenter.staff.throttle import Counted, Tallies, origin_of
from callcenter.staff.values import Account, Factor, Refused, SignedIn
from callcenter.store.database import Database


@dataclass(frozen=True, slots=True)
class Begun:
    """The password was right.

    Arguments:
        token: of a session that can give its second factor, and nothing else.
        factors: what it may be; none where the account has to set one up first.
    """

    token: str
    factors: frozenset[Factor]


@dataclass(frozen=True, slots=True)
class SteppedUp:
    """A second factor was given again.

    Arguments:
        token: of the session, which goes on.
    """

    token: str


@dataclass(frozen=True, slots=True)
class PasswordChanged:
    """The new password holds, and every other session of the account has ended."""


@dataclass(frozen=True, slots=True)
class Weak:
    """The password is not taken (AU-01)."""

    why: Weakness


_Proof = Callable[[AsyncConnection, UUID, datetime], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Logins:
    """Lets staff in.

    Arguments:
        passwords: of the process.
    """

    database: Database
    clock: Clock
    random: Random
    passwords: Passwords
    tallies: Tallies
    sessions: Sessions
    proofs: Proofs
    passkeys: Passkeys
    log: HouseLog
    limits: LoginLimits = field(default_factory=LoginLimits)

    async def begin(self, login: str, password: str, address: str) -> Begun | Refused:
        """The first factor.

        Arguments:
            login, password: as they were typed.
            address: from where, to be counted.

        Raises:
            TooBusy: too many wait for their password to be compared.
            DatabaseDown: nobody is let in then.
        """
        plain, typed, place = as_login(login), login.strip().lower()[:200], origin_of(address)
        tries = await self._password_tries(typed, place)
        wait = await self.tallies.count(tries)
        if wait is not None:
            return Refused(wait)
        # What no account can be called is looked for like any other: nothing has the empty login.
        async with self.database.house() as connection:
            found = await account_called(connection, plain or "")
            whose = found.id if found else new_id(self.random)
            await name_account(connection, whose)
            kept = (await connection.execute(_PASSWORD, {"staff": whose})).scalar_one_or_none()
        try:
            verdict = await self.passwords.verify(kept, password)
        except TooBusy:
            await self.tallies.forgive(tries)  # nothing was compared
            raise
        fresh = await self.passwords.hash(password) if verdict.right and verdict.outdated else None
        begun = await self._enter(whose, kept, fresh, right=verdict.right)
        if isinstance(begun, Begun):
            await self.tallies.forgive(tries)
            await self.tallies.remember(_FAMILIAR, f"{place}|{typed}")
        return begun

    async def _password_tries(self, typed: str, place: str) -> tuple[Counted, ...]:
        """What a try of a password counts towards. Where the password was right before, others' tries do not."""
        from_there, here = Counted("address", place, self.limits.address), f"{place}|{typed}"
        right = await self.tallies.when(_FAMILIAR, here)
        if right is not None and right > self.clock.now() - self.limits.familiar:
            anew = await self.tallies.when(_ANEW, typed)
            return from_there, Counted("login_here", f"{here}|{anew.isoformat() if anew else ''}", self.limits.login)
        return from_there, Counted("login", typed, self.limits.login), Counted("all", "", self.limits.all)

    async def _enter(self, staff: UUID, kept: str | None, fresh: str | None, *, right: bool) -> Begun | Refused:
        """Begin a session if everything is as it must be, and put on record that it is not."""
        now = self.clock.now()
        async with self.database.house() as connection:
            await hold_account(connection, staff)
            await name_account(connection, staff)
            has = await lock_factors(connection, staff)
            found = await account(connection, staff)
            # A password that was changed while this one was compared is not this one.
            same = (await connection.execute(_PASSWORD, {"staff": staff})).scalar_one_or_none() == kept
            invited = (await connection.execute(_INVITED, {"staff": staff})).scalar_one_or_none()
            reason = _reason(found, now, right=right and same)
            if reason is None and not has.factors and (invited is None or invited <= now - self.limits.enrolling):
                reason = "no_factor"
            if found is None or reason is not None:
                await self._refused(connection, found.id if found else None, "password", reason or "unknown")
                return Refused()
            if fresh is not None:
                await connection.execute(_REHASHED, {"staff": staff, "hash": fresh})
            return Begun(await self.sessions.begin(connection, staff, Stage.PASSWORD), has.factors)

    async def totp(self, token: str, code: str) -> SignedIn | Refused:
        """The second factor, by six digits of an application (RFC 6238). Each code opens once.

        Raises, as the others do: DatabaseDown, and then nobody is let in.
        """
        return await self._rise(token, Factor.TOTP, lambda tx, staff, now: self.proofs.totp(tx, staff, code, now))

    async def recovery(self, token: str, code: str) -> SignedIn | Refused:
        """In place of a second factor, a printed code. Each opens once."""
        return await self._rise(
            token, Factor.RECOVERY, lambda tx, staff, now: self.proofs.recovery(tx, staff, code, now)
        )

    async def passkey_options(self, token: str, ceremony: Ceremony = Ceremony.SIGN_IN) -> str:
        """What a browser needs to ask a key to sign, as JSON.

        Raises:
            Forbidden: the session is over, or not at this stage.
        """
        async with self.database.house() as connection:
            session = await self.sessions.within(connection, token)
            if session is None or session.is_full is not (ceremony is Ceremony.STEP_UP):
                raise Forbidden("the session is over, or a second factor is not asked for in it")
            challenge = await self.sessions.challenge(connection, token, ceremony)
            return await self.passkeys.options(connection, session.account.id, challenge)

    async def passkey(self, token: str, response: str) -> SignedIn | Refused:
        """The second factor, by what a key has signed, as JSON."""
        return await self._rise(token, Factor.PASSKEY, self._signed(token, response, Ceremony.SIGN_IN))

    def _signed(self, token: str, response: str, ceremony: Ceremony) -> _Proof:
        async def proves(connection: AsyncConnection, staff: UUID, now: datetime) -> bool:
            challenge = await self.sessions.take_challenge(connection, token, ceremony)
            return challenge is not None and await self.passkeys.proves(connection, staff, challenge, response, now)

        return proves

    async def _rise(self, token: str, factor: Factor, proof: _Proof) -> SignedIn | Refused:
        session = await self.sessions.of(token)
        if session is None or session.is_full:
            return Refused()
        refused = await self._count(session)
        if refused is not None:
            return refused
        async with self.database.house() as connection:
            await hold_account(connection, session.account.id)
            rising = await self.sessions.within(connection, token)
            if rising is None or not await proof(connection, rising.account.id, self.clock.now()):
                await self._refused(connection, session.account.id, factor.value, "wrong")
                return Refused()
            staff = rising.account.id
            # A printed code shows that a factor is lost: to change factors, one of them must be shown.
            risen = await self.sessions.begin(
                connection, staff, Stage.FULL, instead_of=token, stepped_up=factor is not Factor.RECOVERY
            )
            await self.log.note(connection, Act.SIGNED_IN, Actor.staff(staff), staff, {"factor": factor.value})
        await self._forgive(session)
        return SignedIn(risen)

    async def step_up(
        self, token: str, *, totp: str | None = None, passkey: str | None = None, recovery: str | None = None
    ) -> SteppedUp | Refused:
        """Give a second factor once more, before the account is changed: one of the three.

        Arguments:
            recovery: a printed code, for whoever has come in by one and must set up a factor anew.
        """
        if totp is not None:
            factor, proof = Factor.TOTP, self._code(totp)
        elif passkey is not None:
            factor, proof = Factor.PASSKEY, self._signed(token, passkey, Ceremony.STEP_UP)
        else:
            factor, proof = Factor.RECOVERY, self._printed(recovery or "")
        session = await self.sessions.of(token)
        if session is None or not session.is_full:
            return Refused()
        refused = await self._count(session)
        if refused is not None:
            return refused
        async with self.database.house() as connection:
            await hold_account(connection, session.account.id)
            staying = await self.sessions.within(connection, token)
            if staying is None or not await proof(connection, staying.account.id, self.clock.now()):
                await self._refused(connection, session.account.id, factor.value, "wrong")
                return Refused()
            staff = staying.account.id
            await self.sessions.stepped_up(connection, token)
            await self.log.note(connection, Act.STEPPED_UP, Actor.staff(staff), staff, {"factor": factor.value})
        await self._forgive(session)
        return SteppedUp(token)

    def _code(self, code: str) -> _Proof:
        return lambda tx, staff, now: self.proofs.totp(tx, staff, code, now)

    def _printed(self, code: str) -> _Proof:
        return lambda tx, staff, now: self.proofs.recovery(tx, staff, code, now)

    async def change_password(self, token: str, old: str, new: str) -> PasswordChanged | Weak | Refused:
        """Take another password; every other session of the account ends.

        Raises:
            Forbidden: no second factor was given just now.
            TooBusy: too many wait for their password to be compared.
        """
        session = await self.sessions.of(token)
        if session is None or not session.may_change_account:
            raise Forbidden("a second factor must be given first")
        who, now = session.account, self.clock.now()
        tries = self._change_tries(who.id)
        wait = await self.tallies.count(tries)
        if wait is not None:
            return Refused(wait)
        async with self.database.house() as connection:
            await name_account(connection, who.id)
            kept = (await connection.execute(_PASSWORD, {"staff": who.id})).scalar_one_or_none()
            known = await known_of(connection, who)
        if not (await self.passwords.verify(kept, old)).right:
            async with self.database.house() as connection:
                await self._refused(connection, who.id, "password", "wrong")
            return Refused()
        await self.tallies.forgive(tries)
        why = weakness(new, known)
        if why is not None:
            return Weak(why)
        fresh = await self.passwords.hash(new)
        async with self.database.house() as connection:
            await hold_account(connection, who.id, alone=True)
            standing = await self.sessions.within(connection, token)
            if standing is None or not standing.may_change_account:
                raise Forbidden("a second factor must be given first")
            changed = {"staff": who.id, "hash": fresh, "now": now, "kept": kept}
            if (await connection.execute(_CHANGED, changed)).rowcount != 1:
                return Refused()
            await self.sessions.end_all(connection, who.id, Actor.staff(who.id), token)
            await self.log.note(connection, Act.PASSWORD_CHANGED, Actor.staff(who.id), who.id)
        return PasswordChanged()

    async def forget_tries(self, who: Account, by: Actor) -> None:
        """Let somebody try again at once whose login or second factor was tried too often."""
        login = Counted("login", who.login, self.limits.login)
        tries = (login, *self._change_tries(who.id), *self._tries_of(who.id))
        await self.tallies.clear(tries)
        await self.tallies.remember(_ANEW, who.login)
        async with self.database.house() as connection:
            await self.log.note(connection, Act.TRIES_FORGOTTEN, by, who.id)

    async def _count(self, session: StaffSession) -> Refused | None:
        wait = await self.tallies.count(self._tries_of(session.account.id))
        return None if wait is None else Refused(wait)

    async def _forgive(self, session: StaffSession) -> None:
        await self.tallies.forgive(self._tries_of(session.account.id))

    def _change_tries(self, staff: UUID) -> tuple[Counted, ...]:
        """Apart from those of signing in: whose password is being guessed must be able to change it."""
        return (Counted("change", str(staff), self.limits.login),)

    def _tries_of(self, staff: UUID) -> tuple[Counted, Counted]:
        return (
            Counted("factor", str(staff), self.limits.factor),
            Counted("factor_daily", str(staff), self.limits.factor_daily),
        )

    async def _refused(self, connection: AsyncConnection, staff: UUID | None, step: str, reason: str) -> None:
        """Put a refusal on record. One of an unknown login too, without saying which: it costs the same."""
        content: dict[str, Value] = {"step": step, "reason": reason}
        actor = NOBODY if staff is None else Actor.staff(staff)
        await self.log.note(connection, Act.REFUSED, actor, staff, content)


def _reason(found: Account | None, now: datetime, *, right: bool) -> str | None:
    """Why nobody is let in, for the record; ``None`` where they are."""
    if found is None:
        return "unknown"
    if not right:
        return "wrong"
    shut = found.shut(now)
    return None if shut is None else shut.value


async def known_of(connection: AsyncConnection, who: Account) -> list[str]:
    """What others know of an account, which no password may be made of: names of organisation and practices too."""
    rows = (await connection.execute(_KNOWN, {"organisation": who.organisation})).scalars().all()
    return [who.login, who.display_name, *rows]


#: What is remembered: from where the password of which login was right, and since when its tries count anew.
_FAMILIAR, _ANEW = "familiar", "anew"

_PASSWORD = text("SELECT password_hash FROM staff_credential WHERE staff_id = :staff")
_REHASHED = text("UPDATE staff_credential SET password_hash = :hash WHERE staff_id = :staff")
_CHANGED = text(
    "UPDATE staff_credential SET password_hash = :hash, password_set_at = :now "
    "WHERE staff_id = :staff AND password_hash = :kept"
)
_INVITED = text("SELECT max(used_at) FROM staff_invitation WHERE staff_id = :staff")
#: Of an organisation with a thousand practices the first ones: what a password is compared with is bounded.
_KNOWN = text(
    """
    (SELECT name FROM organisation WHERE id = :organisation)
    UNION ALL
    (SELECT slug FROM practice WHERE organisation_id = :organisation ORDER BY slug LIMIT 200)
    """
)
