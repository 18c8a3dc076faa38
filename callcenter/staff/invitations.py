"""Invitations: an address, good once and for a time, by which an account gets its password.

It opens nothing by itself: after the password comes a second factor, which is set up before anything else is open.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import Forbidden, NotFound
from callcenter.kernel.randomness import Random, new_token
from callcenter.staff.accounts import account, hold_account
from callcenter.staff.login import Weak, known_of
from callcenter.staff.password_rules import weakness
from callcenter.staff.passwords import Passwords
from callcenter.staff.proofs import name_account
from callcenter.staff.records import Act, Actor, HouseLog
from callcenter.staff.sessions import Sessions, Stage, mark_of
from callcenter.staff.values import Account, Refused, Shut
from callcenter.store.database import Database


class Purpose(StrEnum):
    """What an invitation is for."""

    FIRST = "first"
    RESET = "reset"


class CannotBeInvited(Forbidden):
    """The account is closed, locked or over: nobody can be invited to it."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The password holds.

    Arguments:
        token: of a session in which a second factor is set up, or given where there is one.
    """

    token: str


@dataclass(frozen=True, slots=True)
class Invitations:
    """Invites, and takes what comes of it.

    Arguments:
        life: how long an invitation is good.
    """

    database: Database
    clock: Clock
    random: Random
    passwords: Passwords
    sessions: Sessions
    log: HouseLog
    life: timedelta = timedelta(hours=72)

    async def invite(self, staff: UUID, purpose: Purpose, by: Actor) -> str:
        """The token of a fresh invitation; those before are void.

        Raises:
            NotFound: no such account.
            CannotBeInvited: the account opens nothing.
        """
        async with self.database.house() as connection:
            return await self.within(connection, staff, purpose, by)

    async def within(self, connection: AsyncConnection, staff: UUID, purpose: Purpose, by: Actor) -> str:
        """The same, in a transaction that goes on."""
        now, token = self.clock.now(), new_token(self.random)
        found = await account(connection, staff)
        if found is None:
            raise NotFound
        if found.shut(now) not in (None, Shut.NO_UNDERTAKING):  # that may be signed before the address is used
            raise CannotBeInvited
        await withdraw_invitations(connection, staff, self.clock)
        values = {
            "mark": mark_of(token),
            "staff": staff,
            "purpose": purpose.value,
            "now": now,
            "ends": now + self.life,
        }
        await connection.execute(_INVITE, values)
        await self.log.note(connection, Act.INVITED, by, staff, {"purpose": purpose.value})
        return token

    async def invited(self, token: str) -> Account | None:
        """Whom an invitation is for; ``None`` once it is used, void or too old."""
        async with self.database.house() as connection:
            staff = (
                await connection.execute(_GOOD, {"mark": mark_of(token), "now": self.clock.now()})
            ).scalar_one_or_none()
            return None if staff is None else await account(connection, staff)

    async def accept(self, token: str, password: str) -> Accepted | Weak | Refused:
        """Take the password, and use the invitation up.

        An account without an undertaking is refused (SM-02), and its invitation stays good.

        Raises:
            TooBusy: too many wait for a password to be hashed.
        """
        found = await self.invited(token)
        if found is None or found.shut(self.clock.now()) is not None:
            return Refused()
        async with self.database.house() as connection:
            known = await known_of(connection, found)
        why = weakness(password, known)
        if why is not None:
            return Weak(why)
        fresh, now = await self.passwords.hash(password), self.clock.now()
        async with self.database.house() as connection:
            await hold_account(connection, found.id, alone=True)
            standing = await account(connection, found.id)
            if standing is None or standing.shut(now) is not None:
                return Refused()
            used = await connection.execute(_USE, {"mark": mark_of(token), "now": now})
            staff = used.scalar_one_or_none()
            if staff is None:
                return Refused()
            await name_account(connection, staff)
            await connection.execute(_SET, {"staff": staff, "hash": fresh, "now": now})
            await self.sessions.end_all(connection, staff, Actor.staff(staff))
            await self.log.note(connection, Act.INVITATION_USED, Actor.staff(staff), staff)
            return Accepted(await self.sessions.begin(connection, staff, Stage.PASSWORD))


async def withdraw_invitations(connection: AsyncConnection, staff: UUID, clock: Clock) -> None:
    """Have every invitation of an account open nothing more."""
    await connection.execute(_WITHDRAW, {"staff": staff, "now": clock.now()})


_INVITE = text(
    """
    INSERT INTO staff_invitation (token_mark, staff_id, purpose, made_at, ends_at)
    VALUES (:mark, :staff, :purpose, :now, :ends)
    """
)
_GOOD = text(
    """
    SELECT staff_id FROM staff_invitation
    WHERE token_mark = :mark AND used_at IS NULL AND withdrawn_at IS NULL AND ends_at > :now
    """
)
#: Of two at once, the database lets one through.
_USE = text(
    """
    UPDATE staff_invitation SET used_at = :now
    WHERE token_mark = :mark AND used_at IS NULL AND withdrawn_at IS NULL AND ends_at > :now RETURNING staff_id
    """
)
_WITHDRAW = text(
    "UPDATE staff_invitation SET withdrawn_at = :now "
    "WHERE staff_id = :staff AND used_at IS NULL AND withdrawn_at IS NULL"
)
_SET = text("UPDATE staff_credential SET password_hash = :hash, password_set_at = :now WHERE staff_id = :staff")
