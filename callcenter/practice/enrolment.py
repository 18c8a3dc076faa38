"""Enrolling organisations, practices, their numbers and practitioners; rules are checked at writing."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, time
from itertools import pairwise
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.kernel.errors import CallcenterError, Conflict
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.names import normalise_name
from callcenter.practice.numbers import E164, NumberProblem, parse_diallable, parse_number, parse_served
from callcenter.practice.opening import HOLIDAY_SUBDIVISIONS, Opening
from callcenter.practice.practice_form import Setting, as_written
from callcenter.practice.reception import Reception
from callcenter.practice.setting_versions import EVER, Author, Period, SettingVersions
from callcenter.practice.tables import directory_number, organisation, own_line, practice, practitioner
from callcenter.speech.moments import WEEKDAYS
from callcenter.store.database import Transaction

#: One enrolment at a time: whether a rescue number is served can then not change between check and commit.
_LOCK = "callcenter enrolment"


class UnusablePractice(CallcenterError):
    """A practice cannot be enrolled as it is described."""


class NumberTaken(Conflict):
    """A number cannot be served and be a line that we ring when nothing else works, or serve two practices.

    Arguments:
        what: which number, and what it is already.
        mend: what to do about it.
    """

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(f"{what}\n    mend: {mend}")
        self.what, self.mend = what, mend


@dataclass(frozen=True, slots=True)
class PractitionerRecord:
    """A practitioner, as enrolled.

    Arguments:
        name: first name and name, without the title.
        title: ``Dr``, ``Pr`` or empty.
        sensitive: the speciality alone tells something about who goes there (D05).
        line: at which operators ask for them; never one that we answer. ``None`` if there is none.
    """

    id: UUID
    name: str
    title: str
    speciality: str
    sensitive: bool
    line: E164 | None = None


async def write_organisation(connection: AsyncConnection, organisation_id: UUID, name: str) -> None:
    """Enrol an organisation, or rename it."""
    statement = insert(organisation).values(id=organisation_id, name=name)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["id"], set_={"name": statement.excluded.name})
    )


@dataclass(frozen=True, slots=True)
class Changed:
    """What a change came to.

    Arguments:
        revision: of the practice's settings that stands now.
        settings: those that were changed; none if everything stood so already.
    """

    revision: int
    settings: frozenset[Setting]


async def write_practice(
    connection: AsyncConnection, facts: PracticeFacts, author: Author, *, leave: Collection[Setting] = ()
) -> Changed:
    """Enrol a practice with its numbers and settings, or bring what is enrolled under its id to what ``facts`` say.

    A setting that stands as ``facts`` have it is left alone; each other one gets a version that holds from now on, and
    those of a new practice since ever. What only holds for a while, such as a message of the day, is no part of it.

    Arguments:
        leave: settings of a practice on file that are not touched.

    Raises:
        UnusablePractice: a rule is broken; the message says by what.
        NumberTaken: a rescue number or an emergency line is served, here or by another practice, or a number serves
            another practice.
    """
    check_practice(facts)
    await lock_directory(connection)
    await check_directory(connection, facts, author.at)
    head = {"organisation_id": facts.organisation_id, "slug": facts.slug}
    statement = insert(practice).values(id=facts.id, **head, rescue_number=facts.rescue_number)
    await connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=head))
    standing = await SettingVersions.snapshot(connection, facts.id, author.at)
    written = standing.written if standing else {}
    changed = {
        setting: value
        for setting, value in as_written(facts).items()
        if not setting.passing and setting not in leave and written.get(setting, _UNSET) != value
    }
    if not changed:
        return Changed(standing.revision if standing else 0, frozenset())
    revision = await SettingVersions.next_revision(connection, facts.id)
    period = Period(author.at if written else EVER)
    await SettingVersions.add(connection, facts.id, revision, changed, period, author)
    if any(setting.immediate for setting in changed):
        await write_lines(connection, facts)
    return Changed(revision, frozenset(changed))


#: Unlike every value that a setting may have.
_UNSET = object()


async def lock_directory(connection: AsyncConnection) -> None:
    """Let nobody else change numbers until the end of the transaction."""
    await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(_LOCK, 0))))


async def write_lines(connection: AsyncConnection, facts: PracticeFacts) -> None:
    """Bring the directory to the number plan of ``facts``."""
    await connection.execute(
        update(practice).where(practice.c.id == facts.id).values(rescue_number=facts.rescue_number)
    )
    for table in (directory_number, own_line):
        await connection.execute(delete(table).where(table.c.practice_id == facts.id))
    numbers = [{"practice_id": facts.id, "number": number} for number in facts.numbers]
    lines = [{"practice_id": facts.id, "number": number} for number in sorted(facts.other_lines)]
    for table, rows in ((directory_number, numbers), (own_line, lines)):
        if rows:
            await connection.execute(insert(table), rows)


async def write_practitioners(tx: Transaction, records: Iterable[PractitionerRecord]) -> None:
    """Enrol practitioners, or replace what is enrolled under their ids.

    Raises:
        UnmappedCharacter: a name could not be compared with the ones in the practice's files.
        NumberTaken: we answer at the line of one of them.
    """
    for record in records:
        normalise_name(record.name)
        values = {
            "name": record.name,
            "title": record.title,
            "speciality": record.speciality,
            "sensitive": record.sensitive,
            "line": record.line,
        }
        statement = insert(practitioner).values(id=record.id, practice_id=tx.practice, **values)
        await tx.connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))
    await check_lines(tx)


async def check_lines(tx: Transaction) -> None:
    """Refuse what makes a practitioner's line one that we answer, for whichever practice. Another practice's plan may
    make it one later, unseen from here (P5): so it is asked once more before it rings.

    Raises:
        NumberTaken: with the lines.
    """
    served = select(directory_number.c.number)
    query = select(practitioner.c.name, practitioner.c.line).where(
        practitioner.c.practice_id == tx.practice, practitioner.c.line.in_(served)
    )
    if taken := (await tx.connection.execute(query.order_by(practitioner.c.name))).all():
        who = ", ".join(f"« {row.name} » {row.line}" for row in taken)
        raise NumberTaken(
            f"the line of a practitioner is a number that we answer: {who}",
            "enrol them with a line that rings where they are, or with none",
        )


def check_practice(facts: PracticeFacts) -> None:
    """Check what can be checked without the directory.

    Raises:
        UnusablePractice: with every broken rule (UX-05, OU-05, EM-04, EM-05; overlapping hours; no such zone).
        NumberTaken: its rescue number is served by itself, or is one of its lines that may be forwarded to us.
    """
    broken = practice_problems(facts)
    if broken:
        raise UnusablePractice(f"practice {facts.slug}: " + "; ".join(what for _, what in broken))
    if facts.rescue_number in facts.numbers.keys() | facts.other_lines:
        raise NumberTaken(
            f"practice {facts.slug}: its rescue number {facts.rescue_number} is served by us or listed among its other "
            "lines, so a call to it may come back to us",
            "name a line that rings at the practice and is forwarded nowhere",
        )


#: Where a rule is broken, as a description has it (a weekday is 0 for Monday), and how.
BrokenRule = tuple[tuple[str | int, ...], str]


def practice_problems(facts: PracticeFacts) -> list[BrokenRule]:
    """Every rule that ``facts`` break by themselves."""
    broken = [*_number_problems(facts), *_hours_problems(facts.opening), *_reception_problems(facts.reception)]
    if not facts.numbers:
        broken.append((("numbers",), "no number is left at which we answer: name one, whatever else changes"))
    if facts.out_of_hours_number in facts.numbers:
        what = f"out-of-hours number {facts.out_of_hours_number!r}: we answer there, and would say to dial it again"
        broken.append((("out_of_hours_number",), what))
    if facts.emergency_line in facts.own_lines:
        what = f"emergency line {facts.emergency_line!r}: it is a line of the practice, and no rescue service's"
        broken.append((("emergency_line",), what))
    if not facts.closing_conduct.strip():
        broken.append(
            (("closing_conduct",), "it does not say what to do while it is closed, nor who stands in (EM-05)")
        )
    return broken


def _number_problems(facts: PracticeFacts) -> list[BrokenRule]:
    read = [(("numbers", number), "number", number, parse_served(number)) for number in facts.numbers] + [
        (("rescue_number",), "rescue number", facts.rescue_number, parse_number(facts.rescue_number)),
        (
            ("out_of_hours_number",),
            "out-of-hours number",
            facts.out_of_hours_number,
            parse_diallable(facts.out_of_hours_number),
        ),
        *((("other_lines",), "other line", number, parse_number(number)) for number in facts.other_lines),
        *((("emergency_line",), "emergency line", line, parse_number(line)) for line in [facts.emergency_line] if line),
    ]
    return [
        (path, f"{what} {number!r}: {parsed.value if isinstance(parsed, NumberProblem) else f'write it as {parsed}'}")
        for path, what, number, parsed in read
        if parsed != number
    ]


def _hours_problems(opening: Opening) -> list[BrokenRule]:
    problems: list[BrokenRule] = []
    for weekday, intervals in opening.weekly.items():
        bounds = [bound for interval in intervals for bound in interval]
        if weekday not in range(7) or any(later <= earlier for earlier, later in pairwise(bounds)):
            day = WEEKDAYS[weekday] if weekday in range(7) else f"weekday {weekday}"
            what = f"the hours of {day} are not in order, overlap or have no such day: write them one after the other"
            problems.append((("hours", weekday), what))
    if opening.holiday_subdivision is not None and opening.holiday_subdivision not in HOLIDAY_SUBDIVISIONS:
        what = f"no part of France with holidays of its own is called {opening.holiday_subdivision!r}"
        problems.append((("holiday_subdivision",), what))
    return problems


def _reception_problems(reception: Reception) -> list[BrokenRule]:
    """Rules that would never fit."""
    return [
        (
            ("reception",),
            f"rule {number} of reception ends before it begins: a night is two rules, one until 00:00 and one from "
            "00:00 on",
        )
        for number, rule in enumerate(reception.rules, start=1)
        if rule.hours is not None and rule.hours[1] <= rule.hours[0] and rule.hours[1] != time(0)
    ]


async def check_directory(connection: AsyncConnection, facts: PracticeFacts, at: datetime) -> None:
    """Refuse numbers that contradict what other practices have (P7: no call that we send away may come back).

    Arguments:
        at: from when on ``facts`` hold, aware.

    Raises:
        NumberTaken: with the numbers.
    """
    served = select(directory_number.c.number).where(
        directory_number.c.practice_id != facts.id, directory_number.c.number.in_([*facts.numbers, facts.rescue_number])
    )
    line = select(own_line.c.number).where(own_line.c.practice_id != facts.id, own_line.c.number == facts.rescue_number)
    rescue = select(practice.c.rescue_number).where(
        practice.c.id != facts.id, practice.c.rescue_number.in_([*facts.numbers, *facts.other_lines])
    )
    emergency = _EMERGENCY_LINES.bindparams(practice=facts.id, numbers=list(facts.numbers), at=at)
    for query, why, mend in (
        (served, "we serve it for another practice", _OURS),
        (line, "it is among the other lines of another practice, so a call to it may come back to us", _FORWARDED),
        (rescue, "it is the rescue number of another practice", _OURS),
        (emergency, "it is the emergency line of another practice, now or later", _OURS),
    ):
        taken = sorted((await connection.execute(query)).scalars())
        if taken:
            raise NumberTaken(f"practice {facts.slug}: {', '.join(taken)}: {why}", mend)
    await check_emergency_line(connection, facts)


async def check_emergency_line(connection: AsyncConnection, facts: PracticeFacts) -> None:
    """Refuse an emergency line at which we answer, for whichever practice: whoever dials it is in an emergency, and
    would wait for a colleague of theirs (P7). Its own numbers are refused by :func:`practice_problems`.

    Raises:
        NumberTaken: we answer there.
    """
    if not facts.emergency_line:
        return
    served = select(directory_number.c.number).where(directory_number.c.number == facts.emergency_line)
    if (await connection.execute(served)).first() is not None:
        what = f"practice {facts.slug}: its emergency line {facts.emergency_line} is a number that we answer"
        raise NumberTaken(what, "name a direct line of the rescue service of its sector, or none")


_OURS = "a number belongs to one practice: correct it here, or take it from the other one first"
_FORWARDED = "name a line that rings at the practice and is forwarded nowhere"
# Of what was ever set, that which holds at the moment or will: no later version lies over all that is left of it.
_EMERGENCY_LINES = text(
    """
    SELECT DISTINCT v.value #>> '{}' FROM setting_version v
    WHERE v.setting = 'emergency_line' AND v.practice_id <> :practice AND v.value #>> '{}' = ANY(:numbers)
      AND v.withdrawn_revision IS NULL AND (v.effective_to IS NULL OR v.effective_to > :at)
      AND NOT EXISTS (
        SELECT FROM setting_version w
        WHERE w.practice_id = v.practice_id AND w.setting = v.setting AND w.revision > v.revision
          AND w.withdrawn_revision IS NULL AND w.effective_from <= greatest(v.effective_from, :at)
          AND (w.effective_to IS NULL OR w.effective_to >= v.effective_to))
    """
)
