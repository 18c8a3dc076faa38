"""The roles of the database: who owns, who serves calls, who seals, who erases.

Roles belong to a cluster, not to a database, so they are made before the first migration by whoever may create roles.
"""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.kernel.errors import Forbidden
from callcenter.store.schema import APP, OWNER, ROLES, SEALER


class NotTheOwner(Forbidden):
    """The login may not act as the owner of the tables."""


class WrongLogin(Forbidden):
    """A login is not a member of its role and nothing more: row-level security may not bind it."""


async def require_app_login(connection: AsyncConnection) -> str:
    """Who we are to the database: bound by row-level security (P5), unable to edit the ledger (P4).

    Returns the login's name.

    Raises:
        WrongLogin: it is more or less than that; the message says what to grant or to use instead.
    """
    return await _require(connection, APP, "the server")


async def require_sealer_login(connection: AsyncConnection) -> str:
    """The same of whoever seals the ledger, and neither serves nor erases (P4)."""
    return await _require(connection, SEALER, "the sealer")


async def _require(connection: AsyncConnection, role: str, whose: str) -> str:
    others = [other for other in ROLES if other != role]
    login = (await connection.execute(_LOGIN, {"role": role, "others": others})).one()
    instead = f"make a login for {whose} alone: CREATE ROLE … LOGIN PASSWORD '…' IN ROLE {role};"
    if login.unbound:
        raise WrongLogin(f"row-level security does not bind the login {login.name} (superuser or BYPASSRLS): {instead}")
    if login.makes_roles:
        raise WrongLogin(f"the login {login.name} may make roles, and so grant itself any (CREATEROLE): {instead}")
    if login.also:
        raise WrongLogin(f"the login {login.name} may also act as {', '.join(login.also)}: {instead}")
    if not login.serves:
        grant = f"run `callcenter db migrate`, then, as an administrator, GRANT {role} TO {login.quoted};"
        raise WrongLogin(f"the login {login.name} is not a member of {role}, or does not inherit its rights: {grant}")
    return str(login.name)


# The session's user, whatever role it set itself: what may be put on can be taken off. No attribute is inherited, but
# each role that a login is a member of can be put on.
_LOGIN = text(
    """
    SELECT s.rolname AS name, quote_ident(s.rolname) AS quoted, s.rolcreaterole AS makes_roles,
        EXISTS (SELECT FROM pg_roles r
                WHERE (r.rolsuper OR r.rolbypassrls) AND pg_has_role(s.oid, r.oid, 'MEMBER')) AS unbound,
        EXISTS (SELECT FROM pg_roles r WHERE r.rolname = :role AND pg_has_role(s.oid, r.oid, 'USAGE')) AS serves,
        ARRAY(SELECT r.rolname::text FROM pg_roles r
              WHERE r.rolname = ANY(cast(:others AS text[])) AND pg_has_role(s.oid, r.oid, 'MEMBER')
              ORDER BY r.rolname) AS also
    FROM pg_roles s WHERE s.rolname = session_user
    """
)


async def ensure_roles(connection: AsyncConnection, *, login: bool) -> None:
    """Make the four roles if they are missing: no superuser, no right to bypass row-level security.

    Arguments:
        connection: as a role that may create roles.
        login: they may log in without a password (the embedded server, whose socket only we reach). Elsewhere, make
            logins of your own and grant them one of these roles.

    Raises:
        NotTheOwner: it may not create them; the message says how an administrator does.
    """
    right = "LOGIN" if login else "NOLOGIN"
    for role in ROLES:
        exists = await connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role})
        if exists.one_or_none() is None:
            statement = f"CREATE ROLE {role} {right} NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS NOREPLICATION"
            try:
                await connection.execute(text(statement))
            except ProgrammingError as error:
                what = "the login may not create roles (CREATEROLE): grant it that, or, as an administrator, run"
                raise NotTheOwner(f"{what} {statement};") from error


async def become_owner(connection: AsyncConnection) -> None:
    """Go on as the owner role until the transaction ends: what is created is its own, and its policies apply.

    A login that owned the tables itself would see no row of them, silently: row-level security is forced.

    Arguments:
        connection: as a login that may grant itself the owner role, and create in the schema ``public``.

    Raises:
        NotTheOwner: it may not; the message says what to grant.
    """
    row = (await connection.execute(_STANDING, {"owner": OWNER})).one()
    if row.login == OWNER:
        return
    missing = [] if row.is_member else [f"GRANT {OWNER} TO {row.quoted}"]
    missing += [] if row.may_create else [f"GRANT USAGE, CREATE ON SCHEMA public TO {OWNER}"]
    try:
        async with connection.begin_nested():
            for statement in (*missing, f"SET LOCAL ROLE {OWNER}"):
                await connection.execute(text(statement))
    except DBAPIError as error:
        what = f"the login {row.login} cannot act as {OWNER}: as an administrator of this database, run"
        raise NotTheOwner(f"{what} {'; '.join(missing)};") from error


# From PostgreSQL 16 on, whoever makes a role is a member that may grant it, but not yet act as it.
_STANDING = text(
    "SELECT current_user AS login, quote_ident(current_user) AS quoted, pg_has_role(current_user, :owner, "
    "CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END) AS is_member, "
    "has_schema_privilege(:owner, 'public', 'CREATE') AS may_create"
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
