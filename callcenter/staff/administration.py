"""Making and changing accounts: who does it is on record, and what takes a right away ends sessions at once (AU-06)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.exc import IntegrityError as Clash
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.audit.ledger import Value
from callcenter.audit.reading import Record
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import CallcenterError, Conflict
from callcenter.kernel.randomness import Random, new_id
from callcenter.staff.accounts import (
    NoSuchAccount,
    account,
    account_called,
    accounts,
    as_login,
    grants,
    hold_account,
    roles_of_all,
)
from callcenter.staff.factors import drop_factors
from callcenter.staff.invitations import Invitations, Purpose, withdraw_invitations
from callcenter.staff.proofs import name_account
from callcenter.staff.records import Act, Actor, HouseLog, records_of
from callcenter.staff.sessions import Sessions
from callcenter.staff.values import Account, Grant, Portfolio, Role, day_of
from callcenter.store.database import Database


class LoginTaken(Conflict):
    """Somebody has that login already: logins are never given twice, choose another."""


class BadLogin(CallcenterError):
    """A login has 3 to 40 of a-z, 0-9, dot, hyphen and underscore, and begins and ends with a letter or digit."""


class BadAccount(CallcenterError):
    """A name has 1 to 80 characters, and languages are one to ten codes of two small letters, such as fr."""


class AlreadyClosed(Conflict):
    """The account is closed, for good: make another."""


class FromTomorrow(CallcenterError):
    """The undertaking is dated in the future: write the day on which it was signed."""


class OtherOrganisation(Conflict):
    """The portfolio belongs to another organisation than the account."""


#: What the schema allows (``staff_account``).
_MOST_LANGUAGES = 10


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account that is to be made.

    Arguments:
        organisation: whose staff.
        login: as it is typed.
    """

    organisation: UUID
    login: str
    display_name: str
    languages: tuple[str, ...] = ("fr",)
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class Administration:
    """Makes and changes accounts. ``by``: who does it."""

    database: Database
    clock: Clock
    random: Random
    sessions: Sessions
    invitations: Invitations
    log: HouseLog

    async def create(self, new: NewAccount, by: Actor) -> Account:
        """Make an account. It opens nothing before its undertaking is signed and its invitation used.

        Raises:
            BadLogin, BadAccount: what is not allowed.
            LoginTaken: there is one.
        """
        login, name = as_login(new.login), " ".join(new.display_name.split())
        if login is None:
            raise BadLogin
        if not 1 <= len(name) <= 80:
            raise BadAccount
        languages = _spoken(new.languages)
        made = Account(new_id(self.random), new.organisation, login, name, languages, expires_on=new.expires_on)
        values = {
            "id": made.id,
            "organisation": made.organisation,
            "login": login,
            "name": name,
            "languages": list(made.languages),
            "now": self.clock.now(),
            "expires": made.expires_on,
        }
        async with self.database.house() as connection:
            if (await connection.execute(_MAKE, values)).rowcount != 1:
                raise LoginTaken
            await name_account(connection, made.id)
            await connection.execute(_MAKE_CREDENTIAL, {"id": made.id})
            await self.log.note(connection, Act.ACCOUNT_MADE, by, made.id, _organisation(made))
        return made

    async def all(self, organisation: UUID | None = None) -> Sequence[Account]:
        """Every account, or every one of an organisation, by login."""
        async with self.database.house() as connection:
            return await accounts(connection, organisation)

    async def roles_of_all(self, organisation: UUID) -> Mapping[UUID, tuple[Role, ...]]:
        """Which roles each account of an organisation has, for whichever practices."""
        async with self.database.house() as connection:
            return await roles_of_all(connection, organisation)

    async def one(self, staff: UUID) -> Account | None:
        """The account of an identifier."""
        async with self.database.house() as connection:
            return await account(connection, staff)

    async def called(self, login: str) -> Account:
        """The account of a login.

        Raises:
            NoSuchAccount: there is none.
        """
        async with self.database.house() as connection:
            found = await account_called(connection, as_login(login) or "")
        if found is None:
            raise NoSuchAccount
        return found

    async def roles(self, staff: UUID) -> tuple[Grant, ...]:
        """The roles of an account."""
        async with self.database.house() as connection:
            return await grants(connection, staff)

    async def records(self, stream: UUID) -> list[Record]:
        """What is on record about an account or a portfolio.

        Raises:
            IntegrityError: the chain is broken.
        """
        async with self.database.house() as connection:
            return await records_of(connection, stream)

    async def grant(self, staff: Account, role: Role, portfolio: Portfolio, by: Actor) -> bool:
        """Give a role for a portfolio. False where the account has it.

        Raises:
            AlreadyClosed, OtherOrganisation: it cannot be given.
        """
        if staff.closed is not None:
            raise AlreadyClosed
        async with self.database.house() as connection:
            try:
                async with connection.begin_nested():
                    done = (await connection.execute(_GRANT, _role(staff, role, portfolio))).rowcount == 1
            except Clash as error:  # the schema knows both organisations
                raise OtherOrganisation from error
            if done:
                await self.log.note(connection, Act.ROLE_GIVEN, by, staff.id, _granted(role, portfolio))
        return done

    async def take(self, staff: Account, role: Role, portfolio: Portfolio, by: Actor) -> bool:
        """Take a role away. False where the account does not have it. Pages ask anew each time: nothing else ends."""
        async with self.database.house() as connection:
            done = (await connection.execute(_TAKE, _role(staff, role, portfolio))).rowcount == 1
            if done:
                await self.log.note(connection, Act.ROLE_TAKEN, by, staff.id, _granted(role, portfolio))
        return done

    async def lock(self, staff: UUID, by: Actor) -> bool:
        """Let nobody in by the account until it is unlocked, and end its sessions. False where it is locked."""
        async with self.database.house() as connection:
            done = (await connection.execute(_LOCK, {"id": staff, "now": self.clock.now()})).rowcount == 1
            await self.sessions.end_all(connection, staff, by)
            if done:
                await self.log.note(connection, Act.LOCKED, by, staff)
        return done

    async def unlock(self, staff: UUID, by: Actor) -> bool:
        """Let the account in again. False where it is not locked."""
        async with self.database.house() as connection:
            done = (await connection.execute(_UNLOCK, {"id": staff})).rowcount == 1
            if done:
                await self.log.note(connection, Act.UNLOCKED, by, staff)
        return done

    async def close(self, staff: UUID, by: Actor) -> bool:
        """Close the account for good: no role, nothing to sign in by, no session. False where it is closed."""
        async with self.database.house() as connection:
            done = (await connection.execute(_CLOSE, {"id": staff, "now": self.clock.now()})).rowcount == 1
            await self._drop(connection, staff, by)
            taken = (await connection.execute(_TAKE_ALL, {"id": staff})).all()
            if done:
                await self.log.note(connection, Act.CLOSED, by, staff)
            for row in taken:
                content = {"role": row.role, "refs": [f"portfolio:{row.portfolio_id}"]}
                await self.log.note(connection, Act.ROLE_TAKEN, by, staff, content)
        return done

    async def reset(self, staff: UUID, by: Actor) -> str:
        """Take away password and factors, end every session, and invite anew; returns the invitation's token.

        Never by questions about a person (AU-05): whoever does this knows whom they give the address to.

        Raises:
            CannotBeInvited: the account opens nothing.
        """
        async with self.database.house() as connection:
            await hold_account(connection, staff, alone=True)
            await self._drop(connection, staff, by)
            await self.log.note(connection, Act.FACTORS_RESET, by, staff)
            return await self.invitations.within(connection, staff, Purpose.RESET, by)

    async def _drop(self, connection: AsyncConnection, staff: UUID, by: Actor) -> None:
        await name_account(connection, staff)
        await drop_factors(connection, staff)
        await withdraw_invitations(connection, staff, self.clock)
        await self.sessions.end_all(connection, staff, by)

    async def sign(self, staff: UUID, on: date, by: Actor) -> None:
        """The undertaking of secrecy was signed on that day (SM-02).

        Raises:
            FromTomorrow: that day has not come.
        """
        if on > day_of(self.clock.now()):
            raise FromTomorrow
        await self._set(staff, _SIGN, on, Act.UNDERTAKING_SIGNED, by)

    async def trained(self, staff: UUID, until: date, by: Actor) -> None:
        """The training holds until that day, the last one."""
        await self._set(staff, _TRAIN, until, Act.TRAINED, by)

    async def expires(self, staff: UUID, on: date | None, by: Actor) -> bool:
        """The account opens nothing after that day; ``None``: without end. True where that day is over already.

        Raises:
            AlreadyClosed: it opens nothing in any case.
        """
        over = on is not None and on < day_of(self.clock.now())
        content: dict[str, Value] = {"day": None if on is None else on.isoformat()}
        async with self.database.house() as connection:
            await self._change(connection, _EXPIRE, {"id": staff, "day": on})
            if over:
                await self.sessions.end_all(connection, staff, by)
            await self.log.note(connection, Act.ACCOUNT_CHANGED, by, staff, content)
        return over

    async def speaks(self, staff: UUID, languages: Sequence[str], by: Actor) -> tuple[str, ...]:
        """The owner of the account speaks these, and calls in these alone are offered; returns each of them once.

        Raises:
            BadAccount: there is none, one is no code, or they are too many.
            AlreadyClosed: no call is offered in any case.
        """
        spoken = _spoken(languages)
        async with self.database.house() as connection:
            await self._change(connection, _SPEAK, {"id": staff, "languages": list(spoken)})
            await self.log.note(connection, Act.ACCOUNT_CHANGED, by, staff, {"languages": list(spoken)})
        return spoken

    async def reads(self, staff: UUID, language: str | None, by: Actor) -> None:
        """The owner of the account reads the pages in that language, ``fr`` or ``en``; ``None``: as the browser asks.

        Raises:
            AlreadyClosed: they read none in any case.
        """
        async with self.database.house() as connection:
            await self._change(connection, _READ, {"id": staff, "language": language})
            await self.log.note(connection, Act.ACCOUNT_CHANGED, by, staff, {"pages": language})

    async def _change(self, connection: AsyncConnection, statement: TextClause, values: dict[str, object]) -> None:
        if (await connection.execute(statement, values)).rowcount != 1:
            raise AlreadyClosed

    async def _set(self, staff: UUID, statement: TextClause, day: date, act: Act, by: Actor) -> None:
        async with self.database.house() as connection:
            await connection.execute(statement, {"id": staff, "day": day})
            await self.log.note(connection, act, by, staff, {"day": day.isoformat()})


def _spoken(languages: Sequence[str]) -> tuple[str, ...]:
    """Each language once, in that order: the first one is what they speak best.

    Raises:
        BadAccount: there is none, one is no code, or they are too many.
    """
    spoken = tuple(dict.fromkeys(languages))
    if not 1 <= len(spoken) <= _MOST_LANGUAGES or not all(_is_language(one) for one in spoken):
        raise BadAccount
    return spoken


def _is_language(code: str) -> bool:
    return len(code) == 2 and code.isascii() and code.isalpha() and code.islower()


def _organisation(made: Account) -> dict[str, Value]:
    return {"refs": [f"organisation:{made.organisation}"]}


def _granted(role: Role, portfolio: Portfolio) -> dict[str, Value]:
    return {"role": role.value, "refs": [f"portfolio:{portfolio.id}"]}


def _role(staff: Account, role: Role, portfolio: Portfolio) -> dict[str, object]:
    return {"staff": staff.id, "portfolio": portfolio.id, "role": role.value, "organisation": staff.organisation}


_MAKE = text(
    """
    INSERT INTO staff_account (id, organisation_id, login, display_name, languages, made_at, expires_on)
    VALUES (:id, :organisation, :login, :name, :languages, :now, :expires) ON CONFLICT (login) DO NOTHING
    """
)
_MAKE_CREDENTIAL = text("INSERT INTO staff_credential (staff_id) VALUES (:id)")
_GRANT = text(
    """
    INSERT INTO staff_role (staff_id, portfolio_id, role, organisation_id)
    VALUES (:staff, :portfolio, :role, :organisation) ON CONFLICT DO NOTHING
    """
)
_TAKE = text(
    "DELETE FROM staff_role WHERE staff_id = :staff AND portfolio_id = :portfolio AND role = :role "
    "AND organisation_id = :organisation"
)
_TAKE_ALL = text("DELETE FROM staff_role WHERE staff_id = :id RETURNING role, portfolio_id")
_LOCK = text("UPDATE staff_account SET locked_at = :now WHERE id = :id AND locked_at IS NULL")
_UNLOCK = text("UPDATE staff_account SET locked_at = NULL WHERE id = :id AND locked_at IS NOT NULL")
_CLOSE = text("UPDATE staff_account SET closed_at = :now WHERE id = :id AND closed_at IS NULL")
_SIGN = text("UPDATE staff_account SET secrecy_signed_on = :day WHERE id = :id")
_TRAIN = text("UPDATE staff_account SET trained_until = :day WHERE id = :id")
_EXPIRE = text("UPDATE staff_account SET expires_on = :day WHERE id = :id AND closed_at IS NULL")
_READ = text("UPDATE staff_account SET page_language = :language WHERE id = :id AND closed_at IS NULL")
_SPEAK = text("UPDATE staff_account SET languages = :languages WHERE id = :id AND closed_at IS NULL")
