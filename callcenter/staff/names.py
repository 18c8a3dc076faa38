"""The names of accounts, as colleagues read them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


async def names_of(connection: AsyncConnection, staff: Collection[str]) -> Mapping[str, str]:
    """The names of accounts by their identifiers, as text; of what is no account, nothing."""
    rows = (await connection.execute(_NAMES, {"staff": list(staff)})).all()
    return {str(row.id): str(row.display_name) for row in rows}


_NAMES = text("SELECT id, display_name FROM staff_account WHERE id::text = ANY (cast(:staff AS text[]))")
