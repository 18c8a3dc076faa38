"""The room of practices, as the pages of their settings ask for it.

Who may change what: supervisors and administrators everything of the practices of their portfolios; practitioners
everything of their own practices but the number plan and who is on file as a practitioner, which are whoever answers
for them; operators nothing. Whether the glass may be broken is not for supervisors, who break it: practitioners and
administrators say so. For whoever may not, there is no such practice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.app.hearing import beginning
from callcenter.app.settings_in_time import SettingsInTime
from callcenter.app.sound_addresses import SoundAddresses
from callcenter.calls.shelf import Shelf
from callcenter.console.practices_ports import (
    Change,
    Clash,
    Fault,
    Heard,
    Named,
    Outcome,
    Past,
    Person,
    PersonAdded,
    PersonChange,
    Practices,
    Refused,
    Same,
    Saved,
    Standing,
)
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import DataProblems
from callcenter.kernel.randomness import Random, new_id
from callcenter.practice.called import plain_name
from callcenter.practice.changing import (
    ChangedMeanwhile,
    NothingToChange,
    SettingsChanged,
    SettingsDesk,
    facts_with,
)
from callcenter.practice.directory import Directory, NoSuchPractice, facts_of
from callcenter.practice.enrolment import NumberTaken, UnusablePractice
from callcenter.practice.people import NewPerson, PersonStandsSo, PersonWanted, add_person, change_person, people_of
from callcenter.practice.practice_form import Setting, as_written
from callcenter.practice.setting_versions import (
    EVER,
    Author,
    NothingToWithdraw,
    Period,
    SettingVersions,
    UnusableAuthor,
    Version,
)
from callcenter.staff.acts import StaffActs
from callcenter.staff.rights import may
from callcenter.staff.room import StaffRoom
from callcenter.staff.sessions import StaffSession
from callcenter.staff.values import Role, day_of
from callcenter.store.database import Database

#: Practices that a list shows, and versions that a history does.
SHOWN, MOST_PAST = 100, 100

#: Who may change everything of a practice, and who everything but its number plan.
MANAGING, OWNING = (Role.SUPERVISOR, Role.ADMINISTRATOR), (Role.PRACTITIONER,)
#: Who may let the glass be broken.
LETTING = (Role.PRACTITIONER, Role.ADMINISTRATOR)


@dataclass(frozen=True, slots=True)
class StaffPractices:
    """Implements ``console.practices_ports.PracticeSettings``.

    Arguments:
        database: the console's own, so that pages hold up no caller.
        flows: what callers hear is asked of them.
        sounds: of previews.
    """

    room: StaffRoom
    database: Database
    clock: Clock
    random: Random
    flows: Shelf
    sounds: SoundAddresses
    _acts: StaffActs = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_acts", StaffActs(self.clock, self.random))

    async def practices(self, token: str, search: str = "") -> Practices:
        account, now = (await self.room.standing(token)).account, self.clock.now()
        ids = {one for role in (*MANAGING, *OWNING) for one in await self.room.rights.practices(account, role)}
        async with self.database.house() as connection:
            names = await SettingVersions.everywhere(connection, Setting.NAME, now)
            slugs = (await connection.execute(_SLUGS, {"ids": sorted(ids)})).all()
        every = sorted((Named(row.id, str(names.get(row.id, row.slug)), row.slug) for row in slugs), key=_by_name)
        found = [one for one in every if plain_name(search) in plain_name(f"{one.name} {one.slug}")]
        return Practices(tuple(found[:SHOWN]), len(found), len(every))

    async def look(self, token: str, practice: UUID) -> Standing:
        _session, allowed = await self._entitled(token, practice)
        now = self.clock.now()
        async with self.database.practice(practice) as tx:
            snapshot = await Directory.snapshot(tx.connection, practice, now, ahead=tuple(Setting))
            touched = await SettingVersions.touched(tx.connection, practice)
            people = await people_of(tx)
            planned = await SettingVersions.coming(tx.connection, practice, now)
            names = await _names(tx.connection, (version.author.by for version in planned))
        facts, in_time = facts_of(snapshot), SettingsInTime(snapshot)
        return Standing(
            now=now,
            facts=facts,
            written=as_written(facts),
            afterwards=in_time.afterwards(),
            touched=touched,
            people=tuple(
                Person(one.id, one.name, one.title, one.speciality, one.sensitive, one.line is not None)
                for one in people
            ),
            coming=tuple(
                _past_of(one, in_time.just_before(one.setting, one.period.begins), names, now, allowed)
                for one in planned
            ),
            may=allowed,
            manages=Setting.NUMBERS in allowed,
        )

    async def history(self, token: str, practice: UUID, setting: Setting | None = None) -> tuple[Past, ...]:
        _session, allowed = await self._entitled(token, practice)
        async with self.database.house() as connection:
            return tuple(await self._past(connection, practice, setting, allowed))

    async def put(self, token: str, practice: UUID, change: Change) -> Outcome:
        session, allowed = await self._entitled(token, practice)
        if change.setting not in allowed:
            raise NoSuchPractice
        if change.setting.immediate:  # where calls go, at once
            self.room.confirmed(session)
        value = await self._as_kept(practice, change.setting, change.value)

        async def put(desk: SettingsDesk, now: datetime) -> SettingsChanged:
            return await desk.put(change.setting, value, change.period or Period(now), change.seen)

        return await self._changed(session, practice, change.note, put)

    async def withdraw(self, token: str, practice: UUID, setting: Setting, revision: int) -> Outcome:
        session, allowed = await self._entitled(token, practice)
        if setting not in allowed:
            raise NoSuchPractice
        if setting.immediate:
            self.room.confirmed(session)

        async def withdraw(desk: SettingsDesk, _now: datetime) -> SettingsChanged:
            return await desk.withdraw(setting, revision)

        return await self._changed(session, practice, "", withdraw)

    async def preview(
        self,
        token: str,
        practice: UUID,
        number: str | None,
        at: datetime | None,
        unsaved: Mapping[Setting, Any] | None = None,
        ends: datetime | None = None,
    ) -> Heard | Refused:
        await self._entitled(token, practice)
        now = self.clock.now()
        async with self.database.house() as connection:
            zone = (await Directory.facts(connection, practice, now)).timezone
            moment = now if at is None else at.replace(tzinfo=zone)
            snapshot = await Directory.snapshot(connection, practice, moment)
        try:
            facts = facts_with(snapshot, unsaved or {}, ends)
        except (DataProblems, UnusablePractice, NumberTaken) as error:
            return Refused(_faults(error))
        called = number if number is not None and number in facts.numbers else next(iter(facts.numbers))
        heard = await beginning(self.flows.current, facts, called, moment)
        lines = [(line.text, line.language) for line in heard.lines]
        return Heard(
            number=called,
            at=moment.astimezone(facts.timezone),
            arrival=facts.arrival(called, moment),
            lines=tuple(line.text for line in heard.lines),
            then=heard.then,
            sound=self.sounds.address(practice, token, lines, now),
        )

    async def sound(self, token: str, practice: UUID, sound: str) -> bytes | None:
        await self._entitled(token, practice)
        return await self.sounds.sound(practice, token, sound, self.clock.now())

    async def change_person(self, token: str, practice: UUID, person: UUID, change: PersonChange) -> Outcome:
        session, allowed = await self._entitled(token, practice)
        if Setting.NUMBERS not in allowed:
            raise NoSuchPractice
        self.room.confirmed(session)  # their line is where calls go; the mark is what keeps a file closed
        line = "" if change.without_line else change.line.strip() or None
        wanted = PersonWanted(change.title, change.speciality, change.sensitive, line, change.loses_mark)
        try:
            async with self.database.practice(practice) as tx:
                await change_person(tx, person, wanted, str(session.account.id), self._acts)
        except PersonStandsSo:
            return Same()
        except (DataProblems, NumberTaken) as error:
            return Refused(_faults(error))
        return Saved(0)

    async def add_person(self, token: str, practice: UUID, person: PersonAdded) -> Outcome:
        session, allowed = await self._entitled(token, practice)
        if Setting.NUMBERS not in allowed:
            raise NoSuchPractice
        self.room.confirmed(session)  # their line is where calls go; the mark is what keeps a file closed
        new = NewPerson(person.name, person.title, person.speciality, person.sensitive, person.line)
        try:
            async with self.database.practice(practice) as tx:
                await add_person(tx, new_id(self.random), new, str(session.account.id), self._acts)
        except (DataProblems, NumberTaken) as error:
            return Refused(_faults(error))
        return Saved(0)

    # --- who may

    async def _entitled(self, token: str, practice: UUID) -> tuple[StaffSession, frozenset[Setting]]:
        """Whose the session is, and what of the practice they may change, which is something.

        Raises:
            Forbidden: the session has ended in the meantime.
            NoSuchPractice: they may change nothing of it, or there is none: nobody is told which.
        """
        session, today = await self.room.standing(token), day_of(self.clock.now())
        async with self.database.house() as connection:
            manages = await _any(connection, session.account.id, MANAGING, practice, today)
            owns = manages or await _any(connection, session.account.id, OWNING, practice, today)
            lets = owns and await _any(connection, session.account.id, LETTING, practice, today)
        if not owns:
            raise NoSuchPractice
        withheld = frozenset() if lets else frozenset({Setting.BREAK_GLASS})
        return session, frozenset(one for one in Setting if manages or not one.immediate) - withheld

    # --- changing

    async def _changed(
        self,
        session: StaffSession,
        practice: UUID,
        note: str,
        change: Callable[[SettingsDesk, datetime], Awaitable[SettingsChanged]],
    ) -> Outcome:
        now = self.clock.now()
        try:
            author = Author(str(session.account.id), now, " ".join(note.split()))
            async with self.database.house() as connection:
                slug = (await Directory.snapshot(connection, practice, now)).slug
            changed = await change(SettingsDesk(self.database, slug, author, self._acts), now)
        except ChangedMeanwhile:
            return Clash()
        except NothingToChange:
            return Same()
        except NothingToWithdraw:
            return Refused((Fault((), "nothing to withdraw"),))
        except (DataProblems, UnusablePractice, NumberTaken, UnusableAuthor) as error:
            return Refused(_faults(error))
        return Saved(changed.changed.revision)

    async def _as_kept(self, practice: UUID, setting: Setting, value: Any) -> Any:
        """A value in the form in which it is kept, so that the same is the same however it was typed; as it is where
        it cannot be read: then it is refused."""
        async with self.database.house() as connection:
            snapshot = await Directory.snapshot(connection, practice, self.clock.now())
        try:
            return as_written(facts_with(snapshot, {setting: value}))[setting]
        except (DataProblems, UnusablePractice, NumberTaken):
            return value

    # --- the past

    async def _past(
        self, connection: AsyncConnection, practice: UUID, setting: Setting | None, allowed: frozenset[Setting]
    ) -> list[Past]:
        """Versions, latest first, each beside what the one before it says."""
        versions = list(await SettingVersions.history(connection, practice, setting, MOST_PAST + 1))
        names = await _names(connection, (version.author.by for version in versions))
        now = self.clock.now()
        return [
            _past_of(version, _before(versions[at + 1 :], version.setting), names, now, allowed)
            for at, version in enumerate(versions[:MOST_PAST])
        ]


def _past_of(
    version: Version, before: Any, names: Mapping[str, str], now: datetime, allowed: frozenset[Setting]
) -> Past:
    """A version beside what was set before it, ``_NOTHING`` where nothing was."""
    over = version.period.ends is not None and version.period.ends <= now
    return Past(
        setting=version.setting,
        revision=version.revision,
        value=version.value,
        before=None if before is _NOTHING else before,
        first=before is _NOTHING,
        begins=None if version.period.begins == EVER else version.period.begins,
        ends=version.period.ends,
        made_at=version.author.at,
        made_by=names.get(version.author.by, version.author.by),
        note=version.author.note,
        withdrawn=version.withdrawn,
        may_withdraw=version.withdrawn is None
        and not over
        and not version.setting.immediate
        and version.setting in allowed,
    )


#: Unlike every value that a setting may have.
_NOTHING = object()


def _before(earlier: Sequence[Version], setting: Setting) -> Any:
    return next((version.value for version in earlier if version.setting is setting), _NOTHING)


def _faults(error: Exception) -> tuple[Fault, ...]:
    match error:
        case DataProblems():
            return tuple(Fault(tuple(one.file.split(".")), one.what) for one in error.problems)
        case NumberTaken():
            return (Fault((), error.what),)
        case _:
            return tuple(Fault((), what) for what in str(error).split("; "))


async def _any(connection: AsyncConnection, staff: UUID, roles: Sequence[Role], practice: UUID, today: Any) -> bool:
    return any([await may(connection, staff, role, practice, today) for role in roles])


async def _names(connection: AsyncConnection, authors: Iterable[str]) -> dict[str, str]:
    """What colleagues are called who have made versions; whoever did so by a command has no account."""
    ids = {by: found for by in authors if (found := _uuid(by)) is not None}
    if not ids:
        return {}
    rows = (await connection.execute(_DISPLAYED, {"ids": list(ids.values())})).all()
    called = {row.id: row.display_name for row in rows}
    return {by: called[one] for by, one in ids.items() if one in called}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _by_name(one: Named) -> str:
    return plain_name(one.name)


_SLUGS = text("SELECT id, slug FROM practice WHERE id = ANY(cast(:ids AS uuid[]))")
_DISPLAYED = text("SELECT id, display_name FROM staff_account WHERE id = ANY(cast(:ids AS uuid[]))")
