"""Planning an import of appointments: in the agenda under ``external_id``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from callcenter.kernel.errors import Problem
from callcenter.kernel.randomness import new_id
from callcenter.practice.intake import AppointmentEntry, batches, cancel_appointments, put_appointments
from callcenter.practice.names import UnmappedCharacter, normalise_name
from callcenter.practice.on_file import (
    KnownAppointment,
    appointments_on_file,
    appointments_to_come,
    patients_on_file,
)
from callcenter.practice.plans import Draft, ImportContext, Plan, Progress, repeated, write_batches
from callcenter.practice.practitioners import practitioner_names
from callcenter.practice.records import AppointmentRecord
from callcenter.practice.slot_references import reference_index, references_in_use
from callcenter.practice.values import AppointmentStatus

_TITLES = frozenset({"DR", "DRE", "DOCTEUR", "DOCTEURE", "PR", "PRE", "PROFESSEUR", "M", "MME", "MONSIEUR", "MADAME"})


async def plan_appointments(context: ImportContext, drafts: Sequence[Draft[AppointmentRecord]]) -> Plan:
    """Known appointments are replaced, others added; those to come that a complete agenda does not name are cancelled.

    It may be an old one: one that names none to come does not cancel all.
    """
    tx, now = context.tx, context.reading.now
    patients = await patients_on_file(tx, context.file, [draft.record.patient for draft in drafts])
    names = await practitioner_names(tx)
    practitioners = {normalise_name(name): key for name, key in names.items()}
    known = await appointments_on_file(tx, [draft.record.external_id for draft in drafts])
    keys = ((draft.line, draft.record.external_id) for draft in drafts)
    problems = repeated(context, keys, "the same appointment")
    written = {draft.record.practitioner for draft in drafts}  # each name is read once, not on every line
    meant = {name: _practitioner(practitioners, name) for name in written}
    problems += await _references_taken(context, drafts)
    entries = []
    for draft in drafts:
        patient, doctor = patients.get(draft.record.patient), meant[draft.record.practitioner]
        if patient is None or doctor is None:
            problems += _unknown(context, draft.line, patient is None, doctor is None, sorted(names))
        else:
            on_file = known.get(draft.record.external_id)
            entries.append(_entry(context, draft.record, patient.id, doctor, on_file))
    gone = await _no_longer_named(context, drafts) if context.complete else []
    if gone and not any(draft.record.starts_at > now for draft in drafts):
        what = f"it names no appointment to come, and would cancel all {len(gone)} that stand"
        problems.append(context.problem(0, what, "export the agenda from today on, or import it without --complete"))

    async def write(progress: Progress) -> None:
        await write_batches(entries, lambda batch: put_appointments(tx, batch), progress)
        for batch in batches(gone):
            await cancel_appointments(tx, batch, now)

    added = sum(draft.record.external_id not in known for draft in drafts)
    return Plan(added, problems, write, cancelled=len(gone))


async def _no_longer_named(context: ImportContext, drafts: Sequence[Draft[AppointmentRecord]]) -> Sequence[UUID]:
    """The appointments to come that a complete agenda leaves out."""
    to_come = await appointments_to_come(context.tx, context.reading.now)
    return sorted(to_come[key] for key in to_come.keys() - {draft.record.external_id for draft in drafts})


def _practitioner(practitioners: Mapping[str, UUID], written: str) -> UUID | None:
    try:
        name = normalise_name(written.replace(".", " "))
    except UnmappedCharacter:
        return None
    first, _, rest = name.partition(" ")
    return practitioners.get(name) or (practitioners.get(rest) if first in _TITLES else None)


def _unknown(
    context: ImportContext, line: int, no_patient: bool, no_practitioner: bool, names: Sequence[str]
) -> list[Problem]:
    problems = []
    if no_patient:
        mend = "import patients first, or correct the patient's identifier"
        problems.append(context.problem(line, "no patient on file has this identifier", mend))
    if no_practitioner:
        mend = f"write one of: {', '.join(names)}" if names else "enrol the practitioners first"
        problems.append(context.problem(line, "the practice has no practitioner of this name", mend))
    return problems


def _entry(
    context: ImportContext,
    record: AppointmentRecord,
    patient_id: UUID,
    practitioner_id: UUID,
    on_file: KnownAppointment | None,
) -> AppointmentEntry:
    """A file without status leaves what a caller has confirmed or cancelled, unless the appointment was moved."""
    unmoved = on_file is not None and on_file.starts_at == record.starts_at
    kept = on_file.status if on_file and unmoved else AppointmentStatus.PLANNED
    status = record.status or kept
    unchanged = on_file is not None and unmoved and on_file.status is status
    return AppointmentEntry(
        id=on_file.id if on_file else new_id(context.random),
        external_id=record.external_id,
        patient_id=patient_id,
        practitioner_id=practitioner_id,
        starts_at=record.starts_at,
        duration_minutes=record.duration_minutes,
        place=record.place,
        status=status,
        changed_at=on_file.changed_at if on_file and unchanged else context.reading.now,
        reference_index=None if record.reference is None else _index(context, record.reference),
    )


def _index(context: ImportContext, reference: str) -> bytes:
    return reference_index(context.file.sealer, context.file.practice, reference)


async def _references_taken(context: ImportContext, drafts: Sequence[Draft[AppointmentRecord]]) -> list[Problem]:
    """Two cards with the same reference would open one another's appointment."""
    given = [(draft, draft.record.reference) for draft in drafts if draft.record.reference is not None]
    problems = repeated(context, ((draft.line, reference) for draft, reference in given), "the same reference")
    indexed = [(draft, _index(context, reference)) for draft, reference in given]
    for batch in batches(indexed):
        in_use = await references_in_use(context.tx, [index for _, index in batch])
        problems += [
            context.problem(draft.line, "its reference leads to another appointment already", "print another card")
            for draft, index in batch
            if in_use.get(index, draft.record.external_id) != draft.record.external_id
        ]
    return problems
