"""The telephone at which somebody of staff answers calls: private, sealed, and in no list."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.staff.records import Act, Actor, HouseLog
from callcenter.store.database import SET_ROW
from callcenter.store.sealed import NO_PRACTICE, Place, Sealer


@dataclass(frozen=True, slots=True)
class Telephones:
    """Keeps telephones of staff.

    Arguments:
        log: of the house; it names the account, never the number.
    """

    sealer: Sealer
    log: HouseLog

    async def keep(self, connection: AsyncConnection, staff: UUID, number: str | None, by: Actor) -> bool:
        """Keep the telephone of ``staff``, or forget it. False for an account that nobody has signed in to yet.

        Arguments:
            number: E.164, which may be dialled; ``None`` to forget it.
        """
        await connection.execute(SET_ROW, {"row": str(staff)})
        sealed = None if number is None else self.sealer.seal_text(number, _place(staff))
        kept = (await connection.execute(_KEEP, {"staff": staff, "telephone": sealed})).one_or_none() is not None
        if kept:
            await self.log.note(connection, Act.TELEPHONE_CHANGED, by, staff, {"kept": number is not None})
        return kept


async def telephone_of(connection: AsyncConnection, sealer: Sealer, staff: UUID) -> str | None:
    """The telephone of ``staff`` (E.164), or ``None``."""
    await connection.execute(SET_ROW, {"row": str(staff)})
    sealed = (await connection.execute(_READ, {"staff": staff})).scalar_one_or_none()
    return None if sealed is None else sealer.open_text(sealed, _place(staff))


def _place(staff: UUID) -> Place:
    return Place(NO_PRACTICE, "staff_credential", "telephone", staff)


_KEEP = text("UPDATE staff_credential SET telephone = :telephone WHERE staff_id = :staff RETURNING staff_id")
_READ = text("SELECT telephone FROM staff_credential WHERE staff_id = :staff")
