"""Changing settings of a practice: from now or from a day on, for good or for a while, and back again.

Every change is checked against the whole of the practice's settings, written as a version, and recorded in the ledger
in the same transaction.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import select

from callcenter.kernel.errors import CallcenterError, DataProblems, Problem
from callcenter.practice.directory import NoSuchPractice, facts_of
from callcenter.practice.enrolment import (
    Changed,
    check_directory,
    check_emergency_line,
    check_lines,
    check_practice,
    lock_directory,
    write_lines,
)
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.names import normalise_name
from callcenter.practice.practice_form import PracticeForm, Setting
from callcenter.practice.practitioners import practitioner_names
from callcenter.practice.setting_versions import Author, Layer, Period, Planned, SettingVersions, Snapshot
from callcenter.practice.tables import practice
from callcenter.speech.moments import MONTHS
from callcenter.store.database import Database, Transaction

#: For so long a message of the day may hold: one that is older is about another day.
LONGEST_PASSING = timedelta(days=14)
#: A change may not begin in the past; clocks differ by a little.
_CLOCKS_DIFFER = timedelta(minutes=1)


class NothingToChange(CallcenterError):
    """The practice's settings stand so already."""


class ChangedMeanwhile(CallcenterError):
    """Somebody else has changed the setting since it was looked at."""


class Recorder(Protocol):
    """Writes into the ledger that settings were changed, in the transaction of the change."""

    async def settings_changed(self, tx: Transaction, changed: Changed, author: Author) -> None:
        """Record that ``author`` brought the settings of the practice of ``tx`` to a revision."""


@dataclass(frozen=True, slots=True)
class SettingsChanged:
    """What a change came to.

    Arguments:
        facts: the practice as it stands from the change's beginning on.
        warnings: what whoever made the change should look at again.
    """

    changed: Changed
    facts: PracticeFacts
    warnings: tuple[str, ...] = ()


class SettingsDesk:
    """Changes the settings of one practice.

    Arguments:
        slug: of the practice.
        author: who changes them, and when.
        recorder: of the ledger.
    """

    def __init__(self, database: Database, slug: str, author: Author, recorder: Recorder) -> None:
        self._database = database
        self._slug = slug
        self._author = author
        self._recorder = recorder

    async def put(self, setting: Setting, value: Any, period: Period, seen: int | None = None) -> SettingsChanged:
        """Give ``setting`` another value.

        Arguments:
            value: as a practice's file would have it.
            period: from when until when.
            seen: by which revision the setting had been changed last when it was looked at
                (``SettingVersions.touched``); ``None`` overwrites whatever stands.

        Raises:
            ChangedMeanwhile: it has been changed since.
            DataProblems: value or period cannot be used; with the mend.
            UnusablePractice, NumberTaken: a rule between settings, or with another practice, is broken.
            NothingToChange: it stands so already.
        """
        _check_period(setting, period, self._author.at)
        async with self._database.practice(await self._practice()) as tx:
            standing = await self._begin(tx, period.begins)
            if seen is not None and (await SettingVersions.touched(tx.connection, tx.practice)).get(setting, 0) != seen:
                raise ChangedMeanwhile
            if period.ends is None and _says_for_good(standing, setting, value):
                raise NothingToChange(f"{self._slug}: « {setting} » stands so already")
            changed, facts = await self._write(tx, standing, {setting: value}, period)
            return SettingsChanged(changed, facts, tuple(warnings(setting, value)))

    async def roll_back(self, revision: int, setting: Setting | None = None) -> SettingsChanged:
        """Bring all settings, or one, to how they stood as of ``revision``, from now on.

        What held for a while then, and would hold still, does so again until its own end. What ends sooner lies over
        what ends later, so each end makes a revision of its own; the outcome tells of the last.

        Raises:
            NothingToChange: they stand so already.
            DataProblems: there is no such revision, or what stood then can be used no more, or ``setting`` is about a
                day that has passed.
        """
        if setting is not None and setting.passing:
            mend = f"callcenter practice withdraw {self._slug} {setting} REVISION takes back the one that is said"
            raise DataProblems([Problem(setting, 0, "it is about its day, and no rollback touches it", mend)])
        now = self._author.at
        async with self._database.practice(await self._practice()) as tx:
            standing = await self._begin(tx, now)
            if not 0 < revision < standing.revision:
                what = f"« {self._slug} » has no revision {revision}"
                mend = f"`callcenter practice history {self._slug}` shows those that it has"
                raise DataProblems([Problem("revision", 0, what, mend)])
            before = await SettingVersions.layers(tx.connection, tx.practice, now, revision)
            stands = await SettingVersions.layers(tx.connection, tx.practice, now, standing.revision)
            wanted = {
                name: layers
                for name, layers in before.items()
                if (setting is None or name is setting) and not name.passing and stands.get(name) != layers
            }
            left = _still_said(before, stands) if setting is None else ()
            if not wanted:
                raise NothingToChange("; ".join((f"{self._slug}: that is how it stands", *left)))
            first, *others = _from_the_undermost(wanted)
            changed, facts = await self._write(tx, standing, first.values, Period(now, first.ends))
            for layer in others:
                standing = await self._begin(tx, now)
                changed, facts = await self._write(tx, standing, layer.values, Period(now, layer.ends))
            return SettingsChanged(Changed(changed.revision, frozenset(wanted)), facts, left)

    async def withdraw(self, setting: Setting, revision: int) -> SettingsChanged:
        """Take back the version of ``setting`` that ``revision`` made: what lies under it shows again.

        Raises:
            NothingToWithdraw: there is none that stands.
            DataProblems: the setting cannot be without that version.
        """
        if setting.immediate:
            mend = f"callcenter practice rollback {self._slug} REVISION {setting}, or set it"
            raise DataProblems([Problem(setting, 0, "the number plan is not taken back by version", mend)])
        async with self._database.practice(await self._practice()) as tx:
            standing = await self._begin(tx, self._author.at)
            number = standing.revision
            await SettingVersions.withdraw(tx.connection, tx.practice, number, setting, revision)
            facts = await self._checked_from(tx, self._author.at, setting)
            changed = Changed(number, frozenset({setting}))
            await self._recorder.settings_changed(tx, changed, self._author)
            return SettingsChanged(changed, facts)

    async def _practice(self) -> UUID:
        async with self._database.house() as connection:
            query = select(practice.c.id).where(practice.c.slug == self._slug)
            found = (await connection.execute(query)).scalar_one_or_none()
        if found is None:
            what = f"there is no practice « {self._slug} »: `callcenter practice list` shows those that are enrolled"
            raise NoSuchPractice(what)
        return UUID(str(found))

    async def _begin(self, tx: Transaction, at: datetime) -> Snapshot:
        """Take the next revision, and see what stands at ``at``."""
        await lock_directory(tx.connection)
        await SettingVersions.next_revision(tx.connection, tx.practice)
        standing = await SettingVersions.snapshot(tx.connection, tx.practice, at, ahead=tuple(Setting))
        if standing is None:
            raise NoSuchPractice
        return standing

    async def _checked_from(self, tx: Transaction, at: datetime, setting: Setting) -> PracticeFacts:
        """What stands at ``at``, once that and whatever will stand later has been checked: what holds for a while may
        have hidden that nothing lies under it (P7: then no call could be answered), or a line that we answer by now.

        Arguments:
            setting: of which a version was taken back.
        """
        first, moment = None, at
        while True:
            standing = await SettingVersions.snapshot(tx.connection, tx.practice, moment)
            if standing is None:
                raise NoSuchPractice
            facts = await self._checked(tx, standing, {})
            if setting is Setting.EMERGENCY_LINE:
                await check_emergency_line(tx.connection, facts)
            first = first or facts
            if standing.until is None:
                return first
            moment = standing.until

    async def _write(
        self, tx: Transaction, standing: Snapshot, values: Mapping[Setting, Any], period: Period
    ) -> tuple[Changed, PracticeFacts]:
        facts = await self._checked(tx, standing, values, period.ends)
        await SettingVersions.add(tx.connection, tx.practice, standing.revision, values, period, self._author)
        if any(setting.immediate for setting in values):
            await check_directory(tx.connection, facts, self._author.at)
            await write_lines(tx.connection, facts)
            await check_lines(tx)
        if Setting.EMERGENCY_LINE in values:
            await check_emergency_line(tx.connection, facts)
        changed = Changed(standing.revision, frozenset(values))
        await self._recorder.settings_changed(tx, changed, self._author)
        return changed, facts

    async def _checked(
        self, tx: Transaction, standing: Snapshot, values: Mapping[Setting, Any], ends: datetime | None = None
    ) -> PracticeFacts:
        facts = facts_with(standing, values, ends)
        known = {normalise_name(name) for name in await practitioner_names(tx)}
        for name in sorted(name for name in facts.instructions.practitioners if normalise_name(name) not in known):
            what = f"« {name} » is no practitioner of the practice, and has no instructions"
            raise DataProblems([Problem(Setting.INSTRUCTIONS, 0, what, "write the name without the title")])
        strangers = {door.practitioner for door in facts.numbers.values() if door.practitioner is not None}
        for name in sorted(name for name in strangers if normalise_name(name) not in known):
            what = f"« {name} » is no practitioner of the practice"
            raise DataProblems([Problem(Setting.NUMBERS, 0, what, "write the name without the title")])
        for name in sorted(name for name in facts.booking.practitioners if normalise_name(name) not in known):
            what = f"« {name} » is no practitioner of the practice, and cannot be booked"
            raise DataProblems([Problem(Setting.BOOKING, 0, what, "write the name without the title")])
        return facts


def facts_with(standing: Snapshot, values: Mapping[Setting, Any], ends: datetime | None = None) -> PracticeFacts:
    """The practice as it would stand with other values of some settings.

    Arguments:
        ends: when those end, aware; ``None`` for an open end.

    Raises:
        DataProblems: one of them cannot be used; with the mend.
        UnusablePractice, NumberTaken: a rule between settings is broken.
    """
    written = {**standing.written, **{setting.value: value for setting, value in values.items()}}
    try:
        PracticeForm.model_validate(written)
    except ValidationError as error:
        raise DataProblems([_problem(detail) for detail in error.errors(include_url=False)]) from None
    facts = facts_of(replace(standing, written=written, until=None, ahead=_ahead_with(standing, values, ends)))
    check_practice(facts)
    return facts


def _ahead_with(standing: Snapshot, values: Mapping[Setting, Any], ends: datetime | None) -> tuple[Planned, ...]:
    """What is planned, with ``values`` over all of it until ``ends``, when what they lie over shows again."""
    over = {setting.value: value for setting, value in values.items()}
    before = tuple(
        replace(one, written={**one.written, **over}) for one in standing.ahead if ends is None or one.since < ends
    )
    if ends is None:
        return before
    under = [standing.written, *(one.written for one in standing.ahead if one.since <= ends)][-1]
    return (*before, Planned(ends, under), *(one for one in standing.ahead if one.since > ends))


def _says_for_good(standing: Snapshot, setting: Setting, value: Any) -> bool:
    """Whether ``setting`` says ``value`` already, and nothing will change that by itself."""
    return all(
        setting in written and written[setting] == value
        for written in (standing.written, *(one.written for one in standing.ahead))
    )


@dataclass(frozen=True, slots=True)
class _Together:
    """Values that end at one moment, or never."""

    ends: datetime | None
    values: Mapping[Setting, Any]


def _still_said(
    before: Mapping[Setting, Sequence[Layer]], stands: Mapping[Setting, Sequence[Layer]]
) -> tuple[str, ...]:
    """What is about its day, and a rollback leaves as it stands."""
    return tuple(
        f"{name} is no part of a rollback and is still said: `callcenter practice withdraw` takes it back"
        for name, layers in stands.items()
        if name.passing and layers[-1].value and before.get(name) != layers
    )


def _from_the_undermost(layers: Mapping[Setting, Sequence[Layer]]) -> list[_Together]:
    """The values of ``layers``, at least one, by their end: none first, then the latest."""
    by_end: dict[datetime | None, dict[Setting, Any]] = {}
    for setting, lying in layers.items():
        for layer in lying:
            by_end.setdefault(layer.ends, {})[setting] = layer.value
    bounded = sorted((end for end in by_end if end is not None), reverse=True)
    return [_Together(end, by_end[end]) for end in (None, *bounded) if end in by_end]


def _problem(detail: Any) -> Problem:
    path = ".".join(str(part) for part in detail["loc"]) or "value"
    if detail["type"] == "string_type":  # a short number (15), or nothing at all, stands where words are meant
        return Problem(path, 0, "it is a number, a yes or no, a list or nothing; a text is meant", _QUOTE)
    if detail["type"] == "missing":
        return Problem(path, 0, "no practice is without it, now or later", "set another value first, for good")
    if detail["type"] in ("tuple_type", "list_type"):
        return Problem(path, 0, "a list is meant", _BRACKETS)
    what = str(detail["msg"]).removeprefix("Value error, ")
    return Problem(path, 0, what, "docs/practice-settings.md shows how each setting is written")


_BRACKETS = "write it between brackets, [ and ]; docs/practice-settings.md has an example of each"
_QUOTE = """write it in quotes that reach us, such as '"15"'; docs/practice-settings.md has an example of each"""


def _check_period(setting: Setting, period: Period, now: datetime) -> None:
    """Whether ``setting`` may hold for ``period``.

    Raises:
        DataProblems: it may not.
    """
    problems = []
    if period.begins < now - _CLOCKS_DIFFER:
        problems.append(("it would begin in the past", "leave --from out: it then begins now"))
    if period.ends is not None and period.ends <= max(period.begins, now):
        problems.append(("it would have ended before it begins", "write a later --until"))
    if setting.immediate and (period.begins > now or period.ends is not None):
        problems.append(("the number plan changes at once and for good", "leave --from and --until out"))
    if setting.passing and period.ends is None:
        problems.append(("it must say until when it is said", "add --until, such as --until 18:30"))
    if setting.passing and period.ends is not None and period.ends - period.begins > LONGEST_PASSING:
        what = f"it would be said for more than {LONGEST_PASSING.days} days"
        problems.append((what, "shorten it, or write it into the greeting, the hours or the closing conduct"))
    if problems:
        raise DataProblems([Problem(setting, 0, what, mend) for what, mend in problems])


#: What looks as if it were about one person: a form of address before a name, a date of birth, a telephone number.
_PERSONAL = (
    (
        re.compile(
            r"\b(?:M\.|(?i:Mr|Mrs|Ms|Mme|Mlle|Monsieur|Madame|Mademoiselle|patiente?)\b\.?)"
            r"(?:\s*:)?\s+(?:[A-ZÀ-Ý]\.?\s*)?[A-ZÀ-Ý][\w'’-]+"
        ),
        "a name",
    ),
    (
        re.compile(
            r"\b(?:né|née|nés)\b|\b\d{1,2}[/.-]\d{1,2}[/.-](?:19|20)\d{2}\b"
            rf"|\b(?:1er|\d{{1,2}})\s+(?i:{'|'.join(MONTHS)})\s+(?:19\d{{2}}|20[01]\d)\b"  # no day to come
        ),
        "a date of birth",
    ),
    (re.compile(r"(?:(?:\+|\b00)33\s?(?:\(0\))?|\b0)\s?[1-9](?:[ .-]?\d{2}){4}\b"), "a telephone number"),
)


def warnings(setting: Setting, value: object) -> list[str]:
    """What in the words of a setting looks as if it were about a patient. Every caller hears those words, or every
    operator reads them."""
    if setting is Setting.INSTRUCTIONS:  # which may well tell whom to ring
        seen = [what for pattern, what in _PERSONAL[:-1] if any(map(pattern.search, _texts(value)))]
        return [f"it seems to hold {what}: every operator reads it" for what in seen]
    if setting not in (Setting.MESSAGE_OF_THE_DAY, Setting.CLOSING_CONDUCT, Setting.ACCESS, Setting.ADDRESS):
        return []
    return [
        f"it seems to hold {what}: every caller hears it" for pattern, what in _PERSONAL if pattern.search(str(value))
    ]


def _texts(value: object) -> list[str]:
    """The words of ``value``, which is a text or holds texts by name; the names are those of practitioners."""
    if isinstance(value, Mapping):
        return [text for part in value.values() for text in _texts(part)]
    return [value] if isinstance(value, str) else []
