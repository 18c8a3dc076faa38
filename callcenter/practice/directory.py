"""The directory: which practice answers at a number, and everything public about it. House scope, read only."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.kernel.errors import IntegrityError, NotFound
from callcenter.practice.facts import Fallback, PracticeFacts
from callcenter.practice.numbers import E164
from callcenter.practice.opening import Opening
from callcenter.practice.practice_form import PracticeForm, Setting
from callcenter.practice.setting_versions import LOOKED_AHEAD, Planned, SettingVersions, Snapshot
from callcenter.practice.tables import directory_number, practice
from callcenter.practice.timetable import Stretch


class NoSuchPractice(NotFound):
    """There is no such practice."""


class Directory:
    """Looks up practices."""

    @staticmethod
    async def snapshot(
        connection: AsyncConnection,
        practice_id: UUID,
        at: datetime,
        revision: int | None = None,
        ahead: Collection[Setting] = LOOKED_AHEAD,
    ) -> Snapshot:
        """The settings of a practice at ``at`` (aware), as of ``revision`` or of the latest.

        Arguments:
            ahead: whose later values are wanted too.

        Raises:
            NoSuchPractice: there is none of that id.
        """
        snapshot = await SettingVersions.snapshot(connection, practice_id, at, revision, ahead)
        if snapshot is None:
            raise NoSuchPractice
        return snapshot

    @staticmethod
    async def facts(connection: AsyncConnection, practice_id: UUID, at: datetime) -> PracticeFacts:
        """What is public about a practice at ``at`` (aware).

        Raises:
            NoSuchPractice: there is none of that id.
        """
        return facts_of(await Directory.snapshot(connection, practice_id, at))

    @staticmethod
    async def by_slug(connection: AsyncConnection, slug: str, at: datetime) -> PracticeFacts:
        """The practice that staff call ``slug``, at ``at`` (aware).

        Raises:
            NoSuchPractice: there is none of that name.
        """
        found = (await connection.execute(select(practice.c.id).where(practice.c.slug == slug))).scalar_one_or_none()
        if found is None:
            raise NoSuchPractice(
                f"there is no practice « {slug} »: `callcenter practice list` shows those that are enrolled"
            )
        return await Directory.facts(connection, found, at)

    @staticmethod
    async def all(connection: AsyncConnection, at: datetime) -> list[PracticeFacts]:
        """Every practice at ``at`` (aware), by name."""
        practices = [facts_of(snapshot) for snapshot in await SettingVersions.snapshots(connection, at)]
        return sorted(practices, key=lambda facts: facts.name)

    @staticmethod
    async def all_numbers(connection: AsyncConnection) -> Mapping[E164, Fallback]:
        """Every number that we serve, with what its callers get when nothing else works (kept in memory for that)."""
        query = select(directory_number.c.number, practice.c.rescue_number, practice.c.slug).join(practice)
        rows = (await connection.execute(query)).all()
        return {E164(row.number): Fallback(E164(row.rescue_number), row.slug) for row in rows}


def facts_of(snapshot: Snapshot) -> PracticeFacts:
    """The practice that has these settings.

    Raises:
        IntegrityError: they were kept by another program, or changed behind our back.
    """
    try:
        facts = _read(snapshot, snapshot.written)
    except ValidationError as error:
        fields = ", ".join(sorted({str(detail["loc"][0]) for detail in error.errors() if detail["loc"]}))
        raise IntegrityError(f"the settings of practice {snapshot.slug} cannot be read: {fields}") from None
    return replace(facts, later=tuple(_stretch(snapshot, facts, planned) for planned in snapshot.ahead))


def _read(snapshot: Snapshot, written: Mapping[str, Any]) -> PracticeFacts:
    return PracticeForm.model_validate(written).facts(
        id=snapshot.practice,
        organisation_id=snapshot.organisation,
        slug=snapshot.slug,
        revision=snapshot.revision,
        instructions_revision=snapshot.revisions.get(Setting.INSTRUCTIONS, 0),
    )


def _stretch(snapshot: Snapshot, facts: PracticeFacts, planned: Planned) -> Stretch:
    """How the practice will be open and booked. What cannot be read may become another until then: it keeps nobody from
    being answered now, and nobody is promised anything for that time."""
    written = {setting: value for setting, value in snapshot.written.items() if setting not in LOOKED_AHEAD}
    try:
        then = _read(snapshot, {**written, **planned.written}).timetable.now
    except ValidationError:
        return Stretch(planned.since, Opening(facts.timezone, {}, facts.opening.holiday_subdivision))
    return replace(then, since=planned.since)
