"""Planning an import of telephones: on file under patient and number."""

from __future__ import annotations

from collections.abc import Sequence

from callcenter.kernel.randomness import new_id
from callcenter.practice.intake import ContactEntry, batches, put_contacts, refresh_shared, remove_contacts
from callcenter.practice.on_file import KnownContact, KnownPatient, all_contacts, contacts_on_file, patients_on_file
from callcenter.practice.plans import Draft, ImportContext, Plan, Progress, repeated, write_batches
from callcenter.practice.records import ContactRecord


async def plan_contacts(context: ImportContext, drafts: Sequence[Draft[ContactRecord]]) -> Plan:
    """Known telephones get new dates, others are added, and who shares one is computed anew.

    A file lists all telephones of each patient whom it names: their others leave the file, and no code goes there any
    more. Telephones of patients whom it does not name stay, unless it is the complete list.
    """
    tx, file = context.tx, context.file
    patients = await patients_on_file(tx, file, [draft.record.patient for draft in drafts])
    known = await contacts_on_file(tx, [patient.id for patient in patients.values()])
    keys = ((draft.line, (draft.record.patient, draft.record.phone)) for draft in drafts)
    problems = repeated(context, keys, "the same telephone of the same patient")
    entries, added = [], 0
    for draft in drafts:
        patient = patients.get(draft.record.patient)
        if patient is None:
            mend = "import patients first, or correct the patient's identifier"
            problems.append(context.problem(draft.line, "no patient on file has this identifier", mend))
            continue
        on_file = known.get((patient.id, file.phone_index(draft.record.phone)))
        added += on_file is None
        entries.append(_entry(context, draft.record, patient, on_file))
    standing = await all_contacts(tx) if context.complete else {contact.id for contact in known.values()}
    leaving = standing - {entry.id for entry in entries}

    async def write(progress: Progress) -> None:
        await write_batches(entries, lambda batch: put_contacts(tx, file, batch), progress)
        await refresh_shared(tx, file, context.today, leaving)
        for batch in batches(sorted(leaving)):  # at the very end: what refers to a row that leaves waits for the commit
            await remove_contacts(tx, batch)

    return Plan(added, problems, write, removed=len(leaving))


def _entry(
    context: ImportContext, record: ContactRecord, patient: KnownPatient, on_file: KnownContact | None
) -> ContactEntry:
    """What the file says goes first, then what is on file; a new number without any date was entered just now.

    Entering a number is what confirms it first, so it is never confirmed earlier than entered.
    """
    entered = record.entered_at or (on_file.entered_at if on_file else record.confirmed_at) or context.reading.now
    confirmed = record.confirmed_at or (on_file.confirmed_at if on_file else entered)
    return ContactEntry(
        id=on_file.id if on_file else new_id(context.random),
        patient_id=patient.id,
        birth_date=patient.birth_date,
        phone=record.phone,
        entered_at=entered,
        confirmed_at=max(confirmed, entered),
    )
