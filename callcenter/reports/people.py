"""Which practices somebody supervises, who works for them, and how colleagues are shown: house scope."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.practice.called import name_of
from callcenter.reports.values import Person, Supervised

#: Of a list that one chooses from.
MOST_PEOPLE = 200


async def supervised(connection: AsyncConnection, staff: UUID, at: datetime, today: date) -> tuple[Supervised, ...]:
    """All the practices that somebody supervises at this moment, by name.

    Arguments:
        at: aware; practices have the names of that moment.
        today: the day where the house stands.
    """
    values = {"staff": staff, "at": at, "today": today}
    rows = (await connection.execute(_SUPERVISED, values)).all()
    return tuple(Supervised(row.id, row.name) for row in rows)


async def colleagues(connection: AsyncConnection, staff: UUID) -> tuple[Person, ...]:
    """Who works for the same organisation, or has, by name."""
    rows = (await connection.execute(_COLLEAGUES, {"staff": staff, "most": MOST_PEOPLE})).all()
    return tuple(Person(row.id, row.display_name) for row in rows)


async def names_of(connection: AsyncConnection, written: Iterable[str]) -> dict[str, str]:
    """How colleagues are shown, by identifier; of what is none there is no name."""
    ids = sorted({each for each in written if _is_id(each)})
    if not ids:
        return {}
    rows = await connection.execute(_NAMES, {"ids": [UUID(each) for each in ids]})
    return {str(row.id): row.display_name for row in rows}


def _is_id(written: str) -> bool:
    try:
        return str(UUID(written)) == written
    except ValueError:
        return False


_NAMES = text("SELECT id, display_name FROM staff_account WHERE id = ANY(:ids)")
_COLLEAGUES = text(
    "SELECT id, display_name FROM staff_account "
    "WHERE organisation_id = (SELECT organisation_id FROM staff_account WHERE id = :staff) "
    "ORDER BY display_name, id LIMIT :most"
)
# As in staff.rights: an account that opens nothing supervises nothing.
_SUPERVISED = text(
    f"""
    SELECT p.id, {name_of("p")} AS name
    FROM (
        SELECT DISTINCT p.id, p.slug FROM staff_role r
        JOIN staff_account a ON a.id = r.staff_id AND a.closed_at IS NULL AND a.locked_at IS NULL
            AND (a.expires_on IS NULL OR a.expires_on >= :today) AND a.secrecy_signed_on <= :today
        JOIN portfolio f ON f.id = r.portfolio_id
        JOIN practice p ON p.organisation_id = f.organisation_id AND (f.whole OR EXISTS (
            SELECT FROM portfolio_practice m WHERE m.portfolio_id = f.id AND m.practice_id = p.id))
        WHERE r.staff_id = :staff AND r.role = 'supervisor'
    ) p
    ORDER BY name, p.id
    """  # noqa: S608 - our own words alone
)
