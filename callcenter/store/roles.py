"""The roles of the database: who owns, who serves calls, who seals, who erases.

Roles belong to a cluster, not to a database, so they are made before the first migration by whoever may create roles.
"""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.store.schema import OWNER, ROLES


async def ensure_roles(connection: AsyncConnection, *, login: bool) -> None:
    """Make the four roles if they are missing: no superuser, no right to bypass row-level security.

    Arguments:
        connection: as a role that may create roles.
        login: they may log in without a password (the embedded server, whose socket only we reach). Elsewhere, make
            logins of your own and grant them one of these roles.
    """
    right = "LOGIN" if login else "NOLOGIN"
    for role in ROLES:
        exists = await connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role})
        if exists.one_or_none() is None:
            await connection.execute(
                text(f"CREATE ROLE {role} {right} NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS NOREPLICATION")
            )


async def create_database(connection: AsyncConnection, name: str, *, template: str | None = None) -> None:
    """Make a database that the owner role owns, if there is none of that name.

    Arguments:
        connection: in autocommit, as a role that may create databases.
        name, template: plain lower-case names (``[a-z0-9_]``).
    """
    exists = await connection.execute(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name})
    if exists.one_or_none() is None:
        source = f" TEMPLATE {template}" if template else ""
        await connection.execute(text(f"CREATE DATABASE {name} OWNER {OWNER}{source}"))
