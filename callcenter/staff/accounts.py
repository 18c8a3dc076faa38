"""Accounts as they stand in the database."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.kernel.errors import NotFound
from callcenter.staff.values import Account, Grant, Portfolio, Role

#: What the schema allows (``staff_account``).
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,38}[a-z0-9]")


class NoSuchAccount(NotFound):
    """No account has that login: `callcenter staff list` shows them."""


def as_login(written: str) -> str | None:
    """A login as it stands on file, however it was typed; ``None`` for what can be none."""
    plain = written.strip().lower() if len(written) <= 200 else ""
    return plain if _LOGIN.fullmatch(plain) else None


async def account_called(connection: AsyncConnection, login: str) -> Account | None:
    """The account of a login, as :func:`as_login` has it."""
    row = (await connection.execute(_BY_LOGIN, {"login": login})).one_or_none()
    return None if row is None else account_of(row)


async def account(connection: AsyncConnection, staff: UUID) -> Account | None:
    """The account of an identifier."""
    row = (await connection.execute(_BY_ID, {"id": staff})).one_or_none()
    return None if row is None else account_of(row)


async def hold_account(connection: AsyncConnection, staff: UUID, *, alone: bool = False) -> None:
    """Have whoever changes what the account opens wait for this transaction, or be waited for.

    It comes before anything else of an account is locked, so that nobody waits for one another in a circle: then its
    factors, its sessions, its records.

    Arguments:
        alone: have every other transaction wait that holds the account.
    """
    await connection.execute(_HOLD_ALONE if alone else _HOLD, {"id": staff})


async def accounts(connection: AsyncConnection, organisation: UUID | None = None) -> Sequence[Account]:
    """Every account, or every one of an organisation, by login."""
    return [account_of(row) for row in (await connection.execute(_ALL, {"organisation": organisation})).all()]


async def roles_of_all(connection: AsyncConnection, organisation: UUID) -> Mapping[UUID, tuple[Role, ...]]:
    """Which roles each account of an organisation has, for whichever practices."""
    rows = (await connection.execute(_ROLES, {"organisation": organisation})).all()
    return {row.staff_id: tuple(Role(role) for role in row.roles) for row in rows}


async def grants(connection: AsyncConnection, staff: UUID) -> tuple[Grant, ...]:
    """The roles of an account, each with its portfolio."""
    rows = (await connection.execute(_GRANTS, {"staff": staff})).all()
    return tuple(
        Grant(Role(row.role), Portfolio(row.id, row.organisation_id, row.name, bool(row.whole))) for row in rows
    )


def account_of(row: Row[Any]) -> Account:
    """An account from a row that has its columns."""
    return Account(
        id=row.id,
        organisation=row.organisation_id,
        login=row.login,
        display_name=row.display_name,
        languages=tuple(row.languages),
        locked=row.locked_at,
        closed=row.closed_at,
        expires_on=row.expires_on,
        secrecy_signed_on=row.secrecy_signed_on,
        trained_until=row.trained_until,
        page_language=row.page_language,
    )


_COLUMNS = (
    "a.id, a.organisation_id, a.login, a.display_name, a.languages, a.locked_at, a.closed_at, a.expires_on, "
    "a.secrecy_signed_on, a.trained_until, a.page_language"
)
_BY_LOGIN = text(f"SELECT {_COLUMNS} FROM staff_account a WHERE a.login = :login")  # noqa: S608 - our own columns
_BY_ID = text(f"SELECT {_COLUMNS} FROM staff_account a WHERE a.id = :id")  # noqa: S608 - our own columns
_HOLD = text("SELECT 1 FROM staff_account WHERE id = :id FOR SHARE")
_HOLD_ALONE = text("SELECT 1 FROM staff_account WHERE id = :id FOR NO KEY UPDATE")
_ALL = text(
    f"SELECT {_COLUMNS} FROM staff_account a "  # noqa: S608 - our own columns
    "WHERE cast(:organisation AS uuid) IS NULL OR a.organisation_id = :organisation ORDER BY a.login"
)
_ROLES = text(
    "SELECT staff_id, array_agg(DISTINCT role ORDER BY role) AS roles FROM staff_role "
    "WHERE organisation_id = :organisation GROUP BY staff_id"
)
_GRANTS = text(
    """
    SELECT r.role, f.id, f.organisation_id, f.name, f.whole FROM staff_role r JOIN portfolio f ON f.id = r.portfolio_id
    WHERE r.staff_id = :staff ORDER BY f.name, r.role
    """
)
