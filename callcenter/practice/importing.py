"""Importing a practice's patients, contacts and appointments from CSV: all of a file or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import CallcenterError, DataProblems, Problem
from callcenter.kernel.randomness import Random
from callcenter.practice.columns import match_columns
from callcenter.practice.directory import Directory
from callcenter.practice.file import PatientFile
from callcenter.practice.intake import lock_intake
from callcenter.practice.plan_appointments import plan_appointments
from callcenter.practice.plan_contacts import plan_contacts
from callcenter.practice.plan_patients import plan_patients
from callcenter.practice.plans import Draft, ImportContext, Plan, Progress
from callcenter.practice.records import AppointmentRecord, ContactRecord, PatientRecord, Reading
from callcenter.practice.sheet import Sheet, read_sheet
from callcenter.store.database import Database, Transaction
from callcenter.store.sealed import Sealer


class ImportKind(StrEnum):
    """What a file holds."""

    PATIENTS = "patients"
    CONTACTS = "contacts"
    APPOINTMENTS = "appointments"


#: What reads a row of a file of each kind.
RECORDS: Mapping[ImportKind, type[PatientRecord | ContactRecord | AppointmentRecord]] = {
    ImportKind.PATIENTS: PatientRecord,
    ImportKind.CONTACTS: ContactRecord,
    ImportKind.APPOINTMENTS: AppointmentRecord,
}


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or would have done.

    Arguments:
        rows: rows of the file, all usable.
        added, updated: how many of them were new, and how many on file already.
        dry_run: nothing was written.
        removed: telephones that left the file, because it lists their patient without them.
        cancelled: appointments to come that were cancelled, because a complete agenda does not name them.
    """

    kind: ImportKind
    rows: int
    added: int
    updated: int
    dry_run: bool
    removed: int = 0
    cancelled: int = 0


class NeverComplete(CallcenterError):
    """No import removes patients, so no file of patients is complete: import it without --complete."""


def import_fields(kind: ImportKind) -> Mapping[str, bool]:
    """The fields that a file of this kind may have, and whether it must."""
    return {name: field.is_required() for name, field in RECORDS[kind].model_fields.items()}


def _silent(done: int, total: int) -> None:
    """Nobody watches."""


async def import_file(
    database: Database,
    sealer: Sealer,
    practice_id: UUID,
    path: Path,
    kind: ImportKind,
    column_map: Mapping[str, str],
    dry_run: bool,
    clock: Clock,
    random: Random,
    progress: Progress = _silent,
    *,
    complete: bool = False,
) -> ImportReport:
    """Import a CSV file in one transaction; a second import of the same file updates.

    A file of contacts lists all telephones of each patient whom it names; their others leave the file.

    Arguments:
        column_map: column of the file to field (:func:`import_fields`), or to ``-`` to leave it out.
        dry_run: do everything, then take it back.
        progress: told after each batch.
        complete: the file is the whole list: telephones of patients whom it does not name leave the file too, and
            appointments to come that it does not name are cancelled.

    Raises:
        DataProblems: with everything that is wrong, by line; nothing is written then.
        NeverComplete: of patients.
        NoSuchPractice: there is none of that id.
        DatabaseDown: the database does not answer.
    """
    if complete and kind is ImportKind.PATIENTS:
        raise NeverComplete
    async with database.house() as connection:
        facts = await Directory.facts(connection, practice_id, clock.now())
    reading = Reading(facts.timezone, clock.now(), facts.own_lines)
    sheet, drafts, problems = await asyncio.to_thread(_read, path, kind, column_map, reading)
    async with database.practice(practice_id) as tx:
        await lock_intake(tx)
        context = ImportContext(tx, PatientFile(sealer, practice_id), sheet.file, reading, random, complete)
        plan = await _PLANS[kind](context, drafts)
        if complete and not sheet.rows:
            problems = [context.problem(0, "it names nothing, and is said to be complete", "export it again")]
        if found := [*problems, *plan.problems]:
            raise DataProblems(sorted(found, key=lambda problem: problem.line))
        await _write(tx, plan, dry_run, progress)
    rows, added = len(drafts), plan.added
    return ImportReport(kind, rows, added, rows - added, dry_run, plan.removed, plan.cancelled)


#: ``Any``: a kind's plan takes drafts of that kind's record, which a mapping cannot say.
_PLANS: Mapping[ImportKind, Callable[[ImportContext, Sequence[Draft[Any]]], Awaitable[Plan]]] = {
    ImportKind.PATIENTS: plan_patients,
    ImportKind.CONTACTS: plan_contacts,
    ImportKind.APPOINTMENTS: plan_appointments,
}


async def _write(tx: Transaction, plan: Plan, dry_run: bool, progress: Progress) -> None:
    """Do what is planned; a dry run does it too, so that the database's own constraints have their say."""
    savepoint = await tx.connection.begin_nested()
    await plan.write(progress)
    await (savepoint.rollback() if dry_run else savepoint.commit())


def _read(
    path: Path, kind: ImportKind, column_map: Mapping[str, str], reading: Reading
) -> tuple[Sheet, Sequence[Draft[Any]], Sequence[Problem]]:
    sheet = read_sheet(path)
    fields = match_columns(sheet.file, sheet.columns, import_fields(kind), column_map)
    columns = {field: column for column, field in fields.items()}
    drafts: list[Draft[Any]] = []
    problems: list[Problem] = []
    for row in sheet.rows:
        cells = {fields[column]: cell for column, cell in row.cells.items() if column in fields}
        try:
            drafts.append(Draft(row.line, RECORDS[kind].model_validate(cells, context=reading)))
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False)
            problems += [_problem(sheet.file, row.line, columns, detail) for detail in details]
    return sheet, drafts, problems


def _problem(file: str, line: int, columns: Mapping[str, str], detail: ErrorDetails) -> Problem:
    """One refused cell, under its name in the file and without its content."""
    column = columns.get(str(detail["loc"][0]), str(detail["loc"][0])) if detail["loc"] else None
    if detail["type"] == "missing":
        return Problem(file, line, f"« {column} » is empty", "fill it in, or remove the row")
    context = detail.get("ctx", {})
    what, mend = context.get("what", detail["msg"]), context.get("mend", "correct it")
    return Problem(file, line, what if column is None else f"« {column} » {what}", mend)
