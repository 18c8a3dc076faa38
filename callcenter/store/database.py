"""The database as the rooms see it: transactions in one of the two scopes.

Everything that a room does to a row goes through a :class:`Transaction`, which knows its practice, so that no
repository method can be called without one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from callcenter.kernel.errors import Unavailable

#: The carrier waits 15 s in all; a statement or a lock that takes longer than this has failed for the caller.
STATEMENT_TIMEOUT_MS = 5_000
LOCK_TIMEOUT_MS = 4_000
IDLE_IN_TRANSACTION_TIMEOUT_MS = 15_000

SET_PRACTICE = text("SELECT set_config('app.practice', :practice, true)")
#: Names the one row of each table in row scope that the transaction may see.
SET_ROW = text("SELECT set_config('app.row', :row, true)")


#: Classes of SQLSTATE that say nothing about what was asked: connection, resources, intervention of an operator or of a
#: time-out (PostgreSQL, Appendix A). A lock that was not to be had is one alone of class 55.
_DOWN_CLASSES = frozenset({"08", "53", "57"})
_LOCK_NOT_AVAILABLE = "55P03"
_STATEMENT_CANCELLED = "57014"


class DatabaseDown(Unavailable):
    """The database does not answer."""


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
        settings: further ones of its sessions, by PostgreSQL's names.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        application: str = "callcenter",
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=3,
            pool_use_lifo=True,  # the one that was used last has prepared what is asked most
            hide_parameters=True,  # an SQL error must not carry values into a log
            connect_args={
                "timeout": 3,
                "server_settings": {
                    "application_name": application,
                    "statement_timeout": str(STATEMENT_TIMEOUT_MS),
                    "lock_timeout": str(LOCK_TIMEOUT_MS),
                    "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_TIMEOUT_MS),
                    "jit": "off",
                    **settings,
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
            DatabaseDown: no connection, or it was lost, or the server was out of time or of means.
        """
        connection = await _connect(self.engine)
        try:
            async with connection.begin():
                yield connection
        except DBAPIError as error:
            if is_down(error):
                raise DatabaseDown from error
            raise
        finally:
            await connection.close()

    @asynccontextmanager
    async def practice(self, practice: UUID) -> AsyncIterator[Transaction]:
        """A transaction in practice scope.

        Raises:
            DatabaseDown: no connection, or it was lost, or the server was out of time or of means.
        """
        async with self.house() as connection:
            yield await in_practice(connection, practice)

    async def check(self) -> Mapping[str, Any]:
        """The server's ``version`` (as a number, 180004) and whether it syncs to disk (``fsync``).

        Raises:
            DatabaseDown: it does not answer.
        """
        query = text("SELECT current_setting('server_version_num')::int AS version, current_setting('fsync') AS fsync")
        async with self.house() as connection:
            return dict((await connection.execute(query)).mappings().one())


async def in_practice(connection: AsyncConnection, practice: UUID) -> Transaction:
    """A transaction that has begun in house scope, in the scope of ``practice`` from here on."""
    await connection.execute(SET_PRACTICE, {"practice": str(practice)})
    return Transaction(connection, practice)


@asynccontextmanager
async def reached(database: Database) -> AsyncIterator[AsyncConnection]:
    """One connection for as long as the body runs, which begins and ends its transactions itself.

    Raises:
        DatabaseDown: no connection, or it was lost.
    """
    connection = await _connect(database.engine)
    try:
        yield connection
    except DBAPIError as error:
        if is_down(error):
            raise DatabaseDown from error
        raise
    finally:
        await connection.close()


@asynccontextmanager
async def single_connection(url: str) -> AsyncIterator[AsyncConnection]:
    """One transaction on a connection of its own, without bounds in time: for migrations.

    Arguments:
        url: SQLAlchemy URL (``postgresql+asyncpg``).

    Raises:
        DatabaseDown: no connection.
    """
    engine = create_async_engine(url, hide_parameters=True)
    try:
        connection = await _connect(engine)
        try:
            async with connection.begin():
                yield connection
        finally:
            await connection.close()
    finally:
        await engine.dispose()


async def _connect(engine: AsyncEngine) -> AsyncConnection:
    try:
        # A connection that is cut while it is set up fails in the driver itself, without SQLAlchemy's wrapping.
        return await engine.connect()
    except (SQLAlchemyError, OSError, asyncpg.InterfaceError) as error:
        raise DatabaseDown(_unreachable(error)) from error


def is_down(error: DBAPIError) -> bool:
    """Whether ``error`` says that the database cannot serve now, rather than that what was asked of it is wrong."""
    if error.connection_invalidated or isinstance(error, OperationalError | InterfaceError):
        return True
    return _sqlstate(error)[:2] in _DOWN_CLASSES or is_lock_timeout(error)


def is_lock_timeout(error: DBAPIError) -> bool:
    """Whether ``error`` says that a lock was not to be had in time."""
    return _sqlstate(error) == _LOCK_NOT_AVAILABLE


def is_timeout(error: DBAPIError) -> bool:
    """Whether ``error`` says that a statement took too long, or a lock was not to be had in time: the session goes on,
    and what is asked of other rows may well be answered."""
    return _sqlstate(error) in (_STATEMENT_CANCELLED, _LOCK_NOT_AVAILABLE)


def _sqlstate(error: BaseException) -> str:
    """The five characters that PostgreSQL gave, or an empty text."""
    return str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")


def _unreachable(error: Exception) -> str:
    """Why there is no connection, and what to do about it; nothing of the address, which may hold a password."""
    match _sqlstate(error)[:2]:
        case "28":
            return "The database refuses the login: check its name and password, and pg_hba.conf of the server."
        case "3D":
            return "The database server has no database of that name: correct the URL, or make the database."
        case "53":
            return "The database has no connection left: raise max_connections, or lower database.pool."
        case "57":
            return "The database is starting or stopping: wait, or look at its log."
    if isinstance(error, OSError):
        return "The database does not answer: start PostgreSQL, or correct host and port in its URL."
    return "The database does not answer."
