"""Enrolling a practice from its description: what is on file under its short name is brought to what the file says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from callcenter.kernel.randomness import Random, new_id
from callcenter.practice.enrolment import write_organisation, write_practice, write_practitioners
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.practice_file import DescribedPractice, read_practice_file
from callcenter.practice.practitioners import practitioner_names
from callcenter.practice.tables import organisation, practice
from callcenter.store.database import Database


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


async def enrol(database: Database, path: Path, organisation_name: str, random: Random) -> Enrolled:
    """Enrol the practice described at ``path``, or change the one of the same short name: all of it, or nothing.

    Arguments:
        organisation_name: who staffs its telephone; enrolled too if it is new.

    Raises:
        DataProblems: the description cannot be used; with all that is wrong, by line.
        NumberTaken: one of its numbers contradicts what another practice has.
    """
    described = read_practice_file(path, UUID(int=0), lambda _kind, _key: new_id(random))
    async with database.house() as connection:
        organisations = select(organisation.c.id).where(organisation.c.name == organisation_name)
        staffed_by = (await connection.execute(organisations)).scalar_one_or_none() or new_id(random)
        standing = select(practice.c.id).where(practice.c.slug == described.facts.slug)
        practice_id: UUID | None = (await connection.execute(standing)).scalar_one_or_none()
    on_file: Mapping[str, UUID] = {}
    if practice_id is not None:
        async with database.practice(practice_id) as tx:
            on_file = await practitioner_names(tx)
    known = _under_known_ids(described, staffed_by, practice_id, on_file)
    async with database.practice(known.facts.id) as tx:
        await write_organisation(tx.connection, staffed_by, organisation_name)
        await write_practice(tx.connection, known.facts)
        await write_practitioners(tx, known.practitioners)
    named = tuple(person.name for person in known.practitioners)
    return Enrolled(known.facts, practice_id is None, named, tuple(sorted(on_file.keys() - set(named))))


def _under_known_ids(
    described: DescribedPractice, staffed_by: UUID, practice_id: UUID | None, on_file: Mapping[str, UUID]
) -> DescribedPractice:
    facts = replace(described.facts, id=practice_id or described.facts.id, organisation_id=staffed_by)
    people = tuple(replace(person, id=on_file.get(person.name, person.id)) for person in described.practitioners)
    return DescribedPractice(facts, people)
