"""Portfolios: the practices for which roles are given together. Rights one by one would be 50 times 1,000."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.exc import IntegrityError as Clash

from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import CallcenterError, Conflict, NotFound
from callcenter.kernel.randomness import Random, new_id
from callcenter.practice.directory import NoSuchPractice
from callcenter.staff.records import Act, Actor, HouseLog
from callcenter.staff.values import Portfolio
from callcenter.store.database import Database


class NoSuchPortfolio(NotFound):
    """The organisation has no portfolio of that name: `callcenter staff portfolio list` shows them."""


class NoSuchOrganisation(NotFound):
    """No organisation has that name: `callcenter practice enrol` enrols one with its first practice."""


class PortfolioTaken(Conflict):
    """The organisation has a portfolio of that name."""


class NoName(CallcenterError):
    """The portfolio has no name: write one."""


class WholeAlready(Conflict):
    """The portfolio is every practice of the organisation: none is added to it, and none removed."""


class NotOfTheOrganisation(Conflict):
    """The practice is another organisation's: only practices that it staffs are in its portfolios."""


#: How many organisations a refusal names, at most.
NAMED = 5


@dataclass(frozen=True, slots=True)
class Portfolios:
    """Makes and fills portfolios. ``by``: who does it."""

    database: Database
    clock: Clock
    random: Random
    log: HouseLog

    async def organisation(self, name: str) -> UUID:
        """The organisation of a name.

        Raises:
            NoSuchOrganisation: there is none.
        """
        async with self.database.house() as connection:
            found: UUID | None = (await connection.execute(_ORGANISATION, {"name": name})).scalar_one_or_none()
            if found is None:
                there = (await connection.execute(_SOME_ORGANISATIONS, {"some": NAMED + 1})).scalars().all()
                raise NoSuchOrganisation(_not_among(there) if there else None)
        return found

    async def practice(self, slug: str) -> UUID:
        """The practice that staff call ``slug``, whatever else is known of it.

        Raises:
            NoSuchPractice: there is none.
        """
        async with self.database.house() as connection:
            found: UUID | None = (await connection.execute(_PRACTICE, {"slug": slug})).scalar_one_or_none()
        if found is None:
            raise NoSuchPractice(f"there is no practice « {slug} »: `callcenter practice list` shows those enrolled")
        return found

    async def create(self, organisation: UUID, name: str, by: Actor, *, whole: bool = False) -> Portfolio:
        """Make a portfolio.

        Raises:
            NoName, PortfolioTaken: it cannot be called so.
        """
        called = " ".join(name.split())
        if not called:
            raise NoName
        made = Portfolio(new_id(self.random), organisation, called, whole)
        values = {"id": made.id, "organisation": organisation, "name": called, "whole": whole}
        async with self.database.house() as connection:
            if (await connection.execute(_MAKE, values)).rowcount != 1:
                raise PortfolioTaken
            refs = [f"organisation:{organisation}"]
            await self.log.note(
                connection, Act.PORTFOLIO_MADE, by, None, {"whole": whole, "refs": refs}, stream=made.id
            )
        return made

    async def all(self) -> Sequence[tuple[str, Portfolio, int]]:
        """Every portfolio: name of its organisation, the portfolio, and how many practices are in it now."""
        async with self.database.house() as connection:
            rows = (await connection.execute(_ALL)).all()
        return [(row.organisation, _portfolio(row), row.practices) for row in rows]

    async def of(self, organisation: UUID) -> Sequence[tuple[Portfolio, int]]:
        """The portfolios of an organisation, by name, each with how many practices are in it now."""
        return [(one, practices) for _, one, practices in await self.all() if one.organisation == organisation]

    async def members(self, portfolio: Portfolio) -> Sequence[UUID]:
        """The practices that are in a portfolio by name; of one that is the whole organisation, none is."""
        async with self.database.house() as connection:
            return (await connection.execute(_MEMBERS, {"portfolio": portfolio.id})).scalars().all()

    async def called(self, organisation: UUID, name: str) -> Portfolio:
        """The portfolio of a name.

        Raises:
            NoSuchPortfolio: there is none.
        """
        values = {"organisation": organisation, "name": " ".join(name.split())}
        async with self.database.house() as connection:
            row = (await connection.execute(_CALLED, values)).one_or_none()
        if row is None:
            raise NoSuchPortfolio
        return _portfolio(row)

    async def add(self, portfolio: Portfolio, practice: UUID, by: Actor) -> bool:
        """Put a practice into a portfolio. False where it is in it.

        Raises:
            WholeAlready, NotOfTheOrganisation: it cannot be put there.
        """
        if portfolio.whole:
            raise WholeAlready
        async with self.database.house() as connection:
            try:
                async with connection.begin_nested():
                    done = (await connection.execute(_ADD, _member(portfolio, practice))).rowcount == 1
            except Clash as error:  # the schema knows both organisations
                raise NotOfTheOrganisation from error
            if done:
                refs = [f"practice:{practice}"]
                await self.log.note(connection, Act.PORTFOLIO_GAINED, by, None, {"refs": refs}, stream=portfolio.id)
        return done

    async def remove(self, portfolio: Portfolio, practice: UUID, by: Actor) -> bool:
        """Take a practice out of a portfolio. False where it is not in it.

        Raises:
            WholeAlready: none can be taken out.
        """
        if portfolio.whole:
            raise WholeAlready
        async with self.database.house() as connection:
            done = (await connection.execute(_REMOVE, _member(portfolio, practice))).rowcount == 1
            if done:
                refs = [f"practice:{practice}"]
                await self.log.note(connection, Act.PORTFOLIO_LOST, by, None, {"refs": refs}, stream=portfolio.id)
        return done


def _portfolio(row: Row[Any]) -> Portfolio:
    return Portfolio(row.id, row.organisation_id, row.name, bool(row.whole))


def _not_among(there: Sequence[str]) -> str:
    named = ", ".join(f"« {one} »" for one in there[:NAMED]) + (" and others" if len(there) > NAMED else "")
    return f"no organisation has that name; there are {named}; `callcenter practice enrol` enrols another"


def _member(portfolio: Portfolio, practice: UUID) -> dict[str, object]:
    return {"portfolio": portfolio.id, "practice": practice, "organisation": portfolio.organisation}


_ORGANISATION = text("SELECT id FROM organisation WHERE name = :name")
_SOME_ORGANISATIONS = text("SELECT name FROM organisation ORDER BY name LIMIT :some")
_PRACTICE = text("SELECT id FROM practice WHERE slug = :slug")
_MAKE = text(
    "INSERT INTO portfolio (id, organisation_id, name, whole) VALUES (:id, :organisation, :name, :whole) "
    "ON CONFLICT (organisation_id, name) DO NOTHING"
)
_CALLED = text(
    "SELECT id, organisation_id, name, whole FROM portfolio WHERE organisation_id = :organisation AND name = :name"
)
_ALL = text(
    """
    SELECT o.name AS organisation, f.id, f.organisation_id, f.name, f.whole, (
        SELECT count(*) FROM practice p WHERE p.organisation_id = f.organisation_id AND (f.whole OR EXISTS (
            SELECT FROM portfolio_practice m WHERE m.portfolio_id = f.id AND m.practice_id = p.id))
    ) AS practices
    FROM portfolio f JOIN organisation o ON o.id = f.organisation_id ORDER BY o.name, f.name
    """
)
_MEMBERS = text("SELECT practice_id FROM portfolio_practice WHERE portfolio_id = :portfolio ORDER BY practice_id")
_ADD = text(
    """
    INSERT INTO portfolio_practice (portfolio_id, practice_id, organisation_id)
    VALUES (:portfolio, :practice, :organisation) ON CONFLICT DO NOTHING
    """
)
_REMOVE = text(
    "DELETE FROM portfolio_practice WHERE portfolio_id = :portfolio AND practice_id = :practice "
    "AND organisation_id = :organisation"
)
