"""The directory: which practice answers at a number, and everything public about it. House scope, read only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import JSON, Select, func, select, type_coerce
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ColumnElement

from callcenter.kernel.errors import NotFound
from callcenter.practice.facts import Entry, Fallback, PracticeFacts
from callcenter.practice.numbers import E164
from callcenter.practice.opening import Interval, Opening
from callcenter.practice.tables import directory_number, opening_hours, own_line, practice
from callcenter.practice.values import EntryKind, VoiceMode


class NoSuchPractice(NotFound):
    """There is no such practice."""


class Directory:
    """Looks up practices. Every question is one statement, for the first webhook of a call asks it."""

    @staticmethod
    async def for_number(connection: AsyncConnection, e164: str) -> Entry | None:
        """The practice that we answer for at ``e164``, or ``None`` if we serve no such number."""
        query = (
            _facts_query()
            .add_columns(directory_number.c.number, directory_number.c.entry)
            .join(directory_number, directory_number.c.practice_id == practice.c.id)
            .where(directory_number.c.number == e164)
        )
        row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else Entry(E164(row["number"]), EntryKind(row["entry"]), _facts(row))

    @staticmethod
    async def facts(connection: AsyncConnection, practice_id: UUID) -> PracticeFacts:
        """What is public about a practice.

        Raises:
            NoSuchPractice: there is none of that id.
        """
        return await _one(connection, practice.c.id == practice_id)

    @staticmethod
    async def by_slug(connection: AsyncConnection, slug: str) -> PracticeFacts:
        """The practice that staff call ``slug``.

        Raises:
            NoSuchPractice: there is none of that name.
        """
        return await _one(connection, practice.c.slug == slug)

    @staticmethod
    async def all(connection: AsyncConnection) -> list[PracticeFacts]:
        """Every practice, by name."""
        rows = (await connection.execute(_facts_query().order_by(practice.c.name))).mappings().all()
        return [_facts(row) for row in rows]

    @staticmethod
    async def all_numbers(connection: AsyncConnection) -> Mapping[E164, Fallback]:
        """Every number that we serve, with what its callers get when nothing else works (kept in memory for that)."""
        query = select(directory_number.c.number, practice.c.rescue_number).join(practice)
        rows = (await connection.execute(query)).all()
        return {E164(row.number): Fallback(E164(row.rescue_number)) for row in rows}


async def _one(connection: AsyncConnection, condition: ColumnElement[bool]) -> PracticeFacts:
    row = (await connection.execute(_facts_query().where(condition))).mappings().one_or_none()
    if row is None:
        raise NoSuchPractice
    return _facts(row)


def _facts_query() -> Select[Any]:
    """Practices, each with its hours, numbers and other lines gathered as JSON."""
    hours = opening_hours.c
    weekly = select(func.json_agg(func.json_build_array(hours.weekday, hours.opens, hours.closes))).where(
        hours.practice_id == practice.c.id
    )
    number = directory_number.alias("served").c
    numbers = select(func.json_object_agg(number.number, number.entry)).where(number.practice_id == practice.c.id)
    lines = select(func.json_agg(own_line.c.number)).where(own_line.c.practice_id == practice.c.id)
    return select(
        practice,
        type_coerce(weekly.scalar_subquery(), JSON).label("weekly"),
        type_coerce(numbers.scalar_subquery(), JSON).label("numbers"),
        type_coerce(lines.scalar_subquery(), JSON).label("lines"),
    )


def _facts(row: RowMapping) -> PracticeFacts:
    return PracticeFacts(
        id=row["id"],
        organisation_id=row["organisation_id"],
        slug=row["slug"],
        name=row["name"],
        spoken_name=row["spoken_name"],
        address=row["address"],
        access=row["access"],
        opening=Opening(ZoneInfo(row["timezone"]), _weekly(row["weekly"] or ()), row["holiday_subdivision"]),
        rescue_number=E164(row["rescue_number"]),
        closing_conduct=row["closing_conduct"],
        out_of_hours_number=row["out_of_hours_number"],
        voice=VoiceMode(row["voice"]),
        numbers={E164(number): EntryKind(entry) for number, entry in (row["numbers"] or {}).items()},
        other_lines=frozenset(E164(line) for line in row["lines"] or ()),
    )


def _weekly(rows: Sequence[Sequence[Any]]) -> Mapping[int, tuple[Interval, ...]]:
    weekly: dict[int, tuple[Interval, ...]] = {}
    for weekday, opens, closes in sorted((int(day), str(opens), str(closes)) for day, opens, closes in rows):
        weekly[weekday] = (*weekly.get(weekday, ()), (time.fromisoformat(opens), time.fromisoformat(closes)))
    return weekly
