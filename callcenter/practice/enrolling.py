"""Enrolling a practice from its description: what is on file under its short name is brought to what the file says."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from callcenter.kernel.errors import CallcenterError, DataProblems, Problem
from callcenter.kernel.randomness import Random, new_id
from callcenter.practice.changing import Recorder
from callcenter.practice.enrolment import PractitionerRecord, write_organisation, write_practice, write_practitioners
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.names import normalise_name
from callcenter.practice.practice_file import DescribedPractice, read_practice_file
from callcenter.practice.practitioners import practitioner_names, sensitive_practitioners
from callcenter.practice.setting_versions import Author
from callcenter.practice.tables import organisation, practice
from callcenter.store.database import Database


class NoOrganisation(CallcenterError):
    """The organisation's name is empty: say who staffs the practice's telephone."""


class NotSensitive(CallcenterError):
    """Somebody cannot lose a mark that they do not have, or keep."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What stands now.

    Arguments:
        facts: the practice as it answers from its next call on.
        is_new: it was not on file before.
        practitioners: those that the file names.
        unnamed: practitioners on file whom the file does not name; they are kept, since appointments may name them.
    """

    facts: PracticeFacts
    is_new: bool
    practitioners: tuple[str, ...]
    unnamed: tuple[str, ...]


async def enrol(
    database: Database,
    path: Path,
    organisation_name: str,
    random: Random,
    author: Author,
    recorder: Recorder,
    *,
    no_longer_sensitive: Collection[str] = (),
) -> Enrolled:
    """Enrol the practice described at ``path``, or change the one of the same short name: all of it, or nothing.

    Arguments:
        organisation_name: who staffs its telephone; enrolled too if it is new.
        author: who enrols it.
        recorder: of the ledger.
        no_longer_sensitive: practitioners on file as *sensitive* whom the file may name without that mark.

    Raises:
        DataProblems: the description cannot be used; with all that is wrong, by line.
        NumberTaken: one of its numbers contradicts what another practice has.
        NotSensitive: somebody is said to be sensitive no longer who is not.
    """
    described = read_practice_file(path, UUID(int=0), lambda _kind, _key: new_id(random))
    if not organisation_name.strip():
        raise NoOrganisation
    async with database.house() as connection:
        organisations = select(organisation.c.id).where(organisation.c.name == organisation_name)
        staffed_by = (await connection.execute(organisations)).scalar_one_or_none() or new_id(random)
        standing = select(practice.c.id).where(practice.c.slug == described.facts.slug)
        practice_id: UUID | None = (await connection.execute(standing)).scalar_one_or_none()
    facts = replace(described.facts, id=practice_id or described.facts.id, organisation_id=staffed_by)
    async with database.practice(facts.id) as tx:
        on_file = await practitioner_names(tx)
        people = _under_known_ids(described.practitioners, on_file)
        known = replace(described, facts=facts, practitioners=people)
        _check_marks(known, await sensitive_practitioners(tx), no_longer_sensitive)
        await write_organisation(tx.connection, staffed_by, organisation_name)
        changed = await write_practice(tx.connection, facts, author)
        await write_practitioners(tx, people)
        await recorder.settings_changed(tx, changed, author)
    named = {person.id for person in people}
    unnamed = sorted(name for name, key in on_file.items() if key not in named)
    return Enrolled(facts, practice_id is None, tuple(person.name for person in people), tuple(unnamed))


def _under_known_ids(
    people: Sequence[PractitionerRecord], on_file: Mapping[str, UUID]
) -> tuple[PractitionerRecord, ...]:
    """A person on file keeps their identifier, however their name is written this time."""
    known = {normalise_name(name): key for name, key in on_file.items()}
    return tuple(replace(person, id=known.get(normalise_name(person.name), person.id)) for person in people)


def _check_marks(described: DescribedPractice, sensitive: Set[UUID], no_longer_sensitive: Collection[str]) -> None:
    """Without its mark, a practitioner's name is read to callers (D05): that is not done by leaving a word out."""
    released = {normalise_name(name) for name in no_longer_sensitive}
    losing = {
        normalise_name(person.name): (person.name, line)
        for person, line in zip(described.practitioners, described.lines, strict=True)
        if person.id in sensitive and not person.sensitive
    }
    if unknown := released - losing.keys():
        raise NotSensitive(f"{', '.join(sorted(unknown))}: nobody of that name loses the mark by {described.file}")
    problems = [
        Problem(
            described.file,
            line,
            f"« {name} » is sensitive on file, and is not here",
            f"write sensitive: true; if the mark shall go, enrol with --no-longer-sensitive « {name} »",
        )
        for key, (name, line) in losing.items()
        if key not in released
    ]
    if problems:
        raise DataProblems(problems)
