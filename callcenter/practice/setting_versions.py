"""The settings of practices in time: every change is a version, and none is ever overwritten.

A change makes one *revision* of a practice's settings. A version holds from a moment, perhaps until one; of those that
hold at a moment, the latest made counts. So this week's hours lie over the usual ones, which show again afterwards.
What a call began with is a revision and a moment: any worker reads the same from them at any time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.kernel.errors import CallcenterError
from callcenter.practice.practice_form import Setting
from callcenter.practice.tables import setting_version

#: Since when the first settings of a practice hold.
EVER = datetime(1970, 1, 1, tzinfo=UTC)

#: What is asked of days to come: when it is open, who answers, who can be booked.
LOOKED_AHEAD = frozenset(
    {
        *(Setting.HOURS, Setting.RECEPTION, Setting.HOLIDAY_SUBDIVISION, Setting.TIMEZONE),
        *(Setting.BOOKING, Setting.AGENDA),
    }
)


class NothingToWithdraw(CallcenterError):
    """No version of that setting was made by that revision, or it has been withdrawn already."""


@dataclass(frozen=True, slots=True)
class Period:
    """From when until when a version holds.

    Arguments:
        begins: aware.
        ends: aware, excluded; ``None`` for an open end.
    """

    begins: datetime
    ends: datetime | None = None


#: Characters of an author's name, and of a note.
LONGEST_NAME, LONGEST_NOTE = 120, 500


class UnusableAuthor(CallcenterError):
    """A change cannot go on record as its author gives it."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes settings, and when.

    Arguments:
        by: an opaque account name.
        at: aware.
        note: why, for whoever reads the history; never about a patient.

    Raises:
        UnusableAuthor: nobody is named, or name or note is too long to be kept.
    """

    by: str
    at: datetime
    note: str = ""

    def __post_init__(self) -> None:
        if not self.by.strip() or len(self.by) > LONGEST_NAME:
            raise UnusableAuthor(f"say who changes it, in 1 to {LONGEST_NAME} characters: --by NAME")
        if len(self.note) > LONGEST_NOTE:
            raise UnusableAuthor(f"the note is longer than {LONGEST_NOTE} characters: shorten --note")


@dataclass(frozen=True, slots=True)
class Version:
    """One version of one setting.

    Arguments:
        value: as written; JSON.
        withdrawn: revision by which it was taken back, or ``None``.
    """

    setting: Setting
    revision: int
    value: Any
    period: Period
    author: Author
    withdrawn: int | None


@dataclass(frozen=True, slots=True)
class Planned:
    """What some settings will say from a moment on, without any further change.

    Arguments:
        since: aware.
        written: by setting, as written; a setting that nothing will hold of then is left out.
    """

    since: datetime
    written: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The settings of a practice at one moment.

    Arguments:
        written: by setting, as written.
        revisions: by setting, the revision that made the version which shows.
        until: when this may change by itself, or ``None``.
        ahead: what :data:`LOOKED_AHEAD`, or whatever else was asked for, will say later, in order of time.
    """

    practice: UUID
    organisation: UUID
    slug: str
    revision: int
    written: Mapping[str, Any]
    until: datetime | None
    revisions: Mapping[str, int] = field(default_factory=dict)
    ahead: tuple[Planned, ...] = ()


@dataclass(frozen=True, slots=True)
class Layer:
    """A value that shows, or will show once the one that lies over it has ended.

    Arguments:
        value: as written; JSON.
        ends: aware, excluded; ``None`` for an open end.
    """

    value: Any
    ends: datetime | None


class SettingVersions:
    """Reads and adds versions. House scope: they are public."""

    @staticmethod
    async def snapshot(
        connection: AsyncConnection,
        practice: UUID,
        at: datetime,
        revision: int | None = None,
        ahead: Collection[Setting] = LOOKED_AHEAD,
    ) -> Snapshot | None:
        """The settings of ``practice`` at ``at`` (aware) as of ``revision``, by default the latest; ``None`` if there
        is no such practice.

        Arguments:
            ahead: whose later values are wanted too.
        """
        values = {"practice": practice, "revision": revision, "at": at, "ahead": sorted(ahead)}
        row = (await connection.execute(_SNAPSHOT, values)).one_or_none()
        return None if row is None else _snapshot(row)

    @staticmethod
    async def snapshots(connection: AsyncConnection, at: datetime) -> Sequence[Snapshot]:
        """The settings of every practice at ``at`` (aware)."""
        values = {"revision": None, "at": at, "ahead": sorted(LOOKED_AHEAD)}
        return [_snapshot(row) for row in await connection.execute(_ALL, values)]

    @staticmethod
    async def layers(
        connection: AsyncConnection, practice: UUID, at: datetime, revision: int
    ) -> Mapping[Setting, Sequence[Layer]]:
        """What each setting of ``practice`` says at ``at`` (aware) as of ``revision``, and under it what it will say
        later without any change: from the undermost, which has an open end, to the one that shows."""
        layers: dict[Setting, list[Layer]] = {}
        values = {"practice": practice, "revision": revision, "at": at}
        for row in await connection.execute(_STANDING, values):  # the latest made first
            lying = layers.setdefault(Setting(row.setting), [])
            over = lying[-1].ends if lying else at
            if over is not None and (row.effective_to is None or row.effective_to > over):
                lying.append(Layer(row.value, row.effective_to))
        return {setting: lying[::-1] for setting, lying in layers.items()}

    @staticmethod
    async def everywhere(connection: AsyncConnection, setting: Setting, at: datetime) -> Mapping[UUID, Any]:
        """What one setting says in every practice that has it, at ``at`` (aware), as written: a fraction of the work
        of :meth:`snapshots`."""
        rows = await connection.execute(_EVERYWHERE, {"setting": setting.value, "at": at})
        return {row.id: row.value for row in rows}

    @staticmethod
    async def touched(connection: AsyncConnection, practice: UUID) -> Mapping[Setting, int]:
        """By which revision each setting of ``practice`` was changed last, a version of it made or taken back."""
        rows = await connection.execute(_TOUCHED, {"practice": practice})
        return {Setting(row.setting): row.revision for row in rows}

    @staticmethod
    async def next_revision(connection: AsyncConnection, practice: UUID) -> int:
        """Begin a change: the number of its revision. Changes of one practice wait for each other from here on."""
        return int((await connection.execute(_NEXT, {"practice": practice})).scalar_one())

    @staticmethod
    async def add(
        connection: AsyncConnection,
        practice: UUID,
        revision: int,
        values: Mapping[Setting, Any],
        period: Period,
        author: Author,
    ) -> None:
        """Add a version of each setting in ``values``, all of one revision."""
        rows = [
            {
                "practice_id": practice,
                "revision": revision,
                "setting": setting.value,
                "value": value,
                "effective_from": period.begins,
                "effective_to": period.ends,
                "made_at": author.at,
                "made_by": author.by,
                "note": author.note,
            }
            for setting, value in values.items()
        ]
        if rows:
            await connection.execute(insert(setting_version), rows)

    @staticmethod
    async def withdraw(connection: AsyncConnection, practice: UUID, revision: int, setting: Setting, of: int) -> None:
        """Take back the version of ``setting`` that revision ``of`` made, by ``revision``.

        Raises:
            NothingToWithdraw: there is none that stands.
        """
        values = {"practice": practice, "revision": revision, "setting": setting.value, "of": of}
        if (await connection.execute(_WITHDRAW, values)).one_or_none() is None:
            raise NothingToWithdraw

    @staticmethod
    async def set_by_others(connection: AsyncConnection, practice: UUID, by: str) -> frozenset[Setting]:
        """The settings of ``practice`` of which anybody but ``by`` has made a version."""
        rows = await connection.execute(_BY_OTHERS, {"practice": practice, "by": by})
        return frozenset(Setting(row.setting) for row in rows)

    @staticmethod
    async def history(
        connection: AsyncConnection, practice: UUID, setting: Setting | None = None, limit: int = 50
    ) -> Sequence[Version]:
        """The versions of ``practice``, or of one of its settings, latest first, at most ``limit``."""
        values = {"practice": practice, "setting": setting.value if setting else None, "limit": limit}
        return [_version(row) for row in await connection.execute(_HISTORY, values)]

    @staticmethod
    async def coming(connection: AsyncConnection, practice: UUID, at: datetime, limit: int = 50) -> Sequence[Version]:
        """The versions of ``practice`` that begin after ``at`` (aware), the first of them first, at most ``limit``."""
        values = {"practice": practice, "at": at, "limit": limit}
        return [_version(row) for row in await connection.execute(_COMING, values)]


def _version(row: Row[Any]) -> Version:
    return Version(
        Setting(row.setting),
        row.revision,
        row.value,
        Period(row.effective_from, row.effective_to),
        Author(row.made_by, row.made_at, row.note),
        row.withdrawn_revision,
    )


def _snapshot(row: Row[Any]) -> Snapshot:
    written, revisions = row.written or {}, row.revisions or {}
    ahead: list[Planned] = []
    for one in row.ahead or ():
        said = one["written"] or {}
        if not ahead or ahead[-1].written != said:  # an end of what another lies over changes nothing
            ahead.append(Planned(datetime.fromisoformat(one["since"]), said))
    return Snapshot(row.id, row.organisation_id, row.slug, row.revision, written, row.until, revisions, tuple(ahead))


_SNAPSHOTS = """
    WITH p AS (
        SELECT id, organisation_id, slug, coalesce(CAST(:revision AS bigint), revision) AS revision
        FROM practice {where}
    )
    SELECT p.*, standing.written, standing.revisions, bounds.until, planned.ahead FROM p
    LEFT JOIN LATERAL (
        SELECT json_object_agg(setting, value) AS written, json_object_agg(setting, revision) AS revisions FROM (
            SELECT DISTINCT ON (v.setting) v.setting, v.value, v.revision FROM setting_version v
            WHERE v.practice_id = p.id AND v.revision <= p.revision
              AND (v.withdrawn_revision IS NULL OR v.withdrawn_revision > p.revision)
              AND v.effective_from <= :at AND (v.effective_to IS NULL OR v.effective_to > :at)
            ORDER BY v.setting, v.revision DESC
        ) AS latest
    ) AS standing ON true
    LEFT JOIN LATERAL (
        SELECT min(bound) AS until FROM setting_version v
        CROSS JOIN LATERAL (VALUES (v.effective_from), (v.effective_to)) AS both_ends (bound)
        WHERE v.practice_id = p.id AND v.revision <= p.revision AND bound > :at
          AND (v.withdrawn_revision IS NULL OR v.withdrawn_revision > p.revision)
    ) AS bounds ON true
    LEFT JOIN LATERAL (
        SELECT json_agg(json_build_object('since', later.since, 'written', said.written) ORDER BY later.since) AS ahead
        FROM (
            SELECT DISTINCT bound AS since FROM setting_version v
            CROSS JOIN LATERAL (VALUES (v.effective_from), (v.effective_to)) AS both_ends (bound)
            WHERE v.practice_id = p.id AND v.revision <= p.revision AND bound > :at
              AND (v.withdrawn_revision IS NULL OR v.withdrawn_revision > p.revision)
              AND v.setting = ANY(CAST(:ahead AS text[]))
        ) AS later
        CROSS JOIN LATERAL (
            SELECT json_object_agg(setting, value) AS written FROM (
                SELECT DISTINCT ON (v.setting) v.setting, v.value FROM setting_version v
                WHERE v.practice_id = p.id AND v.revision <= p.revision
                  AND (v.withdrawn_revision IS NULL OR v.withdrawn_revision > p.revision)
                  AND v.setting = ANY(CAST(:ahead AS text[]))
                  AND v.effective_from <= later.since AND (v.effective_to IS NULL OR v.effective_to > later.since)
                ORDER BY v.setting, v.revision DESC
            ) AS latest
        ) AS said
    ) AS planned ON true
"""
_SNAPSHOT, _ALL = text(_SNAPSHOTS.format(where="WHERE id = :practice")), text(_SNAPSHOTS.format(where=""))

_EVERYWHERE = text(
    """
    SELECT p.id, standing.value FROM practice p
    CROSS JOIN LATERAL (
        SELECT v.value FROM setting_version v
        WHERE v.practice_id = p.id AND v.setting = :setting AND v.revision <= p.revision
          AND v.withdrawn_revision IS NULL
          AND v.effective_from <= :at AND (v.effective_to IS NULL OR v.effective_to > :at)
        ORDER BY v.revision DESC LIMIT 1
    ) AS standing
    """
)

_STANDING = text(
    """
    SELECT setting, value, effective_to FROM setting_version
    WHERE practice_id = :practice AND revision <= :revision
      AND (withdrawn_revision IS NULL OR withdrawn_revision > :revision)
      AND effective_from <= :at AND (effective_to IS NULL OR effective_to > :at)
    ORDER BY setting, revision DESC
    """
)

_TOUCHED = text(
    """
    SELECT setting, max(greatest(revision, withdrawn_revision)) AS revision
    FROM setting_version WHERE practice_id = :practice GROUP BY setting
    """
)

_NEXT = text("UPDATE practice SET revision = revision + 1 WHERE id = :practice RETURNING revision")

_WITHDRAW = text(
    """
    UPDATE setting_version SET withdrawn_revision = :revision
    WHERE practice_id = :practice AND setting = :setting AND revision = :of AND withdrawn_revision IS NULL
    RETURNING revision
    """
)

_BY_OTHERS = text("SELECT DISTINCT setting FROM setting_version WHERE practice_id = :practice AND made_by <> :by")

_COMING = text(
    """
    SELECT setting, revision, value, effective_from, effective_to, made_at, made_by, note, withdrawn_revision
    FROM setting_version
    WHERE practice_id = :practice AND withdrawn_revision IS NULL AND effective_from > :at
    ORDER BY effective_from, revision LIMIT :limit
    """
)

_HISTORY = text(
    """
    SELECT setting, revision, value, effective_from, effective_to, made_at, made_by, note, withdrawn_revision
    FROM setting_version
    WHERE practice_id = :practice AND (CAST(:setting AS text) IS NULL OR setting = :setting)
    ORDER BY revision DESC, setting LIMIT :limit
    """
)
