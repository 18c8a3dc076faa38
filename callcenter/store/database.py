"""The database as the rooms see it: transactions in one of the two scopes.

Everything that a room does to a row goes through a :class:`Transaction`, which knows its practice, so that no
repository method can be called without one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from callcenter.kernel.errors import Forbidden, Unavailable
from callcenter.store.schema import OWNER

#: The carrier waits 15 s in all; a statement or a lock that takes longer than this has failed for the caller.
STATEMENT_TIMEOUT_MS = 5_000
LOCK_TIMEOUT_MS = 4_000
IDLE_IN_TRANSACTION_TIMEOUT_MS = 15_000

SET_PRACTICE = text("SELECT set_config('app.practice', :practice, true)")


class DatabaseDown(Unavailable):
    """The database does not answer."""


class UnboundLogin(Forbidden):
    """Row-level security does not bind the server's login."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """One transaction in practice scope: sees and writes the rows of ``practice`` alone.

    Arguments:
        connection: the open connection; statements on it are part of the transaction.
        practice: whose rows.
    """

    connection: AsyncConnection
    practice: UUID


class Database:
    """Connections to PostgreSQL as the app role.

    Arguments:
        url: SQLAlchemy URL (``postgresql+asyncpg``), logging in as a member of the app role alone.
        pool_size: connections kept open.
        application: shown in ``pg_stat_activity``.
    """

    def __init__(self, url: str, *, pool_size: int = 10, application: str = "callcenter") -> None:
        self.engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=3,
            hide_parameters=True,  # an SQL error must not carry values into a log
            connect_args={
                "timeout": 3,
                "server_settings": {
                    "application_name": application,
                    "statement_timeout": str(STATEMENT_TIMEOUT_MS),
                    "lock_timeout": str(LOCK_TIMEOUT_MS),
                    "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_TIMEOUT_MS),
                    "jit": "off",
                },
            },
        )

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()

    @asynccontextmanager
    async def house(self) -> AsyncIterator[AsyncConnection]:
        """A transaction in house scope: any practice-scope table raises in it.

        Raises:
            DatabaseDown: no connection, or it was lost.
        """
        try:
            connection = await self.engine.connect()
        except (SQLAlchemyError, OSError) as error:
            raise DatabaseDown from error
        try:
            async with connection.begin():
                yield connection
        except DBAPIError as error:
            if error.connection_invalidated or isinstance(error, OperationalError | InterfaceError):
                raise DatabaseDown from error
            raise
        finally:
            await connection.close()

    @asynccontextmanager
    async def practice(self, practice: UUID) -> AsyncIterator[Transaction]:
        """A transaction in practice scope.

        Raises:
            DatabaseDown: no connection, or it was lost.
        """
        async with self.house() as connection:
            await connection.execute(SET_PRACTICE, {"practice": str(practice)})
            yield Transaction(connection, practice)

    async def check(self) -> Mapping[str, Any]:
        """Who we are to the database, for ``doctor`` and readiness.

        Raises:
            DatabaseDown: it does not answer.
        """
        query = text(
            "SELECT current_user AS role, rolsuper OR rolbypassrls OR EXISTS (SELECT FROM pg_roles o "
            "WHERE o.rolname = :owner AND pg_has_role(current_user, o.oid, 'MEMBER')) AS sees_every_practice, "
            "current_setting('server_version_num')::int AS version, current_setting('fsync') AS fsync "
            "FROM pg_roles WHERE rolname = current_user"
        )
        async with self.house() as connection:
            return dict((await connection.execute(query, {"owner": OWNER})).mappings().one())

    async def check_login(self) -> None:
        """Refuse to work as somebody whom the policies of row-level security do not hold back.

        Raises:
            UnboundLogin: a superuser, a role with BYPASSRLS, or a member of the owner role.
            DatabaseDown: it does not answer.
        """
        facts = await self.check()
        if facts["sees_every_practice"]:
            raise UnboundLogin(
                f"the server logs in as {facts['role']}, whom row-level security does not bind: use a login that is a "
                "member of callcenter_app and nothing more"
            )
