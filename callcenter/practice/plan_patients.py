"""Planning an import of patients: on file under ``external_id``, nobody twice."""

from __future__ import annotations

from collections.abc import Sequence

from callcenter.kernel.errors import Problem
from callcenter.kernel.randomness import new_id
from callcenter.practice.file import PatientFile
from callcenter.practice.intake import batches, put_patients, refresh_shared, reindex_contacts
from callcenter.practice.names import normalise_name
from callcenter.practice.on_file import patients_by_name, patients_on_file
from callcenter.practice.plans import Draft, ImportContext, Plan, Progress, repeated, write_batches
from callcenter.practice.records import PatientRecord


async def plan_patients(context: ImportContext, drafts: Sequence[Draft[PatientRecord]]) -> Plan:
    """Known patients are replaced, others added; a corrected birth date moves the patient's telephones with it."""
    tx, file = context.tx, context.file
    known = await patients_on_file(tx, file, [draft.record.external_id for draft in drafts])
    problems = repeated(context, ((draft.line, draft.record.external_id) for draft in drafts), "the same patient")
    problems += await _same_persons(context, drafts)
    records = [draft.record for draft in drafts]
    rows = [
        (known[record.external_id].id if record.external_id in known else new_id(context.random), record)
        for record in records
    ]
    corrected = {
        known[record.external_id].id: record.birth_date
        for record in records
        if record.external_id in known and known[record.external_id].birth_date != record.birth_date
    }

    async def write(progress: Progress) -> None:
        await write_batches(rows, lambda batch: put_patients(tx, file, batch), progress)
        await reindex_contacts(tx, file, corrected)
        await refresh_shared(tx, file, context.today)

    return Plan(sum(record.external_id not in known for record in records), problems, write)


async def _same_persons(context: ImportContext, drafts: Sequence[Draft[PatientRecord]]) -> list[Problem]:
    """A problem for each patient who looks like another one, unless both are marked as homonyms.

    A person who is on file twice would never be verified: a claim must fit exactly one record (MA-06).
    """
    here = {draft.record.external_id for draft in drafts}
    seen: dict[tuple[bytes, str], tuple[str, str, bool]] = {}
    problems = []
    mend = "remove one if they are one person; mark both as homonym if they are two"
    for some in batches(drafts):
        keys = [_name_key(context.file, draft.record) for draft in some]
        for other in await patients_by_name(context.tx, context.file, [index for index, _ in keys]):
            if other.external_id not in here:
                person = other.external_id, "somebody on file", other.homonym
                seen.setdefault((other.index, other.first_name), person)
        for draft, key in zip(some, keys, strict=True):
            record = draft.record
            person = record.external_id, f"line {draft.line}", record.homonym
            external_id, where, homonym = seen.setdefault(key, person)
            if external_id != record.external_id and not (homonym and record.homonym):
                what = f"birth date, name and first name are those of {where}"
                problems.append(context.problem(draft.line, what, mend))
    return problems


def _name_key(file: PatientFile, record: PatientRecord) -> tuple[bytes, str]:
    return file.birth_name_index(record.birth_date, record.birth_name), normalise_name(record.first_name)
