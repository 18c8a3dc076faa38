"""The telephone at which somebody of staff answers calls: private, sealed, and in no list."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.store.database import SET_ROW
from callcenter.store.sealed import NO_PRACTICE, Place, Sealer


async def keep_telephone(connection: AsyncConnection, sealer: Sealer, staff: UUID, number: str | None) -> bool:
    """Keep the telephone of ``staff``, or forget it. False for an account that was never signed in to.

    Arguments:
        number: E.164, which may be dialled; ``None`` to forget it.
    """
    await connection.execute(SET_ROW, {"row": str(staff)})
    sealed = None if number is None else sealer.seal_text(number, _place(staff))
    return (await connection.execute(_KEEP, {"staff": staff, "telephone": sealed})).one_or_none() is not None


async def telephone_of(connection: AsyncConnection, sealer: Sealer, staff: UUID) -> str | None:
    """The telephone of ``staff`` (E.164), or ``None``."""
    await connection.execute(SET_ROW, {"row": str(staff)})
    sealed = (await connection.execute(_READ, {"staff": staff})).scalar_one_or_none()
    return None if sealed is None else sealer.open_text(sealed, _place(staff))


def _place(staff: UUID) -> Place:
    return Place(NO_PRACTICE, "staff_credential", "telephone", staff)


_KEEP = text("UPDATE staff_credential SET telephone = :telephone WHERE staff_id = :staff RETURNING staff_id")
_READ = text("SELECT telephone FROM staff_credential WHERE staff_id = :staff")
