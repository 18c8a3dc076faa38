"""An account's second factors: adding, listing, removing. Each change asks for one that was given just now.

An account without any may set up its first one by an invitation's session, and do nothing else with it; that session
then rises. The last factor cannot be removed: somebody would be left with a password alone (AU-02).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import pyotp
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import Conflict, Forbidden
from callcenter.kernel.randomness import Random, new_id
from callcenter.staff.accounts import hold_account
from callcenter.staff.passkeys import MOST_KEYS, Ceremony, Passkey, Passkeys
from callcenter.staff.proofs import (
    DIGITS,
    STEP_SECONDS,
    Held,
    Proofs,
    held,
    lock_factors,
    name_account,
    new_secret,
    right_step,
)
from callcenter.staff.records import Act, Actor, HouseLog
from callcenter.staff.sessions import Sessions, StaffSession, Stage
from callcenter.staff.values import Factor, Refused
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer

LONGEST_LABEL = 60


class TooManyKeys(Conflict):
    """The account has as many keys as it may have: remove one first."""


class Removed(StrEnum):
    """What became of a factor that was to be removed."""

    DONE = "done"
    #: It is the only one: add another first.
    LAST = "last"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Added:
    """A factor was added.

    Arguments:
        token: of the session from now on; the one before opens nothing more if it was the first factor.
    """

    token: str


@dataclass(frozen=True, slots=True)
class Factors:
    """Changes second factors. Tokens are of the session in which it is done."""

    database: Database
    sealer: Sealer
    clock: Clock
    random: Random
    sessions: Sessions
    proofs: Proofs
    passkeys_of: Passkeys
    log: HouseLog

    async def held(self, staff: UUID) -> Held:
        """What an account has beside its password."""
        async with self.database.house() as connection:
            await name_account(connection, staff)
            return await held(connection, staff)

    async def begin_totp(self, staff: UUID) -> tuple[str, str]:
        """A fresh secret for an application: in base 32, and as ``otpauth://``. It opens nothing until confirmed."""
        secret = new_secret(self.random)
        async with self.database.house() as connection:
            await name_account(connection, staff)
            sealed = self.sealer.seal_text(secret, self.proofs.totp_place(staff, pending=True))
            row = (await connection.execute(_PENDING, {"staff": staff, "secret": sealed})).one()
        totp = pyotp.TOTP(secret, digits=DIGITS, interval=STEP_SECONDS)
        return secret, totp.provisioning_uri(name=row.login, issuer_name="callcenter")

    async def confirm_totp(self, staff: UUID, code: str, *, token: str) -> Added | Refused:
        """Keep the secret that was shown last, once ``code`` shows that the application has it.

        Raises:
            Forbidden: the session may not change this account.
        """
        now = self.clock.now()
        async with self.database.house() as connection:
            session, has = await self._changing(connection, token, staff)
            sealed = (await connection.execute(_PENDING_OF, {"staff": staff})).scalar_one_or_none()
            if sealed is None:
                return Refused()
            secret = self.sealer.open_text(sealed, self.proofs.totp_place(staff, pending=True))
            step = right_step(secret, code, now)
            if step is None:
                return Refused()
            kept = self.sealer.seal_text(secret, self.proofs.totp_place(staff))
            # The code that confirms is used up by it.
            await connection.execute(_CONFIRM, {"staff": staff, "secret": kept, "now": now, "step": step})
            return await self._added(connection, session, has, token, Factor.TOTP)

    async def passkey_registration(self, token: str) -> str:
        """What a browser needs to make a key, as JSON.

        Raises:
            Forbidden: the session may not change its account.
            TooManyKeys: the account has enough.
        """
        async with self.database.house() as connection:
            session, has = await self._changing(connection, token)
            _bounded(has)
            challenge = await self.sessions.challenge(connection, token, Ceremony.REGISTRATION)
            return await self.passkeys_of.new_options(connection, session.account, challenge)

    async def add_passkey(self, token: str, response: str, label: str) -> Added | Refused:
        """Keep the key that a browser has made, under the name that its owner gives it.

        Raises:
            Forbidden: the session may not change its account.
            TooManyKeys: the account has enough.
        """
        called = " ".join(label.split())[:LONGEST_LABEL].strip() or "passkey"
        async with self.database.house() as connection:
            session, has = await self._changing(connection, token)
            _bounded(has)
            challenge = await self.sessions.take_challenge(connection, token, Ceremony.REGISTRATION)
            key = None if challenge is None else self.passkeys_of.new_key(challenge, response)
            if key is None:
                return Refused()
            staff, passkey = session.account.id, new_id(self.random)
            if not await self.passkeys_of.add(connection, passkey, staff, key, called, self.clock.now()):
                return Refused()
            return await self._added(connection, session, has, token, Factor.PASSKEY, passkey)

    async def passkeys(self, staff: UUID) -> list[Passkey]:
        """The keys of an account, oldest first."""
        async with self.database.house() as connection:
            await name_account(connection, staff)
            return await self.passkeys_of.listed(connection, staff)

    async def remove_passkey(self, staff: UUID, passkey: UUID, *, token: str) -> Removed:
        """Take a key away, unless it is the last factor.

        Raises:
            Forbidden: the session may not change this account.
        """
        async with self.database.house() as connection:
            _, has = await self._changing(connection, token, staff)
            if has.totp_since is None and has.passkeys < 2:
                known = passkey in {one.id for one in await self.passkeys_of.listed(connection, staff)}
                return Removed.LAST if known else Removed.UNKNOWN
            if not await self.passkeys_of.remove(connection, staff, passkey):
                return Removed.UNKNOWN
            await self._noted(connection, Act.FACTOR_REMOVED, staff, Factor.PASSKEY, passkey)
            return Removed.DONE

    async def new_recovery_codes(self, staff: UUID, *, token: str) -> list[str]:
        """Ten fresh printed codes, which are told this once; those before are void.

        Raises:
            Forbidden: the session may not change this account.
        """
        async with self.database.house() as connection:
            session, _ = await self._changing(connection, token, staff)
            if not session.is_full:
                raise Forbidden("a second factor must be set up first")
            codes = await self.proofs.print_codes(connection, staff)
            await self._noted(connection, Act.FACTOR_ADDED, staff, Factor.RECOVERY)
        return codes

    async def _changing(
        self, connection: AsyncConnection, token: str, staff: UUID | None = None
    ) -> tuple[StaffSession, Held]:
        """The session that may change its account's factors now, and what the account has, kept from others."""
        whose = await self.sessions.owner(connection, token)
        if whose is not None:
            await hold_account(connection, whose)
        session = await self.sessions.within(connection, token)
        if session is None or (staff is not None and session.account.id != staff):
            raise Forbidden("the session is over")
        has = await lock_factors(connection, session.account.id)
        # Asked after the lock: an account that another session has just given a factor is not enrolling any more.
        enrolling = session.stage is Stage.PASSWORD and not has.factors
        if not (enrolling or session.may_change_account):
            raise Forbidden("a second factor must be given first")
        return session, has

    async def _added(
        self,
        connection: AsyncConnection,
        session: StaffSession,
        had: Held,
        token: str,
        factor: Factor,
        passkey: UUID | None = None,
    ) -> Added:
        staff = session.account.id
        if had.factors or session.is_full:
            await self._noted(connection, Act.FACTOR_ADDED, staff, factor, passkey)
            return Added(token)
        risen = await self.sessions.begin(connection, staff, Stage.FULL, instead_of=token, stepped_up=True)
        await self._noted(connection, Act.FACTOR_ADDED, staff, factor, passkey)
        await self.log.note(connection, Act.SIGNED_IN, Actor.staff(staff), staff, {"factor": factor.value})
        return Added(risen)

    async def _noted(
        self, connection: AsyncConnection, act: Act, staff: UUID, factor: Factor, passkey: UUID | None = None
    ) -> None:
        refs = [] if passkey is None else [f"staff_passkey:{passkey}"]
        await self.log.note(connection, act, Actor.staff(staff), staff, {"factor": factor.value, "refs": refs})


async def drop_factors(connection: AsyncConnection, staff: UUID) -> None:
    """Take away everything that an account signs in by; in a transaction that has named it."""
    await lock_factors(connection, staff)
    for statement in (_NO_CREDENTIAL, _NO_KEYS, _NO_CODES):
        await connection.execute(statement, {"staff": staff})


def _bounded(has: Held) -> None:
    if has.passkeys >= MOST_KEYS:
        raise TooManyKeys


_PENDING = text(
    """
    UPDATE staff_credential c SET totp_pending = :secret FROM staff_account a
    WHERE c.staff_id = :staff AND a.id = c.staff_id RETURNING a.login
    """
)
_PENDING_OF = text("SELECT totp_pending FROM staff_credential WHERE staff_id = :staff")
_CONFIRM = text(
    """
    UPDATE staff_credential SET totp = :secret, totp_confirmed_at = :now, totp_step = :step, totp_pending = NULL
    WHERE staff_id = :staff
    """
)
_NO_CREDENTIAL = text(
    """
    UPDATE staff_credential SET password_hash = NULL, password_set_at = NULL, totp = NULL, totp_confirmed_at = NULL,
        totp_pending = NULL
    WHERE staff_id = :staff
    """
)
_NO_KEYS = text("DELETE FROM staff_passkey WHERE staff_id = :staff")
_NO_CODES = text("DELETE FROM staff_recovery_code WHERE staff_id = :staff")
