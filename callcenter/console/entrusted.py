"""The practices that are entrusted to somebody, by portfolio, as the first page shows them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.console.ports import Part
from callcenter.practice.called import name_of

#: Practices of a portfolio that are named; of the others one is told how many there are.
NAMED = 30
#: Portfolios that are shown.
PORTFOLIOS = 50


async def parts_of(connection: AsyncConnection, staff: UUID, at: datetime) -> tuple[Part, ...]:
    """What somebody may do, and for which practices, by name of the portfolio.

    Arguments:
        at: aware; practices have the names of that moment.
    """
    values = {"staff": staff, "at": at, "named": NAMED, "portfolios": PORTFOLIOS}
    rows = (await connection.execute(_PARTS, values)).all()
    return tuple(Part(row.name, tuple(row.roles), row.whole, tuple(row.practices or ()), row.many) for row in rows)


async def organisation_name(connection: AsyncConnection, staff: UUID) -> str:
    """The name of the organisation that somebody works for."""
    return str((await connection.execute(_ORGANISATION, {"staff": staff})).scalar_one())


_PARTS = text(
    f"""
    WITH mine AS (
        SELECT f.id, f.name, f.whole, f.organisation_id, array_agg(r.role ORDER BY r.role) AS roles
        FROM staff_role r JOIN portfolio f ON f.id = r.portfolio_id
        WHERE r.staff_id = :staff
        GROUP BY f.id ORDER BY f.name LIMIT :portfolios
    )
    SELECT mine.name, mine.whole, mine.roles, counted.many, listed.practices
    FROM mine CROSS JOIN LATERAL (
        SELECT count(*) AS many FROM practice p
        WHERE p.organisation_id = mine.organisation_id AND (mine.whole OR EXISTS (
            SELECT FROM portfolio_practice m WHERE m.portfolio_id = mine.id AND m.practice_id = p.id))
    ) counted CROSS JOIN LATERAL (
        SELECT array_agg({name_of("shown")} ORDER BY shown.slug) AS practices
        FROM (
            SELECT p.id, p.slug FROM practice p
            WHERE p.organisation_id = mine.organisation_id AND (mine.whole OR EXISTS (
                SELECT FROM portfolio_practice m WHERE m.portfolio_id = mine.id AND m.practice_id = p.id))
            ORDER BY p.slug LIMIT :named
        ) shown
    ) listed
    ORDER BY mine.name
    """  # noqa: S608 - our own words alone
)

_ORGANISATION = text(
    "SELECT o.name FROM staff_account a JOIN organisation o ON o.id = a.organisation_id WHERE a.id = :staff"
)
