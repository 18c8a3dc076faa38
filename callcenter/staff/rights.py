"""Who may do what for which practice: answered by the database, as it stands at the moment of asking.

An account that opens nothing has no right, and a practice that another organisation has taken over is in no portfolio.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import NotFound
from callcenter.staff.values import Account, Role, day_of
from callcenter.store.database import Database


class NotTheirs(NotFound):
    """There is none, or it is another's: the two are told in the same words."""


@dataclass(frozen=True, slots=True)
class Rights:
    """Answers from the database."""

    database: Database
    clock: Clock

    async def may(self, account: Account, role: Role, practice: UUID) -> bool:
        """Whether the account has this role for this practice."""
        async with self.database.house() as connection:
            return await may(connection, account.id, role, practice, day_of(self.clock.now()))

    async def practices(self, account: Account, role: Role | None = None, *, limit: int = 5_000) -> Sequence[UUID]:
        """The practices for which the account has this role, or any."""
        values = {
            "staff": account.id,
            "role": None if role is None else role.value,
            "today": day_of(self.clock.now()),
            "limit": limit,
        }
        async with self.database.house() as connection:
            return (await connection.execute(_PRACTICES, values)).scalars().all()


async def may(connection: AsyncConnection, staff: UUID, role: Role, practice: UUID, today: date) -> bool:
    """The same, in a transaction that goes on.

    Arguments:
        today: the day where the house stands (``staff.values.day_of``).
    """
    values = {"staff": staff, "role": role.value, "practice": practice, "today": today}
    return bool((await connection.execute(_MAY, values)).scalar_one())


async def names_of(
    connection: AsyncConnection, role: Role, practice: UUID, today: date, *, limit: int
) -> Sequence[str]:
    """Display names of those who have a role for a practice, as colleagues are shown them; the first of them."""
    values = {"role": role.value, "practice": practice, "today": today, "limit": limit}
    return (await connection.execute(_NAMES, values)).scalars().all()


_REACHED = """
    FROM staff_role r
    JOIN staff_account a ON a.id = r.staff_id AND a.closed_at IS NULL AND a.locked_at IS NULL
        AND (a.expires_on IS NULL OR a.expires_on >= :today) AND a.secrecy_signed_on <= :today
    JOIN portfolio f ON f.id = r.portfolio_id
    JOIN practice p ON p.organisation_id = f.organisation_id AND (f.whole OR EXISTS (
        SELECT FROM portfolio_practice m WHERE m.portfolio_id = f.id AND m.practice_id = p.id))
"""
_MAY = text(f"SELECT EXISTS (SELECT {_REACHED} WHERE r.staff_id = :staff AND r.role = :role AND p.id = :practice)")
_NAMES = text(
    f"SELECT DISTINCT a.display_name {_REACHED} WHERE r.role = :role AND p.id = :practice ORDER BY 1 LIMIT :limit"
)
_PRACTICES = text(
    f"SELECT DISTINCT p.id {_REACHED} WHERE r.staff_id = :staff "
    "AND (cast(:role AS text) IS NULL OR r.role = :role) ORDER BY p.id LIMIT :limit"
)
